"""A scenario for real: the lab's own client and server, over a socket."""

from __future__ import annotations

from labkit.net.client import exchange
from labkit.net.server import UpgradeServer
from labkit.scenario import Scenario
from labkit.trace import Trace

__all__ = ["run"]


def run(scenario: Scenario) -> Trace:
    """Run a scenario over real sockets and return what the server recorded.

    For one party speaking at a time it is the trace that `simulate` predicts.

    >>> from labkit.simulation import simulate
    >>> run(Scenario()) == simulate(Scenario())
    True
    """
    with UpgradeServer(scenario.server) as server:
        exchange(server.url, scenario.offer, scenario.say, recorded=scenario.server.limits.recorded)
        return server.trace.titled(scenario.title)
