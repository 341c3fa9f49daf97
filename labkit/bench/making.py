"""A study that is being made: what is measured, whose turn it is, and the values so far."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from labkit.bench.children import Refuted
from labkit.bench.machine import machine
from labkit.bench.measurement import taking_turns
from labkit.measured import Measurement, Study

__all__ = ["Making", "Progress", "Told", "Turn", "What"]


class What(NamedTuple):
    """What is measured: a `Measurement` without its values.

    >>> print(What("round trip", "ms", "raw", "nginx", 64))
    raw through nginx, 64 bytes
    """

    name: str
    unit: str
    way: str
    via: str = ""
    size: int | None = None
    connections: int = 1

    def __str__(self) -> str:
        via = {"": "", "untraced": ", untraced", "tap": " through a tap"}.get(self.via, f" through {self.via}")
        size = "" if self.size is None else f", {self.size:,} bytes"
        many = f", {self.connections} connections" if self.connections > 1 else ""
        return f"{self.way}{via}{size}{many}"


class Turn(NamedTuple):
    """One turn of a round, and what its values are of."""

    of: tuple[What, ...]
    take: Callable[[], tuple[Sequence[float], ...]]


@dataclass(frozen=True)
class Progress:
    """How far a study is: turns that were taken, of how many, whose the newest was, and the study so far."""

    name: str
    done: int
    of: int
    now: str
    _so_far: Callable[[], Study] = field(repr=False)

    @property
    def study(self) -> Study:
        """What was measured so far, to be drawn while it goes on."""
        return self._so_far()


Told = Callable[[Progress], object]
"""Takes a `Progress` after each turn."""


class Making:
    """A study that is being made.

    Args:
        name: of the study.
        quick: whether it is made of a few rounds only.
        told: called after each turn.
    """

    def __init__(self, name: str, *, quick: bool, told: Told) -> None:
        self.name = name
        self.quick = quick
        self.machine = machine()
        self._told = told
        self._notes: list[str] = []
        self._values: dict[What, list[float]] = {}
        self._at: dict[What, tuple[float, ...]] = {}
        self._date = dt.datetime.now(tz=dt.UTC).date().isoformat()

    @property
    def begun(self) -> bool:
        """Whether there is any value."""
        return any(self._values.values())

    def note(self, text: str) -> None:
        """Say something of it, once."""
        if text not in self._notes:
            self._notes.append(text)

    def study(self) -> Study:
        """Return what there is so far."""
        found = (
            Measurement(
                what.name,
                what.unit,
                tuple(values),
                what.way,
                what.via,
                what.size,
                what.connections,
                self._at.get(what, ()),
            )
            for what, values in self._values.items()
            if values
        )
        return Study(self.name, tuple(found), self.machine, self._date, self.quick, "; ".join(self._notes))

    def alternate(self, rounds: int, turns: Sequence[Turn]) -> None:
        """Take turns, round by round, and keep every value but those of the round to warm up."""
        self._values = {what: [] for turn in turns for what in turn.of}
        for done, (number, which) in enumerate(taking_turns(rounds, len(turns)), 1):
            turn = turns[which]
            for what, values in zip(turn.of, self._take(turn), strict=True):
                if number >= 0:
                    self._values[what] += values
            self._tell(done, (rounds + 1) * len(turns), turn.of[0])

    def _take(self, turn: Turn) -> tuple[Sequence[float], ...]:
        """Take a turn; one that fails is said, and costs its own values only."""
        try:
            return turn.take()
        except Refuted as error:
            self.note(f"{turn.of[0]}: {error}")
            return tuple(() for _ in turn.of)

    def over_time(self, courses: Sequence[tuple[What, Callable[[], tuple[Sequence[float], Sequence[float]]]]]) -> None:
        """Keep the values of each course of time, and the moments at which they were taken."""
        for done, (what, take) in enumerate(courses, 1):
            try:
                values, at = take()
            except Refuted as error:
                self.note(f"{what}: {error}")
            else:
                self._values[what], self._at[what] = list(values), tuple(at)
            self._tell(done, len(courses), what)

    def _tell(self, done: int, of: int, now: What) -> None:
        self._told(Progress(self.name, done, of, str(now), self.study))
