"""Measurements as data: what is saved is read again, and what is damaged is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.errors import Unreadable, WrongUse
from labkit.measured import Measurement, Study

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
MEASUREMENTS = st.builds(
    Measurement,
    name=st.text(), unit=st.text(), values=st.lists(NUMBERS, min_size=1).map(tuple), way=st.text(), via=st.text(),
    size=st.none() | st.integers(0, 1 << 20), connections=st.integers(1, 200),
)  # fmt: skip


@given(st.builds(Study, st.text(), st.lists(MEASUREMENTS).map(tuple), st.dictionaries(st.text(), st.text()), st.text()))
def test_what_is_saved_is_read_again(study: Study):
    """A study is the same after a round trip through JSON, whatever its texts and numbers."""
    assert Study.from_json(study.to_json()) == study


def test_a_file_is_read_again(tmp_path: Path):
    """A saved file holds every value and its moment."""
    study = Study("switch", (Measurement("rate", "B/s", (1.0, 2.0), at=(0.1, 0.2)),), {"python": "3.12"}, quick=True)
    assert Study.load(study.save(tmp_path / "study.json")) == study


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "no JSON"),
        pytest.param("[" * 200_000, "no JSON", id="deep"),
        ("[]", '"format"'),
        ('{"format": "labkit study", "version": 2}', "version 2"),
        ('{"format": "labkit study", "version": 1}', "damaged"),
    ],
)
def test_what_is_no_study_is_said(text: str, words: str):
    """A text that is no study gives a reason, not a traceback of something else."""
    with pytest.raises(Unreadable, match=words):
        Study.from_json(text)


@pytest.mark.parametrize(
    "change",
    [{"values": []}, {"values": ["1"]}, {"values": [True]}, {"colour": "red"}, {"at": [1]}, {"values": [10**400]}],
)
def test_a_damaged_measurement_is_said(change: dict[str, object]):
    """A measurement without values, with texts for numbers or with an unknown name is refused."""
    data = json.loads(Study("x", (Measurement("a", "ms", (1.0, 2.0)),)).to_json())
    data["measurements"][0] |= change
    with pytest.raises(Unreadable, match="damaged"):
        Study.from_json(json.dumps(data))


def test_an_unreadable_file_is_named(tmp_path: Path):
    """The file that cannot be read stands in the error."""
    with pytest.raises(Unreadable, match=r"nothing\.json"):
        Study.load(tmp_path / "nothing.json")


def test_one_value_is_a_measurement():
    """What is exact is measured once: its middle half is that value, and no values at all are refused."""
    assert str(Measurement("overhead", "B", (6.0,))) == "6.00 B (n 1)"
    with pytest.raises(WrongUse, match="no values"):
        Measurement("overhead", "B", ())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_was_not_measured(value: float):
    """A value that JSON has no form for, and no plot a place, is refused where it is made."""
    with pytest.raises(WrongUse, match="no number"):
        Measurement("rate", "/s", (1.0, value))


def test_a_study_is_thinned_evenly_and_says_so() -> None:
    """Values, and the moments that belong to them, are taken over the whole time; what is short stays as it is."""
    long = Measurement("round trip", "ms", tuple(number / 3 for number in range(1000)))
    course = Measurement("to the client", "B/s", (1.0, 2.0, 3.0), at=(-1.0, 0.0, 1.0))
    thin = Study("latency", (long, course), note="quiet").thinned(500)
    assert len(thin.measurements[0].values) == 500
    assert thin.measurements[0].values[-1] == pytest.approx(998 / 3, rel=1e-5)
    assert thin.measurements[1] == course
    assert thin.note.startswith("quiet; thinned")
    assert Study("latency", (course,), note="quiet").thinned().note == "quiet"
    assert Study("latency", (course,)).thinned(2).measurements[0].at == (-1.0, 0.0)
    with pytest.raises(WrongUse, match="one value"):
        thin.thinned(0)


def test_a_part_of_a_study_is_of_ways_that_it_has():
    """All else of it stays, and a way that was not measured is refused, with those that were."""
    found = tuple(Measurement("messages", "/s", (1.0,), way=way) for way in ("raw", "keep-alive", "raw"))
    study = Study("tap", found, {"python": "3.12"}, "2026-11-28", note="noted")
    assert study.only("raw") == Study("tap", (found[0], found[2]), study.machine, study.date, note="noted")
    with pytest.raises(WrongUse, match="no 'carrier pigeon'; there are 'raw', 'keep-alive'"):
        study.only("raw", "carrier pigeon")
