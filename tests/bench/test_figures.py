from __future__ import annotations

import pytest

from labkit.bench.__main__ import FIGURES
from labkit.bench.measurement import Missing


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_can_be_measured(name: str) -> None:
    """Each row has a figure of several rounds, and every rate, time and size in it is above 0."""
    rows = FIGURES[name](quick=True)
    assert rows
    for row in rows:
        if isinstance(row, Missing):
            assert str(row.why).startswith("absent: ")
            continue
        assert len(row.figure.values) >= 2
        for measurement in (row.figure, *row.beside):
            if measurement.unit == "messages":  # lost: none at best
                assert min(measurement.values) >= 0
            elif measurement.unit != "%" and "above" not in measurement.name:  # differences may fall below 0
                assert min(measurement.values) > 0, measurement.name
        assert row.figure.name in str(row)
