import pytest

from labkit.cases.grid import cells
from labkit.errors import Unmodelled, WrongUse
from labkit.simulation import simulate

LONGEST = 1.0  # seconds


def test_every_cell_has_a_name_of_its_own():
    """Program, configuration, offer and server make the name, and no two cells have the same."""
    names = [cell.name for cell in cells()]
    assert len(set(names)) == len(names)
    assert {cell.program for cell in cells("apache")} == {"apache"}
    with pytest.raises(WrongUse, match="the grid has no program 'squid'; it has nginx, apache"):
        cells("squid")


def test_no_cell_waits_for_long():
    """Where nothing comes the client soon gives up, and where something does it waits much longer than that takes."""
    waited = {}
    for cell in cells():
        if "/impatient" in cell.name:  # there it is the proxy that waits
            continue
        try:
            last = max((event.time for event in simulate(cell.scenario).events), default=0.0)
        except Unmodelled:
            continue
        waited[cell.name] = last
        assert last in (0.0, cell.scenario.patience) or last < cell.scenario.patience / 5, cell.name
    assert max(waited.values()) <= LONGEST


def test_a_proxy_waits_no_longer_than_two_seconds():
    """Where a proxy's patience is put to the test, it has little of it, and ends before the client would."""
    impatient = [cell for cell in cells() if "/impatient" in cell.name]
    assert {cell.program for cell in impatient} == {"nginx", "apache"}
    for cell in impatient:
        assert 1.0 <= max(event.time for event in simulate(cell.scenario).events) <= 2.1, cell.name
