from __future__ import annotations

import pytest

from labkit.errors import WrongUse
from labkit.render.edits import MOST_EDITS, edited, edits_of, told_edits
from labkit.trace import End, Gap, Transfer
from tests.render.exchanges import ASK, REPLY, Trace, echo


def test_a_byte_is_replaced_in_its_own_read():
    """Reads keep their sizes, their order and what stands between them."""
    trace = Trace(
        (Transfer(0, ASK, b"ab", 1.0), Gap(0, ASK, 3), Transfer(0, ASK, b"cd", 2.0), Transfer(0, REPLY, b"ef"))
    )
    found = edited(trace, {(0, ASK, 2): 0x58, (0, REPLY, 1): 0x59})
    assert found.events == (
        Transfer(0, ASK, b"ab", 1.0), Gap(0, ASK, 3), Transfer(0, ASK, b"Xd", 2.0), Transfer(0, REPLY, b"eY"),
    )  # fmt: skip


def test_nothing_edited_is_the_same_trace():
    """Without edits there is no copy."""
    trace = echo(b"Hello")
    assert edited(trace, {}) is trace


@pytest.mark.parametrize(
    ("edits", "told"),
    [
        ({(0, ASK, 10_000): 1}, "no byte 10000"),
        ({(0, ASK, -1): 1}, "no byte -1"),
        ({(7, ASK, 0): 1}, "hop 7 has no byte 0"),
        ({(0, ASK, 0): 256}, "256 is no byte"),
        ({(0, ASK, 0): -1}, "-1 is no byte"),
        ({(0, ASK, place): 1 for place in range(MOST_EDITS + 1)}, "1,001 bytes are edited"),
    ],
)
def test_what_cannot_be_edited_is_told(edits, told):
    """A byte that is not there, a value that is none, and too many of them are errors in words."""
    with pytest.raises(WrongUse, match=told):
        edited(echo(b"Hello"), edits)


@pytest.mark.parametrize(
    "told",
    [None, {}, "x", [1], [[0, "server", 1]], [[0, "up", 1, 2]], [[0, "server", "1", 2]], [[0, "server", 1, 2]] * 1001],
)
def test_edits_from_a_page_are_checked(told):
    """Whatever a page sends that is no list of edits is refused."""
    with pytest.raises(WrongUse):
        edits_of(told)


def test_edits_are_told_with_what_was_there():
    """A page can undo an edit: it knows the byte before."""
    trace = echo(b"Hello")
    edits = edits_of([[0, "server", 0, 0x50], [0, "client", 9, 0x34]])
    assert told_edits(trace, edits) == [[0, "server", 0, 0x50, ord("G")], [0, "client", 9, 0x34, ord("1")]]
    assert trace.end(ASK) == edited(trace, edits).end(ASK)
    assert sum(isinstance(event, End) for event in edited(trace, edits).events) == 2
