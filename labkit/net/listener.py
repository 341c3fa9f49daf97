"""What listens on loopback: a thread, a socket, the recordings of its connections, and a sure end."""

from __future__ import annotations

import asyncio
import errno
import socket
import threading
import weakref
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol, Self, cast

from labkit.errors import Failed, WrongUse
from labkit.net.address import Address, check_loopback, place
from labkit.net.loop import LoopThread
from labkit.recording import Recording
from labkit.trace import Trace

try:
    import resource
except ImportError:  # Windows has no such limit
    resource = None  # type: ignore[assignment]

__all__ = ["Engine", "Listener", "Turned", "Watch", "is_own", "recorder_at", "room", "running", "stop_all"]

_MOST_OPEN = 5000
"""Connections at once, whatever the limits say; one more is broken off at once."""


def room() -> int:
    """Return how many connections this process can hold, with descriptors to spare for its own work."""
    if resource is None:
        return _MOST_OPEN
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST_OPEN if soft == resource.RLIM_INFINITY else min(_MOST_OPEN, soft * 3 // 4)


_RUNNING: weakref.WeakSet[Listener] = weakref.WeakSet()
_KNOWING = threading.Lock()  # held while _RUNNING changes or is gone through: threads start listeners, too
_START_TIME = 5.0  # seconds to bind and listen
_GOODBYE_TIME = 0.2  # seconds for the connections of a stopping listener to end
_ROUNDS = 20  # a handler that wakes another one, which writes, takes a few
_MOST_TAPS = 8  # one behind the other: two that point at each other never end
_FIRST_TIME = 0.2  # seconds to wait for the first connection: whoever made it may be ahead of the listener
_TRACE_TIME = 2.0  # seconds to wait for a connection to end before its trace is taken as it is


class Connection(Protocol):
    """What is open: it can be ended in two ways."""

    def shut(self) -> None:
        """Say goodbye and close."""

    def abort(self) -> None:
        """Close at once."""


class Engine:
    """What runs: it outlives no listener, and knows of none, so that a forgotten one can be collected.

    Args:
        name: of the thread.
        recordings: where to keep them; the oldest goes where there are too many.
        uvloop: whether its event loop is uvloop's.
    """

    def __init__(self, name: str, recordings: deque[Recording], *, uvloop: bool = False) -> None:
        self.thread = LoopThread(name, self._close, uvloop=uvloop)
        self.recordings = recordings
        self.changed = threading.Condition()
        self.server: asyncio.Server | None = None
        self.held: socket.socket | None = None
        self.open: set[Connection] = set()
        self.stopping = False

    def note(self, recording: Recording) -> None:
        """Keep a recording."""
        with self.changed:
            self.recordings.append(recording)
            self.changed.notify_all()

    def closed(self, connection: Connection) -> None:
        """Take note that a connection is over, and tell whoever waits for that."""
        self.open.discard(connection)
        with self.changed:
            self.changed.notify_all()

    async def _close(self) -> None:
        """Stop listening; let every connection say goodbye, then end those that do not."""
        self.stopping = True
        if self.server is not None:
            self.server.close()
        if self.held is not None:
            self.held.close()
        for connection in list(self.open):
            connection.shut()
        await self._emptied()
        for connection in list(self.open):
            connection.abort()
        await self._emptied()

    async def _emptied(self) -> None:
        for _ in range(100):
            if not self.open:
                break
            await asyncio.sleep(_GOODBYE_TIME / 100)


class Watch:
    """Tells of the connections that are made from now on, whoever makes them."""

    def __init__(self, engine: Engine, kind: str) -> None:
        self._engine = engine
        self._before = set(engine.recordings)
        self._note = f"recorded by the {kind}"

    def so_far(self) -> Trace | None:
        """Return what the newest of them carried until now, without waiting; None where there is none yet."""
        with self._engine.changed:
            made = self._made()
        return made[-1].trace() if made else None

    @property
    def over(self) -> bool:
        """Whether the newest of them has ended."""
        with self._engine.changed:
            made = self._made()
        return bool(made) and made[-1].ended

    def traces(self) -> tuple[Trace, ...]:
        """Return what they carried, the oldest first; waits a moment for the first of them, and for their ends."""
        engine = self._engine
        with engine.changed:
            engine.changed.wait_for(self._made, _FIRST_TIME)
            made = self._made()
            engine.changed.wait_for(lambda: engine.stopping or all(each.ended for each in made), _TRACE_TIME)
        return tuple(each.trace(note=self._note) for each in made)

    def _made(self) -> list[Recording]:
        return [each for each in self._engine.recordings if each not in self._before]


class Turned(asyncio.Protocol):
    """A connection that is broken off as soon as it is made: too many are open."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Break off."""
        cast("asyncio.Transport", transport).abort()  # uvloop's is one in all but name


class Listener(ABC):
    """Something that listens: start it with `with`, or with `start()` and `stop()`.

    Starting on a port that another listener of this process holds stops that one first, so that a cell
    can be run again.
    """

    kind = "listener"
    records = True
    """Whether it keeps traces."""
    listens = True
    """Whether connections are taken; where not, its port is only held, and they are refused."""
    uvloop = False
    """Whether its event loop is uvloop's, not asyncio's own."""

    def __init__(self, host: str, port: int, *, allow_remote: bool, keep: int) -> None:
        check_loopback(host, allow_remote)
        if not isinstance(port, int) or not 0 <= port < 1 << 16:
            raise WrongUse(f"a port is a number from 0 (any free one) to 65535, not {port!r}")
        self.host = host
        self._wanted = port
        self._recordings: deque[Recording] = deque(maxlen=keep)
        self._engine: Engine | None = None
        self._port: int | None = None
        self._finalizer: weakref.finalize[Any, Any] | None = None

    @abstractmethod
    def _factory(self, engine: Engine) -> Callable[[], asyncio.BaseProtocol]:
        """Return what makes the protocol of each connection; it must not hold on to this listener."""

    def start(self) -> Self:
        """Start; a second start does nothing, one after a stop starts anew and keeps the traces.

        Raises:
            Failed: the port is taken by another program, or the address cannot be had.
        """
        if self.running:
            return self
        _free(self.host, self._wanted)
        engine = Engine(f"labkit {self.kind}", self._recordings, uvloop=self.uvloop)
        engine.thread.start()
        try:
            factory = self._factory(engine) if self.listens else None
            self._port = engine.thread.run(_listen(engine, factory, self.host, self._wanted), _START_TIME)
        except BaseException as error:
            engine.thread.stop()
            if isinstance(error, (OSError, TimeoutError)):
                raise Failed(_why_not(self.host, self._wanted, error)) from None
            raise
        self._engine = engine
        self._finalizer = weakref.finalize(self, engine.thread.stop)
        with _KNOWING:
            _RUNNING.add(self)
        return self

    def stop(self) -> None:
        """Stop listening and end every connection; the traces stay. Stopping twice does nothing."""
        with _KNOWING:
            _RUNNING.discard(self)
        if self._finalizer is not None:
            self._finalizer()
            self._finalizer = None

    @property
    def running(self) -> bool:
        """Whether it listens."""
        return self._finalizer is not None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The port it listens on."""
        if self._port is None:
            raise Failed(f"this {self.kind} was not started: use `with`, or call start()")
        return self._port

    @property
    def url(self) -> str:
        """Its address as an http URL."""
        return f"http://{place(self.host, self.port)}/"

    @property
    def traces(self) -> tuple[Trace, ...]:
        """What every connection carried so far, the oldest first."""
        return tuple(recording.trace(note=f"recorded by the {self.kind}") for recording in self.recordings)

    @property
    def recordings(self) -> tuple[Recording, ...]:
        """What its connections were recorded in, the oldest first."""
        if self._engine is None:
            return ()
        with self._engine.changed:
            return tuple(self._engine.recordings)

    @property
    def trace(self) -> Trace:
        """What the newest connection carried; waits a moment for it to end.

        Raises:
            WrongUse: nothing has connected yet, or nothing is recorded.
        """
        engine = self._engine
        if engine is None or not self._recorded():
            raise WrongUse(f"there is no trace: nothing has connected to this {self.kind}, or it does not record")
        with engine.changed:
            newest = engine.recordings[-1]
            engine.changed.wait_for(lambda: newest.ended or not self.running, _TRACE_TIME)
        return newest.trace(note=f"recorded by the {self.kind}")

    def go_round(self) -> None:
        """Wait until its event loop has gone round a few times: what was ready in it has been done by then."""
        if self._engine is not None and self.running:
            self._engine.thread.run(_rounds(), _START_TIME)

    def watch(self) -> Watch:
        """Return what tells of the connections made from now on.

        Raises:
            WrongUse: it was never started.
        """
        if self._engine is None:
            raise WrongUse(f"this {self.kind} was not started: there is nothing to watch")
        return Watch(self._engine, self.kind)

    def _leads_home(self, depth: int) -> bool:  # noqa: ARG002  a tap asks further
        """Whether it is the lab's own server that answers here."""
        return True

    def _recorded(self) -> bool:
        engine = self._engine
        if engine is None:
            return False
        with engine.changed:
            return engine.changed.wait_for(lambda: bool(engine.recordings), _FIRST_TIME if self.running else 0)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'running' if self.running else 'stopped'}>"


async def _rounds() -> None:
    for _ in range(_ROUNDS):
        await asyncio.sleep(0)


async def _listen(engine: Engine, factory: Callable[[], Any] | None, host: str, port: int) -> int:
    loop = asyncio.get_running_loop()
    if factory is None:
        engine.held = socket.socket(_family(host))
        engine.held.bind((host, port))
        return int(engine.held.getsockname()[1])
    server = await loop.create_server(factory, host, port, family=_family(host), backlog=128)
    engine.server = server
    name = server.sockets[0].getsockname()
    return int(name[1])


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _free(host: str, port: int) -> None:
    """Stop the listener of this process that holds an address, if one does."""
    for other in _listeners():
        if port and _holds(other, host, port):
            other.stop()


def _why_not(host: str, port: int, error: Exception) -> str:
    where = f"{host}:{port}"
    if isinstance(error, PermissionError):
        return f"cannot listen on {where}: ports below 1024 are for root; choose a higher one, or 0 for any free one"
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"cannot listen on {where}: another program holds this port; choose another, or 0 for any free one"
    return f"cannot listen on {where}: {error}"


def _listeners() -> list[Listener]:
    with _KNOWING:
        return list(_RUNNING)


def running() -> tuple[Listener, ...]:
    """Return what listens in this process."""
    return tuple(each for each in _listeners() if each.running)


def recorder_at(address: Address) -> Listener | None:
    """Return the listener of this process at an address, if there is one, and it keeps traces."""
    return next((each for each in running() if each.records and _holds(each, address.host, address.port)), None)


def is_own(address: Address, depth: int = 0) -> bool:
    """Tell whether the lab's own server of this process answers at an address, be it through a few taps."""
    holders = (each for each in _listeners() if _holds(each, address.host, address.port))
    return depth < _MOST_TAPS and any(each._leads_home(depth + 1) for each in holders)  # noqa: SLF001  one room


def _holds(listener: Listener, host: str, port: int) -> bool:
    same = host in (listener.host, "localhost") or listener.host in ("0.0.0.0", "::")  # noqa: S104  compared only
    return same and listener._port == port  # noqa: SLF001  one room


def stop_all() -> None:
    """Stop every server and tap of this process; what they recorded stays."""
    for listener in _listeners():
        listener.stop()
