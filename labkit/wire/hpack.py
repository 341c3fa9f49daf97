"""Field blocks of HTTP/2 decoded, with every field line kept where it stands (RFC 7541).

     1│index               one whole field line of the tables            6.1
     0 1│index, value      a literal, added to the dynamic table         6.2.1
     0 0 0 0│index, value  a literal that is not added                   6.2.2
     0 0 0 1│index, value  a literal that is never added by anyone       6.2.3
     0 0 1│size            a new size of the dynamic table               6.3

A decoder reads the blocks of one direction in order, for the table of one goes on into the next. It
never raises: what cannot be decoded is a sentence with its clause. What comes out is bounded.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from labkit.wire.huffman import BAD_PADDING, HAS_EOS, huffman_text

__all__ = [
    "MOST_BYTES", "MOST_LINES", "STATIC", "TABLE_SIZE", "Block", "Decoder", "FieldLine", "Form", "HpackFault",
    "Literal", "form_of", "integer", "literals",
]  # fmt: skip

TABLE_SIZE = 4096
"""The size of the dynamic table in bytes until a setting says more (RFC 9113, 6.5.2)."""
MOST_LINES, MOST_BYTES = 50_000, 16 << 20  # field lines, and bytes of them, that one decoder lets out

_OVERHEAD = 32  # bytes that an entry counts beside its name and value (RFC 7541, 4.1)

STATIC: tuple[tuple[bytes, bytes], ...] = tuple(
    (name.encode(), value.encode())
    for name, _, value in (
        row.partition("=")
        for row in (  # RFC 7541, A; the first has index 1
            ":authority", ":method=GET", ":method=POST", ":path=/", ":path=/index.html", ":scheme=http",
            ":scheme=https", ":status=200", ":status=204", ":status=206", ":status=304", ":status=400", ":status=404",
            ":status=500", "accept-charset", "accept-encoding=gzip, deflate", "accept-language", "accept-ranges",
            "accept", "access-control-allow-origin", "age", "allow", "authorization", "cache-control",
            "content-disposition", "content-encoding", "content-language", "content-length", "content-location",
            "content-range", "content-type", "cookie", "date", "etag", "expect", "expires", "from", "host", "if-match",
            "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "last-modified", "link",
            "location", "max-forwards", "proxy-authenticate", "proxy-authorization", "range", "referer", "refresh",
            "retry-after", "server", "set-cookie", "strict-transport-security", "transfer-encoding", "user-agent",
            "vary", "via", "www-authenticate",
        )
    )
)  # fmt: skip
"""The static table: names, and values where it has some (RFC 7541, A)."""


class Form(StrEnum):
    """How a field line stands in a block."""

    INDEXED = "indexed field line"
    ADDED = "literal, added to the dynamic table"
    PLAIN = "literal, not added to the table"
    NEVER = "literal, never to be added to a table"
    SIZE = "new size of the dynamic table"

    @property
    def clause(self) -> str:
        """Where the form is described."""
        return f"RFC 7541, {_CLAUSES[self]}"

    @property
    def prefix(self) -> int:
        """How many bits of its first byte belong to the index or the size."""
        return _PREFIXES[self]


_CLAUSES = {Form.INDEXED: "6.1", Form.ADDED: "6.2.1", Form.PLAIN: "6.2.2", Form.NEVER: "6.2.3", Form.SIZE: "6.3"}
_PREFIXES = {Form.INDEXED: 7, Form.ADDED: 6, Form.PLAIN: 4, Form.NEVER: 4, Form.SIZE: 5}
_FORMS = tuple(
    Form.INDEXED if byte & 0x80 else Form.ADDED if byte & 0x40 else Form.SIZE if byte & 0x20
    else Form.NEVER if byte & 0x10 else Form.PLAIN
    for byte in range(256)
)  # fmt: skip


def form_of(byte: int) -> Form:
    """Return the form of the field line that begins with a byte.

    >>> form_of(0x82).name
    'INDEXED'
    """
    return _FORMS[byte]


class HpackFault(StrEnum):
    """Why a field block cannot be decoded; each sentence names its clause."""

    SHORT = "the field block ends inside a field line (RFC 9113, 4.3)"
    INTEGER = "an integer goes on for longer than any that is needed (RFC 7541, 5.1)"
    ZERO = "index 0 stands for no field line (RFC 7541, 6.1)"
    INDEX = "neither table has an entry of this index (RFC 7541, 2.3.3)"
    PADDING = BAD_PADDING
    EOS = HAS_EOS
    LATE_SIZE = "a new table size may stand only before the first field line (RFC 7541, 4.2)"
    LARGE_SIZE = "a table size larger than the other side's SETTINGS allow (RFC 7541, 6.3)"


class FieldLine(NamedTuple):
    """One field line, or one new table size, at `start` to `end` of its block.

    `entry` is the index of the name, or of the whole line; 0 where the name is literal. Of a new table
    size it is the size.
    """

    start: int
    end: int
    form: Form
    entry: int
    name: bytes
    value: bytes


class Block(NamedTuple):
    """A field block decoded, as far as it goes: from `end` on it could not be.

    `fault` says why, where a rule is broken; `left` says so where none is.
    """

    lines: tuple[FieldLine, ...]
    end: int
    fault: HpackFault | None = None
    left: str = ""


class Literal(NamedTuple):
    """A string in a field line: where its length begins, where its bytes do, and whether it is Huffman-coded."""

    start: int
    text: int
    end: int
    huffman: bool


def integer(data: bytes, at: int, bits: int) -> tuple[int, int] | HpackFault:
    """Read an integer with a prefix of `bits` bits; return it and the offset behind it (RFC 7541, 5.1).

    >>> integer(bytes.fromhex("1f9a0a"), 0, 5)
    (1337, 3)
    """
    if at >= len(data):
        return HpackFault.SHORT
    most = (1 << bits) - 1
    value = data[at] & most
    if value < most:
        return value, at + 1
    for shift in range(0, 35, 7):
        at += 1
        if at >= len(data):
            return HpackFault.SHORT
        value += (data[at] & 0x7F) << shift
        if data[at] < 0x80:
            return value, at + 1
    return HpackFault.INTEGER


def _literal(data: bytes, at: int) -> Literal | HpackFault:
    """Return where a string stands; it may end behind the data."""
    read = integer(data, at, 7)
    if isinstance(read, HpackFault):
        return read
    size, text = read
    return Literal(at, text, text + size, data[at] >= 0x80)


def literals(data: bytes, at: int, form: Form) -> tuple[Literal, ...]:
    """Return the strings of the field line at `at` as far as they are there: its name's, if any, and its value's."""
    read = integer(data, at, form.prefix)
    if isinstance(read, HpackFault) or form in (Form.INDEXED, Form.SIZE):
        return ()
    index, at = read
    found: list[Literal] = []
    for _ in range(1 if index else 2):
        one = _literal(data, at)
        if isinstance(one, HpackFault):
            break
        found.append(one._replace(end=min(one.end, len(data))))
        at = one.end
    return tuple(found)


class _Table:
    """The dynamic table: the newest entry first (RFC 7541, 2.3.2 and 4)."""

    def __init__(self) -> None:
        self._rows: list[tuple[bytes, bytes]] = []  # the oldest first
        self._gone = 0  # rows at the front that are evicted
        self._size = 0
        self.most = TABLE_SIZE

    def __getitem__(self, place: int) -> tuple[bytes, bytes] | None:
        at = len(self._rows) - 1 - place
        return self._rows[at] if at >= self._gone else None

    def add(self, name: bytes, value: bytes) -> None:
        self._rows.append((name, value))
        self._size += len(name) + len(value) + _OVERHEAD
        self.evict()

    def evict(self) -> None:
        while self._size > self.most:
            name, value = self._rows[self._gone]
            self._rows[self._gone] = (b"", b"")
            self._size -= len(name) + len(value) + _OVERHEAD
            self._gone += 1
        if self._gone > len(self._rows) // 2 + 64:
            del self._rows[: self._gone]
            self._gone = 0


class Decoder:
    """Decodes the field blocks of one direction, one after the other.

    Args:
        most_table: the largest dynamic table in bytes that the other side's SETTINGS allow.
        most_lines: how many field lines to let out, all blocks together.
        most_bytes: how many bytes of names and values to let out.

    >>> [(line.name, line.value) for line in Decoder().block(bytes.fromhex("828684")).lines]
    [(b':method', b'GET'), (b':scheme', b'http'), (b':path', b'/')]
    """

    def __init__(
        self, most_table: int = TABLE_SIZE, most_lines: int = MOST_LINES, most_bytes: int = MOST_BYTES
    ) -> None:
        self._table = _Table()
        self._most_table = max(most_table, TABLE_SIZE)
        self._lines, self._bytes = most_lines, most_bytes
        self._lost = ""  # why no later block can be decoded either

    def block(self, data: bytes) -> Block:
        """Decode one whole field block."""
        if self._lost:
            return Block((), 0, None, self._lost)
        lines: list[FieldLine] = []
        at, fault, first = 0, None, True
        while at < len(data):
            if self._lines <= 0 or self._bytes < 0:
                self._lost = "not decoded: too many field lines come out (a limit of the lab)"
                return Block(tuple(lines), at, None, self._lost)
            line = self._line(data, at, first=first)
            if isinstance(line, HpackFault):
                fault = line
                self._lost = "not decoded: an earlier field block broke the tables (RFC 9113, 4.3)"
                break
            self._lines -= 1
            self._bytes -= len(line.name) + len(line.value)
            lines.append(line)
            at, first = line.end, first and line.form is Form.SIZE
        return Block(tuple(lines), at, fault)

    def _line(self, data: bytes, at: int, *, first: bool) -> FieldLine | HpackFault:
        form = _FORMS[data[at]]
        read = integer(data, at, _PREFIXES[form])
        if isinstance(read, HpackFault):
            return read
        if form is Form.SIZE:
            return self._resized(at, *read, first=first)
        if form is not Form.INDEXED:
            return self._literal(data, at, form, *read)
        row = self._row(read[0])
        return row if isinstance(row, HpackFault) else FieldLine(at, read[1], form, read[0], *row)

    def _literal(self, data: bytes, at: int, form: Form, entry: int, end: int) -> FieldLine | HpackFault:
        named = self._named(entry, end) if entry else _string(data, end)
        if isinstance(named, HpackFault):
            return named
        name, value_at = named
        told = _string(data, value_at)
        if isinstance(told, HpackFault):
            return told
        if form is Form.ADDED:
            self._table.add(name, told[0])
        return FieldLine(at, told[1], form, entry, name, told[0])

    def _named(self, entry: int, end: int) -> tuple[bytes, int] | HpackFault:
        row = self._row(entry)
        return row if isinstance(row, HpackFault) else (row[0], end)

    def _row(self, entry: int) -> tuple[bytes, bytes] | HpackFault:
        if not entry:
            return HpackFault.ZERO
        row = STATIC[entry - 1] if entry <= len(STATIC) else self._table[entry - len(STATIC) - 1]
        return row or HpackFault.INDEX

    def _resized(self, at: int, size: int, end: int, *, first: bool) -> FieldLine | HpackFault:
        if not first:
            return HpackFault.LATE_SIZE
        if size > self._most_table:
            return HpackFault.LARGE_SIZE
        self._table.most = size
        self._table.evict()
        return FieldLine(at, end, Form.SIZE, size, b"", b"")


def _string(data: bytes, at: int) -> tuple[bytes, int] | HpackFault:
    found = _literal(data, at)
    if isinstance(found, HpackFault):
        return found
    _, start, end, huffman = found
    if end > len(data):
        return HpackFault.SHORT
    text = data[start:end]
    if not huffman:
        return text, end
    told = huffman_text(text)
    return HpackFault(told) if isinstance(told, str) else (told, end)
