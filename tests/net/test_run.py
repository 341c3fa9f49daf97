import pytest

from labkit.dissection import dissect
from labkit.net.client import ask
from labkit.net.run import run
from labkit.net.server import UpgradeServer
from labkit.parties.offer import Offer
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Direction
from tests.net.scenarios import ALL, DECLINED, GOOD


@pytest.mark.parametrize("name", ALL)
def test_what_is_predicted_is_what_happens(name):
    """In memory and over sockets the same parties give the same trace."""
    predicted, observed = simulate(ALL[name]), run(ALL[name])
    for way in Direction:
        assert observed.stream(way) == predicted.stream(way)
        assert observed.end(way) == predicted.end(way)
    assert observed == predicted


@pytest.mark.parametrize("name", GOOD)
def test_the_good_ones_switch(name):
    """The scenarios that ought to switch do."""
    assert dissect(simulate(GOOD[name])).outcome == "switched"


@pytest.mark.parametrize("name", DECLINED)
def test_the_others_do_not(name):
    """The scenarios that ought to be declined are, and both sides still end in good order."""
    trace = simulate(DECLINED[name])
    assert dissect(trace).outcome != "switched"
    assert {trace.end(way) for way in Direction} == {"fin"}


SIZE = len(Offer.websocket().to_bytes())


def test_an_offer_cut_at_any_byte_is_the_same_offer():
    """Whichever byte a segment ends at, the trace is that of the whole; in memory at every byte, over sockets at some."""
    whole = simulate(Scenario())
    assert all(simulate(Scenario(Offer.websocket().cut(at))) == whole for at in range(1, SIZE))
    with UpgradeServer() as server:
        for at in range(1, SIZE, 11):
            ask(server.url, Offer.websocket().cut(at))
            assert server.trace == whole


def test_the_title_is_the_scenarios():
    """What is run is called what it was called."""
    assert run(Scenario(title="One echo")).title == "One echo"
