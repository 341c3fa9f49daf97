from __future__ import annotations

import os
import re

import pytest

from labkit.cases.reproduced import REPRODUCED, reproduced
from labkit.cases.seen import unmet
from labkit.errors import Unmodelled, WrongUse
from labkit.net.programs import find
from labkit.net.run import run
from labkit.simulation import simulate

WITHOUT_PROXY = [name for name, case in REPRODUCED.items() if not case.proxy]
WITH_PROXY = [name for name, case in REPRODUCED.items() if case.proxy]


def test_how_many():
    """At least 30 of the 40 failures are reproduced, most of them without any proxy."""
    assert len(REPRODUCED) >= 30
    assert len(WITHOUT_PROXY) >= 25


@pytest.mark.parametrize("name", WITHOUT_PROXY)
@pytest.mark.parametrize("how", [simulate, run])
def test_broken_fails_and_fixed_works(name, how):
    """The broken scenario fails as described, the fixed one works, and the one is not the other."""
    case = REPRODUCED[name]
    broken, fixed = how(case.broken()), how(case.fixed())
    assert unmet(case.fails, broken) == ()
    assert unmet(case.works, fixed) == ()
    assert unmet(case.works, broken)
    assert unmet(case.fails, fixed)


@pytest.mark.parametrize("name", WITH_PROXY)
@pytest.mark.parametrize("how", [simulate, run])
def test_broken_fails_and_fixed_works_behind_a_proxy(name, how):
    """With the proxy's model in the middle, and with the program, the broken text fails as described; the fixed works."""
    case = REPRODUCED[name]
    (program,) = {proxy.program for made in (case.broken(), case.fixed()) for proxy in made.via}
    if how is run and not find(program) and not os.environ.get("CI"):
        pytest.skip(f"{program} is not on this machine")
    broken, fixed = how(case.broken()), how(case.fixed())
    assert unmet(case.fails, broken) == ()
    assert unmet(case.works, fixed) == ()
    assert unmet(case.works, broken)


@pytest.mark.parametrize(
    ("name", "error", "told"),
    [
        ("mixed-content", Unmodelled, "mixed-content is not reproduced: no byte crosses"),
        ("mixd-content", WrongUse, "did you mean 'mixed-content'?"),
    ],
)
def test_what_cannot_be_reproduced(name, error, told):
    """A case that cannot be reproduced says why, and a name that is none is told."""
    with pytest.raises(error, match=re.escape(told)):
        reproduced(name)
