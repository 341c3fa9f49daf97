"""What comes of a request that goes through a model of Apache: for the tests of the model."""

from __future__ import annotations

from typing import NamedTuple

from labkit.cases.outcome import Compared, outcome
from labkit.parties.described import Server
from labkit.parties.offer import Offer
from labkit.proxies.apache import Apache
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Trace

HTTP = ("proxy", "proxy_http")
WSTUNNEL = ("proxy", "proxy_wstunnel")
UPGRADE = "ProxyPass /ws/ http://backend.example.com/ upgrade=websocket"
FULL = Offer.websocket("/ws/x")
PLAIN = Offer.plain("/ws/x")


class Came(NamedTuple):
    """What came of it.

    Args:
        statuses: of the answers that the client got.
        got: the last head that the client got; None where there is none.
        seen: the heads that the server saw.
        trace: all of it.
    """

    statuses: tuple[int, ...]
    got: Compared | None
    seen: tuple[Compared, ...]
    trace: Trace

    @property
    def fields(self) -> dict[str, str]:
        """The field lines of the last head that the client got."""
        return dict(self.got.fields) if self.got else {}

    @property
    def sent(self) -> dict[str, str]:
        """The field lines of the first head that the server saw."""
        return dict(self.seen[0].fields) if self.seen else {}

    @property
    def target(self) -> str:
        """The request-target that the server saw."""
        return self.seen[0].first.split(" ")[1] if self.seen else ""


def through(text, offer=FULL, server=None, modules=None, say=("Hello",), patience=5.0) -> Came:
    """Send an offer through a model of Apache, to a server in memory."""
    proxy = Apache(text, modules=modules)
    trace = simulate(Scenario(offer, say, via=(proxy,), server=server or Server(), patience=patience))
    found = outcome(trace)
    seen = found.seen if len(trace.hops) > 1 else ()
    statuses = tuple(int(each.first.split(" ")[1]) for each in found.got)
    return Came(statuses, found.got[-1] if found.got else None, seen, trace)


def raw(target: str, *lines: str, method: str = "GET", version: str = "HTTP/1.1") -> Offer:
    """Return a request with just these field lines."""
    return Offer.of_bytes(
        "".join(f"{line}\r\n" for line in (f"{method} {target} {version}", *lines, "")).encode("latin-1")
    )
