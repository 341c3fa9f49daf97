"""Spans and faults of HTTP/2 frames, and what they say in a few words.

The preface and the frames of a direction are one part; each is a light record until its leaves are
asked for. A field block is decoded with all that came before it in its direction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from labkit.dissection.field_blocks import FieldBlock
from labkit.dissection.http2_leaves import UNKNOWN, header_leaves, payload_leaves, preface_leaves, told_error
from labkit.dissection.spans import Span
from labkit.dissection.streams import Allowed, Http2Fault, Http2Walk, allowed, layout, promised, walk_streams
from labkit.dissection.tunnels import Carried, Tunnels
from labkit.trace import Direction
from labkit.wire.http2 import (
    ACK,
    DATA,
    END_HEADERS,
    END_STREAM,
    FRAME_TYPES,
    GOAWAY,
    HEADER,
    HEADERS,
    PING,
    PREFACE,
    PREFACE_TYPE,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    Http2Frame,
    pairs,
    scan,
)
from labkit.wire.upgrade import TOKENS

__all__ = ["Http2Part", "begins_http2", "http2_parts"]

_MOST_FIRST = 1 << 20  # bytes of payload that a first frame may state to be taken for one


def _begins_preface(data: bytes, start: int) -> bool:
    """Tell whether the preface stands at `start`, or as much of it as there are bytes."""
    rest = data[start : start + len(PREFACE)]
    return bool(rest) and PREFACE.startswith(rest)


def begins_http2(data: bytes, start: int, *, preface: bool) -> bool:
    """Tell whether what stands at `start` can be HTTP/2: the preface where one is due, or a likely frame.

    >>> begins_http2(b"hello, world", 0, preface=False)
    False
    """
    rest = data[start : start + len(PREFACE)]
    if preface and _begins_preface(data, start):
        return True
    if len(rest) < HEADER:  # too little for a header: letters are none
        return not rest[:3].isalnum()
    first = scan(rest)[0]
    return first.type in FRAME_TYPES and first.declared <= _MOST_FIRST


@dataclass(frozen=True)
class Http2Part:
    """The preface and all HTTP/2 frames of one direction.

    Args:
        data: the direction's bytes.
        start: offset of the first byte of HTTP/2.
        end: offset after the last byte.
        frames: the frames, in order; the first record may be the preface.
        direction: which way they go.
        allow: what the SETTINGS of the other side allow.
        upgraded: whether a 101 came before; then stream 1 carries the answer to the request before it.
        tunnels: what extended CONNECTs opened on this connection.
    """

    data: bytes = field(repr=False)
    start: int
    end: int
    frames: list[Http2Frame] = field(repr=False)
    direction: Direction
    allow: Allowed = field(default_factory=Allowed)
    upgraded: bool = False
    tunnels: Tunnels = field(default_factory=lambda: Tunnels({}), repr=False, compare=False)

    @cached_property
    def _walk(self) -> Http2Walk:
        to_server = self.direction is Direction.TO_SERVER
        return walk_streams(self.data, self.frames, to_server=to_server, upgraded=self.upgraded, allow=self.allow)

    @property
    def faults(self) -> dict[int, tuple[Http2Fault, ...]]:
        """All that is wrong with which frame, by its place."""
        return self._walk.faults

    @property
    def blocks(self) -> dict[int, FieldBlock]:
        """The field block of every frame that carries one or a piece of one, by its place."""
        return self._walk.blocks

    @property
    def count(self) -> int:
        """How many frames there are; the preface is none."""
        return len(self.frames) - (bool(self.frames) and self.frames[0].type == PREFACE_TYPE)

    def payload(self, place: int) -> bytes:
        """Return a frame's payload, padding and all."""
        return self.frames[place].payload_of(self.data)

    def body(self, place: int) -> bytes:
        """Return the payload of a DATA frame without its padding; of another frame the whole payload."""
        frame = self.frames[place]
        if frame.type != DATA:
            return self.payload(place)
        start, end = self.body_at(place)
        return self.data[start:end]

    def body_at(self, place: int) -> tuple[int, int]:
        """Return where the payload of a DATA frame stands, without its padding."""
        found = layout(self.frames[place], self.data)
        return found.body, found.padding

    def carried(self, place: int) -> Carried | None:
        """Return the WebSocket frames that a DATA frame carries, or a piece of; None where it is another content."""
        return self.tunnels.carried(self.direction).get(place)

    def name(self, place: int) -> str:
        """Return a frame in a few words: "SETTINGS ack", "DATA stream 1, 28 bytes, end of stream"."""
        frame = self.frames[place]
        if frame.type == PREFACE_TYPE:
            return "HTTP/2 preface"
        if frame.payload > frame.end:
            return "start of a frame"
        on = f" stream {frame.stream}" if frame.stream else ""
        words = [f"{frame.name}{on}{self._told(place)}"]
        if frame.type not in FRAME_TYPES or frame.type == DATA:
            size = len(self.body(place))
            words.append(f"{size:,} byte{'' if size == 1 else 's'}")
        if frame.has(END_HEADERS):
            words.append("end of head")
        if frame.type in (DATA, HEADERS) and frame.has(END_STREAM):
            words.append("end of stream")
        return ", ".join(words)

    def _told(self, place: int) -> str:
        """Return what a frame of a fixed layout says, to stand behind its name; "" for others."""
        frame, payload = self.frames[place], self.payload(place)
        if frame.type in (SETTINGS, PING) and frame.has(ACK):
            return " ack"
        least, told = _TOLD.get(frame.type, (0, None))
        return f" {told(self.data, frame, payload)}" if told and len(payload) >= least else ""

    def span(self) -> Span:
        """Return the preface and all frames as one tree."""
        parts = tuple(self.frame_span(place) for place in range(len(self.frames)))
        return Span(self.start, self.end, "HTTP/2", *self._began, parts=parts)

    @property
    def _began(self) -> tuple[str, str]:
        """Return how HTTP/2 came to be spoken here, and the clause."""
        if self.upgraded:
            return "HTTP/2 after an upgrade from HTTP/1.1; nobody should do so any more", TOKENS["h2c"].source
        return "HTTP/2 from the first byte: no 101 and no Upgrade exist in it", "RFC 9113, 3.3, 8.6"

    def frame_span(self, place: int) -> Span:
        """Return one frame with its leaves: length, type, flags, stream, and what its type has in its payload."""
        frame = self.frames[place]
        row = FRAME_TYPES.get(frame.type, UNKNOWN)
        fault = "; ".join(self._sentence(place, each) for each in self.faults.get(place, ()) if each not in _ON_LEAVES)
        if frame.type == PREFACE_TYPE:
            leaves = preface_leaves(frame, *self._began)
            return Span(frame.start, frame.end, self.name(place), *self._began, fault, parts=leaves)
        to_server = self.direction is Direction.TO_SERVER
        payload = payload_leaves(self.data, frame, place, self.blocks.get(place), to_server=to_server)
        if frame.type == DATA and (carried := self.carried(place)):
            start, end = self.body_at(place)
            inside = Span(start, end, "data", "WebSocket frames", "RFC 8441, 5", parts=carried.spans(place))
            payload = [inside if (span.start, span.end) == (start, end) else span for span in payload]
        leaves = (*header_leaves(frame), *payload)
        return Span(frame.start, frame.end, f"frame: {self.name(place)}", row.meaning, row.clause, fault, parts=leaves)

    def _sentence(self, place: int, fault: Http2Fault) -> str:
        """Return a fault's sentence; where it helps, with the numbers and the clause of this frame."""
        frame = self.frames[place]
        row = FRAME_TYPES.get(frame.type, UNKNOWN)
        if fault is Http2Fault.SHORT_PAYLOAD:
            came = frame.end - frame.payload
            return f"the header says {frame.declared:,} bytes of payload, {came:,} came (RFC 9113, 4.1)"
        if fault is Http2Fault.NO_STREAM:
            return f"{row.name} belongs to a stream, and stream 0 is the connection ({row.clause})"
        if fault is Http2Fault.ON_STREAM:
            return f"{row.name} speaks of the connection, so its stream is 0 ({row.clause})"
        if fault is Http2Fault.SIZE:
            return f"{row.name} cannot carry {frame.declared:,} byte{'' if frame.declared == 1 else 's'} ({row.clause})"
        return str(fault)


def _settings_told(_: bytes, __: Http2Frame, payload: bytes) -> str:
    count = len(pairs(payload))
    return f"{count} setting{'' if count == 1 else 's'}"


def _promise_told(data: bytes, frame: Http2Frame, _: bytes) -> str:
    stream = promised(frame, data)
    return "cut short" if stream is None else f"promises stream {stream}"


_TOLD: dict[int, tuple[int, Callable[[bytes, Http2Frame, bytes], str]]] = {
    SETTINGS: (0, _settings_told),
    RST_STREAM: (4, lambda _, __, payload: told_error(int.from_bytes(payload[:4], "big"))[0]),
    GOAWAY: (8, lambda _, __, payload: told_error(int.from_bytes(payload[4:8], "big"))[0]),
    WINDOW_UPDATE: (4, lambda _, __, payload: f"+{int.from_bytes(payload[:4], 'big') & 0x7FFFFFFF:,} bytes"),
    PUSH_PROMISE: (4, _promise_told),
}
"""What stands behind the name of a frame: how many bytes of payload that takes, and the words."""

_ON_LEAVES = {Http2Fault.BLOCK, Http2Fault.FIELD, Http2Fault.VALUE}
"""What the leaves of a payload tell, and tell better."""


def http2_parts(
    to_server: tuple[bytes, int], to_client: tuple[bytes, int], before: bytes = b"", *, upgraded: bool
) -> dict[Direction, Http2Part | None]:
    """Return the HTTP/2 of both directions; None for one whose bytes are none.

    Args:
        to_server: the bytes to the server, and where HTTP/2 begins in them.
        to_client: the bytes to the client, likewise.
        before: what the client said in HTTP2-Settings, decoded (RFC 7540, 3.2.1).
        upgraded: whether a 101 came before.
    """
    sides = {Direction.TO_SERVER: to_server, Direction.TO_CLIENT: to_client}
    frames: dict[Direction, list[Http2Frame]] = {}
    for way, (data, at) in sides.items():
        due = way is Direction.TO_SERVER
        if begins_http2(data, at, preface=due):
            frames[way] = scan(data, at, preface=due and _begins_preface(data, at))
    parts: dict[Direction, Http2Part | None] = dict.fromkeys(Direction)
    known: dict[Direction, Http2Part] = {}
    tunnels = Tunnels(known)
    for way, found in frames.items():
        data, at = sides[way]
        told = before if way is Direction.TO_CLIENT else b""
        allow = allowed(sides[way.other][0], frames.get(way.other, []), told)
        parts[way] = known[way] = Http2Part(data, at, len(data), found, way, allow, upgraded, tunnels)
    return parts
