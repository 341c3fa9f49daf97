from dataclasses import replace

import pytest

from labkit.cases.outcome import CLOSING, GOT, SAID, SAW, compared, differences, outcome
from labkit.parties.described import Server
from labkit.parties.offer import Offer
from labkit.proxies.nginx import Nginx
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Direction, End, Hop, How, Trace, Transfer
from labkit.wire.fields import Fields
from labkit.wire.http1 import ResponseHead

ASK = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def crossed(answer: bytes, *ends: End) -> Trace:
    return Trace((Transfer(0, Direction.TO_SERVER, ASK), Transfer(0, Direction.TO_CLIENT, answer), *ends))


def test_an_exchange_is_summed_up():
    """Who got which heads, what the tunnel carried, and who closed."""
    found = outcome(simulate(Scenario(via=(Nginx("location / { proxy_pass http://a; }"),))))
    assert [head.first for head in found.got] == ["HTTP/1.1 200 OK"]
    assert [head.first for head in found.seen] == ["GET / HTTP/1.0"]
    assert found.carried == (b"", b"", b"", b"")
    assert found.closed == "client"


def test_a_tunnel_is_looked_into_at_both_ends():
    """What the client sent and what the server got are compared each for itself."""
    up = outcome(simulate(Scenario())).carried[0]
    assert up.endswith(outcome(simulate(Scenario())).carried[2][-4:])
    assert up[:1] == b"\x81"


@pytest.mark.parametrize(
    ("name", "one", "other", "same"),
    [
        ("Date", "today", "tomorrow", True),
        ("Host", "a:8080", "a:9090", True),
        ("Host", "a", "b", False),
        ("Location", "http://a:1234/x", "http://a/x", True),
        ("Allow", "GET,HEAD", "HEAD, GET", True),
        ("Upgrade", "websocket", "h2c", False),
        ("Server", "nginx/1.22.1", "nginx/1.30.0", False),
    ],
)
def test_what_a_run_cannot_choose_is_not_compared(name, one, other, same):
    """Dates, the lab's own ports and the order of Allow are taken out; all else counts."""
    heads = [compared(ResponseHead(200, "OK", Fields(((name, value),)))) for value in (one, other)]
    assert (heads[0] == heads[1]) is same


def test_half_a_head_and_garbage_count():
    """What is no head is compared byte for byte."""
    assert outcome(crossed(b"220 mail\r\n")).noise == b"220 mail\r\n"
    assert outcome(crossed(b"HTTP/1.1 101 Switch")).noise == b"HTTP/1.1 101 Switch"
    assert outcome(crossed(b"HTTP/1.1 204 No Content\r\n\r\n")).noise == b""


@pytest.mark.parametrize("how", [How.FIN, How.RESET])
def test_fin_and_reset_are_one_outcome(how):
    """Who closed counts, not how; a connection that was left open was closed by nobody."""
    assert outcome(crossed(b"", End(0, Direction.TO_CLIENT, how))).closed == "proxy"
    assert outcome(crossed(b"", End(0, Direction.TO_CLIENT, How.ABANDONED))).closed == ""


def test_differences_are_told_line_by_line():
    """Each line of a head that differs is one row; nothing differs from itself."""
    one, other = (outcome(simulate(Scenario(offer))) for offer in (Offer.websocket(), Offer.bare()))
    assert differences(one, one) == ()
    told = differences(one, other)
    assert told[0] == (GOT, "start-line", "HTTP/1.1 101 Switching Protocols", "HTTP/1.1 400 Bad Request")
    assert (SAW, "sec-websocket-version", "13", "") in told
    assert "upgrade" not in [each.what for each in told if each.place == SAW]
    assert [each.place for each in told] == sorted([each.place for each in told], key=[GOT, SAW, SAID, CLOSING].index)


def test_a_difference_is_a_sentence():
    """A row says where, what, what was observed and what was predicted."""
    one = outcome(simulate(Scenario()))
    assert str(differences(one, replace(one, closed=""))[0]) == "closed first, who: really proxy; the model nobody"
    assert str(differences(replace(one, got=()), one)[0]).startswith("the client got, start-line: really nothing;")


@pytest.mark.parametrize(
    ("lines", "told"), [((), ""), ((("A", ""),), "(empty)"), ((("A", "1"), ("a", "2")), "1; 2 (in 2 lines)")]
)
def test_an_empty_field_is_not_an_absent_one(lines, told):
    """A field that is there twice, or is empty, differs from one that is not."""
    one, other = (
        replace(outcome(Trace()), got=(compared(ResponseHead(200, "OK", Fields(each))),))
        for each in (lines, (("A", "0"),))
    )
    assert differences(one, other) == ((GOT, "a", told, "0"),)


def test_every_connection_to_the_server_counts():
    """What the server saw is told over all hops that lead to it."""
    hops = (Hop("client", "proxy"), Hop("proxy", "server"), Hop("proxy", "server"))
    trace = Trace(tuple(Transfer(hop, Direction.TO_SERVER, ASK) for hop in range(3)), hops)
    assert len(outcome(trace).seen) == 2
    assert len(outcome(simulate(Scenario(server=Server(require=True)))).seen) == 1
