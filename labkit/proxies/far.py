"""A proxy's side that faces an upstream: a party that dials, and leaves every decision to the machine it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from labkit.parties.party import Driver, Ending
from labkit.proxies.model import Trouble

__all__ = ["FarSide", "Owner"]


class Owner(Protocol):
    """The machine behind a far side, see `gateway`."""

    driver: Driver
    choked: bool

    def reached(self, far: FarSide) -> None:
        """Take note that the upstream is there."""

    def trouble(self, far: FarSide, trouble: Trouble) -> None:
        """Take note that it cannot be reached."""

    def heard(self, far: FarSide, data: bytes) -> None:
        """Take bytes of it."""

    def left(self, far: FarSide) -> None:
        """Take its FIN."""

    def lost(self, far: FarSide) -> None:
        """Take note that the connection to it is no more."""


class FarSide:
    """One connection to an upstream: the party that faces it. What comes goes to the machine it belongs to.

    Args:
        owner: the machine.
        address: the upstream's, as the configuration has it.
        linger: how long to wait for the upstream's FIN after our own, in seconds.
    """

    def __init__(self, owner: Owner, address: str, linger: float) -> None:
        self._owner = owner
        self._linger = linger
        self._writes: list[bytes] = []
        self._driver: Driver | None = None
        self._give_up: Callable[[], object] | None = None
        self.address = address
        self.ending = Ending.NOT_YET
        self.choked = False
        self.ended = False
        self.problem = ""
        self.deadline: float | None = None

    # on the way to the upstream

    def dial(self) -> None:
        """Ask for the connection; the answer may be there before this returns."""
        give_up = self._owner.driver.dial(self.address, self)
        if not self.reached and not self.ended:
            self._give_up = give_up

    def connected(self, driver: Driver) -> None:
        """Take note that the connection is there."""
        self._driver, self._give_up = driver, None
        self._owner.reached(self)

    def unreached(self, why: str) -> None:
        """Take note that no connection can be made."""
        self.ended, self._give_up = True, None
        self._owner.trouble(self, Trouble.UNREACHABLE if why == Trouble.UNREACHABLE else Trouble.REFUSED)

    @property
    def reached(self) -> bool:
        """Whether the connection was made."""
        return self._driver is not None

    # what comes in

    def receive(self, data: bytes) -> None:
        """Take bytes from the upstream."""
        self._owner.heard(self, data)

    def receive_eof(self) -> None:
        """Take the upstream's FIN."""
        if not self.ended:
            self.ended = True
            self._owner.left(self)

    def gone(self) -> None:
        """Take note that the connection is no more."""
        self.ended, self.deadline = True, None
        self._owner.lost(self)

    def tick(self) -> None:
        """Break off where the upstream does not close in time; all other times the near side keeps."""
        if self.deadline is not None and self._owner.driver.clock() >= self.deadline:
            self.ending, self.deadline = Ending.RESET, None

    @property
    def full(self) -> bool:
        """Whether no more is read for now: the client takes no more. What comes after the end is read, and dropped."""
        return self._owner.choked and self.deadline is None

    def writable(self, ready: bool) -> None:  # noqa: FBT001
        """Take note whether the upstream takes more."""
        self.choked = not ready
        self._owner.driver.wrote()

    # what goes out

    def outgoing(self) -> bytes:
        """Return, and forget, the bytes to send."""
        data = b"".join(self._writes)
        self._writes.clear()
        return data

    def write(self, data: bytes) -> None:
        """Send bytes to the upstream, if there are any."""
        if data:
            self._writes.append(data)
            self.changed()

    def fin(self) -> None:
        """Say that no more will be sent, once all is written; what the upstream says is still listened to."""
        if self.ending is Ending.NOT_YET:
            self.ending = Ending.FIN
            self.changed()

    def end(self) -> None:
        """Be done with the upstream: send our FIN, wait a while for its own; give it up where it is not there yet."""
        self.fin()
        self.deadline = self._owner.driver.clock() + self._linger
        self.changed()
        if self._give_up is not None:
            self._give_up()
            self._give_up = None

    def shut(self) -> None:
        """Close at once."""
        self.end()

    def changed(self) -> None:
        """Tell whoever drives this leg that there is something to do."""
        if self._driver is not None:
            self._driver.wrote()

    def drained(self) -> None:
        """Do nothing: nobody waits for it."""

    def finished(self, error: BaseException | None) -> None:
        """Do nothing: no handler runs here."""
