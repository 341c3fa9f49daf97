"""What the check found: which rule, whose fault, on which bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

from labkit.rules.rule import Rule
from labkit.trace import Direction

__all__ = ["Finding", "Findings"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that was broken, or something worth a note.

    Args:
        rule: the rule.
        party: who is at fault: the name of the party that sent the bytes.
        hop: the hop's place in the trace.
        direction: the direction of the bytes.
        start: offset of the first byte concerned, in that direction.
        end: offset after the last.
        seen: what was seen, in a few words.
        note: whether it is worth knowing only, and breaks nothing.
        more: how many more of the same kind were found and are not told one by one.
    """

    rule: Rule
    party: str
    hop: int
    direction: Direction
    start: int
    end: int
    seen: str
    note: bool = False
    more: int = 0

    @property
    def serious(self) -> bool:
        """Whether a MUST that the switch hangs on is broken."""
        return not self.note and self.rule.switch and self.rule.level.strict

    def __str__(self) -> str:
        more = f" (and {self.more:,} more)" if self.more else ""
        said = f"{self.rule.id} {self.rule.level}, {self.party}: {self.seen}{more} ({self.rule.clause})"
        return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in said)


@dataclass(frozen=True)
class Findings(Sequence[Finding]):
    """All that was found in a trace, what the switch hangs on first. Empty where nothing is wrong.

    Args:
        found: the findings.
        notes: what is worth knowing and breaks nothing.
    """

    found: tuple[Finding, ...] = ()
    notes: tuple[Finding, ...] = ()

    @overload
    def __getitem__(self, place: int) -> Finding: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Finding, ...]: ...
    def __getitem__(self, place: int | slice) -> Finding | tuple[Finding, ...]:
        return self.found[place]

    def __len__(self) -> int:
        return len(self.found)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.found)

    @property
    def ids(self) -> tuple[str, ...]:
        """The rules that are broken, each once, in order."""
        return tuple(dict.fromkeys(finding.rule.id for finding in self.found))

    @property
    def serious(self) -> bool:
        """Whether a MUST that the switch hangs on is broken."""
        return any(finding.serious for finding in self.found)

    def __repr__(self) -> str:
        many = f"{len(self)} finding{'' if len(self) == 1 else 's'}"
        return f"<{many}{': ' if self.ids else ''}{', '.join(self.ids)}>"
