"""The real server: the very party of the simulation, on sockets, in a thread of its own."""

from __future__ import annotations

import asyncio
import dataclasses
import email.utils
import weakref
from collections.abc import Callable
from typing import Any

from labkit.errors import WrongUse
from labkit.net.listener import Engine, Listener, Turned, room
from labkit.net.wire import Wire
from labkit.parties.clocks import lab_date
from labkit.parties.described import Limits, Server
from labkit.parties.party import Driver
from labkit.parties.repeats import Repeats
from labkit.parties.server import ServerParty
from labkit.recording import Recording
from labkit.trace import Direction

__all__ = ["UpgradeServer", "wall_date"]


def wall_date() -> str:
    """Return today's date as the Date field has it (RFC 9110, 5.6.7)."""
    return email.utils.formatdate(usegmt=True)


class UpgradeServer(Listener):
    """A real server, in this process: it answers on 127.0.0.1 and records what crosses.

    It runs in a thread with an event loop of its own, so that a cell may call it with `!curl` or any
    blocking client. Unless told otherwise it switches to websocket on any path and echoes.

    Args:
        told: what it is told to be; instead, its parts may be given by name (`require=True`).
        host: where to listen; anything but loopback needs `allow_remote=True`.
        port: 0 for any free one.
        record: whether to keep traces.
        date: gives the Date field; the lab's fixed date unless told, so that traces are the same everywhere.
        allow_remote: allow `host` to be reached from other machines.
        ended: called with each recording when its connection is over, in the server's own thread.
        uvloop: whether to run on uvloop, which has to be installed: the same bytes in less time.
        settings: the other parts of `Server`, by name.

    Raises:
        Refused: the host is not loopback.
        WrongUse: a setting that makes no sense.

    >>> with UpgradeServer() as server:
    ...     server.url.startswith("http://127.0.0.1:")
    True
    """

    kind = "server"

    def __init__(  # noqa: PLR0913  all but one by name
        self,
        told: Server | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        record: bool = True,
        date: Callable[[], str] = lab_date,
        allow_remote: bool = False,
        ended: Callable[[Recording], None] = lambda _: None,
        uvloop: bool = False,
        **settings: Any,
    ) -> None:
        known = {field.name for field in dataclasses.fields(Server)}
        if unknown := sorted(set(settings) - known):
            raise WrongUse(f"no setting is called {', '.join(unknown)}; there are {', '.join(sorted(known))}")
        self.told = dataclasses.replace(told or Server(), **settings)
        super().__init__(host, port, allow_remote=allow_remote, keep=self.told.limits.traces)
        self.records = record
        self.listens = self.told.listens
        self.uvloop = uvloop
        self._date = date
        self._ended = ended

    @property
    def limits(self) -> Limits:
        """Its limits."""
        return self.told.limits

    def _factory(self, engine: Engine) -> Callable[[], asyncio.BaseProtocol]:
        return _connections(engine, self.told, self._date, self._ended, record=self.records)


def _connections(
    engine: Engine, told: Server, date: Callable[[], str], over: Callable[[Recording], None], *, record: bool
) -> Callable[[], asyncio.BaseProtocol]:
    """Return what makes the protocol of each connection; it knows the engine, not the server object."""
    limits = told.limits
    repeats = Repeats()
    served: weakref.WeakSet[Wire] = weakref.WeakSet()  # less those that were refused, so that they do not count

    def ended(wire: Wire) -> None:
        served.discard(wire)
        try:
            if wire.recording is not None:
                wire.recording.note = wire.party.problem
                over(wire.recording)
        finally:
            engine.closed(wire)

    most = room()
    allowed = min(limits.connections, max(1, most - most // 8))  # the rest is for those that are told so

    def connection() -> asyncio.BaseProtocol:
        if len(engine.open) >= min(most, 2 * allowed + 10):
            return Turned()
        free = len(served) < allowed
        recording = None
        if record and free:
            recording = Recording(asyncio.get_running_loop().time, limit=limits.recorded)
            engine.note(recording)

        def made(driver: Driver) -> ServerParty:
            engine.open.add(wire)
            party = ServerParty(told, driver, date, repeats)
            if not free:
                party.refuse(503, f"{allowed} connections are open, and no more are taken")
            return party

        wire = Wire(made, Direction.TO_CLIENT, recording, ended)
        if free:
            served.add(wire)
        return wire

    return connection
