"""A tap: a relay on loopback that records the hop it stands on, and changes nothing."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable

from labkit.errors import WrongUse
from labkit.net.address import Address, check_loopback, parse_address
from labkit.net.listener import Engine, Listener, Turned, is_own, room
from labkit.net.wire import break_off
from labkit.parties.described import Limits
from labkit.recording import DEFAULT_LIMIT, Recording
from labkit.trace import Direction, Hop, How

__all__ = ["Tap", "relays"]

_CONNECT_TIME = 5.0  # seconds


class Tap(Listener):
    """Records whatever passes between a client and a server of yours.

    Put it in front of the server and let the client dial the tap. Bytes, ends and back-pressure are
    passed on as they come.

    Args:
        target: where the server is: HOST:PORT, or an http or ws URL of it.
        host: where to listen.
        port: 0 for any free one.
        names: what the two parties are called in the trace.
        recorded: the most bytes to keep per connection.
        traces: the most connections to keep.
        ended: called with each recording when its connection is over, in the tap's own thread.
        allow_remote: allow a target, or listening, beyond loopback.

    >>> from labkit.net.client import ask
    >>> from labkit.net.server import UpgradeServer
    >>> with UpgradeServer() as server, Tap(server.url) as tap:
    ...     _ = ask(tap.url)
    ...     tap.trace == server.trace
    True
    """

    kind = "tap"

    def __init__(  # noqa: PLR0913  all but the first by name
        self,
        target: str,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        names: tuple[str, str] = ("client", "server"),
        recorded: int = DEFAULT_LIMIT,
        traces: int = 100,
        ended: Callable[[Recording], None] = lambda _: None,
        allow_remote: bool = False,
    ) -> None:
        self.target = parse_address(target)
        if self.target.tls:
            raise WrongUse(f"{target}: a tap cannot look into TLS; record the plain side of it, or use `labkit trace`")
        check_loopback(self.target.host, allow_remote)
        if port and (host, port) == (self.target.host, self.target.port):
            raise WrongUse(f"{target}: a tap cannot point at itself; say where the server is")
        Limits(recorded=recorded, traces=traces)  # the same bounds
        super().__init__(host, port, allow_remote=allow_remote, keep=traces)
        self._hop = Hop(*names)
        self._recorded_most = recorded
        self._ended = ended

    def _factory(self, engine: Engine) -> Callable[[], asyncio.BaseProtocol]:
        hop, limit = self._hop, self._recorded_most

        def begun() -> Recording:
            recording = Recording(asyncio.get_running_loop().time, limit=limit, hop=hop)
            engine.note(recording)
            return recording

        return relays(engine, self.target, begun, self._ended)

    def _leads_home(self, depth: int) -> bool:
        return is_own(self.target, depth)


def relays(
    engine: Engine, target: Address, begun: Callable[[], Recording], ended: Callable[[Recording], None]
) -> Callable[[], asyncio.BaseProtocol]:
    """Return what makes the protocol of each connection that is relayed; it knows the engine, and no listener.

    Args:
        engine: what they are open in.
        target: where they lead.
        begun: makes the recording of each.
        ended: called with it when the connection is over.
    """

    def over(relay: _Relay) -> None:
        try:
            ended(relay.recording)
        finally:
            engine.closed(relay)

    most = room()

    def connection() -> asyncio.BaseProtocol:
        if 2 * len(engine.open) >= most:  # two descriptors each
            return Turned()
        relay = _Relay(target, begun(), over)
        engine.open.add(relay)
        return relay.client

    return connection


class _Relay:
    """Two legs joined: what comes in on one goes out on the other."""

    def __init__(self, target: Address, recording: Recording, over: Callable[[_Relay], None]) -> None:
        self.target = target
        self.recording = recording
        self._over = over
        self.client = _Leg(self, Direction.TO_SERVER)
        self.server = _Leg(self, Direction.TO_CLIENT)
        self.client.peer, self.server.peer = self.server, self.client
        self._dialling: asyncio.Task[None] | None = None

    def dial(self) -> None:
        """Connect to the server, now that a client is here; its bytes wait in the meantime."""
        self._dialling = asyncio.get_running_loop().create_task(self._dial())

    async def _dial(self) -> None:
        loop = asyncio.get_running_loop()
        assert self.client.transport is not None
        self.client.transport.pause_reading()
        try:
            async with asyncio.timeout(_CONNECT_TIME):
                await loop.create_connection(lambda: self.server, self.target.host, self.target.port)
        except (OSError, TimeoutError):
            # The client sees what it would see without the tap: a connection that is broken off.
            self.recording.end(Direction.TO_CLIENT, How.RESET)
            self.recording.end(Direction.TO_SERVER, How.RESET)
            break_off(self.client.transport)
        else:
            self.client.transport.resume_reading()

    def lost(self) -> None:
        """Take note that a leg is gone; the relay is over once both are."""
        if self.client.lost and (self.server.lost or self.server.transport is None):
            self._over(self)

    def shut(self) -> None:
        """End both legs once what they carry has gone out."""
        self._end(lambda transport: transport.close())

    def abort(self) -> None:
        """End both legs at once."""
        self._end(lambda transport: transport.abort())

    def _end(self, end: Callable[[asyncio.Transport], None]) -> None:
        if self._dialling is not None:
            self._dialling.cancel()
        for leg in (self.client, self.server):
            if leg.transport is not None:
                end(leg.transport)


class _Leg(asyncio.Protocol):
    """One connection of the relay; what it reads goes in `direction`."""

    peer: _Leg

    def __init__(self, relay: _Relay, direction: Direction) -> None:
        self._relay = relay
        self._direction = direction
        self.transport: asyncio.Transport | None = None
        self.lost = False
        self._eof = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection; the client's side dials the server."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        raw = transport.get_extra_info("socket")
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._direction is Direction.TO_SERVER:
            self._relay.dial()

    def data_received(self, data: bytes) -> None:
        """Record, and pass on."""
        self._relay.recording.add(self._direction, data)
        if self.peer.transport is not None and not self.peer.lost:
            self.peer.transport.write(data)

    def eof_received(self) -> bool:
        """Record a FIN, and pass it on; the other direction goes on."""
        self._relay.recording.end(self._direction, How.FIN)
        self._eof = True
        peer = self.peer.transport
        if peer is not None and not self.peer.lost:
            with contextlib.suppress(OSError):
                peer.write_eof()
        if self.peer._eof:  # noqa: SLF001  both directions are over
            for leg in (self, self.peer):
                if leg.transport is not None:
                    leg.transport.close()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on how it ended: a RST as a RST."""
        self.lost = True
        peer = self.peer.transport
        if exc is not None:
            self._relay.recording.end(self._direction, How.RESET)
            self._relay.recording.end(self._direction.other, How.RESET)
        if peer is not None and not self.peer.lost:
            if exc is not None:
                break_off(peer)
            else:
                peer.close()
        self._relay.lost()

    def pause_writing(self) -> None:
        """Read no more from the other leg while this one takes no more."""
        if self.peer.transport is not None and not self.peer.lost:
            self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        """Read again."""
        if self.peer.transport is not None and not self.peer.lost:
            self.peer.transport.resume_reading()
