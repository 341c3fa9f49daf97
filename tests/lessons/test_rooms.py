"""The room that waits for its slowest guest, what each guest heard, and what a tell of one's own is told."""

from __future__ import annotations

import pytest

from labkit.errors import WrongUse
from labkit.gathering import Gathering
from labkit.lessons.rooms import Room, feeding, heard, sends, telling
from labkit.parties.described import Server
from labkit.parties.offer import Offer
from labkit.simulation import simulate

DEAF = [("ben", "stops reading"), ("ana", "says", "one"), ("cy", "says", "two"), ("ana", "says", "three")]


async def posts(guests, line):
    for guest in guests:
        guest.post(line)


def told(tell, script=DEAF, clients=("ana", "ben", "cy")):
    return heard(simulate(Gathering(clients, script, Server(protocols={"websocket": Room(tell)}))))


def test_one_who_does_not_read_stalls_a_room_that_sends():
    """Whoever stands before ben in the list is told what is said until all handlers wait for him; cy is told nothing."""
    assert told(sends) == {"ana": ["one", "two"], "ben": [], "cy": []}


def test_nobody_stalls_a_room_that_posts():
    """All others are told all."""
    assert told(posts) == {"ana": ["one", "two", "three"], "ben": [], "cy": ["one", "two", "three"]}


def test_who_has_left_is_told_nothing():
    """A room forgets a guest who leaves, or hangs up; what is no text is no line of theirs."""
    script = [("ana", "leaves"), ("ben", "hangs up"), ("cy", "says", "alone?"), ("cy", "says", b"bytes")]
    assert told(sends, script) == {"ana": ["Close 1000"], "ben": [], "cy": ["alone?"]}


def test_who_was_declined_heard_nothing():
    """A page is no message."""
    assert told(sends, [("ben", "says", "Hi")], {"ana": Offer.plain(), "ben": Offer.websocket()})["ana"] == []


@pytest.mark.parametrize(
    ("when_full", "hears"),
    [("drop oldest", ("4", "5", "6")), ("drop newest", ("1", "2", "6")), ("disconnect", ("Close 1008",))],
)
def test_what_each_policy_leaves(when_full: str, hears: tuple[str, ...]):
    """Two messages wait: the last two, the first two, or none, and then nothing more is told."""
    assert feeding(when_full) == hears


def test_a_policy_that_nobody_knows_is_named():
    """A policy is one of three."""
    with pytest.raises(WrongUse, match="not 'wait'"):
        feeding("wait")


def test_a_tell_that_fails_is_told_how():
    """What it raises is in its points, and dots are still open."""
    assert any("ZeroDivisionError" in point.what for point in telling(lambda guests, line: 1 / 0))
    assert "still open" in next(telling(lambda guests, line: ...)).why
