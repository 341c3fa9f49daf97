import contextlib
import gc
import socket
import threading
import time
import warnings

import pytest

from labkit.errors import Refused, WrongUse
from labkit.net.client import ask, exchange
from labkit.net.listener import Listener, running
from labkit.net.model_proxy import ModelProxy
from labkit.net.server import UpgradeServer
from labkit.parties.described import Limits, Server
from labkit.parties.offer import Offer
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Cut, Direction, Hop, How
from tests.net.peer import Peer, scripted
from tests.net.scenarios import ALL
from tests.net.test_server import until
from tests.parties.driving import HOST, TEXT, asked, head, opening, status, statuses
from tests.proxies.plain import PlainProxy

ASK, REPLY = Direction.TO_SERVER, Direction.TO_CLIENT
PLAIN = PlainProxy("")


def proxied(target: Listener | int, text: str = "", **settings) -> ModelProxy:
    where = f"127.0.0.1:{target}" if isinstance(target, int) else target.url
    return ModelProxy(PlainProxy(text), where, **settings)


def quiet(*listeners: Listener) -> bool:
    """Wait until no connection is open."""
    return until(lambda: not any(each._engine.open for each in listeners))


def hops(trace):
    """Return what crossed each hop: the bytes and the end of each direction."""
    return [{way: (trace.stream(way, hop), trace.end(way, hop)) for way in Direction} for hop in range(len(trace.hops))]


@pytest.mark.parametrize("name", [name for name in ALL if name != "ten thousand lines"])  # a busy machine is too slow
def test_what_is_predicted_is_what_is_seen(name):
    """The model on sockets does what it does in memory: on each hop the same bytes, and the same ends.

    It lets directions end one by one: else who hears first of an end is chance.
    """
    scenario, text = ALL[name], "half patient head=1 content=1"
    via = Scenario(scenario.offer, scenario.say, (PlainProxy(text),), scenario.server)
    recorded = scenario.server.limits.recorded
    with UpgradeServer(scenario.server) as server, proxied(server, text, recorded=recorded) as proxy:
        exchange(proxy.url, scenario.offer, scenario.say)
        assert quiet(server, proxy)
        seen = [hops(trace)[0] for trace in (*proxy.traces, *server.traces)]
    assert seen == hops(simulate(via))


FAULTS = [
    "no-upgrade", "no-connection", "accept-wrong", "accept-absent", "unasked", "early-frame", "interim=103", "reason=UPGRADED",
    "no-reason", "cut=20", "garbage", "close", "late=0.1", "content-length", "transfer-encoding",
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_server_is_met_alike(fault):
    """What a faulty server sends is relayed, refused or tunnelled on sockets as in memory."""
    scenario = Scenario(via=(PlainProxy("half patient"),), server=Server(faults=(fault,)))
    with UpgradeServer(scenario.server) as server, proxied(server, "half patient") as proxy:
        exchange(proxy.url)
        assert quiet(server, proxy)
        seen = [hops(trace)[0] for trace in (*proxy.traces, *server.traces)]
    assert seen == hops(simulate(scenario))


@pytest.mark.parametrize("offer", [Offer.websocket(), Offer.plain()])
def test_two_proxies_in_a_row(offer):
    """A chain of proxies is predicted hop by hop, and each proxy records the hop to its client."""
    with UpgradeServer() as server, proxied(server, names=("plain", "plain 2")) as inner, proxied(inner) as outer:
        ask(outer.url, offer)
        assert quiet(server, inner, outer)
        seen = [hops(each.trace)[0] for each in (outer, inner, server)]
        assert (outer.trace.hops, inner.trace.hops) == ((Hop("client", "plain"),), (Hop("plain", "plain 2"),))
    assert seen == hops(simulate(Scenario(offer, via=(PLAIN, PLAIN))))


def test_an_upstream_that_is_not_there():
    """A refused connection is told as in memory, and the log stands in the note."""
    with socket.socket() as nowhere:
        nowhere.bind(("127.0.0.1", 0))
        with proxied(nowhere.getsockname()[1]) as proxy:
            ask(proxy.url)
            assert quiet(proxy)
            trace = proxy.trace
    assert hops(trace)[0][REPLY] == hops(simulate(Scenario(via=(PLAIN,), server=Server(listens=False))))[0][REPLY]
    assert trace.note == "recorded by the proxy; answered 502"


def test_an_upstream_that_is_silent():
    """The near leg's timer follows what happens on the far leg: the time for the answer is shorter than for the dial."""
    began = time.monotonic()
    with scripted(b"", then="wait") as port, proxied(port, "connect=60 head=60 answer=0.2") as proxy:
        assert statuses(ask(proxy.url).stream(REPLY)) == [504]
        assert time.monotonic() - began < 4


def full_up(stack) -> int:
    """Return the port of a listener that accepts nobody any more."""
    full = stack.enter_context(socket.socket())
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    for _ in range(4):
        each = stack.enter_context(socket.socket())
        each.setblocking(False)
        each.connect_ex(full.getsockname())
    return full.getsockname()[1]


def test_an_upstream_that_never_accepts():
    """Dialling ends in time with an answer; a client that leaves before ends it at once; a stop does too."""
    with contextlib.ExitStack() as stack:
        port = full_up(stack)
        with proxied(port, "connect=0.2") as proxy:
            assert statuses(ask(proxy.url).stream(REPLY)) == [504]
        proxy = proxied(port, "connect=60").start()
        doorway = proxy._engine.server
        assert doorway.is_serving()
        with Peer(proxy) as peer:
            peer.send(opening())
            time.sleep(0.1)
        assert quiet(proxy)
        peers = [stack.enter_context(Peer(proxy)) for _ in range(5)]
        for peer in peers:
            peer.send(opening())
        time.sleep(0.1)
        began = time.monotonic()
        proxy.stop()
        assert time.monotonic() - began < 2
        assert [peer.rest() for peer in peers] == [b""] * 5


GARBAGE = [b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"GET\r\n\r\n", b"\x00" * 100_000 + b"\r\n\r\n"]


@pytest.mark.parametrize("data", GARBAGE)
def test_garbage_of_a_client_is_refused(data):
    """What is no request never reaches the server, and the proxy lives on."""
    with UpgradeServer() as server, proxied(server) as proxy:
        with Peer(proxy) as peer:
            peer.send(data)
            assert status(peer.rest()) == 400
        assert server.traces == ()
        assert statuses(ask(proxy.url, Offer.plain()).stream(REPLY)) == [200]


@pytest.mark.parametrize("then", ["close", "reset", "wait"])
@pytest.mark.parametrize("data", [b"\x16\x03\x01", b"HTTP/9", b"SSH-2.0-x\r\n", b"\xff" * 1000, b""])
def test_garbage_of_a_server_is_a_502(data, then):
    """What is no answer is told to the client as a 502, or a 504 where it might still become one."""
    with scripted(data, then=then) as port, proxied(port, "answer=0.3") as proxy:
        found = statuses(ask(proxy.url).stream(REPLY))
    assert found == ([504] if then == "wait" and data in (b"", b"HTTP/9") else [502])


def test_a_server_that_breaks_off_in_its_answer():
    """Content that is cut by a reset is closed without being made whole."""
    top = head("Transfer-Encoding: chunked", start="HTTP/1.1 200 OK")
    with scripted(top + b"5\r\nhel", then="reset") as port, proxied(port, "chunk") as proxy:
        said = ask(proxy.url, Offer.plain()).stream(REPLY)
    assert not said.endswith(b"0\r\n\r\n")


def test_a_client_that_breaks_off_ends_the_far_leg():
    """A client's reset in a tunnel ends the upstream's connection, also where directions may end one by one."""
    with UpgradeServer() as server, proxied(server, "half patient tunnel=60") as proxy:
        peer = Peer(proxy)
        peer.send(opening() + asked(TEXT, b"hi"))
        peer.read_until(b"hi")
        peer.reset()
        assert quiet(server, proxy)
        assert proxy.trace.end(ASK) is How.RESET


def test_a_slow_reader_slows_the_server():
    """A client that does not read stops the server behind the proxy, which keeps little; then all comes through."""
    sent = []

    async def flood(stream):
        while True:
            await stream.send(b"x" * 65536)
            sent.append(1)

    limits = Limits(recorded=1000)
    with (
        UpgradeServer(protocols={"x": flood}, limits=limits) as server,
        proxied(server, "tunnel=60", recorded=1000) as proxy,
        Peer(proxy) as peer,
    ):
        peer.send(Offer.custom("x").to_bytes())
        peer.read(100)
        assert stands(sent)
        assert len(sent) * 65536 < 64 << 20
        assert kept(proxy) < 4 << 20
        assert len(peer.read(30 << 20)) == 30 << 20


def test_a_slow_server_slows_the_client():
    """A server that does not read stops the client before the proxy; what was sent arrives once it reads."""
    gate = threading.Event()
    got = []

    async def hold(stream):
        while not gate.is_set():
            await stream.sleep(0.05)
        got.extend([len(data) async for data in stream])

    with (
        UpgradeServer(protocols={"x": hold}, limits=Limits(recorded=1000)) as server,
        proxied(server, "tunnel=60 half", recorded=1000) as proxy,
        Peer(proxy) as peer,
    ):
        peer.send(Offer.custom("x").to_bytes())
        peer.read_until(b"\r\n\r\n")
        peer.socket.settimeout(0.5)
        sent = 0
        with contextlib.suppress(TimeoutError):  # it must come to a stop
            while sent < 64 << 20:
                sent += peer.socket.send(bytes(65536))
        assert sent < 64 << 20
        assert kept(proxy) < 4 << 20
        gate.set()
        peer.fin()
        assert until(lambda: sum(got) == sent, 20)


def kept(proxy: ModelProxy) -> int:
    """Return how many bytes wait in a proxy to be sent."""
    return sum(wire.transport.get_write_buffer_size() for wire in list(proxy._engine.open))


def stands(sent: list) -> bool:
    """Wait until nothing more is added for a while."""
    before = -1
    for _ in range(40):
        if before == len(sent) > 4:
            return True
        before = len(sent)
        time.sleep(0.25)
    return False


def test_a_recording_has_a_limit():
    """Beyond the limit bytes still pass, and the trace says how many were not kept."""
    with UpgradeServer() as server, proxied(server, recorded=1000) as proxy:
        ask(proxy.url, say=["x" * 100_000])
        trace = proxy.trace
    assert sum(len(trace.stream(way)) for way in Direction) == 1000
    assert sum(event.length for event in trace.events if isinstance(event, Cut)) > 190_000


def test_fifty_clients_at_once():
    """Connections at the same time stay apart, and nothing is left of them."""
    with UpgradeServer() as server, proxied(server) as proxy:
        found = {}

        def one(number):
            found[number] = ask(proxy.url, say=[f"client {number:02}"], patience=20).stream(REPLY)

        threads = [threading.Thread(target=one, args=(number,)) for number in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert quiet(server, proxy)
        assert len(proxy.traces) == len(server.traces) == 50
    assert all(b"\x81\x09client %02d" % number in found[number] for number in range(50))


def test_many_requests_on_one_connection():
    """Three hundred pipelined requests are answered in order, by pooled and by fresh upstream connections."""
    for text in ("pool", ""):
        with UpgradeServer() as server, proxied(server, text) as proxy, Peer(proxy) as peer:
            threading.Thread(target=peer.send, args=(head(HOST) * 299 + head(HOST, "Connection: close"),)).start()
            data = b""
            while data.count(b"HTTP/1.1 200 ") < 300 or not data.endswith(b"made.\n"):
                data += peer.read(1)
                data += peer.socket.recv(1 << 20)
            peer.fin()
            assert quiet(proxy)


def test_it_stops_at_once_and_leaves_nothing():
    """A stop ends tunnels, half requests, kept connections and far legs in time; no thread and no socket is left."""
    threads = set(threading.enumerate())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with UpgradeServer() as server:
            for _ in range(3):
                proxy = proxied(server, "pool half patient").start()
                peers = [Peer(proxy) for _ in range(9)]
                for number, peer in enumerate(peers):
                    peer.send((opening() + asked(TEXT, b"hi"), head(HOST)[:9], head(HOST))[number % 3])
                    if number % 3 != 1:
                        peer.read(10)
                began = time.monotonic()
                proxy.stop()
                assert time.monotonic() - began < 2
                assert not proxy._engine.open
                for peer in peers:
                    peer.rest()
                    peer.socket.close()
            assert quiet(server)
        gc.collect()
    assert set(threading.enumerate()) == threads
    assert proxy not in running()


def test_one_that_is_forgotten_ends():
    """A proxy that nobody holds any more stops by itself."""
    with UpgradeServer() as server:
        proxy = proxied(server).start()
        thread = proxy._engine.thread._thread
        del proxy
        gc.collect()
        assert until(lambda: not thread.is_alive())


def test_it_may_be_started_again():
    """A second start after a stop serves again, and the traces stay."""
    with UpgradeServer() as server:
        proxy = proxied(server)
        for number in (1, 2):
            with proxy:
                ask(proxy.url)
            assert len(proxy.traces) == number


def test_what_makes_no_sense_is_refused():
    """A target elsewhere, one that speaks TLS, itself, and what is no proxy are told in one line."""
    with pytest.raises(Refused, match="loopback"):
        ModelProxy(PLAIN, "192.0.2.1:80")
    with pytest.raises(WrongUse, match="plain HTTP"):
        ModelProxy(PLAIN, "https://127.0.0.1:1/")
    with pytest.raises(WrongUse, match="itself"):
        ModelProxy(PLAIN, "127.0.0.1:8080", port=8080)
    with pytest.raises(WrongUse, match="not 'nginx'"):
        ModelProxy("nginx", "127.0.0.1:80")
    with pytest.raises(WrongUse, match="limit recorded"):
        ModelProxy(PLAIN, "127.0.0.1:80", recorded=0)


def test_the_labs_own_bytes_pass_a_proxy():
    """Behind a proxy it is still the lab's own server that answers: the key is the RFC's own."""
    with UpgradeServer() as server, proxied(server) as proxy:
        assert b"dGhlIHNhbXBsZSBub25jZQ==" in ask(proxy.url).stream(ASK)
