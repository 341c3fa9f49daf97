import os

import pytest

from labkit.cases.grid import PROGRAMS, cells
from labkit.cases.outcome import SAW
from labkit.errors import Unmodelled
from labkit.net.fidelity import Report, hold_all, weigh
from labkit.net.programs import find
from labkit.parties.described import Server
from labkit.parties.offer import Offer
from labkit.scenario import Scenario
from labkit.simulation import simulate

GROUPS = sorted({cell.name.rsplit("/", cell.name.count("/") - 1)[0] for cell in cells()})
MOST_REFUSED = 0.05


@pytest.mark.timeout(170)
@pytest.mark.parametrize("group", GROUPS)
def test_the_model_does_what_the_program_does(group):
    """Every cell of a configuration comes to the same, run for real and simulated, or the model refuses to answer."""
    chosen = [cell for cell in cells() if cell.name.startswith(f"{group}/")]
    program = chosen[0].scenario.via[0].program
    if not find(program) and not os.environ.get("CI"):
        pytest.skip(f"{program} is not on this machine")
    report = hold_all(chosen)
    assert [str(held) for held in report.different] == []


def test_few_cells_are_refused():
    """Over the whole grid, the models refuse to answer one cell in twenty at most; no program is needed to know."""
    refused = [cell.name for cell in cells() if is_refused(cell)]
    assert len(refused) <= MOST_REFUSED * len(cells()), refused


def is_refused(cell) -> bool:
    try:
        simulate(cell.scenario)
    except Unmodelled:
        return True
    return False


def test_the_grid_is_large_enough():
    """At least 400 cells, of both programs."""
    assert len(cells()) >= 400
    assert {cell.program for cell in cells()} == set(PROGRAMS)


def test_another_version_is_told():
    """Where the program is not the one that the model is of, both versions are named."""
    same, newer = (Report((), {"nginx": version}, {"nginx": "1.22.1"}) for version in ("1.22.1", "1.30.0"))
    built = Report((), {"apache": "2.4.71"}, {"apache": "2.4.71 (Debian)"})
    assert "\n" not in str(same) + str(built)
    assert "against nginx 1.30.0" in str(newer)
    assert "The models are of nginx 1.22.1" in str(newer)


def test_any_scenario_can_be_weighed():
    """A scenario without a proxy is run and simulated; another client's own lines are differences."""
    assert weigh(Scenario(server=Server(faults=("accept-wrong",)))).equal
    if not find("curl") and not os.environ.get("CI"):
        pytest.skip("curl is not on this machine")
    found = weigh(Scenario(Offer.bare(), client="curl"))
    assert not found.equal
    assert {each.what for each in found.differences if each.place == SAW} == {"accept", "user-agent"}
