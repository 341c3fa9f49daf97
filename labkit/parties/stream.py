"""What a handler is given: a stream of messages, the same in memory and on sockets.

    async def shout(stream):
        async for message in stream:
            await stream.send(message.upper())

`send` waits while the other side takes no more; `post` never does, see `outbox`.

A handler is plain coroutine code. In memory it is stepped when bytes or deadlines come; on sockets it
runs as an asyncio task, where it may also await asyncio's own things.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from labkit.errors import LabError, WrongUse
from labkit.wire.http1 import RequestHead

if TYPE_CHECKING:
    from labkit.parties.outbox import Outbox
    from labkit.parties.party import Driver, Park

__all__ = ["Closed", "Handler", "Message", "Speech", "Stream", "echo", "listening"]

Message = str | bytes
Fragments = Sequence[str] | Sequence[bytes]


_TURN = 1 << 20  # bytes, or characters, that a handler takes before it lets others have their turn


class Closed(LabError):  # noqa: N818  the word says it
    """The other side ended the conversation while a handler waited for a message or wanted to send one."""


class Speech(Protocol):
    """What a stream needs of the conversation behind it."""

    def take(self) -> Message | None:
        """Return the next message; None where there is none yet."""

    def say(self, message: Message | Fragments) -> None:
        """Send one message."""

    def ping(self, data: bytes) -> None:
        """Ask for a sign of life."""

    def close(self, code: int | None, reason: str) -> None:
        """End the conversation."""

    def say_bytes(self, data: bytes) -> None:
        """Send bytes as they are."""

    def hang_up(self) -> None:
        """End the conversation without a goodbye."""

    @property
    def over(self) -> bool:
        """Whether no more messages will come."""

    @property
    def shut(self) -> bool:
        """Whether nothing more may be sent."""

    @property
    def blocked(self) -> bool:
        """Whether the other side takes no more for now."""

    def post(self, message: Message) -> bool:
        """Send one message now, or once what was written has left; tell whether it was taken."""

    @property
    def outbox(self) -> Outbox:
        """What was posted and cannot leave yet."""

    @property
    def waits(self) -> bool:
        """Whether there is something in the outbox."""

    @property
    def close_time(self) -> float:
        """How long to wait for the other side's part of the closing, in seconds."""

    def parked(self, park: Park, until: float | None) -> None:
        """Take note that the handler waits, to be woken by what happens, or at a time."""

    def unparked(self, park: Park, until: float | None) -> None:
        """Take note that it waits no longer."""


class Stream:
    """The messages of one conversation after the switch: text as `str`, bytes as `bytes`.

    Args:
        speech: the conversation.
        driver: its clock and way to wait.
        request: the head of the request that made the switch.
        protocol: what was switched to.
        subprotocol: what was agreed in Sec-WebSocket-Protocol, if anything.
    """

    def __init__(
        self, speech: Speech, driver: Driver, request: RequestHead, protocol: str, subprotocol: str | None = None
    ) -> None:
        self._speech = speech
        self._driver = driver
        self._taken = 0
        self._left = self._missed = False
        self.request = request
        self.protocol = protocol
        self.subprotocol = subprotocol

    def __repr__(self) -> str:
        return f"<Stream {self.protocol} {self.path}>"

    @property
    def path(self) -> str:
        """The request-target that was asked for."""
        return self.request.target

    @property
    def lost(self) -> bool:
        """Whether the handler wanted to hear or to say more when all was over, and had not ended it itself."""
        return self._missed and not self._left

    def clock(self) -> float:
        """Return the time in seconds, of the clock that this stream runs by; only differences count."""
        return self._driver.clock()

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> Message:
        try:
            return await self.receive()
        except Closed:
            raise StopAsyncIteration from None

    async def receive(self, timeout: float | None = None) -> Message:  # noqa: ASYNC109  asyncio's own needs a loop
        """Return the next message, waiting for it, at most `timeout` seconds where that is given.

        Raises:
            Closed: no more will come.
            TimeoutError: none came in time.
        """
        if self._taken > _TURN:
            await self._wait(self._driver.clock())  # others want their turn too
        until = None if timeout is None else self._driver.clock() + timeout
        while (message := self._speech.take()) is None:
            if self._speech.over:
                raise self._over("the other side ended the conversation")
            if until is not None and self._driver.clock() >= until:
                raise TimeoutError(f"no message came within {timeout:g} s")
            await self._wait(until)
        self._taken += len(message)
        return message

    async def send(self, message: Message | Fragments) -> None:
        """Send a message; a list or tuple of text, or of bytes, goes out in that many fragments.

        Raises:
            Closed: the conversation is over.
            WrongUse: it is neither text nor bytes.
        """
        await self._room()
        if not isinstance(message, (str, bytes, list, tuple)):
            kind = type(message).__name__
            raise WrongUse(f"a message is text, bytes or a list of fragments of one kind, not {kind}")
        self._speech.say(message)

    def post(self, message: Message) -> bool:
        """Send a message without ever waiting: for whoever speaks to many, of whom one may be slow.

        Where the other side takes no more, the message waits in a bounded outbox, which goes out by itself; `hold`
        says what happens when that is full. What is sent afterwards comes afterwards; a `send` that already waits may
        be overtaken. To be called in the thread that runs the handlers, like all else of a stream but `soon`.

        Returns:
            Whether it was taken. A conversation that is over takes none, and that is no error: others may not be.

        Raises:
            WrongUse: it is neither text nor bytes.
        """
        if not isinstance(message, (str, bytes)):
            raise WrongUse(f"what is posted is text or bytes, not {type(message).__name__}")
        return self._speech.post(message)

    def hold(self, when_full: str = "drop oldest", *, messages: int = 100, size: int = 1 << 18) -> None:
        """Say how much waits of what is posted, and what happens to one message more.

        Args:
            when_full: "drop oldest", "drop newest", or "disconnect": in WebSocket, a Close with 1008.
            messages: how many wait at the most.
            size: how many bytes they have together at the most.

        Raises:
            WrongUse: no policy is called so, or a bound is not a whole number above 0.
        """
        self._speech.outbox.hold(when_full, messages, size)

    @property
    def waiting(self) -> int:
        """How many posted messages wait."""
        return len(self._speech.outbox) if self._speech.waits else 0

    @property
    def dropped(self) -> int:
        """How many posted messages were dropped, because too many waited or the conversation ended."""
        return self._speech.outbox.dropped

    def soon(self, action: Callable[[], object]) -> None:
        """Have something done in the thread that runs this stream's handler, `post` say: may be called from any thread.

        What is given from one thread is done in the order in which it was given; in memory it is done at once.
        """
        self._driver.soon(action)

    async def emptied(self) -> None:
        """Wait until what was posted has gone out; what has not within the server's `close_time` is dropped."""
        until = self._driver.clock() + self._speech.close_time
        while self._speech.waits and not self._speech.shut and self._driver.clock() < until:
            await self._wait(until)
        if self._speech.waits:
            self._speech.outbox.clear()

    async def ping(self, data: bytes = b"") -> None:
        """Send a Ping with up to 125 bytes; the other side's Pong is in the trace (RFC 6455, 5.5.2).

        Raises:
            Closed: the conversation is over.
        """
        if len(data) > 125:
            raise WrongUse(f"a ping carries 125 bytes at the most, not {len(data)} (RFC 6455, 5.5)")
        await self._room()
        self._speech.ping(data)

    async def close(self, code: int | None = 1000, reason: str = "") -> None:
        """End the conversation; in WebSocket with a Close frame (RFC 6455, 7.1.2).

        What was posted before goes out before; where it cannot within the server's `close_time`, it is dropped.
        """
        await self.emptied()
        if not self._speech.shut:
            self._left = True
            self._speech.close(code, reason)

    async def send_bytes(self, data: bytes) -> None:
        """Send bytes as they are, in no frame: what a stray print, a second head or a broken library does.

        Raises:
            Closed: the conversation is over.
            WrongUse: it is no bytes.
        """
        if not isinstance(data, bytes):
            raise WrongUse(f"what is sent as it is, is bytes, not {type(data).__name__}")
        await self._room()
        self._speech.say_bytes(data)

    async def hang_up(self) -> None:
        """End the connection without a goodbye, as a program that is killed does; the other side sees 1006."""
        if not self._speech.shut:
            self._left = True
            self._speech.hang_up()

    async def sleep(self, seconds: float) -> None:
        """Wait, by the clock of whoever drives this party: in memory no time passes.

        Raises:
            Closed: the conversation is over, or ends in the meantime.
        """
        until = self._driver.clock() + seconds
        while not self._speech.shut:
            await self._wait(until)  # once at least, so that others get their turn
            if self._driver.clock() >= until:
                return
        raise self._over("nobody is left to sleep for: the conversation is over")

    def _over(self, why: str) -> Closed:
        self._missed = True
        return Closed(why)

    async def _room(self) -> None:
        """Wait until more can be written, and what was posted has been.

        Raises:
            Closed: the conversation is over.
        """
        while self._speech.blocked and not self._speech.shut:
            await self._wait()
        if self._speech.shut:
            raise self._over("nothing can be sent: the conversation is over")

    async def _wait(self, until: float | None = None) -> None:
        self._taken = 0
        park = self._driver.park()
        self._speech.parked(park, until)
        self._driver.rest()
        try:
            await park
        finally:
            self._speech.unparked(park, until)


Handler = Callable[[Stream], Awaitable[None]]
"""A protocol after the switch: `async def handler(stream)`."""


async def echo(stream: Stream) -> None:
    """Send every message back: what the lab's server does unless it is told otherwise."""
    async for message in stream:
        await stream.send(message)


async def listening(stream: Stream) -> None:
    """Take every message to the end, and say nothing."""
    async for _ in stream:
        pass
