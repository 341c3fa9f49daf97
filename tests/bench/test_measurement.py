from __future__ import annotations

import json

import pytest

from labkit.bench.measurement import Row, Target, alternate, costs, ratios
from labkit.measured import Measurement


def test_turns_are_taken_there_and_back() -> None:
    """What is compared takes turns, every other round backwards, after a round that is not kept."""
    order: list[str] = []

    def action(name: str, value: float) -> float:
        order.append(name)
        return value

    kept = alternate(2, lambda: action("A", 1.0), lambda: action("B", 2.0), lambda: action("C", 3.0))
    assert "".join(order) == "CBA" + "ABC" + "CBA"
    assert kept == [(1.0, 1.0), (2.0, 2.0), (3.0, 3.0)]


def test_ratios_are_made_round_by_round() -> None:
    """A slow round of both halves cancels out, which a ratio of two medians would not give."""
    assert ratios([100.0, 10.0, 50.0], [50.0, 5.0, 25.0]) == (2.0, 2.0, 2.0)
    assert costs([95.0], [100.0]) == pytest.approx((5.0,))
    with pytest.raises(ValueError, match="zip"):
        ratios([1.0], [1.0, 2.0])


@pytest.mark.parametrize(
    ("target", "value", "reached"),
    [
        (Target(2.0), 2.0, True),
        (Target(2.0), 1.99, False),
        (Target(10, at_least=False), 10.0, True),
        (Target(10, at_least=False), 10.1, False),
    ],
)
def test_a_row_says_whether_its_median_reached_the_target(target: Target, value: float, reached: bool) -> None:  # noqa: FBT001
    """The median decides, on either side of a bound, and the line says it in words."""
    row = Row(Measurement("what", "×", (0.0, value, 1000.0)), target)
    assert row.reached is reached
    assert ("NOT reached" in str(row)) is not reached


def test_a_row_keeps_every_value_as_data() -> None:
    """What is kept as JSON has each round, also of what stands beside the figure."""
    row = Row(
        Measurement("what", "ms", (1.0, 2.0)), Target(15, at_least=False), (Measurement("other", "/s", (7.0, 8.0)),)
    )
    kept = json.loads(json.dumps(row.as_data()))
    assert kept == {
        "name": "what", "unit": "ms", "median": 1.5, "target": "≤ 15", "reached": True, "values": [1.0, 2.0],
        "beside": [{"name": "other", "unit": "/s", "values": [7.0, 8.0]}],
    }  # fmt: skip
