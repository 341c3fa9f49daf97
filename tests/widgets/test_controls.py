import sys

import pytest

from labkit.errors import Absent, WrongUse
from labkit.widgets import controls


def test_a_knob_tells_what_is_wrong_and_only_then():
    """A trouble is an alert for a screen reader; markup in it is text."""
    knob = controls.text("Target", lambda: None)
    assert knob.alert.text == ""
    knob.tell("not <b>so</b>")
    assert 'role="alert"' in knob.alert.widget.value
    assert "&lt;b&gt;" in knob.alert.widget.value
    assert "labkit-wrong" in knob.box._dom_classes
    knob.tell("")
    assert "▲" not in knob.alert.widget.value
    assert "labkit-wrong" not in knob.box._dom_classes


def test_a_knob_that_is_put_says_nothing():
    """Only a hand's turn counts as one."""
    turns = []
    knob = controls.choice("x", [("a", 1), ("b", 2)], lambda: turns.append(knob.value))
    knob.put(2)
    knob.offer([("c", 3), ("d", 4)], 4)
    assert turns == []
    knob.widget.value = 3
    assert turns == [3]


@pytest.mark.parametrize(
    ("error", "said"), [(WrongUse("do so"), "do so"), (KeyError("x"), "a fault in labkit itself: KeyError")]
)
def test_an_error_is_told_where_it_was_caused(error, said):
    """The lab's own errors are told as they are, others as a fault to report."""

    def wrong() -> None:
        raise error

    knob = controls.tick("x", wrong)
    knob.widget.value = True
    assert knob.alert.text.startswith(said)
    alert = controls.Alert()
    controls.button("x", wrong, alert).click()
    assert alert.text.startswith(said)


def test_without_ipywidgets_it_says_what_to_install(monkeypatch):
    """An absent package is one line with the command."""
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    with pytest.raises(Absent, match="pip install"):
        controls.html("")
