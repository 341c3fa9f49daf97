"""HTTP/2 after a 101: handlers of both sides, over h2's core, against each other and against h2 itself."""

from __future__ import annotations

import base64
import struct
import sys

import h2.config
import h2.connection
import h2.events
import pytest

from labkit.errors import WrongUse
from labkit.parties.clocks import lab_date
from labkit.parties.described import Server
from labkit.parties.http2 import http2_asks, http2_client, http2_server
from labkit.parties.offer import Offer
from labkit.parties.server import ServerParty
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Direction
from tests.parties.driving import Driven

KNOWING = Server(protocols={"h2c": http2_server})


class Asking:
    """An h2 client that upgrades, driven against the lab's server by hand."""

    def __init__(self, offer: Offer | None = None, **settings: int) -> None:
        self.core = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.core.update_settings({getattr(h2.settings.SettingCodes, name): value for name, value in settings.items()})
        self.core.data_to_send()
        self.core.local_settings.acknowledge()
        told = self.core.initiate_upgrade_connection().decode().rstrip("=")
        self.offer = (offer or Offer.h2c("/first")).with_field("HTTP2-Settings", told)
        self.server = Driven(lambda driver: ServerParty(KNOWING, driver, lab_date))
        self.content: dict[int, bytes] = {}
        self.fields: dict[int, dict[str, str]] = {}
        self.ended: list[int] = []
        head, _, rest = self.server.feed(self.offer.to_bytes()).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        self._take(rest)
        self.go_on()

    def go_on(self) -> None:
        while data := self.core.data_to_send():
            self._take(self.server.feed(data))

    def _take(self, data: bytes) -> None:
        for event in self.core.receive_data(data):
            match event:
                case h2.events.ResponseReceived():
                    self.fields[event.stream_id] = dict(event.headers)
                case h2.events.DataReceived():
                    self.content[event.stream_id] = self.content.get(event.stream_id, b"") + event.data
                case h2.events.StreamEnded():
                    self.ended.append(event.stream_id)


def test_the_upgraded_request_is_answered_on_stream_1():
    """The server answers the request of HTTP/1.1 in HTTP/2, on stream 1 (RFC 7540, 3.2)."""
    client = Asking()
    assert client.fields[1] == {":status": "200", "content-type": "text/plain; charset=utf-8", "content-length": "34"}
    assert client.content[1] == b"GET /first over HTTP/2, stream 1.\n"
    assert client.ended == [1]


def test_more_requests_on_one_connection():
    """Each further request is a stream of its own, with an odd number (RFC 9113, 5.1.1)."""
    client = Asking()
    for number in (3, 5):
        client.core.send_headers(
            number,
            [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", f"/{number}")],
            end_stream=True,
        )
    client.go_on()
    assert client.content[5] == b"GET /5 over HTTP/2, stream 5.\n"
    assert client.ended == [1, 3, 5]


def test_content_is_taken_beyond_the_first_window():
    """What a request's content takes of the window is given back (RFC 9113, 6.9)."""
    client = Asking()
    client.core.send_headers(3, [(":method", "POST"), (":scheme", "http"), (":authority", "a"), (":path", "/")])
    left = 300_000
    while left:
        size = min(left, client.core.local_flow_control_window(3), client.core.max_outbound_frame_size)
        assert size > 0
        left -= size
        client.core.send_data(3, b"x" * size, end_stream=not left)
        client.go_on()
    assert client.content[3] == b"POST / over HTTP/2, stream 3.\n"


def test_an_answer_waits_for_its_window():
    """A client that gives no room gets the head alone, and the rest when there is room (RFC 9113, 5.2)."""
    client = Asking(INITIAL_WINDOW_SIZE=5)
    assert client.content[1] == b"GET /"
    client.core.increment_flow_control_window(100, 1)
    client.go_on()
    assert client.content[1] == b"GET /first over HTTP/2, stream 1.\n"
    assert client.ended == [1]


def test_head_gets_no_content():
    """The answer to HEAD ends with its fields (RFC 9110, 9.3.2)."""
    client = Asking(Offer.h2c().but(method="HEAD"))
    assert client.ended == [1]
    assert client.content == {}


def test_a_reset_stream_is_forgotten():
    """A request that its client takes back is not answered (RFC 9113, 6.4)."""
    client = Asking()
    client.core.send_headers(3, [(":method", "POST"), (":scheme", "http"), (":authority", "a"), (":path", "/")])
    client.core.reset_stream(3)
    client.go_on()
    assert client.ended == [1]
    assert not client.server.party.handler_error


@pytest.mark.parametrize(
    "garbage", [b"GET / HTTP/1.1\r\n\r\n" * 3, b"\xff" * 64, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\5\4" + bytes(10)]
)
def test_what_is_no_http2_gets_a_goaway(garbage):
    """Bytes that break the framing end the connection with GOAWAY (RFC 9113, 5.4.1)."""
    server = Driven(lambda driver: ServerParty(KNOWING, driver, lab_date))
    server.feed(Offer.h2c().to_bytes())
    said = server.feed(garbage)
    assert said[3] == 7
    assert server.party.ending


def test_a_setting_out_of_its_range_gets_a_goaway():
    """HTTP2-Settings is applied as a SETTINGS frame is: ENABLE_PUSH 2 is an error (RFC 9113, 6.5.2)."""
    told = base64.urlsafe_b64encode(struct.pack(">HI", 2, 2)).decode()
    server = Driven(lambda driver: ServerParty(KNOWING, driver, lab_date))
    said = server.feed(Offer.h2c(settings=told).to_bytes())
    _, _, frames = said.partition(b"\r\n\r\n")
    assert frames[int.from_bytes(frames[:3], "big") + 9 + 3] == 7
    assert server.party.ending


def test_both_handlers_understand_each_other():
    """The client reads its answer on stream 1 and says GOAWAY with no error (RFC 9113, 6.8)."""
    trace = simulate(Scenario(Offer.h2c(), say=http2_client, server=KNOWING))
    assert trace.note == "simulated"
    assert trace.stream(Direction.TO_SERVER).endswith(b"\x00\x00\x08\x07" + bytes(13))
    assert b"GET / over HTTP/2, stream 1.\n" in trace.stream(Direction.TO_CLIENT)


def test_the_settings_are_those_of_the_offer():
    """The client's SETTINGS repeat what its HTTP2-Settings said (RFC 7540, 3.2.1)."""
    trace = simulate(Scenario(Offer.h2c(), say=http2_client, server=KNOWING))
    _, _, after = trace.stream(Direction.TO_SERVER).partition(b"SM\r\n\r\n")
    settings = {after[at : at + 6] for at in range(9, 9 + int.from_bytes(after[:3], "big"), 6)}
    assert settings >= {struct.pack(">HI", *pair) for pair in ((3, 100), (4, 32 << 20), (2, 0))}


def test_a_server_that_ends_the_stream_is_told():
    """An answer that is reset is a failure, in words."""

    async def reset(stream):
        core = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        core.initiate_upgrade_connection(stream.request.fields.get("HTTP2-Settings").encode())
        core.reset_stream(1, 7)
        await stream.send(core.data_to_send())
        await stream.receive()

    trace = simulate(Scenario(Offer.h2c(), say=http2_client, server=Server(protocols={"h2c": reset})))
    assert "the server ended the answer with error 7" in trace.note


def test_a_server_that_says_nothing_is_told():
    """The client waits for its answer, and not for ever."""

    async def silent(stream):
        await stream.sleep(60)

    trace = simulate(Scenario(Offer.h2c(), say=http2_client, server=Server(protocols={"h2c": silent})))
    assert "no answer came on stream 1 within 5 s" in trace.note


def test_a_server_that_speaks_something_else_is_told():
    """What is no HTTP/2 is a failure, in words: here a SETTINGS frame of 5 bytes."""

    async def other(stream):
        await stream.send(b"\0\0\5\4" + bytes(10))
        await stream.sleep(1)

    trace = simulate(Scenario(Offer.h2c(), say=http2_client, server=Server(protocols={"h2c": other})))
    assert "the other side's HTTP/2 cannot be read" in trace.note


def test_a_server_that_leaves_is_told():
    """The connection ends, and the answer had not come."""

    async def leave(stream):
        await stream.receive()

    trace = simulate(Scenario(Offer.h2c(), say=http2_client, server=Server(protocols={"h2c": leave})))
    assert "the connection ended before the answer on stream 1 did" in trace.note


def test_without_h2_the_cure_is_named(monkeypatch):
    """Where the package is absent, the trace says what to install."""
    monkeypatch.setitem(sys.modules, "h2.config", None)
    trace = simulate(Scenario(Offer.h2c(), say=http2_client, server=KNOWING))
    assert 'python -m pip install "http101-labkit[h2c]"' in trace.note


def test_a_reset_in_the_same_bytes_harms_no_other_stream():
    """A request and its RST_STREAM in one segment leave the connection as it was (RFC 9113, 5.4.2)."""
    client = Asking()
    fields = [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/")]
    client.core.send_headers(3, fields, end_stream=True)
    client.core.reset_stream(3)
    client.core.send_headers(5, fields, end_stream=True)
    client.go_on()
    assert client.content[5] == b"GET / over HTTP/2, stream 5.\n"
    assert client.server.party.ending == ""


def test_pings_are_no_answer():
    """A server that only pings is given up after the time that an answer has (RFC 9113, 6.7)."""

    async def ping(stream):
        core = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        core.initiate_upgrade_connection(stream.request.fields.get("HTTP2-Settings").encode())
        for _ in range(20):
            core.ping(b"12345678")
            await stream.send(core.data_to_send())
            await stream.sleep(1)

    trace = simulate(Scenario(Offer.h2c(), say=http2_client, server=Server(protocols={"h2c": ping})))
    assert "no answer came on stream 1 within 5 s" in trace.note
    assert trace.stream(Direction.TO_SERVER).count(b"12345678") <= 6


def test_an_offer_that_cannot_be_meant():
    """A client is told of a setting out of its range that it offers itself."""
    told = base64.urlsafe_b64encode(struct.pack(">HI", 2, 2)).decode()
    trace = simulate(Scenario(Offer.h2c(settings=told), say=http2_client, server=KNOWING))
    assert "HTTP2-Settings of the offer cannot be meant" in trace.note


def test_more_is_asked_for_in_the_tunnel():
    """The upgraded request is answered first, then each further one on the next odd stream (RFC 9113, 5.1.1)."""
    trace = simulate(Scenario(Offer.h2c("/a"), say=http2_asks("/b", "/c"), server=KNOWING))
    said = trace.stream(Direction.TO_CLIENT)
    places = [said.index(b"GET %s over HTTP/2, stream %d." % each) for each in ((b"/a", 1), (b"/b", 3), (b"/c", 5))]
    assert places == sorted(places)
    assert trace.note == "simulated"


@pytest.mark.parametrize("target", ["b", 7, ""])
def test_what_is_asked_for_is_a_path(target):
    """Anything else is told so at once, not in the middle of an exchange."""
    with pytest.raises(WrongUse, match="what is asked for is a path"):
        http2_asks(target)
