"""What a plot shows, as a table and as a text for who does not see it: every median, with its unit."""

from __future__ import annotations

from dataclasses import dataclass

from labkit.measured import Measurement
from labkit.render.amounts import amount, size_words
from labkit.render.charts import Chart, Mark, Series
from labkit.render.columns import text_table
from labkit.render.html import table
from labkit.render.measure import clean
from labkit.render.plot_style import via_name, way_name
from labkit.render.plot_titles import after_and_before, title

__all__ = ["PlotTable", "alternative", "plot_table"]

_FORMS = {
    "lines": "Lines", "bars": "Bars", "strips": "Distributions, one a row",
    "facing": "Bars to the left and to the right of one line", "course": "A course of time",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlotTable:
    """The figures of a plot. Draws itself as a table.

    Args:
        columns: their names.
        rows: the cells.
        caption: the title of the plot.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""

    def __str__(self) -> str:
        return text_table(self.columns, self.rows)

    def __repr__(self) -> str:
        return f"<PlotTable: {len(self.rows)} rows>"

    def html(self) -> str:
        """Return it as HTML."""
        return table(self.columns, self.rows, self.caption)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self.html()}


def plot_table(chart: Chart) -> PlotTable:
    """Return every measurement that is drawn, a row each."""
    told = [_told(each, mark) for each in chart.series for mark in each.marks]
    names = list(told[0])
    varied = [name for name in names if name not in _FIXED or len({row[name] for row in told}) > 1]
    first = next((name for name in ("way", "via", "what") if name in varied), "what" if not chart.of else "way")
    columns = [first, *(name for name in varied if name != first)]
    columns += [name for name in _figures(chart, chart.marks[0].measured) if name not in columns]
    rows = [{**row, **_figures(chart, mark.measured)} for row, mark in zip(told, chart.marks, strict=True)]
    return PlotTable(tuple(columns), tuple(tuple(row[name] for name in columns) for row in rows), title(chart))


_FIXED = ("way", "via", "what", "size", "connections")


def _told(series: Series, mark: Mark) -> dict[str, str]:
    one = mark.measured
    return {
        "way": way_name(clean(one.way, 60)) or series.name, "via": via_name(clean(one.via, 60)),
        "what": clean(one.name, 60), "size": "" if one.size is None else size_words(one.size),
        "connections": f"{one.connections:,}",
    }  # fmt: skip


def _figures(chart: Chart, one: Measurement) -> dict[str, str]:
    """Return the figures of a measurement, by their names."""
    unit = one.unit
    low, high = one.middle_half
    found = {"median": amount(one.median, unit)}
    if len(one.values) > 1 or any(len(mark.measured.values) > 1 for mark in chart.marks):
        found["middle half"] = f"{amount(low, unit)} to {amount(high, unit)}"
    if chart.form == "strips":
        found |= {f"p{part}": amount(one.percentile(part), unit) for part in (95, 99)}
    if chart.form == "course":
        halves = after_and_before(one)
        texts = [amount(value, unit) for value in halves] if halves else ["", ""]
        found |= dict(zip(("median before", "median after"), texts, strict=True))
    return {**found, "n": f"{len(one.values):,}"}


def alternative(chart: Chart) -> str:
    """Return the picture in words, every median among them."""
    axes = " by ".join(each.label for each in (chart.y, chart.x) if each.label)
    told = "; ".join(_series_words(chart, each) for each in chart.series)
    return f"{title(chart)}. {_FORMS[chart.form]}: {axes}. {told}."


def _series_words(chart: Chart, series: Series) -> str:
    name = f"{series.group}, {series.name}" if series.group else series.name
    return f"{name}: " + ", ".join(_mark_words(chart, mark) for mark in series.marks)


def _mark_words(chart: Chart, mark: Mark) -> str:
    figures = _figures(chart, mark.measured)
    median = figures["median"]
    if chart.form == "lines":
        return f"{size_words(int(mark.at)) if chart.x.unit == 'size' else f'{mark.at:.0f}'} {median}"
    if chart.form == "strips":
        return f"median {median}, p95 {figures['p95']}, p99 {figures['p99']}"
    if chart.form == "facing":
        return f"{mark.measured.name} {median}"
    if chart.form == "course" and figures["median before"]:
        return f"before the switch {figures['median before']}, after it {figures['median after']}, in all {median}"
    return median
