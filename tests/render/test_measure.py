from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.render.measure import clean, columns, fit, wrap


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("plain ASCII ~", "plain ASCII ~"),
        ("a\r\nb", r"a\r\nb"),
        ("left\u202eright", r"left\u202eright"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("no\xa0break", r"no\xa0break"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("caf\xe9 日本", "caf\xe9 日本"),
        ("\u0301first", r"\u0301first"),
        ("e\u0301", "e\u0301"),
        ("e" + "\u0301" * 4, "e\u0301\u0301" + r"\u0301" * 2),
        ("\ufdfa", r"\ufdfa"),
    ],
)
def test_what_is_not_drawn_as_itself_is_written_out(text, drawn):
    """Control characters, turners of direction, hidden and heaped marks become visible."""
    assert clean(text) == drawn


def test_a_long_text_is_cut_with_an_ellipsis():
    """At most `most` characters are kept, and the cut is seen."""
    assert clean("x" * 300, 10) == "x" * 9 + "…"


def test_wide_characters_take_two_columns_and_marks_none():
    """A terminal's columns are counted, not characters."""
    assert [columns(text) for text in ("日本", "ｆｕｌｌ", "e\u0301", "─►")] == [4, 8, 1, 2]


@settings(deadline=None)  # a busy machine is no fault
@given(st.text(max_size=80), st.integers(2, 40))
def test_cut_text_is_never_wider_than_asked(text, width):
    """What `fit` returns is at most `width` columns, and the text itself where that fits."""
    fitted = fit(text, width)
    assert columns(fitted) <= width
    assert fitted == text or columns(text) > width


@settings(deadline=None)  # a busy machine is no fault
@given(st.text("ab cd日éW", max_size=120), st.integers(4, 30), st.integers(1, 5))
def test_wrapped_lines_fit_and_lose_nothing_but_what_is_marked(text, width, most):
    """No line is wider than asked; all letters are there unless the last line ends in …."""
    lines = wrap(text, width, most, indent=1)
    assert len(lines) <= most
    assert all(columns(line) <= width for line in lines)
    if not lines[-1].endswith("…"):
        assert "".join("".join(lines).split()) == "".join(text.split())


def test_a_field_line_is_broken_behind_its_name():
    """Where the value fits on a line of its own it is not torn."""
    line = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert wrap(line, 44, indent=2) == ["Sec-WebSocket-Accept:", "  s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]
