"""What every party offers to whoever drives it, and how a handler's coroutine waits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator
from enum import StrEnum
from typing import Any, Protocol

__all__ = ["Dial", "Driver", "Ended", "Ending", "Far", "Need", "Park", "Party", "Start"]

Ended = Callable[[BaseException | None], None]
"""Takes note that a handler ended, with what error if any."""


class Ending(StrEnum):
    """What a party wants done with its direction once everything it wrote has left."""

    NOT_YET = ""
    FIN = "fin"
    RESET = "reset"


class Park(Awaitable[None], Protocol):
    """What a handler awaits while it has nothing to do: a `Need` in memory, a future on sockets."""

    def done(self) -> bool:
        """Tell whether it was woken."""

    def set_result(self, result: None, /) -> None:
        """Wake whoever awaits it."""


class Start(Protocol):
    """Runs a handler's coroutine, and tells of its end."""

    def __call__(self, coro: Coroutine[Any, Any, None], ended: Ended | None = None, /) -> None:
        """Run it."""


class Need:
    """A park for the simulation: yields itself to whoever steps the coroutine."""

    def __init__(self) -> None:
        self._woken = False

    def done(self) -> bool:
        """Tell whether it was woken."""
        return self._woken

    def set_result(self, _: None, /) -> None:
        """Wake whoever awaits it."""
        self._woken = True

    def __await__(self) -> Generator[Need, None, None]:
        while not self._woken:
            yield self


class Driver:
    """What drives a party, as it sees it: the time, a way to wait, and whom to tell that there is more to write.

    Args:
        clock: the time in seconds; only differences count.
        park: makes what a handler awaits.
        wrote: called when a handler wrote outside of `receive` and `tick`.
        rest: called when a handler begins to wait: what it wrote so far may go.
        start: runs a handler's coroutine; when it ends, what comes beside it is called with its error if any,
            or else `Party.finished`.
        dial: opens a connection to an address for a party of a proxy's, see `Far`, and returns what gives that up.
        soon: has something done where the party is driven; may be called from any thread. In memory it is done at once.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        start: Start,
        park: Callable[[], Park] = Need,
        wrote: Callable[[], None] = lambda: None,
        rest: Callable[[], None] = lambda: None,
        dial: Dial | None = None,
        *,
        soon: Callable[[Callable[[], object]], object] = lambda action: action(),
    ) -> None:
        self.clock = clock
        self.start = start
        self.park = park
        self.wrote = wrote
        self.rest = rest
        self.soon = soon
        self._dial = dial

    def dial(self, address: str, far: Far) -> Callable[[], object]:
        """Open a connection for a party: `connected` or `unreached` of it is called; return what gives it up."""
        assert self._dial is not None, "whoever drives a proxy can dial"
        return self._dial(address, far)


class Party(Protocol):
    """A party: `receive`, `receive_eof` and `tick` go in, `outgoing`, `ending` and `deadline` come out."""

    ending: Ending

    @property
    def problem(self) -> str:
        """What went wrong, in a few words; empty where nothing did."""

    def receive(self, data: bytes) -> None:
        """Take bytes from the other side."""

    def receive_eof(self) -> None:
        """Take the other side's FIN."""

    def gone(self) -> None:
        """Take note that the connection is no more, be it broken off or closed; `receive_eof` follows."""

    def tick(self) -> None:
        """Do what is due at this time."""

    def outgoing(self) -> bytes:
        """Return, and forget, the bytes to send."""

    def finished(self, error: BaseException | None) -> None:
        """Take note that the handler ended, with what error if any."""

    def writable(self, ready: bool) -> None:  # noqa: FBT001  one word, one meaning
        """Take note whether the other side takes more; handlers that send wait while it does not."""

    def drained(self) -> None:
        """Take note that what was written has left; handlers that wrote too much at once wait for it."""

    def shut(self) -> None:
        """Say goodbye at once: whoever runs this party is about to stop it."""

    @property
    def deadline(self) -> float | None:
        """When `tick` must be called at the latest, by the clock; None where never."""

    @property
    def full(self) -> bool:
        """Whether no more bytes should be read for now."""


class Far(Party, Protocol):
    """A party that dials: the side of a proxy that faces its upstream."""

    def connected(self, driver: Driver) -> None:
        """Take note that the connection is there, and what drives it."""

    def unreached(self, why: str) -> None:
        """Take note that no connection can be made: "refused", say."""


Dial = Callable[[str, Far], Callable[[], object]]
"""Opens a connection to an address for a party; what it returns gives the dialling up."""
