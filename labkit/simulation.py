"""The in-memory run: the very parties of the real one, joined without sockets, on a logical clock."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from labkit.errors import WrongUse
from labkit.parties.client import ClientParty
from labkit.parties.clocks import LogicalClock, lab_date, lab_masks
from labkit.parties.party import Ending, Host, Need, Party
from labkit.parties.server import ServerParty
from labkit.recording import Recording
from labkit.scenario import Scenario
from labkit.trace import Direction, How, Trace

__all__ = ["simulate"]

_LONGEST = 3600.0  # logical seconds
_MOST_TURNS = 200_000


class _Steps:
    """Steps one handler's coroutine whenever what it waits for has come."""

    def __init__(self) -> None:
        self.party: Party | None = None
        self._coro: Coroutine[Any, Any, None] | None = None
        self._need: Need | None = None

    def start(self, coro: Coroutine[Any, Any, None]) -> None:
        """Take a coroutine; it runs at the next step."""
        self._coro = coro

    def step(self) -> bool:
        """Go on as far as possible; tell whether anything was done."""
        coro, party = self._coro, self.party
        if coro is None or party is None or (self._need and not self._need.done()):
            return False
        self._need = None
        try:
            wanted = coro.send(None)
        except StopIteration:
            self._coro = None
            party.finished(None)
            return True
        except Exception as error:  # noqa: BLE001  whatever a handler raises ends in Close 1011
            self._coro = None
            party.finished(error)
            return True
        if not isinstance(wanted, Need):
            self._coro = None
            coro.close()
            raise WrongUse(
                f"the handler awaits {type(wanted).__name__}, which is asyncio's: in memory it can wait only "
                "for the stream; use stream.sleep, or run it for real"
            )
        self._need = wanted
        return True

    def stop(self) -> None:
        """Drop a coroutine that never ended."""
        if self._coro is not None:
            self._coro.close()


class _Side:
    """One party in memory, with its own direction and the steps of its handler."""

    def __init__(self, party: Party, steps: _Steps, direction: Direction) -> None:
        self.party = party
        self.steps = steps
        self.direction = direction
        self.closed = False
        steps.party = party

    def turn(self, peer: _Side, recording: Recording) -> bool:
        """Let this party write, and the other read; tell whether anything happened."""
        moved = self.steps.step()
        while self.steps.step():
            pass
        if self.closed:
            return moved
        data = self.party.outgoing()
        if data:
            recording.add(self.direction, data)
            if not peer.closed or peer.party.ending is not Ending.RESET:
                peer.party.receive(data)
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
        else:
            recording.end(self.direction, How.FIN)
        peer.party.receive_eof()


def simulate(scenario: Scenario) -> Trace:
    """Run a scenario in memory and return its trace: the same bytes on every machine.

    Raises:
        WrongUse: a handler awaits what only the real server has.

    >>> from labkit.trace import Direction
    >>> simulate(Scenario()).stream(Direction.TO_CLIENT)[-11:]
    b'\\x81\\x05Hello\\x88\\x02\\x03\\xe8'
    """
    clock = LogicalClock()
    client_steps, server_steps = _Steps(), _Steps()
    client_party = ClientParty(scenario.offer, scenario.say, Host(clock, client_steps.start), lab_masks())
    server_party = ServerParty(scenario.server, Host(clock, server_steps.start), lab_date)
    client = _Side(client_party, client_steps, Direction.TO_SERVER)
    server = _Side(server_party, server_steps, Direction.TO_CLIENT)
    recording = Recording(clock, limit=scenario.server.limits.recorded)
    try:
        for _ in range(_MOST_TURNS):
            if client.turn(server, recording) | server.turn(client, recording):
                continue
            if not _wait(clock, client, server):
                break
    finally:
        client_steps.stop()
        server_steps.stop()
    return recording.trace(scenario.title, "simulated")


def _wait(clock: LogicalClock, *sides: _Side) -> bool:
    """Set the clock to the next deadline and let it be seen; tell whether there was one."""
    if all(side.closed for side in sides):
        return False
    due = [side.party.deadline for side in sides]
    times = [time for time in due if time is not None]
    if not times or min(times) > _LONGEST:
        return False
    clock.now = max(clock.now, min(times))
    for side in sides:
        side.party.tick()
    for side in sides:
        if side.closed and side.party.ending is Ending.RESET:
            side.closed = False  # it gave up lingering: the reset is still to be told
    return True
