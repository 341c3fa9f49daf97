"""What came before what: the messages of a trace, ordered by cause and never by read.

How reads fall is chance, so two equal traces must draw the same. Within one direction of one hop the
bytes have an order; between directions only causes have one:

    a request                 before its answer (100 Continue: before the content that waits for it)
    a request on one hop      before its twin on the hop behind it; their answers the other way round
    the 101                   before anything that follows it, on the hop behind it too
    a message                 before its echo (equal opcode and content); a ping before its pong
    a message on one hop      before its copy on the hop behind it; to the client the other way round
    n unlinked messages       before the n of the other side between the same links, one by one
    a Close                   after what the other side sent before its own Close, and before that Close
    frames of HTTP/2          as `labkit.render.streams` says; a GOAWAY at the end is like a Close

An effect is drawn directly after its cause; where nothing decides, the client comes first. The order
in which the events were recorded decides one thing only: which of two Close frames came first (in HTTP/2, of two
ends of a stream, too; in TLS, whose records say nothing, of all). (The
layout uses it for one more: which end came first.) A tap always records a cause before its effect.

Of several clients around one server no hop tells what was said on another, so there the recording
decides, see `labkit.render.star`.

The order is total whatever the bytes are: where causes go round in a circle, the client's earliest
message is let go. n messages take O(n log n).
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from itertools import pairwise

from labkit.dissection import Dissection, Exchange, HopView
from labkit.dissection.pairing import pairs
from labkit.render.layout import is_star, names_of
from labkit.render.messages import Kind, Message, Unit, messages, units
from labkit.render.star import in_turn
from labkit.render.streams import causes, last_words
from labkit.trace import Direction, Trace, behind
from labkit.wire.http1 import RequestHead
from labkit.wire.websocket import CLOSE, PING, PONG

__all__ = ["ordered"]

Key = tuple[int, Direction]


def ordered(dissection: Dissection) -> list[Message]:
    r"""Return every message of every hop, causes first.

    >>> from labkit.dissection import dissect
    >>> from labkit.trace import Transfer
    >>> ask = Transfer(0, Direction.TO_SERVER, b"GET / HTTP/1.1\r\n\r\n" * 2)
    >>> answer = Transfer(0, Direction.TO_CLIENT, b"HTTP/1.1 204 No Content\r\n\r\n" * 2)
    >>> [str(message.kind) for message in ordered(dissect(Trace((ask, answer))))]
    ['request', 'answer', 'request', 'answer']
    """
    if is_star(names_of(dissection.trace)):
        return in_turn(dissection)
    views = dissection.hops
    graph = _Graph()
    spans: dict[Key, tuple[int, int]] = {}
    wholes: dict[Key, list[Unit]] = {}
    for view, way in _rank(views):
        found = messages(view, way)
        spans[view.hop, way] = span = graph.add(found)
        wholes[view.hop, way] = units(view, way, found, span[0]) if _answered(view) or len(views) > 1 else []
    ids = [_exchange_ids(graph, view, spans) for view in views]
    paired = pairs(dissection)
    before = behind(dissection.trace) | {pair.far: pair.near for pair in paired}
    for view in views:
        _link_exchanges(graph, view, ids[view.hop])
        _link_seam(graph, view, ids[view.hop], spans[view.hop, Direction.TO_SERVER])
        asks, replies = wholes[view.hop, Direction.TO_SERVER], wholes[view.hop, Direction.TO_CLIENT]
        streams = _link_streams(graph, view, asks, replies)
        _link_last_words(graph, dissection.trace, view, asks, replies)
        if view.protocol.lower().startswith("tls"):
            _link_moments(graph, dissection.trace, view.hop, asks, replies)
        elif not streams:
            _link_units(graph, asks, replies)
        _link_closes(graph, dissection.trace, view.hop, asks, replies)
        if view.hop in before:
            near = before[view.hop]
            _relay(graph, wholes[near, Direction.TO_SERVER], asks, changed=not streams)
            _relay(graph, replies, wholes[near, Direction.TO_CLIENT], changed=not streams)
    for near, asked, far, went in paired:
        _link_hops(graph, ids[near][asked], ids[far][went])
        if views[near].seam and views[far].seam and went == len(ids[far]) - 1:
            _link_tunnel(graph, ids[near][asked], spans[far, Direction.TO_SERVER])
    return graph.walk()


def _answered(view: HopView) -> bool:
    """Tell whether both sides sent something after the seam; else nothing there can be linked."""
    if any(view.http2(way) for way in Direction):
        return all(view.http2(way) for way in Direction)
    return bool(view.seam) and all(len(view.data[way]) > view.seam[way] for way in Direction)


def _rank(views: tuple[HopView, ...]) -> Iterable[tuple[HopView, Direction]]:
    """Go the way of a request and back: to every server, then to every client."""
    yield from ((view, Direction.TO_SERVER) for view in views)
    yield from ((view, Direction.TO_CLIENT) for view in reversed(views))


class _Graph:
    """Messages in lines, one line per direction of a hop, and the causes between them."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._lines: list[tuple[int, int]] = []
        self._line_of: list[int] = []
        self._waits: list[int] = []
        self._effects: dict[int, list[int]] = {}

    def add(self, line: list[Message]) -> tuple[int, int]:
        """Add a line of messages; return the ids of the first and after the last."""
        start = len(self.messages)
        self.messages += line
        self._line_of += [len(self._lines)] * len(line)
        self._waits += [0] * len(line)
        self._lines.append((start, len(self.messages)))
        return self._lines[-1]

    def cause(self, cause: int, effect: int) -> None:
        """Note that `effect` follows `cause`."""
        self._effects.setdefault(cause, []).append(effect)
        self._waits[effect] += 1

    def walk(self) -> list[Message]:
        """Return all messages: effects directly after their causes, else by the rank of their lines."""
        walk = _Walk(self._lines, self._line_of, list(self._waits), self._effects)
        return [self.messages[each] for each in walk.run()]


@dataclass
class _Walk:
    """One walk over the graph. A line is owed up to the last effect whose cause has been drawn."""

    lines: list[tuple[int, int]]
    line_of: list[int]
    waits: list[int]
    effects: dict[int, list[int]]

    def run(self) -> list[int]:
        self.heads = [start for start, _ in self.lines]
        self.owed = [(-1, 0)] * len(self.lines)  # up to which id, since which step
        self.ready: list[tuple[int, int, int]] = []
        self.drawn: list[int] = []
        for line in range(len(self.lines)):
            self._offer(line)
        oldest = 0
        while True:
            while self.ready:
                _, line, each = heapq.heappop(self.ready)
                if self.heads[line] == each:
                    self._draw(line, each)
            while oldest < len(self.lines) and self.heads[oldest] == self.lines[oldest][1]:
                oldest += 1
            if oldest == len(self.lines):
                return self.drawn
            self._draw(oldest, self.heads[oldest])  # a circle of causes: let the earliest go

    def _offer(self, line: int) -> None:
        each = self.heads[line]
        if each < self.lines[line][1] and self.waits[each] <= 0:
            last, since = self.owed[line]
            heapq.heappush(self.ready, (-since if each <= last else 0, line, each))

    def _draw(self, line: int, each: int) -> None:
        self.drawn.append(each)
        self.heads[line] += 1
        for effect in self.effects.get(each, ()):
            self.waits[effect] -= 1
            other = self.line_of[effect]
            self.owed[other] = (max(effect, self.owed[other][0]), len(self.drawn))
            self._offer(other)
        self._offer(line)


@dataclass(slots=True)
class _Ids:
    """The ids of one exchange's parts; -1 where there is none."""

    ask: int = -1
    asked: int = -1
    interim: int = -1
    answer: int = -1
    replied: int = -1


def _exchange_ids(graph: _Graph, view: HopView, spans: dict[Key, tuple[int, int]]) -> list[_Ids]:
    found = [_Ids() for _ in view.exchanges]
    for way in Direction:
        for each in range(*spans[view.hop, way]):
            message = graph.messages[each]
            if message.exchange < 0:
                break  # what no exchange explains comes last
            ids = found[message.exchange]
            if way is Direction.TO_SERVER:
                ids.ask, ids.asked = each if ids.ask < 0 else ids.ask, each
            elif message.kind is Kind.INTERIM:
                ids.interim = each if ids.interim < 0 else ids.interim
            else:
                ids.answer, ids.replied = each if ids.answer < 0 else ids.answer, each
    return found


def _link_exchanges(graph: _Graph, view: HopView, ids: list[_Ids]) -> None:
    for exchange, known in zip(view.exchanges, ids, strict=True):
        for head, content in ((known.ask, known.asked), (known.answer, known.replied)):
            if 0 <= head < content:
                graph.cause(head, content)  # the line orders them; this keeps them together
        first = known.interim if known.interim >= 0 else known.answer
        if known.ask < 0 or first < 0:
            continue
        if known.interim >= 0 and known.asked != known.ask and _waits_for_100(exchange):
            graph.cause(known.ask, known.interim)
            graph.cause(known.interim, known.asked)
            first = known.answer
        if first >= 0:
            graph.cause(known.asked, first)


def _waits_for_100(exchange: Exchange) -> bool:
    value = exchange.request.value if exchange.request else None
    return isinstance(value, RequestHead) and "100-continue" in (value.fields.get("Expect") or "").lower()


def _link_seam(graph: _Graph, view: HopView, ids: list[_Ids], span: tuple[int, int]) -> None:
    """Draw what follows the switch after it; where none came, early bytes before the answer they did not await."""
    known = next((known for known in reversed(ids) if known.answer >= 0 and (view.seam or known.ask >= 0)), None)
    first = next((each for each in range(*span) if graph.messages[each].exchange < 0), None)
    if known is None or first is None:
        return
    if view.seam:
        graph.cause(known.answer, first)
    else:
        graph.cause(first, known.answer)


def _link_hops(graph: _Graph, near: _Ids, far: _Ids) -> None:
    """Draw a request of the far hop after what it was on the near one; the answers come back."""
    if near.asked >= 0 and far.ask >= 0:
        graph.cause(near.asked, far.ask)
    if far.replied >= 0 and near.answer >= 0:
        graph.cause(far.replied, near.answer)


def _link_tunnel(graph: _Graph, near: _Ids, span: tuple[int, int]) -> None:
    """Draw what a proxy that switched sends on after the answer that it gave: before that nobody spoke to it."""
    first = next((each for each in range(*span) if graph.messages[each].exchange < 0), None)
    if near.answer >= 0 and first is not None:
        graph.cause(near.answer, first)


def _matches(causes: Iterable[tuple[int, Hashable]], effects: Iterable[tuple[int, Hashable]]) -> list[tuple[int, int]]:
    """Pair every effect with the earliest cause of the same key that none before it took."""
    waiting: dict[Hashable, deque[int]] = {}
    for place, key in causes:
        waiting.setdefault(key, deque()).append(place)
    return [(waiting[key].popleft(), place) for place, key in effects if waiting.get(key)]


def _relay(graph: _Graph, causes: list[Unit], effects: list[Unit], *, changed: bool) -> None:
    """Draw what was sent on after what came; with `changed`, what is not the same too, where it is as many."""
    keys = [[(place, (unit.opcode, unit.content)) for place, unit in enumerate(side)] for side in (causes, effects)]
    links = _matches(keys[0], keys[1])
    for cause, effect in (*links, *(_abreast(causes, effects, sorted(links)) if changed else ())):
        graph.cause(causes[cause].last, effects[effect].first)


def _link_streams(graph: _Graph, view: HopView, asks: list[Unit], replies: list[Unit]) -> bool:
    """Link the frames of HTTP/2; tell whether it is spoken here."""
    up, down = view.http2(Direction.TO_SERVER), view.http2(Direction.TO_CLIENT)
    sides = {Direction.TO_SERVER: asks, Direction.TO_CLIENT: replies}
    if up and down and asks and replies:
        for (way, cause), (other, effect) in causes(up, down):
            graph.cause(sides[way][cause].last, sides[other][effect].first)
    return bool(up or down)


def _link_last_words(graph: _Graph, trace: Trace, view: HopView, asks: list[Unit], replies: list[Unit]) -> None:
    """Draw the first Close of a conversation in HTTP/2 before the other, and likewise the ends of its stream."""
    up, down = view.http2(Direction.TO_SERVER), view.http2(Direction.TO_CLIENT)
    for ask, reply in last_words(up, down) if up and down and asks and replies else ():
        mine, others = asks[ask], replies[reply]
        moments = [
            trace.moment(way, graph.messages[unit.last].end - 1, view.hop)
            for way, unit in ((Direction.TO_SERVER, mine), (Direction.TO_CLIENT, others))
        ]
        first, second = (mine, others) if moments[0] <= moments[1] else (others, mine)
        graph.cause(first.last, second.first)


def _link_moments(graph: _Graph, trace: Trace, hop: int, asks: list[Unit], replies: list[Unit]) -> None:
    """Draw what is encrypted as it was recorded: nothing else tells what came before what."""
    found = [
        (trace.moment(way, graph.messages[unit.first].end - 1, hop), unit)
        for way, units in ((Direction.TO_SERVER, asks), (Direction.TO_CLIENT, replies))
        for unit in units
    ]
    for one, other in pairwise(unit for _, unit in sorted(found, key=lambda each: each[0])):
        graph.cause(one.last, other.first)


def _link_units(graph: _Graph, asks: list[Unit], replies: list[Unit]) -> None:
    for unit in (*asks, *replies):
        if unit.last > unit.first:
            graph.cause(unit.first, unit.last)  # the line orders them; this keeps fragments together
    if not asks or not replies:
        return
    echoes = _matches(
        [(place, (unit.opcode, unit.content)) for place, unit in enumerate(asks) if unit.opcode < CLOSE],
        [(place, (unit.opcode, unit.content)) for place, unit in enumerate(replies) if unit.opcode < CLOSE],
    )
    answered = _matches(*_pings(asks, replies))
    asked = [(ask, reply) for reply, ask in _matches(*_pings(replies, asks))]
    for ask, reply in echoes + answered:
        graph.cause(asks[ask].last, replies[reply].first)
    for ask, reply in asked:
        graph.cause(replies[reply].last, asks[ask].first)
    for ask, reply in _abreast(asks, replies, sorted(echoes + answered + asked)):
        graph.cause(asks[ask].last, replies[reply].first)


Keyed = list[tuple[int, bytes]]


def _pings(askers: list[Unit], repliers: list[Unit]) -> tuple[Keyed, Keyed]:
    pings = [(place, unit.content) for place, unit in enumerate(askers) if unit.opcode == PING]
    pongs = [(place, unit.content) for place, unit in enumerate(repliers) if unit.opcode == PONG]
    return pings, pongs


def _abreast(asks: list[Unit], replies: list[Unit], links: list[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    """Pair the unlinked messages that stand, as many on either side, between two links that do not cross."""
    linked_asks, linked_replies = {ask for ask, _ in links}, {reply for _, reply in links}
    began = (0, 0)
    for ask, reply in [*links, (len(asks), len(replies))]:
        if reply < began[1]:
            continue
        ours = [each for each in range(began[0], ask) if asks[each].opcode < CLOSE and each not in linked_asks]
        theirs = [
            each for each in range(began[1], reply) if replies[each].opcode < CLOSE and each not in linked_replies
        ]
        if len(ours) == len(theirs):
            yield from zip(ours, theirs, strict=True)
        began = (ask + 1, reply + 1)


def _link_closes(graph: _Graph, trace: Trace, hop: int, asks: list[Unit], replies: list[Unit]) -> None:
    """Draw the first Close after all that the other side sent before its own, and before that one."""
    closes = [next((place for place, unit in enumerate(side) if unit.closing), -1) for side in (asks, replies)]
    if closes == [-1, -1]:
        return
    sides = {Direction.TO_SERVER: (asks, closes[0]), Direction.TO_CLIENT: (replies, closes[1])}
    ways = [way for way in Direction if sides[way][1] >= 0]
    if -1 not in closes:
        ends = [graph.messages[sides[way][0][sides[way][1]].last].end for way in ways]
        seen = [trace.moment(way, end - 1, hop) for way, end in zip(ways, ends, strict=True)]
        ways = ways if seen[0] <= seen[1] else ways[::-1]
    (mine, place), (others, reply) = sides[ways[0]], sides[ways[0].other]
    if reply >= 0:
        graph.cause(mine[place].last, others[reply].first)
    sent = reply if reply >= 0 else len(others)
    if sent > 0:
        graph.cause(others[sent - 1].last, mine[place].first)
