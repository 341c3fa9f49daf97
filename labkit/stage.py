"""In memory, without sockets: parties joined by legs, on one logical clock, each with its turns."""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Coroutine
from dataclasses import dataclass
from types import FrameType
from typing import Any, NamedTuple

from labkit.errors import WrongUse
from labkit.parties.clocks import LogicalClock
from labkit.parties.party import Ended, Ending, Need, Party
from labkit.recording import Recording
from labkit.trace import Direction, Hop, How

__all__ = ["MOST_UNSETTLED", "Side", "Stage", "Steps"]

MOST_UNSETTLED = 2.0
"""Seconds after which a step counts as settled though bytes still cross: a feed's, say."""

_LONGEST = 3600.0  # logical seconds
_MOST_TURNS = 200_000
_MOST_BYTES = 64 << 20  # that cross, kept or not: a handler that never ends is ended


class Stage:
    """Parties on one clock, and the legs between them; further legs may be made while it plays."""

    def __init__(self) -> None:
        self.clock = LogicalClock()
        self.legs: list[Leg] = []
        self._alive: list[Leg] = []
        self._turns = 0

    def join(self, client: Side, server: Side, hop: Hop, recorded: int) -> None:
        """Connect two parties, of which at most `recorded` bytes are kept."""
        leg = Leg(client, server, Recording(self.clock.moment, limit=recorded), hop)
        self.legs.append(leg)
        self._alive.append(leg)

    def play(self, pause: float = math.inf, least: float = 0.0) -> str:
        """Let everybody have their turns until all have ended, or nothing crossed for `pause` seconds.

        Args:
            pause: in logical seconds; where something crosses all the time, a little longer is waited for it.
            least: how many seconds pass in any case.

        Returns:
            Why it had to be stopped, or nothing where it was not.
        """
        began = quiet = self.clock.now
        crossed = -1
        while self._turns < _MOST_TURNS:
            self._turns += 1
            moved = [leg for leg in list(self._alive) if leg.turn()]
            if sum(leg.sent for leg in self.legs) > _MOST_BYTES:
                return f"stopped after {_MOST_BYTES >> 20} MiB"
            self._alive = [leg for leg in self._alive if leg in moved or not leg.over]
            if not self._alive:
                self.clock.now += least
                return ""
            if (changes := sum(leg.recording.changes for leg in self.legs)) != crossed:
                quiet, crossed = self.clock.now, changes
            until = min(_LONGEST, max(quiet + pause, began + least), began + least + pause + MOST_UNSETTLED)
            if not moved and not _wait(self.clock, [side for leg in self._alive for side in leg.sides], until):
                self.clock.now = max(self.clock.now, until) if until < _LONGEST else self.clock.now
                return "" if until < _LONGEST else f"stopped after {_LONGEST:g} s of its own clock"
        return f"stopped after {_MOST_TURNS} turns"

    def stop(self) -> None:
        """Drop what never ended."""
        for leg in self.legs:
            for side in leg.sides:
                side.steps.stop()


class Leg(NamedTuple):
    """One connection in memory: a party at each end, and what is recorded of it."""

    client: Side
    server: Side
    recording: Recording
    hop: Hop

    @property
    def sides(self) -> tuple[Side, Side]:
        """Both ends."""
        return self.client, self.server

    @property
    def sent(self) -> int:
        """How many bytes crossed, both ways."""
        return self.client.sent + self.server.sent

    @property
    def over(self) -> bool:
        """Whether both ends have ended."""
        return self.client.closed and self.server.closed

    def turn(self) -> bool:
        """Let one end write, then the other; tell whether anything happened."""
        return self.client.turn(self.server, self.recording) | self.server.turn(self.client, self.recording)


class Side:
    """One party in memory, with its own direction and the steps of its handler."""

    def __init__(self, party: Party, steps: Steps, direction: Direction) -> None:
        self.party = party
        self.steps = steps
        self.direction = direction
        self.closed = False
        self.sent = 0
        self._choked = False
        steps.party = party

    def turn(self, peer: Side, recording: Recording) -> bool:
        """Let this party write, and the other read; tell whether anything happened."""
        moved = False
        while self.steps.step():
            moved = True
        if self.closed:
            return moved
        if peer.party.full is not self._choked:
            self._choked = not self._choked
            self.party.writable(not self._choked)
            return True
        if self._choked and self.party.ending is not Ending.RESET:  # which overtakes all that waits to be read
            return moved
        data = self.party.outgoing()
        if data:
            self.sent += len(data)
            recording.add(self.direction, data)
            if self.party.ending is Ending.FIN:  # it leaves with the last bytes, and is read after them
                recording.end(self.direction, How.FIN)
            peer.party.receive(data)
            self.party.drained()
            return True
        if self.party.ending is Ending.NOT_YET:
            return moved
        self._end(peer, recording)
        return True

    def _end(self, peer: Side, recording: Recording) -> None:
        self.closed = True
        if self.party.ending is Ending.RESET:
            recording.end(self.direction, How.RESET)
            recording.end(peer.direction, How.RESET)
            peer.closed = True
            peer.party.gone()
        else:
            recording.end(self.direction, How.FIN)
        peer.party.receive_eof()


def _wait(clock: LogicalClock, sides: list[Side], until: float) -> bool:
    """Set the clock to the next deadline and let it be seen; tell whether there was one by that time."""
    times = [time for side in sides if (time := side.party.deadline) is not None]
    if not times or min(times) > until:
        return False
    clock.now = max(clock.now, min(times))
    for side in sides:
        side.party.tick()
        if side.closed and side.party.ending is Ending.RESET:
            side.closed = False  # it gave up lingering: the reset is still to be told
    return True


class Steps:
    """Steps the coroutines of a party's handlers, each whenever what it waits for has come."""

    def __init__(self) -> None:
        self.party: Party | None = None
        self._all: list[_Stepped] = []

    def start(self, coro: Coroutine[Any, Any, None], ended: Ended | None = None, /) -> None:
        """Take a coroutine; it runs at the next step."""
        self._all.append(_Stepped(coro, ended))

    def step(self) -> bool:
        """Let each go on as far as possible; tell whether anything was done."""
        return sum(map(self._step, list(self._all))) > 0  # everyone has a turn

    def _step(self, each: _Stepped) -> bool:
        if self.party is None or (each.need and not each.need.done()):
            return False
        each.need = None
        try:
            wanted = _send(each.coro)
        except StopIteration:
            self._end(each, None)
        except Exception as error:  # noqa: BLE001  whatever a handler raises ends in Close 1011
            if isinstance(error.__cause__, KeyboardInterrupt):  # Ctrl-C, while the handler was at it
                raise error.__cause__ from None
            if foreign := _raised_by_asyncio(error):
                raise WrongUse(_needs_a_loop(foreign)) from None
            self._end(each, error)
        else:
            if not isinstance(wanted, Need):
                _dismiss(wanted)
                raise WrongUse(_needs_a_loop(_awaited(each.coro) or type(wanted).__name__))
            each.need = wanted
        return True

    def _end(self, each: _Stepped, error: BaseException | None) -> None:
        assert self.party is not None
        self._all.remove(each)
        (each.ended or self.party.finished)(error)

    def stop(self) -> None:
        """Drop what never ended."""
        for each in self._all:
            with contextlib.suppress(RuntimeError):  # it waits again while it is being closed
                each.coro.close()


@dataclass(eq=False)
class _Stepped:
    """A handler's coroutine, whom to tell of its end, and what it waits for."""

    coro: Coroutine[Any, Any, None]
    ended: Ended | None
    need: Need | None = None


def _send(coro: Coroutine[Any, Any, None]) -> Any:
    """Step a coroutine as if there were no event loop, also where the caller, a notebook's kernel say, has one."""
    events: Any = sys.modules.get("asyncio.events")
    loop = events._get_running_loop() if events else None  # noqa: SLF001  what asyncio gives to loops
    if loop is None:
        return coro.send(None)
    events._set_running_loop(None)  # noqa: SLF001
    try:
        return coro.send(None)
    finally:
        events._set_running_loop(loop)  # noqa: SLF001


def _dismiss(wanted: Any) -> None:
    """Cancel what asyncio began on a loop of the caller's, a notebook's kernel say: nobody will wait for it."""
    if callable(getattr(wanted, "cancel", None)):
        wanted.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        wanted.cancel()


def _needs_a_loop(what: str) -> str:
    return (
        f"the handler uses {what}, which needs a real event loop: in memory a handler can wait for its stream "
        "alone (receive, send, sleep); keep to these, or `run` it for real"
    )


def _raised_by_asyncio(error: BaseException) -> str:
    """Name the part of asyncio that missed its loop; empty where the error is the handler's own."""
    if not isinstance(error, (RuntimeError, AttributeError)):
        return ""
    trace = error.__traceback__
    while trace is not None:
        if name := _name(trace.tb_frame):
            return name
        trace = trace.tb_next
    return "asyncio" if "running event loop" in str(error) else ""


def _awaited(coro: Any) -> str:
    """Name the part of asyncio that a coroutine hangs in; empty where it is something else."""
    while coro is not None:
        frame = getattr(coro, "cr_frame", None) or getattr(coro, "gi_frame", None)
        if frame is not None and (name := _name(frame)):
            return name
        coro = getattr(coro, "cr_await", None) or getattr(coro, "gi_yieldfrom", None)
    return ""


def _name(frame: FrameType) -> str:
    if frame.f_globals.get("__name__", "").partition(".")[0] != "asyncio":
        return ""
    return f"asyncio.{frame.f_code.co_qualname.partition('.__')[0]}"
