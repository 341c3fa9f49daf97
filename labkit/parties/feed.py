r"""A live feed after the switch: what is published goes to every subscriber, and none of them waits for another.

    feed = Feed()
    with UpgradeServer(protocols={"websocket": feed}) as server:
        feed.publish("17.2 °C")

Who reads too slowly falls behind: then messages wait in an outbox of its own, and when that is full, its policy decides
(see `outbox`). A feed never slows its producer down, and the slow subscriber never slows the others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from labkit.errors import WrongUse
from labkit.parties.answer import check_utf8
from labkit.parties.outbox import Outbox
from labkit.parties.stream import Message, Stream
from labkit.wire.uri import path_and_query

__all__ = ["Feed", "Subscriber"]

_MOST_GIVEN = 1000  # messages of other threads that wait for the server's
_TURN = 1 << 16  # bytes, or characters, spread before the connections may write them


class Subscriber(NamedTuple):
    """One subscriber, as it is now: of so many messages that were for it, so many wait, and so many are lost to it.

    >>> Subscriber(1, "/", posted=10, waiting=2, dropped=3).sent
    5
    """

    number: int
    path: str
    posted: int
    waiting: int
    dropped: int

    @property
    def sent(self) -> int:
        """How many were written to its connection."""
        return self.posted - self.waiting - self.dropped


class Feed:
    r"""A live feed, as a handler: give one to a server, and whoever connects is a subscriber.

    One feed is for one server. What subscribers say is read, and is for nobody.

    Args:
        when_full: what happens to a subscriber that falls behind: "drop oldest", so that it sees what is new,
            "drop newest", or "disconnect", with a Close of 1008; see `Stream.hold`.
        held: messages that wait for one subscriber before that.
        size: how many bytes they have together at the most.
        producer: a path at which one stream at a time may publish: each of its messages goes to every subscriber.
            None unless told: whoever can connect can say what such a feed says.
        heartbeat: seconds between two signs of life, for whoever stands between, and for the server's `idle_time`.
        beat: the message that is one; a Ping unless told (RFC 6455, 5.5.2).
        most: subscribers at once; the next one gets a Close with 1013, try again later.

    Raises:
        WrongUse: a bound that is not a number above 0, a policy that nobody knows, or a beat that is no message.

    >>> import labkit
    >>> async def listen(stream):
    ...     print([await stream.receive() for _ in "ab"])
    >>> feed = Feed(beat="still here", heartbeat=5)
    >>> lab = labkit.Scenario(labkit.Offer.websocket(), say=listen, server=labkit.Server(protocols={"websocket": feed}))
    >>> _ = labkit.simulate(lab)
    ['still here', 'still here']
    """

    def __init__(
        self,
        when_full: str = "drop oldest",
        *,
        held: int = 100,
        size: int = 1 << 18,
        producer: str | None = None,
        heartbeat: float = 20.0,
        beat: Message | None = None,
        most: int = 1000,
    ) -> None:
        Outbox(when_full, held, size)  # the same bounds
        for name, value in {"heartbeat": heartbeat, "most": most}.items():
            if type(value) not in (int, float) or not value > 0:
                raise WrongUse(f"{name} must be a number above 0, not {value!r}")
        if beat is not None:
            _check(beat)
        self.when_full, self.held, self.size, self.producer = when_full, held, size, producer
        self.heartbeat, self.beat, self.most = heartbeat, beat, most
        self.published = 0
        """Messages that were published while somebody was there."""
        self._lost = 0
        self._here: dict[Stream, tuple[int, int]] = {}  # each with its number, and how many were published without it
        self._numbers = 0
        self._producing = False
        self._given: deque[Message] = deque()
        self._called = False
        self._soon: Callable[[Callable[[], object]], None] | None = None

    async def __call__(self, stream: Stream) -> None:
        """Let a subscriber hear what is published, or the producer say it."""
        if self.producer is not None and path_and_query(stream.path)[0] == self.producer:
            await self._take(stream)
        elif len(self._here) >= self.most:
            await stream.close(1013, f"there are {self.most} subscribers; try again later")
        else:
            await self._give(stream)

    # publishing

    def publish(self, message: Message) -> bool:
        """Say a message to every subscriber, without waiting; may be called from any thread.

        It is handed over to the thread of the server, in order. In memory it is said at once.

        Returns:
            Whether it is on its way: not where nobody is there, nor where 1,000 messages wait for that thread already.

        Raises:
            WrongUse: it is neither text nor bytes.
        """
        _check(message)
        soon = self._soon
        if soon is None or len(self._given) >= _MOST_GIVEN:
            return False
        self._given.append(message)
        if not self._called:  # set back before `_given` is looked at, so that none is left there
            self._called = True
            soon(self._spread_given)
        return True

    def _spread_given(self) -> None:
        """Say what other threads gave, a turn of it; then the connections write, and it goes on."""
        self._called = False
        said = 0
        while self._given:
            if said > _TURN and self._soon is not None:
                self._called = True
                self._soon(self._spread_given)
                return
            message = self._given.popleft()
            said += len(message)
            self._spread(message)

    def _spread(self, message: Message) -> None:
        self.published += bool(self._here)
        for stream in self._here:
            stream.post(message)

    async def _take(self, stream: Stream) -> None:
        """Say what the producer says."""
        if self._producing:
            await stream.close(1013, "somebody publishes here already; try again later")
            return
        self._producing = True
        said = 0
        try:
            async for message in stream:
                self._spread(message)
                said += len(message)
                if said > _TURN:
                    said = 0
                    await stream.sleep(0)  # the connections write
        finally:
            self._producing = False

    # subscribing

    @property
    def subscribers(self) -> tuple[Subscriber, ...]:
        """Who is there now, in the order in which they came."""
        return tuple(
            Subscriber(number, stream.path, self.published - before, stream.waiting, stream.dropped)
            for stream, (number, before) in tuple(self._here.items())
        )

    @property
    def dropped(self) -> int:
        """How many messages subscribers missed, those who have left among them."""
        return self._lost + sum(each.dropped for each in self.subscribers)

    async def _give(self, stream: Stream) -> None:
        stream.hold(self.when_full, messages=self.held, size=self.size)
        if not self._here:
            self._given.clear()
            self._called = False
        self._numbers += 1
        self._here[stream] = (self._numbers, self.published)
        self._soon = self._soon or stream.soon
        try:
            await self._keep(stream)
        finally:
            del self._here[stream]
            self._lost += stream.dropped
            self._soon = next((each.soon for each in self._here), None)

    async def _keep(self, stream: Stream) -> None:
        """Give signs of life until the subscriber goes."""
        due = stream.clock() + self.heartbeat
        while True:
            try:
                await stream.receive(max(0.0, due - stream.clock()))
            except TimeoutError:
                due = stream.clock() + self.heartbeat
                if self.beat is None:
                    await stream.ping()
                else:
                    stream.post(self.beat)
                    number, before = self._here[stream]
                    self._here[stream] = (number, before - 1)


def _check(message: object) -> None:
    if not isinstance(message, (str, bytes)):
        raise WrongUse(f"what is published is text or bytes, not {type(message).__name__}")
    if isinstance(message, str):
        check_utf8("what is published", message)
