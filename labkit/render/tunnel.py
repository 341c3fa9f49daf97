"""A proxy that switched is a tunnel: what it relays unchanged is one message from end to end (RFC 9110, 3.7).

Here is where tunnels are, what went through them, and what is said of it; `labkit.render.copies` finds
which message is whose copy. What no copy is found for (it was lost, cut, changed, or recorded on one hop
alone) stays what it is: a message of its own hop.
"""

from __future__ import annotations

from itertools import pairwise

from labkit.dissection import Dissection
from labkit.dissection.pairing import pairs
from labkit.render.copies import copies, in_order
from labkit.render.layout import Party, Pipe, letter, step_name
from labkit.render.messages import Message
from labkit.trace import Direction

__all__ = ["Tunnels"]


class Tunnels:
    """The tunnels of a trace.

    Args:
        dissection: what crossed.
        places: the columns of each hop that is drawn.
        parties: who stands in the columns.
    """

    def __init__(self, dissection: Dissection, places: list[tuple[int, int]], parties: tuple[Party, ...]) -> None:
        self._dissection = dissection
        self._places = places
        self._parties = parties
        self._chains = _chains(dissection, places)
        self._chain_of = {hop: chain for chain in self._chains for hop in chain}
        self._passed: set[int] = set()  # the hops behind whose start something went on unchanged

    def join(self, found: list[Message]) -> list[Message]:
        """Return the messages, in their order, with those made one that went on unchanged."""
        if not self._chains:
            return found
        lines: dict[tuple[int, Direction], list[int]] = {}
        for place, message in enumerate(found):
            lines.setdefault((message.hop, message.direction), []).append(place)
        onward: dict[int, int] = {}
        for near, far in (pair for chain in self._chains for pair in pairwise(chain)):
            for way, one, other in ((Direction.TO_SERVER, near, far), (Direction.TO_CLIENT, far, near)):
                came, went = (self._after(found, lines.get((hop, way), [])) for hop in (one, other))
                some = [(came[a], went[b]) for a, b in copies(*(self._bytes(found, side) for side in (came, went)))]
                self._passed |= {far} if some else set()
                onward.update(some)
        return in_order(found, list(lines.values()), onward) if onward else found

    def _after(self, found: list[Message], line: list[int]) -> list[int]:
        return [place for place in line if self._follows(found[place])]

    def _follows(self, message: Message) -> bool:
        seam = self._dissection.hops[message.hop].seam.get(message.direction)
        return seam is not None and message.start >= seam

    def _bytes(self, found: list[Message], side: list[int]) -> list[bytes]:
        data = self._dissection.hops[found[side[0]].hop].data[found[side[0]].direction] if side else b""
        return [data[found[place].start : found[place].end] for place in side]

    def columns(self, message: Message) -> tuple[int, ...]:
        """Return the columns that a message passes unchanged, from its sender on."""
        ahead = message.direction is Direction.TO_SERVER
        return tuple(self._places[each.hop][0 if ahead else 1] for each in message.copies)

    def step(self, number: int, message: Message) -> str:
        """Return a step's name: "4" from end to end, "4a" on one hop of several, "4ab" and "4a-c" on some."""
        first, *rest = message.hops
        if self._whole(message):
            return str(number)
        more = f"{'-' if len(rest) > 1 else ''}{letter(rest[-1])}" if rest else ""
        return step_name(number, first, len(self._places)) + more

    def _whole(self, message: Message) -> bool:
        """Tell whether a message went from end to end, and no other tunnel does."""
        ends = (self._places[message.hops[0]][0], self._places[message.hops[-1]][1])
        return [message.hops] == self._chains and all(self._parties[end].role != "proxy" for end in ends)

    def way(self, message: Message) -> str:
        """Say for a fold which way a message took: "through nginx", "on hop a", "on hops a and b"."""
        if len(self._places) == 1:
            return ""
        if self._whole(message):
            return f"through {self._names(self.columns(message), message.direction)}"
        return f"on {_hops(message.hops)}"

    def _names(self, columns: tuple[int, ...], way: Direction) -> str:
        ahead = columns if way is Direction.TO_SERVER else columns[::-1]
        return " and ".join(self._parties[column].name for column in ahead)

    def told(self, found: list[Message]) -> str:
        """Return a sentence on what went through the tunnels; "" where there is none.

        Args:
            found: the messages, joined.
        """
        if not self._passed:
            return ""
        names = dict.fromkeys(self._parties[self._places[hop][0]].name for hop in sorted(self._passed))
        said = f"From the switch on, {' and '.join(names)} {'is a tunnel' if len(names) == 1 else 'are tunnels'}"
        all_of = [message for message in found if message.hop in self._chain_of and self._follows(message)]
        whole = sum(self._passes(message) for message in all_of)
        it = "it" if len(names) == 1 else "them"
        if whole == len(all_of):
            return f"{said}: everything goes through {it} unchanged."
        return f"{said}: {whole:,} of {len(all_of):,} messages go through {it} unchanged, the others not all the way."

    def _passes(self, message: Message) -> bool:
        return self._passed.intersection(self._chain_of[message.hop]) <= set(message.hops) and bool(message.copies)

    def pipes(self, seams: dict[int, int], lasts: dict[int, int]) -> tuple[Pipe, ...]:
        """Return where columns are tunnels: from the seam to the last message of both hops.

        Args:
            seams: which row is the seam of a hop.
            lasts: which row is the last of a hop.
        """
        found = []
        for near, far in (pair for chain in self._chains for pair in pairwise(chain)):
            if far in self._passed:
                first, last = max(seams[near], seams[far]), max(lasts[near], lasts[far])
                found.append(Pipe(self._places[far][0], first + 1, last + 1))
        return tuple(pipe for pipe in found if pipe.first < pipe.after)  # else all of it is counted, not drawn


def _hops(hops: tuple[int, ...]) -> str:
    if len(hops) == 1:
        return f"hop {letter(hops[0])}"
    return f"hops {letter(hops[0])} {'and' if len(hops) == 2 else 'to'} {letter(hops[-1])}"


def _chains(dissection: Dissection, places: list[tuple[int, int]]) -> list[tuple[int, ...]]:
    """Return the hops that switched together, in rows of two or more that go one way across the columns."""
    onward = {
        near: far
        for near, asked, far, went in pairs(dissection)
        if max(near, far) < len(places) and _runs_on(places[near], places[far])
        and _turned(dissection, near, asked) and _turned(dissection, far, went)
    }  # fmt: skip
    found = []
    for near in sorted(onward.keys() - onward.values()):
        chain = [near]
        while chain[-1] in onward:
            chain.append(onward[chain[-1]])
        found.append(tuple(chain))
    return found


def _turned(dissection: Dissection, hop: int, place: int) -> bool:
    view = dissection.hops[hop]
    return bool(view.seam) and place == len(view.exchanges) - 1


def _runs_on(near: tuple[int, int], far: tuple[int, int]) -> bool:
    return near[1] == far[0] and (near[0] < near[1]) == (far[0] < far[1])
