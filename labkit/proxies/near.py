"""A proxy's side that faces the client: what is written to it, when it ends, what is due, and the log."""

from __future__ import annotations

from collections import deque

from labkit.parties.party import Driver, Ending

__all__ = ["MOST_KEPT", "NearSide"]

MOST_KEPT = 100
"""Lines of the log, and rounds, that a connection keeps; the oldest go."""


class NearSide:
    """The part of a proxy's near party that is the same in all its states.

    Args:
        driver: its clock; it is told of all that is written.
        due: when it must be looked at first.
    """

    def __init__(self, driver: Driver, due: float) -> None:
        self.driver = driver
        self.ending = Ending.NOT_YET
        self.choked = False
        self.log: deque[str] = deque(maxlen=MOST_KEPT)
        self._writes: list[bytes] = []
        self._due: float | None = due

    def outgoing(self) -> bytes:
        """Return, and forget, the bytes to send."""
        data = b"".join(self._writes)
        self._writes.clear()
        return data

    def drained(self) -> None:
        """Do nothing: nobody waits for it."""

    def finished(self, error: BaseException | None) -> None:
        """Do nothing: no handler runs here."""

    @property
    def deadline(self) -> float | None:
        """When `tick` is due."""
        return self._due

    @property
    def problem(self) -> str:
        """What the program's error log would say; empty where nothing."""
        return "; ".join(dict.fromkeys(line for line in self.log if line))

    def _write(self, data: bytes) -> None:
        if data:
            self._writes.append(data)
            self.driver.wrote()

    def _fin(self) -> None:
        """End this direction once all is written."""
        if self.ending is Ending.NOT_YET:
            self.ending = Ending.FIN
        self.driver.wrote()

    def _wait(self, seconds: float) -> None:
        """Set the time by which something must come; whoever drives looks at it anew."""
        self._due = self.driver.clock() + seconds
        self.driver.wrote()

    def _is_due(self) -> bool:
        """Tell, once, whether the time has come."""
        if self._due is None or self.driver.clock() < self._due:
            return False
        self._due = None
        return True
