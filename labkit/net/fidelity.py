"""Models held against the real programs: every cell of the grid run and simulated, and the outcomes compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from labkit.cases.grid import Cell, cells
from labkit.cases.outcome import Difference, differences, outcome
from labkit.errors import Unmodelled
from labkit.net.programs import find
from labkit.net.run import run
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Trace

__all__ = ["Held", "Report", "Weighed", "hold", "hold_all", "weigh"]

_AT_ONCE = 4  # cells: most of their time is spent waiting


@dataclass(frozen=True)
class Weighed:
    """A scenario that was run and simulated, and what differs.

    Args:
        real: what the programs did.
        model: what the models say; None where one refuses to answer.
        refused: why it refuses; empty where all answer.
        differences: what differs; none where they agree.
    """

    real: Trace
    model: Trace | None
    refused: str = ""
    differences: tuple[Difference, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether the models answered, and as the programs did."""
        return self.model is not None and not self.differences


@dataclass(frozen=True, kw_only=True)
class Held(Weighed):
    """One cell, held against the real program.

    Args:
        cell: which one.
    """

    cell: Cell

    def __str__(self) -> str:
        if self.refused:
            return f"refused    {self.cell.name}: {self.refused}"
        first = f"{'equal' if self.equal else 'different':10} {self.cell.name}"
        return "\n".join([first, *map(str, self.differences)])


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


def weigh(scenario: Scenario) -> Weighed:
    """Run a scenario with the real programs, simulate it with the lab's own client, and compare.

    Raises:
        Absent: a program is not on this machine.
        Failed: a program does not start, or nothing listens and no proxy is asked.
        WrongUse: the client cannot say this offer.

    >>> weigh(Scenario()).equal
    True
    """
    real = run(scenario, proxies="real")
    try:
        model = simulate(replace(scenario, client="lab"))
    except Unmodelled as error:
        return Weighed(real, None, str(error))
    return Weighed(real, model, "", differences(outcome(real), outcome(model)))


def hold(cell: Cell) -> Held:
    """Run a cell with the real program, simulate it, and compare.

    Raises:
        Absent: the program is not on this machine.
    """
    found = weigh(cell.scenario)
    return Held(found.real, found.model, found.refused, found.differences, cell=cell)


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
