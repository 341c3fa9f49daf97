from __future__ import annotations

from labkit.render.verdict import check
from labkit.widgets.twin import twin
from tests.render.exchanges import echo


def test_the_twin_shows_diagram_findings_and_every_byte():
    """What a notebook keeps reads without a widget, as HTML and as text."""
    verdict = check(echo(b"Hello"))
    found = twin(verdict)
    assert set(found) == {"text/html", "text/plain"}
    assert "data:image/svg+xml;base64," in found["text/html"]
    assert "W09" in found["text/html"]
    assert "masking key" in found["text/html"]
    assert found["text/plain"].startswith("Switched to websocket (101)\n")
    assert verdict.text() in found["text/plain"]


def test_the_twin_is_the_same_every_time():
    """A committed notebook's output is compared: nothing in it is drawn by chance."""
    assert twin(check(echo(b"Hello"))) == twin(check(echo(b"Hello")))
