"""The load of a feed: one producer at a steady rate, and many subscribers that read all they get.

    python -m labkit.bench.listening PORT SUBSCRIBERS COUNT  ->  {"seconds": 10.0, "lost": 0, "delays": [1.2, …]}

Both ends are in one process and one thread, so that one clock tells both; the delays, in milliseconds, are from the
producer's write to the subscriber's read, which is behind those of other subscribers in this one thread. A message
is its number and its time, in a frame of a fixed size.
"""

# ruff: noqa: T201  its output is how it is talked to

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from contextlib import ExitStack

from labkit.bench.load import connected
from labkit.errors import Failed
from labkit.wire.websocket import CLOSE, SAMPLE_MASK, TEXT, close_payload, frame

__all__ = ["listened", "main"]

_RATE = 50.0  # messages a second
_SIZE = 64  # bytes of a message
_START = frame(TEXT, bytes(_SIZE))[:2]
_FRAME = _SIZE + len(_START)
_READ = 1 << 18  # bytes
_LAST_WAIT = 2.0  # seconds without a byte after the last message; then what has not come is lost


def listened(port: int, subscribers: int, count: int) -> dict[str, object]:
    """Publish `count` messages to so many subscribers; return the seconds, how many were lost, and all delays.

    Raises:
        Failed: what came is not what was published.
    """
    with ExitStack() as stack:
        heard = _Heard(stack.enter_context(selectors.DefaultSelector()))
        for _ in range(subscribers):
            heard.listen(stack.enter_context(connected(port)))
        producer = stack.enter_context(connected(port, "/publish"))
        began = time.perf_counter()
        for number in range(count):
            heard.until(began + number / _RATE)
            stamp = b"%020d %020d" % (number, time.perf_counter_ns())
            producer.sendall(frame(TEXT, stamp.ljust(_SIZE), mask=SAMPLE_MASK))
        heard.rest(count * subscribers)
        seconds = time.perf_counter() - began
        for each in (producer, *heard.connections):
            each.sendall(frame(CLOSE, close_payload(1000), mask=SAMPLE_MASK))
    return {"seconds": seconds, "lost": count * subscribers - len(heard.delays), "delays": heard.delays}


class _Heard:
    """What the subscribers have heard."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector
        self.connections: list[socket.socket] = []
        self.delays: list[float] = []
        self._rest: list[bytes] = []
        self._last: list[int] = []

    def listen(self, connection: socket.socket) -> None:
        """Take one subscriber more."""
        self._selector.register(connection, selectors.EVENT_READ, len(self.connections))
        self.connections.append(connection)
        self._rest.append(b"")
        self._last.append(-1)

    def until(self, due: float) -> None:
        """Hear what comes until a time."""
        while (left := due - time.perf_counter()) > 0:
            self._hear(left)

    def rest(self, everything: int) -> None:
        """Hear what is still to come, up to so many messages in all."""
        while len(self.delays) < everything and self._hear(_LAST_WAIT):
            pass

    def _hear(self, seconds: float) -> bool:
        ready = self._selector.select(seconds)
        for key, _ in ready:
            who = key.data
            self._take(who, self.connections[who].recv(_READ))
        return bool(ready)

    def _take(self, who: int, data: bytes) -> None:
        now = time.perf_counter_ns()
        if not data:
            raise Failed(f"subscriber {who} was disconnected")
        data = self._rest[who] + data
        whole = len(data) // _FRAME * _FRAME
        for at in range(0, whole, _FRAME):
            number, stamp = _read(data[at : at + _FRAME])
            if number <= self._last[who]:
                raise Failed(f"message {number} came after {self._last[who]}")
            self._last[who] = number
            self.delays.append((now - stamp) / 1e6)
        self._rest[who] = data[whole:]


def _read(raw: bytes) -> tuple[int, int]:
    """Return the number and the time of a message."""
    parts = raw[2:].split()
    if not raw.startswith(_START) or len(parts) != 2 or not all(part.isdigit() for part in parts):
        raise Failed(f"what came is no message: {raw[:8]!r}")
    return int(parts[0]), int(parts[1])


def main() -> None:
    """Do it once, and say how it was."""
    try:
        answer = listened(*map(int, sys.argv[1:]))
    except (OSError, Failed) as error:
        answer = {"problem": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
