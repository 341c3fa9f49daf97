from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.render.copies import copies


def paired(came: str, went: str) -> str:
    """Return what both sides have in common, letter by letter."""
    pairs = list(copies(*([letter.encode() for letter in side] for side in (came, went))))
    assert pairs == sorted(pairs)
    assert len({one for one, _ in pairs}) == len({other for _, other in pairs}) == len(pairs)
    assert all(came[one] == went[other] for one, other in pairs)
    return "".join(came[one] for one, _ in pairs)


@pytest.mark.parametrize(
    ("came", "went", "both"),
    [
        ("abc", "abc", "abc"),
        ("abc", "ac", "ac"),
        ("ac", "abc", "ac"),
        ("abc", "aBc", "ac"),
        ("abc", "dabc", "abc"),
        ("abcd", "dabc", "abc"),
        ("xxxx", "xxx", "xxx"),
        ("axbxcxd", "bxcx", "bxcx"),
        ("pxpa", "apxp", "pxp"),
        ("", "abc", ""),
    ],
)
def test_equal_messages_are_paired_in_order(came, went, both):
    """What was lost, changed, added or moved has no copy; the rest has."""
    assert paired(came, went) == both


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), max_size=60))
def test_where_messages_were_only_lost_every_copy_is_found(sent):
    """Whatever repeats, a side that is short of some messages is found whole in the other."""
    went = "".join(letter for letter, kept in sent if kept)
    assert paired("".join(letter for letter, _ in sent), went) == went


@given(st.text("abcdef", max_size=40), st.text("abcdef", max_size=40))
def test_pairs_never_cross(came, went):
    """Whatever came and went, each message has one copy at the most, and copies keep their order."""
    paired(came, went)
