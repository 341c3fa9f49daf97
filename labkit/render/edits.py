"""Bytes of a trace replaced, one by one: what an inspector does when a byte is typed over.

A byte is replaced, never put in or taken out, so that every offset holds. What the others made of the
bytes is not done again: the copy on the next hop and the later answers stay as they were recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from labkit.errors import WrongUse
from labkit.trace import Direction, Event, Trace, Transfer

__all__ = ["MOST_EDITS", "Edits", "Spot", "edited", "edits_of", "told_edits"]

MOST_EDITS = 1000
"""The most bytes of one trace that can be edited."""

Spot = tuple[int, Direction, int]
"""Where a byte is: the hop's place, the direction, and the offset in that direction."""

Edits = Mapping[Spot, int]
"""What the bytes are made, 0 to 255."""


def edited(trace: Trace, edits: Edits) -> Trace:
    r"""Return a trace with some of its bytes replaced; reads and times stay.

    Raises:
        WrongUse: a byte is not there, is no byte, or there are more than `MOST_EDITS`.

    >>> trace = Trace((Transfer(0, Direction.TO_SERVER, b"GET / HTTP/1.1\r\n\r\n"),))
    >>> edited(trace, {(0, Direction.TO_SERVER, 0): ord("P")}).stream(Direction.TO_SERVER)[:3]
    b'PET'
    """
    if len(edits) > MOST_EDITS:
        raise WrongUse(f"{len(edits):,} bytes are edited; the inspector takes {MOST_EDITS:,} at the most")
    for (hop, way, offset), value in edits.items():
        size = len(trace.stream(way, hop))
        if not 0 <= offset < size:
            raise WrongUse(f"hop {hop} has no byte {offset} to the {way}: it has {size}, counted from 0")
        if not 0 <= value <= 255:
            raise WrongUse(f"{value} is no byte: a byte is 0 to 255")
    return replace(trace, events=tuple(_replaced(trace, edits))) if edits else trace


def _replaced(trace: Trace, edits: Edits) -> Iterator[Event]:
    at: dict[tuple[int, Direction], int] = {}
    for event in trace.events:
        if not isinstance(event, Transfer):
            yield event
            continue
        key = (event.hop, event.direction)
        start = at.get(key, 0)
        at[key] = end = start + len(event.data)
        here = {spot[2]: value for spot, value in edits.items() if spot[:2] == key and start <= spot[2] < end}
        data = bytearray(event.data)
        for offset, value in here.items():
            data[offset - start] = value
        yield replace(event, data=bytes(data)) if here else event


def edits_of(told: Any) -> dict[Spot, int]:
    """Read edits that came as JSON: a list of [hop, way, offset, value].

    Raises:
        WrongUse: it is something else.

    >>> edits_of([[0, "server", 7, 255]])
    {(0, <Direction.TO_SERVER: 'server'>, 7): 255}
    """
    if not isinstance(told, list) or len(told) > MOST_EDITS:
        raise WrongUse(f"edits are a list of [hop, way, offset, value], {MOST_EDITS:,} at the most")
    found: dict[Spot, int] = {}
    for each in told:
        match each:
            case [int(hop), "server" | "client" as way, int(offset), int(value)]:
                found[hop, Direction(way), offset] = value
            case _:
                raise WrongUse("an edit is [hop, way, offset, value]: numbers, and a way that is server or client")
    return found


def told_edits(trace: Trace, edits: Edits) -> list[list[int | str]]:
    """Return edits as JSON can hold them: [hop, way, offset, value, what it was] each, in their order.

    Args:
        trace: the trace before the edits.
        edits: what is to be told.
    """
    return [
        [hop, str(way), offset, value, trace.stream(way, hop)[offset]]
        for (hop, way, offset), value in edits.items()
    ]  # fmt: skip
