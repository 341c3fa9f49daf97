"""The rule base and the check: `check(trace)` tells which rules a trace breaks, who broke them, and where.

A rule that cannot tell says nothing: bytes that were not recorded, orders that the recording does not
show and what goes on inside a party are never guessed. Where two rules say the same of the same bytes,
the more special one speaks.
"""

from __future__ import annotations

from itertools import islice

from labkit.dissection import Dissection, dissect
from labkit.rules.base import RULES, find
from labkit.rules.evidence import Evidence
from labkit.rules.finding import Finding, Findings
from labkit.rules.relay import RELAY
from labkit.rules.rule import Level, Rule, Sighting, Who
from labkit.trace import Direction, Trace, behind

__all__ = ["RULES", "Finding", "Findings", "Level", "Rule", "Who", "check", "find"]

_OF_RELAYS = frozenset(rule for rule in RELAY if rule.who is Who.PROXY)
_MOST = 20
"""Findings of one rule that are told one by one; the rest are counted."""


def check(trace: Trace | Dissection) -> Findings:
    r"""Return what breaks a rule in a trace, or in one taken apart. Never raises, whatever the bytes are.

    >>> from labkit.trace import Direction, Transfer
    >>> ask = b"GET / HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: quote\r\n\r\n"
    >>> check(Trace((Transfer(0, Direction.TO_SERVER, ask),))).ids
    ('G02',)
    """
    evidence = Evidence(dissect(trace) if isinstance(trace, Trace) else trace)
    seen = [(rule, sighting) for rule in RULES if rule.check for sighting in _some(rule, evidence)]
    found = _made([_finding(rule, sighting, more, evidence) for rule, (sighting, more) in seen], evidence)
    found.sort(key=lambda finding: _weight(finding, evidence))
    return Findings(
        tuple(finding for finding in found if not finding.note), tuple(finding for finding in found if finding.note)
    )


def _some(rule: Rule, evidence: Evidence) -> list[tuple[Sighting, int]]:
    """Return the first sightings of a rule; with the last of them, how many more there are."""
    assert rule.check is not None
    sightings = iter(rule.check(evidence))
    first = [(sighting, 0) for sighting in islice(sightings, _MOST)]
    more = sum(1 for _ in sightings)
    if more:
        first[-1] = (first[-1][0], more)
    return first


def _finding(rule: Rule, sighting: Sighting, more: int, evidence: Evidence) -> Finding:
    hop, way, start, end, seen, note = sighting
    party = evidence.trace.hops[hop].sender(way)
    return Finding(rule, party, hop, way, start, end, seen, note, more)


def _made(found: list[Finding], evidence: Evidence) -> list[Finding]:
    """Leave out those who only forwarded the bytes of another hop; what binds proxies is not taken from them."""
    near = behind(evidence.trace)
    if not near:
        return found
    far = {first: second for second, first in near.items()}

    def mark(finding: Finding, hop: int | None) -> tuple[str, int | None, Direction, bytes]:
        data = evidence.trace.stream(finding.direction, finding.hop)[finding.start : finding.end]
        return finding.rule.id, hop, finding.direction, data

    marks = {mark(finding, finding.hop) for finding in found}
    source = {Direction.TO_SERVER: near, Direction.TO_CLIENT: far}
    return [
        finding
        for finding in found
        if finding.rule in _OF_RELAYS or mark(finding, source[finding.direction].get(finding.hop)) not in marks
    ]


def _weight(finding: Finding, evidence: Evidence) -> tuple[bool, bool, int, int, int]:
    """Order: what the switch hangs on, then MUST before SHOULD, then as recorded."""
    moment = evidence.moment(finding.hop, finding.direction, finding.start)
    return (not finding.rule.switch, not finding.rule.level.strict, finding.hop, moment, finding.start)
