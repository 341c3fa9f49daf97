"""The forms of a plot: lines, bars, distributions, two directions, a course of time. Each draws on a page.

Axes are matplotlib's, handed in: nothing of it is imported here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from labkit.measured import Measurement
from labkit.render.amounts import amount
from labkit.render.charts import Series
from labkit.render.plot_page import ACROSS, MARGIN, Page, log_ticks, nice_ticks, tick_words
from labkit.render.plot_style import BAND, LINE, MARKER, RULE, SMALL, TEXT, spread
from labkit.render.plot_titles import after_and_before

__all__ = ["FORMS"]

_LABEL = 11.5  # points from one label at a line's end to the next
_LEADER = 22.0  # points from the axes to a label


def _lines(page: Page) -> None:
    chart = page.chart
    names = [each.name for each in chart.series]
    values = [value for mark in chart.marks for value in (*mark.measured.middle_half, mark.measured.median)]
    low, high = (min(values) / 1.25, max(values) * 1.25) if chart.y.log else (0.0, max(values) * 1.06 or 1.0)
    places = log_ticks(low, high) if chart.y.log else nice_ticks(high)
    left = page.widest([tick_words(place, chart.y) for place in places], SMALL) + MARGIN + 8
    right = _LEADER + page.widest(names) + MARGIN
    height = max(210.0, _LABEL * (len(names) + 1))
    axes = page.place(left=left, right=right, height=height, above=26, below=42)
    axes.set_xscale("log", base=2)
    if chart.y.log:
        axes.set_yscale("log")
    ats = sorted({max(mark.at, 0.5) for mark in chart.marks})
    axes.set_xlim(ats[0] / _pad(ats), ats[-1] * _pad(ats))
    axes.set_ylim(low, high)
    page.ticks("y", chart.y, places)
    page.ticks("x", chart.x, _thinned(page, ats))
    axes.set_xlabel(chart.x.label)
    page.name_y(chart.y)
    page.rules("y")
    axes.spines["left"].set_visible(False)
    for each in chart.series:
        _line(page, each)
    _end_labels(page, [(each.name, each.look.colour(page.theme), _end(each)) for each in chart.series])


def _pad(ats: Sequence[float]) -> float:
    return (ats[-1] / ats[0]) ** 0.03 if ats[-1] > ats[0] else 2.0


def _thinned(page: Page, ats: Sequence[float]) -> list[float]:
    """Return those places whose words fit side by side: the last one, and what fits before it."""
    scale = page.axes.transScale
    points = [page.across * _share(page, at) for at in ats]
    kept: list[int] = []
    for index in reversed(range(len(ats))):
        half = page.width(tick_words(ats[index], page.chart.x), SMALL) / 2 + 4
        if not kept or points[kept[-1]] - points[index] >= half + page.width(tick_words(ats[kept[-1]], page.chart.x), SMALL) / 2:
            kept.append(index)
    assert scale is not None
    return [ats[index] for index in reversed(kept)]


def _share(page: Page, x: float) -> float:
    """Return where a value of the lying axis stands, as a fraction of the axes."""
    axes = page.axes
    return float(axes.transAxes.inverted().transform(axes.transData.transform((x, axes.get_ylim()[1])))[0])


def _rise(page: Page, y: float) -> float:
    """Return where a value of the upright axis stands, as a fraction of the axes."""
    axes = page.axes
    return float(axes.transAxes.inverted().transform(axes.transData.transform((axes.get_xlim()[1], y)))[1])


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


def _end(series: Series) -> tuple[float, float]:
    last = series.marks[-1]
    return max(last.at, 0.5), last.measured.median


def _end_labels(page: Page, ends: Sequence[tuple[str, str, tuple[float, float]]]) -> None:
    """Write the names beside the ends of their lines, apart from each other, with a thin line that leads there."""
    starts = [(_share(page, x), _rise(page, y)) for _, _, (x, y) in ends]
    room = page.up(_LABEL) / 2
    placed = spread([y for _, y in starts], page.up(_LABEL), room, 1 - room)
    for (name, colour, _), (x, y), at in zip(ends, starts, placed, strict=True):
        bend, stop = page.right(6), page.right(_LEADER - 4)
        page.axes.plot(
            (x + page.right(4) - 1, max(bend, x + page.right(4) - 1), stop), (y, y, at), transform=page.axes.transAxes, color=colour,
            linewidth=RULE, clip_on=False, solid_capstyle="butt", label="_leader",
        )  # fmt: skip
        page.write(page.right(_LEADER), at, name)


_BAR, _ROW, _HEADING = 13.0, 20.0, 20.0  # points


def _bars(page: Page) -> None:
    chart = page.chart
    texts = [amount(each.marks[0].measured.median, chart.x.unit) for each in chart.series]
    high = max(value for mark in chart.marks for value in (*mark.measured.middle_half, mark.measured.median)) or 1.0
    rows, height = _rows(page, _ROW)
    left = _names_room(page)
    axes = page.place(left=left, right=MARGIN, height=height, above=6, below=42)
    room = page.widest(texts) + 12
    axes.set_xlim(0, high * page.across / max(page.across - room, 1.0))
    axes.set_ylim(0, height)
    _bar_axes(page)
    _names(page, rows)
    for each, y, text in zip(chart.series, rows, texts, strict=True):
        one = each.marks[0].measured
        _bar(page, each, one, y)
        end = max(one.median, one.middle_half[1])
        page.write(_share(page, end) + page.up(0) + 6 / page.across, y / height, text)


def _rows(page: Page, row: float) -> tuple[list[float], float]:
    """Return the middle of each row from below, and the height of all; a heading stands above its group."""
    down, places, group = 4.0, [], ""
    for each in page.chart.series:
        if each.group != group:
            down += _HEADING + (4 if places else 0)
            group = each.group
        places.append(down + row / 2)
        down += row
    return [down + 4 - place for place in places], down + 4


def _names_room(page: Page) -> float:
    names = page.widest([each.name for each in page.chart.series])
    return min(names, ACROSS / 2) + MARGIN + 10


def _names(page: Page, rows: Sequence[float]) -> None:
    """Write the names to the left of their rows, and the headings of groups."""
    at, group = page.left(_names_room(page) - MARGIN), ""
    for each, y in zip(page.chart.series, rows, strict=True):
        if each.group != group:
            group = each.group
            page.write(at, (y + _ROW / 2 + _HEADING / 2 - 1) / page.height, group, fontweight="bold")
        page.write(at, y / page.height, each.name)


def _bar_axes(page: Page) -> None:
    axes = page.axes
    axes.set_yticks([])
    page.ticks("x", page.chart.x, nice_ticks(axes.get_xlim()[1]))
    axes.set_xlabel(page.chart.x.label)
    page.rules("x")
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="x", length=0)


def _bar(page: Page, series: Series, one: Measurement, y: float, sign: int = 1) -> None:
    colour = series.look.colour(page.theme)
    faint = 0.6 if one.via else 1.0
    page.axes.barh(y, sign * one.median, height=_BAR, color=colour, alpha=faint, linewidth=0, label=series.name)
    low, high = one.middle_half
    if low != high:
        page.axes.errorbar(
            sign * one.median, y, xerr=([_span(sign, one.median, low, high)[0]], [_span(sign, one.median, low, high)[1]]),
            color=page.theme.ink, linewidth=1.1, capsize=3, capthick=1.1, fmt="none",
        )  # fmt: skip


def _span(sign: int, middle: float, low: float, high: float) -> tuple[float, float]:
    below, above = max(middle - low, 0.0), max(high - middle, 0.0)
    return (below, above) if sign > 0 else (above, below)


def _facing(page: Page) -> None:
    chart = page.chart
    texts = [amount(mark.measured.median, chart.x.unit) for mark in chart.marks]
    high = max(value for mark in chart.marks for value in (*mark.measured.middle_half, mark.measured.median)) or 1.0
    rows, height = _rows(page, _ROW + 4)
    axes = page.place(left=_names_room(page), right=MARGIN, height=height, above=24, below=42)
    room = page.widest(texts) + 10
    side = high * (page.across / 2) / max(page.across / 2 - room, 1.0)
    axes.set_xlim(-side, side)
    axes.set_ylim(0, height)
    _bar_axes(page)
    ticks = nice_ticks(side, 3)
    axes.set_xticks([-each for each in reversed(ticks[1:])] + ticks, [tick_words(abs(each), chart.x) for each in [*reversed(ticks[1:]), *ticks]])
    axes.spines["left"].set_visible(False)
    page.upright(0)
    _names(page, rows)
    for each, y in zip(chart.series, rows, strict=True):
        for mark, sign in zip(each.marks, (-1, 1), strict=True):
            one = mark.measured
            _bar(page, each, one, y, sign)
            end = _share(page, sign * max(one.median, one.middle_half[1])) + sign * 6 / page.across
            page.write(end, y / height, amount(one.median, one.unit), ha="left" if sign > 0 else "right")
    page.write(0.5 - 8 / page.across, 1 + page.up(10), "◂ to the server", ha="right", color=page.theme.soft)
    page.write(0.5 + 8 / page.across, 1 + page.up(10), "to the client ▸", ha="left", color=page.theme.soft)


_STRIP, _RIDGE = 36.0, 21.0  # points: a row of a distribution, and how high it rises
_BINS = 110
_COLUMNS = (("median", None), ("p95", 95.0), ("p99", 99.0))
_MARKERS = {"median": "o", "p95": "|", "p99": "D"}


def _strips(page: Page) -> None:
    chart = page.chart
    cells = [[_figure(each.marks[0].measured, part) for _, part in _COLUMNS] for each in chart.series]
    widths = [max(page.widest([row[place] for row in cells]), page.width(name) + 12) + 12 for place, (name, _) in enumerate(_COLUMNS)]
    rows, height = _rows(page, _STRIP)
    axes = page.place(left=_names_room(page), right=sum(widths) + MARGIN, height=height, above=24, below=42)
    low = min(min(mark.measured.values) for mark in chart.marks) / 1.05
    high = max(mark.measured.percentile(99.9) for mark in chart.marks) * 1.1
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.set_ylim(0, height)
    _bar_axes(page)
    page.ticks("x", chart.x, log_ticks(low, high))
    axes.spines["left"].set_visible(False)
    _names(page, [y - 5 for y in rows])
    _columns(page, rows, cells, widths)
    for each, y in zip(chart.series, rows, strict=True):
        _strip(page, each, y - 9, low, high)


def _figure(one: Measurement, part: float | None) -> str:
    return amount(one.median if part is None else one.percentile(part), one.unit)


def _columns(page: Page, rows: Sequence[float], cells: Sequence[Sequence[str]], widths: Sequence[float]) -> None:
    """Write the figures to the right, and above them their names with the markers that stand for them."""
    at = 0.0
    for place, (name, _) in enumerate(_COLUMNS):
        at += widths[place]
        page.write(page.right(at), 1 + page.up(10), name, ha="right", color=page.theme.soft)
        page.axes.plot(
            (page.right(at - page.width(name) - 6),), (1 + page.up(10),), marker=_MARKERS[name], color=page.theme.soft,
            markersize=MARKER if name == "median" else MARKER + 2 if name == "p95" else MARKER - 1, transform=page.axes.transAxes, clip_on=False, label="_key",
        )  # fmt: skip
        for y, row in zip(rows, cells, strict=True):
            page.write(page.right(at), (y - 5) / page.height, row[place], ha="right")


def _strip(page: Page, series: Series, base: float, low: float, high: float) -> None:
    """Draw one distribution: how often each time came, and below it the marks."""
    one, colour, axes = series.marks[0].measured, series.look.colour(page.theme), page.axes
    edges, heights = _histogram(one.values, low, high)
    axes.fill_between(edges, [base + 3 + _RIDGE * each for each in heights], base + 3, color=colour, alpha=0.35, linewidth=0)
    axes.plot(edges, [base + 3 + _RIDGE * each for each in heights], color=colour, linewidth=0.8, label="_ridge")
    axes.plot((one.median, one.percentile(99)), (base, base), color=colour, linewidth=RULE, label="_tail")
    axes.plot(one.middle_half, (base, base), color=colour, linewidth=4, solid_capstyle="butt", label=series.name)
    axes.plot((one.percentile(95),), (base,), marker="|", color=colour, markersize=MARKER + 3, markeredgewidth=1.4, label="_p95")
    axes.plot((one.percentile(99),), (base,), marker="D", color=colour, markersize=MARKER - 1, label="_p99")
    axes.plot(
        (one.median,), (base,), marker="o", color=colour, markersize=MARKER + 1, markeredgecolor=page.theme.ground,
        markeredgewidth=1, label="_median",
    )  # fmt: skip


def _histogram(values: Sequence[float], low: float, high: float) -> tuple[list[float], list[float]]:
    """Return places equally far apart in ratio, and how often values fell near each, the highest being 1."""
    ratio = (high / low) ** (1 / _BINS)
    counts = [0.0] * (_BINS + 1)
    from math import log  # noqa: PLC0415

    for value in values:
        place = int(log(value / low) / log(ratio))
        if 0 <= place < _BINS:
            counts[place] += 1
    smooth = [sum(w * counts[i + d] for d, w in ((-2, 1), (-1, 2), (0, 3), (1, 2), (2, 1)) if 0 <= i + d <= _BINS) for i in range(_BINS + 1)]
    top = max(smooth) or 1.0
    return [low * ratio ** (i + 0.5) for i in range(_BINS + 1)], [each / top for each in smooth]


def _course(page: Page) -> None:
    chart = page.chart
    high = max(max(mark.measured.values) for mark in chart.marks) * 1.12 or 1.0
    places = nice_ticks(high)
    ends = [(each.name, each.look.colour(page.theme), _settled(each)) for each in chart.series]
    left = page.widest([tick_words(place, chart.y) for place in places], SMALL) + MARGIN + 8
    right = _LEADER + page.widest([f"{name}" for name, _, _ in ends] + ["median 999 MB/s"]) + MARGIN
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
        page.write(_share(page, 0) + 5 / page.across, 1 - page.up(8), "101: the switch", fontweight="bold")
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
    axes.plot(one.at, one.values, color=colour, linewidth=RULE, alpha=0.6, label=series.name)
    halves = after_and_before(one)
    if not halves:
        return
    for level, (start, stop) in zip(halves, ((one.at[0], 0.0), (0.0, one.at[-1])), strict=True):
        axes.plot((start, stop), (level, level), color=colour, linewidth=LINE + 0.6, label="_level")
        page.write((_share(page, start) + _share(page, stop)) / 2, _rise(page, level), f"median {amount(level, one.unit)}",
                   ha="center", bbox={"facecolor": page.theme.ground, "edgecolor": "none", "pad": 1.5, "alpha": 0.85})  # fmt: skip


FORMS: dict[str, Callable[[Page], None]] = {
    "lines": _lines, "bars": _bars, "strips": _strips, "facing": _facing, "course": _course,
}  # fmt: skip
"""How each form of a chart is drawn."""

_UNUSED: Any = (TEXT,)
