import contextlib
import socket
import threading
import time

import pytest

from labkit.errors import Refused, WrongUse
from labkit.net.client import ask, exchange
from labkit.net.run import run
from labkit.net.server import UpgradeServer
from labkit.net.tap import Tap
from labkit.parties.described import Limits
from labkit.parties.offer import Offer
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Cut, Direction, Hop, How
from tests.net.peer import Peer, scripted
from tests.net.scenarios import ALL
from tests.net.test_server import until
from tests.parties.driving import TEXT, asked, opening

ASK, REPLY = Direction.TO_SERVER, Direction.TO_CLIENT


@pytest.mark.parametrize("name", [name for name in ALL if name != "a recording that is cut"])
def test_a_tap_sees_what_the_server_sees(name):
    """Bytes and ends pass a tap as they come: its trace is the server's own, and the simulation's."""
    scenario = ALL[name]
    with UpgradeServer(scenario.server) as server, Tap(server.url) as tap:
        exchange(tap.url, scenario.offer, scenario.say)
        assert tap.trace == simulate(scenario)
        assert server.trace == tap.trace


def test_taps_may_stand_in_a_row():
    """A tap in front of a tap: both see the same hop's bytes; the lab's own bytes stay the RFC's."""
    with UpgradeServer() as server, Tap(server.url) as inner, Tap(inner.url) as outer:
        ask(outer.url)
        assert outer.trace == inner.trace == server.trace == run(Scenario())


def test_the_parties_can_be_named():
    """A tap's trace carries the names of the hop it stands on."""
    with UpgradeServer() as server, Tap(server.url, names=("proxy", "origin server")) as tap:
        ask(tap.url)
        assert tap.trace.hops == (Hop("proxy", "origin server"),)


def test_a_reset_is_passed_on():
    """A client's RST reaches the server as a RST, and the other way round."""
    with UpgradeServer() as server, Tap(server.url) as tap:
        peer = Peer(tap)
        peer.send(opening() + b"\x81\x85\x37")
        peer.read(10)
        peer.reset()
        assert until(lambda: server.trace.end(ASK) is How.RESET)
        assert tap.trace.end(ASK) is How.RESET
    with scripted(b"no", then="reset") as port, Tap(f"127.0.0.1:{port}") as tap, Peer(tap) as peer:
        peer.send(b"hello")
        with contextlib.suppress(ConnectionError):
            peer.read(10)
        assert until(lambda: tap.trace.end(REPLY) is How.RESET)
        assert tap.trace.stream(REPLY) == b"no"


def test_a_half_close_is_passed_on():
    """A FIN ends one direction alone; what the other side still says comes through."""

    async def late(stream):
        async for _ in stream:
            pass
        await stream.sleep(0.05)
        await stream.send(b"still here")

    with UpgradeServer(protocols={"x": late}) as server, Tap(server.url) as tap, Peer(tap) as peer:
        peer.send(Offer.custom("x").to_bytes())
        peer.read_until(b"\r\n\r\n")
        peer.fin()
        assert peer.rest() == b"still here"
        assert tap.trace.end(ASK) is tap.trace.end(REPLY) is How.FIN


def test_a_server_that_is_not_there():
    """Where nothing listens behind the tap the client is broken off, and the tap lives on."""
    with socket.socket() as nowhere:
        nowhere.bind(("127.0.0.1", 0))
        with Tap(f"127.0.0.1:{nowhere.getsockname()[1]}") as tap:
            for _ in range(3):
                try:
                    with Peer(tap) as peer:
                        assert peer.rest() == b""
                except ConnectionError:  # it came to know before it could read
                    pass
            assert until(lambda: len(tap.traces) == 3)
            assert until(lambda: {trace.end(REPLY) for trace in tap.traces} == {How.RESET})


def test_what_a_tap_keeps_has_a_limit():
    """Beyond the limit bytes still pass, and the trace says how many were not kept."""
    with UpgradeServer() as server, Tap(server.url, recorded=1000) as tap:
        ask(tap.url, say=["x" * 100_000])
        kept = tap.trace
        assert sum(len(kept.stream(way)) for way in Direction) == 1000
        assert sum(event.length for event in kept.events if isinstance(event, Cut)) > 190_000
        assert len(server.trace.stream(ASK)) > 100_000


def test_a_tap_slows_down_with_its_slower_side():
    """A client that does not read slows the server behind the tap; the tap itself keeps little."""
    sent = []

    async def flood(stream):
        while True:
            await stream.send(b"x" * 65536)
            sent.append(1)

    with (
        UpgradeServer(protocols={"x": flood}, limits=Limits(recorded=1000)) as server,
        Tap(server.url, recorded=1000) as tap,
        Peer(tap) as peer,
    ):
        peer.send(Offer.custom("x").to_bytes())
        peer.read(100)
        assert until(lambda: len(sent) > 4)
        time.sleep(0.3)
        stands = len(sent)
        time.sleep(0.3)
        assert len(sent) == stands
        assert stands * 65536 < 64 << 20
        assert len(peer.read(30 << 20)) == 30 << 20  # and it goes on when it is read


def test_stopping_a_tap_ends_its_connections():
    """A tap that stops with connections open, or being opened, leaves none."""
    with UpgradeServer() as server:
        tap = Tap(server.url).start()
        peers = [Peer(tap) for _ in range(10)]
        for peer in peers[:5]:
            peer.send(opening() + asked(TEXT, b"hi"))
            peer.read(10)
        began = time.monotonic()
        tap.stop()
        assert time.monotonic() - began < 2
        for peer in peers:
            peer.rest()
            peer.socket.close()
        assert until(lambda: all(trace.end(ASK) is not How.ABANDONED for trace in server.traces))


def test_a_server_that_never_accepts_is_given_up():
    """Dialling has an end too, and a tap may be stopped while it dials."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        where = full.getsockname()
        first = [socket.socket() for _ in range(4)]
        for each in first:
            each.setblocking(False)
            each.connect_ex(where)
        tap = Tap(f"127.0.0.1:{where[1]}").start()
        peer = Peer(tap)
        time.sleep(0.1)
        began = time.monotonic()
        tap.stop()
        assert time.monotonic() - began < 2
        for each in (*first, peer.socket):
            each.close()


def test_a_tap_cannot_look_into_tls():
    """A target that speaks TLS is refused, and the way to see inside is named."""
    with pytest.raises(WrongUse, match="labkit trace"):
        Tap("https://127.0.0.1:1/")


def test_a_tap_stays_on_loopback():
    """A target elsewhere is refused, unless it is allowed in so many words."""
    with pytest.raises(Refused, match="allow_remote=True"):
        Tap("192.0.2.1:80")
    assert Tap("192.0.2.1:80", allow_remote=True).target.host == "192.0.2.1"


def test_many_connections_through_one_tap():
    """Connections at the same time stay apart."""
    with UpgradeServer() as server, Tap(server.url) as tap:
        threads = [threading.Thread(target=ask, args=(tap.url,), kwargs={"say": [str(n)]}) for n in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        said = {trace.stream(REPLY)[-5:-4] + trace.stream(REPLY)[-6:-4] for trace in tap.traces}
        assert len(tap.traces) == 20
        assert len(said) >= 10


@pytest.mark.parametrize(("name", "value"), [("traces", -1), ("traces", None), ("recorded", None), ("recorded", -1)])
def test_a_bound_that_makes_no_sense_is_named(name, value):
    """A tap's bounds are those of a server: whole numbers above 0."""
    with pytest.raises(WrongUse, match=f"limit {name} must be"):
        Tap("127.0.0.1:1", **{name: value})
