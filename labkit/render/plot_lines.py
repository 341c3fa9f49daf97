"""Plots with two axes: lines with the middle half around them, and a course of time.

Axes are matplotlib's, handed in: nothing of it is imported here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from labkit.render.amounts import amount
from labkit.render.charts import Series
from labkit.render.plot_page import MARGIN, Page, log_ticks, nice_ticks, tick_words
from labkit.render.plot_style import BAND, LINE, MARKER, RULE, SMALL, spread
from labkit.render.plot_titles import after_and_before

__all__ = ["course", "lines"]

_LABEL = 11.5  # points from one label at a line's end to the next
_LEADER = 22.0  # points from the axes to a label


def lines(page: Page) -> None:
    """Draw lines by the size of a message, or by how many talk at once."""
    chart = page.chart
    names = [each.name for each in chart.series]
    values = [value for mark in chart.marks for value in (*mark.measured.middle_half, mark.measured.median)]
    low, high = (min(values) / 1.25, max(values) * 1.25) if chart.y.log else (0.0, max(values) * 1.06 or 1.0)
    height = max(210.0, _LABEL * (len(names) + 1))
    ahead = _better_at_start(page, low, high, height)
    places = log_ticks(low, high) if chart.y.log else nice_ticks(high)
    ticks = page.widest([tick_words(place, chart.y) for place in places], SMALL) + MARGIN + 8
    labels = _LEADER + page.widest(names) + MARGIN
    left, right = (labels, ticks) if ahead else (ticks, labels)
    axes = page.place(left=left, right=right, height=height, above=26, below=42)
    axes.set_xscale("log", base=2)
    if chart.y.log:
        axes.set_yscale("log")
    ats = sorted({max(mark.at, 0.5) for mark in chart.marks})
    axes.set_xlim(ats[0] / _pad(ats), ats[-1] * _pad(ats))
    axes.set_ylim(low, high)
    page.ticks("y", chart.y, places)
    page.ticks("x", chart.x, page.thinned(ats))
    axes.set_xlabel(chart.x.label)
    page.name_y(chart.y, right=ahead)
    page.rules("y")
    axes.spines["left"].set_visible(False)
    for each in chart.series:
        _line(page, each)
    ends = [(each.name, each.look.colour(page.theme), _end(each, 0 if ahead else -1)) for each in chart.series]
    _end_labels(page, ends, ahead=ahead)


def _better_at_start(page: Page, low: float, high: float, height: float) -> bool:
    """Tell whether the names are nearer to their lines where these begin than where they end."""
    scale = math.log if page.chart.y.log else float
    moved = []
    for place in (0, -1):
        ends = [scale(each.marks[place].measured.median) for each in page.chart.series]
        wanted = [height * (end - scale(low)) / (scale(high) - scale(low)) for end in ends]
        placed = spread(wanted, _LABEL, _LABEL / 2, height - _LABEL / 2)
        moved.append(math.fsum(abs(one - other) for one, other in zip(wanted, placed, strict=True)))
    return moved[0] < 0.7 * moved[1]


def _pad(ats: Sequence[float]) -> float:
    return (ats[-1] / ats[0]) ** 0.03 if ats[-1] > ats[0] else 2.0


def _line(page: Page, series: Series) -> None:
    colour = series.look.colour(page.theme)
    xs = [max(mark.at, 0.5) for mark in series.marks]
    halves = [mark.measured.middle_half for mark in series.marks]
    if any(low != high for low, high in halves):
        lows, highs = zip(*halves, strict=True)
        page.axes.fill_between(xs, lows, highs, color=colour, alpha=BAND, linewidth=0)
    (drawn,) = page.axes.plot(
        xs, [mark.measured.median for mark in series.marks], color=colour, linewidth=LINE, marker=series.look.marker,
        markersize=MARKER, markeredgecolor=page.theme.ground, markeredgewidth=0.7, label=series.name, clip_on=False,
    )  # fmt: skip
    if series.look.dashes:
        drawn.set_dashes(series.look.dashes)


def _end(series: Series, place: int) -> tuple[float, float]:
    last = series.marks[place]
    return max(last.at, 0.5), last.measured.median


def _end_labels(page: Page, ends: Sequence[tuple[str, str, tuple[float, float]]], *, ahead: bool = False) -> None:
    """Write the names beside the ends of their lines, apart from each other, with a thin line that leads there."""
    starts = [(page.along(x), page.aloft(y)) for _, _, (x, y) in ends]
    room = page.up(_LABEL) / 2
    placed = spread([y for _, y in starts], page.up(_LABEL), room, 1 - room)
    sign = -1 if ahead else 1
    edge = page.left(0) if ahead else 1.0
    for (name, colour, _), (x, y), at in zip(ends, starts, placed, strict=True):
        begin = x + sign * 5 / page.across
        bend = edge + sign * 5 / page.across
        bend = min(begin, bend) if ahead else max(begin, bend)
        page.axes.plot(
            (begin, bend, edge + sign * (_LEADER - 4) / page.across), (y, y, at), transform=page.axes.transAxes,
            color=colour, linewidth=RULE, clip_on=False, solid_capstyle="butt", label="_leader",
        )  # fmt: skip
        page.write(edge + sign * _LEADER / page.across, at, name, ha="right" if ahead else "left")


_HEADROOM = 1.28  # of a course of time: for the amounts above it, and the word for the switch above them


def course(page: Page) -> None:
    """Draw a course of time, with the moment of the switch."""
    chart = page.chart
    high = max(max(mark.measured.values) for mark in chart.marks) * _HEADROOM or 1.0
    places = nice_ticks(high)
    ends = [(each.name, each.look.colour(page.theme), _settled(each)) for each in chart.series]
    left = page.widest([tick_words(place, chart.y) for place in places], SMALL) + MARGIN + 8
    right = _LEADER + page.widest([f"{name}" for name, _, _ in ends]) + MARGIN
    axes = page.place(left=left, right=right, height=210, above=26, below=42)
    ats = [at for mark in chart.marks for at in mark.measured.at]
    axes.set_xlim(min(ats), max(ats) + (max(ats) == min(ats)))
    axes.set_ylim(0, high)
    page.ticks("y", chart.y, places)
    _seconds(page)
    axes.set_xlabel(chart.x.label)
    page.name_y(chart.y)
    page.rules("y")
    axes.spines["left"].set_visible(False)
    if min(ats) < 0 <= max(ats):
        axes.axvspan(0, max(ats), color=page.theme.zone, linewidth=0, zorder=0)
        page.upright(0, linewidth=1.2, color=page.theme.ink)
        page.write(page.along(0) + 5 / page.across, 1 - page.up(8), "101: the switch", fontweight="bold")
    for each in chart.series:
        _run(page, each)
    _end_labels(page, ends)


def _seconds(page: Page) -> None:
    low, high = page.axes.get_xlim()
    ticks = nice_ticks(max(high - low, 1e-9))
    step = ticks[1] if len(ticks) > 1 else high - low
    first = int(low / step)
    places = [step * number for number in range(first - 1, first + 12) if low - 1e-9 <= step * number <= high + 1e-9]
    page.axes.set_xticks(places, [tick_words(round(place, 9), page.chart.x).replace("-", "−") for place in places])
    page.axes.minorticks_off()


def _settled(series: Series) -> tuple[float, float]:
    one = series.marks[0].measured
    halves = after_and_before(one)
    return one.at[-1], halves[1] if halves else one.median


def _run(page: Page, series: Series) -> None:
    """Draw each value thin, and the medians before and after as levels with their amounts."""
    one, colour, axes = series.marks[0].measured, series.look.colour(page.theme), page.axes
    levels = after_and_before(one)
    parts: list[list[tuple[float, float]]] = [[], []]
    for at, value in zip(one.at, one.values, strict=True):
        parts[at >= 0].append((at, value))
    for part in filter(None, parts):
        axes.plot(*zip(*part, strict=True), color=colour, linewidth=RULE + 0.2, alpha=0.65, label=series.name)
    if not levels:
        return
    for level, part in zip(levels, parts, strict=True):
        start, stop = min(part[0][0], 0.0) * (part is parts[0]), max(part[-1][0], 0.0) * (part is parts[1])
        axes.plot((start, stop), (level, level), color=colour, linewidth=LINE + 0.9, label="_level")
        above = page.aloft(max(value for _, value in part)) + page.up(9)
        middle = (page.along(start) + page.along(stop)) / 2
        if len(page.chart.series) > 1:
            continue  # the amounts of several would lie on one another: the table has them
        page.write(middle, above, f"median {amount(level, one.unit)}", ha="center")
