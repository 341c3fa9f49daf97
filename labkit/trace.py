"""What crossed the wire: hops, events on them, and the trace that holds both.

    Transfer   bytes that one read or write saw, in one direction of one hop
    End        a party closed its direction (fin), broke it off (reset), or the recording stopped
    Cut        bytes that crossed but were not kept, because the recording limit was reached
    Gap        bytes that a capture misses

How reads fall is chance, so two traces are equal when, per hop and direction, the joined bytes, what
is missing of them and the end are equal. Times are never compared.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from labkit.errors import WrongUse

if TYPE_CHECKING:
    from pathlib import Path

    from labkit.render.explain import Explanation
    from labkit.render.verdict import Verdict

__all__ = ["Cut", "Direction", "End", "Event", "Gap", "Hop", "How", "Trace", "Transfer", "behind"]


class Direction(StrEnum):
    """Which way bytes went on a hop: to its server's side, or to its client's."""

    TO_SERVER = "server"
    TO_CLIENT = "client"

    @property
    def other(self) -> Direction:
        """The opposite direction."""
        return Direction.TO_CLIENT if self is Direction.TO_SERVER else Direction.TO_SERVER


class How(StrEnum):
    """How a direction ended."""

    FIN = "fin"
    RESET = "reset"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class Hop:
    """One TCP leg between two parties (RFC 9110, 7.6.1)."""

    client: str = "client"
    server: str = "server"

    def sender(self, direction: Direction) -> str:
        """Return the party whose bytes go in `direction`."""
        return self.client if direction is Direction.TO_SERVER else self.server

    def receiver(self, direction: Direction) -> str:
        """Return the party that gets the bytes of `direction`."""
        return self.sender(direction.other)


@dataclass(frozen=True, slots=True)
class Transfer:
    """Bytes seen at once; `time` is in seconds since the recording began."""

    hop: int
    direction: Direction
    data: bytes
    time: float = 0.0


@dataclass(frozen=True, slots=True)
class End:
    """The end of a direction."""

    hop: int
    direction: Direction
    how: How
    time: float = 0.0


@dataclass(frozen=True, slots=True)
class Cut:
    """`length` bytes that crossed here and were not kept: the recording limit was reached."""

    hop: int
    direction: Direction
    length: int
    time: float = 0.0


@dataclass(frozen=True, slots=True)
class Gap:
    """Bytes that a capture misses here; `length` is None where it is not known."""

    hop: int
    direction: Direction
    length: int | None = None
    time: float = 0.0


Event = Transfer | End | Cut | Gap
Raw = bytes  # `Trace.bytes` takes the name inside the class


@dataclass(frozen=True, eq=False)
class Trace:
    """All that crossed, hop by hop. Draws itself in a notebook; `print(trace)` draws it in a terminal.

    Args:
        events: what happened, in the order in which it was recorded.
        hops: the TCP legs, from the client's end; events name them by their place.
        title: a few words for the heading of the diagram.
        note: where it comes from ("recorded by the server", "simulated").

    >>> hello = Transfer(0, Direction.TO_SERVER, b"hello")
    >>> halves = [Transfer(0, Direction.TO_SERVER, half) for half in (b"hel", b"lo")]
    >>> Trace((hello,)) == Trace(tuple(halves))
    True
    """

    events: tuple[Event, ...] = ()
    hops: tuple[Hop, ...] = (Hop(),)
    title: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        for number, event in enumerate(self.events):
            if not 0 <= event.hop < len(self.hops):
                raise WrongUse(f"event {number} is on hop {event.hop}, and there are {len(self.hops)} hops")

    @cached_property
    def _streams(self) -> Mapping[tuple[int, Direction], Raw]:
        chunks: dict[tuple[int, Direction], list[Raw]] = {}
        for event in self.events:
            if isinstance(event, Transfer):
                chunks.setdefault((event.hop, event.direction), []).append(event.data)
        return {key: b"".join(parts) for key, parts in chunks.items()}

    @cached_property
    def _shape(self) -> tuple[Any, ...]:
        """What is compared: the hops, and per direction the joined bytes, the ends, and what is missing where."""
        sizes: dict[tuple[int, Direction], int] = {}
        marks: dict[tuple[int, Direction], list[tuple[int, str, int | None]]] = {}
        for event in self.events:
            key = (event.hop, event.direction)
            at = sizes.get(key, 0)
            if isinstance(event, Transfer):
                sizes[key] = at + len(event.data)
                continue
            found = marks.setdefault(key, [])
            length = None if isinstance(event, End) else event.length
            mark = (at, str(event.how) if isinstance(event, End) else type(event).__name__, length)
            if isinstance(event, Cut) and found and found[-1][:2] == mark[:2]:  # one cut told in two pieces
                mark = (at, mark[1], (found.pop()[2] or 0) + event.length)
            found.append(mark)
        joined = tuple(sorted((key, data) for key, data in self._streams.items() if data))
        return (self.hops, joined, tuple(sorted((key, tuple(found)) for key, found in marks.items())))

    def stream(self, direction: Direction, hop: int = 0) -> Raw:
        """Return all bytes of one direction of one hop, joined."""
        return self._streams.get((hop, direction), b"")

    def end(self, direction: Direction, hop: int = 0) -> How | None:
        """Return how a direction ended; None where the recording does not say."""
        for event in self.events:
            if isinstance(event, End) and event.hop == hop and event.direction is direction:
                return event.how
        return None

    def moment(self, direction: Direction, offset: int, hop: int = 0) -> int:
        """Return the place among the events at which a byte of a direction was recorded; 0 where none was.

        Two bytes of one Transfer have the same moment; which of them came first is then their offset's to say.
        """
        sizes, places = self._moments.get((hop, direction), ((), (0,)))
        return places[min(bisect_right(sizes, offset), len(places) - 1)]

    @cached_property
    def _moments(self) -> Mapping[tuple[int, Direction], tuple[Sequence[int], Sequence[int]]]:
        found: dict[tuple[int, Direction], tuple[list[int], list[int]]] = {}
        for place, event in enumerate(self.events):
            if isinstance(event, Transfer) and event.data:
                sizes, places = found.setdefault((event.hop, event.direction), ([], []))
                sizes.append((sizes[-1] if sizes else 0) + len(event.data))
                places.append(place)
        return found

    def titled(self, title: str) -> Trace:
        """Return this trace under another title."""
        return replace(self, title=title)

    def noted(self, note: str) -> Trace:
        """Return this trace with one more thing said in its note."""
        return replace(self, note="; ".join(each for each in (self.note, note) if each))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Trace) and self._shape == other._shape

    def __hash__(self) -> int:
        return hash(self._shape)

    def __repr__(self) -> str:
        sizes = (sum(len(self.stream(way, hop)) for hop in range(len(self.hops))) for way in Direction)
        to_server, to_client = sizes
        hops = ", ".join(f"{hop.client}–{hop.server}" for hop in self.hops)
        shown = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in hops)
        return f"<Trace {shown}: {to_server} bytes to the server, {to_client} to the client>"

    def bytes(self, **options: Any) -> Explanation:
        """Return every byte explained; see `labkit.explain` for the options."""
        from labkit.render.explain import explain  # noqa: PLC0415  the rooms are above this one

        return explain(self, **options)

    def check(self) -> Verdict:
        """Return which rules the trace breaks, whose and where; see `labkit.check`."""
        from labkit.render.verdict import check  # noqa: PLC0415

        return check(self)

    def save(self, path: str | Path, *, keep_secrets: bool = False) -> Path:
        """Write the trace as JSON Lines; see `labkit.formats.jsonl.write`."""
        from labkit.formats.jsonl import write  # noqa: PLC0415

        return write(self, path, keep_secrets=keep_secrets)

    def __str__(self) -> str:
        from labkit.render.diagram import diagram  # noqa: PLC0415

        return diagram(self).text()

    def _repr_mimebundle_(
        self,
        include: object = None,  # noqa: ARG002  IPython gives both, and takes all there is
        exclude: object = None,  # noqa: ARG002
    ) -> dict[str, str]:
        from labkit.render.diagram import diagram  # noqa: PLC0415

        return diagram(self).bundle()


def behind(trace: Trace) -> dict[int, int]:
    """Return, for every hop that goes on where another one ends, that other hop.

    >>> behind(Trace(hops=(Hop("client", "proxy"), Hop("proxy", "server"))))
    {1: 0}
    """
    ends: dict[str, int] = {}
    found = {}
    for number, hop in enumerate(trace.hops):
        if hop.client in ends:
            found[number] = ends[hop.client]
        ends[hop.server] = number
    return found
