"""The verdict of the rules on a trace: `check(trace)`, drawn as a table, in the diagram and in the bytes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from labkit.dissection import Dissection, dissect
from labkit.errors import WrongUse
from labkit.render.headline import headline
from labkit.render.layout import step_name
from labkit.render.marks import SIGNS, byte_range, level_of
from labkit.render.measure import clean, wrap
from labkit.rules import RULES, Finding, Findings
from labkit.rules import check as look
from labkit.trace import Trace

if TYPE_CHECKING:
    from labkit.render.diagram import Diagram
    from labkit.render.explain import Explanation

__all__ = ["MOST", "Group", "Told", "Verdict", "check", "judged"]

MOST = 40
"""The most findings and notes that the table tells one by one."""


def check(trace: Trace) -> Verdict:
    r"""Hold a trace against every rule that a trace can show; never raises, whatever the bytes are.

    Raises:
        WrongUse: it is no trace, but the name of a file, say.

    >>> from labkit.trace import Direction, Transfer
    >>> ask = b"GET / HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: quote\r\n\r\n"
    >>> verdict = check(Trace((Transfer(0, Direction.TO_SERVER, ask),)))
    >>> verdict.ids, verdict.serious
    (('G02',), True)
    """
    if not isinstance(trace, Trace):
        file = repr(str(trace)) if isinstance(trace, (str, PurePath)) else "…"
        raise WrongUse(f"what is checked is a Trace, not {trace!r}: load it first: labkit.load({file})")
    return judged(dissect(trace))


def judged(dissection: Dissection) -> Verdict:
    """Do what `check` does, where a trace has been taken apart already."""
    found, checked = look(dissection), sum(1 for rule in RULES if rule.check)
    return Verdict(found.found, found.notes, trace=dissection.trace, checked=checked, outcome=headline(dissection))


@dataclass(frozen=True, slots=True)
class Told:
    """A finding in words, as a row of the table.

    Args:
        level: "must", "should" or "note"; decides sign and colour.
        word: the level in words.
        rule: the rule's id.
        party: who is at fault.
        seen: what was seen.
        way: who sent the bytes to whom; on several hops the hop's letter before them.
        bytes: their range in this direction.
        asks: what the rule asks, with its clause.
        mend: what would mend it; "" for a note.
    """

    level: str
    word: str
    rule: str
    party: str
    seen: str
    way: str
    bytes: str
    asks: str
    mend: str


@dataclass(frozen=True, slots=True)
class Group:
    """Rows under a heading."""

    heading: str
    rows: tuple[Told, ...]


@dataclass(frozen=True, kw_only=True, repr=False)
class Verdict(Findings):
    """What the check found in a trace: its findings, and how to show them. False where nothing is broken.

    It draws itself as a table; `diagram()` and `bytes()` show the findings where they belong.

    Args:
        trace: what was checked.
        checked: how many rules were checked.
        outcome: how the exchange ended, in a few words, as above its diagram.
    """

    trace: Trace
    checked: int
    outcome: str

    @property
    def strict(self) -> bool:
        """Whether any MUST is broken."""
        return any(finding.rule.level.strict for finding in self)

    @property
    def summary(self) -> str:
        """How the exchange ended, and the counts."""
        levels = Counter("MUST" if finding.rule.level.strict else "SHOULD" for finding in self)
        counts = ", ".join(f"{levels[name]} {name}" for name in ("MUST", "SHOULD") if levels[name])
        found = f"{len(self)} finding{'' if len(self) == 1 else 's'}: {counts}" if self else "nothing broken"
        notes = f"{len(self.notes)} note{'' if len(self.notes) == 1 else 's'}" if self.notes else ""
        counted = "; ".join(part for part in (found, notes, f"{self.checked} rules were checked") if part)
        return f"{self.outcome}. {counted[0].upper()}{counted[1:]}"

    @property
    def groups(self) -> tuple[Group, ...]:
        """The rows of the table: what the switch hangs on, the others, the notes; no more than `MOST`."""
        room = MOST
        found = []
        for heading, findings in (
            ("the switch hangs on these", [each for each in self if each.rule.switch]),
            ("the switch does not hang on these", [each for each in self if not each.rule.switch]),
            ("worth a note; nothing is broken", list(self.notes)),
        ):
            if findings and room:
                found.append(Group(heading, tuple(self.told(each) for each in findings[:room])))
            room -= min(room, len(findings))
        return tuple(found)

    @property
    def left(self) -> str:
        """What the table leaves out, as a line; "" where it leaves out nothing."""
        more = len(self) + len(self.notes) - MOST
        return f"and {more:,} more" if more > 0 else ""

    def told(self, finding: Finding) -> Told:
        """Return one of the findings or notes in words."""
        rule, hops = finding.rule, self.trace.hops
        hop = hops[finding.hop]
        letter = f"hop {step_name(0, finding.hop, len(hops))[1:]}: " if len(hops) > 1 else ""
        way = " → ".join(clean(name, 40) for name in (hop.sender(finding.direction), hop.receiver(finding.direction)))
        more = f" (and {finding.more:,} more like it)" if finding.more else ""
        return Told(
            level=level_of(finding),
            word="note" if finding.note else str(rule.level),
            rule=rule.id,
            party=clean(finding.party, 40),
            seen=f"{clean(finding.seen)}{more}",
            way=f"{letter}{way}",
            bytes=byte_range(finding.start, finding.end),
            asks=f"{rule.text.removesuffix('.')} ({rule.clause})",
            mend="" if finding.note else rule.mend,
        )

    def diagram(self, *, keep_secrets: bool = False) -> Diagram:
        """Return the sequence diagram with every finding on its message; see `labkit.diagram`."""
        from labkit.render.diagram import diagram  # noqa: PLC0415  a table needs none of it

        return diagram(self.trace, keep_secrets=keep_secrets, findings=self)

    def bytes(self, **options: Any) -> Explanation:
        """Return every byte explained, with every finding at its bytes; see `labkit.explain` for the options."""
        from labkit.render.explain import explain  # noqa: PLC0415

        return explain(self.trace, findings=(*self, *self.notes), **options)

    def text(self, width: int = 80) -> str:
        """Return the table as text, `width` columns wide: a block for each finding."""
        lines = wrap(self.summary, width, 3)
        for group in self.groups:
            lines += ["", *wrap(f"── {group.heading}", width, 2, indent=3)]
            for row in group.rows:
                lines += ["", *_block(row, width)]
        return "\n".join([*lines, *(["", self.left] if self.left else [])])

    def html(self) -> str:
        """Return the table as HTML that needs no style."""
        from labkit.render.html import verdict_table  # noqa: PLC0415

        return verdict_table(self)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        notes = f"; {len(self.notes)} noted" if self.notes else ""
        return f"<Verdict: {', '.join(self.ids) or 'nothing broken'}{notes}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002
        return {"text/plain": self.text(), "text/html": self.html()}


_LABEL = 16  # columns, for the level and the rule, or for what a line tells
_LINES = 6  # the most of one cell


def _block(row: Told, width: int) -> list[str]:
    cells = (
        (f"{SIGNS[row.level]} {row.word} {row.rule}", f"{row.party}: {row.seen}"),
        ("  where", f"{row.way}, {row.bytes}"), ("  the rule", row.asks), ("  to mend", row.mend),
    )  # fmt: skip
    return [
        f"{label if not number else '':{_LABEL}}  {piece}"
        for label, cell in cells
        if cell
        for number, piece in enumerate(wrap(cell, width - _LABEL - 2, _LINES))
    ]
