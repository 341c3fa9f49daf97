"""A client that comes back: it connects again, later each time and at random, until its handler has what it wants."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import NamedTuple

from labkit.errors import Failed, WrongUse
from labkit.net.client import exchange
from labkit.parties.backoff import delays
from labkit.parties.offer import Offer
from labkit.parties.stream import Stream
from labkit.trace import Trace

__all__ = ["Try", "reconnecting"]

_PASSING = frozenset((500, 502, 503, 504))  # answers that may be another in a while
_MOST_TRIES = 100


class Try(NamedTuple):
    """One attempt: how long it waited, what the answer was, why it ended, and what crossed the wire."""

    waited: float
    status: int | None
    problem: str
    trace: Trace | None


def reconnecting(
    url: str,
    say: Callable[[Stream], Awaitable[None]],
    *,
    offer: Offer | None = None,
    tries: int = 10,
    waits: Callable[[], Iterator[float]] = lambda: delays(random.random),
    patience: float = 5.0,
    allow_remote: bool = False,
) -> tuple[Try, ...]:
    """Connect, and again wherever the connection is lost or cannot be made, until the handler has what it wants.

    It has where it returns, or closes, before it meets the end: a loop over the stream that ends because the other
    side ended the conversation has not, see `Stream.lost`. One that raises is not asked again. Before each new attempt
    it waits: at random, and up to twice as long each time, see `backoff`; after a switch that begins anew. An answer
    that waiting does not change, 404 say, ends it, as does the last of the tries.

    Args:
        url: ws, wss, http or https, as for `ask`; one connection lasts two minutes at the most, too.
        say: the handler of each connection.
        offer: what to ask for; a WebSocket handshake unless told.
        tries: how often to connect, 1 to 100.
        waits: begins to yield the seconds to wait before each new attempt.
        patience: the most seconds to wait for each answer.
        allow_remote: allow hosts other than loopback.

    Returns:
        What became of each attempt; the last one has no problem where the handler had what it wants.

    Raises:
        Refused: the host is not loopback.
        WrongUse: an argument that makes no sense.

    >>> import labkit
    >>> async def hear_two(stream):
    ...     print([await stream.receive(), await stream.receive()])
    >>> feed = labkit.Feed(heartbeat=0.01, beat="tick")
    >>> with labkit.UpgradeServer(protocols={"websocket": feed}) as server:
    ...     [(waited, status, problem, _)] = reconnecting(server.url, hear_two)
    ['tick', 'tick']
    >>> waited, status, problem
    (0.0, 101, '')
    """
    if not callable(say):
        raise WrongUse(f"say is a handler, async def say(stream), not {say!r}: messages alone want nothing")
    if type(tries) is not int or not 1 <= tries <= _MOST_TRIES:
        raise WrongUse(f"tries is a whole number from 1 to {_MOST_TRIES}, not {tries!r}")
    schedule = waits()
    made: list[Try] = []
    waited = 0.0
    while True:
        last, again = _tried(url, say, waited, offer=offer, patience=patience, allow_remote=allow_remote)
        made.append(last)
        if not again or len(made) == tries:
            return tuple(made)
        if last.status == 101:
            schedule = waits()
        waited = next(schedule)
        time.sleep(waited)


def _tried(
    url: str,
    say: Callable[[Stream], Awaitable[None]],
    waited: float,
    *,
    offer: Offer | None,
    patience: float,
    allow_remote: bool,
) -> tuple[Try, bool]:
    """Connect once; return what became of it, and whether to come back."""
    talks: list[Stream] = []
    done: list[bool] = []

    async def noted(stream: Stream) -> None:
        talks.append(stream)
        await say(stream)
        done.append(True)

    try:
        outcome = exchange(url, offer, noted, patience=patience, allow_remote=allow_remote)
    except Failed as error:
        return Try(waited, None, str(error), None), True
    made = Try(waited, outcome.status, outcome.problem, outcome.trace)
    if not talks:
        return made._replace(problem=made.problem or "there was no switch"), made.status in (None, *_PASSING)
    if talks[0].lost:
        return made._replace(problem=made.problem or "the conversation ended before the handler had enough"), True
    return made._replace(problem="" if done else made.problem), False
