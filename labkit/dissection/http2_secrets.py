"""Secrets in HTTP/2 starred out, byte for byte: in field blocks, whose strings may be Huffman-coded, and in content.

A starred block decodes as before, but for the stars: a raw string keeps its length, a Huffman string its
size in bytes. One of rare characters may say more characters than before, and so push an entry out of a
table that was just full. What cannot be decoded may hold a secret, so all of it behind the fault is starred.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from labkit.dissection.field_blocks import FieldBlock
from labkit.dissection.http2 import Http2Part
from labkit.dissection.streams import layout
from labkit.wire.hpack import FieldLine, Form, HpackFault, Literal, form_of, integer, literals
from labkit.wire.http2 import (
    CONTINUATION,
    DATA,
    HEADERS,
    PADDED,
    PING,
    PREFACE_TYPE,
    PUSH_PROMISE,
    SETTINGS,
    Http2Frame,
)
from labkit.wire.huffman import starred

__all__ = ["starred_http2"]

Spots = Iterable[tuple[int, int]]
_PADDABLE = {DATA, HEADERS, PUSH_PROMISE}
_NO_TEXT = {PREFACE_TYPE, SETTINGS, PING}  # whose payload is numbers
_STAR, _HUFFMAN_STAR = b"*", b"\xf9"  # the code of * is eight bits: 1111 1001
_AS_HEAD = {b":authority": b"host", b":path": b""}  # under which name a pseudo-header field would be in HTTP/1.1


def starred_http2(part: Http2Part, secrets: Callable[[bytes], Spots]) -> bytes:
    """Return the bytes of a direction's HTTP/2 with what is secret starred out.

    Args:
        part: the frames.
        secrets: finds the spots that are secret in bytes of HTTP/1.1; they may overlap.
    """
    out = bytearray(part.data)
    for block in {id(block): block for block in part.blocks.values()}.values():
        pieces = [(fragment.start, fragment.end) for fragment in block.fragments]
        _write(out, pieces, _starred_block(block, secrets))
    bodies: dict[int, list[tuple[int, int]]] = {}  # content may be cut anywhere: a stream's is joined
    for place, frame in enumerate(part.frames):
        span = (frame.payload, frame.end)
        if frame.type == DATA:
            found = layout(frame, part.data)
            bodies.setdefault(frame.stream, []).append((found.body, found.padding))
        elif frame.type == CONTINUATION and place not in part.blocks:  # of no head: it cannot be decoded
            _write(out, [span], _STAR * (frame.end - frame.payload))
        elif frame.type not in _NO_TEXT and place not in part.blocks:
            _write(out, [span], _starred_text(part.payload(place), secrets))
        if frame.type in _PADDABLE and frame.has(PADDED):
            _star_padding(out, part, frame)
    for pieces in bodies.values():
        _write(out, pieces, _starred_text(b"".join([part.data[start:end] for start, end in pieces]), secrets))
    return bytes(out[part.start :])


def _starred_text(data: bytes, secrets: Callable[[bytes], Spots]) -> bytearray:
    text = bytearray(data)
    for start, end in secrets(data):
        text[start:end] = _STAR * (end - start)
    return text


def _star_padding(out: bytearray, part: Http2Part, frame: Http2Frame) -> None:
    """Star out padding that is none: it should be zeros, and may be anything (RFC 9113, 6.1)."""
    at = layout(frame, part.data).padding
    if any(part.data[at : frame.end]):
        out[at : frame.end] = _STAR * (frame.end - at)


def _write(out: bytearray, pieces: Iterable[tuple[int, int]], text: bytes | bytearray) -> None:
    """Put joined bytes back where they came from."""
    at = 0
    for start, end in pieces:
        out[start:end] = text[at : at + end - start]
        at += end - start


def _starred_block(block: FieldBlock, secrets: Callable[[bytes], Spots]) -> bytearray:
    out = bytearray(block.data)
    for line in block.block.lines:
        if line.form in (Form.INDEXED, Form.SIZE) or not line.value:
            continue
        spots = list(_spots(line, secrets))
        if spots:
            value = literals(block.data, line.start, line.form)[-1]
            _star(out, value, line.value, spots)
    for start, end, filler in _unread(block):
        out[start:end] = filler
    return out


def _spots(line: FieldLine, secrets: Callable[[bytes], Spots]) -> Iterator[tuple[int, int]]:
    """Find what is secret in a value, as if the field line stood in a head of HTTP/1.1."""
    name = _AS_HEAD.get(line.name, line.name)
    before = name + b": " if name else b""
    text = before + line.value.replace(b"\n", b" ").replace(b"\r", b" ")
    for start, end in secrets(text):
        first, last = max(start - len(before), 0), end - len(before)
        if first < last:
            yield first, last


def _star(out: bytearray, string: Literal, text: bytes, spots: list[tuple[int, int]]) -> None:
    if string.huffman:
        out[string.text : string.end] = starred(bytes(out[string.text : string.end]), text, spots)
        return
    for start, end in spots:
        out[string.text + start : string.text + end] = _STAR * (end - start)


def _unread(block: FieldBlock) -> Iterator[tuple[int, int, bytes]]:
    """Yield what to write over the rest of a block that was not decoded, so that its fault stays what it is."""
    data, at, fault = block.data, block.block.end, block.block.fault
    if at >= len(data):
        return
    if fault is None:
        yield at, len(data), _STAR * (len(data) - at)
        return
    form = form_of(data[at])
    read = integer(data, at, form.prefix)
    end = min(at + 6, len(data)) if isinstance(read, HpackFault) else read[1]
    strings = literals(data, at, form) if fault in _IN_STRINGS else ()
    for number, string in enumerate(strings):
        size = string.end - string.text
        if not size:
            continue
        filler = (_HUFFMAN_STAR if string.huffman else _STAR) * size
        if string.huffman and number == len(strings) - 1 and fault is not HpackFault.SHORT:
            filler = b"\xff" * size if fault is HpackFault.EOS else filler[:-1] + b"\0"
        yield string.text, string.end, filler
        end = string.end
    if end < len(data) and fault is not HpackFault.SHORT:
        yield end, len(data), _STAR * (len(data) - end)


_IN_STRINGS = {HpackFault.SHORT, HpackFault.PADDING, HpackFault.EOS}
