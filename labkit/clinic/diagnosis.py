"""A diagnosis: the likeliest cause, who, the clause, what to change, and what proves it. Five answers."""

from __future__ import annotations

from dataclasses import dataclass, field

from labkit.render.html import table
from labkit.render.measure import clean, wrap
from labkit.trace import Trace

__all__ = ["Diagnosis"]

_WIDTH = 96
_NAME = 9  # columns of the first words
_MOST_LINES = 8  # of one answer
_COLUMNS = ("question", "answer")


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """Why an upgrade fails. Draws itself as five answers.

    Args:
        cause: the likeliest cause, in a sentence.
        who: the party at fault, and where: "proxy, line 4".
        clause: where it is written what ought to be.
        change: what to change, a line each.
        proof: a command that proves it, and what was proved here.
        others: what else it could be, the likelier first.
        mended: the whole configuration, mended; empty where there was none.
        broken: what crossed the wire before; None where nothing was run.
        fixed: what crosses it once mended; None where nothing was run.
        ok: whether nothing is wrong, as far as could be seen.
    """

    cause: str
    who: str
    clause: str
    change: tuple[str, ...]
    proof: str
    others: tuple[str, ...] = ()
    mended: str = field(default="")
    broken: Trace | None = None
    fixed: Trace | None = None
    ok: bool = False

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """Its lines, each with the question that it answers."""
        return (
            ("cause", self.cause),
            ("who", self.who),
            ("clause", self.clause),
            ("change", "\n".join(self.change)),
            ("proof", self.proof),
        )

    def __str__(self) -> str:
        lines = [line for name, text in self.rows for line in _lines(name, text)]
        return "\n".join([*lines, *(line for other in self.others for line in _lines("or else", other))])

    def __repr__(self) -> str:
        return f"<Diagnosis: {clean(self.cause, 80)}>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        rows = [*self.rows, *(("or else", other) for other in self.others)]
        return {"text/plain": str(self), "text/html": table(_COLUMNS, rows)}


def _lines(name: str, text: str) -> list[str]:
    """Return one answer in lines, those after the first set in."""
    found = [line for part in text.split("\n") for line in wrap(part, _WIDTH - _NAME, _MOST_LINES)] or [""]
    return [f"{name if place == 0 else '':{_NAME}}{line}".rstrip() for place, line in enumerate(found)]
