"""Field blocks of HTTP/2: gathered from the frames that carry them, decoded, and cut into leaves again.

    HEADERS        CONTINUATION     CONTINUATION
    ┌───────────┐  ┌─────────────┐  ┌───────────┐
    │ fragment  │  │ fragment    │  │ fragment  │    joined, they are one block (RFC 9113, 4.3)
    └───────────┘  └─────────────┘  └───────────┘

A field line may begin in one frame and end in the next; its leaves are cut where the frames are.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from labkit.dissection.fields import FIELDS, explain_status
from labkit.dissection.spans import Bits, Span
from labkit.wire.hpack import STATIC, Block, FieldLine, Form, Literal, literals

__all__ = ["FieldBlock", "FieldFault", "Fragment", "field_faults"]


class FieldFault(StrEnum):
    """What HTTP/2 forbids in a field line; each sentence names its clause."""

    UPPER_CASE = "a field name in HTTP/2 is lower case (RFC 9113, 8.2.1)"
    CONNECTION = "a field that speaks of the connection has no place in HTTP/2 (RFC 9113, 8.2.2)"
    LATE_PSEUDO = "a pseudo-header field stands before all others (RFC 9113, 8.3)"
    UNKNOWN_PSEUDO = "no such pseudo-header field exists (RFC 9113, 8.3)"


_CONNECTION = frozenset({b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding", b"upgrade"})
_PSEUDO = {
    b":method": ("what to do", "RFC 9113, 8.3.1"),
    b":scheme": ("http or https", "RFC 9113, 8.3.1"),
    b":authority": ("which host the request is for, as Host in HTTP/1.1", "RFC 9113, 8.3.1"),
    b":path": ("with what: the request-target of HTTP/1.1", "RFC 9113, 8.3.1"),
    b":protocol": ("what to speak inside a CONNECT", "RFC 8441, 4"),
    b":status": ("the status code", "RFC 9113, 8.3.2"),
}


class Fragment(NamedTuple):
    """A piece of a block: the place of its frame, its bytes' offsets in the direction, and where in the block it is."""

    place: int
    start: int
    end: int
    at: int = 0


@dataclass(frozen=True, slots=True)
class FieldBlock:
    """A field block, decoded.

    Args:
        fragments: its pieces, in order.
        data: their bytes, joined.
        block: what they say.
        faults: what HTTP/2 forbids, by the place of the field line in the block.
    """

    fragments: tuple[Fragment, ...]
    data: bytes
    block: Block
    faults: dict[int, FieldFault]

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The field lines that were decoded, names and values; each byte is a character."""
        return [
            (line.name.decode("latin-1"), line.value.decode("latin-1"))
            for line in self.block.lines
            if line.form is not Form.SIZE
        ]

    def value(self, name: str) -> str:
        """Return the first value of a field; "" where there is none."""
        wanted = name.encode("latin-1")
        for line in self.block.lines:
            if line.name == wanted:
                return line.value.decode("latin-1")
        return ""

    def spans(self, place: int) -> list[Span]:
        """Return the leaves of one frame's fragment; joined, they are its bytes."""
        number = bisect_left(self.fragments, place, key=lambda fragment: fragment.place)
        if number == len(self.fragments) or self.fragments[number].place != place:
            return []
        _, start, stop, at = self.fragments[number]
        end = at + stop - start
        return [_moved(piece, at, end, start) for piece in self._pieces(at, end)]

    def holder(self, offset: int) -> int:
        """Return the place of the frame that holds a byte of the block."""
        return self.fragments[bisect_right(self.fragments, offset, key=lambda fragment: fragment.at) - 1].place

    def _pieces(self, start: int, end: int) -> Iterator[Span]:
        """Yield the leaves that have bytes between two offsets of the block, whole."""
        lines = self.block.lines
        first = bisect_right(lines, start, key=lambda line: line.end)
        last = bisect_left(lines, end, key=lambda line: line.start)
        for number in range(first, last):
            for piece in _leaves(self.data, lines[number], str(self.faults.get(number, ""))):
                if piece.start < end and piece.end > start:
                    yield piece
        rest = self.block.end
        if max(rest, start) < min(len(self.data), end):
            fault = str(self.block.fault or "")
            yield Span(rest, len(self.data), "field lines", self.block.left or _UNREAD, "RFC 9113, 4.3", fault)


_UNREAD = "not decoded from here on"


def _moved(piece: Span, start: int, end: int, to: int) -> Span:
    """Return what lies between two offsets of a block as a leaf of the direction's bytes."""
    first, last = max(piece.start, start), min(piece.end, end)
    label = piece.label if first == piece.start else f"{piece.label}, continued"
    fault = piece.fault if last == piece.end else ""
    return Span(to + first - start, to + last - start, label, piece.meaning, piece.clause, fault, piece.bits)


def _leaves(data: bytes, line: FieldLine, fault: str) -> list[Span]:
    """Return the leaves of one field line, in offsets of the block."""
    strings = literals(data, line.start, line.form)
    head = strings[0].start if strings else line.end
    spans = [_head(data, line, head)]
    for number, string in enumerate(strings):
        what = "value" if number == len(strings) - 1 else "name"
        spans.append(_length(data, string, what))
        if string.end > string.text:
            told = _field_meaning(line) if what == "value" else (_words(line.name), "RFC 9113, 8.2")
            coded = ", Huffman-coded" if string.huffman else ""
            spans.append(Span(string.text, string.end, f"{what}{coded}", *told))
    if fault:
        last = spans[-1]
        spans[-1] = Span(last.start, last.end, last.label, last.meaning, last.clause, fault, last.bits)
    return spans


def _head(data: bytes, line: FieldLine, end: int) -> Span:
    form, entry, start = line.form, line.entry, line.start
    if form is Form.SIZE:
        meaning, of = f"the sender's dynamic table holds {entry:,} bytes from here on", "size"
    elif form is Form.INDEXED:
        meaning, of = f"{_field_meaning(line)[0]}: {_entry(entry)}", "index"
    else:
        name = f"the name {_words(line.name)}, {_entry(entry)}" if entry else "the name follows"
        meaning, of = f"{_WHY[form]}; {name}", "index"
    bits: tuple[Bits, ...] = ()
    if end == start + 1:
        pattern, mark = f"{data[start]:08b}", 8 - form.prefix
        bits = (Bits("form", pattern[:mark], str(form)), Bits(of, pattern[mark:], str(entry)))
    label = str(form) if form in (Form.INDEXED, Form.SIZE) else "literal, name index"
    return Span(start, end, label, meaning, form.clause, bits=bits)


_WHY = {
    Form.ADDED: "added to the dynamic table",
    Form.PLAIN: "not added to the dynamic table",
    Form.NEVER: "never added to a table, for it may be secret",
}


def _entry(index: int) -> str:
    table = "static" if index <= len(STATIC) else "dynamic"
    return f"entry {index} of the {table} table"


def _length(data: bytes, string: Literal, what: str) -> Span:
    size = string.end - string.text
    coded = ", Huffman-coded" if string.huffman else ""
    meaning = f"{size:,} byte{'' if size == 1 else 's'}{coded}"
    bits: tuple[Bits, ...] = ()
    if string.text == string.start + 1:
        pattern = f"{data[string.start]:08b}"
        bits = (Bits("H", pattern[0], "Huffman-coded" if string.huffman else "as it is"),
                Bits("length", pattern[1:], meaning))  # fmt: skip
    return Span(string.start, string.text, f"length of the {what}", meaning, "RFC 7541, 5.2", bits=bits)


def _words(text: bytes) -> str:
    return text[:400].decode("latin-1")


def _field_meaning(line: FieldLine) -> tuple[str, str]:
    """Return a field line in words, with what it is for, and its clause."""
    told = f"{_words(line.name)}: {_words(line.value)}"
    if line.name == b":status" and line.value.isdigit() and len(line.value) == 3:
        purpose, clause = explain_status(int(line.value))
    elif line.name in _PSEUDO:
        purpose, clause = _PSEUDO[line.name]
    else:
        row = FIELDS.get(_words(line.name).lower())
        purpose, clause = (row.purpose, row.clause) if row else ("", "RFC 9110, 5.1")
    return f"{told} ({purpose})" if purpose else told, clause


def field_faults(lines: tuple[FieldLine, ...]) -> dict[int, FieldFault]:
    """Return what HTTP/2 forbids in field lines, by their place."""
    found: dict[int, FieldFault] = {}
    regular = False
    for number, line in enumerate(lines):
        name = line.name
        if name.startswith(b":"):
            if regular:
                found[number] = FieldFault.LATE_PSEUDO
            elif name not in _PSEUDO:
                found[number] = FieldFault.UNKNOWN_PSEUDO
            continue
        regular = regular or line.form is not Form.SIZE
        if name in _CONNECTION or (name == b"te" and line.value.lower() != b"trailers"):
            found[number] = FieldFault.CONNECTION
        elif name != name.lower():
            found[number] = FieldFault.UPPER_CASE
    return found
