"""A real proxy as a notebook has it: any client dials it, and every hop is recorded."""

from __future__ import annotations

import os
import signal

import pytest

import labkit
from labkit.dissection import dissect
from labkit.errors import Failed, WrongUse
from labkit.net.client import ask
from labkit.net.curl import curl
from labkit.net.listener import stop_all
from labkit.net.ports import answers
from labkit.net.real_proxy import RealProxy
from labkit.net.server import UpgradeServer
from labkit.parties.offer import Offer
from labkit.trace import Direction
from labkit.wire.upgrade import SAMPLE_KEY
from tests.net.peer import Peer
from tests.net.proxies import EACH, EVERY, SPOILT, needs
from tests.net.test_server import until

pytestmark = needs("haproxy")
PROXY = EACH["haproxy"]


@pytest.mark.parametrize("name", EVERY)
def test_every_hop_is_recorded(name: str):
    """The lab's client asks with the RFC's own key, and both hops are one trace."""
    with UpgradeServer() as server, RealProxy(EACH[name], to=server) as proxy:
        ask(proxy.url)
        trace = proxy.trace
    own = EACH[name].name
    assert [(hop.client, hop.server) for hop in trace.hops] == [("client", own), (own, "server")]
    assert all(SAMPLE_KEY.encode() in trace.stream(Direction.TO_SERVER, hop) for hop in (0, 1))
    assert trace.note == f"{own} {proxy.started.program.version}, real"
    assert b"server.example.com" in trace.stream(Direction.TO_SERVER, 1)


def test_a_server_of_its_own_is_started_where_none_runs():
    """Unless told, the one server that runs is behind it, or one that comes and goes with it."""
    with RealProxy(PROXY) as proxy:
        assert dissect(ask(proxy.url)).status == 101
        behind = proxy.chain[-1]
        assert behind.running
    assert not behind.running
    with UpgradeServer() as server, RealProxy(PROXY) as proxy:
        assert proxy.chain == (proxy, server)
    with UpgradeServer(), UpgradeServer(), pytest.raises(WrongUse, match="2 servers run here"):
        RealProxy(PROXY).start()


def test_a_server_of_somebodys_is_recorded_by_a_tap():
    """HOST:PORT of any server on this machine may be behind it."""
    with UpgradeServer(record=False) as server, RealProxy(PROXY, to=f"127.0.0.1:{server.port}") as proxy:
        ask(proxy.url)
        assert len(proxy.trace.hops) == 2
        assert dissect(proxy.trace).status == 101


def test_proxies_stand_behind_each_other():
    """A proxy may be behind a proxy; the second of a kind is numbered."""
    with UpgradeServer() as server, RealProxy(PROXY, to=server) as far, RealProxy(PROXY, to=far) as near:
        ask(near.url)
        assert [hop.server for hop in near.trace.hops] == ["haproxy", "haproxy 2", "server"]
        assert len(far.trace.hops) == 2


@needs("curl")
def test_curl_goes_through_it():
    """A client that knows nothing of the lab is recorded like any other."""
    with UpgradeServer(ignore=True) as server, RealProxy(PROXY, to=server) as proxy:
        ran = curl(proxy.url, Offer.plain())
        assert ran.status == 200
        assert len(proxy.trace.hops) == 2


def test_it_can_be_stopped_and_started_again():
    """It is a listener: stopped twice, started anew, and stopped with all others; what it said stays."""
    proxy = RealProxy(PROXY)
    assert not proxy.running
    with pytest.raises(WrongUse, match="was not started"):
        proxy.started  # noqa: B018  it is asked for
    first = proxy.start().started.port
    assert proxy.start() is proxy
    proxy.stop()
    proxy.stop()
    assert not answers(first)
    with proxy:
        ask(proxy.url)
        assert until(lambda: "GET / HTTP/1.1" in proxy.log)  # the program writes it once all is over
        assert "server one 127.0.0.1:" in proxy.text
        stop_all()
        assert not answers(proxy.started.port)
    assert "GET / HTTP/1.1" in proxy.log
    assert dissect(proxy.trace).status == 101


@pytest.mark.parametrize("name", EVERY)
def test_one_that_dies_in_mid_tunnel_is_seen(name: str):
    """The client's connection is broken off or closed, and the trace says by whom."""
    with UpgradeServer() as server, RealProxy(EACH[name], to=server) as proxy, Peer(proxy) as peer:
        peer.send(Offer.websocket().to_bytes())
        assert peer.read(12) == b"HTTP/1.1 101"
        os.killpg(proxy.started.pid, signal.SIGKILL)
        peer.read(1 << 16)
        trace = proxy.trace
    assert trace.end(Direction.TO_CLIENT, 0) in ("fin", "reset")
    assert proxy.started.said[-1].startswith("it ended by itself, by signal 9")


def test_what_does_not_start_leaves_nothing():
    """Where the program does not start, neither does the listener."""
    proxy = RealProxy(SPOILT["haproxy"])
    with pytest.raises(Failed, match="does not start"):
        proxy.start()
    assert not proxy.running
    assert labkit.RealProxy is RealProxy


def test_what_is_no_proxy_and_what_is_no_server_is_told():
    """Wrong arguments are told when it is made, or started."""
    with pytest.raises(WrongUse, match="is a proxy, such as Nginx"):
        RealProxy("server one app:3000")
    with pytest.raises(WrongUse, match="to is an UpgradeServer, what else listens, or HOST:PORT, not 5"):
        RealProxy(PROXY, to=5).start()
    with UpgradeServer(record=False) as server, pytest.raises(WrongUse, match="to keep traces"):
        RealProxy(PROXY, to=server).start()
    with pytest.raises(WrongUse, match="is to run"):
        RealProxy(PROXY, to=UpgradeServer()).start()
