"""What came before what in HTTP/2: the causes between the frames of the two directions.

    SETTINGS               before the SETTINGS ack that answers it; a PING before its ack
    a request's end        before the answer on its stream, and its head before all else there
    a request's head       before an interim answer; 100 before the content that waits for it
    a PUSH_PROMISE         before what the client says of the promised stream
    DATA                   before the WINDOW_UPDATE that gives back just as many bytes
    a WebSocket message    in DATA before its echo, a ping before its pong

What stands in one direction has an order of its own.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator
from itertools import accumulate

from labkit.dissection import Http2Part
from labkit.dissection.streams import promised
from labkit.trace import Direction
from labkit.wire.http2 import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PING,
    PUSH_PROMISE,
    SETTINGS,
    WINDOW_UPDATE,
)
from labkit.wire.websocket import CLOSE, PONG
from labkit.wire.websocket import PING as PING_FRAME

__all__ = ["Place", "causes", "last_words", "says_goodbye"]

Place = tuple[Direction, int]


def causes(asks: Http2Part, replies: Http2Part) -> Iterator[tuple[Place, Place]]:
    """Yield causes and their effects, each as a direction and the place of a frame in it.

    Args:
        asks: what went to the server.
        replies: what went to the client.
    """
    for one, other in ((asks, replies), (replies, asks)):
        for cause, effect in (*_acks(one, other), *_pings(one, other), *_windows(one, other)):
            yield (one.direction, cause), (other.direction, effect)
    yield from _requests(asks, replies)
    for stream in asks.tunnels.all:
        yield from _echoes(asks, replies, stream)


def last_words(asks: Http2Part, replies: Http2Part) -> Iterator[tuple[int, int]]:
    """Yield where each side says its Close, and where it ends its direction, for every stream on which both do so."""
    for stream in asks.tunnels.all:
        sides = [_said(part, stream) for part in (asks, replies)]
        closes = [next((place for place, opcode, _ in said if opcode == CLOSE), -1) for said in sides]
        if -1 not in closes:
            yield closes[0], closes[1]
        ends = [_end(part, stream) for part in (asks, replies)]
        if -1 not in ends and ends != closes:
            yield ends[0], ends[1]


def _end(part: Http2Part, stream: int) -> int:
    found = [place for place, frame in enumerate(part.frames) if frame.stream == stream and frame.has(END_STREAM)]
    return found[0] if found else -1


def _echoes(asks: Http2Part, replies: Http2Part, stream: int) -> Iterator[tuple[Place, Place]]:
    """Pair the messages of the client with the same of the server, and its pings with their pongs, in order."""
    waiting: dict[tuple[int, bytes], deque[int]] = {}
    for place, opcode, content in _said(asks, stream):
        waiting.setdefault((PONG if opcode == PING_FRAME else opcode, content), deque()).append(place)
    for place, opcode, content in _said(replies, stream):
        if opcode != CLOSE and waiting.get((opcode, content)):
            yield (asks.direction, waiting[opcode, content].popleft()), (replies.direction, place)


def _said(part: Http2Part, stream: int) -> Iterator[tuple[int, int, bytes]]:
    """Yield the WebSocket frames of a stream: the place of the DATA in which each ends, opcode and content."""
    for place, carried in part.tunnels.carried(part.direction).items():
        if part.frames[place].stream == stream:
            for each in carried.ending(place):
                yield place, carried.part.frames[each].opcode, carried.part.content(each)


def says_goodbye(part: Http2Part, place: int) -> bool:
    """Tell whether a frame is a GOAWAY behind which its sender says nothing more."""
    return place == len(part.frames) - 1 and part.frames[place].type == GOAWAY


def _acks(one: Http2Part, other: Http2Part) -> Iterator[tuple[int, int]]:
    told = [place for place, frame in enumerate(one.frames) if frame.type == SETTINGS and not frame.flags & ACK]
    acks = [place for place, frame in enumerate(other.frames) if frame.type == SETTINGS and frame.flags & ACK]
    yield from zip(told, acks, strict=False)


def _pings(one: Http2Part, other: Http2Part) -> Iterator[tuple[int, int]]:
    waiting: dict[bytes, deque[int]] = {}
    for place, frame in enumerate(one.frames):
        if frame.type == PING and not frame.flags & ACK:
            waiting.setdefault(one.payload(place), deque()).append(place)
    for place, frame in enumerate(other.frames):
        if waiting and frame.type == PING and frame.flags & ACK:
            asked = waiting.get(other.payload(place))
            if asked:
                yield asked.popleft(), place


def _windows(one: Http2Part, other: Http2Part) -> Iterator[tuple[int, int]]:
    """Pair DATA with the WINDOW_UPDATE that gives back all of it since the last one; on a stream, and on all."""
    places: dict[int, list[int]] = {}
    for place, frame in enumerate(one.frames):
        if frame.type == DATA and frame.declared:
            places.setdefault(frame.stream, []).append(place)
            places.setdefault(0, []).append(place)
    sums = {stream: list(accumulate(one.frames[place].declared for place in found)) for stream, found in places.items()}
    back: dict[int, int] = {}
    for place, frame in enumerate(other.frames):
        if frame.type != WINDOW_UPDATE or frame.stream not in sums:
            continue
        given = back.get(frame.stream, 0) + (int.from_bytes(other.payload(place)[:4], "big") & 0x7FFFFFFF)
        at = bisect_left(sums[frame.stream], given)
        if at < len(sums[frame.stream]) and sums[frame.stream][at] == given:
            back[frame.stream] = given
            yield places[frame.stream][at], place


class _Asked:
    """Where the request of a stream stands: its head's first and last frame, its first DATA, its last frame."""

    def __init__(self, place: int) -> None:
        self.first = self.head = self.last = place
        self.data = -1
        self.ended = False


def _requests(asks: Http2Part, replies: Http2Part) -> Iterator[tuple[Place, Place]]:
    asked = _asked(asks)
    seen: set[int] = set()
    answered: set[int] = set()
    for place, frame in enumerate(replies.frames):
        request = asked.get(frame.stream)
        if request is None or frame.stream in answered:
            continue
        here = (replies.direction, place)
        if frame.stream not in seen:
            seen.add(frame.stream)
            yield (asks.direction, request.head), here
        if frame.type == HEADERS:
            interim = _status(replies, place).startswith("1")
            if interim and request.data >= 0 and _waits(asks, request):
                yield here, (asks.direction, request.data)
            if not interim:
                answered.add(frame.stream)
                if request.ended and not _tunnels(asks, request):
                    yield (asks.direction, request.last), here
    for stream, place in _promises(replies).items():
        if stream in asked:
            yield (replies.direction, place), (asks.direction, asked[stream].first)


def _promises(replies: Http2Part) -> dict[int, int]:
    """Return where each pushed stream was first promised."""
    found: dict[int, int] = {}
    for place, frame in enumerate(replies.frames):
        stream = promised(frame, replies.data) if frame.type == PUSH_PROMISE else None
        if stream is not None:
            found.setdefault(stream, place)
    return found


def _asked(asks: Http2Part) -> dict[int, _Asked]:
    """Return where the client's part of each stream stands: its own begin with HEADERS, promised ones with anything."""
    found: dict[int, _Asked] = {}
    for place, frame in enumerate(asks.frames):
        stream = frame.word & 0x7FFFFFFF
        request = found.get(stream)
        if not stream or (request is None and stream % 2 and frame.type != HEADERS):
            continue
        if request is None:
            request = found[stream] = _Asked(place)
        elif frame.type == CONTINUATION and request.data < 0:
            request.head = place
        if frame.type == DATA and request.data < 0:
            request.data = place
        if request.ended and frame.type != CONTINUATION:
            continue
        if frame.type in (DATA, HEADERS):
            request.last, request.ended = place, bool(frame.flags & END_STREAM)
        elif frame.type == CONTINUATION and frame.flags & END_HEADERS:
            request.last = place
    return found


def _status(part: Http2Part, place: int) -> str:
    block = part.blocks.get(place)
    return block.value(":status") if block else ""


def _waits(asks: Http2Part, request: _Asked) -> bool:
    block = asks.blocks.get(request.first)
    return block is not None and block.value("expect").lower() == "100-continue"


def _tunnels(asks: Http2Part, request: _Asked) -> bool:
    """Tell whether a request is a CONNECT, which is answered long before its end (RFC 9113, 8.5)."""
    block = asks.blocks.get(request.first)
    return block is not None and block.value(":method") == "CONNECT"
