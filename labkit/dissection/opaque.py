"""Bytes that are taken apart no further than into records, or not at all."""

from __future__ import annotations

from dataclasses import dataclass

from labkit.dissection.spans import Span

__all__ = ["OpaquePart"]


@dataclass(frozen=True, slots=True)
class OpaquePart:
    """Bytes of a protocol that the lab does not take apart, one record of it, or bytes that are none at all.

    `inside` is what a record is made of, without gap or overlap; empty where the part is its one leaf.
    """

    start: int
    end: int
    label: str
    meaning: str = ""
    clause: str = ""
    fault: str = ""
    inside: tuple[Span, ...] = ()

    @property
    def name(self) -> str:
        """A few words for it."""
        return f"{self.label}, {self.end - self.start} bytes"

    def span(self) -> Span:
        """Return it as a span."""
        return Span(self.start, self.end, self.label, self.meaning, self.clause, self.fault, parts=self.inside)
