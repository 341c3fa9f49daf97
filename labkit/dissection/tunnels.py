"""What an extended CONNECT opened on a stream of HTTP/2, and the WebSocket frames in its DATA (RFC 8441).

    DATA         DATA        DATA
    ┌─────────┐ ┌─────────┐ ┌───────┐
    │ frame │ f r a m e   │ │ frame │     joined, they are frames as they follow a 101
    └─────────┘ └─────────┘ └───────┘

A WebSocket frame may begin in one DATA and end in the next; its leaves are cut where the DATA are.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from labkit.dissection.deflate import deflate_of, others
from labkit.dissection.field_blocks import Fragment
from labkit.dissection.spans import Span
from labkit.dissection.websocket import FramesPart
from labkit.trace import Direction
from labkit.wire.fields import Fields
from labkit.wire.http2 import DATA, HEADERS
from labkit.wire.websocket import scan

if TYPE_CHECKING:
    from labkit.dissection.http2 import Http2Part

__all__ = ["Carried", "Tunnel", "Tunnels"]


class Tunnel(NamedTuple):
    """An extended CONNECT and what became of it; the status is 0 where no answer came."""

    stream: int
    protocol: str
    status: int = 0
    answer: Fields = Fields()

    @property
    def opened(self) -> bool:
        """Whether the stream belongs to the protocol from the answer on."""
        return self.status // 100 == 2


class Carried:
    """The WebSocket frames that one direction of a stream carries, by the places of its DATA.

    Args:
        part: the frames, in offsets of the joined DATA.
        fragments: where each DATA has its piece.
    """

    def __init__(self, part: FramesPart, fragments: tuple[Fragment, ...]) -> None:
        self.part = part
        self._at = {fragment.place: fragment for fragment in fragments}

    def spans(self, place: int) -> tuple[Span, ...]:
        """Return the frames in one DATA, or the pieces of them; their leaves, joined, are its bytes."""
        _, start, stop, at = self._at[place]
        end = at + stop - start
        return tuple(_clipped(self.part.frame_span(each), at, end, start) for each in self._between(at, end))

    def ending(self, place: int) -> list[int]:
        """Return the places of the frames that end in one DATA, those that are cut short too."""
        _, start, stop, at = self._at[place]
        end = at + stop - start
        return [each for each in self._between(at, end) if self.part.frames[each].end <= end]

    def _between(self, start: int, end: int) -> Iterator[int]:
        frames = self.part.frames
        first = bisect_right(frames, start, key=lambda frame: frame.end)
        for each in range(first, len(frames)):
            if frames[each].start >= end:
                return
            yield each


def _clipped(span: Span, start: int, end: int, to: int) -> Span:
    """Return what of a span lies between two offsets of the joined DATA, in offsets of the direction."""
    first, last = max(span.start, start), min(span.end, end)
    label = span.label if first == span.start else f"{span.label}, continued"
    fault = span.fault if last == span.end else ""
    parts = tuple(_clipped(part, start, end, to) for part in span.parts if part.start < end and part.end > start)
    return Span(to + first - start, to + last - start, label, span.meaning, span.clause, fault, span.bits, parts)


class Tunnels:
    """The extended CONNECTs of one connection; looked for when they are first asked for.

    Args:
        parts: the HTTP/2 of each direction.
    """

    def __init__(self, parts: dict[Direction, Http2Part]) -> None:
        self._parts = parts
        self._carried: dict[Direction, dict[int, Carried]] = {}

    @cached_property
    def all(self) -> dict[int, Tunnel]:
        """Every extended CONNECT, by its stream."""
        found: dict[int, Tunnel] = {}
        for stream, lines in _heads(self._parts.get(Direction.TO_SERVER)):
            if lines.get(":method") == "CONNECT" and (protocol := lines.get(":protocol")):
                found.setdefault(stream, Tunnel(stream, protocol))
        for stream, lines in _heads(self._parts.get(Direction.TO_CLIENT)):
            status = lines.get(":status") or ""
            final = status.isascii() and status.isdecimal() and status[0] != "1"
            if final and stream in found and not found[stream].status:
                found[stream] = found[stream]._replace(status=int(status[:3]), answer=lines)
        return found

    def carried(self, direction: Direction) -> dict[int, Carried]:
        """Return the WebSocket frames in the DATA of a direction, by the place of each DATA that has any of them."""
        if direction not in self._carried:
            self._carried[direction] = dict(self._found(direction))
        return self._carried[direction]

    def _found(self, direction: Direction) -> Iterator[tuple[int, Carried]]:
        part = self._parts.get(direction)
        opened = {t.stream: t for t in self.all.values() if t.opened and t.protocol.lower() == "websocket"}
        if part is None or not opened:
            return
        pieces: dict[int, list[tuple[int, int, int]]] = {}
        for place, frame in enumerate(part.frames):
            if frame.type == DATA and frame.stream in opened:
                start, end = part.body_at(place)
                if end > start:
                    pieces.setdefault(frame.stream, []).append((place, start, end))
        for stream, found in pieces.items():
            carried = _joined(part, direction, opened[stream].answer, found)
            yield from ((place, carried) for place, _, _ in found)


def _joined(part: Http2Part, direction: Direction, answer: Fields, found: list[tuple[int, int, int]]) -> Carried:
    fragments, at = [], 0
    for place, start, end in found:
        fragments.append(Fragment(place, start, end, at))
        at += end - start
    data = b"".join([part.data[start:end] for _, start, end in found])
    frames = FramesPart(data, 0, at, scan(data), direction, deflate_of(answer, direction), others(answer))
    return Carried(frames, tuple(fragments))


def _heads(part: Http2Part | None) -> Iterator[tuple[int, Fields]]:
    """Yield the heads of a direction: their streams, and what they say."""
    if part is not None:
        for place, block in part.blocks.items():
            frame = part.frames[place]
            if frame.type == HEADERS:
                yield frame.stream, Fields.of(block.fields)
