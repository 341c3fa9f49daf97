"""What is spoken after the switch: WebSocket messages, or the bytes of any other protocol."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from websockets.frames import Frame, Opcode
from websockets.protocol import State

from labkit.errors import WrongUse
from labkit.parties.core import Core, Failure
from labkit.parties.party import Ending, Host
from labkit.parties.stream import Fragments, Handler, Message, Stream
from labkit.wire.http1 import RequestHead

__all__ = ["Conversation", "Raw", "WebSocket"]

_MOST_WAITING = 1 << 18  # bytes read and not yet taken by the handler; then reading pauses
_MOST_MESSAGES = 4096


class Conversation:
    """What WebSocket and other protocols have in common: a stream, its handler, and the waiting.

    Args:
        host: the driver's clock, ways to wait and to start a coroutine.
        close_time: how long to wait for the other side's part of the closing, in seconds.
    """

    def __init__(self, host: Host, close_time: float) -> None:
        self.host = host
        self.close_time = close_time
        self.blocked = False
        self.stream: Stream | None = None
        self.ending = Ending.NOT_YET
        self.close_by: float | None = None
        self._wake_times: list[float] = []
        self._waiting = 0
        self._running = False
        self.error: BaseException | None = None

    def begin(self, handler: Handler, request: RequestHead, protocol: str, subprotocol: str | None = None) -> None:
        """Give the stream to a handler and start it."""
        self.stream = Stream(self, self.host, request, protocol, subprotocol)  # type: ignore[arg-type]
        self._running = True
        self.host.start(_run(handler, self.stream))

    def finished(self, error: BaseException | None) -> None:
        """Take note that the handler ended; an error of its own ends the conversation."""
        self._running = False
        self.error = error
        if error is not None:
            reason = f"the handler failed: {type(error).__name__}: {error}"
            self.fail(1011, reason.encode()[:120].decode("utf-8", "ignore"))
        else:
            self.ended()
        self.settle()

    def settle(self) -> None:
        """Do what only waits for the handler to be idle or gone."""

    def ended(self) -> None:
        """Close because the handler has nothing more to say."""

    def fail(self, code: int, reason: str) -> None:
        """Close because something went wrong."""

    def wake(self) -> None:
        """Wake the handler, if it waits."""
        if self.stream is not None:
            self.stream.wake()

    def wake_at(self, time: float) -> None:
        """Ask for a tick at a time."""
        self._wake_times.append(time)

    def parked(self) -> None:
        """Take note that the handler waits: what was held back for its answer may go now."""
        self.settle()

    def tick(self) -> None:
        """Wake sleepers whose time has come; give up on a closing that takes too long."""
        now = self.host.clock()
        if self._wake_times and min(self._wake_times) <= now:
            self._wake_times = [time for time in self._wake_times if time > now]
            self.wake()
        if self.close_by is not None and now >= self.close_by:
            self.close_by = None
            self.ending = Ending.FIN
            self.wake()

    @property
    def deadline(self) -> float | None:
        """When `tick` is due."""
        times = self._wake_times if self.close_by is None else [*self._wake_times, self.close_by]
        return min(times, default=None)

    def writable(self, ready: bool) -> None:  # noqa: FBT001
        """Take note whether the other side takes more."""
        self.blocked = not ready
        if ready:
            self.wake()


async def _run(handler: Handler, stream: Stream) -> None:
    await handler(stream)


class WebSocket(Conversation):
    """WebSocket messages over `Core`; control frames are answered in the order of the bytes."""

    def __init__(self, host: Host, core: Core, close_time: float) -> None:
        super().__init__(host, close_time)
        self.core = core
        self._queue: deque[Message | Frame | Failure] = deque()
        self._parts: list[Frame] = []

    def receive(self, data: bytes) -> None:
        """Take bytes; wake the handler where a message is whole."""
        core = self.core
        if core.eof_sent or core.reader.eof:
            return
        core.receive_data(data)
        self._waiting += len(data)
        self._collect()

    def receive_eof(self) -> None:
        """Take the other side's FIN."""
        if not self.core.reader.eof:
            self.core.receive_eof()
            self._collect()

    def _collect(self) -> None:
        queue = self._queue
        add = queue.append
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
        self.settle()
        if not queue:
            self._waiting = 0
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
        while queue and not isinstance(queue[0], (str, bytes)):
            self._answer(queue.popleft())  # type: ignore[arg-type]
        if queue and not self._running:  # nobody is left to take these messages
            self._queue = deque(event for event in queue if not isinstance(event, (str, bytes)))
            self.settle()

    def _answer(self, event: Frame | Failure) -> None:
        self.core.answer(event)
        self._after_close()

    def _after_close(self) -> None:
        core = self.core
        if core.eof_sent:
            self.ending = Ending.FIN
            self.close_by = None
        elif core.state is State.CLOSING and self.close_by is None:
            self.close_by = self.host.clock() + self.close_time
        self.host.wrote()
        if core.state is not State.OPEN:
            self.wake()

    def take(self) -> Message | None:
        """Return the next message; None where there is none yet."""
        queue = self._queue
        if queue and not isinstance(queue[0], (str, bytes)):
            self.settle()
            queue = self._queue
        if not queue:
            self._waiting = 0
            return None
        return queue.popleft()  # type: ignore[return-value]

    def say(self, message: Message | Fragments) -> None:
        """Send one message, in fragments where it is a list of them."""
        core = self.core
        if isinstance(message, str):
            core.send_text(message.encode())
        elif isinstance(message, bytes):
            core.send_binary(message)
        else:
            self._say_fragments(list(message))
        self.host.wrote()

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
        self.host.wrote()

    def close(self, code: int | None, reason: str) -> None:
        """Begin the closing handshake."""
        if self.core.state is State.OPEN:
            self.core.send_close(code, reason)
            self._after_close()

    def ended(self) -> None:
        """Close because the handler has nothing more to say."""
        self.settle()
        self.close(1000, "")

    def fail(self, code: int, reason: str) -> None:
        """Close because something went wrong here."""
        self.close(code, reason)

    def outgoing(self) -> bytes:
        """Return, and forget, the bytes to send."""
        writes = self.core.writes
        if not writes:
            return b""
        self.core.writes = []
        if self.core.eof_sent:
            self.ending = Ending.FIN
        return writes[0] if len(writes) == 1 else b"".join(writes)

    @property
    def over(self) -> bool:
        """Whether no more messages will come."""
        return not self._queue and (self.core.reader.eof or self.core.close_rcvd is not None or self.shut)

    @property
    def shut(self) -> bool:
        """Whether nothing more may be sent."""
        return self.core.state is not State.OPEN

    @property
    def full(self) -> bool:
        """Whether enough waits for the handler that reading should pause."""
        return self._waiting > _MOST_WAITING + self._longest or len(self._queue) > _MOST_MESSAGES

    @property
    def _longest(self) -> int:
        return self.core.max_fragment_size or 0


class Raw(Conversation):
    """The bytes of any other protocol; a message is what one read brought."""

    def __init__(self, host: Host, close_time: float) -> None:
        super().__init__(host, close_time)
        self._chunks: deque[bytes] = deque()
        self._writes: list[bytes] = []
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
            self._waiting = 0
            return None
        return self._chunks.popleft()

    def say(self, message: Message | Fragments) -> None:
        """Send bytes; text goes out as UTF-8."""
        for part in [message] if isinstance(message, (str, bytes)) else message:
            self._writes.append(part.encode() if isinstance(part, str) else part)
        self.host.wrote()

    def ping(self, data: bytes) -> None:
        """Refuse: only WebSocket has pings."""
        raise WrongUse("only WebSocket has pings; this stream carries plain bytes")

    def close(self, code: int | None, reason: str) -> None:
        """End this direction."""
        self.ending = Ending.FIN
        self.host.wrote()
        self.wake()

    def ended(self) -> None:
        """End this direction because the handler has nothing more to say."""
        self.close(None, "")

    def fail(self, code: int, reason: str) -> None:
        """End this direction because something went wrong here."""
        self.close(None, "")

    def outgoing(self) -> bytes:
        """Return, and forget, the bytes to send."""
        writes, self._writes = self._writes, []
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
        return self._waiting > _MOST_WAITING
