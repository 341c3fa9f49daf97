"""The pieces a dissection is made of: spans of bytes, and the bit fields inside a byte."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Bits", "Span"]


@dataclass(frozen=True, slots=True)
class Bits:
    """A named bit field inside one byte: its bits as written ("0001") and what they mean."""

    name: str
    bits: str
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes from `start` to `end` of one direction, what they are and where that is written.

    A span with `parts` is made of them, without gap or overlap; one without is a leaf.

    Args:
        start: offset of the first byte in the direction's stream.
        end: offset after the last byte.
        label: the grammar's name for it.
        meaning: what it says here, in this exchange.
        clause: where that is written.
        fault: what is wrong with it, with the clause it breaks; empty where nothing is.
        bits: the bit fields of a one-byte leaf.
        parts: the spans it is made of.
    """

    start: int
    end: int
    label: str
    meaning: str = ""
    clause: str = ""
    fault: str = ""
    bits: tuple[Bits, ...] = ()
    parts: tuple[Span, ...] = ()

    def leaves(self) -> tuple[Span, ...]:
        """Return the leaves below this span, in order; joined, they are its bytes (the partition law).

        >>> Span(0, 3, "line", parts=(Span(0, 1, "a"), Span(1, 3, "b"))).leaves()[1].label
        'b'
        """
        if not self.parts:
            return (self,)
        return tuple(leaf for part in self.parts for leaf in part.leaves())

    def walk(self) -> Iterator[Span]:
        """Yield this span and every one below it, in order."""
        yield self
        for part in self.parts:
            yield from part.walk()

    def faults(self) -> tuple[str, ...]:
        """Return every fault in this span and below, in order."""
        return tuple(span.fault for span in self.walk() if span.fault)
