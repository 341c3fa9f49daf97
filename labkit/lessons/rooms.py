"""What the lesson on a chat and a feed lets speak to many: a room, one way to tell its guests, and what each heard.

Server(protocols={"websocket": Room(sends)})     what one guest says is told to all, and whoever tells it waits
heard(simulate(gathering))                       {"ana": ["one", "two"], "ben": [], "cy": ["Close 1008"]}
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from inspect import isawaitable

from labkit.dissection import dissect
from labkit.dissection.hop import HopView
from labkit.gathering import Gathering
from labkit.lessons.answers import Point
from labkit.parties.described import Server
from labkit.parties.feed import Feed
from labkit.parties.offer import Offer
from labkit.parties.stream import Message, Stream
from labkit.simulation import simulate
from labkit.trace import Direction, Trace
from labkit.wire.websocket import CLOSE, TEXT, scan

__all__ = ["Room", "choosing", "feeding", "heard", "sends", "telling"]

Tell = Callable[[Sequence[Stream], Message], Awaitable[object]]
"""Tells a line to all guests of a room."""


async def sends(guests: Sequence[Stream], line: Message) -> None:
    """Tell a line to one guest after the other, and wait for each."""
    for guest in guests:
        await guest.send(line)


class Room:
    """All guests of a room, as a handler: what one says is told to all, in the order in which they came.

    Args:
        tell: a coroutine function that tells a line to the guests.

    >>> server = Server(protocols={"websocket": Room(sends)})
    >>> heard(simulate(Gathering(["ana", "ben"], [("ana", "says", "Hi")], server)))
    {'ana': ['Hi'], 'ben': ['Hi']}
    """

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._guests: list[Stream] = []

    async def __call__(self, stream: Stream) -> None:
        """Let a guest in, and tell all what this one says."""
        self._guests.append(stream)
        try:
            async for line in stream:
                await self._tell(self._guests, line)
        finally:
            self._guests.remove(stream)


def heard(trace: Trace) -> dict[str, list[str]]:
    """Return what each client of a gathering was told: its text messages, and a Close with its code."""
    return {trace.hops[each.hop].client: list(_heard(each)) for each in dissect(trace).hops}


def _heard(view: HopView) -> Iterator[str]:
    data = view.data[Direction.TO_CLIENT]
    for one in scan(data, view.seam.get(Direction.TO_CLIENT, len(data))):
        payload = one.payload_of(data)
        if one.opcode == TEXT:
            yield payload.decode()
        elif one.opcode == CLOSE:
            yield f"Close {int.from_bytes(payload[:2], 'big')}"


# the exercises


def telling(answer: Callable[[Sequence[Stream], Message], object]) -> Iterator[Point]:
    """Yield the points of a way to tell: in a room in which ben does not read, and two messages may wait for him."""
    counted: list[object] = []

    async def count(guests: Sequence[Stream], line: Message) -> None:
        try:
            told = answer(guests, line)
            counted.append(await told if isawaitable(told) else told)
        except Exception as error:  # a learner's own code may raise anything
            counted.append(f"{type(error).__name__}: {error}")
            raise

    async def host(stream: Stream) -> None:
        stream.hold("drop newest", messages=2)
        await guests(stream)

    guests = Room(count)
    words = ["one", "two", "three"]
    script = [("ben", "stops reading"), *zip(("ana", "cy", "cy"), ("says",) * 3, words, strict=True)]
    server = Server(protocols={"websocket": host})
    told = heard(simulate(Gathering(["ana", "ben", "cy"], [*script, ("ben", "reads on")], server)))
    if any(each is ... for each in counted):
        yield Point(False, "an answer", "tell is still open: write yours in place of the dots")
        return
    stalled = "somebody waits for ben, or the line was not handed to each"
    yield Point(told["ana"] == words, f"ana hears {_all(told['ana'])}", stalled)
    yield Point(told["cy"] == words, f"cy hears {_all(told['cy'])}", stalled)
    yield Point(
        told["ben"] == words[:2], f"ben, who reads on, hears {_all(told['ben'])}", "two messages waited for him"
    )
    why = "how many took it: of the third line ben's full outbox takes none"
    yield Point(counted == [3, 3, 2], f"it returns {_all(counted)}", why)


def _all(told: Sequence[object]) -> str:
    return ", ".join(map(str, told)) or "nothing"


def choosing(answer: Sequence[object]) -> Iterator[Point]:
    """Yield the points of three policies: for a ticker, a chat and an auction."""
    if len(answer) != len(_NEEDS):
        yield Point(False, f"there are {len(_NEEDS)} answers", f"these are {len(answer)}")
        return
    for (what, why, fits), policy in zip(_NEEDS, answer, strict=True):
        told = feeding(str(policy))
        yield Point(fits(told), f"{what}, {policy}: who fell behind hears {_all(told)}", why)


_NEEDS: tuple[tuple[str, str, Callable[[tuple[str, ...]], bool]], ...] = (
    ("the ticker", "of the prices that it missed, 5 is the newest", lambda told: "5" in told),
    (
        "the chat",
        "no message may be missing before one that it hears",
        lambda told: told[-1:] == ("Close 1008",),
    ),
    ("the auction", "the earliest bid is 1", lambda told: "1" in told),
)


def feeding(when_full: str) -> tuple[str, ...]:
    """Return what a subscriber hears who does not read while five messages come, reads on, and is sent a sixth.

    Two messages wait for it.

    Raises:
        WrongUse: no policy is called so.

    >>> feeding("drop oldest")
    ('4', '5', '6')
    """
    feed = Server(protocols={"websocket": Feed(when_full, held=2, producer="/in")})
    clients = {"ana": Offer.websocket("/in"), "ben": Offer.websocket("/out")}
    five = [("ana", "says", str(number)) for number in range(1, 6)]
    script = [("ben", "stops reading"), *five, ("ben", "reads on"), ("ana", "says", "6")]
    return tuple(heard(simulate(Gathering(clients, script, feed)))["ben"])
