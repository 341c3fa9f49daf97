"""What checks look at: a trace taken apart, cut into what a rule speaks of.

    Asked     one exchange on one hop: a request and its answers
    Spoken    what one party said after the switch, as WebSocket frames
    Relayed   one exchange on two hops, with the proxy between them

What is not all there is not shown to a check: a head that is cut short has no absent field lines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, wraps

from labkit.dissection import Dissection, Exchange, FramesPart, HeadPart, HopView, OpaquePart, Part
from labkit.dissection.pairing import pairs
from labkit.rules.rule import Check, Sighting
from labkit.trace import Direction, How
from labkit.wire.fields import Fields
from labkit.wire.http1 import Fault, RequestHead, ResponseHead
from labkit.wire.upgrade import options
from labkit.wire.websocket import CLOSE, PING, PONG

__all__ = [
    "Asked", "Evidence", "HeadSeen", "Relayed", "Spoken", "each_exchange", "each_relay",
]  # fmt: skip


@dataclass(frozen=True)
class HeadSeen:
    """A head where it stands; its methods make sightings of its bytes."""

    hop: int
    direction: Direction
    part: HeadPart

    @property
    def fields(self) -> Fields:
        """Its field lines; none where its start-line cannot be read."""
        return self.part.value.fields if self.part.value else Fields()

    @property
    def version(self) -> str:
        """Its HTTP-version; "" where its start-line cannot be read."""
        return self.part.value.version if self.part.value else ""

    @property
    def status(self) -> int:
        """Its status code; 0 where it is a request, or cannot be read."""
        return self.part.value.status if isinstance(self.part.value, ResponseHead) else 0

    @property
    def faults(self) -> Iterator[tuple[Fault, Sighting]]:
        """What breaks the grammar in it, and where."""
        for line in self.part.head.lines:
            for piece in line.pieces:
                if piece.fault:
                    seen = str(piece.fault).rpartition(" (")[0].partition(";")[0]
                    yield piece.fault, Sighting(self.hop, self.direction, piece.start, piece.end, seen)

    def first_line(self, seen: str) -> Sighting:
        """See something in the start-line, or miss something in the whole head."""
        line = next((line for line in self.part.head.lines if not line.name and len(line.pieces) > 1), None)
        start, end = (line.start, line.end) if line else (self.part.start, self.part.end)
        return Sighting(self.hop, self.direction, start, end, seen)

    def line(self, name: str, seen: str, *, place: int = 0, note: bool = False) -> Sighting:
        """See something in the field line `name`, the first unless told; where it is absent, in the start-line."""
        lines = [line for line in self.part.head.lines if line.name.lower() == name.lower()]
        if place >= len(lines):
            return self.first_line(seen)
        return Sighting(self.hop, self.direction, lines[place].start, lines[place].end, seen, note)


@dataclass(frozen=True)
class Asked:
    """One exchange on one hop. A head that is cut short, or whose start-line cannot be read, is None here."""

    evidence: Evidence
    view: HopView
    place: int
    exchange: Exchange

    @cached_property
    def request(self) -> HeadSeen | None:
        """The request."""
        return self._whole(Direction.TO_SERVER, self.exchange.request)

    @cached_property
    def answer(self) -> HeadSeen | None:
        """The answer: final, or a 101."""
        return self._whole(Direction.TO_CLIENT, self.exchange.answer)

    @cached_property
    def interim(self) -> tuple[HeadSeen, ...]:
        """The interim answers before it."""
        found = (self._whole(Direction.TO_CLIENT, part) for part in self.exchange.interim)
        return tuple(head for head in found if head)

    @property
    def heads(self) -> tuple[HeadSeen, ...]:
        """All heads of the exchange that are whole."""
        return tuple(head for head in (self.request, *self.interim, self.answer) if head)

    @property
    def parts(self) -> Iterator[HeadSeen]:
        """All heads of the exchange, also those that are cut short or cannot be read; for the grammar's rules."""
        for way, part in (
            (Direction.TO_SERVER, self.exchange.request),
            *((Direction.TO_CLIENT, part) for part in (*self.exchange.interim, self.exchange.answer)),
        ):
            if part:
                yield HeadSeen(self.view.hop, way, part)

    @property
    def head(self) -> RequestHead:
        """The request's value; empty where there is none that is whole."""
        value = self.request.part.value if self.request else None
        return value if isinstance(value, RequestHead) else RequestHead("", "")

    @property
    def status(self) -> int | None:
        """The answer's status code; None where its head is not whole."""
        return self.exchange.status

    @property
    def switched(self) -> bool:
        """Whether the answer is a 101."""
        return self.exchange.switched

    @property
    def taken(self) -> bool:
        """Whether the answer treats the request as a good one: it is no error."""
        return self.status is not None and self.status < 400

    @property
    def expects_continue(self) -> bool:
        """Whether the request asks for a 100 before its content (RFC 9110, 10.1.1)."""
        return any(each.lower() == "100-continue" for each in self.head.fields.elements("Expect"))

    def offers(self, name: str) -> bool:
        """Tell whether the request's Upgrade field names a protocol, whatever its version."""
        return any(offer.partition("/")[0].lower() == name for offer in self.exchange.offer)

    @property
    def websocket(self) -> bool:
        """Whether the request is an attempt at a WebSocket opening handshake.

        It offers websocket, or carries the key and the version that only such a handshake has.
        """
        fields = self.head.fields
        return self.offers("websocket") or ("Sec-WebSocket-Key" in fields and "Sec-WebSocket-Version" in fields)

    @property
    def options(self) -> frozenset[str]:
        """The request's connection options, in lower case."""
        return options(self.head.fields)

    @property
    def behind(self) -> Part | None:
        """What the client sent right behind the request."""
        last = self.exchange.content or self.exchange.request
        parts = self.view.parts[Direction.TO_SERVER]
        if not last or Direction.TO_SERVER in self.view.missing:
            return None
        return next((part for part in parts if part.start >= last.end), None)

    @property
    def early(self) -> Sighting | None:
        """What the client sent behind the request and cannot have sent upon the answer: it was recorded before that.

        What was recorded later may have been on its way already, and proves nothing.
        """
        way, hop, part = Direction.TO_SERVER, self.view.hop, self.behind
        if not part or not self.request or way.other in self.view.missing:
            return None
        answer = self.exchange.answer or next(reversed(self.exchange.interim), None)
        if not answer and not isinstance(part, OpaquePart):
            return None  # another request, and no answer to either
        moment = self.evidence.moment
        if answer and moment(hop, way, part.start) >= moment(hop, way.other, answer.start):
            return None
        return Sighting(hop, way, part.start, part.end, "")

    def _whole(self, way: Direction, part: HeadPart | None) -> HeadSeen | None:
        return HeadSeen(self.view.hop, way, part) if part and part.head.whole and part.value else None


@dataclass(frozen=True)
class Spoken:
    """The WebSocket frames of one direction, and those of the other."""

    evidence: Evidence
    view: HopView
    direction: Direction
    part: FramesPart
    other: FramesPart | None

    @property
    def by_client(self) -> bool:
        """Whether the client sent them."""
        return self.direction is Direction.TO_SERVER

    def frame(self, place: int, seen: str, *, note: bool = False) -> Sighting:
        """See something in one frame of this direction."""
        frame = self.part.frames[place]
        return Sighting(self.view.hop, self.direction, frame.start, frame.end, seen, note)

    def went_on(self, place: int) -> int | None:
        """Return a frame of the other party that shows it took a frame of this one, and went on.

        What merely comes later proves nothing: it may have been on its way. Proof is a frame that only
        somebody could send who had read this far: the echo of this frame's payload or of a later one's,
        the Pong of a later Ping; and no earlier frame may have asked for the same. None where there is
        no such frame.
        """
        if self.other is None or self.evidence.failed(self.view, self.direction.other):
            return None
        moment = self.evidence.moment(self.view.hop, self.direction, self.part.frames[place].end - 1)
        proofs = [_proof(self.part, number) for number in range(len(self.part.frames))]
        earlier, wanted = Counter(proofs[:place]), {*proofs[place:]} - {None}
        for number, frame in enumerate(self.other.frames):
            said = (frame.opcode, self.other.content(number))
            if said not in wanted:
                continue
            earlier[said] -= 1
            at = self.evidence.moment(self.view.hop, self.direction.other, frame.start)
            if earlier[said] < 0 and at >= moment:
                return number
        return None

    def of_other(self, place: int, seen: str) -> Sighting:
        """See something in one frame of the other direction."""
        assert self.other is not None
        frame = self.other.frames[place]
        return Sighting(self.view.hop, self.direction.other, frame.start, frame.end, seen)


def _proof(part: FramesPart, place: int) -> tuple[int, bytes] | None:
    """Return the opcode and the content of the frame that would prove that this one was read; None for no such.

    A Close proves nothing, both sides may begin to close at once; nor does an empty frame.
    """
    opcode, content = part.frames[place].opcode, part.content(place)
    if opcode in (CLOSE, PONG) or not content:
        return None
    return (PONG if opcode == PING else opcode, content)


@dataclass(frozen=True)
class Relayed:
    """One exchange as it went into a proxy, and as it went on from there."""

    before: Asked
    behind: Asked


class Evidence:
    """A dissected trace, cut into what rules speak of."""

    def __init__(self, dissection: Dissection) -> None:
        self.dissection = dissection
        self.trace = dissection.trace

    @cached_property
    def exchanges(self) -> tuple[Asked, ...]:
        """Every exchange of every hop."""
        return tuple(
            Asked(self, view, place, exchange)
            for view in self.dissection.hops
            for place, exchange in enumerate(view.exchanges)
        )

    @cached_property
    def directions(self) -> tuple[Spoken, ...]:
        """Every direction that carries WebSocket frames."""
        found = []
        for view in self.dissection.hops:
            for way in Direction:
                part = view.frames(way)
                if part:
                    found.append(Spoken(self, view, way, part, view.frames(way.other)))
        return tuple(found)

    @cached_property
    def relays(self) -> tuple[Relayed, ...]:
        """Every exchange that went through a proxy and whose two sides can be told to belong together."""
        known = {(asked.view.hop, asked.place): asked for asked in self.exchanges}
        return tuple(Relayed(known[near, asked], known[far, went]) for near, asked, far, went in pairs(self.dissection))

    def moment(self, hop: int, direction: Direction, offset: int) -> int:
        """Return the place, in the order of the recording, at which a byte was recorded; see `Trace.moment`."""
        return self.trace.moment(direction, offset, hop)

    def failed(self, view: HopView, direction: Direction) -> bool:
        """Tell whether the party that sends in `direction` failed the connection (RFC 6455, 7.1.7).

        It sent a Close with a code of a fault, or ended its direction without any Close.
        """
        part = view.frames(direction)
        closes = [place for place, frame in enumerate(part.frames) if frame.opcode == CLOSE] if part else []
        if not part or not closes:
            return view.ends.get(direction) in (How.FIN, How.RESET)
        payload = part.payload(closes[0])
        return len(payload) >= 2 and int.from_bytes(payload[:2], "big") not in (1000, 1001)


def each_exchange(check: Callable[[Asked], Iterable[Sighting]]) -> Check:
    """Make a check of one exchange a check of them all."""

    @wraps(check)
    def of_all(evidence: Evidence) -> Iterator[Sighting]:
        for asked in evidence.exchanges:
            yield from check(asked)

    return of_all


def each_relay(check: Callable[[Relayed], Iterable[Sighting]]) -> Check:
    """Make a check of one relayed exchange a check of them all."""

    @wraps(check)
    def of_all(evidence: Evidence) -> Iterator[Sighting]:
        for relayed in evidence.relays:
            yield from check(relayed)

    return of_all
