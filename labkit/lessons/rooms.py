"""What the lesson on a chat and a feed lets speak to many: a room, one way to tell its guests, and what each heard.

Server(protocols={"websocket": room(sends)})     what one guest says is told to all, and whoever tells it waits
heard(simulate(gathering))                       {"ana": ["one", "two"], "ben": [], "cy": ["Close 1008"]}
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from inspect import isawaitable
from typing import Any

from labkit.dissection import dissect
from labkit.dissection.hop import HopView
from labkit.gathering import Gathering
from labkit.lessons.answers import Point
from labkit.parties.described import Server
from labkit.parties.feed import Feed
from labkit.parties.offer import Offer
from labkit.parties.stream import Handler, Stream
from labkit.simulation import simulate
from labkit.trace import Direction, Trace
from labkit.wire.websocket import CLOSE, TEXT, scan

__all__ = ["choosing", "feeding", "heard", "room", "sends", "telling"]

Tell = Callable[[Sequence[Stream], str], Any]
"""Tells a line to all guests of a room."""


async def sends(guests: Sequence[Stream], line: str) -> None:
    """Tell a line to one guest after the other, and wait for each."""
    for guest in guests:
        await guest.send(line)


def room(tell: Tell, held: int = 100) -> Handler:
    r"""Return a handler for all guests of a room: what one says is told to all, in the order in which they came.

    Args:
        tell: tells a line to the guests; it may be a coroutine function.
        held: how many messages wait for a guest that does not read; further ones are not taken.

    >>> heard(simulate(Gathering(["ana", "ben"], [("ana", "says", "Hi")], Server(protocols={"websocket": room(sends)}))))
    {'ana': ['Hi'], 'ben': ['Hi']}
    """
    guests: list[Stream] = []

    async def host(stream: Stream) -> None:
        stream.hold("drop newest", messages=held)
        guests.append(stream)
        try:
            async for line in stream:
                told = tell(guests, str(line))
                if isawaitable(told):
                    await told
        finally:
            guests.remove(stream)

    return host


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


def telling(answer: Tell) -> Iterator[Point]:
    """Yield the points of a way to tell: in a room in which ben does not read, and two messages may wait for him."""
    counted: list[object] = []

    async def count(guests: Sequence[Stream], line: str) -> None:
        told = answer(guests, line)
        counted.append(await told if isawaitable(told) else told)

    words = ["one", "two", "three"]
    script = [("ben", "stops reading"), *zip(("ana", "cy", "cy"), ("says",) * 3, words, strict=True)]
    server = Server(protocols={"websocket": room(count, held=2)})
    told = heard(simulate(Gathering(["ana", "ben", "cy"], [*script, ("ben", "reads on")], server)))
    stalled = "somebody waits for ben, or the line was not handed to each"
    yield Point(told["ana"] == words, f"ana hears {_all(told['ana'])}", stalled)
    yield Point(told["cy"] == words, f"cy hears {_all(told['cy'])}", stalled)
    yield Point(told["ben"] == words[:2], f"ben, who reads on, hears {_all(told['ben'])}", "two messages waited for him")
    why = "how many took it: of the third line ben's full outbox takes none"
    yield Point(counted == [3, 3, 2], f"it returns {_all(counted)}", why)


def _all(told: Sequence[object]) -> str:
    return ", ".join("still open" if each is ... else str(each) for each in told) or "nothing"


def choosing(answer: Sequence[object]) -> Iterator[Point]:
    """Yield the points of three policies: for a ticker, a chat and an auction."""
    if len(answer) != len(_NEEDS):
        yield Point(False, f"there are {len(_NEEDS)} answers", f"these are {len(answer)}")
        return
    for (what, why, fits), policy in zip(_NEEDS, answer, strict=True):
        told = feeding(str(policy))
        yield Point(fits(told), f"{what}, {policy}: who fell behind hears {_all(told)}", why)


_NEEDS: tuple[tuple[str, str, Callable[[tuple[str, ...]], bool]], ...] = (
    ("the ticker", "the price that came last before it read on is 5", lambda told: "5" in told),
    ("the chat", "nothing may be missing between two messages that it hears", lambda told: told[-1:] == ("Close 1008",)),
    ("the auction", "the bid that came first is 1", lambda told: "1" in told),
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
