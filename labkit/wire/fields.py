"""Field lines: names, values and the lists in them (RFC 9110, section 5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from labkit.errors import WireError

__all__ = ["Fields", "elements", "text_bytes"]

Pair = tuple[str, str]


def text_bytes(text: str) -> bytes:
    r"""Return the bytes of a head's text, one per character (ISO 8859-1).

    Raises:
        WireError: a character stands for no single byte; it is named.

    >>> text_bytes("é")
    b'\xe9'
    """
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError as error:
        near = text[max(0, error.start - 20) : error.start + 20]
        raise WireError(f"{text[error.start]!r} in {near!r} is no single byte of ISO 8859-1") from None


def elements(value: str) -> list[str]:
    """Split a list-based field value at its commas; empty elements are dropped (RFC 9110, 5.6.1.2).

    Commas inside a quoted string do not split (RFC 9110, 5.6.4).

    >>> elements('keep-alive, , Upgrade')
    ['keep-alive', 'Upgrade']
    >>> elements('a;x="1,2", b')
    ['a;x="1,2"', 'b']
    """
    parts = _split_outside_quotes(value) if '"' in value else value.split(",")
    return [part for raw in parts if (part := raw.strip(" \t"))]


def _split_outside_quotes(value: str) -> list[str]:
    parts: list[str] = []
    begin, quoted, escaped = 0, False, False
    for place, char in enumerate(value):
        if char == "," and not quoted:
            parts.append(value[begin:place])
            begin = place + 1
        elif char == '"' and not escaped:
            quoted = not quoted
        escaped = quoted and char == "\\" and not escaped
    return [*parts, value[begin:]]


@dataclass(frozen=True, slots=True)
class Fields:
    """The field lines of one head, in order, with names compared without case (RFC 9110, 5.1).

    Names and values are text of one character per byte (ISO 8859-1).

    >>> fields = Fields.of([("Connection", "keep-alive"), ("connection", "Upgrade")])
    >>> fields.get("CONNECTION")
    'keep-alive, Upgrade'
    >>> fields.elements("Connection")
    ['keep-alive', 'Upgrade']
    """

    lines: tuple[Pair, ...] = ()
    _index: dict[str, list[str]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, lines: Iterable[Pair]) -> Fields:
        """Make fields from (name, value) pairs."""
        return cls(tuple((name, value) for name, value in lines))

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self.lines)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self.all(name))

    def all(self, name: str) -> list[str]:
        """Return every value of `name`, a line each, in order."""
        if not self._index:  # made at the first look: a head is asked for many names
            index: dict[str, list[str]] = {}
            for own, value in self.lines:
                index.setdefault(own.lower(), []).append(value)
            self._index.update(index)  # at once, so that no other thread sees half of it
        return list(self._index.get(name.lower(), ()))

    def get(self, name: str) -> str | None:
        """Return the value of `name`, its lines joined by a comma (RFC 9110, 5.3); None where absent."""
        values = self.all(name)
        return ", ".join(values) if values else None

    def elements(self, name: str) -> list[str]:
        """Return the list elements of `name` over all its lines."""
        return [element for value in self.all(name) for element in elements(value)]

    def without(self, name: str) -> Fields:
        """Return these fields less every line of `name`."""
        return Fields(tuple(line for line in self.lines if line[0].lower() != name.lower()))

    def with_line(self, name: str, value: str) -> Fields:
        """Return these fields with one more line at the end."""
        return Fields((*self.lines, (name, value)))

    def replaced(self, name: str, value: str) -> Fields:
        """Return these fields with `name` set to `value`, in the place of its first line."""
        lines: list[Pair] = []
        done = False
        for line in self.lines:
            if line[0].lower() != name.lower():
                lines.append(line)
            elif not done:
                lines.append((name, value))
                done = True
        return Fields(tuple(lines)) if done else self.with_line(name, value)

    def to_bytes(self) -> bytes:
        """Return the field lines as they stand in a head, each ended by CR LF (RFC 9112, 5).

        Raises:
            WireError: a name or value holds a character that is no single byte.
        """
        return text_bytes("".join(f"{name}: {value}\r\n" for name, value in self.lines))
