import pytest

from labkit.cases.reproduced import REPRODUCED
from labkit.errors import WrongUse
from labkit.parties.offer import Offer
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.variations.building import predict
from labkit.variations.presets import MORE_LINES, PRESETS, of_scenario


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_can_be_simulated(name):
    """Each begins without a fault of the workbench's own, and has the further field lines at hand."""
    found = predict(PRESETS[name])
    assert found.troubles == {}
    assert found.trace.events
    assert {each.name for each in MORE_LINES} <= {each.name for each in PRESETS[name].lines}


@pytest.mark.parametrize(
    "name", ["proxy-drops-upgrade", "jupyter-kernel", "backend-down", "origin-refused", "redirected-handshake"]
)
def test_a_case_of_the_catalogue_comes_to_the_same(name):
    """The variation of a case crosses the very bytes of its scenario."""
    for scenario in (REPRODUCED[name].broken(), REPRODUCED[name].fixed()):
        assert predict(of_scenario(scenario)).trace == simulate(scenario)


@pytest.mark.parametrize(
    "scenario",
    [Scenario(Offer.of_bytes(b"x")), Scenario(Offer.websocket().wrong("loses-early")), Scenario(say=[b"x"])],
)
def test_what_has_no_knob_is_told(scenario):
    """A scenario that the workbench could not show whole is refused."""
    with pytest.raises(WrongUse, match="no knob"):
        of_scenario(scenario)
