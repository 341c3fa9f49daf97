"""WebSocket inside HTTP/2: what was opened, and the frames in DATA, wherever the DATA are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.dissection import dissect
from labkit.parties.described import Server
from labkit.parties.offer import Offer
from labkit.render.diagram import diagram
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Direction, Trace, Transfer
from labkit.wire.http2 import DATA, HEADERS, PREFACE, frame, settings
from labkit.wire.websocket import PING, SAMPLE_MASK, TEXT
from labkit.wire.websocket import frame as message

UP, DOWN = Direction.TO_SERVER, Direction.TO_CLIENT
KNOWING = Server(http2=True)
EXCHANGE = simulate(Scenario(Offer.connect("/chat"), server=KNOWING))
FRAMES = message(TEXT, b"Hello", mask=SAMPLE_MASK) + message(PING, b"", mask=SAMPLE_MASK)


def literal(name: bytes, value: bytes) -> bytes:
    """Write a field line as HPACK does without any table (RFC 7541, 6.2.2)."""
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


ASK = b"".join(
    map(literal, (b":method", b":protocol", b":scheme", b":path"), (b"CONNECT", b"websocket", b"http", b"/"))
)


def tunnel(pieces: list[bytes], status: bytes = b"200", *, padded: bool = False) -> Trace:
    """Return a connection whose client says these pieces, each in a DATA of its own."""
    asks = PREFACE + settings() + frame(HEADERS, 4, 1, ASK)
    for piece in pieces:
        asks += frame(DATA, 8, 1, b"\2" + piece + b"\0\0") if padded else frame(DATA, 0, 1, piece)
    answers = settings() + frame(HEADERS, 4, 1, literal(b":status", status))
    return Trace((Transfer(0, UP, asks), Transfer(0, DOWN, answers)))


def leaves(trace: Trace, way: Direction):
    return [leaf for span in dissect(trace).hops[0].spans(way) for leaf in span.leaves()]


def holds(trace: Trace) -> None:
    """Check that the leaves of each direction stand side by side and cover all of its bytes."""
    for way in Direction:
        found = leaves(trace, way)
        assert found[0].start == 0
        assert found[-1].end == len(trace.stream(way))
        assert all(one.end == other.start for one, other in pairwise(found))


def test_the_frames_in_data_are_taken_apart():
    """The masking key and the masked text are leaves of the DATA, with the clauses of RFC 6455."""
    found = {leaf.label: leaf for leaf in reversed(leaves(EXCHANGE, UP))}
    key = found["masking key"]
    assert EXCHANGE.stream(UP)[key.start : key.end] == SAMPLE_MASK
    assert (key.clause, found["payload, masked"].meaning) == ("RFC 6455, 5.3", '"Hello"')
    holds(EXCHANGE)


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("cut", range(1, len(FRAMES)))
def test_a_frame_may_go_on_in_the_next_data(cut, padded):
    """Cut anywhere, with padding or without, the leaves are the bytes, and the frames are the same."""
    trace = tunnel([FRAMES[:cut], FRAMES[cut:]], padded=padded)
    holds(trace)
    part = dissect(trace).hops[0].http2(UP)
    carried = next(iter(part.tunnels.carried(UP).values()))
    assert [carried.part.name(place) for place in range(carried.part.count)] == ["text", "ping"]


@given(st.lists(st.binary(min_size=0, max_size=40), max_size=6), st.booleans())
def test_whatever_the_data_hold(pieces, padded):
    """Garbage inside a tunnel is garbage with leaves: nothing is raised, and no byte is lost (laws 1 and 2)."""
    trace = tunnel(pieces, padded=padded)
    holds(trace)
    assert diagram(trace).text()


def test_only_what_was_opened_is_websocket():
    """Where the CONNECT was declined, or another protocol opened, DATA is content."""
    assert "text" not in diagram(tunnel([FRAMES], b"403")).text()
    assert "Declined: HTTP/2, websocket was asked for (403)" in diagram(tunnel([], b"403")).text()
    other = simulate(
        Scenario(Offer.connect(protocol="quote"), [b"hi"], server=Server(http2=True, protocols={"quote": _one}))
    )
    assert "Opened quote in HTTP/2 (200)" in diagram(other).text()
    assert dissect(other).hops[0].http2(UP).carried(0) is None


async def _one(stream):
    await stream.send(await stream.receive())


def test_a_fault_inside_is_seen():
    """A frame of the client's that is not masked is one here, too (RFC 6455, 5.1)."""
    assert "a client must mask every frame" in diagram(tunnel([message(TEXT, b"Hello")])).text()


def test_compressed_messages_are_inflated():
    """The agreement on permessage-deflate stands in the 200's fields (RFC 8441, 5)."""
    trace = simulate(Scenario(Offer.connect(deflate=True), server=KNOWING))
    assert trace.stream(UP).find(b"Hello") == -1 or 'text "Hello", compressed' in diagram(trace).text()
    assert 'text "Hello", compressed' in diagram(trace).text()
    holds(trace)


def test_the_picture_has_messages_in_their_order():
    """An echo after its message, and the Close that was said first before the other."""
    text = diagram(EXCHANGE).text()
    told = [line for line in text.splitlines() if "DATA" in line]
    assert [("►" in line or "├" in line) for line in told] == [True, False, True, False, True]

    async def leave(stream):
        await stream.receive()
        await stream.close(1001)

    async def listen(stream):
        await stream.send("x")
        await stream.receive(5)

    left = simulate(Scenario(Offer.connect(), listen, server=Server(http2=True, protocols={"websocket": leave})))
    assert ["├" in line for line in diagram(left).text().splitlines() if "close 1001" in line] == [False, True]
