"""Stored exchanges that the tests of this room draw."""

from __future__ import annotations

from itertools import pairwise

from labkit.trace import Cut, Direction, End, Hop, How, Trace, Transfer
from labkit.wire.upgrade import SAMPLE_KEY, accept_key
from labkit.wire.websocket import CLOSE, SAMPLE_MASK, TEXT, close_payload, frame

ASK, REPLY = Direction.TO_SERVER, Direction.TO_CLIENT

REQUEST = (
    b"GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nUser-Agent: labkit\r\n\r\n"
)
ANSWER = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: " + accept_key(SAMPLE_KEY).encode() + b"\r\n\r\n"
)
PLAIN = b"GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUser-Agent: labkit\r\nAccept: */*\r\n\r\n"


def asked(opcode: int, payload: bytes = b"", **options: object) -> bytes:
    return frame(opcode, payload, mask=SAMPLE_MASK, **options)


def talk(ask: bytes, reply: bytes, hop: int = 0) -> list[Transfer]:
    return [Transfer(hop, ASK, ask), Transfer(hop, REPLY, reply)]


def closed(hop: int = 0) -> list[End]:
    return [End(hop, REPLY, How.FIN), End(hop, ASK, How.FIN)]


def switched(asks: bytes = b"", replies: bytes = b"", title: str = "") -> Trace:
    """Return a switch, and what follows it in either direction."""
    return Trace((*talk(REQUEST, ANSWER), *talk(asks, replies), *closed()), title=title)


def declined(answer: bytes, request: bytes = REQUEST) -> Trace:
    return Trace((*talk(request, answer), *closed()))


def echo(*texts: bytes) -> Trace:
    """Return a switch, echoed texts, and a closing handshake that the client begins."""
    bye = close_payload(1000)
    asks = b"".join(asked(TEXT, text) for text in texts) + asked(CLOSE, bye)
    replies = b"".join(frame(TEXT, text) for text in texts) + frame(CLOSE, bye)
    return switched(asks, replies)


REQUIRED = (
    b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Type: text/plain\r\n"
    b"Content-Length: 36\r\nServer: labkit\r\n\r\nThis page speaks WebSocket and only it"
)[:-2]
BAD_KEY = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 74\r\n\r\n"
    b"Failed to open a WebSocket connection: missing Sec-WebSocket-Key header.\r\n"
)


def chain(*names: str, texts: tuple[bytes, ...] = (b"Hello",)) -> Trace:
    """Return the same switch over every hop between the parties named."""
    hops = [Hop(client, server) for client, server in pairwise(names)]
    one = echo(*texts)
    asks, replies = one.stream(ASK), one.stream(REPLY)
    events = [event for number in range(len(hops)) for event in (*talk(asks, replies, number), *closed(number))]
    return Trace(tuple(events), tuple(hops))


def relayed(names: str, *sides: tuple[bytes, bytes], request: bytes = REQUEST, answer: bytes = ANSWER) -> Trace:
    """Return the same switch on every hop between the parties named, and what followed it on each."""
    hops = [Hop(client, server) for client, server in pairwise(names.split())]
    events = [event for number in range(len(hops)) for event in talk(request, answer, number)]
    events += [event for number, side in enumerate(sides) for event in talk(*side, number)]
    events += [event for number in range(len(hops)) for event in closed(number)]
    return Trace(tuple(events), tuple(hops))


def cut(trace: Trace, length: int) -> Trace:
    return Trace((*trace.events[:-2], Cut(0, ASK, length), *trace.events[-2:]), trace.hops)
