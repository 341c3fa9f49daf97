"""A scenario for real: a client, the lab's own or another program, and the lab's server, over a socket."""

from __future__ import annotations

from labkit.net.clients import CLIENTS
from labkit.net.server import UpgradeServer
from labkit.scenario import Scenario
from labkit.trace import Trace

__all__ = ["run"]


def run(scenario: Scenario) -> Trace:
    """Run a scenario over real sockets and return what the server recorded.

    With the lab's own client, and one party speaking at a time, it is the trace that `simulate`
    predicts. Any other client runs its printed form of the offer, see `labkit.copy_as`.

    Raises:
        Absent: the client is a program that is not on this machine; none takes its place.
        WrongUse: the client cannot say this offer.

    >>> from labkit.simulation import simulate
    >>> run(Scenario()) == simulate(Scenario())
    True
    """
    with UpgradeServer(scenario.server) as server:
        return CLIENTS[scenario.client](scenario, server).titled(scenario.title)
