"""A plot that grows while it is measured: one output, whose picture is drawn again in its place."""

from __future__ import annotations

SOURCE = """import labkit
from labkit.bench.progress import progress
with progress() as bar, labkit.LivePlot(every=0.1) as live:
    study = labkit.measure("tap", quick=True, told=lambda now: (bar(now), live(now.study)))
live.pictures"""


def test_it_is_one_picture_and_the_bar_goes(lab):
    """It was drawn several times, and one picture is left, with its text; the bar of progress is gone."""
    page = lab.open("live.ipynb", SOURCE)
    page.run_all()
    picture = page.tab.locator(".jp-OutputArea-output img")
    picture.wait_for()
    assert picture.count() == 1
    assert "messages per second" in picture.get_attribute("alt")
    assert picture.evaluate("picture => picture.naturalWidth") > 1000
    assert int(page.tab.locator(".jp-OutputArea-executeResult .jp-OutputArea-output").inner_text()) >= 2
    assert not page.tab.locator(".jp-OutputArea-output [role=progressbar]").is_visible()
    page.picture("live-plot", page.tab.locator(".jp-Notebook"))
