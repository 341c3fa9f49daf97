"""Every rule that has a check is shown kept and shown broken; the others say why no trace can show them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.dissection import dissect
from labkit.parties.described import Server
from labkit.parties.offer import Offer
from labkit.parties.stream import echo
from labkit.rules import RULES, Level, check, find
from labkit.scenario import Scenario
from labkit.simulation import simulate
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
from tests.rules.traces import ANSWER, REQUEST, Example, crossed, head, switched

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


def explained() -> set[str]:
    """Return every clause that the dissection cites in exchanges of all kinds."""

    async def talk(stream):
        await stream.ping(b"still there?")
        await stream.send(["in ", "fragments"])

    settings, version = Server(protocols={"h2c": echo}), Offer.websocket().with_field("Sec-WebSocket-Version", "8")
    scenarios = [
        Scenario(Offer.websocket(deflate=True), say=talk), Scenario(version), Scenario(Offer.h2c(), server=settings),
        Scenario(server=Server(faults=("interim=103",))), Scenario(server=Server(redirect="/there")),
    ]  # fmt: skip
    tunnel = crossed(("c", head("CONNECT a:1 HTTP/1.1", "Host: a:1") + b"?"), ("s", head("HTTP/1.1 200 OK") + b"!"))
    traces = [*map(simulate, scenarios), tunnel, crossed(("c", head("PRI * HTTP/2.0")))]
    views = [view for trace in traces for view in dissect(trace).hops]
    return {each.clause for view in views for way in Direction for span in view.spans(way) for each in span.walk()}


EXPLAINED = explained()


@pytest.mark.parametrize("rule", [rule for rule in RULES if not rule.level.binds], ids=lambda rule: rule.id)
def test_facts_and_permissions_are_cited(rule):
    """What binds nobody is no finding: the dissection cites its clause where it explains the bytes."""
    number, section = rule.clause.split(", ", 1)
    cited = rf"{re.escape(number)}\b[^;]*?(?<![\d.]){re.escape(section)}(?![\d.])"
    assert [clause for clause in EXPLAINED if re.search(cited, clause)]


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
