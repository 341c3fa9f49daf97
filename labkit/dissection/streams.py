"""What is wrong with HTTP/2 frames, each by itself and in a row, and which of them carry a field block."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from labkit.dissection.field_blocks import FieldBlock, Fragment, field_faults
from labkit.wire.hpack import TABLE_SIZE, Decoder
from labkit.wire.http2 import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    FRAME_TYPES,
    GOAWAY,
    HEADERS,
    LARGEST,
    PADDED,
    PREFACE_TYPE,
    PRIORITY_FLAG,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    SETTINGS_TABLE,
    WINDOW_UPDATE,
    Http2Frame,
    pairs,
)

__all__ = [
    "Allowed", "Http2Fault", "Http2Walk", "Layout", "allowed", "bad_value", "layout", "promised", "walk_streams",
]  # fmt: skip


class Http2Fault(StrEnum):
    """What can be wrong with a frame of HTTP/2, or with what it carries; each sentence names its clause."""

    PREFACE = "a client begins HTTP/2 with the 24 bytes of the preface (RFC 9113, 3.4)"
    FIRST = "the first frame of each side is SETTINGS (RFC 9113, 3.4)"
    RESERVED_BIT = "the reserved bit is not to be set (RFC 9113, 4.1)"
    UNUSED_FLAG = "a flag is set that frames of this type do not have (RFC 9113, 4.1)"
    TOO_LARGE = "more than 16,384 bytes of payload, and no SETTINGS of the other side allows it (RFC 9113, 4.2)"
    NO_STREAM = "a frame of this type belongs to a stream, and stream 0 is the connection (RFC 9113, 6)"
    ON_STREAM = "a frame of this type speaks of the connection, so its stream is 0 (RFC 9113, 6)"
    SIZE = "a payload of this type has another size (RFC 9113, 4.2)"
    ACK_WITH_PAYLOAD = "an ack of SETTINGS is empty (RFC 9113, 6.5)"
    VALUE = "the setting cannot have this value (RFC 9113, 6.5.2)"
    PADDING = "the padding is longer than what is left of the payload (RFC 9113, 6.1)"
    PADDING_BYTES = "padding is made of zeros (RFC 9113, 6.1)"
    NO_INCREMENT = "a WINDOW_UPDATE grants 1 byte at least (RFC 9113, 6.9)"
    NOT_ODD = "the streams that a client opens have odd numbers (RFC 9113, 5.1.1)"
    NOT_EVEN = "the streams that a server opens have even numbers (RFC 9113, 5.1.1)"
    NOT_RISING = "a new stream has a higher number than all before it (RFC 9113, 5.1.1)"
    CLIENT_PUSH = "a client cannot push (RFC 9113, 8.4)"
    NO_HEAD = "DATA, and no HEADERS before it on this stream (RFC 9113, 8.1)"
    AFTER_END = "a frame on a stream that its sender had ended (RFC 9113, 5.1)"
    NO_BLOCK = "a CONTINUATION, and no field block to continue (RFC 9113, 6.10)"
    INTERRUPTED = "another frame in the middle of a field block (RFC 9113, 4.3)"
    BLOCK = "the field block cannot be decoded (RFC 9113, 4.3)"
    FIELD = "a field line that HTTP/2 forbids (RFC 9113, 8.2)"
    SHORT_HEADER = "the bytes end before the frame's header does (RFC 9113, 4.1)"
    SHORT_PAYLOAD = "the bytes end before the payload does (RFC 9113, 4.1)"
    SHORT_PREFACE = "the bytes end before the preface does (RFC 9113, 3.4)"


class Allowed(NamedTuple):
    """What the SETTINGS of the other side allow at the most, at any time: frames and tables of so many bytes."""

    frame: int = LARGEST
    table: int = TABLE_SIZE


def allowed(data: bytes, frames: list[Http2Frame], before: bytes = b"") -> Allowed:
    """Return what one side's SETTINGS allow the other.

    When which setting held hangs on how the two directions crossed; so the largest one counts.

    Args:
        data: the bytes of that side.
        frames: its frames.
        before: what it said in HTTP2-Settings, decoded.
    """
    told = pairs(before)
    for frame in frames:
        if frame.type == SETTINGS and not frame.flags & ACK:
            told += pairs(frame.payload_of(data))
    row = SETTINGS_TABLE[5]
    sizes = [value for name, value in told if name == 5 and row.least <= value <= row.most]
    tables = [value for name, value in told if name == 1]
    return Allowed(max((LARGEST, *sizes)), max((TABLE_SIZE, *tables)))


_LAID_OUT = PADDED | PRIORITY_FLAG


class Layout(NamedTuple):
    """Where in a payload the padding, the priority, the promised stream and the rest stand, as offsets."""

    priority: int
    promised: int
    body: int
    padding: int
    pad: int


def layout(frame: Http2Frame, data: bytes) -> Layout:
    """Return where the pieces of a padded payload stand; what is cut short is empty (RFC 9113, 6.1, 6.2, 6.6)."""
    at, end = frame.payload, max(frame.payload, frame.end)
    if not frame.flags & _LAID_OUT and frame.type != PUSH_PROMISE:  # by far the most frequent case
        return Layout(at, at, at, end, 0)
    padded = frame.has(PADDED) and at < end
    pad = data[at] if padded else 0
    priority = min(at + padded, end)
    promised = min(priority + 5 * frame.has(PRIORITY_FLAG), end)
    body = min(promised + 4 * (frame.type == PUSH_PROMISE), end)
    padding = max(body, min(frame.payload + frame.declared - pad, end))
    return Layout(priority, promised, body, padding, pad)


def promised(frame: Http2Frame, data: bytes) -> int | None:
    """Return the stream that a PUSH_PROMISE promises; None where its number is cut short (RFC 9113, 6.6)."""
    found = layout(frame, data)
    if found.body - found.promised < 4:
        return None
    return int.from_bytes(data[found.promised : found.body], "big") & 0x7FFFFFFF


class Http2Walk(NamedTuple):
    """What one pass over the frames finds: faults by place, and the field block of each frame that carries one."""

    faults: dict[int, tuple[Http2Fault, ...]]
    blocks: dict[int, FieldBlock]


def walk_streams(
    data: bytes, frames: list[Http2Frame], *, to_server: bool, upgraded: bool, allow: Allowed
) -> Http2Walk:
    """Go over the frames of one direction, in order.

    Args:
        data: the direction's bytes.
        frames: its frames; the first record may be the preface.
        to_server: whether they go to the server.
        upgraded: whether a 101 came before: then stream 1 is open, and the client's side of it has ended.
        allow: what the other side's SETTINGS allow.
    """
    walk = _Walk(data, frames, allow, to_server=to_server, upgraded=upgraded)
    first = bool(frames) and frames[0].type == PREFACE_TYPE
    if to_server and frames and not first:
        walk.note(0, Http2Fault.PREFACE)
    for place, frame in enumerate(frames):
        if frame.type != PREFACE_TYPE:
            walk.step(place, frame, begins=place == first)
    last = len(frames) - 1
    if frames and not frames[last].whole:
        head = Http2Fault.SHORT_PREFACE if frames[last].type == PREFACE_TYPE else Http2Fault.SHORT_PAYLOAD
        walk.note(last, Http2Fault.SHORT_HEADER if frames[last].payload > frames[last].end else head)
    walk.decode()
    return Http2Walk({place: tuple(found) for place, found in sorted(walk.faults.items())}, walk.blocks)


class _Walk:
    """What is known of a direction, frame by frame."""

    def __init__(
        self, data: bytes, frames: list[Http2Frame], allow: Allowed, *, to_server: bool, upgraded: bool
    ) -> None:
        self.faults: dict[int, list[Http2Fault]] = {}
        self.blocks: dict[int, FieldBlock] = {}
        self._data, self._frames, self._allow, self._to_server = data, frames, allow, to_server
        self._decoder = Decoder(allow.table)
        self._open: list[Fragment] = []  # of a field block that has not ended
        self._headed: set[int] = set()  # streams on which this side sent HEADERS
        self._ended = {1} if upgraded and to_server else set[int]()
        self._highest = 1 if upgraded and to_server else 0

    def note(self, place: int, *faults: Http2Fault) -> None:
        """Note what is wrong with a frame."""
        if faults:
            self.faults.setdefault(place, []).extend(faults)

    def step(self, place: int, frame: Http2Frame, *, begins: bool) -> None:
        """Take the next frame; one whose header is cut short says too little to be judged."""
        if frame.payload > frame.end:
            return
        if begins and (frame.type != SETTINGS or frame.flags & ACK):
            self.note(place, Http2Fault.FIRST)
        self.note(place, *self._header(frame))
        check = _PAYLOADS.get(frame.type)
        if check and frame.whole:
            self.note(place, *check(self._data, frame, to_server=self._to_server))
        if self._open and not (frame.type == CONTINUATION and frame.stream == self._stream):
            self.note(place, Http2Fault.INTERRUPTED)
            self.decode()
        if frame.type in _ON_STREAMS:
            self._on_stream(place, frame)

    @property
    def _stream(self) -> int:
        return self._frames[self._open[0].place].stream

    def _header(self, frame: Http2Frame) -> Iterator[Http2Fault]:
        if frame.word >= 1 << 31:
            yield Http2Fault.RESERVED_BIT
        if frame.declared > self._allow.frame:
            yield Http2Fault.TOO_LARGE
        row = FRAME_TYPES.get(frame.type)
        if not row:
            return
        if frame.flags and frame.flags & ~_MASKS[frame.type]:
            yield Http2Fault.UNUSED_FLAG
        if row.scope == "stream" and not frame.stream:
            yield Http2Fault.NO_STREAM
        elif row.scope == "connection" and frame.stream:
            yield Http2Fault.ON_STREAM
        if row.size is not None and frame.declared != row.size:
            yield Http2Fault.SIZE

    def _on_stream(self, place: int, frame: Http2Frame) -> None:
        kind, stream = frame.type, frame.stream
        if kind == CONTINUATION:
            if not self._open:
                self.note(place, Http2Fault.NO_BLOCK)
                return
        elif kind == RST_STREAM:
            self._ended.add(stream)
            return
        elif kind == PUSH_PROMISE:
            self._promise(place, frame)
        else:
            if stream in self._ended:
                self.note(place, Http2Fault.AFTER_END)
            elif kind == HEADERS:
                self._opens(place, stream)
            elif stream and stream not in self._headed:
                self.note(place, Http2Fault.NO_HEAD)
            if frame.flags & END_STREAM:
                self._ended.add(stream)
            if kind == DATA:
                return
        self._gather(place, frame)

    def _opens(self, place: int, stream: int) -> None:
        if stream in self._headed or not stream:
            return
        self._headed.add(stream)
        if not self._to_server:
            return
        if stream % 2 == 0:
            self.note(place, Http2Fault.NOT_ODD)
        elif stream <= self._highest:
            self.note(place, Http2Fault.NOT_RISING)
        self._highest = max(self._highest, stream)

    def _promise(self, place: int, frame: Http2Frame) -> None:
        if self._to_server:
            self.note(place, Http2Fault.CLIENT_PUSH)
            return
        stream = promised(frame, self._data)
        if stream is None:
            return
        if stream % 2 or not stream:
            self.note(place, Http2Fault.NOT_EVEN)
        elif stream <= self._highest:
            self.note(place, Http2Fault.NOT_RISING)
        self._highest = max(self._highest, stream)

    def _gather(self, place: int, frame: Http2Frame) -> None:
        start, end = frame.payload, frame.end
        if frame.type != CONTINUATION:
            found = layout(frame, self._data)
            start, end = found.body, found.padding
        before = self._open[-1] if self._open else Fragment(0, 0, 0)
        self._open.append(Fragment(place, start, end, before.at + before.end - before.start))
        if frame.flags & END_HEADERS:
            self.decode()

    def decode(self) -> None:
        """Decode the field block that has been gathered, if any; of one that never ended, what there is."""
        if not self._open:
            return
        fragments, self._open = tuple(self._open), []
        data = b"".join([self._data[start:end] for _, start, end, _ in fragments])
        block = self._decoder.block(data)
        faults = field_faults(block.lines) if block.lines else {}
        found = FieldBlock(fragments, data, block, faults)
        for fragment in fragments:
            self.blocks[fragment.place] = found
        if block.fault:
            self.note(found.holder(len(data) - 1), Http2Fault.BLOCK)
        if faults:
            for place in sorted({found.holder(block.lines[number].end - 1) for number in faults}):
                self.note(place, Http2Fault.FIELD)


_ON_STREAMS = frozenset({DATA, HEADERS, RST_STREAM, PUSH_PROMISE, CONTINUATION})
_MASKS = {kind: sum(row.flags) for kind, row in FRAME_TYPES.items()}


def _padding(data: bytes, frame: Http2Frame, *, to_server: bool) -> Iterator[Http2Fault]:  # noqa: ARG001  one shape for all
    if not frame.flags & _LAID_OUT and frame.type != PUSH_PROMISE:
        return
    needs = frame.has(PADDED) + 5 * frame.has(PRIORITY_FLAG) + 4 * (frame.type == PUSH_PROMISE)
    if frame.declared < needs:
        yield Http2Fault.SIZE
    if not frame.has(PADDED) or not frame.declared:
        return
    found = layout(frame, data)
    if found.pad > frame.payload + frame.declared - found.body:
        yield Http2Fault.PADDING
    elif any(data[found.padding : frame.end]):
        yield Http2Fault.PADDING_BYTES


def _settings(data: bytes, frame: Http2Frame, *, to_server: bool) -> Iterator[Http2Fault]:
    if frame.flags & ACK:
        if frame.declared:
            yield Http2Fault.ACK_WITH_PAYLOAD
        return
    if frame.declared % 6:
        yield Http2Fault.SIZE
    if any(bad_value(name, value, to_server=to_server) for name, value in pairs(frame.payload_of(data))):
        yield Http2Fault.VALUE


def bad_value(name: int, value: int, *, to_server: bool) -> bool:
    """Tell whether a setting cannot have a value; a server cannot say ENABLE_PUSH 1 (RFC 9113, 6.5.2)."""
    row = SETTINGS_TABLE.get(name)
    if row is None:
        return False
    return not row.least <= value <= (0 if name == 2 and not to_server else row.most)


def _goaway(data: bytes, frame: Http2Frame, *, to_server: bool) -> Iterator[Http2Fault]:  # noqa: ARG001  one shape for all
    if frame.declared < 8:
        yield Http2Fault.SIZE


def _increment(data: bytes, frame: Http2Frame, *, to_server: bool) -> Iterator[Http2Fault]:  # noqa: ARG001  one shape for all
    if frame.declared == 4 and not int.from_bytes(frame.payload_of(data), "big") & 0x7FFFFFFF:
        yield Http2Fault.NO_INCREMENT


_PAYLOADS = {
    DATA: _padding, HEADERS: _padding, PUSH_PROMISE: _padding, SETTINGS: _settings, GOAWAY: _goaway,
    WINDOW_UPDATE: _increment,
}  # fmt: skip
