import base64
import json

import pytest

from labkit.dissection import dissect
from labkit.formats.report import FINDINGS_SCHEMA, SCHEMA, report, report_findings
from labkit.parties.described import Limits, Server
from labkit.parties.offer import Offer
from labkit.rules import Finding, Level, Rule, Who
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Cut, Direction, End, Hop, How, Trace, Transfer
from labkit.wire.websocket import SAMPLE_MASK
from tests.net.scenarios import ALL, BAD
from tests.render.http2_exchanges import CONTENT, told

ASK, REPLY = Direction.TO_SERVER, Direction.TO_CLIENT


def reported(scenario: Scenario) -> dict:
    """Return the report of a simulated scenario, as JSON would give it back."""
    found = json.loads(json.dumps(report(dissect(simulate(scenario)))))
    assert (found["labkit"], found["schema"]) == ("dissection", SCHEMA)
    return found


@pytest.mark.parametrize("name", ALL)
def test_everything_can_be_reported(name):
    """Whatever crossed, the report is plain JSON, and counts every byte."""
    trace = simulate(ALL[name])
    [hop] = reported(ALL[name])["hops"]
    assert hop["bytes"] == {f"to {way}": len(trace.stream(way)) for way in Direction}
    assert hop["ends"] == {f"to {way}": str(trace.end(way)) for way in Direction}


def test_an_echo_is_reported():
    """Heads, outcome, the Accept, the seam and the frames of one echo stand in the report."""
    found = reported(Scenario())
    [hop] = found["hops"]
    [exchange] = hop["exchanges"]
    assert found["outcome"] == exchange["outcome"] == "switched"
    assert (exchange["offer"], exchange["status"], exchange["accept"]) == (["websocket"], 101, "right")
    assert exchange["request"]["start_line"] == "GET / HTTP/1.1"
    assert ["Upgrade", "websocket"] in exchange["answer"]["fields"]
    assert hop["protocol"] == "websocket"
    assert hop["seam"] == {"to server": exchange["request"]["end"], "to client": exchange["answer"]["end"]}
    assert [(frame["to"], frame["opcode"], frame["masked"]) for frame in hop["frames"]] == [
        ("server", 1, True), ("server", 8, True), ("client", 1, False), ("client", 8, False),
    ]  # fmt: skip
    first = hop["frames"][0]
    assert base64.b64decode(first["payload"]) == b"Hello"
    assert first["masking_key"] == SAMPLE_MASK.hex()
    assert hop["frames"][1]["close_code"] == 1000
    assert hop["missing"] == {}
    assert hop["faults"] == []


@pytest.mark.parametrize(("change", "expected"), [(b"s3pP", "right"), (b"AAAA", "wrong"), (None, "absent")])
def test_the_accept_is_judged(change, expected):
    """An Accept is right, wrong or absent (RFC 6455, 4.2.2)."""
    trace = simulate(Scenario())
    old, new = (b"s3pP", change) if change else (b"Sec-WebSocket-Accept", b"X")
    reply = trace.stream(REPLY).replace(old, new)
    made = Trace((Transfer(0, ASK, trace.stream(ASK)), Transfer(0, REPLY, reply)))
    assert report(dissect(made))["hops"][0]["exchanges"][0]["accept"] == expected


def test_a_decline_has_no_accept():
    """Without a 101 there is nothing to prove."""
    [hop] = reported(Scenario(Offer.bare()))["hops"]
    assert hop["exchanges"][0]["accept"] is None
    assert hop["protocol"] is None
    assert hop["seam"] is None
    assert hop["frames"] == []


def test_frames_of_http2_are_reported():
    """Type, flags, stream, what it says, and the field lines of a head (RFC 9113, 4.1)."""
    [hop] = json.loads(json.dumps(report(dissect(told()))))["hops"]
    assert (hop["protocol"], hop["frames"], hop["faults"]) == ("h2c", [], [])
    assert [(frame["to"], frame["name"]) for frame in hop["http2"]] == [
        ("server", "SETTINGS"), ("server", "SETTINGS"), ("server", "WINDOW_UPDATE"), ("client", "SETTINGS"),
        ("client", "SETTINGS"), ("client", "HEADERS"), ("client", "DATA"), ("client", "GOAWAY"),
    ]  # fmt: skip
    head, content = hop["http2"][5], hop["http2"][6]
    assert head["fields"] == [[":status", "200"], ["content-length", "28"], ["content-type", "text/plain"]]
    assert (content["stream"], content["flags"], content["says"]) == (1, 1, "DATA stream 1, 28 bytes, end of stream")
    assert base64.b64decode(content["payload"]) == CONTENT
    assert [frame["fields"] for frame in hop["http2"] if frame["name"] != "HEADERS"] == [None] * 7


def test_compressed_messages_are_inflated():
    """A compressed frame carries its payload as it crossed, and what it inflates to (RFC 7692)."""
    [hop] = reported(Scenario(Offer.websocket(deflate=True)))["hops"]
    first = hop["frames"][0]
    assert first["rsv"] == 4
    assert base64.b64decode(first["inflated"]) == b"Hello"
    assert base64.b64decode(first["payload"]) != b"Hello"


@pytest.mark.parametrize("name", ["space before a colon", "a lying length", "an unknown opcode", "bad UTF-8"])
def test_faults_are_listed(name):
    """What breaks a rule is listed with its direction and offset."""
    [hop] = reported(BAD[name])["hops"]
    assert hop["faults"]
    assert all(fault["to"] == "server" and fault["offset"] >= 0 and fault["fault"] for fault in hop["faults"])


def test_what_is_missing_is_counted():
    """Bytes that were not kept are counted per direction."""
    scenario = Scenario(say=("x" * 1000,), server=Server(limits=Limits(recorded=700)))
    [hop] = reported(scenario)["hops"]
    assert sum(hop["missing"].values()) > 1000


def test_every_hop_has_its_report():
    """A trace of several hops is reported hop by hop, with the names of the parties."""
    hops = (Hop("client", "proxy"), Hop("proxy", "server"))
    trace = Trace((Cut(0, ASK, 5), End(1, ASK, How.RESET)), hops)
    found = report(dissect(trace))["hops"]
    assert [(hop["client"], hop["server"]) for hop in found] == [("client", "proxy"), ("proxy", "server")]
    assert found[0]["missing"] == {"to server": 5}
    assert found[1]["ends"] == {"to server": "reset"}


def test_findings_are_data():
    """Every finding carries its rule, whose fault it is, its bytes, and what was seen, asked and would mend it."""
    rule = Rule("W99", Who.SERVER, "RFC 6455, 4.2.2", Level.MUST_NOT, "Says.", "mend", switch=True)
    finding = Finding(rule, "server", 1, REPLY, 3, 9, "seen", note=False, more=2)
    found = json.loads(json.dumps(report_findings([finding], 84, "Switched")))
    assert (found["labkit"], found["schema"], found["checked"]) == ("findings", FINDINGS_SCHEMA, 84)
    assert found["findings"] == [
        {
            "rule": "W99", "level": "MUST NOT", "clause": "RFC 6455, 4.2.2", "switch": True, "party": "server",
            "hop": 1, "direction": "to client", "start": 3, "end": 9, "seen": "seen", "asks": "Says.", "mend": "mend",
            "note": False, "more": 2,
        }
    ]  # fmt: skip
