"""Several clients around one server: what came before what, what was told to many at once, and who is who.

Between two clients only the server knows what is cause and what is effect, so here the recording decides: what the
server sent between two messages of clients belongs to the first of the two. Within that, chance decided the order of
the reads; it is drawn to the one who spoke first, then in the order of the columns, and what several were told alike
is one message.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from labkit.dissection import Dissection
from labkit.render.layout import Pipe, letter, listed
from labkit.render.messages import Message, messages
from labkit.trace import Direction

__all__ = ["Star", "in_turn"]


def in_turn(dissection: Dissection) -> list[Message]:
    """Return every message of every hop, in the order in which the server saw and did things."""
    trace = dissection.trace
    found = [
        (trace.moment(way, message.end - 1, view.hop), view.hop, message)
        for view in dissection.hops
        for way in Direction
        for message in messages(view, way)
    ]
    found.sort(key=lambda each: each[0])  # what one read brought stays in its order
    ordered: list[Message] = []
    told: list[Message] = []
    for _, _, message in found:
        if message.direction is Direction.TO_SERVER:
            ordered += _told(dissection, told, ordered[-1].hop if ordered else 0)
            told = []
            ordered.append(message)
        else:
            told.append(message)
    return ordered + _told(dissection, told, ordered[-1].hop if ordered else 0)


def _told(dissection: Dissection, some: Iterable[Message], speaker: int) -> list[Message]:
    """Order what the server sent in one go: what several are told alike stands together."""
    lines: dict[int, list[tuple[bytes, Message]]] = {}
    for message in some:
        data = dissection.hops[message.hop].data[message.direction][message.start : message.end]
        lines.setdefault(message.hop, []).append((data, message))
    ordered: list[Message] = []
    while lines:
        hops = sorted(lines, key=lambda hop: (hop != speaker, hop))
        free = [hop for hop in hops if not _comes_later(lines, hop)]
        data, message = lines[(free or hops)[0]][0]
        group = [hop for hop in sorted(lines) if lines[hop][0][0] == data and _alike(lines[hop][0][1], message)]
        ordered += [lines[hop].pop(0)[1] for hop in group]
        lines = {hop: line for hop, line in lines.items() if line}
    return ordered


def _comes_later(lines: dict[int, list[tuple[bytes, Message]]], hop: int) -> bool:
    """Tell whether what is next on a hop is to be told on another one, too, where something else is next."""
    data = lines[hop][0][0]
    others = (line for other, line in lines.items() if other != hop)
    return any(data != line[0][0] and any(data == later for later, _ in line[1:]) for line in others)


def _alike(one: Message, other: Message) -> bool:
    """Tell whether two messages of the same bytes are told to many, and not each the answer to a request."""
    return one is other or one.exchange == other.exchange == -1


@dataclass
class Star:
    """What the rows of a diagram need to know of messages, where several clients talk to one server.

    It has the same methods as `labkit.render.tunnel.Tunnels`, which is for what stands in a row.

    Args:
        dissection: what crossed.
    """

    dissection: Dissection

    def join(self, found: list[Message]) -> list[Message]:
        """Return the messages, in their order, with those made one that several were told alike."""
        joined: list[Message] = []
        for message in found:
            last = joined[-1] if joined else None
            if last and self._goes_with(message, last):
                joined[-1] = last._replace(copies=(*last.copies, message))
            else:
                joined.append(message)
        return joined

    def _goes_with(self, message: Message, last: Message) -> bool:
        if not message.direction is last.direction is Direction.TO_CLIENT:
            return False
        if message.hop in (each.hop for each in last.everywhere) or not _alike(message, last):
            return False
        one, other = (
            self.dissection.hops[each.hop].data[each.direction][each.start : each.end] for each in (message, last)
        )
        return one == other

    def columns(self, message: Message) -> tuple[int, ...]:  # noqa: ARG002
        """Return the tunnels that a message passes: there are none."""
        return ()

    def step(self, number: int, message: Message) -> str:
        """Return a step's name: "4a", and for what several were told "5ac" or "5a-d"."""
        return f"{number}{_letters(sorted(each.hop for each in message.everywhere))}"

    def way(self, message: Message) -> str:
        """Say for a fold whose messages they are."""
        names = [self.dissection.trace.hops[each.hop].client for each in message.everywhere]
        return f"{'of' if message.direction is Direction.TO_SERVER else 'for'} {listed(names)}"

    def told(self, found: list[Message]) -> str:  # noqa: ARG002
        """Return a sentence on tunnels: there are none."""
        return ""

    def pipes(self, seams: dict[int, int], lasts: dict[int, int]) -> tuple[Pipe, ...]:  # noqa: ARG002
        """Return where columns are tunnels: nowhere."""
        return ()


def _letters(hops: list[int]) -> str:
    """Return the letters of hops, three or more in a row as their first and last."""
    runs: list[list[int]] = []
    for hop in hops:
        if runs and runs[-1][-1] == hop - 1:
            runs[-1].append(hop)
        else:
            runs.append([hop])
    return "".join(f"{letter(run[0])}-{letter(run[-1])}" if len(run) > 2 else "".join(map(letter, run)) for run in runs)
