from __future__ import annotations

import itertools
import re
import subprocess
import sys

import pytest

import labkit
from labkit.errors import Absent, LabError, WrongUse
from labkit.measured import Measurement, Study
from labkit.render.plots import plot
from tests.render import studies

CASES = {
    "throughput by size": (studies.throughput, {}),
    "bytes by size": (studies.throughput, {"of": "bytes"}),
    "throughput by connections": (studies.throughput, {"by": "connections"}),
    "throughput with and without proxy": (studies.throughput, {"by": "via"}),
    "latency": (studies.latency, {}),
    "overhead": (studies.overhead, {}),
    "first bytes": (studies.overhead, {"of": "handshake"}),
    "handshakes": (studies.handshakes, {}),
    "duplex": (studies.duplex, {}),
    "switch": (studies.switch, {}),
    "tap": (studies.tap, {}),
    "an unknown study": (studies.unknown, {}),
}
EVERY = pytest.mark.parametrize("name", CASES)
DRAWN: dict[str, object] = {}


def drawn(name: str):
    """Return a plot; each is drawn once for all tests."""
    if name not in DRAWN:
        made, how = CASES[name]
        DRAWN[name] = plot(made(), **how)
    return DRAWN[name]


def texts(figure) -> dict[str, object]:
    """Return the box of every text that is drawn, in pixels, by what it says and where."""
    (axes,) = figure.axes
    found = [*figure.texts, *axes.texts, axes.xaxis.label, axes.yaxis.label]
    for axis in (axes.xaxis, axes.yaxis):
        found += [
            label for tick in axis.get_major_ticks() for label in (tick.label1, tick.label2) if label.get_visible()
        ]
    figure.draw_without_rendering()
    shown = [each for each in found if each.get_visible() and each.get_text()]
    return {f"{each.get_text()} #{number}": each.get_window_extent() for number, each in enumerate(shown)}


@EVERY
def test_no_text_lies_on_another_one(name):
    """Titles, ticks, labels and amounts: no two of their boxes meet."""
    boxes = texts(drawn(name).figure)
    assert len(boxes) > 5
    assert [pair for pair in itertools.combinations(boxes, 2) if boxes[pair[0]].overlaps(boxes[pair[1]])] == []


@EVERY
def test_no_text_is_cut(name):
    """Every text is on the page, whole."""
    figure = drawn(name).figure
    page = figure.bbox
    outside = [
        text for text, box in texts(figure).items() if box.x0 < 0 or box.y0 < 0 or box.x1 > page.x1 or box.y1 > page.y1
    ]
    assert outside == []


@EVERY
def test_every_series_is_drawn(name):
    """What the chart holds is in the figure, each by its name, and each name is written out."""
    made = drawn(name)
    (axes,) = made.figure.axes
    labels = [each.get_label() for each in (*axes.lines, *axes.containers)]
    written = {each.get_text() for each in axes.texts}
    for each in made.chart.series:
        assert each.name in labels
        assert each.name in written


@EVERY
def test_units_stand_on_every_axis(name):
    """Each tick but 0 has its unit, and each axis says what it shows; plain numbers are named by the axis."""
    made = drawn(name)
    (axes,) = made.figure.axes
    for axis, told in ((axes.xaxis, made.chart.x), (axes.yaxis, made.chart.y)):
        if not told.label:
            continue
        assert axis.get_label_text() == told.label
        words = [each.get_text() for each in axis.get_majorticklabels()]
        unit = {"size": "B", "": ""}.get(told.unit, told.unit)
        assert len(words) >= 2
        assert all(each.endswith(unit) or each == "0" for each in words), words


def test_lines_hold_the_medians():
    """A line goes through the medians, and its band from one edge of the middle half to the other."""
    made = drawn("throughput by size")
    (axes,) = made.figure.axes
    lines = {each.get_label(): list(each.get_ydata()) for each in axes.lines}
    for each in made.chart.series:
        assert lines[each.name] == [mark.measured.median for mark in each.marks]
    assert len(axes.collections) == len(made.chart.series)
    low, high = made.chart.series[0].marks[0].measured.middle_half
    heights = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert low in heights
    assert high in heights


def test_bars_begin_at_zero_and_end_at_the_median():
    """A bar's length is its median; those to the server go to the left."""
    for name in ("handshakes", "duplex"):
        made = drawn(name)
        bars = [patch for each in made.figure.axes[0].containers for patch in each]
        ends = [bar.get_x() + bar.get_width() for bar in bars]
        medians = [
            mark.measured.median * (-1 if mark.measured.name == "to the server" else 1) for mark in made.chart.marks
        ]
        assert ends == medians
        assert all(0 in (bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars)


def test_median_p95_and_p99_are_marked():
    """A distribution has its median, its p95 and its p99 marked where they are."""
    made = drawn("latency")
    lines = made.figure.axes[0].lines
    for name, part in (("_median", None), ("_p95", 95), ("_p99", 99)):
        found = [each.get_xdata()[0] for each in lines if each.get_label() == name]
        ones = [mark.measured for mark in made.chart.marks]
        assert found == [one.median if part is None else one.percentile(part) for one in ones]


def test_the_moment_of_the_switch_is_marked():
    """A course of time has an upright line at 0, the moment of the 101, and says so."""
    (axes,) = drawn("switch").figure.axes
    assert [0, 0] in [list(each.get_xdata()) for each in axes.lines]
    assert "101: the switch" in {each.get_text() for each in axes.texts}


def test_the_same_study_makes_the_same_file():
    """SVG, PNG and PDF hold no date and no drawn name: two plots of one study are the same bytes."""
    one, other = (plot(studies.tap()) for _ in range(2))
    for kind in ("svg", "png", "pdf"):
        assert one.data(kind) == other.data(kind), kind
    assert b"<dc:date>" not in one.data("svg")


def test_dark_and_light_have_their_own_ground():
    """A plot paints its own background, and its ink fits it."""
    light, dark = plot(studies.tap()), plot(studies.tap(), dark=True)
    assert light.figure.get_facecolor() == (1, 1, 1, 1)
    assert sum(dark.figure.get_facecolor()[:3]) < 0.5
    assert light.data("svg") != dark.data("svg")


def test_a_notebooks_own_settings_change_nothing():
    """Whatever matplotlib was told elsewhere, the picture is the same, and that is kept as it was."""
    import matplotlib as mpl

    before = plot(studies.tap()).data("svg")
    with mpl.rc_context({"axes.grid": True, "font.size": 30, "axes.facecolor": "red"}):
        assert plot(studies.tap()).data("svg") == before
        assert mpl.rcParams["font.size"] == 30


def test_a_plot_is_returned_and_not_shown():
    """Drawing loads no pyplot, so that a notebook draws what the cell returns, and nothing twice."""
    script = "import labkit, sys; from labkit.measured import Measurement, Study\n"
    script += "labkit.plot(Study('x', (Measurement('a', 's', (1.0,)),))); print('matplotlib.pyplot' in sys.modules, 'labkit.net' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout == "False False\n"


def test_a_notebook_shows_picture_text_and_table():
    """It is HTML: a picture with its description, and the figures as a table; as text it is short and always the same."""
    made = drawn("tap")
    bundle = made._repr_mimebundle_()
    assert bundle["text/plain"] == repr(made) == "<Plot of tap: messages by via>"
    image = re.search(r'<img width="700" alt="([^"]+)" src="data:image/png;base64,iVBOR', bundle["text/html"])
    assert image
    assert image[1] == made.alt
    assert "<caption>Through a tap" in bundle["text/html"]
    assert "Some Processor" in bundle["text/html"]


def test_it_is_saved_as_its_name_says(tmp_path):
    """.svg, .png and .pdf; another ending is told what there is, and so is a folder that is not there."""
    made = drawn("tap")
    assert made.save(tmp_path / "a.svg").read_bytes() == made.data("svg")
    assert made.save(str(tmp_path / "a.PDF")).read_bytes()[:4] == b"%PDF"
    with pytest.raises(WrongUse, match="saved as svg, png, pdf, not as 'docx'"):
        made.save(tmp_path / "a.docx")
    with pytest.raises(LabError, match="cannot be written: No such file or directory"):
        made.save(tmp_path / "nowhere" / "a.svg")


def test_without_matplotlib_it_says_what_to_install(monkeypatch):
    """The error names the package and the line that installs it."""
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(Absent, match=r'matplotlib is not installed: python -m pip install "http101-labkit\[lessons\]"'):
        plot(studies.tap())


def test_the_face_draws():
    """`labkit.plot` is this one."""
    assert labkit.plot is plot


@pytest.mark.parametrize("way", ["$x^2$ and _y_", "a\nb\x1b[31m", "x" * 300, "Größe, скорость"])
def test_names_of_others_are_harmless(way):
    """A name with mathematics, control characters, no end or no ASCII is drawn, on the page."""
    one = Study(
        "other\n", (Measurement("what\t$a_b$", "/s", (1.0, 2.0), way), Measurement("what\t$a_b$", "/s", (3.0,), "b"))
    )
    made = plot(one)
    page = made.figure.bbox
    assert all(box.x0 >= 0 and box.x1 <= page.x1 for box in texts(made.figure).values())
    assert "\n" not in repr(made)


@pytest.mark.parametrize("value", [0.0, -3.0, 1e-9, 1e15])
def test_odd_values_are_drawn(value):
    """Nothing, less than nothing, next to nothing and very much: each makes a picture."""
    for more in ({}, {"size": 64}, {"at": (0.0,)}):
        plot(
            Study(
                "other",
                (Measurement("what", "/s", (value,), "raw", **more), Measurement("what", "/s", (value,), "b", **more)),
            )
        )
