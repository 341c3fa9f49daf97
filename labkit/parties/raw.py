"""The bytes of any other protocol after the switch: what one read brings is a message to the handler."""

from __future__ import annotations

from collections import deque

from labkit.errors import WrongUse
from labkit.parties.conversation import MOST_UNSENT, MOST_WAITING, Conversation
from labkit.parties.party import Driver, Ending
from labkit.parties.stream import Fragments, Message

__all__ = ["Raw"]


class Raw(Conversation):
    """Bytes as they come; how they fall into messages is chance, as with any TCP stream."""

    def __init__(self, driver: Driver, close_time: float) -> None:
        super().__init__(driver, close_time)
        self._chunks: deque[bytes] = deque()
        self._writes: list[bytes] = []
        self._unsent = 0
        self._eof = False

    def receive(self, data: bytes) -> None:
        """Take bytes."""
        if self._running:
            self._chunks.append(data)
            self._waiting += len(data)
            self.wake()

    def receive_eof(self) -> None:
        """Take the other side's FIN."""
        self._eof = True
        self.wake()

    def take(self) -> Message | None:
        """Return the next bytes; None where there are none yet."""
        if not self._chunks:
            return None
        chunk = self._chunks.popleft()
        self._waiting -= len(chunk)
        return chunk

    def say(self, message: Message | Fragments) -> None:
        """Send bytes; text goes out as UTF-8."""
        parts = [message] if isinstance(message, (str, bytes)) else message
        if not all(isinstance(part, (str, bytes)) for part in parts):
            raise WrongUse("fragments are a list of text or of bytes")
        for part in parts:
            self._write(part.encode() if isinstance(part, str) else part)

    def say_bytes(self, data: bytes) -> None:
        """Send bytes: here there are no others."""
        self._write(data)

    def _write(self, data: bytes) -> None:
        self._writes.append(data)
        self._unsent += len(data)
        if self._unsent > MOST_UNSENT:
            self.blocked = True
        self.driver.wrote()

    def ping(self, data: bytes) -> None:  # noqa: ARG002
        """Refuse: only WebSocket has pings."""
        raise WrongUse("only WebSocket has pings; this stream carries plain bytes")

    def close(self, code: int | None, reason: str) -> None:  # noqa: ARG002  bytes have no room for them
        """End this direction."""
        self.hang_up()

    def hang_up(self) -> None:
        """End this direction: plain bytes have no goodbye."""
        self.ending = Ending.FIN
        self.driver.wrote()
        self.wake()

    def outgoing(self) -> bytes:
        """Return, and forget, the bytes to send."""
        writes, self._writes = self._writes, []
        self._unsent = 0
        return b"".join(writes)

    @property
    def over(self) -> bool:
        """Whether no more bytes will come."""
        return not self._chunks and (self._eof or self.shut)

    @property
    def shut(self) -> bool:
        """Whether nothing more may be sent."""
        return self.ending is not Ending.NOT_YET

    @property
    def full(self) -> bool:
        """Whether enough waits for the handler that reading should pause."""
        return self._waiting > MOST_WAITING
