"""One frame as an arrow: a WebSocket frame, a frame of HTTP/2, or the preface of HTTP/2."""

from __future__ import annotations

from labkit.dissection import Framed, FramesPart, Http2Part
from labkit.dissection.http2_leaves import told_setting
from labkit.dissection.websocket import shown
from labkit.render.heads import MOST_FIELDS, field_details
from labkit.render.layout import Arrow, Detail
from labkit.render.measure import clean
from labkit.wire.http2 import ACK, CONTINUATION, DATA, GOAWAY, HEADERS, PING, PUSH_PROMISE, SETTINGS, pairs
from labkit.wire.websocket import CLOSE, CLOSE_CODES

__all__ = ["frame_arrow"]

_CARRYING = frozenset({DATA, HEADERS, PUSH_PROMISE, CONTINUATION})  # what is no control of the connection
_MOST_INSIDE = 3  # WebSocket frames of one DATA that are told
_IN_HEADLINE = (":method", ":path", ":status")  # of a field block, before all other fields


def frame_arrow(part: Framed, place: int) -> Arrow:
    """Return a frame as an arrow; step, columns and faults are for the caller to fill in."""
    return _http2(part, place) if isinstance(part, Http2Part) else _websocket(part, place)


def _websocket(part: FramesPart, place: int) -> Arrow:
    frame = part.frames[place]
    name, content = part.name(place), part.content(place)
    kind = "control" if frame.opcode >= CLOSE else "data"
    if frame.opcode == CLOSE and len(content) > 1:
        code = int.from_bytes(content[:2], "big")
        row = CLOSE_CODES.get(code)
        reason = f" {shown(content[2:])}" if content[2:] else f" ({row.meaning})" if row else ""
        return Arrow("", 0, 0, f"{name} {code}{reason}", (), kind)
    if part.compressed(place):
        return Arrow("", 0, 0, f"{name}, compressed, {len(content):,} bytes", (), kind)
    text = f"{name} {shown(content)}" if content or frame.opcode < CLOSE else name
    if place in part.inflated:
        text += ", compressed"
    return Arrow("", 0, 0, text, (), kind)


def _http2(part: Http2Part, place: int) -> Arrow:
    frame, name = part.frames[place], part.name(place)
    kind = "data" if frame.type in _CARRYING else "control"
    details: tuple[Detail, ...] = ()
    if frame.payload > frame.end:
        name += f": {shown(part.data[frame.start : frame.end])}"
    elif frame.type == SETTINGS and not frame.flags & ACK:
        details = _settings(part.payload(place))
    elif frame.type == PING:
        name += f" {part.payload(place).hex(' ')}"
    elif frame.type == GOAWAY and len(part.payload(place)) > 8:
        name += f" {shown(part.payload(place)[8:])}"
    elif frame.type == DATA and part.body(place):
        name += f": {_inside(part, place) or shown(part.body(place))}"
    elif place in part.blocks and frame.type != CONTINUATION:
        name, details = _head(part, place, name)
    return Arrow("", 0, 0, clean(name), details, kind)


def _inside(part: Http2Part, place: int) -> str:
    """Return what the WebSocket frames say that end in a DATA; "" where it carries none."""
    carried = part.carried(place)
    if carried is None:
        return ""
    ending = carried.ending(place)
    told = ", ".join(_websocket(carried.part, each).headline for each in ending[:_MOST_INSIDE])
    left = len(ending) - _MOST_INSIDE
    more = f" and {left:,} more frame{'s' * (left > 1)}" if left > 0 else ""
    return f"{told}{more}" if ending else "a piece of a WebSocket frame"


def _settings(payload: bytes) -> tuple[Detail, ...]:
    rows = pairs(payload)
    details = [Detail(told_setting(name, value)[0]) for name, value in rows[:MOST_FIELDS]]
    if len(rows) > MOST_FIELDS:
        details.append(Detail(f"+ {len(rows) - MOST_FIELDS:,} more settings"))
    return tuple(details)


def _head(part: Http2Part, place: int, name: str) -> tuple[str, tuple[Detail, ...]]:
    """Return a headline with what is asked or answered in it, and the other fields below."""
    block = part.blocks[place]
    first = " ".join(f"{field} {value}" for field in _IN_HEADLINE if (value := block.value(field)))
    words, comma, rest = name.partition(",")
    lines = [line for line in block.fields if line[0] not in _IN_HEADLINE]
    return f"{words} {first}{comma}{rest}" if first else name, field_details(lines)
