"""The load: raw sockets, bytes built beforehand, and every byte that comes back compared.

As a process it reads orders from standard input, a JSON object a line, and answers each with a line:

    {"order": "echo", "port": 8101, "count": 20000, "size": 64}  ->  {"seconds": 0.17}

    {"order": "talk", "doing": "turns", "way": "raw", "port": 8101, "size": 64, "connections": 1, "seconds": 0.2}
        ->  {"seconds": 0.2001, "messages": 1804, "times": [0.0001, …]}

It ends with its input. No order takes longer than `PATIENCE` seconds without a byte.
"""

# ruff: noqa: T201  its output is how it is talked to

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

from labkit.bench.lines import Talk, to_the_gate
from labkit.bench.ways import DOING, PATIENCE, Tally, switching
from labkit.errors import Failed
from labkit.wire.fields import Fields
from labkit.wire.http1 import RequestHead
from labkit.wire.upgrade import SAMPLE_KEY, accept_key
from labkit.wire.websocket import CLOSE, SAMPLE_MASK, TEXT, close_payload, frame

__all__ = ["PATIENCE", "connected", "course", "echo", "handshakes", "main", "talk"]

_Answer = dict[str, object]
_AT_ONCE = 50  # handshakes under way at the same time: enough to keep a server busy
_READ = 1 << 18  # bytes

_LINES = Fields.of([
    ("Host", "server.example.com"), ("Upgrade", "websocket"), ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", SAMPLE_KEY), ("Sec-WebSocket-Version", "13"),
])  # fmt: skip
_OFFER = RequestHead("GET", "/", _LINES).to_bytes()
_ACCEPT = accept_key(SAMPLE_KEY).encode()
_CLOSE = frame(CLOSE, close_payload(1000), mask=SAMPLE_MASK)
_CLOSE_ANSWER = frame(CLOSE, close_payload(1000))


def _connect(port: int, offer: bytes = _OFFER) -> socket.socket:
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        connection.settimeout(PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.connect(("127.0.0.1", port))
        connection.sendall(offer)
    except OSError:
        connection.close()
        raise
    return connection


def connected(port: int, path: str = "/") -> socket.socket:
    """Return a connection on which the switch to WebSocket was made.

    Raises:
        Failed: it was not, or something came behind it.
    """
    connection = _connect(port, RequestHead("GET", path, _LINES).to_bytes())
    try:
        _take_switch(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _take_switch(connection: socket.socket) -> None:
    head = connection.recv(_READ)
    while b"\r\n\r\n" not in head:
        if not (more := connection.recv(_READ)):
            raise Failed("the server closed in its answer's head")
        head += more
    if not head.startswith(b"HTTP/1.1 101 ") or _ACCEPT not in head or not head.endswith(b"\r\n\r\n"):
        raise Failed(f"the answer is no switch, and nothing else: {head[:60]!r}")


def _take_close(connection: socket.socket) -> None:
    """Wait for the answer to a Close and the end behind it, as RFC 6455, 7.1.1 has it."""
    if (rest := _rest(connection)) != _CLOSE_ANSWER:
        raise Failed(f"the answer to the Close is another: {rest[:60]!r}")


def _rest(connection: socket.socket) -> bytes:
    chunks = []
    while chunk := connection.recv(_READ):
        chunks.append(chunk)
    return b"".join(chunks)


def echo(port: int, count: int, size: int = 64) -> float:
    """Send `count` different text messages of `size` bytes without waiting; return the seconds until all are back.

    Raises:
        Failed: what came back is not what was sent.
    """
    texts = [b"%0*d" % (size, number) for number in range(count)]
    sent = b"".join(frame(TEXT, text, mask=SAMPLE_MASK) for text in texts)
    expected = b"".join(frame(TEXT, text) for text in texts)
    chunks: list[bytes] = []
    left = len(expected)
    with _connect(port) as connection:
        _take_switch(connection)
        sender = threading.Thread(target=connection.sendall, args=(sent,), daemon=True)
        began = time.perf_counter()
        sender.start()
        while left > 0 and (chunk := connection.recv(_READ)):
            chunks.append(chunk)
            left -= len(chunk)
        seconds = time.perf_counter() - began
        sender.join(PATIENCE)
        if b"".join(chunks) != expected:
            raise Failed("what came back is not what was sent")
        connection.sendall(_CLOSE)
        _take_close(connection)
    return seconds


def handshakes(port: int, count: int) -> float:
    """Connect and switch `count` times, many at the same time; return the seconds that took.

    Blocking calls in waves: a wave connects, then takes its switches; that costs the load less than
    threads or a selector would, and the server always has some to do. Each wave is then closed, as
    RFC 6455 has it, off the clock.

    Raises:
        Failed: an answer is not what a handshake or a closing should get.
    """
    seconds = 0.0
    for done in range(0, count, _AT_ONCE):
        with ExitStack() as stack:
            began = time.perf_counter()
            wave = [stack.enter_context(_connect(port)) for _ in range(min(_AT_ONCE, count - done))]
            for connection in wave:
                _take_switch(connection)
            seconds += time.perf_counter() - began
            for connection in wave:
                connection.sendall(_CLOSE)
            for connection in wave:
                _take_close(connection)
    return seconds


def talk(
    doing: str, way: str, port: int, *, size: int, connections: int, seconds: float, most: int = 1 << 62
) -> _Answer:
    """Talk on so many connections at once for so many seconds, and until what is on its way has come.

    Connecting, switching and closing are off the clock where they are no part of the way.

    Args:
        doing: one of `DOING`.
        way: one of `WAYS`.
        port: where the server is.
        size: bytes of a message.
        connections: how many talk at once.
        seconds: how long no more is begun after.
        most: messages of each, at most.

    Returns:
        The seconds, the messages, and of those that took turns how long each took, in seconds.
    """
    tallies = [Tally(size, connections, most=most) for _ in range(connections)]
    talks = [DOING[doing][way](port, tally) for tally in tallies]
    try:
        to_the_gate(talks, PATIENCE)
        for tally in tallies:
            tally.until = time.perf_counter() + seconds
        took = to_the_gate(talks, PATIENCE)
        to_the_gate(talks, PATIENCE)
    finally:
        _end(talks)
    times = [each for tally in tallies for each in tally.times] if doing == "turns" else []
    return {"seconds": took, "messages": sum(tally.messages for tally in tallies), "times": times}


def course(way: str, port: int, size: int, seconds: float) -> _Answer:
    """Talk on one connection for so many seconds in requests, and for as many after the switch to a way.

    Returns:
        The moments at which messages came back, in seconds from the 101, and how many each time.
    """
    before, after = Tally(size, course=[]), Tally(size, course=[])
    talks = [switching(way, port, before, after)]
    try:
        to_the_gate(talks, PATIENCE)
        before.until = time.perf_counter() + seconds
        to_the_gate(talks, PATIENCE)
        to_the_gate(talks, PATIENCE)
        switch = time.perf_counter()
        after.until = switch + seconds
        to_the_gate(talks, PATIENCE)
        to_the_gate(talks, PATIENCE)
    finally:
        _end(talks)
    return {"course": [(at - switch, messages) for each in (before, after) for at, messages in each.course or ()]}


def _end(talks: list[Talk]) -> None:
    """Close what talks still hold open, one that failed say."""
    for each in talks:
        each.close()


_ORDERS: dict[str, Callable[..., float | _Answer]] = {
    "echo": echo, "handshakes": handshakes, "talk": talk, "course": course,
}  # fmt: skip


def main() -> None:
    """Carry out orders until the input ends."""
    for line in sys.stdin:
        order = json.loads(line)
        try:
            found = _ORDERS[order.pop("order")](**order)
            answer: object = found if isinstance(found, dict) else {"seconds": found}
        except (OSError, Failed) as error:
            answer = {"problem": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
