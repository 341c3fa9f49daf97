"""What is wrong with the bytes that are drawn: findings of the check, and faults of the dissection.

Where a finding speaks of the same bytes as a fault, the finding replaces it: it says more. A note
replaces nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labkit.dissection import Span
from labkit.render.measure import clean
from labkit.trace import Direction

if TYPE_CHECKING:
    from labkit.rules import Finding

__all__ = ["SIGNS", "Mark", "Marks", "byte_range", "level_of", "told"]

SIGNS = {"must": "✗", "should": "!", "note": "•"}
"""The sign of each level, as a character that every font has; a picture draws it instead."""

_MOST_SEEN = 90  # characters of what was seen, so that the clause behind it has room; the table tells it all


@dataclass(frozen=True, slots=True)
class Mark:
    """A line that says what is wrong; `level` is "must", "should" or "note", and decides sign and colour."""

    text: str
    level: str = "must"

    def __str__(self) -> str:
        return f"{SIGNS[self.level]} {self.text}"


def level_of(finding: Finding) -> str:
    """Return the level under which a finding is drawn."""
    return "note" if finding.note else "must" if finding.rule.level.strict else "should"


def told(finding: Finding) -> str:
    """Return a finding in a line: "W24 MUST server: no Sec-WebSocket-Accept (RFC 6455, 4.2.2)"."""
    level = "note" if finding.note else str(finding.rule.level)
    more = f", and {finding.more:,} more like it" if finding.more else ""
    seen = f"{clean(finding.party, 40)}: {clean(finding.seen, _MOST_SEEN)}{more}"
    return f"{finding.rule.id} {level} {seen} ({finding.rule.clause})"


def byte_range(start: int, end: int) -> str:
    """Return a range of bytes in words, first and last.

    >>> byte_range(4, 5), byte_range(4, 6)
    ('byte 4', 'bytes 4 to 5')
    """
    return f"byte {start:,}" if end - start == 1 else f"bytes {start:,} to {end - 1:,}"


class Marks:
    """The findings of a trace by the bytes they concern; each belongs to what holds its first byte."""

    def __init__(self, findings: Iterable[Finding] = ()) -> None:
        self._by: dict[tuple[int, Direction], list[tuple[int, int, Finding]]] = {}
        for place, finding in enumerate(findings):
            self._by.setdefault((finding.hop, finding.direction), []).append((finding.start, place, finding))
        for found in self._by.values():
            found.sort(key=lambda entry: entry[:2])

    def at(self, hop: int, way: Direction, start: int, end: int) -> list[Finding]:
        """Return the findings whose first byte is one of these, in the order of the check."""
        found = self._by.get((hop, way), [])
        first, last = (bisect_left(found, at, key=lambda entry: entry[0]) for at in (start, end))
        return [finding for _, _, finding in sorted(found[first:last], key=lambda entry: entry[1])]

    def left(self, hop: int, way: Direction, spans: Iterable[Span]) -> Iterator[Mark]:
        """Yield the faults of spans that no finding speaks of; it speaks of others of the same words, too."""
        found = [(start, finding.end) for start, _, finding in self._by.get((hop, way), ()) if not finding.note]
        faulty = [(span.start, max(span.end, span.start + 1), span.fault) for span in spans if span.fault]
        silent = {fault for begin, end, fault in faulty if any(start < end and begin < stop for start, stop in found)}
        yield from (Mark(fault) for _, _, fault in faulty if fault not in silent)

    def on(self, hop: int, way: Direction, here: Iterable[Finding], spans: Iterable[Span]) -> tuple[Mark, ...]:
        """Return what is wrong, as lines: the findings `here`, the faults of `spans` that are left, then the notes."""
        lines = [Mark(told(finding), level_of(finding)) for finding in here]
        notes = tuple(line for line in lines if line.level == "note")
        return (*(line for line in lines if line.level != "note"), *self.left(hop, way, spans), *notes)
