"""WebSocket after the opening handshake: messages to the handler, control frames answered in their place."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from websockets.exceptions import ProtocolError
from websockets.frames import Frame, Opcode
from websockets.protocol import State

from labkit.errors import WrongUse
from labkit.parties.conversation import MOST_UNSENT, MOST_WAITING, Conversation
from labkit.parties.core import Core, Failure
from labkit.parties.party import Driver, Ending
from labkit.parties.stream import Fragments, Message
from labkit.parties.whole import take_whole

__all__ = ["WebSocket"]

_MOST_MESSAGES = 4096  # read and not yet taken by the handler; beyond them reading pauses
_SLICE = 4096  # bytes of compressed frames that are read at once; they inflate to a thousand times as many at most
_UNREAD_TIME = 10.0  # seconds for the handler to take the next message that came before a Close; then all are dropped


class WebSocket(Conversation):
    """WebSocket messages over `Core`; control frames are answered in the order of the bytes.

    Args:
        driver: its clock, ways to wait and to start a coroutine.
        make: makes the core.
        close_time: how long to wait for the other side's part of the closing, in seconds.
    """

    def __init__(self, driver: Driver, make: Callable[[], Core], close_time: float) -> None:
        super().__init__(driver, close_time)
        self._make = make
        self._core: Core | None = None
        self._queue: deque[Message | Frame | Failure] = deque()
        self._parts: list[Frame] = []
        self._held = bytearray()
        self._eof = False
        self._hung_up = False

    @property
    def core(self) -> Core:
        """The core. It is made when something is first read or sent, so that a 101 has not to wait for it."""
        if self._core is None:
            self._core = self._make()
        return self._core

    # what comes in

    def receive(self, data: bytes) -> None:
        """Take bytes; wake the handler where a message is whole."""
        core = self.core
        if core.eof_sent or core.reader.eof:
            return
        if core.extensions:
            self._held += data
            self._inflate()
            return
        self._waiting += len(data)
        self._read(data)
        self._collect()

    def _read(self, data: bytes) -> None:
        """Read whole messages the short way, and by the core each frame that is none."""
        core, at, end = self.core, 0, len(data)
        while at < end:
            if core.plain:
                at = take_whole(data, at, core.message_limit, self._queue.append)
                if at == end:
                    return
            piece = data[at : at + core.due(data, at)]
            core.receive_data(piece)
            at += len(piece)
            self._gather()

    def _inflate(self) -> None:
        """Read compressed frames a slice at a time, and no further than the handler can follow."""
        core = self.core
        while self._held and not self.full:
            if not core.eof_sent:
                core.receive_data(bytes(self._held[:_SLICE]))
            del self._held[:_SLICE]
            self._waiting += sum(len(event.data) for event in core.events if isinstance(event, Frame))
            self._collect()
        if self._eof and not self._held:
            self.receive_eof()

    def receive_eof(self) -> None:
        """Take the other side's FIN."""
        if self._hung_up:
            return
        self._eof = True
        if not self._held and not self.core.reader.eof:
            self.core.receive_eof()
            self._collect()
            if self.core.state is State.CLOSED:  # its parser would hold on to it, for bytes that do not come
                self.core.parser.close()

    def _gather(self) -> None:
        """Put what the core has read behind what was read before."""
        add = self._queue.append
        for event in self.core.events_received():
            if not isinstance(event, Frame):
                add(event)  # type: ignore[arg-type]
            elif event.opcode is Opcode.TEXT and event.fin:
                add(str(event.data, "utf-8"))
            elif event.opcode is Opcode.BINARY and event.fin:
                add(bytes(event.data))
            elif event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self._fragment(event)
            elif event.opcode is not Opcode.PONG:
                add(event)

    def _collect(self) -> None:
        queue = self._queue
        self._gather()
        self.settle()
        if not queue:
            self._waiting = 0
        elif self.core.stopped and self.close_by is None:
            self.close_by = self.driver.clock() + _UNREAD_TIME
        if queue or self.over:
            self.wake()

    def _fragment(self, frame: Frame) -> None:
        self._parts.append(frame)
        if frame.fin:
            whole = b"".join(bytes(part.data) for part in self._parts)
            text = self._parts[0].opcode is Opcode.TEXT
            self._queue.append(whole.decode() if text else whole)
            self._parts = []

    def settle(self) -> None:
        """Answer the control frames and failures before which no untaken message stands."""
        queue = self._queue
        while queue:
            first = queue[0]
            if not isinstance(first, (str, bytes)):
                if isinstance(first, tuple) and self.core.close_rcvd is None:
                    self.failure = f"the conversation was broken off ({first[0]}): {first[1]}"
                self.core.answer(first)
                self._after_answer()
            elif self._running:
                return
            queue.popleft()  # a message that nobody is left to take goes too

    def _after_answer(self) -> None:
        core = self.core
        if core.eof_sent:
            self.ending = Ending.FIN
            self.close_by = None
        elif core.state is State.CLOSING and self.close_by is None:
            self.close_by = self.driver.clock() + self.close_time
        self.driver.wrote()
        if core.state is not State.OPEN:
            self.wake()

    def take(self) -> Message | None:
        """Return the next message; None where there is none yet."""
        queue = self._queue
        if queue and not isinstance(queue[0], (str, bytes)):
            self.settle()
        if not queue:
            self._waiting = 0
            if not self._held:
                return None
            self._inflate()
            return self.take()
        if self.close_by is not None and self.core.state is State.OPEN:
            self.close_by = self.driver.clock() + _UNREAD_TIME
        return queue.popleft()  # type: ignore[return-value]

    def give_up(self) -> None:
        """Drop what the handler did not take; or end this direction without the other side's Close."""
        if self.core.state is State.OPEN and self._queue:
            self._queue = deque(event for event in self._queue if not isinstance(event, (str, bytes)))
            self.settle()
        else:
            super().give_up()

    # what goes out

    def say(self, message: Message | Fragments) -> None:
        """Send one message, in fragments where it is a list of them."""
        core = self.core
        if isinstance(message, (str, bytes)):
            core.send_whole(message)
        else:
            self._say_fragments(list(message))
        if core.unsent > MOST_UNSENT:
            self.blocked = True
        self.driver.wrote()

    def _say_fragments(self, parts: Sequence[Any]) -> None:
        text = all(isinstance(part, str) for part in parts)
        if not parts or not (text or all(isinstance(part, bytes) for part in parts)):
            raise WrongUse("fragments are a list of text, or a list of bytes, and not an empty one")
        raw = [part.encode() if text else part for part in parts]
        first = self.core.send_text if text else self.core.send_binary
        first(raw[0], fin=len(raw) == 1)
        for place, part in enumerate(raw[1:], 2):
            self.core.send_continuation(part, fin=place == len(raw))

    def ping(self, data: bytes) -> None:
        """Send a Ping."""
        self.core.send_ping(data)
        self.driver.wrote()

    def close(self, code: int | None, reason: str) -> None:
        """Begin the closing handshake (RFC 6455, 7.1.2)."""
        if self.core.state is not State.OPEN:
            return
        try:
            self.core.send_close(code, reason)
        except ProtocolError as error:
            raise WrongUse(f"no Close can say {code!r} and {reason!r}: {error} (RFC 6455, 5.5, 7.4)") from None
        self.close_by = None
        self._after_answer()

    def say_bytes(self, data: bytes) -> None:
        """Send bytes that are in no frame."""
        core = self.core
        core.writes.append(data)
        core.unsent += len(data)
        if core.unsent > MOST_UNSENT:
            self.blocked = True
        self.driver.wrote()

    def hang_up(self) -> None:
        """End this direction without a Close frame; what was not taken yet is dropped."""
        self._hung_up = True
        self._queue.clear()
        self.core.send_eof()
        self.core.state = State.CLOSED
        self._after_answer()

    def outgoing(self) -> bytes:
        """Return, and forget, the bytes to send."""
        core = self._core
        if core is None or not core.writes:
            return b""
        writes = core.writes
        core.writes = []
        core.unsent = 0
        if core.eof_sent:
            self.ending = Ending.FIN
        return writes[0] if len(writes) == 1 else b"".join(writes)

    @property
    def over(self) -> bool:
        """Whether no more messages will come."""
        core = self._core
        if core is None or self._queue:
            return False
        return core.reader.eof or core.close_rcvd is not None or self.shut

    @property
    def shut(self) -> bool:
        """Whether nothing more may be sent."""
        return self._core is not None and self._core.state is not State.OPEN

    @property
    def full(self) -> bool:
        """Whether enough waits for the handler that reading should pause."""
        core = self._core
        if core is None:
            return False
        return self._waiting > MOST_WAITING + core.longest or len(self._queue) > _MOST_MESSAGES
