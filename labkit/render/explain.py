"""Every byte explained, as a table: offset, hex, text, label, meaning and clause.

The messages stand in the order of cause and effect, as in the diagram; offsets count within one
direction of one hop. Heads are explained line by line unless every leaf is asked for, frames always
down to their bits. Nothing is written by hand here: all words come from the dissection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from labkit.dissection import Bits, Dissection, Framed, HeadPart, Span, dissect
from labkit.dissection.secrets import masked
from labkit.errors import WrongUse
from labkit.render.headline import after, ends, missing
from labkit.render.layout import step_name
from labkit.render.marks import Mark, Marks, byte_range
from labkit.render.measure import clean, columns, wrap
from labkit.render.messages import Kind, Message
from labkit.render.order import ordered
from labkit.trace import Trace

if TYPE_CHECKING:
    from labkit.rules import Finding

__all__ = ["ByteRow", "Explanation", "Section", "explain"]

_MOST = 64  # bytes of one row that are shown


@dataclass(frozen=True, slots=True)
class ByteRow:
    """A row: `size` bytes from `offset` on, `data` the first of them, and what they are.

    `text` shows them as characters (↵ for CR LF, · for what has none); `bits` are the bit fields of
    a row of one byte.
    """

    offset: int
    size: int
    data: bytes
    text: str
    label: str
    meaning: str = ""
    clause: str = ""
    faults: tuple[Mark, ...] = ()
    bits: tuple[Bits, ...] = ()

    @property
    def hex(self) -> list[str]:
        """The bytes in hexadecimal, eight to a line; what is left out is counted on a last line."""
        lines = [self.data[at : at + 8].hex(" ") for at in range(0, len(self.data), 8)]
        left = self.size - len(self.data)
        return [*lines, f"… {left:,} more"] if left else lines


@dataclass(frozen=True, slots=True)
class Section:
    """The rows of one message under a heading that says who sends it; without rows, a line across."""

    heading: str
    rows: tuple[ByteRow, ...] = ()
    faults: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """A trace's bytes, explained; it draws itself in a notebook and prints in a terminal."""

    sections: tuple[Section, ...] = field(repr=False)

    @property
    def rows(self) -> tuple[ByteRow, ...]:
        """All rows, without their headings."""
        return tuple(row for section in self.sections for row in section.rows)

    def html(self) -> str:
        """Return the table as HTML that needs no style."""
        from labkit.render.html import byte_table  # noqa: PLC0415  a terminal needs none of it

        return byte_table(self)

    def __str__(self) -> str:
        lines = [_columns(["offset"], ["hex"], ["text"], ["what it is"], ["meaning (clause)"])]
        for section in self.sections:
            lines += ["", *(f"── {piece}" for piece in wrap(section.heading, _WIDTH - 3, 3))]
            lines += [f"   {piece}" for fault in section.faults for piece in wrap(str(fault), _WIDTH - 3, 3, indent=2)]
            for row in section.rows:
                lines += _text_row(row)
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Explanation: {len(self.rows)} rows in {len(self.sections)} sections>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002
        return {"text/plain": str(self), "text/html": self.html()}


def explain(
    trace: Trace,
    *,
    hop: int | None = None,
    leaves: bool = False,
    most: int = 400,
    keep_secrets: bool = False,
    findings: Iterable[Finding] = (),
) -> Explanation:
    r"""Explain the bytes of a trace, one by one.

    Args:
        trace: what crossed.
        hop: the one hop to explain; all of them unless told.
        leaves: explain heads piece by piece instead of line by line.
        most: the most rows; what is left out is said at the end.
        keep_secrets: show cookies, authorisation and tokens too, which are starred out otherwise.
        findings: what a check of this trace found, to be told at its bytes; `trace.check().bytes()` gives them.

    Raises:
        WrongUse: there is no such hop, or `most` is less than 1.

    >>> from labkit.trace import Direction, Transfer
    >>> ask = Transfer(0, Direction.TO_SERVER, b"GET / HTTP/1.1\r\n\r\n")
    >>> [(row.offset, row.label) for row in explain(Trace((ask,))).rows]
    [(0, 'request line'), (16, 'end of head')]
    """
    if hop is not None and not 0 <= hop < len(trace.hops):
        raise WrongUse(f"there is no hop {hop}: the trace has {len(trace.hops)}, counted from 0")
    if most < 1:
        raise WrongUse("most is a number of rows, 1 or more")
    dissection = dissect(trace)
    if not keep_secrets and (safe := masked(trace, dissection)) is not trace:
        dissection = dissect(safe)
    return Explanation(tuple(_sections(dissection, hop, Marks(findings), leaves=leaves, most=most)))


def _sections(dissection: Dissection, hop: int | None, marks: Marks, *, leaves: bool, most: int) -> Iterator[Section]:
    found = [message for message in ordered(dissection) if hop is None or message.hop == hop]
    room = most
    for place, message in enumerate(found):
        if room <= 0:
            yield Section(_left_out(found[place:], 0, most))
            break
        section, left = _section(dissection, message, room, marks, leaves=leaves)
        room -= len(section.rows)
        yield section
        if left:
            yield Section(_left_out(found[place:], message.end - message.start - left, most))
            break
        view = dissection.hops[message.hop]
        if view.seam and message.kind is Kind.ANSWER and message.exchange == len(view.exchanges) - 1:
            yield Section("Here {} ends: what follows is {}".format(*after(view)))
    for number, text in missing(dissection):
        if hop in (None, number):
            yield Section(text[0].upper() + text[1:])
    for number in range(len(dissection.hops)):
        if hop in (None, number) and (text := ends(dissection, number)):
            yield Section(f"{_on(dissection, number)}{text}")


def _left_out(found: list[Message], shown: int, most: int) -> str:
    size = sum(message.end - message.start for message in found) - shown
    return f"… {size:,} more bytes are not shown: the table stops after {most} rows (most={most})"


def _on(dissection: Dissection, hop: int) -> str:
    hops = len(dissection.hops)
    return f"hop {step_name(0, hop, hops)[1:]}: " if hops > 1 else ""


def _section(dissection: Dissection, message: Message, room: int, marks: Marks, *, leaves: bool) -> tuple[Section, int]:
    """Return one message's section with at most `room` rows, and how many of its bytes are left out."""
    part, view = message.part, dissection.hops[message.hop]
    data = view.data[message.direction]
    own: tuple[Span, ...] = ()
    spans: tuple[Span, ...]
    if isinstance(part, Framed):
        span = part.frame_span(message.place)
        spans, name = span.leaves(), span.label if span.parts else f"frame: {part.name(message.place)}"
        own = (replace(span, parts=()),) if span.parts else ()
    elif isinstance(part, HeadPart):
        few = replace(part, head=replace(part.head, lines=part.head.lines[: room + 1]))
        span = few.span()
        spans, name = span.leaves() if leaves else span.parts, span.label
    else:
        span = part.span()
        alone = (message.start, message.end) == (part.start, part.end)
        one = Span(message.start, message.end, span.label, span.meaning, span.clause, span.fault)
        spans, name = span.leaves() if alone else (one,), span.label
    hop = dissection.trace.hops[message.hop]
    who = f"{clean(hop.sender(message.direction), 40)} → {clean(hop.receiver(message.direction), 40)}"
    heading = f"{_on(dissection, message.hop)}{who}: {clean(name)}, {byte_range(message.start, message.end)}"
    key = (message.hop, message.direction)
    here = marks.at(*key, message.start, message.end)
    whole = [finding for finding in here if finding.start == message.start and finding.end >= message.end]
    rows = []
    for each in spans[:room]:
        on = [finding for finding in here if each.start <= finding.start < each.end and finding not in whole]
        rows.append(_row(data, each, marks.on(*key, on, each.walk())))
    left = message.end - spans[room].start if len(spans) > room else 0
    return Section(heading, tuple(rows), marks.on(*key, whole, own)), left


def _row(data: bytes, span: Span, faults: tuple[Mark, ...]) -> ByteRow:
    size = span.end - span.start
    text = _characters(data[span.start : min(span.end, span.start + _MOST)])
    shown = data[span.start : min(span.end, span.start + _MOST)]
    more = "…" if size > _MOST else ""
    label, meaning = clean(span.label, 80), clean(span.meaning)
    return ByteRow(span.start, size, shown, text + more, label, meaning, span.clause, faults, span.bits)


_SYMBOLS = {byte: chr(byte) if 0x20 <= byte < 0x7F else "·" for byte in range(256)}


def _characters(data: bytes) -> str:
    return "↵".join("".join(_SYMBOLS[byte] for byte in line) for line in data.split(b"\r\n"))


_WIDTH = 100
_SIZES = (6, 23, 16, 21)  # columns; the last one takes what is left
_LAST = _WIDTH - sum(_SIZES) - 2 * len(_SIZES)


def _text_row(row: ByteRow) -> list[str]:
    meaning = f"{row.meaning} ({row.clause})" if row.clause and row.meaning else row.meaning or row.clause
    text = [row.text[at : at + _SIZES[2]] for at in range(0, len(row.text), _SIZES[2])]
    cells = [[str(row.offset)], row.hex, text, wrap(row.label, _SIZES[3], 3), wrap(meaning, _LAST, 6)]
    lines = [_columns(*(cell[at : at + 1] for cell in cells)) for at in range(max(map(len, cells)))]
    for pattern, bits in bit_patterns(row.bits):
        for at, piece in enumerate(wrap(bits.meaning, _LAST, 3)):
            lines.append(_columns([], [pattern] if not at else [], [], [f"  {bits.name}"] if not at else [], [piece]))
    for fault in row.faults:
        pieces = wrap(str(fault), _WIDTH - _SIZES[0] - 2, 3, indent=2)
        lines += [" " * (_SIZES[0] + 2) + piece for piece in pieces]
    return lines


def bit_patterns(bits: tuple[Bits, ...]) -> Iterator[tuple[str, Bits]]:
    """Return each bit field with its place in the byte drawn: "1... ....".

    >>> [pattern for pattern, _ in bit_patterns((Bits("MASK", "1"), Bits("length", "0000101")))]
    ['1... ....', '.000 0101']
    """
    at = 0
    for each in bits:
        pattern = "." * at + each.bits + "." * (8 - at - len(each.bits))
        yield f"{pattern[:4]} {pattern[4:]}", each
        at += len(each.bits)


def _columns(*cells: list[str]) -> str:
    texts = [cell[0] if cell else "" for cell in cells]
    padded = [text + " " * (size - columns(text)) for text, size in zip(texts, (*_SIZES, 0), strict=True)]
    padded[0] = texts[0].rjust(_SIZES[0])
    return "  ".join(padded).rstrip()
