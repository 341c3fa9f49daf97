"""Which exchange of a far hop is which of the near one, where a proxy stands between the two.

A proxy may answer a request itself, and send one twice; either side may be several legs, one after the other.
All legs between the same two parties are taken together:

    as many exchanges as on the near side    in order
    else                                     by what was recorded when: a far request belongs to the near exchange
                                             whose request was recorded before it, and whose answer after it

A tap always records a cause before its effect.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from labkit.dissection import Dissection, Exchange
from labkit.trace import Direction, Hop, Trace, behind

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


class _Seen(NamedTuple):
    """An exchange, and when its request and its answer began to be recorded; None where there is none."""

    hop: int
    place: int
    request: int | None
    answer: int | None


def pairs(dissection: Dissection) -> tuple[Pair, ...]:
    r"""Return every exchange that went through a proxy, with what it became there; in order of the far hops.

    >>> from labkit.dissection import dissect
    >>> from labkit.trace import Transfer
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
    came = [each for near in nears for each in _seen(dissection, near)]
    went = [each for far in fars for each in _seen(dissection, far)]
    if len(came) == len(went):
        for before, after in zip(came, went, strict=True):
            yield Pair(before.hop, before.place, after.hop, after.place)
        return
    taken: set[_Seen] = set()
    for after in went:
        could = [before for before in came if _spans(before, after)]
        if could:
            asked = next((before for before in could if before not in taken), could[-1])  # one sent again is the last
            taken.add(asked)
            yield Pair(asked.hop, asked.place, after.hop, after.place)


def _spans(before: _Seen, after: _Seen) -> bool:
    """Tell whether a far request was recorded between a near one and its answer."""
    if before.request is None or after.request is None or before.request > after.request:
        return False
    return before.answer is None or after.request < before.answer


def _seen(dissection: Dissection, hop: int) -> Iterator[_Seen]:
    for place, exchange in enumerate(dissection.hops[hop].exchanges):
        yield _Seen(hop, place, *_moments(dissection.trace, hop, exchange))


def _moments(trace: Trace, hop: int, exchange: Exchange) -> tuple[int | None, int | None]:
    """Return when a request, and the last answer to it, began to be recorded."""
    request, answer = exchange.request, exchange.answer
    return (
        trace.moment(Direction.TO_SERVER, request.start, hop) if request else None,
        trace.moment(Direction.TO_CLIENT, answer.start, hop) if answer else None,
    )
