"""The X-ray of a proxy: what became of every field line from one hop to the next, and which directive did it.

What became of a line is read from the heads of the trace. What did it only the model knows: it is told where the
model's run of the same scenario gave the very same heads, and is "not known" elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from labkit.cases.outcome import compared
from labkit.dissection import dissect
from labkit.dissection.secrets import masked
from labkit.errors import Unmodelled, WrongUse
from labkit.parties.party import Party
from labkit.proxies.described import Effect
from labkit.proxies.gateway import ProxyParty, Round
from labkit.proxies.model import Change, Fate
from labkit.render.columns import text_table
from labkit.render.html import table
from labkit.render.measure import clean
from labkit.rules.evidence import Asked, Evidence, HeadSeen, Relayed
from labkit.scenario import Scenario
from labkit.simulation import play
from labkit.trace import Trace
from labkit.wire.fields import Fields
from labkit.wire.http1 import RequestHead, ResponseHead

__all__ = ["Line", "Passage", "Xray", "xray"]

_COLUMNS = ("field", "came in", "went on", "what became of it", "by")
_DIRECTIVES = ("line", "directive", "what it does to an upgrade")
_UNKNOWN = "not known"
_Changes = tuple[Change, ...] | None
_SIGNS = {Fate.FORWARDED: "=", Fate.REWRITTEN: "≠", Fate.ADDED: "+", Fate.DROPPED: "−"}
_LONGEST = 60  # characters of a value


@dataclass(frozen=True, slots=True)
class Line:
    """One field line on its way through a proxy.

    Args:
        name: of the field.
        came: the value that came; empty where it was added.
        went: the value that went on; empty where it was dropped.
        fate: what became of it.
        by: the directive or the rule that did it, or "not known".
    """

    name: str
    came: str
    went: str
    fate: Fate
    by: str = _UNKNOWN

    @property
    def row(self) -> tuple[str, str, str, str, str]:
        """Its row in a table."""
        came, went = (clean(value, _LONGEST) for value in (self.came, self.went))
        return (clean(self.name, _LONGEST), came, went, f"{_SIGNS[self.fate]} {self.fate}", self.by)


@dataclass(frozen=True, slots=True)
class Passage:
    """One head on its way through a proxy.

    Args:
        heading: which head, and through which proxy.
        first: the start-line that came, and the one that went on.
        lines: the field lines.
    """

    heading: str
    first: tuple[str, str]
    lines: tuple[Line, ...]

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """Its rows in a table, the start-line first."""
        came, went = self.first
        fate = Fate.FORWARDED if came == went else Fate.REWRITTEN
        shown = (clean(each, _LONGEST) for each in self.first)
        return [("(start-line)", *shown, f"{_SIGNS[fate]} {fate}", ""), *(line.row for line in self.lines)]


@dataclass(frozen=True, repr=False)
class Xray:
    """What proxies made of each head, and what each directive does to an upgrade. Draws itself as tables.

    Args:
        passages: each head that went through a proxy.
        effects: by the proxy's name, what its directives do.
        notes: what else is worth knowing, a sentence each.
    """

    passages: tuple[Passage, ...]
    effects: Mapping[str, tuple[Effect, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def fate(self, name: str, passage: int = 0) -> Fate | None:
        """Return what became of the first field line of a name; None where there was none."""
        lines = self.passages[passage].lines if passage < len(self.passages) else ()
        return next((line.fate for line in lines if line.name.lower() == name.lower()), None)

    def __str__(self) -> str:
        parts = [f"{each.heading}\n\n{text_table(_COLUMNS, each.rows)}" for each in self.passages]
        for name, effects in self.effects.items():
            parts.append(f"What the directives of {name} do\n\n{text_table(_DIRECTIVES, _rows(effects))}")
        return "\n\n".join([*parts, *self.notes])

    def __repr__(self) -> str:
        return f"<X-ray of {len(self.passages)} heads>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        parts = [table(_COLUMNS, map(_unbroken, each.rows), each.heading) for each in self.passages]
        for name, effects in self.effects.items():
            parts.append(table(_DIRECTIVES, _rows(effects), f"What the directives of {name} do"))
        parts += [f"<p>{clean(note, 400)}</p>" for note in self.notes]
        return {"text/plain": str(self), "text/html": "\n".join(parts)}


def _unbroken(row: tuple[str, ...]) -> tuple[str, ...]:
    """Keep a fate and its sign in one line of a cell."""
    return (*row[:3], row[3].replace(" ", "\u00a0"), *row[4:])


def _rows(effects: Iterable[Effect]) -> list[tuple[str, str, str]]:
    return [(str(each.line or "added"), clean(each.directive, _LONGEST), each.does) for each in effects]


def xray(scenario: Scenario, trace: Trace | None = None) -> Xray:
    """Show what the proxies of a scenario make of every field line, and which directive does it.

    Secrets are starred out.

    Args:
        scenario: what was run, or is to be simulated.
        trace: what `run` recorded of it; unless told it is simulated.

    Raises:
        WrongUse: no proxy stands in it.
        Unmodelled: nothing was recorded, and there is no model to simulate with.
    """
    if not isinstance(scenario, Scenario) or not scenario.via:
        raise WrongUse("an X-ray is of a Scenario with a proxy in it: Scenario(via=[labkit.Nginx(text)])")
    notes: tuple[str, ...] = ()
    try:
        simulated, parties = play(scenario)
    except Unmodelled as error:
        if trace is None:
            raise
        simulated, parties, notes = Trace(), (), (f"What did it is not known: {error}",)
    seen = simulated if trace is None else trace
    known = parties if seen.hops == simulated.hops else ()
    passages = [each for relayed in Evidence(dissect(masked(seen))).relays for each in _passages(seen, relayed, known)]
    effects = dict(zip(scenario.parties[1:-1], (proxy.effects for proxy in scenario.via), strict=True))
    return Xray(tuple(passages), {name: rows for name, rows in effects.items() if rows}, notes)


def _passages(trace: Trace, relayed: Relayed, known: tuple[Party, ...]) -> Iterator[Passage]:
    before, behind = relayed.before, relayed.behind
    turn = _round(known, before)
    near, far = trace.hops[before.view.hop], trace.hops[behind.view.hop]
    way = [clean(name, 40) for name in (near.client, near.server, far.server)]
    if before.request and behind.request:
        request = turn.forward if turn else None
        changes = request.changes if request and _same(behind.request, request.head) else None
        yield _passage(f"The request: {' → '.join(way)}", before.request, behind.request, changes)
    if before.answer and behind.answer and before.status == behind.status:
        made = next((relay for head, relay in turn.relays if head.status == before.status), None) if turn else None
        changes = made.changes if made and _same(before.answer, ResponseHead.parse(made.data)) else None
        yield _passage(f"The answer: {' → '.join(reversed(way))}", behind.answer, before.answer, changes)


def _round(known: tuple[Party, ...], asked: Asked) -> Round | None:
    party = known[asked.view.hop] if asked.view.hop < len(known) else None
    rounds = party.rounds if isinstance(party, ProxyParty) else []
    return rounds[asked.place] if asked.place < len(rounds) else None


def _same(seen: HeadSeen, model: RequestHead | ResponseHead) -> bool:
    return seen.part.value is not None and compared(seen.part.value) == compared(model)


def _passage(heading: str, came: HeadSeen, went: HeadSeen, changes: _Changes) -> Passage:
    firsts = tuple(head.part.value.start_line if head.part.value else "" for head in (came, went))
    return Passage(heading, (firsts[0], firsts[1]), tuple(_lines(came.fields, went.fields, changes)))


def _lines(came: Fields, went: Fields, changes: _Changes) -> Iterator[Line]:
    """Compare the field lines of two heads, name by name."""
    names = {name.lower(): name for name, _ in (*went, *came)}
    for key in dict.fromkeys(name.lower() for name, _ in (*came, *went)):
        by = _by(changes, key)
        ours, theirs = came.all(key), went.all(key)
        for place in range(max(len(ours), len(theirs))):
            was = ours[place] if place < len(ours) else None
            now = theirs[place] if place < len(theirs) else None
            yield Line(names[key], was or "", now or "", _fate(was, now), by)


def _fate(was: str | None, now: str | None) -> Fate:
    if was is None:
        return Fate.ADDED
    if now is None:
        return Fate.DROPPED
    return Fate.FORWARDED if was == now else Fate.REWRITTEN


def _by(changes: _Changes, key: str) -> str:
    if changes is None:
        return _UNKNOWN
    found = [change for change in changes if change.name.lower() == key]
    told = dict.fromkeys(f"line {each.line}: {each.by}" if each.line else each.by for each in found)
    return "; ".join(told)
