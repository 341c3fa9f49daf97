"""Every rule that has a check is shown kept and shown broken; the others say why no trace can show them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import labkit
from labkit.rules import RULES, Level, check, find
from labkit.trace import Direction, Trace, Transfer
from tests.rules import (
    examples_accepting,
    examples_closing,
    examples_connections,
    examples_content,
    examples_extensions,
    examples_frames,
    examples_h2c,
    examples_heads,
    examples_http,
    examples_opening,
    examples_relay,
    examples_statuses,
)
from tests.rules.traces import ANSWER, REQUEST, Example, switched

TABLES = (
    examples_http, examples_statuses, examples_heads, examples_content, examples_connections, examples_relay,
    examples_h2c, examples_opening, examples_accepting, examples_extensions, examples_frames, examples_closing,
)  # fmt: skip
EXAMPLES: dict[str, Example] = {name: example for table in TABLES for name, example in table.EXAMPLES.items()}
CHECKED = [rule.id for rule in RULES if rule.check]


def test_ids_are_unique():
    """An id names one rule."""
    assert len({rule.id for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_is_checked_or_says_why_not(rule):
    """What binds has a check or a reason, never both; a fact or a MAY has neither (RFC 2119)."""
    assert bool(rule.check) + bool(rule.reason) == rule.level.binds
    assert bool(rule.mend) == bool(rule.check)
    assert re.fullmatch(r"[GIHOWX]\d\d", rule.id)
    assert re.match(r"RFC \d{4}, \d", rule.clause)
    assert rule.text.endswith(".")
    assert len(rule.text) < 240


@pytest.mark.parametrize("rule", [rule for rule in RULES if not rule.level.binds], ids=lambda rule: rule.id)
def test_facts_and_permissions_are_cited(rule):
    """What binds nobody is no finding: the dissection cites its clause where the bytes are explained."""
    rooms = (Path(labkit.__file__).parent / room for room in ("dissection", "wire"))
    text = "".join(path.read_text("utf-8") for room in rooms for path in room.glob("*.py"))
    number, sections = rule.clause.split(", ", 1)
    cited = re.findall(rf"{number}, ([^\"';]+)", text)
    assert any(sections in re.split(r", | and ", each) or each.startswith(sections) for each in cited)


def test_every_check_is_shown():
    """Each rule with a check has its example, and no example shows a rule that is not there."""
    assert sorted(EXAMPLES) == sorted(CHECKED)


@pytest.mark.parametrize("name", CHECKED)
def test_a_check_finds_what_breaks_the_rule(name):
    """The trace that breaks the rule gives a finding or a note of it, on bytes that are there, naming what was seen."""
    example = EXAMPLES[name]
    found = check(example.breaks)
    own = [each for each in (*found.found, *found.notes) if each.rule.id == name]
    assert own
    assert example.seen in own[0].seen
    for each in own:
        assert 0 <= each.start < each.end <= len(example.breaks.stream(each.direction, each.hop))


@pytest.mark.parametrize("name", CHECKED)
def test_a_check_leaves_alone_what_keeps_the_rule(name):
    """The trace that keeps the rule gives no finding of it."""
    assert name not in check(EXAMPLES[name].keeps).ids


def test_a_clean_exchange_has_no_findings():
    """A whole exchange with an echo and both Close frames breaks nothing and is worth no note."""
    found = check(switched())
    assert (found.found, found.notes) == ((), ())


def test_a_rule_is_found_by_its_id():
    """Ids are read in either case."""
    assert find("g02") is next(rule for rule in RULES if rule.id == "G02")
    assert find("g02").level is not Level.MAY


@given(st.binary(max_size=300), st.binary(max_size=300), st.booleans())
def test_the_check_never_raises(ask, reply, after):
    """Whatever the bytes are, before the switch or after it, the check ends without an error."""
    head = (Transfer(0, Direction.TO_SERVER, REQUEST), Transfer(0, Direction.TO_CLIENT, ANSWER)) if after else ()
    trace = Trace((*head, Transfer(0, Direction.TO_SERVER, ask), Transfer(0, Direction.TO_CLIENT, reply)))
    assert check(trace).found == check(trace).found
