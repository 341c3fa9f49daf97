"""What is spoken after the switch: a stream for the handler, and the waiting that every handler does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from traceback import format_exception_only
from typing import Protocol, TypeVar

from labkit.parties.answer import check_utf8
from labkit.parties.outbox import FELL_BEHIND, Outbox
from labkit.parties.party import Driver, Ending, Park
from labkit.parties.stream import Closed, Fragments, Handler, Message, Stream
from labkit.wire.http1 import RequestHead

__all__ = ["MOST_UNSENT", "MOST_WAITING", "After", "Conversation", "Speaker", "Waiting", "follow", "told"]

MOST_WAITING = 1 << 18
"""Bytes read and not yet taken by the handler; beyond them reading pauses."""

MOST_UNSENT = 1 << 18
"""Bytes written by a handler in one go; beyond them it waits until they have left."""


def told(error: BaseException) -> str:
    """Return an error in one line, whatever its own text does.

    >>> told(ZeroDivisionError("division by zero"))
    'ZeroDivisionError: division by zero'
    """
    return format_exception_only(error)[-1].strip()


class Waiting:
    """How a handler waits: for what comes, for a time, and until the other side takes more.

    Args:
        driver: its clock, and way to wait.
    """

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.blocked = False
        self._choked = False
        self._parks: list[Park] = []
        self._wake_times: list[float] = []

    def wake(self) -> None:
        """Wake whoever waits; they look for themselves whether it was for them."""
        parks, self._parks = self._parks, []
        for park in parks:
            if not park.done():
                park.set_result(None)

    def parked(self, park: Park, until: float | None) -> None:
        """Take note that the handler waits, to be woken by what happens, or at a time."""
        self._parks.append(park)
        if until is not None:
            self._wake_times.append(until)

    def unparked(self, park: Park, until: float | None) -> None:
        """Take note that it waits no longer."""
        if park in self._parks:  # cancelled, by a timeout say: nobody waits here any more
            self._parks.remove(park)
        if until is not None and until in self._wake_times:
            self._wake_times.remove(until)

    def tick(self) -> None:
        """Wake sleepers whose time has come."""
        now = self.driver.clock()
        if self._wake_times and min(self._wake_times) <= now:
            self._wake_times = [time for time in self._wake_times if time > now]
            self.wake()

    @property
    def deadline(self) -> float | None:
        """When `tick` is due."""
        return min(self._wake_times, default=None)

    def writable(self, ready: bool) -> None:  # noqa: FBT001
        """Take note whether the other side takes more."""
        self._choked = not ready
        if ready:
            self.drained()
        else:
            self.blocked = True

    def drained(self) -> None:
        """Take note that what was written has left."""
        if self.blocked and not self._choked:
            self.blocked = False
            self.wake()


class Conversation(Waiting, ABC):
    """What WebSocket and other protocols have in common: a stream, its handler, and the waiting.

    Args:
        driver: its clock, ways to wait and to start a coroutine.
        close_time: how long to wait for the other side's part of the closing, in seconds.
    """

    def __init__(self, driver: Driver, close_time: float) -> None:
        super().__init__(driver)
        self.close_time = close_time
        self.ending = Ending.NOT_YET
        self.close_by: float | None = None
        self._waiting = 0
        self._running = False
        self._outbox: Outbox | None = None
        self.failure = ""
        """Why the conversation was broken off, in a few words; empty where it was not."""

    def begin(self, handler: Handler, request: RequestHead, protocol: str, subprotocol: str | None = None) -> None:
        """Give the stream to a handler and start it."""
        stream = Stream(self, self.driver, request, protocol, subprotocol)
        self._running = True
        self.driver.start(follow(_emptied(handler), stream))

    def finished(self, error: BaseException | None) -> None:
        """Take note that the handler ended; an error of its own ends the conversation."""
        self._running = False
        if error is not None:
            reason = f"the handler failed: {told(error)}"
            self.close(1011, reason.encode("utf-8", "replace")[:120].decode("utf-8", "ignore"))
            if self._outbox:
                self._outbox.clear()
        else:
            self.settle()
            self.close(1000, "")
        self.settle()

    @abstractmethod
    def receive(self, data: bytes) -> None:
        """Take bytes from the other side."""

    @abstractmethod
    def receive_eof(self) -> None:
        """Take the other side's FIN."""

    @abstractmethod
    def take(self) -> Message | None:
        """Return the next message; None where there is none yet."""

    @abstractmethod
    def say(self, message: Message | Fragments) -> None:
        """Send one message."""

    @abstractmethod
    def ping(self, data: bytes) -> None:
        """Ask for a sign of life."""

    @abstractmethod
    def close(self, code: int | None, reason: str) -> None:
        """End the conversation; nothing happens where it has ended."""

    @abstractmethod
    def say_bytes(self, data: bytes) -> None:
        """Send bytes as they are."""

    @abstractmethod
    def hang_up(self) -> None:
        """End this direction without a goodbye, behind what was written."""

    @abstractmethod
    def outgoing(self) -> bytes:
        """Return, and forget, the bytes to send."""

    @property
    @abstractmethod
    def over(self) -> bool:
        """Whether no more messages will come."""

    @property
    @abstractmethod
    def shut(self) -> bool:
        """Whether nothing more may be sent."""

    @property
    @abstractmethod
    def full(self) -> bool:
        """Whether enough waits for the handler that reading should pause."""

    def settle(self) -> None:
        """Do what only waits for the handler to be idle or gone."""

    def give_up(self) -> None:
        """End this direction: the other side did not do its part of the closing in time."""
        self.ending = Ending.FIN
        self.wake()

    def parked(self, park: Park, until: float | None) -> None:
        """Take note that the handler waits; what was held back for its answer may go now."""
        super().parked(park, until)
        self.settle()

    def tick(self) -> None:
        """Wake sleepers whose time has come; give up on a closing that takes too long."""
        super().tick()
        if self.close_by is not None and self.driver.clock() >= self.close_by:
            self.close_by = None
            self.give_up()

    @property
    def deadline(self) -> float | None:
        """When `tick` is due."""
        if not self._wake_times:
            return self.close_by
        times = self._wake_times if self.close_by is None else [*self._wake_times, self.close_by]
        return min(times, default=None)

    @property
    def outbox(self) -> Outbox:
        """What was posted and cannot leave yet. It is made when it is first needed: most never need one."""
        if self._outbox is None:
            self._outbox = Outbox()
        return self._outbox

    @property
    def waits(self) -> bool:
        """Whether there is something in the outbox; then `blocked` is set, too."""
        return bool(self._outbox)

    def post(self, message: Message) -> bool:
        """Send one message now, or once what was written has left; tell whether it was taken."""
        if self.shut:
            return False
        try:
            if not self.blocked:
                self.say(message)
                return True
            size = len(message.encode() if isinstance(message, str) else message)
        except UnicodeEncodeError:
            check_utf8("a message", str(message))  # says which character it is
            raise
        taken = self.outbox.add(message, size)
        if not taken and self.outbox.disconnects:
            self._leave_behind()
        return taken

    def _leave_behind(self) -> None:
        """End the conversation with whoever fell too far behind; the Close follows what was written."""
        waited = f"{len(self.outbox)} messages ({self.outbox.size} bytes) waited for you"
        self.outbox.clear()
        self.failure = f"the other side fell behind, and was disconnected: {waited}"
        self.close(FELL_BEHIND, f"you fell behind: {waited}")

    def drained(self) -> None:
        """Take note that what was written has left."""
        if self.blocked and not self._choked:
            self.blocked = False
            if self._outbox:
                self._empty(self._outbox)
            if not self.blocked:
                self.wake()

    def _empty(self, outbox: Outbox) -> None:
        """Write what waits in the outbox, until it is too much again."""
        if self.shut:
            outbox.clear()
        while outbox and not self.blocked:
            self.say(outbox.take())


class After(Protocol):
    """What a party asks of what comes after HTTP/1.1: of a conversation, or of the many of an HTTP/2 connection."""

    ending: Ending

    @property
    def failure(self) -> str:
        """Why it was broken off, in a few words; empty where it was not."""

    def receive(self, data: bytes) -> None:
        """Take bytes from the other side."""

    def receive_eof(self) -> None:
        """Take the other side's FIN."""

    def finished(self, error: BaseException | None) -> None:
        """Take note that the handler ended."""

    def close(self, code: int | None, reason: str) -> None:
        """Say goodbye."""

    def outgoing(self) -> bytes:
        """Return, and forget, the bytes to send."""

    def tick(self) -> None:
        """Do what is due."""

    @property
    def deadline(self) -> float | None:
        """When `tick` is due."""

    @property
    def full(self) -> bool:
        """Whether enough waits for the handler that reading should pause."""

    def writable(self, ready: bool) -> None:  # noqa: FBT001
        """Take note whether the other side takes more."""

    def drained(self) -> None:
        """Take note that what was written has left."""


class Speaker:
    """A party as far as its conversation goes: until the switch there is none, and nothing to hold back."""

    _after: After | None = None

    @property
    def full(self) -> bool:
        """Whether no more bytes should be read for now."""
        return self._after is not None and self._after.full

    def gone(self) -> None:
        """Do nothing: for this party the end of the other side is enough."""

    def writable(self, ready: bool) -> None:  # noqa: FBT001
        """Take note whether the other side takes more."""
        if self._after is not None:
            self._after.writable(ready)

    def drained(self) -> None:
        """Take note that what was written has left."""
        if self._after is not None:
            self._after.drained()


def _emptied(handler: Handler) -> Handler:
    """Return a handler that ends only when all that it posted has left."""

    async def to_the_end(stream: Stream) -> None:
        await handler(stream)
        await stream.emptied()

    return to_the_end


_Given = TypeVar("_Given")


async def follow(handler: Callable[[_Given], Awaitable[None]], given: _Given) -> None:
    """Give a handler what it is for, and follow it to its end; the other side may go away meanwhile."""
    try:
        await handler(given)
    except Closed:
        return  # the other side went away, as it may
    except (SystemExit, KeyboardInterrupt) as error:  # asyncio would end its loop, and every other connection
        raise RuntimeError(f"the handler raised {type(error).__name__}") from error
