"""Which message of one hop is whose copy on the next, and the order of all when copies are made one.

Copies keep their order: two messages are the same one only where their bytes are equal and no two pairs
cross. n messages take O(n log n).
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from labkit.render.messages import Message

__all__ = ["copies", "in_order"]


def copies(came: Sequence[bytes], went: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    """Yield equal messages of two sides, in order: first those there is one of, then what lies between these.

    Where nothing was added or changed on the way, this finds every copy, whatever was lost.
    """
    last = (-1, -1)
    for one, other in [*_anchors(came, went), (len(came), len(went))]:
        yield from _between(came, went, last, (one, other))
        if one < len(came):
            yield one, other
        last = (one, other)


def _anchors(came: Sequence[bytes], went: Sequence[bytes]) -> list[tuple[int, int]]:
    """Pair the messages that either side has once; the most of them that do not cross."""
    once = [Counter(side) for side in (came, went)]
    place = {content: at for at, content in enumerate(came) if once[0][content] == 1}
    found = [(place[content], at) for at, content in enumerate(went) if once[1][content] == 1 and content in place]
    tails: list[int] = []  # the least end of a rising row, by its length
    ends: list[int] = []  # which pair that is
    before: list[int] = []
    for at, (one, _) in enumerate(found):
        length = bisect_left(tails, one)
        before.append(ends[length - 1] if length else -1)
        tails[length : length + 1] = [one]
        ends[length : length + 1] = [at]
    row = []
    at = ends[-1] if ends else -1
    while at >= 0:
        row.append(found[at])
        at = before[at]
    return row[::-1]


def _between(
    came: Sequence[bytes], went: Sequence[bytes], begin: tuple[int, int], end: tuple[int, int]
) -> Iterator[tuple[int, int]]:
    """Pair what lies between two pairs: each with the next of its kind."""
    where: dict[bytes, list[int]] = {}
    for one in range(begin[0] + 1, end[0]):
        where.setdefault(came[one], []).append(one)
    last = begin[0]
    for other in range(begin[1] + 1, end[1]):
        known = where.get(went[other], [])
        at = bisect_right(known, last)
        if at < len(known):
            last = known[at]
            yield last, other


def in_order(found: list[Message], lines: list[list[int]], onward: dict[int, int]) -> list[Message]:
    """Join the copies, and keep the order of every line; each message comes as early as its first copy, if it can.

    Args:
        found: the messages.
        lines: the places of those of one direction of a hop, of every one.
        onward: the place of a message's copy on the next hop.
    """
    follows = {one: other for line in lines for one, other in pairwise(line)}
    groups = _groups(len(found), onward)
    group_of = {place: number for number, group in enumerate(groups) for place in group}
    waits = [len(group) for group in groups]
    ready: list[tuple[int, int]] = []

    def free(place: int) -> None:
        number = group_of[place]
        waits[number] -= 1
        if not waits[number]:
            heapq.heappush(ready, (min(groups[number]), number))

    for line in lines:
        free(line[0])
    drawn: list[Message] = []
    while ready:
        _, number = heapq.heappop(ready)
        first, *rest = groups[number]
        copies = tuple(found[place] for place in rest)
        drawn.append(found[first]._replace(copies=copies) if copies else found[first])
        for place in groups[number]:
            if place in follows:
                free(follows[place])
    return drawn


def _groups(count: int, onward: dict[int, int]) -> list[list[int]]:
    """Return every message with its copies, from the sender on."""
    later = set(onward.values())
    groups = []
    for place in range(count):
        if place not in later:
            group = [place]
            while group[-1] in onward:
                group.append(onward[group[-1]])
            groups.append(group)
    return groups
