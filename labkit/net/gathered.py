"""A gathering for real: the clients' very parties on sockets, a real server, and the same order of steps.

Clients and server are in one process, and every step waits until it has settled: what one side wrote the other side
has seen, both event loops have gone round, and nothing has crossed for the gathering's `pause`. The server records,
so that the order across all hops is the order in which it saw and did things.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any

from labkit.errors import Failed
from labkit.gathering import Gathering, Step
from labkit.net.loop import LoopThread
from labkit.net.server import UpgradeServer
from labkit.net.wire import Wire
from labkit.parties.clocks import lab_masks
from labkit.parties.guest import GuestParty
from labkit.parties.offer import Offer
from labkit.recording import Recording, joined
from labkit.stage import MOST_UNSETTLED
from labkit.trace import Direction, Hop, Trace

__all__ = ["gathered"]

_CONNECT_TIME = 5.0  # seconds
_KNOWN_TIME = 1.0  # seconds until the server knows of a connection that was made
_LOOK = 0.005  # seconds between two looks


def gathered(gathering: Gathering) -> Trace:
    """Run a gathering over real sockets, and return what its server recorded: a hop for each client.

    Raises:
        Failed: nothing listens, or a connection cannot be made.
    """
    with UpgradeServer(gathering.server) as server:
        ring = _Ring(gathering, server)
        try:
            for step in gathering.steps:
                ring.take(step)
            return ring.trace()
        finally:
            ring.stop()


class _Guest:
    """One client: its connection, and what both ends recorded of it."""

    def __init__(self, wire: Wire, near: Recording, far: Recording) -> None:
        party = wire.party
        assert isinstance(party, GuestParty)
        self.party = party
        self.near, self.far = near, far
        self._wire = wire

    async def do(self, step: Step) -> str:
        """Take one step, on the loop of the clients; return why it cannot be taken, or nothing."""
        why = self.party.do(step.deed, step.what)
        if hasattr(self._wire, "party"):  # else its connection is over
            self._wire.flush()
        return why

    @property
    def arrived(self) -> bool:
        """Whether all that one end wrote the other has seen, as far as it reads."""
        up = self.near.crossed(Direction.TO_SERVER) == self.far.crossed(Direction.TO_SERVER)
        down = self.near.crossed(Direction.TO_CLIENT) == self.far.crossed(Direction.TO_CLIENT)
        return up and (down or self.party.full)


class _Ring:
    """The clients of a gathering, on one event loop of their own, and their server."""

    def __init__(self, gathering: Gathering, server: UpgradeServer) -> None:
        self._gathering = gathering
        self._server = server
        self._guests: dict[str, _Guest] = {}
        self._undone: list[str] = []
        self._wires: list[Wire] = []
        self._thread = LoopThread("labkit clients", self._end)
        self._thread.start()

    def stop(self) -> None:
        """End every connection."""
        self._thread.stop()

    async def _end(self) -> None:
        for wire in self._wires:
            wire.abort()
        await asyncio.sleep(_LOOK)  # their sockets are closed on the next rounds

    def take(self, step: Step) -> None:
        """Take one step, and wait until it has settled."""
        began = monotonic()
        if step.deed == "joins":
            self._join(step.who)
        elif step.deed != "waits" and (why := self._thread.run(self._guests[step.who].do(step), _CONNECT_TIME)):
            self._undone.append(step.undone(why))
        self._settle(began, step.seconds)

    def _join(self, who: str) -> None:
        known = len(self._server.recordings)
        near = Recording(monotonic, limit=self._gathering.server.limits.recorded)
        wire = self._thread.run(_connected(self._gathering.clients[who], near, self._server), _CONNECT_TIME)
        self._wires.append(wire)
        _until(lambda: len(self._server.recordings) > known, monotonic() + _KNOWN_TIME)
        if len(self._server.recordings) <= known:
            raise Failed(
                f"{who} has no place: the server takes {self._gathering.server.limits.connections} connections"
            )
        self._guests[who] = _Guest(wire, near, self._server.recordings[-1])

    def _settle(self, began: float, least: float) -> None:
        pause, latest = self._gathering.pause, began + least + self._gathering.pause + MOST_UNSETTLED
        crossed, quiet = -1, began

        def settled() -> bool:
            nonlocal crossed, quiet
            changes, now = sum(each.far.changes for each in self._guests.values()), monotonic()
            if changes != crossed:
                crossed, quiet = changes, now
            if now < max(quiet + pause, began + least) or not all(each.arrived for each in self._guests.values()):
                return False
            self._server.go_round()
            return changes == sum(each.far.changes for each in self._guests.values())

        _until(settled, latest)

    def trace(self) -> Trace:
        """Return what crossed so far: a hop for each client, in their order."""
        there = [name for name in self._gathering.clients if name in self._guests]
        guests = [self._guests[name] for name in there]
        troubles = [
            f"{name}: {each.party.problem}" for name, each in zip(there, guests, strict=True) if each.party.problem
        ]
        note = "; ".join(["recorded by the server", *self._undone, *troubles])
        legs = [(each.far, Hop(name, "server")) for name, each in zip(there, guests, strict=True)]
        return joined(legs, self._gathering.title, note)


async def _connected(offer: Offer, recording: Recording, server: UpgradeServer) -> Wire:
    """Connect a client, which sends its offer at once."""
    made = Wire(lambda driver: GuestParty(offer, driver, lab_masks()), Direction.TO_SERVER, recording)
    try:
        await asyncio.get_running_loop().create_connection(lambda: made, server.host, server.port)
    except OSError as error:
        raise Failed(f"nothing listens on {server.host}:{server.port}: {error.strerror or error}") from None
    return made


def _until(true: Callable[[], Any], latest: float) -> None:
    """Look until something is true, at the latest until a moment."""
    while not true() and monotonic() < latest:
        sleep(_LOOK)
