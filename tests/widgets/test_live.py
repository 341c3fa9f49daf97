from __future__ import annotations

import pytest

from labkit.errors import WrongUse
from labkit.measured import Measurement, Study
from labkit.widgets import live as module
from labkit.widgets.live import LivePlot


def study(many: int) -> Study:
    return Study("tap", tuple(Measurement("messages", "/s", (9.0,), way) for way in ("raw", "keep-alive")[:many]))


@pytest.fixture
def cell(monkeypatch):
    """Return what a notebook's cell shows: by which name, and whether in place of what was there."""
    shown: list[tuple[str, bool]] = []
    monkeypatch.setattr(module, "in_notebook", lambda: True)
    monkeypatch.setattr(module, "publish", lambda bundle, display, again: shown.append((display, again)))
    return shown


def test_it_draws_in_one_output_and_not_too_often(cell):
    """The first study is drawn at once, the next not before its time, and the last one where the block ends."""
    now = [0.0]
    with LivePlot(every=2, clock=lambda: now[0]) as live:
        for now[0] in (0.0, 0.5, 1.9):
            live(study(1))
        assert len(cell) == 1
        now[0] = 2.0
        live(study(1))
        now[0] = 2.1
        live(study(2))
        assert len(cell) == 2
    assert [again for _, again in cell] == [False, True, True]
    assert len({name for name, _ in cell}) == 1


def test_outside_of_a_notebook_it_is_silent(capsys):
    """A terminal sees nothing of it, and the last plot can still be had."""
    with LivePlot() as live:
        live(study(2))
    assert live.pictures == 0
    assert capsys.readouterr() == ("", "")
    assert len(live.finish().chart.series) == 2
    assert LivePlot().finish() is None


def test_what_cannot_be_drawn_yet_is_waited_for(cell):
    """A study without a value, or that no plot can be made of, does not end what measures."""
    with LivePlot() as live:
        live(Study("tap", ()))
        live("no study")
    assert cell == []


def test_bad_times_are_refused():
    """A picture every 0 seconds is none."""
    with pytest.raises(WrongUse, match="seconds above 0"):
        LivePlot(every=0)
