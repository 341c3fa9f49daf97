"""The target that a measurement is held against, and the turns that its values come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from labkit.measured import Measurement, shown

__all__ = ["Missing", "Row", "Target", "alternate", "costs", "ratios", "taking_turns"]

Action = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Target:
    """What a median should be: at least `bound`, or at most.

    >>> Target(2.0).reached(2.5), Target(10.0, at_least=False).reached(12.0)
    (True, False)
    """

    bound: float
    at_least: bool = True

    def reached(self, value: float) -> bool:
        """Tell whether `value` is on the right side of the bound."""
        return value >= self.bound if self.at_least else value <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:,g}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a figure, its target if it has one, and the measurements that it was made of."""

    figure: Measurement
    target: Target | None
    beside: tuple[Measurement, ...] = ()

    @property
    def reached(self) -> bool:
        """Whether the median reached the target; what has none is not held against any."""
        return self.target is None or self.target.reached(self.figure.median)

    def __str__(self) -> str:
        verdict = "reached" if self.reached else "NOT reached"
        if self.target is None:
            verdict, target = "no target", ""
        else:
            target = f"{self.target} {self.figure.unit}"
        beside = "; ".join(f"{each.name} {shown(each.median)} {each.unit}" for each in self.beside)
        line = f"{self.figure.name:<51} {self.figure!s:<41} {target:<13} {verdict:<12}"
        return f"{line} {beside}".rstrip()

    def as_data(self) -> dict[str, Any]:
        """Return it as plain data, every value kept."""
        return {
            "name": self.figure.name,
            "unit": self.figure.unit,
            "median": self.figure.median,
            "target": None if self.target is None else str(self.target),
            "reached": self.reached,
            "values": list(self.figure.values),
            "beside": [{"name": m.name, "unit": m.unit, "values": list(m.values)} for m in self.beside],
        }


@dataclass(frozen=True, slots=True)
class Missing:
    """A line of the table that could not be measured, because something is not on this machine.

    >>> print(Missing("echo: labkit ÷ aiohttp", "absent: pip install aiohttp"))
    echo: labkit ÷ aiohttp                              absent: pip install aiohttp
    """

    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.name:<51} {self.why}"

    def as_data(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"name": self.name, "absent": self.why}


def alternate(rounds: int, *actions: Action) -> list[tuple[float, ...]]:
    """Take turns: one round to warm up, then `rounds` rounds, every other one backwards.

    Returns:
        For each action what it returned, round by round.

    >>> numbers = iter(range(9))
    >>> alternate(2, lambda: next(numbers), lambda: next(numbers))
    [(2, 5), (3, 4)]
    """
    results: list[list[float]] = [[] for _ in actions]
    for number, which in taking_turns(rounds, len(actions)):
        value = actions[which]()
        if number >= 0:
            results[which].append(value)
    return [tuple(values) for values in results]


def taking_turns(rounds: int, count: int) -> Iterator[tuple[int, int]]:
    """Yield the round and whose turn it is: round -1 is to warm up, and every other round goes backwards.

    >>> list(taking_turns(1, 2))
    [(-1, 1), (-1, 0), (0, 0), (0, 1)]
    """
    for number in range(-1, rounds):
        turns = range(count)
        for which in reversed(turns) if number % 2 else turns:
            yield number, which


def ratios(upper: Sequence[float], lower: Sequence[float]) -> tuple[float, ...]:
    """Divide round by round.

    >>> ratios([6.0, 8.0], [3.0, 2.0])
    (2.0, 4.0)
    """
    return tuple(one / other for one, other in zip(upper, lower, strict=True))


def costs(rates: Sequence[float], free: Sequence[float]) -> tuple[float, ...]:
    """Return by how many per cent each rate is below the one without the cost.

    >>> costs([50.0], [100.0])
    (50.0,)
    """
    return tuple(100 * (1 - ratio) for ratio in ratios(rates, free))
