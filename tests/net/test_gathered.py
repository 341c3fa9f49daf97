from __future__ import annotations

import pytest

from labkit.errors import Failed
from labkit.gathering import Gathering
from labkit.net.run import run
from labkit.parties.described import Limits, Server
from labkit.simulation import simulate
from tests.test_gathering import HELLO, tea


@pytest.mark.parametrize("clients", [("ana", "ben", "cy"), ("ana", "ben", "cy", "dan", "eve")])
def test_what_is_simulated_is_what_is_run(clients):
    """Over sockets the same bytes cross on every hop, and the picture is the same."""
    predicted, observed = simulate(tea(clients=clients)), run(tea(clients=clients))
    assert observed == predicted
    assert str(observed).replace("recorded by the server", "simulated") == str(predicted)


def test_latecomers_and_those_who_hang_up_are_as_simulated():
    """Who joins late, reads late or goes without a goodbye does so for real, too."""
    script = [("cy", "stops reading"), HELLO, ("ben", "hangs up"), ("cy", "reads on"), ("dan", "joins"), HELLO]
    gathering = tea(script, clients=("ana", "ben", "cy", "dan"))
    assert run(gathering) == simulate(gathering)


def test_who_has_no_place_is_named():
    """A server with room for one takes no second client."""
    with pytest.raises(Failed, match="ben has no place: the server takes 1 connections"):
        run(Gathering(["ana", "ben"], [], Server(limits=Limits(connections=1)), pause=0.01))
