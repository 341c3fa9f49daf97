"""Where a program is to dial, so that what it says is recorded: the lab's own server, or a tap before another's.

    own server, recording     program ──────────▶ server
    anything else             program ──▶ tap ──▶ server

A program is started with the listener's address, and the traces of its run are asked of it afterwards.
"""

from __future__ import annotations

import socket
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from labkit.errors import Failed, WrongUse
from labkit.net.address import AS_WRITTEN, Address, check_loopback, is_loopback, place
from labkit.net.listener import Listener, Watch, is_own, recorder_at, running
from labkit.net.server import UpgradeServer
from labkit.net.tap import Tap
from labkit.parties.described import Server
from labkit.trace import Trace

__all__ = ["NOBODY", "Reached", "connect_to", "in_place", "reach", "standing"]


NOBODY = "127.0.0.1:1"
"""A place where nothing listens: what points elsewhere, as a redirect may, does not leave this machine."""

_TURNS: weakref.WeakKeyDictionary[Listener, threading.RLock] = weakref.WeakKeyDictionary()
_TURN = threading.Lock()
_TURN_TIME = 60.0  # seconds to wait for another run to end
_NAME_TIME = 2.0  # seconds to look a name up
_PASSING: weakref.WeakSet[Listener] = weakref.WeakSet()
"""Servers that were started for one run alone: no other thread's run may take them for its own."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What a program dials; it is there as long as the `with` block lasts.

    Args:
        host: of the recording listener.
        port: of it.
        own: whether the lab's own server answers in the end; towards any other, keys are drawn fresh.
        watch: tells of the connections that the program makes; None where nothing listens, and none can be made.
    """

    host: str
    port: int
    own: bool = False
    watch: Watch | None = None

    @property
    def place(self) -> str:
        """Host and port, as HOST:PORT."""
        return place(self.host, self.port)

    def traces(self) -> tuple[Trace, ...]:
        """Return what the program's connections carried, the oldest first; to be called once it ended."""
        return self.watch.traces() if self.watch else ()


@contextmanager
def reach(address: Address, *, allow_remote: bool = False) -> Iterator[Reached]:
    """Give a program a recording listener that leads to an address.

    Args:
        address: whom it wants to talk to.
        allow_remote: allow hosts other than loopback.

    Raises:
        Refused: the host is not loopback.
    """
    check_loopback(address.host, allow_remote)
    listener = recorder_at(address)
    if listener is not None:
        with _alone(listener):
            yield _led(listener, own=is_own(address))
    elif _is_free(address) if is_loopback(address.host) else not _is_known(address.host):
        yield Reached(address.host, address.port)  # nobody is there to put a tap before: the program says so itself
    else:
        with Tap(place(address.host, address.port), allow_remote=allow_remote) as tap:
            yield _led(tap, own=is_own(address))


@contextmanager
def _alone(listener: Listener) -> Iterator[None]:
    """Let one program at a time dial a listener: that its connections are new is all that tells whose they are."""
    with _TURN:
        turn = _TURNS.setdefault(listener, threading.RLock())
    if not turn.acquire(timeout=_TURN_TIME):
        raise Failed(f"another program's run holds this server for more than {_TURN_TIME:g} s: end that one first")
    try:
        yield
    finally:
        turn.release()


def _led(listener: Listener, *, own: bool) -> Reached:
    return Reached(listener.host, listener.port, own, listener.watch())


def connect_to(where: str) -> tuple[str, ...]:
    """Return libcurl's CONNECT_TO entries: loopback hosts as they are written, every other is answered elsewhere.

    An entry that only begins with the host does not end the search of libcurl 7.88, so each repeats it.

    >>> connect_to("127.0.0.1:8101")[-1]
    '::127.0.0.1:8101'
    """
    return (*(f"{each}::{each}:" for each in AS_WRITTEN), f"::{where}")


def _is_known(host: str) -> bool:
    """Tell whether a name has an address; asked for as long as a program would wait."""
    found: list[bool] = []

    def ask() -> None:
        try:
            found.append(bool(socket.getaddrinfo(host, None)))
        except OSError:
            found.append(False)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(_NAME_TIME)
    return all(found)  # where no answer came, the tap tells


def _is_free(address: Address) -> bool:
    """Tell whether an address could be listened at, so that nobody does; asked without a connection."""
    host = "127.0.0.1" if address.host.lower() == "localhost" else address.host
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.bind((host, address.port))
    except OSError:
        return False
    return True


def standing() -> list[UpgradeServer]:
    """Return the servers that run in this process, less those that were started for one run alone."""
    return [each for each in running() if isinstance(each, UpgradeServer) and each not in _PASSING]


@contextmanager
def in_place(to: Listener | None, told: Server | None = None) -> Iterator[Reached]:
    """Give a program that names any host, such as example.com, the lab's server in its place.

    Args:
        to: the server, or a tap; unless told the one server that runs, and where none does, one that is started for
            this run alone.
        told: what that one is told to be.

    Raises:
        WrongUse: it does not run or record, or several servers run and none was named.
    """
    if to is None:
        servers = standing()
        if len(servers) > 1:
            raise WrongUse(f"{len(servers)} servers run here: say which is meant with to=")
        if not servers:
            own = UpgradeServer(told)
            _PASSING.add(own)
            with own:
                yield _led(own, own=True)
            return
        to = servers[0]
    if not isinstance(to, Listener) or not to.running:
        raise WrongUse(f"to is a running UpgradeServer or Tap, not {to!r}")
    if not to.records:
        raise WrongUse("this server keeps no traces: start it without record=False")
    with _alone(to):
        yield _led(to, own=is_own(Address(to.host, to.port)))
