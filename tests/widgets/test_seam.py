"""The slider over the cut: what it shows follows it, and its twin is where it began."""

from __future__ import annotations

import pytest

import labkit
from labkit.errors import WrongUse
from labkit.reads import naive
from labkit.widgets.seam import Slider, seam

GREETING = labkit.simulate(labkit.Scenario(say=[], server=labkit.Server(faults=["early-frame"])))


def test_how_often_the_frame_arrives():
    """The naive reader is right at one place, the mended one at all."""
    assert seam(GREETING).arrives == {"naive": 1, "mended": 136}


def test_the_picture_follows_the_slider():
    """Each step of the slider draws the cut anew, light and dark."""
    slider = seam(GREETING).slider()
    before = slider._html.value
    slider.knob.widget.value = 5
    assert slider._html.value != before
    assert "Reads of 5 and 131 bytes" in slider._html.value
    assert slider._html.value.count("<img") == 2


def test_its_text_is_where_it_began():
    """What a viewer without widgets shows does not depend on where the slider was left."""
    slider = seam(GREETING, naive).slider(40)
    slider.knob.widget.value = 129
    assert str(slider).startswith("Reads of 40 and 96 bytes; the seam is at 129. naive: the frame is lost")
    assert repr(slider) == "<Slider 40>"


def test_a_reader_without_a_name_gets_one():
    """A lambda is called by its place."""
    assert repr(seam(GREETING, lambda recv: b"")) == "<Cuts reader 1: 136 places>"


@pytest.mark.parametrize("place", [0, 137, "x"])
def test_a_slider_begins_at_a_place(place: object):
    """A place that is none is refused before anything is shown."""
    with pytest.raises(WrongUse, match="1 to 136"):
        seam(GREETING).slider(place)


def test_what_is_no_reader_is_refused():
    """A reader is a function."""
    with pytest.raises(WrongUse, match="a function of recv"):
        seam(GREETING, "naive")


def test_the_slider_is_one_thing_with_its_twin(monkeypatch: pytest.MonkeyPatch):
    """Two outputs are published: the twin first, then the widget, of which a page shows one."""
    shown = []
    monkeypatch.setattr("labkit.widgets.seam.publish", lambda *bundles: shown.extend(bundles))
    Slider(seam(GREETING), 129)._ipython_display_()
    (static, _), (live, _) = shown
    assert "labkit-twin" in static["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in live
