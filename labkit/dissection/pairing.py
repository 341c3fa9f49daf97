"""Which exchange of a far hop is which of the near one, where a proxy stands between the two.

A proxy may answer a request itself, and send one twice; either side may be several legs, one after the other.
All legs between the same two parties are taken together:

    as many exchanges as on the near side    in order
    else                                     by what was recorded when: a far request belongs to the near exchange
                                             whose request was recorded before it, and whose answer after it

A tap always records a cause before its effect.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from labkit.dissection import Dissection
from labkit.trace import Direction, Hop, behind

__all__ = ["Pair", "pairs"]


class Pair(NamedTuple):
    """One exchange on both sides of a proxy: which hop, and which of its exchanges.

    Args:
        near: the hop that a request came in on.
        asked: the exchange's place there.
        far: the hop that it went on by.
        went: its place there.
    """

    near: int
    asked: int
    far: int
    went: int


def pairs(dissection: Dissection) -> tuple[Pair, ...]:
    r"""Return every exchange that went through a proxy, with what it became there; in order of the far hops.

    >>> from labkit.dissection import dissect
    >>> from labkit.trace import Trace, Transfer
    >>> ask = b"GET / HTTP/1.1\r\n\r\n"
    >>> hops = (Hop("client", "proxy"), Hop("proxy", "server"))
    >>> pairs(dissect(Trace(tuple(Transfer(hop, Direction.TO_SERVER, ask) for hop in (0, 1)), hops)))
    (Pair(near=0, asked=0, far=1, went=0),)
    """
    trace, before = dissection.trace, behind(dissection.trace)
    sides: dict[Hop, list[int]] = {}
    for number, hop in enumerate(trace.hops):
        sides.setdefault(hop, []).append(number)
    found = [
        pair
        for legs in sides.values()
        if legs[0] in before
        for pair in _of_one(dissection, sides[trace.hops[before[legs[0]]]], legs)
    ]
    return tuple(sorted(found, key=lambda pair: (pair.far, pair.went)))


def _of_one(dissection: Dissection, nears: list[int], fars: list[int]) -> Iterator[Pair]:
    """Pair the exchanges of all legs of a near side with those of all legs behind it."""
    came = [(near, place) for near in nears for place in range(len(dissection.hops[near].exchanges))]
    went = [(far, place) for far in fars for place in range(len(dissection.hops[far].exchanges))]
    if len(came) == len(went):
        for before, after in zip(came, went, strict=True):
            yield Pair(*before, *after)
        return
    legs = [_Leg(dissection, near) for near in nears]
    moments = [(_asked(dissection, *after), after) for after in went]
    for moment, after in sorted((moment, after) for moment, after in moments if moment is not None):
        could = [leg for leg in legs if leg.open(moment)]
        leg = next((leg for leg in could if leg.free(moment)), could[-1] if could else None)
        if leg is not None:
            yield Pair(leg.hop, leg.take(moment), *after)


class _Leg:
    """A near leg, and when each of its requests, and the answer to it, began to be recorded: both grow."""

    def __init__(self, dissection: Dissection, hop: int) -> None:
        self.hop = hop
        self._places: list[int] = []
        self._requests: list[int] = []
        self._answers: list[float] = []
        self._next = 0
        for place, exchange in enumerate(dissection.hops[hop].exchanges):
            moment, answer = _asked(dissection, hop, place), exchange.answer
            if moment is not None:
                self._places.append(place)
                self._requests.append(moment)
                answered = dissection.trace.moment(Direction.TO_CLIENT, answer.start, hop) if answer else math.inf
                self._answers.append(answered)

    def open(self, moment: int) -> range:
        """Return which requests had been recorded at a moment, and their answers not yet."""
        return range(bisect_right(self._answers, moment), bisect_right(self._requests, moment))

    def free(self, moment: int) -> range:
        """Return which of these no far request was paired with."""
        known = self.open(moment)
        return range(max(known.start, self._next), known.stop)

    def take(self, moment: int) -> int:
        """Return the place of the first that is free; where none is, one was sent again: the last."""
        place = next(iter(self.free(moment)), self.open(moment)[-1])
        self._next = max(self._next, place + 1)
        return self._places[place]


def _asked(dissection: Dissection, hop: int, place: int) -> int | None:
    """Return when the request of an exchange began to be recorded; None where there is none."""
    request = dissection.hops[hop].exchanges[place].request
    return dissection.trace.moment(Direction.TO_SERVER, request.start, hop) if request else None
