"""HTTP/1.1 heads: the values they carry, and a scan of their bytes that throws nothing away.

`scan` reads any bytes whatever, line by line, and keeps offsets; what breaks the grammar is named
beside the clause it breaks. `RequestHead` and `ResponseHead` are the values; their `parse` is strict.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from labkit.errors import WireError
from labkit.wire.fields import Fields, text_bytes
from labkit.wire.lines import (
    CLAUSE,
    TOKEN,
    Fault,
    Line,
    Piece,
    RequestLine,
    StatusLine,
    cut_short,
    empty_line,
    field_line,
    final_line,
    start_line,
)

__all__ = [
    "CLAUSE", "TOKEN", "Fault", "Head", "Line", "Piece", "RequestHead", "ResponseHead", "head_length", "scan",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class RequestHead:
    r"""A request line and its field lines (RFC 9112, 2.1 and 3).

    >>> RequestHead("GET", "/", Fields.of([("Host", "server.example.com")])).to_bytes()
    b'GET / HTTP/1.1\r\nHost: server.example.com\r\n\r\n'
    """

    method: str
    target: str
    fields: Fields = field(default_factory=Fields)
    version: str = "HTTP/1.1"

    @property
    def start_line(self) -> str:
        """The request line, without its line end."""
        return f"{self.method} {self.target} {self.version}"

    def to_bytes(self) -> bytes:
        """Return the head as it goes onto the wire, blank line included.

        Raises:
            WireError: a character in it is no single byte.
        """
        return text_bytes(self.start_line) + b"\r\n" + self.fields.to_bytes() + b"\r\n"

    @classmethod
    def parse(cls, data: bytes) -> RequestHead:
        """Read one whole, well-formed request head.

        Raises:
            WireError: where the bytes break the grammar; it names the offset and the clause.
        """
        value = _strict(data)
        if not isinstance(value, RequestHead):
            raise WireError("this head is an answer's, not a request's: it begins with HTTP/")
        return value


@dataclass(frozen=True, slots=True)
class ResponseHead:
    r"""A status line and its field lines (RFC 9112, 2.1 and 4).

    >>> ResponseHead(101, "Switching Protocols").to_bytes()
    b'HTTP/1.1 101 Switching Protocols\r\n\r\n'
    """

    status: int
    reason: str = ""
    fields: Fields = field(default_factory=Fields)
    version: str = "HTTP/1.1"

    @property
    def start_line(self) -> str:
        """The status line, without its line end; the space after the code is always there (RFC 9112, 4)."""
        return f"{self.version} {self.status:03} {self.reason}"

    def to_bytes(self) -> bytes:
        """Return the head as it goes onto the wire, blank line included.

        Raises:
            WireError: a character in it is no single byte.
        """
        return text_bytes(self.start_line) + b"\r\n" + self.fields.to_bytes() + b"\r\n"

    @classmethod
    def parse(cls, data: bytes) -> ResponseHead:
        """Read one whole, well-formed answer's head.

        Raises:
            WireError: where the bytes break the grammar; it names the offset and the clause.
        """
        value = _strict(data)
        if not isinstance(value, ResponseHead):
            raise WireError("this head is a request's, not an answer's: it does not begin with HTTP/")
        return value


@dataclass(frozen=True, slots=True)
class Head:
    """What `scan` found: the lines with every byte in a piece, and the value where there is one.

    `value` is None where the start-line cannot be read at all; `whole` is False where the bytes end
    before the blank line does.
    """

    lines: tuple[Line, ...]
    value: RequestHead | ResponseHead | None
    end: int
    whole: bool

    @property
    def faults(self) -> list[tuple[int, Fault]]:
        """Every fault with the offset where it stands."""
        return [(p.start, p.fault) for line in self.lines for p in line.pieces if p.fault]


_BLANK = re.compile(rb"\n\r?\n")


def head_length(data: bytes, start: int = 0) -> int | None:
    r"""Return the offset after the head that begins at `start`, or None where it is not all there.

    Line ends of LF alone count too, as a recipient may take them (RFC 9112, 2.2).

    >>> head_length(b"GET / HTTP/1.1\r\n\r\nmore")
    18
    """
    return _head_end(data, start, len(data))


def scan(data: bytes, start: int = 0, *, limit: int = 1 << 20) -> Head:
    r"""Read the head that begins at `start`, whatever the bytes are; never raises.

    The pieces of the lines, joined, are the bytes from `start` to `Head.end`. At most `limit` bytes
    are taken for a head.

    >>> head = scan(b"GET / HTTP/1.1\r\nHost : x\r\n\r\n")
    >>> head.value.fields.get("Host"), head.faults[0][0]
    ('x', 20)
    """
    stop = min(len(data), start + limit)
    found = _head_end(data, start, stop)
    end = stop if found is None else found
    lines = _empty_lines(data, start, end)
    at = lines[-1].end if lines else start
    value: RequestHead | ResponseHead | None = None
    if at < end:
        line, said = start_line(data, at, _line_end(data, at, end))
        rest, fields = _field_lines(data, line.end, end)
        lines += [line, *rest]
        value = _value(said, fields)
    if found is None and lines:
        lines[-1] = cut_short(lines[-1], data)
    return Head(tuple(lines), value, end, found is not None)


def _head_end(data: bytes, start: int, stop: int) -> int | None:
    while length := empty_line(data, start, stop):
        start += length
    blank = _BLANK.search(data, start, stop)
    return blank.end() if blank else None


def _line_end(data: bytes, at: int, end: int) -> int:
    newline = data.find(b"\n", at, end)
    return end if newline < 0 else newline + 1


def _empty_lines(data: bytes, at: int, end: int) -> list[Line]:
    lines: list[Line] = []
    while length := empty_line(data, at, end):
        lines.append(Line((Piece(at, at + length, "line end", Fault.EMPTY_LINE),)))
        at += length
    return lines


def _field_lines(data: bytes, at: int, end: int) -> tuple[list[Line], Fields]:
    """Read the lines after the start-line, the blank one included, and the fields that they hold."""
    lines: list[Line] = []
    names: list[str] = []
    values: list[list[str]] = []
    goes_on = False  # whether the line before has a value that a folded line may go on with
    while at < end:
        stop = _line_end(data, at, end)
        if empty_line(data, at, end):
            lines.append(final_line(at, stop))
            break
        line = field_line(data, at, stop, first=not names)
        lines.append(line)
        if line.name:
            names.append(line.name)
            values.append([line.value])
        elif line.folded and goes_on:
            values[-1].append(line.value)
        goes_on = bool(line.name) or (line.folded and goes_on)
        at = stop
    joined = (" ".join(part for part in parts if part) for parts in values)
    return lines, Fields(tuple(zip(names, joined, strict=True)))


def _value(said: RequestLine | StatusLine | None, fields: Fields) -> RequestHead | ResponseHead | None:
    if isinstance(said, RequestLine):
        return RequestHead(said.method, said.target, fields, said.version)
    if isinstance(said, StatusLine):
        return ResponseHead(said.status, said.reason, fields, said.version)
    return None


def _strict(data: bytes) -> RequestHead | ResponseHead:
    head = scan(data, limit=len(data))
    if head.faults:
        offset, fault = head.faults[0]
        raise WireError(f"byte {offset}: {fault}")
    if head.value is None:
        raise WireError(f"byte {head.end}: {Fault.CUT_SHORT}")
    if head.end != len(data):
        raise WireError(f"byte {head.end}: the head ends here and {len(data) - head.end} bytes follow it")
    return head.value
