import math
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.errors import WrongUse
from labkit.parties.backoff import delays

SECONDS = st.floats(1e-3, 1e3)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=80), SECONDS, SECONDS)
def test_each_delay_is_within_a_ceiling_that_doubles(drawn, first, most):
    """Each delay is drawn from 0 to first, twice that, and so on, and never longer than the most."""
    given_out = iter(drawn)
    waits = list(islice(delays(lambda: next(given_out), first=first, most=most), len(drawn)))
    ceilings = [min(first * 2**number, most) for number in range(len(drawn))]
    assert waits == [draw * ceiling for draw, ceiling in zip(drawn, ceilings, strict=True)]


def test_the_first_delay_is_that_of_the_rfc():
    """Unless told, the first delay is 0 to 5 seconds (RFC 6455, 7.2.3)."""
    assert next(delays(lambda: 1.0)) == 5.0
    assert next(delays(lambda: 0.0)) == 0.0


@pytest.mark.parametrize("wrong", [{"first": 0}, {"first": "1"}, {"most": math.inf}, {"most": math.nan}])
def test_a_bound_that_makes_no_sense(wrong):
    """It is told before the first delay is asked for."""
    with pytest.raises(WrongUse, match=next(iter(wrong))):
        delays(lambda: 0.5, **wrong)
