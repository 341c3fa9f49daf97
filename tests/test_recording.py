from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit import recording as module
from labkit.recording import Recording, joined
from labkit.trace import Cut, Direction, End, Hop, How, Trace, Transfer

UP, DOWN = Direction.TO_SERVER, Direction.TO_CLIENT


def recorder(**options) -> Recording:
    return Recording(count(100.0).__next__, **options)


def test_keeps_bytes_directions_times_and_ends():
    """What was added comes back in order, with times since the recording began."""
    recording = recorder(hop=Hop("client", "proxy"))
    recording.add(UP, b"ask")
    recording.end(UP, How.FIN)
    recording.add(DOWN, b"answer")
    recording.end(DOWN, How.RESET)
    trace = recording.trace("a title", "a note")
    assert trace.events == (
        Transfer(0, UP, b"ask", 1.0),
        End(0, UP, How.FIN, 2.0),
        Transfer(0, DOWN, b"answer", 3.0),
        End(0, DOWN, How.RESET, 4.0),
    )
    assert (trace.hops, trace.title, trace.note) == ((Hop("client", "proxy"),), "a title", "a note")
    assert recording.ended


def test_open_direction_is_abandoned():
    """A trace taken while the connection lives says that the recording stopped, not that a party did."""
    recording = recorder()
    recording.add(UP, b"ask")
    recording.end(DOWN, How.FIN)
    assert not recording.ended
    assert recording.trace().end(UP) is How.ABANDONED
    assert recording.trace().end(DOWN) is How.FIN
    assert recording.trace().events[-1].time == recording.trace().events[-2].time


def test_first_end_stands():
    """A reset after a FIN does not rewrite what was seen first."""
    recording = recorder()
    recording.end(UP, How.FIN)
    recording.end(UP, How.RESET)
    assert recording.trace().end(UP) is How.FIN


@pytest.mark.parametrize("first", Direction)
def test_ends_keep_their_order(first):
    """Who ended first ends first in the trace, after all bytes and cuts."""
    recording = recorder(limit=1)
    recording.add(UP, b"ask")
    recording.end(first, How.FIN)
    recording.end(first.other, How.FIN)
    assert [type(event) for event in recording.trace().events] == [Transfer, Cut, End, End]
    assert [event.direction for event in recording.trace().events[2:]] == [first, first.other]


adds = st.lists(st.tuples(st.sampled_from(Direction), st.binary(max_size=6)), max_size=12)


@given(adds=adds, limit=st.integers(0, 20))
def test_limit_holds_and_nothing_is_lost_in_silence(adds, limit):
    """At most `limit` bytes are kept: the first ones; what is not kept is counted, direction by direction (law 7)."""
    recording = recorder(limit=limit)
    for way, data in adds:
        recording.add(way, data)
    trace = recording.trace()
    everything = b"".join(data for _, data in adds)
    kept = b"".join(event.data for event in trace.events if isinstance(event, Transfer))
    assert kept == everything[:limit]
    for way in Direction:
        sent = b"".join(data for to, data in adds if to is way)
        lost = [event.length for event in trace.events if isinstance(event, Cut) and event.direction is way]
        assert trace.stream(way) == sent[: len(trace.stream(way))]
        assert sum(lost) == len(sent) - len(trace.stream(way))
        assert len(lost) <= 1
        assert 0 not in lost


def test_number_of_events_is_bounded(monkeypatch):
    """Many tiny reads fill a recording before its bytes do, and that is said as a cut."""
    monkeypatch.setattr(module, "_MOST_EVENTS", 3)
    recording = recorder()
    for _ in range(5):
        recording.add(UP, b"x")
    assert recording.trace() == Trace((Transfer(0, UP, b"xxx"), Cut(0, UP, 2), *ABANDONED))


ABANDONED = (End(0, UP, How.ABANDONED), End(0, DOWN, How.ABANDONED))


def test_nothing_is_kept_behind_a_cut():
    """Once a byte was lost, none is kept after it: a small read may not hide the hole before it."""
    recording = recorder(limit=4)
    recording.add(UP, b"123")
    recording.add(DOWN, b"45678")
    recording.add(UP, b"")
    recording.add(UP, b"9")
    kept = (Transfer(0, UP, b"123"), Transfer(0, DOWN, b"4"), Cut(0, DOWN, 4), Cut(0, UP, 1))
    assert recording.trace() == Trace((*kept, *ABANDONED))


def test_time_of_a_cut_is_when_it_fell():
    """A cut stands at the time of the first byte that was lost, whenever the others came."""
    recording = recorder(limit=1)
    recording.add(UP, b"ab")
    recording.add(UP, b"c")
    assert recording.trace().events[:2] == (Transfer(0, UP, b"a", 1.0), Cut(0, UP, 2, 1.0))


def test_trace_is_a_copy():
    """A trace taken early does not grow when more bytes come."""
    recording = recorder()
    recording.add(UP, b"a")
    early = recording.trace()
    recording.add(UP, b"b")
    assert early.stream(UP) == b"a"
    assert recording.trace().stream(UP) == b"ab"


def test_what_was_added_is_counted_and_timed():
    """A recording says how often something was added or ended, and when for the last time."""
    ticks = iter(range(100))
    recording = Recording(lambda: float(next(ticks)), limit=3)
    assert (recording.changes, recording.until) == (0, 0.0)
    recording.add(Direction.TO_SERVER, b"abcdef")
    assert (recording.changes, recording.until) == (2, 1.0)
    recording.end(Direction.TO_SERVER, How.FIN)
    assert (recording.changes, recording.until) == (3, 2.0)


def legs(*limits):
    """Return recordings with one clock."""
    clock = count(100.0).__next__
    return [Recording(clock, limit=limit) for limit in limits or (1000, 1000)]


HOPS = (Hop("client", "proxy"), Hop("proxy", "server"))


def test_legs_are_joined_in_the_order_of_what_happened():
    """Bytes and ends of several legs stand in one order, each with its hop, and times run from the first leg's start."""
    near, far = legs()
    near.add(UP, b"ask")
    far.add(UP, b"ask on")
    far.add(DOWN, b"answer")
    far.end(DOWN, How.FIN)
    near.add(DOWN, b"answer")
    for recording, way in ((near, DOWN), (near, UP), (far, UP)):
        recording.end(way, How.FIN)
    trace = joined(list(zip((near, far), HOPS, strict=True)), "a title", "a note")
    assert trace.events == (
        Transfer(0, UP, b"ask", 2.0),
        Transfer(1, UP, b"ask on", 3.0),
        Transfer(1, DOWN, b"answer", 4.0),
        End(1, DOWN, How.FIN, 5.0),
        Transfer(0, DOWN, b"answer", 6.0),
        End(0, DOWN, How.FIN, 7.0),
        End(0, UP, How.FIN, 8.0),
        End(1, UP, How.FIN, 9.0),
    )
    assert (trace.hops, trace.title, trace.note) == (HOPS, "a title", "a note")


def test_what_is_said_of_several_legs_is_said_once():
    """Notes of single recordings follow that of the trace; the same words are not repeated."""
    near, far = legs()
    near.note = far.note = "a problem"
    assert joined([(near, HOPS[0]), (far, HOPS[1])], note="simulated").note == "simulated; a problem"
    assert joined([]) == Trace((), (Hop(),))


def test_each_leg_has_its_own_limit_and_its_own_cut():
    """What one leg lost is told on its hop, at the time when it fell; the other leg is whole."""
    near, far = legs(2, 1000)
    near.add(UP, b"abc")
    near.add(UP, b"d")
    far.add(UP, b"abcd")
    trace = joined([(near, HOPS[0]), (far, HOPS[1])])
    assert trace.stream(UP, 0) == b"ab"
    assert trace.stream(UP, 1) == b"abcd"
    assert [(event.hop, event.length, event.time) for event in trace.events if isinstance(event, Cut)] == [(0, 2, 2.0)]
    assert {trace.end(way, hop) for way in Direction for hop in (0, 1)} == {How.ABANDONED}


steps = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(Direction), st.one_of(st.binary(max_size=4), st.sampled_from(How))),
    max_size=20,
)


@given(steps=steps, limit=st.integers(1, 30))
def test_joining_changes_no_leg(steps, limit):
    """Hop by hop a joined trace is what its recording was, event by event (law 7 included)."""
    kept = legs(limit, limit, limit)
    for number, way, what in steps:
        if isinstance(what, How):
            kept[number].end(way, what)
        else:
            kept[number].add(way, what)
    trace = joined([(recording, Hop("a", str(number))) for number, recording in enumerate(kept)])
    for number, recording in enumerate(kept):
        mine = [replace(event, hop=0, time=0.0) for event in trace.events if event.hop == number]
        assert mine == [replace(event, time=0.0) for event in recording.trace().events]
