"""The one layout under every output: parties as columns, and rows of three kinds below them.

    Arrow   a message: its headline on the arrow, its details below it, what is wrong with it in words
    Band    a line across: the seam, what was not reached, what is missing, how the connection ended
    Fold    a stretch of like messages, counted instead of drawn

The five steps of an upgrade are 1 the request line, 2 the upgrade fields, 3 the answer, 4 data from the
client, 5 data from the server. 1 and 2 are one message, so they share an arrow: 1 stands at its
headline, 2 at the first of its upgrade fields. On more than one hop a step carries the hop's letter.

After the switch a proxy is a tunnel. What it relays unchanged is one arrow that passes its column, and
where that goes from end to end, a step without a letter; the column is a pipe from the seam on.

Where several clients talk to one server they stand side by side, and the server stands last. All words then stand in
the gap before the server, so that none crosses a lifeline; what several were told alike is one arrow with many heads.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from labkit.render.marks import Mark
from labkit.render.measure import clean
from labkit.trace import Trace

__all__ = [
    "MOST_HOPS", "Arrow", "Band", "Detail", "Fold", "Layout", "Party", "Pipe", "Row", "columns_of", "is_star", "letter",
    "listed", "names_of", "step_name",
]  # fmt: skip

MOST_HOPS = 12
"""The most hops a diagram draws, from the client's end; of the others it says how many there are."""


@dataclass(frozen=True, slots=True)
class Party:
    """A column: a party's name, and its role ("client", "proxy" or "server"), which decides its shape."""

    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Detail:
    """A line below an arrow's headline; `step` is "2" where the upgrade fields begin.

    `start` and `end` are its place in the bytes of the arrow's direction, where it is one stretch of them.
    """

    text: str
    step: str = ""
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Arrow:
    """A message from one column to another.

    Args:
        step: the step it is, "" where it is none.
        start: the column it leaves.
        end: the column it reaches.
        headline: the start-line, or the frame's name with what it carries.
        details: the lines below.
        kind: "http", "data" or "control" (a WebSocket control frame).
        faults: what is wrong with it, each with its clause.
        through: the columns of the tunnels that it passes, from the sender on.
        also: the columns on its way that it reaches, too: the same was told to several.
    """

    step: str
    start: int
    end: int
    headline: str
    details: tuple[Detail, ...] = ()
    kind: str = "http"
    faults: tuple[Mark, ...] = ()
    through: tuple[int, ...] = ()
    also: tuple[int, ...] = ()

    @property
    def reach(self) -> int:
        """The column up to which its words stand: the first tunnel, or its end."""
        return self.through[0] if self.through else self.end


@dataclass(frozen=True, slots=True)
class Band:
    """A line across the columns from `start` to `end`; kind is "seam", "stop", "missing" or "end"."""

    text: str
    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Fold:
    """Messages that are counted, not drawn."""

    text: str
    start: int
    end: int


Row = Arrow | Band | Fold


@dataclass(frozen=True, slots=True)
class Pipe:
    """A stretch in which a column is a tunnel: from the row `first` up to the row `after`, not counting that one."""

    column: int
    first: int
    after: int


@dataclass(frozen=True, slots=True)
class Layout:
    """A sequence diagram, ready to be drawn in any form.

    Args:
        title: how it ended: "Switched to websocket (101)".
        description: the same in a few sentences, for those who do not see the picture.
        parties: the columns, from the client's end.
        rows: what is drawn below them.
        note: where the trace comes from; may be empty.
        pipes: where a proxy is a tunnel.
        star: whether several clients stand before one server.
    """

    title: str
    description: str
    parties: tuple[Party, ...]
    rows: tuple[Row, ...]
    note: str = ""
    pipes: tuple[Pipe, ...] = ()
    star: bool = False

    def between(self, row: Row) -> tuple[int, int]:
        """Return the two columns between which the words of a row stand."""
        if self.star:
            return len(self.parties) - 2, len(self.parties) - 1
        low, high = sorted((row.start, row.reach if isinstance(row, Arrow) else row.end))
        return low, high

    def receivers(self, arrow: Arrow) -> tuple[int, ...]:
        """Return the columns that an arrow reaches, from the left."""
        return tuple(sorted({arrow.end, *arrow.also}))

    def named(self, arrow: Arrow) -> str:
        """Return whom an arrow reaches, by name: "ana, ben and cy"."""
        return listed(self.parties[column].name for column in self.receivers(arrow))

    def through(self, arrow: Arrow) -> str:
        """Return the tunnels that an arrow passes, in words: "through nginx"; "" where it passes none."""
        names = " and ".join(self.parties[column].name for column in arrow.through)
        return f"through {names}" if names else ""


def names_of(trace: Trace) -> list[tuple[str, str]]:
    """Return the names of each hop's client and server, fit to be shown."""
    return [(clean(hop.client, 40), clean(hop.server, 40)) for hop in trace.hops]


def is_star(hops: list[tuple[str, str]]) -> bool:
    """Tell whether several clients, each by a name of its own, talk to one server, and all are drawn.

    >>> is_star([("ana", "server"), ("ben", "server")])
    True
    """
    clients, servers = {client for client, _ in hops}, {server for _, server in hops}
    return 1 < len(clients) == len(hops) <= MOST_HOPS and len(servers) == 1 and not clients & servers


def columns_of(hops: list[tuple[str, str]]) -> tuple[tuple[Party, ...], list[tuple[int, int]]]:
    """Return the parties of (client, server) hops, each once, and each hop's two columns.

    >>> columns_of([("client", "proxy"), ("proxy", "server")])[1]
    [(0, 1), (1, 2)]
    """
    place: dict[str, int] = {client: number for number, (client, _) in enumerate(hops)} if is_star(hops) else {}
    places: list[tuple[int, int]] = []
    for client, server in hops:
        far = server if server != client else f"{server} (2)"
        places.append((place.setdefault(client, len(place)), place.setdefault(far, len(place))))
    clients, servers = {start for start, _ in places}, {end for _, end in places}
    roles = ["client" if each not in servers else "proxy" if each in clients else "server" for each in place.values()]
    return tuple(Party(name, role) for name, role in zip(place, roles, strict=True)), places


def step_name(number: int, hop: int, hops: int) -> str:
    """Return a step's name: "3", and on several hops "3a", "3b".

    >>> step_name(3, 0, 1), step_name(3, 1, 2)
    ('3', '3b')
    """
    return f"{number}{letter(hop)}" if hops > 1 else str(number)


def letter(hop: int) -> str:
    """Return a hop's letter: "a", "b", "c".

    >>> letter(0), letter(25), letter(26)
    ('a', 'z', 'aa')
    """
    letters = ""
    while hop >= 0:
        hop, digit = hop // 26 - 1, hop % 26
        letters = chr(ord("a") + digit) + letters
    return letters


def listed(names: Iterable[str]) -> str:
    """Return names as a list in words.

    >>> listed(["ana", "ben", "cy"])
    'ana, ben and cy'
    """
    *some, last = names
    return f"{', '.join(some)} and {last}" if some else last
