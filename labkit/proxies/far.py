"""A proxy's side that faces an upstream: a party that dials, and leaves every decision to the machine it belongs to."""

from __future__ import annotations

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


class FarSide:
    """One connection to an upstream: the party that faces it. What comes goes to the machine it belongs to."""

    def __init__(self, owner: Owner, address: str) -> None:
        self._owner = owner
        self._writes: list[bytes] = []
        self._driver: Driver | None = None
        self.address = address
        self.ending = Ending.NOT_YET
        self.choked = False
        self.ended = False
        self.problem = ""
        self.deadline: float | None = None

    def connected(self, driver: Driver) -> None:
        """Take note that the connection is there."""
        self._driver = driver
        self._owner.reached(self)

    def unreached(self, why: str) -> None:
        """Take note that no connection can be made."""
        self.ended = True
        self._owner.trouble(self, Trouble.UNREACHABLE if why == Trouble.UNREACHABLE else Trouble.REFUSED)

    @property
    def reached(self) -> bool:
        """Whether the connection was made."""
        return self._driver is not None

    def receive(self, data: bytes) -> None:
        """Take bytes from the upstream."""
        self._owner.heard(self, data)

    def receive_eof(self) -> None:
        """Take the upstream's FIN."""
        if not self.ended:
            self.ended = True
            self._owner.left(self)

    def tick(self) -> None:
        """Do nothing: the near side keeps the time."""

    def outgoing(self) -> bytes:
        """Return, and forget, the bytes to send."""
        data = b"".join(self._writes)
        self._writes.clear()
        return data

    def write(self, data: bytes) -> None:
        """Send bytes to the upstream."""
        self._writes.append(data)
        self.changed()

    def end(self) -> None:
        """Close the connection once all is written."""
        if self.ending is Ending.NOT_YET:
            self.ending = Ending.FIN
            self.changed()

    def changed(self) -> None:
        """Tell whoever drives this leg that there is something to do."""
        if self._driver is not None:
            self._driver.wrote()

    def finished(self, error: BaseException | None) -> None:
        """Do nothing: no handler runs here."""

    def writable(self, ready: bool) -> None:  # noqa: FBT001
        """Take note whether the upstream takes more."""
        self.choked = not ready
        self._owner.driver.wrote()

    def drained(self) -> None:
        """Do nothing: nobody waits for it."""

    def shut(self) -> None:
        """Close at once."""
        self.ending = Ending.FIN

    @property
    def full(self) -> bool:
        """Whether the client takes no more for now."""
        return self._owner.choked
