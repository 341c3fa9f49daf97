"""A plot that grows while it is measured: one output of a cell, drawn again and again, and not too often."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count
from types import TracebackType
from typing import Self

from labkit.errors import WrongUse
from labkit.measured import Study
from labkit.render.measure import clean
from labkit.render.plots import Plot, plot
from labkit.widgets.display import in_notebook, publish

__all__ = ["LivePlot"]

_NUMBERS = count(1)
_SHARE = 10  # drawing takes at most about one tenth of the time: the same processor measures


class LivePlot:
    """Draws a study as it grows, in the output of the cell that made it; outside of a notebook it keeps silent.

    Called with a study, it draws it, unless it has just drawn one; where the `with` block ends, it
    draws the last one.

    Args:
        every: seconds from one picture to the next, at least; where drawing is slow, ten times what it takes.
        dark: draw on a dark ground.

    >>> from labkit.measured import Measurement
    >>> with LivePlot() as live:
    ...     live(Study("tap", (Measurement("messages", "/s", (9.0,)),)))
    >>> live
    <LivePlot of tap>
    """

    def __init__(self, *, every: float = 1.0, dark: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        if type(every) not in (int, float) or not every > 0:
            raise WrongUse(f"every is a number of seconds above 0, not {every!r}")
        self.last: Study | None = None
        """The study that came last."""
        self.pictures = 0
        """How often it was drawn."""
        self._every, self._dark, self._clock = every, dark, clock
        self._next = -float("inf")
        self._drawn: Study | None = None
        self._name = f"labkit-live-{next(_NUMBERS)}"

    def __call__(self, study: Study) -> None:
        """Take a study; draw it where it is time to."""
        self.last = study
        if self._clock() >= self._next:
            self._draw()

    def finish(self) -> Plot | None:
        """Draw the last study, if it is not drawn yet, and return its plot; None where nothing was measured."""
        if self.last is None or not self.last.measurements:
            return None
        self._draw()
        return plot(self.last, dark=self._dark)

    def _draw(self) -> None:
        """Draw the last study in the one output."""
        study = self.last
        if study is None or study is self._drawn or not in_notebook():
            return
        began = self._clock()
        try:
            shown = plot(study, dark=self._dark)._repr_mimebundle_()
        except WrongUse:  # nothing yet, or one of two directions only; what measures is not to end for that
            return
        publish((shown, {}), display=self._name, again=self.pictures > 0)
        self.pictures += 1
        self._drawn = study
        ended = self._clock()
        self._next = ended + max(self._every, _SHARE * (ended - began))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._draw()

    def __repr__(self) -> str:
        return f"<LivePlot of {clean(self.last.name, 40) if self.last else 'nothing yet'}>"
