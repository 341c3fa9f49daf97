"""The in-memory run: the very parties of the real one, joined without sockets, on a logical clock."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import Any, NamedTuple

from labkit.errors import Failed, WrongUse
from labkit.parties.client import ClientParty
from labkit.parties.clocks import LogicalClock, lab_date, lab_masks
from labkit.parties.party import Driver, Ended, Ending, Far, Need, Party
from labkit.parties.server import ServerParty
from labkit.proxies.gateway import ProxyParty
from labkit.proxies.model import Model, Trouble
from labkit.recording import Recording, joined
from labkit.scenario import Scenario
from labkit.trace import Direction, Hop, How, Trace

__all__ = ["play", "simulate"]

_LONGEST = 3600.0  # logical seconds
_MOST_TURNS = 200_000
_MOST_BYTES = 64 << 20  # that cross, kept or not: a handler that never ends is ended


def simulate(scenario: Scenario) -> Trace:
    r"""Run a scenario in memory and return its trace: the same bytes on every machine.

    Raises:
        WrongUse: a handler awaits what only the real server has, or the client is a real program.
        Unmodelled: no model answers for a proxy, or for a directive of it.
        Failed: there is no proxy, and nothing listens at the server's address.

    >>> from labkit.trace import Direction
    >>> simulate(Scenario()).stream(Direction.TO_CLIENT)[-11:]
    b'\x81\x05Hello\x88\x02\x03\xe8'
    """
    return play(scenario)[0]


def play(scenario: Scenario) -> tuple[Trace, tuple[Party, ...]]:
    """Do what `simulate` does, and return beside the trace, hop by hop, the party at its server's end."""
    if not isinstance(scenario, Scenario):
        raise WrongUse(f"what is simulated is a Scenario, not {scenario!r}")
    if scenario.client != "lab":
        raise WrongUse(f"{scenario.client} is a real program: run(…) it; in memory only the lab's own client asks")
    if not scenario.via and not scenario.server.listens:
        raise Failed("nothing listens at the server's address: the server is told not to")
    stage = _Stage(scenario, [proxy.model() for proxy in scenario.via])
    try:
        stopped = stage.play()
    finally:
        stage.stop()
    return stage.trace(stopped), stage.answering


class _Stage:
    """All parties of a scenario, on one clock, and the legs between them."""

    def __init__(self, scenario: Scenario, models: list[Model]) -> None:
        self._scenario = scenario
        self._models = models
        self._clock = LogicalClock()
        self._legs: list[_Leg] = []
        self._alive: list[_Leg] = []
        steps = _Steps()
        driver = Driver(self._clock, steps.start)
        self._client = ClientParty(scenario.offer, scenario.say, driver, lab_masks(), patience=scenario.patience)
        self._join(0, _Side(self._client, steps, Direction.TO_SERVER))

    @property
    def answering(self) -> tuple[Party, ...]:
        """The party at the server's end of each leg."""
        return tuple(leg.server.party for leg in self._legs)

    def play(self) -> str:
        """Let everybody have their turns; return why it had to be stopped, or nothing where it ended."""
        for _ in range(_MOST_TURNS):
            moved = [leg for leg in list(self._alive) if leg.turn()]
            if sum(leg.sent for leg in self._legs) > _MOST_BYTES:
                return f"stopped after {_MOST_BYTES >> 20} MiB"
            self._alive = [leg for leg in self._alive if leg in moved or not leg.over]
            if not self._alive:
                return ""
            if not moved and not _wait(self._clock, [side for leg in self._alive for side in leg.sides]):
                return f"stopped after {_LONGEST:g} s of its own clock"
        return f"stopped after {_MOST_TURNS} turns"

    def stop(self) -> None:
        """Drop what never ended."""
        for leg in self._legs:
            for side in leg.sides:
                side.steps.stop()

    def trace(self, stopped: str) -> Trace:
        """Return what crossed, leg by leg."""
        said = [f"{model.name} {model.version}, simulated" for model in self._models] or ["simulated"]
        said += [model.note for model in self._models]
        troubles = [self._client.problem, *(leg.server.party.problem for leg in self._legs)]
        notes = "; ".join(note for note in dict.fromkeys([*said, stopped, *troubles]) if note)
        return joined([(leg.recording, leg.hop) for leg in self._legs], self._scenario.title, notes)

    def _join(self, place: int, client: _Side) -> None:
        """Make a leg from a party to the one behind it, which begins with it."""
        steps = _Steps()
        party: Party
        if place < len(self._models):
            party = ProxyParty(
                self._models[place], Driver(self._clock, steps.start, dial=partial(self._dial, place + 1))
            )
        else:
            party = ServerParty(self._scenario.server, Driver(self._clock, steps.start), lab_date)
        recording = Recording(self._clock.moment, limit=self._scenario.server.limits.recorded)
        hop = Hop(*self._scenario.parties[place : place + 2])
        leg = _Leg(client, _Side(party, steps, Direction.TO_CLIENT), recording, hop)
        self._legs.append(leg)
        self._alive.append(leg)

    def _dial(self, place: int, _: str, far: Far) -> Callable[[], object]:
        """Connect a proxy to whoever is behind it, at once: every upstream address leads there.

        Where the addresses are kept as they are written, nobody listens at them: there is no network in memory.
        """
        dead = place == len(self._models) and not self._scenario.server.listens
        if dead or self._scenario.via[place - 1].keep_upstreams:
            far.unreached(Trouble.REFUSED)
        else:
            steps = _Steps()
            self._join(place, _Side(far, steps, Direction.TO_SERVER))
            far.connected(Driver(self._clock, steps.start))
        return lambda: None


class _Leg(NamedTuple):
    """One connection in memory: a party at each end, and what is recorded of it."""

    client: _Side
    server: _Side
    recording: Recording
    hop: Hop

    @property
    def sides(self) -> tuple[_Side, _Side]:
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


class _Side:
    """One party in memory, with its own direction and the steps of its handler."""

    def __init__(self, party: Party, steps: _Steps, direction: Direction) -> None:
        self.party = party
        self.steps = steps
        self.direction = direction
        self.closed = False
        self.sent = 0
        self._choked = False
        steps.party = party

    def turn(self, peer: _Side, recording: Recording) -> bool:
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

    def _end(self, peer: _Side, recording: Recording) -> None:
        self.closed = True
        if self.party.ending is Ending.RESET:
            recording.end(self.direction, How.RESET)
            recording.end(peer.direction, How.RESET)
            peer.closed = True
            peer.party.gone()
        else:
            recording.end(self.direction, How.FIN)
        peer.party.receive_eof()


def _wait(clock: LogicalClock, sides: list[_Side]) -> bool:
    """Set the clock to the next deadline and let it be seen; tell whether there was one."""
    times = [time for side in sides if (time := side.party.deadline) is not None]
    if not times or min(times) > _LONGEST:
        return False
    clock.now = max(clock.now, min(times))
    for side in sides:
        side.party.tick()
        if side.closed and side.party.ending is Ending.RESET:
            side.closed = False  # it gave up lingering: the reset is still to be told
    return True


class _Steps:
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
