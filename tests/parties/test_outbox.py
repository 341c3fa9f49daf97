from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.errors import WrongUse
from labkit.parties.outbox import POLICIES, Outbox

MESSAGES = st.lists(st.text(max_size=6) | st.binary(max_size=12), max_size=30)


def size_of(message: str | bytes) -> int:
    return len(message.encode() if isinstance(message, str) else message)


@given(MESSAGES, st.sampled_from(POLICIES), st.integers(1, 6), st.integers(1, 20))
def test_order_is_kept_and_bounds_are_held(messages, policy, most, size):
    """Whatever is added, the outbox holds no more than it may, in the order it came, and counts what is missing."""
    outbox = Outbox(policy, most, size)
    taken = []
    for message in messages:
        if outbox.add(message, size_of(message)):
            taken.append(message)
        assert len(outbox) <= most
        assert outbox.size <= size
    left = [outbox.take() for _ in range(len(outbox))]
    assert left == (taken[-len(left) :] if left else [])
    assert outbox.dropped + len(left) == len(messages)
    assert outbox.size == 0


@given(MESSAGES, st.integers(1, 6), st.integers(1, 20))
def test_dropping_the_oldest_keeps_the_newest(messages, most, size):
    """With "drop oldest" the longest run of newest messages that fits is what waits, of those that fit at all."""
    outbox, expected = Outbox("drop oldest", most, size), deque()
    for message in messages:
        outbox.add(message, size_of(message))
        if size_of(message) <= size:
            expected.append(message)
            while len(expected) > most or sum(map(size_of, expected)) > size:
                expected.popleft()
    assert [outbox.take() for _ in range(len(outbox))] == list(expected)


@given(MESSAGES, st.sampled_from(["drop newest", "disconnect"]), st.integers(1, 6), st.integers(1, 20))
def test_the_others_keep_what_came_first(messages, policy, most, size):
    """Without "drop oldest" nothing that waits is pushed out, and one that does not fit is told so."""
    outbox, expected = Outbox(policy, most, size), []
    for message in messages:
        fits = len(expected) < most and sum(map(size_of, expected)) + size_of(message) <= size
        assert outbox.add(message, size_of(message)) is fits
        if fits:
            expected.append(message)
    assert [outbox.take() for _ in range(len(outbox))] == expected


def test_clearing_counts():
    """What is let go of is counted as dropped."""
    outbox = Outbox(messages=2)
    for each in "abc":
        outbox.add(each, 1)
    outbox.clear()
    assert (len(outbox), outbox.size, outbox.dropped) == (0, 0, 3)


@pytest.mark.parametrize("wrong", [{"when_full": "drop"}, {"messages": 0}, {"messages": True}, {"size": 1.5}])
def test_a_policy_or_bound_that_makes_no_sense(wrong):
    """The error names what was wrong, and what there is."""
    with pytest.raises(WrongUse, match=next(iter(wrong)).replace("when_full", "drop oldest, drop newest, disconnect")):
        Outbox(**wrong)
