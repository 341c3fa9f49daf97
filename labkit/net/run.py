"""A scenario for real: a client, the lab's own or another program, proxies, and the lab's server, over sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

from labkit.errors import WrongUse
from labkit.gathering import Gathering
from labkit.net.address import place
from labkit.net.clients import CLIENTS
from labkit.net.gathered import gathered
from labkit.net.legs import together
from labkit.net.listener import Listener
from labkit.net.model_proxy import ModelProxy
from labkit.net.real_proxy import RealProxy
from labkit.net.server import UpgradeServer
from labkit.proxies.described import Proxy
from labkit.scenario import Scenario
from labkit.trace import Trace

__all__ = ["run"]


def run(scenario: Scenario | Gathering, proxies: str = "real") -> Trace:
    """Run a scenario over real sockets and return what was recorded: by the server, and of each hop before it.

    Or a gathering: its clients' steps in the same order, each let settle, as the server recorded them.

    With the lab's own client, and one party speaking at a time, it is the trace that `simulate`
    predicts. Any other client runs its printed form of the offer, see `labkit.copy_as`.

    Args:
        scenario: who asks, what stands between, who answers; or several clients and what they do.
        proxies: "real" to start the program of each proxy, "model" to let its model stand in, on sockets.

    Raises:
        Absent: the client or a proxy is a program that is not on this machine; none takes its place.
        Failed: a proxy's program does not start, in its own words; or nothing listens, and no proxy is asked.
        Unmodelled: no model answers for a proxy, or for a directive of it.
        WrongUse: the client cannot say this offer.

    >>> from labkit.simulation import simulate
    >>> run(Scenario()) == simulate(Scenario())
    True
    """
    if not isinstance(scenario, Scenario | Gathering):
        raise WrongUse(f"what is run is a Scenario, not {scenario!r}")
    if not isinstance(proxies, str) or proxies not in _STAND:
        raise WrongUse(f'proxies is "real" or "model", not {proxies!r}')
    if isinstance(scenario, Gathering):
        return gathered(scenario)
    ask, most = CLIENTS[scenario.client], scenario.server.limits.recorded
    with UpgradeServer(scenario.server) as server:
        if not scenario.via:
            return ask(scenario, server).titled(scenario.title)
        chain: list[Listener] = [server]
        with ExitStack() as stack:
            for at in reversed(range(len(scenario.via))):
                stand = _STAND[proxies](scenario.via[at], chain[0], scenario.parties[at : at + 2], most)
                chain.insert(0, stack.enter_context(stand))
            seen = ask(scenario, chain[0])
            names = (seen.hops[0].client, *scenario.parties[1:])
            said = "; ".join(dict.fromkeys(_ran(chain, seen)))
            trace = together(chain, names, said) if chain[0].recordings else Trace((), note=said)
    return _with_logs(trace, chain).titled(scenario.title)


def _real(proxy: Proxy, behind: Listener, names: tuple[str, ...], most: int) -> Listener:
    return RealProxy(proxy, behind, names=(names[0], names[1]), recorded=most)


def _model(proxy: Proxy, behind: Listener, names: tuple[str, ...], most: int) -> Listener:
    return ModelProxy(proxy, place(behind.host, behind.port), names=(names[0], names[1]), recorded=most)


_STAND: dict[str, Callable[[Proxy, Listener, tuple[str, ...], int], Listener]] = {"real": _real, "model": _model}
"""What stands for a proxy, by what `run` is told."""


def _ran(chain: list[Listener], seen: Trace) -> Iterator[str]:
    """Say who took part, and how: each proxy with its version, and what the client made of it."""
    for each in chain:
        if isinstance(each, RealProxy):
            yield each.started.named
        elif isinstance(each, ModelProxy):
            yield f"{each.described.name}, the model of {each.model.version}"
    yield from (part for part in seen.note.split("; ") if not part.startswith("recorded by"))


def _with_logs(trace: Trace, chain: list[Listener]) -> Trace:
    """Return a trace with what the logs of the programs say; they are whole once the programs have ended."""
    for each in chain:
        if isinstance(each, RealProxy) and each.started.said:
            trace = trace.noted(f"{each.described.name} says: {'; '.join(each.started.said)}")
    return trace
