"""Models held against the real programs: every cell of the grid run and simulated, and the outcomes compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from labkit.cases.grid import Cell, cells
from labkit.cases.outcome import differences, outcome
from labkit.errors import Unmodelled
from labkit.net.run import run
from labkit.simulation import simulate
from labkit.trace import Trace

__all__ = ["Held", "hold", "hold_all"]


@dataclass(frozen=True)
class Held:
    """One cell, held against the real program.

    Args:
        cell: which one.
        real: what the program did.
        model: what the model says; None where it refuses to answer.
        refused: why it refuses; empty where it answers.
        differences: what differs, a sentence each; none where they agree.
    """

    cell: Cell
    real: Trace
    model: Trace | None
    refused: str = ""
    differences: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether the model answered, and as the program did."""
        return self.model is not None and not self.differences

    def __str__(self) -> str:
        if self.refused:
            return f"refused    {self.cell.name}: {self.refused}"
        return "\n".join([f"{'equal' if self.equal else 'different':10} {self.cell.name}", *self.differences])


def hold(cell: Cell) -> Held:
    """Run a cell with the real program, simulate it, and compare.

    Raises:
        Absent: the program is not on this machine.
    """
    real = run(cell.scenario, proxies="real")
    try:
        model = simulate(cell.scenario)
    except Unmodelled as error:
        return Held(cell, real, None, str(error))
    return Held(cell, real, model, "", differences(outcome(real), outcome(model)))


def hold_all(chosen: Iterable[Cell] | None = None, told: Callable[[Held], None] = lambda _: None) -> tuple[Held, ...]:
    """Hold every cell, or those that are chosen, against the real programs.

    Args:
        chosen: some of the cells; all unless told.
        told: called with each as it is done.
    """
    found = []
    for cell in cells() if chosen is None else chosen:
        held = hold(cell)
        told(held)
        found.append(held)
    return tuple(found)
