"""A real proxy that listens: the program of a configuration, with a tap before it, and every hop recorded.

client ─▶ tap ─▶ nginx ─▶ the lab's server, or the next proxy of a chain
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextlib import ExitStack
from typing import Self

from labkit.errors import WrongUse
from labkit.net.address import Address, place
from labkit.net.legs import together
from labkit.net.listener import Listener, is_own
from labkit.net.reach import NOBODY, standing
from labkit.net.real import Started, start
from labkit.net.server import UpgradeServer
from labkit.net.tap import Tap
from labkit.proxies.described import Proxy
from labkit.recording import DEFAULT_LIMIT, Recording
from labkit.scenario import Scenario
from labkit.trace import Trace

__all__ = ["RealProxy"]


class RealProxy(Tap):
    """The real program of a configuration, before a server: started on a free port of 127.0.0.1, and recorded.

    Any client may dial `url`; `trace` is what crossed on every hop. Every upstream of the configuration is `to`,
    which may be another `RealProxy`.

    Args:
        described: the proxy, such as `Nginx(text)`.
        to: the server, or what else listens, behind it; or HOST:PORT of a server of yours. Unless told the one
            server that runs, and where none does, one that is started with it.
        port: 0 for any free one.
        names: what the client and the proxy are called in its own traces.
        recorded: the most bytes to keep per connection.
        ended: called with each recording of a client's connection when it is over.

    Raises:
        Absent: the program is not on this machine.
        Failed: it does not start; in its own words.
        WrongUse: several servers run, and none was named.

    >>> from labkit.net.client import ask
    >>> from labkit.net.programs import find
    >>> from labkit.proxies.haproxy import Haproxy
    >>> if find("haproxy"):
    ...     with UpgradeServer() as server, RealProxy(Haproxy("server one app:3000"), to=server) as proxy:
    ...         _ = ask(proxy.url)
    ...         assert [hop.server for hop in proxy.trace.hops] == ["haproxy", "server"]
    """

    kind = "proxy"

    def __init__(
        self,
        described: Proxy,
        to: Listener | str | None = None,
        *,
        port: int = 0,
        names: tuple[str, str] | None = None,
        recorded: int = DEFAULT_LIMIT,
        ended: Callable[[Recording], None] = lambda _: None,
    ) -> None:
        Scenario(via=(described,))  # what is no proxy is told
        super().__init__(NOBODY, port=port, names=names or ("client", described.name), recorded=recorded, ended=ended)
        self.described = described
        self._to = Tap(to, recorded=recorded) if isinstance(to, str) else to
        self._behind: Listener | None = None
        self._started: Started | None = None
        self._end: Callable[[], object] = lambda: None

    def start(self) -> Self:
        """Start the program, and listen before it; see `Listener.start`."""
        if self.running:
            return self
        stack = ExitStack()
        try:
            behind = self._behind = self._far(stack)
            there = place(behind.host, behind.port)
            self._started = stack.enter_context(start(self.described, there, listens=behind.listens))
            self.target = Address("127.0.0.1", self._started.port)
            super().start()
        except BaseException:
            stack.close()
            raise
        self._end = weakref.finalize(self, stack.close)
        return self

    def _far(self, stack: ExitStack) -> Listener:
        """Return what is behind the program; it is started where nobody else has."""
        to = self._to
        if to is None:
            servers = standing()
            if len(servers) > 1:
                raise WrongUse(f"{len(servers)} servers run here: say which is meant with to=")
            return servers[0] if servers else stack.enter_context(UpgradeServer())
        if not isinstance(to, Listener):
            raise WrongUse(f"to is an UpgradeServer, what else listens, or HOST:PORT, not {to!r}")
        if isinstance(to, Tap) and not to.running:
            stack.enter_context(to)
        if not to.running or not to.records:
            raise WrongUse("what is behind a proxy is to run, and to keep traces: start it, without record=False")
        return to

    def stop(self) -> None:
        """Stop listening, and end the program; the traces and its log stay."""
        super().stop()
        self._end()

    @property
    def started(self) -> Started:
        """The program as it runs, or ran: its version, its configuration, its log.

        Raises:
            WrongUse: it was never started.
        """
        if self._started is None:
            raise WrongUse("this proxy was not started: use `with`, or call start()")
        return self._started

    @property
    def text(self) -> str:
        """The whole configuration that the program was given."""
        return self.started.text

    @property
    def log(self) -> str:
        """What the program has said so far."""
        return self.started.log

    @property
    def chain(self) -> tuple[Listener, ...]:
        """What records each hop, from the client's end."""
        behind = self._behind
        more = behind.chain if isinstance(behind, RealProxy) else (behind,) if behind is not None else ()
        return (self, *more)

    @property
    def trace(self) -> Trace:
        """What the newest connection of a client carried, on every hop; waits a moment for it to end.

        Raises:
            WrongUse: nothing has connected yet.
        """
        proxies = [each for each in self.chain if isinstance(each, RealProxy)]
        parties = Scenario(via=tuple(each.described for each in proxies)).parties
        return together(self.chain, parties, "; ".join(each.started.named for each in proxies))

    def _leads_home(self, depth: int) -> bool:
        behind = self._behind
        return behind is not None and is_own(Address(behind.host, behind.port), depth)
