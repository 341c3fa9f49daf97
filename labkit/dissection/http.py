"""Spans of HTTP/1.1: heads piece by piece, and content by its length, in chunks, or up to the end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from labkit.dissection.fields import explain_field, explain_status
from labkit.dissection.spans import Span
from labkit.wire.fields import Fields
from labkit.wire.http1 import CLAUSE, Head, Line, Piece, RequestHead, ResponseHead
from labkit.wire.upgrade import offered

__all__ = ["ContentPart", "HeadPart", "chunked_end", "content_length"]


@dataclass(frozen=True, slots=True)
class HeadPart:
    """One head in a direction's bytes.

    Args:
        head: the scan of it.
        role: "request", "interim answer" or "answer".
        start: offset of its first byte.
        end: offset after its last byte.
        other: the other party's fields in the same exchange; they decide what some values mean.
    """

    head: Head
    role: str
    start: int
    end: int
    other: Fields = field(default_factory=Fields)

    @property
    def value(self) -> RequestHead | ResponseHead | None:
        """The head's value; None where its start-line cannot be read."""
        return self.head.value

    @property
    def name(self) -> str:
        """The start-line, or what stands in its place."""
        return self.value.start_line if self.value else "bytes that are no start-line"

    def span(self) -> Span:
        """Return the head as a tree: lines, and their pieces as leaves."""
        parts = tuple(self._line(line) for line in self.head.lines)
        return Span(self.start, self.end, f"head of the {self.role}", self.name, "RFC 9112, 2.1", parts=parts)

    def _line(self, line: Line) -> Span:
        if line.name:
            return self._field_line(line)
        leaves = tuple(self._leaf(piece) for piece in line.pieces)
        if len(leaves) == 1:
            return leaves[0]
        label, meaning, clause = self._what(line)
        return Span(line.start, line.end, label, meaning, clause, parts=leaves)

    def _what(self, line: Line) -> tuple[str, str, str]:
        """Return the label, the meaning and the clause of a line that is no field line."""
        whats = {piece.what for piece in line.pieces}
        if "method" in whats:
            return "request line", "what is asked", "RFC 9112, 3"
        if "status-code" in whats:
            return "status line", *self._status()
        if line.folded:
            return "folded line", "goes on with the value before it", "RFC 9112, 5.2"
        return "line", "", "RFC 9112, 5"

    def _status(self) -> tuple[str, str]:
        if not isinstance(self.value, ResponseHead):
            return "no status code that can be read", CLAUSE["status-code"]
        return explain_status(self.value.status, [str(protocol) for protocol in offered(self.other)])

    def _field_line(self, line: Line) -> Span:
        own = self.value.fields if self.value else Fields()
        meaning, row = explain_field(line.name, line.value, own, self.other)
        clause = meaning.clause or row.clause
        leaves = []
        for piece in line.pieces:
            leaf = self._leaf(piece)
            if piece.what == "field value":
                leaf = Span(piece.start, piece.end, piece.what, meaning.text, clause, leaf.fault or meaning.fault)
            elif piece.what == "field name":
                leaf = Span(piece.start, piece.end, piece.what, row.purpose, leaf.clause, leaf.fault)
            leaves.append(leaf)
        return Span(line.start, line.end, f"field line {line.name}", meaning.text, clause, parts=tuple(leaves))

    def _leaf(self, piece: Piece) -> Span:
        meaning, clause = _MEANINGS.get(piece.what, ""), CLAUSE.get(piece.what, "")
        status = self.value.status if isinstance(self.value, ResponseHead) else 0
        if piece.what == "status-code":
            meaning = self._status()[0]
        elif piece.what == "end of head" and status // 100 == 1:
            meaning, clause = _LAST if status == 101 else _INTERIM_END, "RFC 9110, 15.2; RFC 9112, 6.3"
        return Span(piece.start, piece.end, piece.what, meaning, clause, str(piece.fault or ""))


_LAST = "the blank line: the last bytes of HTTP on this connection, whatever the fields say"
_INTERIM_END = "the blank line: an interim answer ends here, whatever its fields say"
_MEANINGS = {
    "method": "what to do",
    "request-target": "with what",
    "HTTP-version": "the version this party speaks",
    "reason-phrase": "for people; a client ought to ignore it",
    "end of head": "the blank line: the head ends here",
    "line end": "CR LF",
}


@dataclass(frozen=True, slots=True)
class ContentPart:
    """The content of one message.

    Args:
        framing: "length", "chunked" or "until the end".
        start: offset of its first byte.
        end: offset after its last byte.
        data: the direction's bytes.
        expected: how many bytes Content-Length states; None where another framing holds.
    """

    framing: str
    start: int
    end: int
    data: bytes = field(repr=False)
    expected: int | None = None

    @property
    def name(self) -> str:
        """A few words for it."""
        return f"content, {self.end - self.start} bytes"

    def span(self) -> Span:
        """Return the content as a span; for chunks, with each chunk's framing as leaves."""
        if self.framing == "chunked":
            return self._chunked_span()
        fault = ""
        if self.expected is not None and self.end - self.start < self.expected:
            fault = f"Content-Length says {self.expected} bytes, {self.end - self.start} came (RFC 9112, 8)"
        clause = "RFC 9112, 6.2" if self.framing == "length" else "RFC 9112, 6.3"
        meaning = "its length is stated" if self.framing == "length" else "it ends where the connection does"
        return Span(self.start, self.end, "content", meaning, clause, fault)

    def _chunked_span(self) -> Span:
        parts = tuple(
            Span(piece.start, piece.end, piece.label, piece.meaning, _CHUNK_CLAUSE, piece.fault)
            for piece in _chunks(self.data, self.start, self.end)
        )
        ended = parts and (parts[-1].label == _END or parts[-1].fault)
        return Span(self.start, self.end, "content in chunks", "", _CHUNK_CLAUSE, "" if ended else _CUT, parts=parts)


_DIGITS = re.compile(r"[0-9]{1,18}")


def content_length(fields: Fields) -> int | None:
    """Return the Content-Length in bytes; None where it is absent or no number (RFC 9110, 8.6).

    >>> content_length(Fields.of([("Content-Length", "5, 5")]))
    5
    """
    values = set(fields.elements("Content-Length"))
    only = values.pop() if len(values) == 1 else ""
    return int(only) if _DIGITS.fullmatch(only) else None


def chunked_end(data: bytes, start: int) -> int:
    r"""Return the offset after content in chunks, trailer section included; the end of `data` if cut short.

    >>> chunked_end(b"5\r\nHello\r\n0\r\n\r\nnext", 0)
    15
    """
    end = start
    for piece in _chunks(data, start, len(data)):
        end = piece.end
    return end


class _Piece(NamedTuple):
    start: int
    end: int
    label: str
    meaning: str = ""
    fault: str = ""


_CHUNK_CLAUSE = "RFC 9112, 7.1"
_END = "end of content"
# Sixteen digits are 64 bits: no chunk is longer, and no number so long that it could not be printed.
_CHUNK = re.compile(rb"(0*[0-9A-Fa-f]{1,16})([ \t]*;[^\r\n]*)?")
_CUT = "the bytes end before the content does (RFC 9112, 8)"
_NO_SIZE = "no chunk-size, in hexadecimal, stands here (RFC 9112, 7.1)"
_AFTER_SIZE = "after a chunk-size stands a chunk-ext or CR LF (RFC 9112, 7.1)"
_AFTER_DATA = "no CR LF ends the chunk (RFC 9112, 7.1)"
_BARE_LF = "LF alone; CR LF must stand here (RFC 9112, 7.1)"


def _chunks(data: bytes, at: int, stop: int) -> Iterator[_Piece]:
    """Yield the pieces of content in chunks, side by side, up to its end or to `stop`."""
    while at < stop:
        line = _CHUNK.match(data, at, stop)
        if not line:
            yield _Piece(at, stop, "chunk-size", "", _NO_SIZE)
            return
        size = int(line[1], 16)
        yield _Piece(at, line.end(1), "chunk-size", f"{size} bytes follow" if size else "the last chunk")
        if line[2]:
            yield _Piece(*line.span(2), "chunk-ext")
        at = line.end()
        if at < stop:
            yield (ending := _line_end(data, at, stop, _AFTER_SIZE))
            at = ending.end
        if not size:
            yield from _trailers(data, at, stop)
            return
        if at < stop:
            yield _Piece(at, min(at + size, stop), "chunk-data")
            at += size
        if at < stop:
            yield (ending := _line_end(data, at, stop, _AFTER_DATA))
            at = ending.end


def _line_end(data: bytes, at: int, stop: int, fault: str) -> _Piece:
    """Return the line end at `at`; where there is none, all the rest with `fault`."""
    if data.startswith(b"\r\n", at, stop):
        return _Piece(at, at + 2, "line end", "CR LF")
    if data.startswith(b"\n", at, stop):
        return _Piece(at, at + 1, "line end", "LF", _BARE_LF)
    return _Piece(at, stop, "line end", "", "" if data[at:stop] == b"\r" else fault)


def _trailers(data: bytes, at: int, stop: int) -> Iterator[_Piece]:
    while at < stop:
        newline = data.find(b"\n", at, stop)
        end = stop if newline < 0 else newline + 1
        blank = data[at:end] in (b"\r\n", b"\n")
        yield _Piece(at, end, _END if blank else "trailer field")
        at = end
        if blank:
            return
