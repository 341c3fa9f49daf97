"""Where a program is to dial, so that what it says is recorded: the lab's own server, or a tap before another's.

    own server, recording     program ──────────▶ server
    anything else             program ──▶ tap ──▶ server

A program is started with the listener's address, and the traces of its run are asked of it afterwards.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from labkit.errors import WrongUse
from labkit.net.address import Address, check_loopback
from labkit.net.listener import Listener, Watch, is_own, recorder_at, running
from labkit.net.server import UpgradeServer
from labkit.net.tap import Tap
from labkit.parties.described import Server
from labkit.trace import Trace

__all__ = ["Reached", "in_place", "reach"]


_PASSING: weakref.WeakSet[Listener] = weakref.WeakSet()
"""Servers that were started for one run alone: no other thread's run may take them for its own."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What a program dials.

    Args:
        listener: the recording listener; it runs as long as the `with` block.
        own: whether the lab's own server answers in the end; towards any other, keys are drawn fresh.
        watch: tells of the connections that the program makes.
    """

    listener: Listener
    own: bool
    watch: Watch

    def traces(self) -> tuple[Trace, ...]:
        """Return what the program's connections carried, the oldest first; to be called once it ended."""
        return self.watch.traces()


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
        yield Reached(listener, is_own(address), listener.watch())
        return
    host = f"[{address.host}]" if ":" in address.host else address.host
    with Tap(f"{host}:{address.port}", allow_remote=allow_remote) as tap:
        yield Reached(tap, is_own(address), tap.watch())


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
        servers = [each for each in running() if isinstance(each, UpgradeServer) and each not in _PASSING]
        if len(servers) > 1:
            raise WrongUse(f"{len(servers)} servers run here: say which is meant with to=")
        if not servers:
            own = UpgradeServer(told)
            _PASSING.add(own)
            with own:
                yield Reached(own, own=True, watch=own.watch())
            return
        to = servers[0]
    if not isinstance(to, Listener) or not to.running:
        raise WrongUse(f"to is a running UpgradeServer or Tap, not {to!r}")
    if not to.records:
        raise WrongUse("this server keeps no traces: start it without record=False")
    yield Reached(to, is_own(Address(to.host, to.port)), to.watch())
