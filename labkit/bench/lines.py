"""Connections that never block, and the talks on them: one thread carries as many as are asked for.

A talk is a generator. It yields the line that it waits for, and goes on when that line is ready; `None` is a gate,
at which it waits for all others.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Generator, Iterable
from typing import Self

from labkit.errors import Failed

__all__ = ["Line", "Talk", "to_the_gate"]

_READ = 1 << 18  # bytes
_HEAD_END = b"\r\n\r\n"


class Line:
    """One connection to a port of this machine."""

    def __init__(self, port: int, patience: float) -> None:
        self._port = port
        self._patience = patience
        self.wants = selectors.EVENT_READ
        self.buffer = bytearray()
        self.closes = False
        self._connect()

    def _connect(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self._port), self._patience)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)

    def again_if_it_closes(self) -> None:
        """Connect anew where the other side said that it closes."""
        if not self.closes:
            return
        self.close()
        self.buffer.clear()
        self.closes = False
        self._connect()

    def close(self) -> None:
        """Close it."""
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, data: bytes) -> Talk:
        """Send all of it."""
        sent = self.socket.send(data)
        while sent < len(data):
            self.wants = selectors.EVENT_WRITE
            yield self
            sent += self.socket.send(memoryview(data)[sent:])

    def fill(self) -> Talk:
        """Wait for more bytes.

        Raises:
            Failed: the other side closed.
        """
        self.wants = selectors.EVENT_READ
        yield self
        if not (data := self.socket.recv(_READ)):
            raise Failed("the connection was closed before all was there")
        self.buffer += data

    def exactly(self, count: int) -> Generator[Line | None, None, bytes]:
        """Return the next `count` bytes."""
        while len(self.buffer) < count:
            yield from self.fill()
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        return taken

    def head(self) -> Generator[Line | None, None, bytes]:
        """Return the head of an answer, with its blank line; an interim one but 101 is passed over."""
        while True:
            while (end := self.buffer.find(_HEAD_END)) < 0:
                yield from self.fill()
            head = yield from self.exactly(end + len(_HEAD_END))
            if head[9:10] != b"1" or head[9:12] == b"101":
                return head

    def answer(self) -> Generator[Line | None, None, bytes]:
        """Return the content of an answer.

        Raises:
            Failed: it is none of a success.
        """
        head = yield from self.head()
        if head[9:10] != b"2":
            raise Failed(f"the answer is no success: {head[:60]!r}")
        lines = head.lower()
        self.closes = b"\r\nconnection: close" in lines
        if b"\r\ntransfer-encoding: chunked" in lines:
            return (yield from self._chunks())
        _, _, rest = lines.partition(b"\r\ncontent-length:")
        return (yield from self.exactly(int(rest.partition(b"\r\n")[0] or 0)))

    def _chunks(self) -> Generator[Line | None, None, bytes]:
        pieces = []
        while piece := (yield from self.chunk()):
            pieces.append(piece)
        return b"".join(pieces)

    def chunk(self) -> Generator[Line | None, None, bytes]:
        """Return the data of the next chunk; the last one has none (RFC 9112, 7.1)."""
        while (end := self.buffer.find(b"\r\n")) < 0:
            yield from self.fill()
        size = int(bytes(self.buffer[:end]).partition(b";")[0], 16)
        del self.buffer[: end + 2]
        data = yield from self.exactly(size + 2)
        return data[:size]

    def to_end(self) -> Talk:
        """Read until the other side closes; what comes is dropped."""
        while True:
            self.wants = selectors.EVENT_READ
            yield self
            if not self.socket.recv(_READ):
                return


Talk = Generator[Line | None, None, None]


def to_the_gate(talks: Iterable[Talk], patience: float) -> float:
    """Carry talks until each has come to its next gate, or to its end; return the seconds that took.

    Raises:
        Failed: nothing happened for `patience` seconds.
    """
    began = time.perf_counter()
    with selectors.DefaultSelector() as selector:
        waiting: dict[int, tuple[Talk, Line]] = {}
        for talk in talks:
            _go_on(selector, waiting, talk, None)
        while waiting:
            if not (ready := selector.select(patience)):
                raise Failed(f"nothing came for {patience:g} s")
            for key, _ in ready:
                _go_on(selector, waiting, *waiting.pop(key.fd))
    return time.perf_counter() - began


def _go_on(
    selector: selectors.BaseSelector, waiting: dict[int, tuple[Talk, Line]], talk: Talk, before: Line | None
) -> None:
    """Let a talk go on, and wait for what it waits for next."""
    held = None if before is None else (before.socket, before.wants)
    line = next(talk, None)
    wanted = None if line is None else (line.socket, line.wants)
    if held is not None and held != wanted:  # also one that was closed meanwhile: its number may be another's now
        selector.unregister(held[0])
    if line is not None:
        if held != wanted:
            selector.register(line.socket, line.wants)
        waiting[line.socket.fileno()] = (talk, line)
