"""The rig's own example, and that what goes wrong in the browser fails a test."""

from __future__ import annotations

import pytest


def test_what_is_typed_into_a_widget_reaches_the_kernel(lab, tmp_path):
    """The example of the rig's docstring works."""
    page = lab.open("click.ipynb", "import ipywidgets; n = ipywidgets.IntText(); n")
    page.run_all()
    page.outputs(0).locator("input").fill("7")
    page.outputs(0).locator("input").press("Enter")
    page.wait_kernel("n.value", "7")
    page.pictures = tmp_path  # this one is for no document
    assert page.picture("a-number", page.outputs(0)).stat().st_size > 100


def test_an_error_in_the_console_is_noticed(lab):
    """Errors that scripts log or throw are kept; warnings are not among them."""
    page = lab.open("noisy.ipynb", "1 + 1")
    page.tab.evaluate(
        "() => { console.warn('only so'); console.error('logged'); setTimeout(() => { throw Error('thrown') }) }"
    )
    page.tab.wait_for_timeout(200)
    errors, page.errors = page.errors, []
    assert errors == ["logged", "thrown"]
    assert "warning: only so" in page.console


def test_the_kernel_says_what_it_prints_and_what_it_raises(lab):
    """`kernel` returns printed text and the last value, and an exception fails the test."""
    page = lab.open("says.ipynb", "1 + 1")
    assert page.kernel("print('one'); 2") == "one\n2"
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        page.kernel("1 / 0")
