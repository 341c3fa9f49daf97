from __future__ import annotations

import re

import pytest

from labkit.render.diagram import diagram
from labkit.render.theme import DARK, LIGHT, contrast, mono_width, sans_width
from labkit.wire.websocket import TEXT, frame
from tests.render.exchanges import chain, cut, switched

THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])


@THEMES
def test_text_has_a_contrast_of_at_least_4_5(theme):
    """Every colour that text is written in, on every ground it stands on (WCAG 2.2, 1.4.3)."""
    assert [pair for pair in theme.texts if contrast(*pair) < 4.5] == []


@THEMES
def test_lines_have_a_contrast_of_at_least_3(theme):
    """Every line that carries meaning, on every ground it stands on (WCAG 2.2, 1.4.11)."""
    assert [pair for pair in theme.lines if contrast(*pair) < 3] == []


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_colour_of_a_picture_is_among_the_checked(dark):
    """What the drawing writes in is what the contrast is computed for."""
    theme = DARK if dark else LIGHT
    trace = cut(switched(frame(TEXT, b"unmasked")), 5)
    for each in (trace, chain("client", "proxy", "server")):
        inks = re.findall(r'<text [^>]*fill="([^"]+)"', diagram(each).svg(dark=dark))
        assert set(inks) <= {text for text, _ in theme.texts}


def test_widths_are_estimated_from_above():
    """DejaVu's fonts are among the widest: 0.602 for the monospaced, 0.70 for a bold sans-serif's letters."""
    assert mono_width("x" * 100, 10) >= 602
    assert sans_width("from here on: the bytes are no longer HTTP", 10) >= 42 * 10 * 0.62
    assert sans_width("日本", 10) >= 20
