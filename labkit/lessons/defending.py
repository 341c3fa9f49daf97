"""The attacks of lesson 13, made on a learner's server in memory: time is its own there, and nothing leaves the lab."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from labkit.dissection import dissect
from labkit.lessons.answers import Point
from labkit.parties.described import Server
from labkit.parties.offer import Offer
from labkit.parties.stream import Stream
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.wire.deflate import deflated_zeros
from labkit.wire.websocket import BINARY, SAMPLE_MASK, frame

__all__ = ["defended"]

_PAGE, _STRANGER = "https://server.example.com", "https://evil.example"  # whose page it is
_HEAD_TIME = 5.0  # seconds
_MESSAGE = 64 << 10  # bytes


def defended(server: Server) -> Iterator[Point]:
    """Yield what became of each attack, and of the visitors that are welcome."""
    yield _page(server, _STRANGER, 403, "only one page's Origin is welcome")
    yield _page(server, _PAGE, 101, "this page is the server's own")
    yield _half_a_head(server)
    yield _bomb(server)
    yield _message(server)


def _page(server: Server, origin: str, wanted: int, why: str) -> Point:
    status = dissect(simulate(Scenario(Offer.websocket().with_field("Origin", origin), server=server))).status
    return Point(status == wanted, f"a page of {origin}: {status or 'no answer'}", why)


def _half_a_head(server: Server) -> Point:
    half = Offer(raw=Offer.websocket().to_bytes()[:60])
    status = dissect(simulate(Scenario(half, server=server, patience=_HEAD_TIME + 1))).status
    what = "408" if status == 408 else f"nothing happened for {_HEAD_TIME + 1:g} s"  # what came when the client left
    return Point(status == 408, f"half a head, and then nothing: {what}", "it holds the connection")


def _bomb(server: Server) -> Point:
    taken = _taken(server, deflated_zeros(_MESSAGE + 1), rsv=4)
    what = f"a message that inflates to {_MESSAGE + 1:,} bytes: {'taken' if taken else 'not taken'}"
    return Point(not taken, what, "how long a message may become is one of the limits")


def _message(server: Server) -> Point:
    taken = _taken(server, bytes(_MESSAGE), rsv=0)
    what = f"a message of {_MESSAGE:,} bytes: {'taken' if taken else 'not taken'}"
    return Point(taken, what, "so much is to be allowed")


def _taken(server: Server, payload: bytes, *, rsv: int) -> bool:
    """Tell whether a message comes to the server's handler."""
    taken: list[object] = []

    async def take(stream: Stream) -> None:
        taken.append(await stream.receive())

    message = frame(BINARY, payload, rsv=rsv, mask=SAMPLE_MASK)
    taking = replace(server, protocols={"websocket": take})
    offer = Offer.websocket(deflate=True).with_field("Origin", _PAGE)
    simulate(Scenario(offer, say=lambda stream: stream.send_bytes(message), server=taking))
    return bool(taken)
