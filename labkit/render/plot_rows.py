"""Plots of rows: bars, bars to both sides of one line, and distributions.

Axes are matplotlib's, handed in: nothing of it is imported here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from labkit.measured import Measurement
from labkit.render.amounts import amount
from labkit.render.charts import Series
from labkit.render.plot_page import MARGIN, Page, nice_ticks
from labkit.render.plot_style import MARKER, RULE, mixed

__all__ = ["bars", "facing", "strips"]

_BAR, _ROW, _HEADING = 13.0, 20.0, 20.0  # points


def bars(page: Page) -> None:
    """Draw a bar for each row, from 0."""
    chart = page.chart
    texts = [amount(each.marks[0].measured.median, chart.x.unit) for each in chart.series]
    high = max(value for mark in chart.marks for value in (*mark.measured.middle_half, mark.measured.median)) or 1.0
    rows, height = _rows(page, _ROW)
    left = _names_room(page)
    axes = page.place(left=left, right=MARGIN, height=height, above=6, below=42)
    room = page.widest(texts) + 12
    axes.set_xlim(0, high * page.across / max(page.across - room, 1.0))
    axes.set_ylim(0, height)
    _row_axes(page, nice_ticks(axes.get_xlim()[1]))
    _names(page, rows)
    for each, y, text in zip(chart.series, rows, texts, strict=True):
        one = each.marks[0].measured
        _bar(page, each, one, y)
        end = max(one.median, one.middle_half[1])
        page.write(page.along(end) + 6 / page.across, y / height, text)


def _rows(page: Page, row: float) -> tuple[list[float], float]:
    """Return the middle of each row from below, and the height of all; a heading stands above its group."""
    down, group = 4.0, ""
    places: list[float] = []
    for each in page.chart.series:
        if each.group != group:
            down += _HEADING + (4 if places else 0)
            group = each.group
        places.append(down + row / 2)
        down += row
    return [down + 4 - place for place in places], down + 4


def _names_room(page: Page) -> float:
    names = page.widest([each.name for each in page.chart.series])
    headings = page.widest([each.group for each in page.chart.series if each.group], bold=True)
    return max(names, headings) + MARGIN + 10


def _names(page: Page, rows: Sequence[float], row: float = _ROW) -> None:
    """Write the names to the left of their rows, and the headings of groups."""
    at, group = page.left(_names_room(page) - MARGIN), ""
    for each, y in zip(page.chart.series, rows, strict=True):
        if each.group != group:
            group = each.group
            page.write(at, (y + row / 2 + _HEADING / 2 - 1) / page.height, group, fontweight="bold")
        page.write(at, y / page.height, each.name)


def _row_axes(page: Page, places: Sequence[float], *, sides: bool = False) -> None:
    axes = page.axes
    axes.set_yticks([])
    page.ticks("x", page.chart.x, places, sides=sides)
    axes.set_xlabel(page.chart.x.label)
    page.rules("x")
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="x", length=0)


def _bar(page: Page, series: Series, one: Measurement, y: float, sign: int = 1) -> None:
    """Draw a bar, paler where something stands between, and the bracket of the middle half on it."""
    theme = page.theme
    colour = series.look.colour(theme)
    paler = mixed(colour, theme.ground, 0.45) if one.via else colour
    page.axes.barh(y, sign * one.median, height=_BAR, color=paler, linewidth=0, label=series.name)
    low, high = (sign * value for value in one.middle_half)
    if low == high:
        return
    for ink, weight in ((theme.ground, 2.6), (theme.ink, 1.1)):  # the ground around it sets it off from a dark bar
        page.axes.plot(
            (low, low, low, high, high, high), (y - 3, y + 3, y, y, y + 3, y - 3), color=ink, linewidth=weight,
            solid_joinstyle="miter", label="_middle half",
        )  # fmt: skip


def facing(page: Page) -> None:
    """Draw two directions: to the server on the left, to the client on the right."""
    chart = page.chart
    texts = [amount(mark.measured.median, chart.x.unit) for mark in chart.marks]
    high = max(value for mark in chart.marks for value in (*mark.measured.middle_half, mark.measured.median)) or 1.0
    rows, height = _rows(page, _ROW + 4)
    axes = page.place(left=_names_room(page), right=MARGIN, height=height, above=24, below=42)
    room = page.widest(texts) + 10
    side = high * (page.across / 2) / max(page.across / 2 - room, 1.0)
    axes.set_xlim(-side, side)
    axes.set_ylim(0, height)
    places = nice_ticks(side, 3)
    _row_axes(page, [*(-each for each in reversed(places[1:])), *places], sides=True)
    axes.spines["left"].set_visible(False)
    page.upright(0)
    _names(page, rows)
    for each, y in zip(chart.series, rows, strict=True):
        for mark, sign in zip(each.marks, (-1, 1), strict=True):
            one = mark.measured
            _bar(page, each, one, y, sign)
            end = page.along(sign * max(one.median, one.middle_half[1])) + sign * 6 / page.across
            page.write(end, y / height, amount(one.median, one.unit), ha="left" if sign > 0 else "right")
    page.write(0.5 - 8 / page.across, 1 + page.up(10), "◂ to the server", ha="right", color=page.theme.soft)
    page.write(0.5 + 8 / page.across, 1 + page.up(10), "to the client ▸", ha="left", color=page.theme.soft)


_STRIP, _RIDGE = 36.0, 21.0  # points: a row of a distribution, and how high it rises
_SINK = 5.0  # points: how far below the middle of a row its name stands
_BINS = 110
_COLUMNS = (("median", None), ("p95", 95.0), ("p99", 99.0))
_MARKERS: dict[str, dict[str, Any]] = {
    "median": {"marker": "o", "markersize": MARKER + 0.5, "markeredgewidth": 1.6},
    "p95": {"marker": "|", "markersize": MARKER + 2, "markeredgewidth": 1.5},
    "p99": {"marker": "D", "markersize": MARKER - 1.5},
}


def strips(page: Page) -> None:
    """Draw a distribution for each row, on an axis where equal ratios are equally far apart."""
    chart = page.chart
    cells = [
        [amount(_value(each.marks[0].measured, part), each.marks[0].measured.unit) for _, part in _COLUMNS]
        for each in chart.series
    ]
    widths = [
        max(page.widest([row[place] for row in cells]), page.width(name) + 12) + 12
        for place, (name, _) in enumerate(_COLUMNS)
    ]
    rows, height = _rows(page, _STRIP)
    axes = page.place(left=_names_room(page), right=sum(widths) + MARGIN, height=height, above=24, below=42)
    low = min(min(mark.measured.values) for mark in chart.marks) / 1.05
    high = max(mark.measured.percentile(99.9) for mark in chart.marks) * 1.1
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.set_ylim(0, height)
    _row_axes(page, page.fitting(low, high))
    axes.spines["left"].set_visible(False)
    _names(page, [y - _SINK for y in rows], _STRIP)
    _columns(page, rows, cells, widths)
    for each, y in zip(chart.series, rows, strict=True):
        _strip(page, each, y - 9, low, high)


def _value(one: Measurement, part: float | None) -> float:
    return one.median if part is None else one.percentile(part)


def _columns(page: Page, rows: Sequence[float], cells: Sequence[Sequence[str]], widths: Sequence[float]) -> None:
    """Write the figures to the right, and above them their names with the markers that stand for them."""
    at, above, soft = 0.0, 1 + page.up(10), page.theme.soft
    for place, (name, _) in enumerate(_COLUMNS):
        at += widths[place]
        page.write(page.right(at), above, name, ha="right", color=soft)
        page.axes.plot(
            (page.right(at - page.width(name) - 7),), (above,),
            color=soft, markerfacecolor=soft if place else "none",
            transform=page.axes.transAxes, clip_on=False, label="_key", **_MARKERS[name],
        )  # fmt: skip
        for y, row in zip(rows, cells, strict=True):
            page.write(page.right(at), (y - _SINK) / page.height, row[place], ha="right")


def _strip(page: Page, series: Series, base: float, low: float, high: float) -> None:
    """Draw one distribution: how often each time came, and below it the marks."""
    one, colour, axes = series.marks[0].measured, series.look.colour(page.theme), page.axes
    edges, heights = _histogram(one.values, low, high)
    axes.fill_between(
        edges, [base + 3 + _RIDGE * each for each in heights], base + 3, color=colour, alpha=0.35, linewidth=0
    )
    outline = [base + 3 + _RIDGE * each if each > 0.004 else math.nan for each in heights]
    axes.plot(edges, outline, color=colour, linewidth=RULE, label="_ridge")
    axes.plot((one.median, one.percentile(99)), (base, base), color=colour, linewidth=RULE, label="_tail")
    axes.plot(one.middle_half, (base, base), color=colour, linewidth=MARKER, solid_capstyle="butt", label=series.name)
    for name, part in _COLUMNS[1:]:
        axes.plot((_value(one, part),), (base,), label=f"_{name}", color=colour, **_MARKERS[name])
    axes.plot(
        (one.median,), (base,), label="_median", color=colour, markerfacecolor=page.theme.ground, **_MARKERS["median"]
    )


def _histogram(values: Sequence[float], low: float, high: float) -> tuple[list[float], list[float]]:
    """Return places equally far apart in ratio, and how often values fell near each, the highest being 1."""
    ratio = (high / low) ** (1 / _BINS)
    counts = [0.0] * (_BINS + 1)
    for value in values:
        place = int(math.log(value / low, ratio))
        if 0 <= place < _BINS:
            counts[place] += 1
    smooth = [
        sum(w * counts[i + d] for d, w in ((-2, 1), (-1, 2), (0, 3), (1, 2), (2, 1)) if 0 <= i + d <= _BINS)
        for i in range(_BINS + 1)
    ]
    top = max(smooth) or 1.0
    return [low * ratio ** (i + 0.5) for i in range(_BINS + 1)], [each / top for each in smooth]
