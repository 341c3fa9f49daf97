"""The plot of a study: `plot(study)`, a figure with its text, its table and its files.

The one door to matplotlib. The figure is made without pyplot, so that nothing is drawn in a notebook but what a
cell returns, and with fonts that matplotlib brings, so that a picture is the same on every machine.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from labkit.errors import Absent, LabError, WrongUse
from labkit.render.chart_choice import chart
from labkit.render.charts import Asked, Chart
from labkit.render.measure import clean
from labkit.render.plot_lines import course, lines
from labkit.render.plot_page import Page
from labkit.render.plot_rows import bars, facing, strips
from labkit.render.plot_style import DPI, WIDTH, settings
from labkit.render.plot_tables import PlotTable, alternative, plot_table
from labkit.render.plot_titles import title
from labkit.render.theme import DARK, LIGHT, Theme

__all__ = ["NO_MATPLOTLIB", "Plot", "plot"]

NO_MATPLOTLIB = 'matplotlib is not installed: python -m pip install "http101-labkit[lessons]"'
"""What is said where there is none; a browser's Python is such a place."""

_FORMS = {"lines": lines, "bars": bars, "strips": strips, "facing": facing, "course": course}
_KINDS: dict[str, dict[str, Any]] = {
    "svg": {"metadata": {"Date": None, "Creator": "labkit"}},
    "png": {"metadata": {"Software": "labkit"}, "dpi": 2 * DPI},
    "pdf": {"metadata": {"CreationDate": None, "Creator": "labkit", "Producer": None}},
}
"""The files that a plot can be; no date stands in them, so that the same study makes the same file."""


_COLOURS = 128  # of a picture in a notebook: enough for the edges of letters and lines


@dataclass(frozen=True)
class Plot:
    """A plot, drawn but not shown: a notebook shows it where it is the value of a cell.

    Args:
        chart: what is drawn.
        dark: whether on a dark ground.
        figure: matplotlib's figure.
    """

    chart: Chart
    dark: bool
    figure: Any

    @property
    def title(self) -> str:
        """The finding, in one sentence."""
        return title(self.chart)

    @property
    def alt(self) -> str:
        """The picture in words, for who does not see it."""
        return alternative(self.chart)

    def table(self) -> PlotTable:
        """Return the figures that are drawn, as a table."""
        return plot_table(self.chart)

    def data(self, kind: str = "png") -> bytes:
        """Return the picture as the bytes of a file: "png", "svg" or "pdf".

        Raises:
            WrongUse: it is to be something else.
        """
        if kind not in _KINDS:
            raise WrongUse(f"a plot is saved as {', '.join(_KINDS)}, not as {clean(kind, 40)!r}")
        into = io.BytesIO()
        with _styled(_theme(dark=self.dark)):
            self.figure.savefig(into, format=kind, **_KINDS[kind])
        return into.getvalue()

    def save(self, path: str | Path) -> Path:
        """Write it to a file: PNG, SVG or PDF, as the name ends; return where.

        Raises:
            WrongUse: the name ends in something else.
            LabError: the file cannot be written.
        """
        path = Path(path)
        data = self.data(path.suffix.lower().removeprefix("."))
        try:
            path.write_bytes(data)
        except OSError as error:
            raise LabError(f"{clean(str(path))}: cannot be written: {error.strerror}") from None
        return path

    def html(self) -> str:
        """Return it as HTML: the picture with its description, and the figures as a table."""
        data = base64.b64encode(_lighter(self.data("png"))).decode("ascii")
        machine = "; ".join(
            f"{clean(name, 40)}: {clean(value, 120)}" for name, value in self.chart.study.machine.items()
        )
        below = f"<p>{escape(machine)}</p>\n" if machine else ""
        return (
            f'<img width="{WIDTH * DPI:.0f}" alt="{escape(self.alt)}" src="data:image/png;base64,{data}">\n'
            f"<details><summary>The same as a table</summary>\n{self.table().html()}{below}</details>\n"
        )

    def __repr__(self) -> str:
        return f"<Plot of {clean(self.chart.study.name, 40)}: {clean(self.chart.of, 40)} by {self.chart.by}>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self.html()}


def plot(
    study: object, of: str = "", *, by: str = "", size: int | None = None, via: str | None = None,
    connections: int | None = None, dark: bool = False,
) -> Plot:  # fmt: skip
    """Draw what a study measured; the title states what was found, the subtitle how.

    Args:
        study: a `labkit.measured.Study`, as `labkit.bench` makes it.
        of: the quantity, "messages" or "bytes" say; the study's first one unless told.
        by: by what it is shown: "size", "connections", "via" (what stands between) or "way" (of talking).
        size: of the messages, where they are of one size.
        via: what stands between, where that is one: "" for nothing, or "nginx" say.
        connections: how many talk at once, where that is one number.
        dark: draw on a dark ground.

    Raises:
        WrongUse: it is no study, or what is asked for was not measured.
        Absent: matplotlib is not installed.
    """
    chosen = chart(study, Asked(of, by, size, via, connections))
    theme = _theme(dark=dark)
    with _styled(theme) as made:
        figure = made(figsize=(WIDTH, WIDTH / 2), dpi=DPI)
        _FORMS[chosen.form](Page(figure, chosen, theme))
    return Plot(chosen, dark, figure)


def _lighter(png: bytes) -> bytes:
    """Return a picture with a palette of colours: a third of the bytes, in a notebook that holds several."""
    from PIL import Image  # noqa: PLC0415  comes with matplotlib

    into = io.BytesIO()
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.quantize(_COLOURS, dither=Image.Dither.NONE).save(into, "png", optimize=True)
    return into.getvalue()


def _theme(*, dark: bool) -> Theme:
    return DARK if dark else LIGHT


@contextmanager
def _styled(theme: Theme) -> Iterator[Any]:
    """Hold matplotlib's settings at the style's for a while, whatever a notebook has set; yield what makes a figure."""
    try:
        from matplotlib import style  # noqa: PLC0415  optional, and dear
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError:
        raise Absent(NO_MATPLOTLIB) from None

    def made(**how: Any) -> Any:
        figure = Figure(**how)
        FigureCanvasAgg(figure)  # measures text
        return figure

    with style.context(["default", settings(theme)]):
        yield made
