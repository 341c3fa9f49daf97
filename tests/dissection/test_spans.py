from __future__ import annotations

from labkit.dissection.spans import Span

TREE = Span(
    0, 4, "all", fault="f0", parts=(Span(0, 1, "a", fault="f1"), Span(1, 4, "b", parts=(Span(1, 2, "c"), Span(2, 4, "d", fault="f2"))))
)  # fmt: skip


def test_leaves_are_what_has_no_parts():
    """The leaves come in order, from every depth; a span without parts is its own leaf."""
    assert [leaf.label for leaf in TREE.leaves()] == ["a", "c", "d"]
    assert TREE.parts[0].leaves() == (TREE.parts[0],)


def test_faults_of_the_whole_tree():
    """A span tells its own fault and those below it, in order."""
    assert TREE.faults() == ("f0", "f1", "f2")
