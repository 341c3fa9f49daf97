"""Who made a mistake first: where a proxy only passes on what came to it, the one who made it is blamed.

A request and what a client says come from the hop nearest to the client; an answer and what a server
says from the hop nearest to the server. On the other hops they are copies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import wraps

from labkit.dissection import FramesPart
from labkit.rules.evidence import Asked, Evidence, Spoken
from labkit.rules.rule import Check, Sighting
from labkit.trace import Direction, behind

__all__ = ["each_handshake", "each_recipient", "each_sender"]


def each_handshake(check: Callable[[Asked], Iterable[Sighting]]) -> Check:
    """Make a check of one WebSocket opening handshake a check of them all; copies are left out."""

    @wraps(check)
    def of_all(evidence: Evidence) -> Iterator[Sighting]:
        sources = _sources(evidence)
        for asked in evidence.exchanges:
            for sighting in _judged(check, asked):
                source = sources.get((asked.view.hop, asked.place, sighting.direction))
                if source is None or not any(_judged(check, source)):
                    yield sighting

    return of_all


def _judged(check: Callable[[Asked], Iterable[Sighting]], asked: Asked) -> Iterable[Sighting]:
    return check(asked) if asked.request and asked.websocket else ()


def _sources(evidence: Evidence) -> dict[tuple[int, int, Direction], Asked]:
    """Return where each exchange's request and answer came from, if a proxy passed them on."""
    found = {}
    for relayed in evidence.relays:
        before, after = relayed.before, relayed.behind
        found[after.view.hop, after.place, Direction.TO_SERVER] = before
        found[before.view.hop, before.place, Direction.TO_CLIENT] = after
    return found


def each_sender(check: Callable[[Spoken], Iterable[Sighting]]) -> Check:
    """Make a check of one direction's frames a check of all, where they come from their first sender."""

    @wraps(check)
    def of_all(evidence: Evidence) -> Iterator[Sighting]:
        for spoken in evidence.directions:
            if not _passed(spoken, to_client=spoken.by_client):
                yield from check(spoken)

    return of_all


def each_recipient(check: Callable[[Spoken], Iterable[Sighting]]) -> Check:
    """Make a check of what became of one direction's frames a check of all, where they reach their last recipient."""

    @wraps(check)
    def of_all(evidence: Evidence) -> Iterator[Sighting]:
        for spoken in evidence.directions:
            if not _passed(spoken, to_client=not spoken.by_client):
                yield from check(spoken)

    return of_all


def _passed(spoken: Spoken, *, to_client: bool) -> bool:
    """Tell whether the same frames were seen on a hop beside this one, nearer to the client or to the server."""
    near = behind(spoken.evidence.trace)
    hops = [near.get(spoken.view.hop)] if to_client else [far for far, own in near.items() if own == spoken.view.hop]
    views = [view for view in spoken.evidence.dissection.hops if view.hop in hops]
    parts = [part for view in views if (part := view.frames(spoken.direction))]
    return any(_same(spoken.part, part) for part in parts)


def _same(one: FramesPart, other: FramesPart) -> bool:
    """Tell whether two runs of frames are the same bytes, as far as both were recorded."""
    size = min(one.end - one.start, other.end - other.start)
    return one.data[one.start : one.start + size] == other.data[other.start : other.start + size]
