from __future__ import annotations

import pytest

from labkit.bench.passing import Passing
from labkit.bench.proxied import simulated
from labkit.net.model_proxy import ModelProxy
from labkit.parties.described import Server
from labkit.parties.offer import Offer
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Direction
from tests.net.peer import Peer
from tests.parties.driving import head, statuses
from tests.proxies.plain import PlainProxy

ASK, REPLY = Direction.TO_SERVER, Direction.TO_CLIENT


def test_it_changes_nothing() -> None:
    """Both hops carry the same bytes, with a switch and without."""
    for offer in (Offer.websocket(), Offer.plain(), Offer.websocket().with_field("Expect", "100-continue")):
        trace = simulate(Scenario(offer, via=(Passing(),)))
        assert [trace.stream(way, 0) for way in Direction] == [trace.stream(way, 1) for way in Direction]
    assert (Passing().notes, Passing().upstreams) == ((), ())


@pytest.mark.parametrize(
    ("settings", "status"),
    [({"listens": False}, 502), ({"faults": ("garbage",)}, 502), ({"faults": ("interim=103",)}, 103)],
)
def test_what_goes_wrong_is_answered(settings: dict[str, object], status: int) -> None:
    """It answers for a server that is not there, or that speaks nonsense."""
    trace = simulate(Scenario(via=(Passing(),), server=Server(**settings)))
    assert statuses(trace.stream(REPLY))[0] == status


@pytest.mark.parametrize(("sent", "status"), [(b"nonsense\r\n\r\n", 400), (head()[:9], 400)])
def test_what_is_no_request_is_refused(sent: bytes, status: int) -> None:
    """What cannot be read, and what is cut short, gets a 400."""
    with ModelProxy(Passing(), "127.0.0.1:1") as proxy, Peer(proxy) as peer:
        peer.send(sent)
        peer.fin()
        assert statuses(peer.rest()) == [status]


def test_any_proxy_can_be_measured() -> None:
    """The measurement takes the proxy, and names it."""
    [row] = simulated(PlainProxy(""), quick=True)
    assert row.figure.name == "one exchange simulated through plain"
