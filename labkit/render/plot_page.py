"""The page of a plot: title and subtitle above, one pair of axes below, all placed in points (1/72 inch).

Nothing is left to a layout engine: every text is measured, so that none is cut and none lies on another.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from labkit.render.amounts import size_words, tick
from labkit.render.charts import Axis, Chart
from labkit.render.plot_style import RULE, SMALL, TEXT, TITLE, WIDTH
from labkit.render.plot_titles import subtitle, title
from labkit.render.theme import Theme

__all__ = ["Page", "log_ticks", "nice_ticks"]

_POINTS = 72.0
MARGIN = 12.0
ACROSS = WIDTH * _POINTS
"""How wide the page is, in points."""

_STEP = 8.0  # points
_APART = 5.0  # points between the words of two ticks
_UNIT = re.compile(r"(?<=\d) (?=\S)")  # a number is not parted from its unit
_LEADING = 1.28  # of the size of type: from line to line


@dataclass
class Page:
    """What the forms draw on.

    Args:
        figure: matplotlib's.
        chart: what is drawn.
        theme: its colours.
    """

    figure: Any
    chart: Chart
    theme: Theme
    axes: Any = None
    _size: tuple[float, float] = (0.0, 0.0)
    _widths: dict[tuple[str, float, bool], float] = field(default_factory=dict)

    def width(self, text: str, size: float = TEXT, *, bold: bool = False) -> float:
        """Return how wide a text is, in points."""
        key = (text, size, bold)
        if key not in self._widths:
            drawn = self.figure.text(0, 0, text, fontsize=size, fontweight="bold" if bold else "normal")
            self._widths[key] = drawn.get_window_extent().width * _POINTS / self.figure.dpi
            drawn.remove()
        return self._widths[key]

    def widest(self, texts: Sequence[str], size: float = TEXT, *, bold: bool = False) -> float:
        """Return the width of the widest of some texts."""
        return max((self.width(text, size, bold=bold) for text in texts), default=0.0)

    def wrapped(self, text: str, size: float, *, bold: bool = False) -> list[str]:
        """Return a text in lines that fit on the page."""
        room = ACROSS - 2 * MARGIN
        lines = self._filled(text, size, room, bold=bold)
        while len(lines) > 1 and len(self._filled(text, size, room - _STEP, bold=bold)) == len(lines):
            room -= _STEP  # lines of about one length: no word stands alone in the last one
        return self._filled(text, size, room, bold=bold)

    def _filled(self, text: str, size: float, room: float, *, bold: bool) -> list[str]:
        lines = [""]
        for word in _UNIT.sub("\u00a0", text).split(" "):
            longer = f"{lines[-1]} {word}".strip()
            if self.width(longer, size, bold=bold) <= room or not lines[-1]:
                lines[-1] = longer
            else:
                lines.append(word)
        return lines

    def place(self, *, left: float, right: float, height: float, above: float, below: float) -> Any:
        """Write title and subtitle, and return axes below them with so much room around, in points."""
        lines = [(line, TITLE, True) for line in self.wrapped(title(self.chart), TITLE, bold=True)]
        lines += [(line, SMALL, False) for each in subtitle(self.chart) for line in self.wrapped(each, SMALL)]
        header = MARGIN + sum(size * _LEADING for _, size, _ in lines) + 3
        whole = header + above + height + below
        self.figure.set_size_inches(WIDTH, whole / _POINTS)
        down = MARGIN
        for number, (line, size, bold) in enumerate(lines):
            down += 3 if number and lines[number - 1][2] and not bold else 0
            colour = self.theme.ink if bold else self.theme.soft
            weight = "bold" if bold else "normal"
            self.figure.text(
                MARGIN / ACROSS, 1 - down / whole, line, fontsize=size, fontweight=weight, color=colour, va="top"
            )
            down += size * _LEADING
        across = ACROSS - left - right
        self._size = (across, height)
        self.axes = self.figure.add_axes((left / ACROSS, below / whole, across / ACROSS, height / whole))
        self.axes.minorticks_off()
        return self.axes

    def right(self, points: float) -> float:
        """Return the place so many points to the right of the axes, as a fraction of them."""
        return 1 + points / self._size[0]

    def left(self, points: float) -> float:
        """Return the place so many points to the left of the axes, as a fraction of them."""
        return -points / self._size[0]

    def up(self, points: float) -> float:
        """Return the height of so many points, as a fraction of the axes'."""
        return points / self._size[1]

    @property
    def height(self) -> float:
        """The height of the axes, in points."""
        return self._size[1]

    @property
    def across(self) -> float:
        """The width of the axes, in points."""
        return self._size[0]

    def write(self, x: float, y: float, text: str, **how: Any) -> Any:
        """Write at a fraction of the axes, also beside them."""
        how = {"fontsize": TEXT, "color": self.theme.ink, "va": "center", **how}
        return self.axes.text(x, y, text, transform=self.axes.transAxes, clip_on=False, **how)

    def name_y(self, axis: Axis, *, right: bool = False) -> None:
        """Write what the upright axis shows, lying, above it; at the right edge where its ticks are there."""
        frame = self.axes.get_position()
        edge, beside = (1 - MARGIN / ACROSS, "right") if right else (MARGIN / ACROSS, "left")
        self.axes.set_ylabel(axis.label, rotation=0, ha=beside, va="bottom")
        self.axes.yaxis.set_label_coords((edge - frame.x0) / frame.width, 1 + self.up(7))
        if right:
            self.axes.yaxis.tick_right()

    def ticks(self, which: str, axis: Axis, places: Sequence[float], *, sides: bool = False) -> None:
        """Set the ticks of the "x" or "y" axis, each with its unit; on two sides of a middle they have no sign."""
        words = [tick_words(abs(place) if sides else place, axis) for place in places]
        getattr(self.axes, f"set_{which}ticks")(places, words)
        self.axes.minorticks_off()

    def along(self, x: float) -> float:
        """Return where a value of the lying axis stands, as a fraction of it."""
        axes = self.axes
        return float(axes.transAxes.inverted().transform(axes.transData.transform((x, axes.get_ylim()[1])))[0])

    def aloft(self, y: float) -> float:
        """Return where a value of the upright axis stands, as a fraction of it."""
        axes = self.axes
        return float(axes.transAxes.inverted().transform(axes.transData.transform((axes.get_xlim()[1], y)))[1])

    def thinned(self, places: Sequence[float]) -> list[float]:
        """Return those places of the lying axis whose words fit side by side: the last one, and what fits before it."""
        widths = [self.width(tick_words(place, self.chart.x), SMALL) for place in places]
        points = [self.across * self.along(place) for place in places]
        kept: list[int] = []
        for index in reversed(range(len(places))):
            if not kept or points[kept[-1]] - points[index] >= (widths[index] + widths[kept[-1]]) / 2 + _APART:
                kept.append(index)
        return [places[index] for index in reversed(kept)]

    def fitting(self, low: float, high: float) -> list[float]:
        """Return as many round places between two values as have words that fit side by side."""
        choices = [log_ticks(low, high, most) for most in (7, 5, 4, 3, 2)]
        return next((each for each in choices if each == self.thinned(each)), self.thinned(choices[-1]))

    def rules(self, which: str) -> None:
        """Draw the faint lines that help to read values along an axis."""
        self.axes.grid(visible=True, axis=which)

    def upright(self, x: float, **how: Any) -> None:
        """Draw an upright line."""
        self.axes.axvline(x, **{"color": self.theme.soft, "linewidth": RULE, **how})


def tick_words(place: float, axis: Axis) -> str:
    """Return the words at a tick.

    >>> tick_words(1024, Axis("size of a message", "size")), tick_words(0.5, Axis("seconds", "s"))
    ('1 KiB', '0.5 s')
    """
    if axis.unit == "size":
        return size_words(int(place))
    return tick(place, axis.unit)


def nice_ticks(high: float, most: int = 6) -> list[float]:
    """Return round places from 0 up to `high`.

    >>> nice_ticks(23_000)
    [0.0, 5000.0, 10000.0, 15000.0, 20000.0]
    """
    if high <= 0:
        return [0.0]
    step = 10.0 ** math.floor(math.log10(high / most))
    step = next(step * factor for factor in (1, 2, 2.5, 5, 10, 20) if high / (step * factor) <= most)
    return [step * number for number in range(int(high / step + 1e-9) + 1)]


def log_ticks(low: float, high: float, most: int = 7) -> list[float]:
    """Return round places between two values whose ratios matter.

    >>> log_ticks(0.1, 4)
    [0.1, 0.2, 0.5, 1.0, 2.0]
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    found: list[float] = []
    for factors in ((1, 2, 5), (1, 3), (1,)):
        places = [factor * 10.0**decade for decade in range(first, last + 1) for factor in factors]
        found = [float(f"{place:.6g}") for place in places if low * 0.999 <= place <= high * 1.001]
        if len(found) <= most:
            return found
    return found[:: math.ceil(len(found) / most)]
