import os

import pytest

from labkit.dissection import dissect
from labkit.dissection.pairing import pairs
from labkit.errors import Failed, Unmodelled, WrongUse
from labkit.net.client import ask
from labkit.net.programs import find
from labkit.net.real_proxy import RealProxy
from labkit.net.run import run
from labkit.net.server import UpgradeServer
from labkit.parties.described import Server
from labkit.parties.offer import Offer
from labkit.scenario import CLIENTS, Scenario
from labkit.simulation import simulate
from labkit.trace import Direction
from tests.net.peer import Peer
from tests.net.proxies import BY_SOCKET, EACH, EVERY, needs
from tests.net.scenarios import ALL, DECLINED, GOOD
from tests.proxies.plain import PlainProxy


@pytest.mark.parametrize("name", ALL)
def test_what_is_predicted_is_what_happens(name):
    """In memory and over sockets the same parties give the same trace."""
    predicted, observed = simulate(ALL[name]), run(ALL[name])
    for way in Direction:
        assert observed.stream(way) == predicted.stream(way)
        assert observed.end(way) == predicted.end(way)
    assert observed == predicted


@pytest.mark.parametrize("name", GOOD)
def test_the_good_ones_switch(name):
    """The scenarios that ought to switch do."""
    assert dissect(simulate(GOOD[name])).outcome == "switched"


@pytest.mark.parametrize("name", DECLINED)
def test_the_others_do_not(name):
    """The scenarios that ought to be declined are, and both sides still end in good order."""
    trace = simulate(DECLINED[name])
    assert dissect(trace).outcome != "switched"
    assert {trace.end(way) for way in Direction} == {"fin"}


SIZE = len(Offer.websocket().to_bytes())


def test_an_offer_cut_at_any_byte_is_the_same_offer():
    """Whichever byte a segment ends at, the trace is that of the whole; in memory at every byte, over sockets at some."""
    whole = simulate(Scenario())
    assert all(simulate(Scenario(Offer.websocket().cut(at))) == whole for at in range(1, SIZE))
    with UpgradeServer() as server:
        for at in range(1, SIZE, 11):
            ask(server.url, Offer.websocket().cut(at))
            assert server.trace == whole


def test_the_title_is_the_scenarios():
    """What is run is called what it was called."""
    assert run(Scenario(title="One echo")).title == "One echo"


@pytest.mark.parametrize("name", EVERY)
def test_a_proxy_stands_between_for_real(name):
    """The trace has both hops, in order, and says what ran; the offer goes through as it was made."""
    trace = run(Scenario(Offer.websocket("/chat"), via=[EACH[name]], title="Through"))
    own = EACH[name].name
    assert [(hop.client, hop.server) for hop in trace.hops] == [("client", own), (own, "server")]
    assert dissect(trace).status == dissect(trace).hops[1].exchange.status == 101
    assert trace.stream(Direction.TO_SERVER).startswith(b"GET /chat HTTP/1.1\r\nHost: server.example.com\r\n")
    assert trace.note == f"{own} {find(name).version}, real"
    assert trace.title == "Through"
    assert [dissect(trace).hops[hop].frames(Direction.TO_CLIENT).count for hop in (0, 1)] == [2, 2]


@pytest.mark.parametrize("name", EVERY)
def test_a_dead_server_behind_a_proxy_is_told_in_its_words(name):
    """The proxy answers itself, the far hop is not there, and its log says why."""
    trace = run(Scenario(via=[EACH[name]], server=Server(listens=False)))
    assert len(trace.hops) == 1
    assert dissect(trace).status in (502, 503)
    assert f"; {EACH[name].name} says: " in trace.note


@needs("nginx")
@needs("haproxy")
def test_proxies_stand_in_a_row():
    """Through three proxies there are four hops, each recorded."""
    trace = run(Scenario(via=[EACH["nginx"], EACH["haproxy"], EACH["nginx"]]))
    assert [hop.server for hop in trace.hops] == ["nginx", "haproxy", "nginx 2", "server"]
    assert [view.exchange.status for view in dissect(trace).hops] == [101] * 4
    assert trace.note.count("nginx") == 1


@needs("nginx")
@needs("apache2")
@pytest.mark.parametrize(
    ("via", "hosts", "dead"),
    [
        ([EACH["nginx"], BY_SOCKET], [b"server.example.com", b"server.example.com", b"app.example:3000"], 503),
        ([BY_SOCKET, EACH["nginx"]], [b"server.example.com", b"app.example:3000", b"app.example"], 502),
        ([BY_SOCKET, BY_SOCKET], [b"server.example.com", b"app.example:3000", b"app.example:3000"], 503),
    ],
    ids=["behind", "before", "both"],
)
def test_one_that_dials_a_socket_stands_anywhere_in_a_row(via, hosts, dead):
    """Every hop is recorded, with the host that each proxy names; a dead server at the end is the last one's to tell."""
    trace = run(Scenario(via=via))
    assert [view.exchange.status for view in dissect(trace).hops] == [101] * 3
    assert [dissect(trace).hops[hop].exchange.request.value.fields.get("Host").encode() for hop in range(3)] == hosts
    trace = run(Scenario(via=via, server=Server(listens=False)))
    assert (len(trace.hops), dissect(trace).status) == (2, dead)


@needs("nginx")
def test_each_far_connection_is_a_hop():
    """Nginx opens a connection for each request: what it answers itself opens none."""
    with UpgradeServer(ignore=True) as server, RealProxy(EACH["nginx"], to=server) as proxy, Peer(proxy) as peer:
        for target, status in (("/own", 404), ("/a", 200), ("/b", 200)):
            peer.send(Offer.plain(target).to_bytes())
            head = peer.read_until(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 %d" % status)
            peer.read(int(head.partition(b"Content-Length: ")[2].split()[0]))
        trace = proxy.trace
    assert [hop.client for hop in trace.hops] == ["client", "nginx", "nginx"]
    assert [(pair.asked, pair.far) for pair in pairs(dissect(trace))] == [(1, 1), (2, 2)]


@pytest.mark.parametrize("client", [name for name in CLIENTS if name != "lab"])
@needs("nginx")
def test_every_client_goes_through_a_proxy(client):
    """Whoever asks, both hops are recorded, and the client and the proxy are named."""
    program = {"curl": "curl", "php": "php", "browser": "chromium"}.get(client)
    if program and not find(program) and "CI" not in os.environ:
        pytest.skip(f"{program} is not on this machine")
    trace = run(Scenario(Offer.websocket("/chat"), via=[EACH["nginx"]], client=client))
    assert dissect(trace).status == 101
    assert [hop.server for hop in trace.hops] == ["nginx", "server"]
    assert trace.hops[0].client not in ("client", "")
    assert f"{trace.hops[0].client}: " in trace.note
    assert "nginx" in trace.note


def test_a_model_stands_between_on_sockets():
    """The model of a proxy gives on sockets what it gives in memory."""
    scenario = Scenario(via=[PlainProxy("")])
    trace = run(scenario, proxies="model")
    assert trace == simulate(scenario)
    assert trace.note == "plain, the model of 1"


def test_what_has_no_model_is_told():
    """HAProxy and Caddy are run for real only."""
    with pytest.raises(Unmodelled, match="no model of HAProxy"):
        run(Scenario(via=[EACH["haproxy"]]), proxies="model")
    with pytest.raises(WrongUse, match='proxies is "real" or "model", not \'both\''):
        run(Scenario(), proxies="both")


def test_a_server_that_does_not_listen_is_told():
    """Without a proxy there is nobody to answer, and nothing is recorded."""
    with pytest.raises(Failed, match="nothing listens on"):
        run(Scenario(server=Server(listens=False)))


@needs("curl")
def test_a_client_that_is_refused_says_so_itself():
    """Curl's own exit code stands in the note of an empty trace."""
    trace = run(Scenario(server=Server(listens=False), client="curl"))
    assert trace.events == ()
    assert "exit 7" in trace.note
