from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from labkit.render.columns import text_table
from labkit.render.measure import columns


def test_columns_are_as_wide_as_their_longest_cell():
    """Where there is room, a row is a line, and the columns stand below each other."""
    assert text_table(["a", "b"], [["long", "x"], ["y", "z"]]).splitlines() == ["a     b", "long  x", "y     z"]


def test_long_cells_go_on_below():
    """Where there is none, the widest column gives way, and no word is lost."""
    words = "switches a plain GET too, which offers nothing"
    lines = text_table(["fault", "what it does"], [["unasked", words]], 30).splitlines()
    assert max(map(len, lines)) <= 30
    assert " ".join(line[9:].strip() for line in lines[1:]) == words


@given(st.lists(st.tuples(st.text("ab c", max_size=90), st.text("de f", max_size=90)), max_size=4))
def test_no_line_is_wider_than_it_may_be(rows):
    """Whatever the cells hold, the table keeps within its width."""
    assert all(columns(line) <= 60 for line in text_table(["one", "two"], rows, 60).splitlines())
