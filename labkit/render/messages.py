"""The messages of one direction of a hop, in the order of its bytes: heads, content, frames, other bytes."""

from __future__ import annotations

import re
from enum import StrEnum
from itertools import accumulate, pairwise
from typing import NamedTuple

from labkit.dissection import Framed, FramesPart, HopView, Http2Part, OpaquePart, Part
from labkit.render.streams import says_goodbye
from labkit.trace import Direction
from labkit.wire.websocket import CLOSE, CONTINUATION

__all__ = ["Kind", "Message", "Unit", "messages", "units"]


class Kind(StrEnum):
    """What a message is."""

    REQUEST = "request"
    INTERIM = "interim answer"
    ANSWER = "answer"
    CONTENT = "content"
    FRAME = "frame"
    BYTES = "bytes"


class Message(NamedTuple):
    """One thing to draw: a part of a direction, one frame of it, or one line of it.

    `place` is a frame's place in its part; `start` and `end` are offsets in the direction's bytes;
    `exchange` is the place of its exchange on the hop, -1 where it belongs to none. `copies` is what a
    tunnel made of it on the further hops, from the sender on.
    """

    hop: int
    direction: Direction
    kind: Kind
    part: Part
    start: int
    end: int
    place: int = -1
    exchange: int = -1
    copies: tuple[Message, ...] = ()

    @property
    def everywhere(self) -> tuple[Message, ...]:
        """The message on every hop that it crossed, from the sender on."""
        return (self, *self.copies)

    @property
    def hops(self) -> tuple[int, ...]:
        """The hops that it crossed, from the client's end."""
        if not self.copies:
            return (self.hop,)
        hops = tuple(each.hop for each in self.everywhere)
        return hops if self.direction is Direction.TO_SERVER else hops[::-1]


class Unit(NamedTuple):
    """What can be cause or effect after the seam: a whole message of one or more frames, or other bytes.

    `first` and `last` are the ids of its first and last piece; `closing` says that it ends what its sender
    has to say: a Close, or a GOAWAY behind which nothing stands.
    """

    first: int
    last: int
    opcode: int
    content: bytes
    closing: bool = False


def messages(view: HopView, way: Direction) -> list[Message]:
    """Return the messages of a direction; joined, they are its bytes."""
    roles = _roles(view, way)
    hop, seam = view.hop, view.seam.get(way)
    found: list[Message] = []
    for part in view.parts[way]:
        kind, exchange = roles.get(part.start, (Kind.BYTES, -1))
        if isinstance(part, Framed):
            for place in range(len(part.frames)):
                frame = part.frames[place]
                found.append(Message(hop, way, Kind.FRAME, part, frame.start, frame.end, place))
        elif isinstance(part, OpaquePart) and part.start == seam and not part.fault and not part.inside:
            cuts = _lines(view.data[way], part)
            found += [Message(hop, way, Kind.BYTES, part, start, end) for start, end in cuts]
        else:
            found.append(Message(hop, way, kind, part, part.start, part.end, -1, exchange))
    return found


def _roles(view: HopView, way: Direction) -> dict[int, tuple[Kind, int]]:
    """Say of each head and content of a direction, by its offset, what it is and of which exchange."""
    roles: dict[int, tuple[Kind, int]] = {}
    for number, exchange in enumerate(view.exchanges):
        parts: list[tuple[Kind, Part | None]]
        if way is Direction.TO_SERVER:
            parts = [(Kind.CONTENT, exchange.content), (Kind.REQUEST, exchange.request)]
        else:
            parts = [(Kind.CONTENT, exchange.answer_content), (Kind.ANSWER, exchange.answer),
                     (Kind.BYTES, exchange.garbage), *((Kind.INTERIM, part) for part in exchange.interim)]  # fmt: skip
        for kind, part in parts:
            if part and part.end > part.start:
                roles[part.start] = (kind, number)
    return roles


_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def _lines(data: bytes, part: OpaquePart) -> list[tuple[int, int]]:
    """Cut the bytes of another protocol into lines where they are text; else leave them whole."""
    body = data[part.start : part.end]
    try:
        text = not _CONTROL.search(body) and bool(body.decode())
    except UnicodeDecodeError:
        text = False
    if not text:
        return [(part.start, part.end)]
    sizes = (len(line) + 1 for line in body.split(b"\n"))
    stops = accumulate(sizes, initial=part.start)
    return [(start, min(end, part.end)) for start, end in pairwise(stops) if start < part.end]


def units(view: HopView, way: Direction, found: list[Message], base: int) -> list[Unit]:
    """Return what crossed after the seam as whole messages; `base` is the id of `found`'s first.

    HTTP/2 needs no seam: it may be spoken from the first byte.
    """
    http2 = view.http2(way)
    seam = http2.start if http2 else view.seam.get(way)
    if seam is None:
        return []
    for place, message in enumerate(found):
        if message.start < seam:
            continue
        if isinstance(message.part, FramesPart):
            return _frame_units(message.part, base + place)
        if isinstance(message.part, Http2Part):
            return _http2_units(message.part, base + place)
        data = view.data[way]
        rest = enumerate(found[place:], base + place)
        return [Unit(each, each, -1, data[piece.start : piece.end]) for each, piece in rest]
    return []


def _frame_units(part: FramesPart, base: int) -> list[Unit]:
    whole = part.messages
    fragments = {place for places in whole.values() for place in places}
    inflated = part.inflated
    found: list[Unit] = []
    for place, frame in enumerate(part.frames):
        opcode, first = frame.opcode, place
        if place in fragments and opcode < CLOSE:
            if place not in whole:
                continue  # it is drawn alone, and linked with its message
            first = whole[place][0]
            opcode = part.frames[first].opcode
        content = inflated.get(place)
        if not isinstance(content, bytes):
            content = frame.payload_of(part.data)
            if first != place:
                content = b"".join(part.payload(each) for each in whole[place])
        kind = opcode if opcode != CONTINUATION else -1
        found.append(Unit(base + first, base + place, kind, content, opcode == CLOSE))
    return found


def _http2_units(part: Http2Part, base: int) -> list[Unit]:
    """Return every frame as a unit of its own: their bytes tell a frame's copy on another hop, and nothing else."""
    data = part.data
    return [
        Unit(base + place, base + place, -1, data[frame.start : frame.end], says_goodbye(part, place))
        for place, frame in enumerate(part.frames)
    ]
