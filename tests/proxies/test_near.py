from labkit.parties.clocks import LogicalClock
from labkit.parties.party import Driver, Ending
from labkit.proxies.near import MOST_KEPT, NearSide


def side():
    woken = []
    clock = LogicalClock()
    return NearSide(Driver(clock, None, wrote=lambda: woken.append(clock.now)), 2.0), clock, woken


def test_writes_leave_in_one():
    """What was written is sent once, and whoever drives the leg is told of it; nothing is nothing."""
    near, _, woken = side()
    near._write(b"a")
    near._write(b"")
    near._write(b"b")
    assert (near.outgoing(), near.outgoing()) == (b"ab", b"")
    assert len(woken) == 2
    assert (near.drained(), near.finished(None)) == (None, None)


def test_a_time_comes_once():
    """It is not due before its time, and due once; each new time is told."""
    near, clock, woken = side()
    assert near.deadline == 2.0
    assert not near._is_due()
    clock.now = 2.0
    assert near._is_due()
    assert not near._is_due()
    near._wait(3.0)
    assert near.deadline == 5.0
    assert woken == [2.0]


def test_a_reset_is_not_made_a_fin():
    """What was broken off stays so."""
    near, _, _ = side()
    near._fin()
    assert near.ending is Ending.FIN
    near.ending = Ending.RESET
    near._fin()
    assert near.ending is Ending.RESET


def test_the_log_is_short():
    """The last lines are kept; the same line is told once, and an empty one not at all."""
    near, _, _ = side()
    for number in range(2 * MOST_KEPT):
        near.log.append("" if number % 2 else f"line {number % 4}")
    assert len(near.log) == MOST_KEPT
    assert near.problem == "line 0; line 2"
