from __future__ import annotations

import pytest

from labkit.render.layout import Party, columns_of, step_name


def test_every_party_is_one_column_in_the_order_of_the_hops():
    """A proxy that two hops share is drawn once, between its neighbours."""
    parties, places = columns_of([("client", "proxy"), ("proxy", "server"), ("client", "other")])
    assert parties == (
        Party("client", "client"), Party("proxy", "proxy"), Party("server", "server"), Party("other", "server"),
    )  # fmt: skip
    assert places == [(0, 1), (1, 2), (0, 3)]


def test_a_hop_from_a_party_to_itself_has_two_columns():
    """An arrow always goes from one column to another."""
    parties, places = columns_of([("lab", "lab")])
    assert [party.name for party in parties] == ["lab", "lab (2)"]
    assert places == [(0, 1)]


@pytest.mark.parametrize(("hop", "name"), [(0, "3a"), (25, "3z"), (26, "3aa"), (701, "3zz"), (702, "3aaa")])
def test_steps_carry_the_letter_of_their_hop(hop, name):
    """After z comes aa, so that any number of hops has names."""
    assert step_name(3, hop, 1000) == name


def test_on_one_hop_steps_are_numbers_alone():
    """A letter would say nothing there."""
    assert step_name(1, 0, 1) == "1"
