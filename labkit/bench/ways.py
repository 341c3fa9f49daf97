"""The ways to talk that are compared: what each sends for a message, and what comes back for it.

    a way that takes turns    a request and its answer, one message after the other
    a way that streams        messages of both directions on one connection, nobody waits for the other

A message is always an echo: what the client sends comes back to it, and is compared.
"""

from __future__ import annotations

import itertools
import selectors
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from labkit.bench.lines import Line, Talk
from labkit.bench.sent import deflated, event_of, framed, inflated, numbers, texts
from labkit.errors import Failed
from labkit.wire.fields import Fields
from labkit.wire.http1 import RequestHead
from labkit.wire.upgrade import SAMPLE_KEY
from labkit.wire.websocket import CLOSE, SAMPLE_MASK, close_payload, frame

__all__ = ["DOING", "NO_TAKEOVER", "PATIENCE", "SWITCHING", "WAYS", "Tally", "request", "switching", "upgrade"]

PATIENCE = 20.0  # seconds
_READ = 1 << 18  # bytes
_WINDOW = 1 << 18  # bytes on their way, at most, on all lines together: enough to keep both sides busy
_MOST_ON_THE_WAY = 1 << 10  # messages, likewise
_BLOCK = 1 << 14  # bytes of small messages that leave in one write
_NAMES = itertools.count()

NO_TAKEOVER = "permessage-deflate; client_no_context_takeover; server_no_context_takeover"
"""Each message is compressed by itself: with the context of those before, eight that take turns would come for free."""


@dataclass
class Tally:
    """What a talk does, of messages of one size and `among` as many talks: until when, and what has come of it."""

    size: int
    among: int = 1
    until: float = 0.0
    most: int = 1 << 62
    messages: int = 0
    times: list[float] = field(default_factory=list)
    course: list[tuple[float, int]] | None = None

    def turns(self) -> Generator[int, None, None]:
        """Yield the number of each message, until the time is up."""
        number = 0
        while number < self.most and (time.perf_counter() < self.until or not number):
            yield number
            number += 1

    def arrived(self, messages: int) -> None:
        """Take note that so many more are back."""
        self.messages += messages
        if self.course is not None and messages:
            self.course.append((time.perf_counter(), messages))

    def came(self, began: float, found: bytes, expected: bytes) -> None:
        """Take note that a message came back."""
        self.times.append(time.perf_counter() - began)
        self.arrived(1)
        if found != expected:
            raise Failed("what came back is not what was sent")


def request(method: str, target: str, content: bytes = b"", *, close: bool = False) -> bytes:
    """Return a request with the fewest field lines that are allowed; a browser sends some hundred bytes more."""
    lines = [("Host", "server.example.com")]
    if method == "POST":
        lines.append(("Content-Length", str(len(content))))
    if close:
        lines.append(("Connection", "close"))
    return RequestHead(method, target, Fields.of(lines)).to_bytes() + content


def upgrade(way: str) -> bytes:
    """Return the offer of a way that switches."""
    protocol = "websocket" if way.startswith("websocket") else "raw"
    lines = [("Host", "server.example.com"), ("Upgrade", protocol), ("Connection", "Upgrade")]
    if protocol == "websocket":
        lines += [("Sec-WebSocket-Key", SAMPLE_KEY), ("Sec-WebSocket-Version", "13")]
    if way == "websocket-deflate":
        lines.append(("Sec-WebSocket-Extensions", NO_TAKEOVER))
    return RequestHead("GET", "/echo", Fields.of(lines)).to_bytes()


# ways that take turns


def _new_connection(port: int, tally: Tally) -> Talk:
    sent = [request("POST", "/echo", each, close=True) for each in texts(tally.size)]
    yield None
    for number in tally.turns():
        began = time.perf_counter()
        with Line(port, PATIENCE) as line:
            yield from line.send(sent[number % len(sent)])
            found = yield from line.answer()
            tally.came(began, found, texts(tally.size)[number % len(sent)])
            yield from line.to_end()
    yield None


def _keep_alive(port: int, tally: Tally) -> Talk:
    sent = [request("POST", "/echo", each) for each in texts(tally.size)]
    with Line(port, PATIENCE) as line:
        yield None
        for number in tally.turns():
            yield from _asked(line, sent, tally, number)
            line.again_if_it_closes()
        yield None


def _asked(line: Line, sent: Sequence[bytes], tally: Tally, number: int) -> Talk:
    """Send one of the requests, and take its answer."""
    began = time.perf_counter()
    yield from line.send(sent[number % len(sent)])
    found = yield from line.answer()
    tally.came(began, found, texts(tally.size)[number % len(sent)])


def _long_polling(port: int, tally: Tally) -> Talk:
    box = _box()
    sent = [request("POST", f"/send?{box}", each) for each in texts(tally.size)]
    poll = request("GET", f"/poll?{box}")
    with Line(port, PATIENCE) as there, Line(port, PATIENCE) as back:
        yield from back.send(poll)
        yield None
        for number in tally.turns():
            began = time.perf_counter()
            yield from there.send(sent[number % len(sent)])
            found = yield from back.answer()
            tally.came(began, found, texts(tally.size)[number % len(sent)])
            back.again_if_it_closes()
            yield from back.send(poll)
            yield from _acknowledged(there)
        yield None
        yield from there.send(request("POST", f"/end?{box}"))
        yield from _acknowledged(there)
        yield from back.answer()


def _server_sent_events(port: int, tally: Tally) -> Talk:
    box = _box()
    sent = [request("POST", f"/send?{box}", each) for each in texts(tally.size)]
    with Line(port, PATIENCE) as there, Line(port, PATIENCE) as back:
        yield from back.send(request("GET", f"/events?{box}"))
        head = yield from back.head()
        if b"text/event-stream" not in head:
            raise Failed(f"this is no stream of events: {head[:60]!r}")
        yield None
        for number in tally.turns():
            expected = event_of(texts(tally.size)[number % len(sent)])
            began = time.perf_counter()
            yield from there.send(sent[number % len(sent)])
            found = b""
            while len(found) < len(expected):
                found += yield from back.chunk()
            tally.came(began, found, expected)
            yield from _acknowledged(there)
        yield None
        yield from there.send(request("POST", f"/end?{box}"))
        yield from _acknowledged(there)
        while (yield from back.chunk()):
            raise Failed("there is more than was sent")


def _acknowledged(line: Line) -> Talk:
    if (yield from line.answer()):
        raise Failed("the answer to a message that was sent has content")
    line.again_if_it_closes()


def _box() -> str:
    return f"{next(_NAMES):06}"  # one length, so that every message costs the same


def _in_turn(way: str, port: int, tally: Tally) -> Talk:
    with Line(port, PATIENCE) as line:
        yield from switched(way, line)
        sent, expected = yield from _frames(way, line, tally.size)
        yield None
        for number in tally.turns():
            at = number % len(sent)
            began = time.perf_counter()
            yield from line.send(sent[at])
            found = yield from line.exactly(len(expected[at]))
            tally.came(began, found, expected[at])
        yield None
        yield from closed(way, line)


# ways that stream


def _streamed(way: str, port: int, tally: Tally) -> Talk:
    with Line(port, PATIENCE) as line:
        yield from switched(way, line)
        sent, expected = yield from _frames(way, line, tally.size)
        yield None
        yield from both_ways(line, sent, expected, tally)
        yield None
        yield from closed(way, line)


def both_ways(line: Line, sent: Sequence[bytes], expected: Sequence[bytes], tally: Tally) -> Talk:
    """Send messages until the time is up, small ones in blocks, while what comes back is compared."""
    held = 1
    if len(sent[0]) < _BLOCK and tally.most > len(sent):
        times = max(1, min(_MOST_ON_THE_WAY // tally.among // 2, _BLOCK // len(sent[0])) // len(sent))
        sent, expected, held = [b"".join(sent) * times], [b"".join(expected) * times], times * len(sent)
    window = max(1, min(_MOST_ON_THE_WAY // held, _WINDOW // len(sent[0])) // tally.among)
    out, left, answers = 0, memoryview(b""), _Compared(expected)
    while True:
        more = out < tally.most // held and (time.perf_counter() < tally.until or not out)
        if not left and more and out - answers.whole < window:
            left = memoryview(sent[out % len(sent)])
            out += 1
        if not left and answers.whole == out:
            return
        line.wants = selectors.EVENT_READ | (selectors.EVENT_WRITE if left else 0)
        yield line
        if left:
            with suppress(BlockingIOError):  # it was ready to be read alone
                left = left[line.socket.send(left) :]
        with suppress(BlockingIOError):
            tally.arrived(held * answers.take(line.socket.recv(_READ)))


class _Compared:
    """Blocks that must come back, one after the other, over and over."""

    def __init__(self, expected: Sequence[bytes]) -> None:
        self._expected = expected
        self._got = 0
        self.whole = 0

    def take(self, came: bytes) -> int:
        """Compare what came; return how many blocks are whole with it."""
        if not came:
            raise Failed("the connection was closed before all was there")
        before = self.whole
        while came:
            wanted = self._expected[self.whole % len(self._expected)]
            part = came[: len(wanted) - self._got]
            if part != wanted[self._got : self._got + len(part)]:
                raise Failed("what came back is not what was sent")
            came, self._got = came[len(part) :], self._got + len(part)
            if self._got == len(wanted):
                self.whole, self._got = self.whole + 1, 0
        return self.whole - before


def switched(way: str, line: Line) -> Talk:
    """Offer, and take the 101."""
    yield from line.send(upgrade(way))
    head = yield from line.head()
    if not head.startswith(b"HTTP/1.1 101 "):
        raise Failed(f"the answer is no switch: {head[:60]!r}")
    if way == "websocket-deflate" and b"permessage-deflate" not in head:
        raise Failed("permessage-deflate was not agreed on")


def closed(way: str, line: Line) -> Talk:
    """Say goodbye, as far as the protocol has one."""
    if way.startswith("websocket"):
        yield from line.send(frame(CLOSE, close_payload(1000), mask=SAMPLE_MASK))
        yield from line.to_end()


_LEARNT: dict[int, tuple[bytes, ...]] = {}


def _frames(way: str, line: Line, size: int) -> Generator[Line | None, None, tuple[Sequence[bytes], Sequence[bytes]]]:
    """Return what is sent, and what must come back for it."""
    if way == "raw":
        return numbers(size), numbers(size)
    if way != "websocket-deflate":
        text = way == "websocket-text"
        return framed(size, text=text, masked=True), framed(size, text=text, masked=False)
    if size not in _LEARNT:
        _LEARNT[size] = yield from _learnt(line, size)
    return deflated(size), _LEARNT[size]


def _learnt(line: Line, size: int) -> Generator[Line | None, None, tuple[bytes, ...]]:
    """Return what the server makes of each text: one message after the other is sent, inflated and compared."""
    found = []
    for sent, text in zip(deflated(size), texts(size), strict=True):
        yield from line.send(sent)
        start = yield from line.exactly(2)
        longer = {126: 2, 127: 8}.get(start[1], 0)
        start += yield from line.exactly(longer)
        payload = yield from line.exactly(int.from_bytes(start[2:]) if longer else start[1])
        if start[0] != 0xC1 or inflated(payload) != text:
            raise Failed("what came back is not what was sent")
        found.append(start + payload)
    return tuple(found)


def switching(way: str, port: int, before: Tally, after: Tally) -> Talk:
    """Talk on one connection: requests and answers, then the switch at a gate, and messages after it."""
    sent = [request("POST", "/echo", each) for each in texts(before.size)]
    with Line(port, PATIENCE) as line:
        yield None
        for number in before.turns():
            yield from _asked(line, sent, before, number)
        yield None
        yield from switched(way, line)
        yield None
        out, back = yield from _frames(way, line, after.size)
        yield from both_ways(line, out, back, after)
        yield None
        yield from closed(way, line)


# handshakes


def _handshakes(way: str, port: int, tally: Tally) -> Talk:
    """Connect, switch and close, as often as the time allows."""
    yield None
    for _ in tally.turns():
        with Line(port, PATIENCE) as line:
            yield from switched(way, line)
            tally.arrived(1)
            yield from closed(way, line)
    yield None


_Way = Callable[[int, Tally], Talk]
SWITCHING = ("websocket-text", "websocket-binary", "websocket-deflate", "raw")
"""The names of those that switch."""

_TURNS: dict[str, _Way] = {
    "new-connection": _new_connection,
    "keep-alive": _keep_alive,
    "long-polling": _long_polling,
    "server-sent-events": _server_sent_events,
    **{way: partial(_in_turn, way) for way in SWITCHING},
}

WAYS = tuple(_TURNS)
"""The names of all ways."""

DOING: dict[str, dict[str, _Way]] = {
    "turns": _TURNS,
    "stream": {**_TURNS, **{way: partial(_streamed, way) for way in SWITCHING}},
    "handshakes": {way: partial(_handshakes, way) for way in SWITCHING},
}
"""What can be done in each way: message by message, the next one when the one before has come back; as quickly as
it goes, where those that need not take turns do not; handshakes alone."""
