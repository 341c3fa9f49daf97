"""Models held against the real programs: every cell of the grid run and simulated, and the outcomes compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from labkit.cases.grid import Cell, cells
from labkit.cases.outcome import differences, outcome
from labkit.errors import Unmodelled
from labkit.net.programs import find
from labkit.net.run import run
from labkit.simulation import simulate
from labkit.trace import Trace

__all__ = ["Held", "Report", "hold", "hold_all"]

_AT_ONCE = 4  # cells: most of their time is spent waiting


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


@dataclass(frozen=True)
class Report:
    """All cells that were held against the real programs.

    Args:
        held: each of them.
        versions: of the real programs, by the grid's names.
        models: the versions that the models were made from, likewise.
    """

    held: tuple[Held, ...]
    versions: Mapping[str, str]
    models: Mapping[str, str]

    @property
    def different(self) -> tuple[Held, ...]:
        """The cells in which the model is wrong."""
        return tuple(each for each in self.held if each.differences)

    @property
    def refused(self) -> tuple[Held, ...]:
        """The cells that the model refuses to answer."""
        return tuple(each for each in self.held if each.refused)

    def __str__(self) -> str:
        count, refused, different = len(self.held), len(self.refused), len(self.different)
        programs = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        equal = count - refused - different
        told = f"{count} cells held against {programs}: {equal} equal, {refused} refused, {different} different"
        others = [
            f"{name} {version}" for name, version in self.models.items() if version.split()[0] != self.versions[name]
        ]
        if not others:
            return told
        return f"{told}\nThe models are of {', '.join(others)}: what differs may be what a newer program does otherwise"


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


def hold_all(chosen: Iterable[Cell] | None = None, told: Callable[[Held], None] = lambda _: None) -> Report:
    """Hold every cell, or those that are chosen, against the real programs; several at a time, told in order.

    Args:
        chosen: some of the cells; all unless told.
        told: called with each as it is done.

    Raises:
        Absent: a program is not on this machine.
    """
    wanted = list(cells() if chosen is None else chosen)
    found = []
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="labkit fidelity") as pool:
        try:
            for held in pool.map(hold, wanted):
                told(held)
                found.append(held)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    first = {cell.program: cell.scenario.via[0] for cell in reversed(wanted)}
    versions = {name: find(proxy.program).version for name, proxy in first.items()}
    return Report(tuple(found), versions, {name: proxy.model().version for name, proxy in first.items()})
