import datetime as dt
import email.utils
from itertools import islice

from labkit.parties.clocks import SAMPLE_DATE, LogicalClock, lab_date, lab_masks
from labkit.wire.websocket import SAMPLE_MASK


def test_masking_keys_are_the_same_each_time():
    """The first key is the RFC's own (RFC 6455, 5.7); those after it are fixed, and differ from each other."""
    keys = list(islice(lab_masks(), 1000))
    assert keys == list(islice(lab_masks(), 1000))
    assert keys[0] == SAMPLE_MASK
    assert {len(key) for key in keys} == {4}
    assert len(set(keys)) == 1000


def test_the_date_is_a_date():
    """The lab's date has the form of one, and its weekday is right (RFC 9110, 5.6.7)."""
    assert lab_date() == SAMPLE_DATE
    read = email.utils.parsedate_to_datetime(SAMPLE_DATE)
    assert read == dt.datetime(1994, 11, 6, 8, 49, 37, tzinfo=dt.UTC)
    assert email.utils.format_datetime(read, usegmt=True) == SAMPLE_DATE


def test_a_logical_clock_stands_still():
    """Time goes on when it is told to, and not else."""
    clock = LogicalClock()
    assert clock() == clock() == 0.0
    clock.now += 5
    assert clock() == 5.0
