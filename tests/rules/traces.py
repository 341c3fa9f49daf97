"""Traces written down in a line, and the pair that shows a rule: one that keeps it and one that breaks it."""

from __future__ import annotations

from typing import NamedTuple

from labkit.trace import Direction, End, Event, Hop, How, Trace, Transfer
from labkit.wire.upgrade import SAMPLE_KEY, accept_key
from labkit.wire.websocket import CLOSE, TEXT, close_payload, frame

MASK = b"\x01\x23\x45\x67"
KEY = "x3JJHMbDL1EzLkh9GBhXDw=="  # not the RFC's own, so that a clean exchange gets no note

REQUEST = (
    "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
).encode()
ANSWER = (
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Accept: {accept_key(KEY)}\r\n\r\n"
).encode()
SAMPLE = REQUEST.replace(KEY.encode(), SAMPLE_KEY.encode())
BYE = close_payload(1000)


class Example(NamedTuple):
    """A rule shown: a trace that keeps it, one that breaks it, and a piece of what is seen in that one."""

    keeps: Trace
    breaks: Trace
    seen: str


def masked(opcode: int, payload: bytes = b"", *, mask: bytes = MASK, **options: int) -> bytes:
    """Return a client's frame."""
    return frame(opcode, payload, mask=mask, **options)  # type: ignore[arg-type]


def crossed(*turns: tuple[str, bytes], ends: str = "s c", hops: tuple[Hop, ...] = (Hop(),)) -> Trace:
    """Return a trace of turns, in the order in which they were recorded.

    A turn is who sends and what: "c" the client, "s" the server, on the first hop; "c1", "s1" on the
    second. `ends` says who closed, in order ("s c"), or broke off ("c!"); "" where the recording stops before.
    """
    events: list[Event] = [Transfer(_hop(who), _way(who), data) for who, data in turns]
    events += [End(_hop(who), _way(who), How.RESET if who.endswith("!") else How.FIN) for who in ends.split()]
    return Trace(tuple(events), hops)


def _hop(who: str) -> int:
    return int(who.strip("cs!") or 0)


def _way(who: str) -> Direction:
    return Direction.TO_SERVER if who.startswith("c") else Direction.TO_CLIENT


def head(*lines: str) -> bytes:
    """Return a head of these lines."""
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def switched(*turns: tuple[str, bytes], request: bytes = REQUEST, answer: bytes = ANSWER, ends: str = "s c") -> Trace:
    """Return a switch to WebSocket, and what is said after it; without turns, one echo and the closing handshake."""
    said = turns or (
        ("c", masked(TEXT, b"Hello")), ("s", frame(TEXT, b"Hello")),
        ("c", masked(CLOSE, BYE, mask=b"\x89\xab\xcd\xef")), ("s", frame(CLOSE, BYE)),
    )  # fmt: skip
    return crossed(("c", request), ("s", answer), *said, ends=ends)


def changed(data: bytes, old: str, new: str) -> bytes:
    """Return a head with one piece of it put in another's place; the piece is there."""
    assert old.encode("latin-1") in data
    return data.replace(old.encode("latin-1"), new.encode("latin-1"))


def without(data: bytes, name: str) -> bytes:
    """Return a head less the field lines of a name; there was one."""
    lines = data.split(b"\r\n")
    kept = [line for line in lines if not line.lower().startswith(name.lower().encode() + b":")]
    assert len(kept) < len(lines)
    return b"\r\n".join(kept)


def answered(answer: bytes, request: bytes = REQUEST) -> Trace:
    """Return one request and its answer."""
    return crossed(("c", request), ("s", answer))
