from __future__ import annotations

import pytest

from labkit import errors


@pytest.mark.parametrize("name", [name for name in errors.__all__ if name != "LabError"])
def test_every_error_is_a_lab_error_of_its_own(name):
    """Catching LabError catches each of them, and none of them is another."""
    error = getattr(errors, name)
    assert error.__mro__[1] is errors.LabError


def test_notebook_shows_one_line():
    """IPython asks an exception how it wants to be shown; the lab's own draw as their name and text."""
    assert errors.WrongUse("say what to open")._render_traceback_() == ["WrongUse: say what to open"]


def test_tree_in_the_docstring_is_the_tree():
    """The map at the top of the module names every error once."""
    drawn = [line.split()[1] for line in errors.__doc__.splitlines() if "──" in line]
    assert sorted([*drawn, "LabError"]) == sorted(errors.__all__)
