"""docs/instructor.md: every notebook is in it, and its minutes are those of the notebooks' headings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from labkit.lessons.notebooks import notebooks_in, read
from tests.house.pages import ROOT, inside, plain, tree

PAGE = (ROOT / "docs/instructor.md").read_text(encoding="utf-8")
LESSONS = notebooks_in(ROOT / "notebooks")
PLANS = ("45 minutes", "Half a day", "A day")
ASKED = {
    "45 minutes": ["00", "01", "02", "06"],
    "Half a day": ["00", "01", "02", "03", "04", "06", "09", "14"],
    "A day": [*(f"{number:02}" for number in range(10)), "14"],
}
CHOICE = "the room's choice"


def section(title: str) -> list[dict]:
    """Return the nodes below a heading, up to the next heading of its level or above."""
    nodes = tree(PAGE)
    start = next(place for place, node in enumerate(nodes) if node["type"] == "heading" and plain(node) == title)
    level = nodes[start]["attrs"]["level"]
    ends = (place for place, node in enumerate(nodes) if node["type"] == "heading" and node["attrs"]["level"] <= level)
    return nodes[start + 1 : next((place for place in ends if place > start), len(nodes))]


def rows(title: str) -> list[list[str]]:
    """Return the rows of the table below a heading."""
    found = [node for node in inside(section(title)) if node["type"] == "table_row"]
    return [[plain(cell) for cell in row["children"]] for row in found]


def minutes(path: Path) -> int:
    """Return how long a notebook's heading says that it takes."""
    found = re.search(r"\*\*(\d+) minutes", read(path).cells[0].source)
    assert found
    return int(found[1])


HEADINGS = {path.stem[:2]: minutes(path) for path in LESSONS}


@pytest.mark.parametrize("plan", PLANS)
def test_the_minutes_add_up(plan: str):
    """The rows of a plan are its total; the shortest plan says its total in its name."""
    *parts, total = [row[0] for row in rows(plan)]
    assert sum(map(int, parts)) == int(total)
    assert plan != "45 minutes" or total == "45"


@pytest.mark.parametrize("plan", PLANS)
def test_a_notebook_takes_what_its_heading_says(plan: str):
    """Whole notebooks take their heading's minutes, and parts of one take fewer."""
    taught = {row[1]: row for row in rows(plan) if row[1] in HEADINGS}
    for number, (given, _, how) in taught.items():
        if how.startswith("whole"):
            assert int(given) == HEADINGS[number], number
        else:
            assert int(given) < HEADINGS[number], number
    assert list(taught) == ASKED[plan]


def test_a_day_has_every_notebook():
    """What is not taught whole in a day is there to be chosen."""
    [choice] = [how for _, what, how in rows("A day") if what == CHOICE]
    assert set(re.findall(r"\b\d\d\b", choice)) == set(HEADINGS) - set(ASKED["A day"])


def test_every_notebook_has_its_wrong_answers():
    """For each notebook the commonest wrong answers, what to say, and what to leave out when it is late."""
    for number in HEADINGS:
        title = next(plain(node) for node in tree(PAGE) if node["type"] == "heading" and plain(node).startswith(number))
        assert len(rows(title)) >= 3, title
        assert all(said and reply.rstrip(")").endswith((".", "?")) for said, reply in rows(title)), title
        assert any(plain(node).startswith("When late: ") for node in section(title)), title
        assert f"notebooks/{next(path.name for path in LESSONS if path.stem.startswith(number))}" in PAGE


def test_no_answer_is_told():
    """What to say leads to the answer, and no line of the page is one that the reference has as an answer."""
    for path in LESSONS:
        for cell in read(path).cells:
            for answer in re.findall(r"(?m)^ *(?:\w+ = |return )(.{12,}?)  # your answer$", cell.source):
                assert answer not in PAGE
