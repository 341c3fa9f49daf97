"""The client's side of HTTP/2 from the first byte on: what it waits for, what it makes of the answers."""

from __future__ import annotations

import h2.config
import h2.connection
import h2.settings
import pytest

from labkit.parties.client import ClientParty
from labkit.parties.clocks import LogicalClock, lab_masks
from labkit.parties.described import Server
from labkit.parties.offer import Offer
from labkit.parties.stream import Stream, echo
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Direction
from labkit.wire.http2 import HEADERS, PREFACE, scan, settings
from tests.parties.driving import Asking

KNOWING = Server(http2=True)


def met() -> tuple[Asking, h2.connection.H2Connection]:
    """Return a client that has asked for /chat, and a server of h2's own that has read it."""
    core = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    core.local_settings = h2.settings.Settings(client=False, initial_values={8: 1})
    client = Asking(Offer.connect("/chat"))
    core.initiate_connection()
    core.receive_data(client.said)
    core.receive_data(client.feed(core.data_to_send()))
    return client, core


def answered(lines, data: bytes = b"", *, end: bool = False) -> Asking:
    """Return a client that asked for /chat and was answered so by h2 itself."""
    client, core = met()
    core.send_headers(1, lines, end_stream=end)
    if data:
        core.send_data(1, data)
    client.feed(core.data_to_send())
    return client


def test_it_waits_for_the_setting():
    """Before the server's SETTINGS nothing is asked, and no :protocol without ENABLE_CONNECT_PROTOCOL (RFC 8441, 3)."""
    client = Asking(Offer.connect())
    assert client.said == PREFACE + settings({2: 0}) == Offer.connect().to_bytes()
    said = client.feed(settings({3: 100}))
    assert HEADERS not in [frame.type for frame in scan(said)]
    assert client.party.ending
    assert "ENABLE_CONNECT_PROTOCOL" in client.party.problem


def test_a_server_of_http11_is_no_answer():
    """A 400 in HTTP/1.1 to the preface cannot be read as HTTP/2, and is said so."""
    trace = simulate(Scenario(Offer.connect()))
    assert "the other side's HTTP/2 cannot be read" in trace.note


def test_no_answer_in_time():
    """A server that says nothing is given up after the patience."""
    client = Asking(Offer.connect(), patience=2)
    client.wait(3)
    assert client.party.problem == "no answer came in 2 s"
    assert client.party.ending


def test_a_server_that_goes_away_is_told_of():
    """The end before an answer is said."""
    client = Asking(Offer.connect())
    client.eof()
    assert client.party.problem == "the server closed without an answer"


def test_a_decline_is_told_with_its_status():
    """Anything but 2xx takes nothing up."""
    client = answered([(":status", "403")], end=True)
    assert client.party.status == 403
    assert client.party.problem == "the server did not take the CONNECT up: HTTP 403"
    assert client.party.ending


@pytest.mark.parametrize("status", [b"2x0", b"20", b"2000", b"020"])
def test_a_status_that_is_none_breaks_the_stream_off(status):
    """A status is three digits (RFC 9110, 15); else the answer is malformed (RFC 9113, 8.1.1)."""
    client, core = met()
    block = core.encoder.encode([(b":status", status)])
    client.feed(core.data_to_send() + len(block).to_bytes(3, "big") + b"\x01\x04\0\0\0\x01" + block)
    assert client.party.problem
    assert client.party.ending


def test_an_extension_that_nobody_offered_is_refused():
    """The 200 is held against the CONNECT as a 101 is against its Upgrade (RFC 6455, 4.1)."""
    client = answered([(":status", "200"), ("sec-websocket-extensions", "permessage-deflate")])
    assert "the answer is not right" in client.party.problem
    assert client.party.ending


def test_a_stream_broken_off_is_told():
    """A RST_STREAM in the place of an answer is no answer."""
    client, core = met()
    core.reset_stream(1, 7)
    client.feed(core.data_to_send())
    assert client.party.problem == "the server broke stream 1 off with error 7"


def test_one_connection_for_many_offers():
    """Offers beside each other are streams 1, 3 and 5; the handler finds its own by the path."""
    seen = {}

    async def talk(stream: Stream) -> None:
        await stream.send(stream.path)
        seen[stream.path] = await stream.receive()

    offer = Offer.connect("/a", beside=(Offer.connect("/b"), Offer.connect("/c", protocol="quote")))
    trace = simulate(Scenario(offer, talk, server=Server(http2=True, protocols={"websocket": echo, "quote": echo})))
    assert seen == {"/a": "/a", "/b": "/b", "/c": b"/c"}
    assert trace.note == "simulated"
    assert len(trace.hops) == 1


def test_what_a_client_says_wrong_is_sent():
    """A field of HTTP/1.1 in a field block goes out as it is, and the server ends the connection (RFC 9113, 8.2.2)."""
    trace = simulate(Scenario(Offer.connect().with_field("connection", "Upgrade"), server=KNOWING))
    assert "said goodbye with error 1" in trace.note


def test_content_over_http2():
    """An offer that is no CONNECT asks for a page, and reads it to its end."""
    plain = Offer.connect("/page").without(":protocol").without("sec-websocket-version").but(method="GET")
    trace = simulate(Scenario(plain, server=KNOWING))
    assert b"A plain page" in trace.stream(Direction.TO_CLIENT)
    assert trace.note == "simulated"
    posted = simulate(Scenario(plain.but(method="POST", content=b"x" * 70000), server=KNOWING))
    assert b"70000 bytes of content" in posted.stream(Direction.TO_CLIENT)


def test_a_message_beyond_every_window_comes_back():
    """200,000 bytes there and back, in frames and windows of HTTP/2."""
    trace = simulate(Scenario(Offer.connect(), ["x" * 200_000], server=KNOWING))
    assert trace.stream(Direction.TO_CLIENT).count(b"x") >= 200_000
    assert trace.note == "simulated"


@pytest.mark.parametrize("deflate", [False, True])
def test_what_is_said_is_what_is_said_after_a_101(deflate):
    """The WebSocket bytes inside DATA are those that follow a 101, the masks too."""
    frames = {}
    for offer in (Offer.connect(deflate=deflate), Offer.websocket(deflate=deflate)):
        trace = simulate(Scenario(offer, ["Hello", b"\0\1"], server=KNOWING))
        frames[offer.http2] = trace.stream(Direction.TO_SERVER)
    after = frames[False].partition(b"\r\n\r\n")[2]
    data = [frame.payload_of(frames[True]) for frame in scan(frames[True], preface=True) if frame.type == 0]
    assert b"".join(data) == after


def test_the_driver_sees_one_party():
    """A client of HTTP/2 is driven as any other: it knows its next deadline, and ends once."""
    client = ClientParty(Offer.connect(), [], _driver(), lab_masks(), patience=3)
    assert client.deadline == 3
    client.shut()
    assert client.outgoing().endswith(b"\0\0\0\0\0\0\0\0")
    assert client.ending


def _driver():
    from labkit.parties.party import Driver

    return Driver(LogicalClock(), lambda *_: None)
