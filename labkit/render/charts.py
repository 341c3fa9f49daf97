"""A chart: what a plot shows of a study, as data. `chart_choice` makes one, and nothing here draws."""

from __future__ import annotations

from dataclasses import dataclass

from labkit.measured import Measurement, Study
from labkit.render.plot_style import Look

__all__ = ["Asked", "Axis", "Chart", "Mark", "Series"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be drawn of a study.

    Args:
        of: the quantity; the study's usual one unless told.
        by: by what it is shown: "size", "connections", "via" or "way".
        size, via, connections: at which value each is held, where it is not what the quantity is shown by.
    """

    of: str = ""
    by: str = ""
    size: int | None = None
    via: str | None = None
    connections: int | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """One measurement in the picture, and at which size or number of connections it stands."""

    measured: Measurement
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Series:
    """What is drawn in one look: a line of several marks, or one bar.

    Args:
        name: what stands beside it.
        look: its colour, marker and dashes.
        marks: its measurements.
        group: the heading under which it stands.
    """

    name: str
    look: Look
    marks: tuple[Mark, ...]
    group: str = ""


@dataclass(frozen=True, slots=True)
class Axis:
    """What an axis shows.

    Args:
        label: its quantity in words.
        unit: of its amounts: "/s", "B/s", "ms", "s", "B"; "size" for sizes of messages, "" for plain numbers.
        log: whether equal ratios are equally far apart.
    """

    label: str
    unit: str = ""
    log: bool = False


@dataclass(frozen=True)
class Chart:
    """What a plot shows: `plot_titles` and `plot_tables` say it in words.

    Args:
        study: where it is from.
        form: "lines", "bars", "strips", "facing" or "course".
        of: the quantity.
        by: by what it is shown.
        x, y: the axes; what has rows has no second axis.
        series: what is drawn, in order.
        held: what was varied and is held here, in words.
        left: the ways that are not drawn, because they were not measured so.
    """

    study: Study
    form: str
    of: str
    by: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]
    held: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def marks(self) -> tuple[Mark, ...]:
        """All marks, series by series."""
        return tuple(mark for each in self.series for mark in each.marks)
