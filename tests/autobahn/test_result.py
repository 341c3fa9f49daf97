"""What Autobahn|Testsuite found is kept whole, and the page says what the file does."""

from __future__ import annotations

import pytest

from tests.autobahn.result import CATEGORIES, FILE, PAGE, Result

INDEX = {
    "labkit": {
        "10.1.1": {"behavior": "OK", "behaviorClose": "OK", "duration": 3},
        "6.4.3": {"behavior": "NON-STRICT", "behaviorClose": "OK", "duration": 3},
        "7.1.6": {"behavior": "INFORMATIONAL", "behaviorClose": "INFORMATIONAL", "duration": 3},
        "2.1": {"behavior": "OK", "behaviorClose": "UNCLEAN", "duration": 3},
    }
}


def test_a_report_is_read_in_the_order_of_its_cases():
    """Of a report the two verdicts of each case are kept, by the numbers of the cases, and come back from JSON."""
    found = Result.of_report(INDEX, {"autobahntestsuite": "1"})
    assert list(found.cases) == ["2.1", "6.4.3", "7.1.6", "10.1.1"]
    assert found.cases["6.4.3"] == ("NON-STRICT", "OK")


def test_a_result_comes_back_from_its_file(tmp_path):
    """What is written is read again as the same."""
    found = Result.of_report(INDEX, {"autobahntestsuite": "1"})
    (tmp_path / "found.json").write_text(found.to_json())
    assert Result.load(tmp_path / "found.json") == found


def test_cases_that_are_run_again_take_the_place_of_the_older():
    """A few cases change those few; of a run with other versions nothing is kept."""
    older, newer = Result.of_report(INDEX, {"labkit": "1"}), Result({"labkit": "1"}, {"6.4.3": ("OK", "OK")})
    assert newer.over(older).cases == {**older.cases, "6.4.3": ("OK", "OK")}
    assert Result({"labkit": "2"}, newer.cases).over(older).cases == newer.cases


def test_the_worse_verdict_counts():
    """A case is as good as the worse of its two verdicts; an unclean end is a failure."""
    found = Result.of_report(INDEX, {})
    assert found.counts() == {"OK": 1, "NON-STRICT": 1, "INFORMATIONAL": 1, "FAILED": 1}
    assert found.counts(2, 10) == {"OK": 1, "FAILED": 1}


def test_the_page_tells_every_case_that_is_not_right():
    """The table has a row for each category and one for all, and what is not OK is named below it."""
    page = Result.of_report(INDEX, {"autobahntestsuite": "1"}).page()
    assert "| 6 UTF-8 | 1 | 0 | 1 | 0 | 0 |" in page
    assert "| all | 4 | 1 | 1 | 1 | 1 |" in page
    assert "Other than OK: 2.1 (OK, UNCLEAN), 6.4.3 (NON-STRICT, OK), 7.1.6 (INFORMATIONAL)." in page


@pytest.fixture(scope="module")
def kept() -> Result:
    return Result.load(FILE)


def test_no_case_has_failed(kept: Result):
    """All 517 cases were run, each category has some, and none failed."""
    assert len(kept.cases) == 517
    assert all(kept.counts(number) for number in CATEGORIES)
    assert kept.counts()["FAILED"] == 0


def test_the_page_is_the_result(kept: Result):
    """The page is made of the file, and of nothing else."""
    assert PAGE.read_text(encoding="utf-8") == kept.page()
