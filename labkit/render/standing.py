"""How every party stands at each step of an exchange: its state in words, and what lies before it unread.

A state is read from heads, the seam, Close frames and ends alone, and an exchange only goes forward.

What is unread follows from the recording. A step has taken up, per hop and direction, the bytes of all
messages drawn so far. What has arrived by then is all that was recorded no later than the last byte of
these messages. The difference lies unread with the receiver. It is exact where the lab simulated; of a
real recording it is as the tap saw it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple

from labkit.dissection import Dissection, FramesPart, HopView
from labkit.render.headline import after
from labkit.render.layout import columns_of, is_star, names_of
from labkit.render.messages import Kind, Message
from labkit.trace import Direction, How, Transfer
from labkit.wire.websocket import CLOSE

__all__ = ["Standing", "Unread", "standings"]

# What a party says of itself, by the phase of its hop; after that, by the answer, the Close frames and the end.
_CLIENT = {"idle": "has not asked yet", "asking": "asking", "asked": "awaiting the answer"}
_SERVER = {"idle": "waiting for a request", "asking": "reading the request", "asked": "has the request"}
_ONWARD = {"asking": "passing the request on", "asked": "awaiting the server's answer"}
_TALKING = "speaking, and not HTTP/1.1"
_ENDED = {How.FIN: "closed its side", How.RESET: "broke off"}

_REQUEST, _SEAM, _LATER = (
    "behind the request, whose answer is not there yet",
    "behind the blank line of the 101: these are {} already",
    "behind the message that is read now",
)


class Unread(NamedTuple):
    """Bytes that have arrived at a party and are not taken up yet, as a range of one direction, and where they lie."""

    hop: int
    direction: Direction
    start: int
    end: int
    why: str


class Standing(NamedTuple):
    """One party at one step."""

    state: str
    unread: tuple[Unread, ...] = ()


@dataclass
class _Leg:
    """One hop on its way through the exchange."""

    view: HopView
    phase: str = "idle"  # asking, asked, answered, closing, talking
    exchange: int = -1
    closes: set[Direction] = field(default_factory=set)
    read: dict[Direction, int] = field(default_factory=lambda: dict.fromkeys(Direction, 0))

    def take(self, message: Message) -> None:
        """Go one message further."""
        self.read[message.direction] = max(self.read[message.direction], message.end)
        if not self.view.exchanges:
            self.phase = "talking"
        elif message.kind is Kind.REQUEST or (
            message.kind is Kind.CONTENT and message.direction is Direction.TO_SERVER
        ):
            exchange = self.view.exchanges[message.exchange]
            content = exchange.content
            whole = content is None or message.end >= content.end
            if self.exchange < message.exchange or self.phase in ("idle", "asking"):
                self.exchange, self.phase = message.exchange, "asked" if whole else "asking"
        elif message.kind is Kind.ANSWER or (message.exchange >= 0 and message.kind is Kind.BYTES):
            self.exchange, self.phase = max(message.exchange, self.exchange), "answered"
        elif isinstance(message.part, FramesPart) and message.part.frames[message.place].opcode == CLOSE:
            self.phase = "closing"
            self.closes.add(message.direction)

    def outcome(self, *, ours: bool) -> str:
        """Say how the answer was, as its client (`ours` false) or its server."""
        exchange = self.view.exchanges[self.exchange]
        if exchange.switched:
            return f"switched to {after(self.view)[1]}"
        if exchange.status is None:
            return "sent no answer in HTTP" if ours else "got no answer in HTTP"
        declined = "declined" if ours else "was declined"
        return f"{declined if exchange.offer else 'answered'} ({exchange.status})"

    def closing(self, way: Direction) -> str:
        """Say how far the closing handshake is, for the party that sends in direction `way`."""
        if len(self.closes) > 1:
            return "closing handshake done"
        return "closing" if way in self.closes else "asked to close"


def standings(
    dissection: Dissection, steps: Sequence[Message], *, ended: bool = False
) -> Iterator[tuple[Standing, ...]]:
    """Yield, step by step, how every party stands, in the order of the diagram's columns.

    Args:
        dissection: what crossed, taken apart.
        steps: the messages in the order of cause.
        ended: whether a last step is to follow in which the connections have ended.
    """
    trace = dissection.trace
    star = is_star(names_of(trace))
    parties, places = columns_of(names_of(trace))
    legs = [_Leg(view) for view in dissection.hops]
    arrivals = _arrivals(dissection)
    now = dict.fromkeys(range(len(legs)), -1)
    for message in steps:
        for copy in message.everywhere:
            legs[copy.hop].take(copy)
            if copy.end > copy.start:
                moment = trace.moment(copy.direction, copy.end - 1, copy.hop)
                now |= {hop: max(now[hop], moment) for hop in ([copy.hop] if star else now)}
        some = (_unread(leg, way, _arrived(arrivals, leg, way, now[leg.view.hop])) for leg in legs for way in Direction)
        unread: dict[int, tuple[Unread, ...]] = {}
        for each in filter(None, some):
            reader = _reader(places, each)
            unread[reader] = (*unread.get(reader, ()), each)
        states = [_state(party.role, *_sides(legs, places, column)) for column, party in enumerate(parties)]
        if star:
            states[-1] = _at_many(legs)
        yield tuple(Standing(state, unread.get(column, ())) for column, state in enumerate(states))
    if ended:
        for_each = [_end(*_sides(legs, places, column)) for column in range(len(parties))]
        if star:
            for_each[-1] = _counted([_end(leg, None) for leg in legs], len(legs))
        yield tuple(map(Standing, for_each))


def _sides(legs: list[_Leg], places: list[tuple[int, int]], column: int) -> tuple[_Leg | None, _Leg | None]:
    """Return a party's hop on the client's side and on the server's: of several the last that has begun."""
    near = [leg for leg, (_, server) in zip(legs, places, strict=True) if server == column]
    far = [leg for leg, (client, _) in zip(legs, places, strict=True) if client == column]
    begun = [[leg for leg in side if leg.phase != "idle"] or side[:1] for side in (near, far)]
    return tuple(side[-1] if side else None for side in begun)  # type: ignore[return-value]


def _state(role: str, near: _Leg | None, far: _Leg | None) -> str:
    if role == "client" and far:
        return _at_end(far, Direction.TO_SERVER)
    if role == "proxy" and near and far:
        return _at_proxy(near, far)
    return _at_end(near, Direction.TO_CLIENT) if near else ""


def _at_many(legs: list[_Leg]) -> str:
    """Return how it stands with a server of several clients: each state once, with how many clients there are in it."""
    begun = [_at_end(leg, Direction.TO_CLIENT) for leg in legs if leg.phase != "idle"]
    return _counted(begun, len(legs)) if begun else _SERVER["idle"]


def _counted(states: list[str], clients: int) -> str:
    return "; ".join(f"{state} ({number} of {clients})" for state, number in Counter(states).items())


def _at_end(leg: _Leg, speaks: Direction) -> str:
    """Return how it stands with the client or the server of a hop, whichever speaks in this direction."""
    serves = speaks is Direction.TO_CLIENT
    if leg.phase == "answered":
        return leg.outcome(ours=serves)
    if leg.phase == "closing":
        return leg.closing(speaks)
    return (_SERVER if serves else _CLIENT).get(leg.phase, _TALKING)


def _at_proxy(near: _Leg, far: _Leg) -> str:
    if near.phase in ("answered", "closing"):
        exchange = near.view.exchanges[near.exchange]
        if exchange.switched:
            return f"a tunnel for {after(near.view)[1]}"
        if exchange.status is None:
            return "passed on what is no answer"
        return f"{'answered it alone' if far.phase == 'idle' else 'passed the answer on'} ({exchange.status})"
    if far.phase in ("answered", "closing"):
        return "has the server's answer"
    return _ONWARD.get(far.phase) or _at_end(near, Direction.TO_CLIENT)


def _end(near: _Leg | None, far: _Leg | None) -> str:
    said = [leg.view.ends.get(way) for leg, way in ((near, Direction.TO_CLIENT), (far, Direction.TO_SERVER)) if leg]
    told = {_ENDED.get(how, "still open") if how else "still open" for how in said}
    return told.pop() if len(told) == 1 else "closed on one side"


_Arrivals = dict[tuple[int, Direction], tuple[list[int], list[int]]]


def _arrivals(dissection: Dissection) -> _Arrivals:
    """Return, per hop and direction, the places of the reads among all events, and how many bytes there were then."""
    reads: dict[tuple[int, Direction], list[tuple[int, int]]] = {}
    for place, event in enumerate(dissection.trace.events):
        if isinstance(event, Transfer):
            reads.setdefault((event.hop, event.direction), []).append((place, len(event.data)))
    return {
        key: ([place for place, _ in each], list(accumulate(size for _, size in each))) for key, each in reads.items()
    }


def _arrived(arrivals: _Arrivals, leg: _Leg, way: Direction, now: int) -> int:
    places, sizes = arrivals.get((leg.view.hop, way), ([], []))
    known = bisect_right(places, now)
    return sizes[known - 1] if known else 0


def _unread(leg: _Leg, way: Direction, arrived: int) -> Unread | None:
    read = leg.read[way]
    if arrived <= read:
        return None
    why = _LATER
    if leg.view.seam.get(way) == read and way is Direction.TO_CLIENT:
        why = _SEAM.format(after(leg.view)[1])
    elif way is Direction.TO_SERVER and leg.phase == "asked":
        why = _REQUEST
    return Unread(leg.view.hop, way, read, arrived, why)


def _reader(places: list[tuple[int, int]], unread: Unread) -> int:
    client, server = places[unread.hop]
    return server if unread.direction is Direction.TO_SERVER else client
