"""The leaves of HTTP/2 frames: header, flags and payload, field by field, with the clause beside each."""

from __future__ import annotations

from collections.abc import Callable

from labkit.dissection.field_blocks import FieldBlock
from labkit.dissection.spans import Bits, Span
from labkit.dissection.streams import Http2Fault, bad_value, layout
from labkit.dissection.websocket import shown
from labkit.wire.http2 import (
    CONTINUATION,
    DATA,
    ERROR_CODES,
    FRAME_TYPES,
    GOAWAY,
    HEADERS,
    PING,
    PRIORITY,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    SETTINGS_TABLE,
    WINDOW_UPDATE,
    FrameType,
    Http2Frame,
    pairs,
)

__all__ = ["UNKNOWN", "header_leaves", "payload_leaves", "preface_leaves", "told_error", "told_setting"]

UNKNOWN = FrameType("unknown", "a receiver ignores frames of types that it does not know", "RFC 9113, 5.5")
"""What stands in for a type that no table has."""

_HEADER_CLAUSE = "RFC 9113, 4.1"
_ERROR_CODE = "error code"
_Read = Callable[[int], str]


def preface_leaves(frame: Http2Frame, meaning: str, clause: str) -> tuple[Span, ...]:
    """Return the leaves of the preface, as far as it is there; the first says how HTTP/2 came to be spoken."""
    middle, end = min(frame.start + 18, frame.end), frame.end
    first = Span(frame.start, middle, "preface", meaning, clause)
    last = Span(middle, end, "rest of the preface", "no server of HTTP/1.1 takes this for a request", "RFC 9113, 3.4")
    return (first, last) if middle < end else (first,)


def header_leaves(frame: Http2Frame) -> list[Span]:
    """Return the leaves of a frame's header, as far as it is there."""
    row = FRAME_TYPES.get(frame.type)
    kind = f"{frame.type:#x}: {row.name if row else 'unknown'}"
    stream = f"stream {frame.stream}" if frame.stream else "stream 0: the whole connection"
    pieces = (
        (3, "length", f"{frame.declared:,} byte{'' if frame.declared == 1 else 's'} of payload", ()),
        (1, "type", kind, ()),
        (1, "flags", _set(frame), _flags(frame)),
        (4, "R, stream identifier", f"{stream}; the reserved bit is {frame.reserved:d}", ()),
    )
    spans: list[Span] = []
    at = frame.start
    for size, label, meaning, bits in pieces:
        end = min(at + size, frame.end)
        if at < end:
            cut = end - at < size
            spans.append(Span(at, end, label, "cut short" if cut else meaning, _HEADER_CLAUSE, bits=bits))
        at = end
    return spans


def _set(frame: Http2Frame) -> str:
    row = FRAME_TYPES.get(frame.type, UNKNOWN)
    return ", ".join(flag.name for bit, flag in row.flags.items() if frame.flags & bit) or "none"


def _flags(frame: Http2Frame) -> tuple[Bits, ...]:
    """Return the flags from the highest bit down; neighbours without a name are one field."""
    row = FRAME_TYPES.get(frame.type, UNKNOWN)
    found: list[Bits] = []
    for at in range(7, -1, -1):
        flag, bit = row.flags.get(1 << at), str(frame.flags >> at & 1)
        if flag:
            found.append(Bits(flag.name, bit, flag.meaning if bit == "1" else "not set"))
        elif found and found[-1].name == "unused":
            found[-1] = Bits("unused", found[-1].bits + bit)
        else:
            found.append(Bits("unused", bit))
    return tuple(found)


def payload_leaves(
    data: bytes, frame: Http2Frame, place: int, block: FieldBlock | None, *, to_server: bool
) -> list[Span]:
    """Return the leaves of a payload, as far as it is there.

    Args:
        data: the direction's bytes.
        frame: the frame.
        place: its place among the frames.
        block: the field block that it carries, or a piece of.
        to_server: whether it goes to the server.
    """
    if frame.payload >= frame.end:
        return []
    if frame.type in (DATA, HEADERS, PUSH_PROMISE, CONTINUATION):
        return _padded(data, frame, place, block)
    if frame.type == SETTINGS:
        return _settings(data, frame, to_server=to_server)
    rows = _FIXED.get(frame.type, ())
    spans: list[Span] = []
    at = frame.payload
    for size, label, read in rows:
        end = min(at + size, frame.end)
        if at < end:
            spans.append(_number(data, at, end, label, read if end - at == size else None, frame))
        at = end
    if at < frame.end:
        clause = FRAME_TYPES.get(frame.type, UNKNOWN).clause
        label = "debug data" if frame.type == GOAWAY else "payload"
        spans.append(Span(at, frame.end, label, shown(data[at : frame.end]), clause))
    return spans


def _number(data: bytes, at: int, end: int, label: str, read: _Read | None, frame: Http2Frame) -> Span:
    clause = "RFC 9113, 7" if label == _ERROR_CODE else FRAME_TYPES[frame.type].clause
    if read is None:
        return Span(at, end, label, "cut short", clause)
    return Span(at, end, label, read(int.from_bytes(data[at:end], "big")), clause)


def _stream_of(what: str) -> _Read:
    return lambda number: f"{what} {number & 0x7FFFFFFF:,}; the reserved bit is {number >> 31}"


def told_error(code: int) -> tuple[str, str]:
    """Return an error code's name and meaning (RFC 9113, 7).

    >>> told_error(8)
    ('CANCEL', 'the stream is not needed any more')
    """
    row = ERROR_CODES.get(code)
    return (row.name, row.meaning) if row else (f"error {code:#x}", "a code that no table has")


def told_setting(name: int, value: int) -> tuple[str, str]:
    """Return a setting as a name and value, and what it is for.

    >>> told_setting(3, 100)
    ('MAX_CONCURRENT_STREAMS 100', 'streams that the other side may have open at once')
    """
    row = SETTINGS_TABLE.get(name)
    if row is None:
        return f"setting {name:#x} {value:,}", "a receiver ignores settings that it does not know"
    return f"{row.name} {value:,}", row.meaning


def _error(code: int) -> str:
    return f"{code:#x}: {told_error(code)[0]}: {told_error(code)[1]}"


def _dependency(number: int) -> str:
    exclusive = "exclusive" if number >> 31 else "not exclusive"
    return f"depends on stream {number & 0x7FFFFFFF}, {exclusive} (deprecated)"


def _weight(number: int) -> str:
    return f"weight {number + 1} (deprecated)"


_PRIORITY_ROWS: tuple[tuple[int, str, _Read], ...] = ((4, "E, stream dependency", _dependency), (1, "weight", _weight))
_FIXED: dict[int, tuple[tuple[int, str, _Read], ...]] = {
    PRIORITY: _PRIORITY_ROWS,
    RST_STREAM: ((4, _ERROR_CODE, _error),),
    PING: ((8, "opaque data", lambda number: f"{number:016x}, which the ack repeats"),),
    GOAWAY: ((4, "R, last stream", _stream_of("the last stream that was or may be worked on:")),
             (4, _ERROR_CODE, _error)),
    WINDOW_UPDATE: ((4, "R, window increment", _stream_of("so many bytes of DATA more may come:")),),
}  # fmt: skip


def _settings(data: bytes, frame: Http2Frame, *, to_server: bool) -> list[Span]:
    clause = FRAME_TYPES[SETTINGS].clause
    spans: list[Span] = []
    for at in range(frame.payload, frame.end, 6):
        end = min(at + 6, frame.end)
        if end - at < 6:
            spans.append(Span(at, end, "setting", "cut short", "RFC 9113, 6.5.1"))
            break
        name, value = pairs(data[at:end])[0]
        row = SETTINGS_TABLE.get(name)
        meaning = told_setting(name, value)[1]
        fault = str(Http2Fault.VALUE) if bad_value(name, value, to_server=to_server) else ""
        label = f"{name:#x}: {row.name if row else 'unknown'}"
        spans += [
            Span(at, at + 2, "setting", label, row.clause if row else clause),
            Span(at + 2, end, "value", f"{value:,}: {meaning}", row.clause if row else clause, fault),
        ]
    return spans


def _padded(data: bytes, frame: Http2Frame, place: int, block: FieldBlock | None) -> list[Span]:
    """Return the leaves of a payload that may be padded: what comes before its body, the body, the padding."""
    found = layout(frame, data)
    clause = FRAME_TYPES[frame.type].clause
    spans: list[Span] = []
    if found.priority > frame.payload:
        spans.append(Span(frame.payload, found.priority, "pad length", f"{found.pad} bytes of padding", clause))
    at = found.priority
    for size, label, read in _PRIORITY_ROWS:
        end = min(at + size, found.promised)
        if at < end:
            spans.append(_number(data, at, end, label, read if end - at == size else None, frame))
        at = end
    if found.body > found.promised:
        number = int.from_bytes(data[found.promised : found.body], "big")
        meaning = f"stream {number & 0x7FFFFFFF} will carry it; the reserved bit is {number >> 31}"
        spans.append(Span(found.promised, found.body, "R, promised stream", meaning, clause))
    if found.padding > found.body:
        body = Span(found.body, found.padding, "data", shown(data[found.body : found.padding]), clause)
        spans += [body] if frame.type == DATA else block.spans(place) if block else [_loose(body)]
    if frame.end > found.padding:
        spans.append(Span(found.padding, frame.end, "padding", "zeros, which say nothing", clause))
    return spans


def _loose(body: Span) -> Span:
    return Span(body.start, body.end, "field block", "of no head that is here", body.clause)
