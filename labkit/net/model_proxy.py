"""A model of a proxy on real sockets: the very party of the simulation, between a client and a server of yours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from labkit.errors import WrongUse
from labkit.net.address import Address, check_loopback, parse_address
from labkit.net.listener import Engine, Listener, Turned, is_own, room
from labkit.net.wire import Wire
from labkit.parties.described import Limits
from labkit.parties.party import Driver, Far
from labkit.proxies.described import Proxy
from labkit.proxies.gateway import ProxyParty
from labkit.proxies.model import Model, Trouble
from labkit.recording import DEFAULT_LIMIT, Recording
from labkit.trace import Direction, Hop

__all__ = ["ModelProxy"]


class ModelProxy(Listener):
    """A proxy as its model has it, listening on loopback; it records the hop to its client.

    Every upstream of the configuration is answered by `target`, which records its own hop, if it is the lab's.

    Args:
        described: the proxy, such as `Nginx(text)`.
        target: where the server is: HOST:PORT, or a URL of it.
        host: where to listen.
        port: 0 for any free one.
        names: what the two parties are called in the trace.
        recorded: the most bytes to keep per connection.

    Raises:
        Unmodelled: there is no model of it, or a directive could matter that the model does not know.
    """

    kind = "proxy"

    def __init__(
        self,
        described: Proxy,
        target: str,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        names: tuple[str, str] | None = None,
        recorded: int = DEFAULT_LIMIT,
    ) -> None:
        if not isinstance(described, Proxy):
            raise WrongUse(f"described is a proxy, such as Nginx(text), not {described!r}")
        self.described = described
        self.model = described.model()
        self.target = parse_address(target)
        check_loopback(self.target.host, allow_remote=False)
        if self.target.tls:
            raise WrongUse(f"{target}: the models speak plain HTTP to what is behind them; give an http URL")
        if port and (host, port) == (self.target.host, self.target.port):
            raise WrongUse(f"{target}: a proxy cannot point at itself; say where the server is")
        Limits(recorded=recorded)  # the same bound
        super().__init__(host, port, allow_remote=False, keep=100)
        self._hop = Hop(*(names or ("client", described.name)))
        self._recorded_most = recorded

    def _factory(self, engine: Engine) -> Callable[[], asyncio.BaseProtocol]:
        return _Doorway(engine, self.model, self.target, self._hop, self._recorded_most)

    def _leads_home(self, depth: int) -> bool:
        return is_own(self.target, depth)


class _Doorway:
    """Makes the protocol of each connection, and dials for it; it knows the engine, not the listener."""

    def __init__(self, engine: Engine, model: Model, target: Address, hop: Hop, recorded: int) -> None:
        self._engine = engine
        self._model = model
        self._target = target
        self._hop = hop
        self._recorded_most = recorded
        self._most = room()
        self._dialling: set[asyncio.Task[None]] = set()

    def __call__(self) -> asyncio.BaseProtocol:
        engine = self._engine
        if len(engine.open) + len(self._dialling) + 2 > self._most:  # two descriptors for this one
            return Turned()
        recording = Recording(asyncio.get_running_loop().time, limit=self._recorded_most, hop=self._hop)
        engine.note(recording)
        wire = Wire(partial(ProxyParty, self._model), Direction.TO_CLIENT, recording, self._ended, self._dial)
        engine.open.add(wire)
        return wire

    def _ended(self, wire: Wire) -> None:
        if wire.recording is not None:
            wire.recording.note = wire.party.problem or wire.recording.note
        self._engine.closed(wire)

    def _dial(self, _: str, far: Far) -> Callable[[], object]:
        task = asyncio.get_running_loop().create_task(self._connect(far))
        self._dialling.add(task)
        task.add_done_callback(self._dialling.discard)
        return task.cancel

    async def _connect(self, far: Far) -> None:
        """Connect; the machine keeps the time, and gives this up."""

        def connected(driver: Driver) -> Far:
            self._engine.open.add(wire)
            far.connected(driver)
            return far

        wire = Wire(connected, Direction.TO_SERVER, None, self._ended)
        try:
            loop = asyncio.get_running_loop()
            await loop.create_connection(lambda: wire, self._target.host, self._target.port)
        except TimeoutError:  # the kernel's
            far.unreached(Trouble.UNREACHABLE)
        except OSError:
            far.unreached(Trouble.REFUSED)
