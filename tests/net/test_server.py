import asyncio
import contextlib
import gc
import logging
import os
import shutil
import socket
import subprocess
import threading
import time
import zlib

import pytest

from labkit.errors import Failed, Refused, WrongUse
from labkit.net.client import ask
from labkit.net.server import UpgradeServer, wall_date
from labkit.parties.described import Limits, Server
from labkit.parties.http2 import http2_server
from labkit.parties.offer import Offer
from labkit.parties.stream import echo
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Cut, Direction, How
from labkit.wire.websocket import BINARY, SAMPLE_MASK, frame
from tests.net.peer import Peer
from tests.net.scenarios import listen
from tests.parties.driving import HOST, PING, TEXT, asked, closing, content, fields, head, opening, status
from tests.parties.test_server import ANSWER_101

ASK, REPLY = Direction.TO_SERVER, Direction.TO_CLIENT


def until(true, seconds=5.0):
    """Wait for something to become true, and tell whether it did."""
    end = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < end:
        time.sleep(0.005)
    return found


# a real exchange


def test_it_answers_while_the_cell_is_busy():
    """A blocking client in the same thread is served: the server has a thread of its own."""
    with UpgradeServer() as server, Peer(server) as peer:
        peer.send(opening())
        assert peer.read(len(ANSWER_101)) == ANSWER_101
        peer.send(asked(TEXT, b"Hello"))
        assert peer.read(7) == b"\x81\x05Hello"
        peer.send(closing())
        assert peer.rest() == b"\x88\x02\x03\xe8"


def test_settings_may_be_given_by_name():
    """The parts of `Server` may be given in place of one, or besides it; an unknown one is named."""
    assert UpgradeServer(require=True).told.require
    assert UpgradeServer(Server(page="a"), require=True).told == Server(page="a", require=True)
    assert UpgradeServer(limits=Limits(head=99)).limits.head == 99
    with pytest.raises(WrongUse, match=r"no setting is called requires; there are .*require"):
        UpgradeServer(requires=True)


def test_the_date_is_the_labs_own_unless_told():
    """In a notebook the Date is always the same; a server that runs for others tells today's."""
    with UpgradeServer(date=wall_date) as server:
        ask(server.url, Offer.plain())
        said = fields(server.trace.stream(REPLY))["Date"]
    assert said.endswith(" GMT")
    assert "1994" not in said


def test_nothing_is_recorded_where_that_is_not_wanted():
    """Without recording there is no trace, and one that is asked for says why."""
    with UpgradeServer(record=False) as server:
        ask(server.url)
        assert server.traces == ()
        with pytest.raises(WrongUse, match="does not record"):
            _ = server.trace


def test_ended_is_told_of_every_recording():
    """`ended` gets each recording once, when its connection is over."""
    seen = []
    with UpgradeServer(ended=lambda recording: seen.append(recording.trace())) as server:
        for _ in range(3):
            ask(server.url)
        with Peer(server) as peer:
            peer.send(opening())
            peer.read(len(ANSWER_101))
            server.stop()
    assert seen[:3] == [simulate(Scenario())] * 3
    assert len(seen) == 4


def test_a_stopping_server_says_goodbye():
    """Whoever is connected when the server stops gets Close 1001, and the handler's loop ends (RFC 6455, 7.4.1)."""
    ended = threading.Event()

    async def watch(stream):
        async for _ in stream:
            pass
        ended.set()

    server = UpgradeServer(protocols={"websocket": watch}).start()
    with Peer(server) as peer:
        peer.send(opening())
        peer.read(len(ANSWER_101))
        server.stop()
        assert peer.rest()[2:4] == (1001).to_bytes(2, "big")
    assert ended.wait(2)
    assert server.trace.end(REPLY) is How.FIN


def test_stopping_takes_no_time_however_clients_behave():
    """Clients that neither read nor close, and handlers that hang, do not hold up the stop."""

    async def hang(stream):
        while True:
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                await stream.send("x" * 10_000_000)
                raise

    server = UpgradeServer(protocols={"websocket": hang}).start()
    peers = [Peer(server) for _ in range(20)]
    for peer in peers:
        peer.send(opening())
        peer.read(10)
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 2
    for peer in peers:
        peer.socket.close()


# limits


def test_connections_have_a_limit():
    """One more than allowed gets 503 and is closed; when one leaves, the next is served (RFC 9110, 15.6.4)."""
    with UpgradeServer(limits=Limits(connections=2, close_time=0.1)) as server:
        first, second = Peer(server), Peer(server)
        for peer in (first, second):
            peer.send(opening())
            assert peer.read(len(ANSWER_101)) == ANSWER_101
        for _ in range(5):  # those that are turned away do not count
            with Peer(server) as third:
                answer = third.rest()
                assert status(answer) == 503
                assert content(answer) == b"2 connections are open, and no more are taken\n"
        first.socket.close()

        def served() -> bool:
            with Peer(server) as peer:
                peer.send(opening())
                return peer.read(12) == b"HTTP/1.1 101"

        assert until(served)
        second.socket.close()


def test_a_crowd_is_broken_off():
    """Where many wait for their 503 one more is broken off at once; a crowd pushes no trace out."""
    with UpgradeServer(limits=Limits(connections=1, close_time=5)) as server, contextlib.ExitStack() as peers:
        for _ in range(12):
            peers.enter_context(Peer(server))
        assert until(lambda: len(server._engine.open) == 12)
        with Peer(server) as crowd:
            assert crowd.rest() == b""
        assert len(server.traces) == 1
        peers.close()
        assert until(lambda: ask(server.url, Offer.plain()).stream(REPLY)[:12] == b"HTTP/1.1 200")


def test_a_handlers_failure_is_in_the_note():
    """What went wrong in the server's own handler is told beside the trace."""

    async def wrong(stream):
        raise ValueError("my own")

    with UpgradeServer(protocols={"websocket": wrong}) as server:
        ask(server.url, say=listen)
        assert server.trace.note == "recorded by the server; the server's handler failed: ValueError: my own"


def test_a_slow_sender_gets_408():
    """A client that sends its head byte by byte is told when its time is up (RFC 9110, 15.5.9)."""
    with UpgradeServer(limits=Limits(head_time=0.3, close_time=0.2)) as server, Peer(server) as peer:
        began = time.monotonic()
        try:
            for byte in opening():
                peer.send(bytes([byte]))
                time.sleep(0.02)
        except ConnectionError:
            pass
        assert time.monotonic() - began < 4
        answer = peer.rest()
    assert answer == b"" or status(answer) == 408
    assert status(server.trace.stream(REPLY)) == 408


def test_a_silent_client_is_let_go():
    """A connection on which nothing comes is closed after the idle time, without a word."""
    with UpgradeServer(limits=Limits(idle_time=0.2)) as server, Peer(server) as peer:
        assert peer.rest() == b""
    assert server.trace.end(REPLY) is How.FIN


def test_a_client_that_will_not_close_is_broken_off():
    """A client that keeps its side open after the server's FIN gets a RST in the end, and holds nothing."""
    with UpgradeServer(limits=Limits(close_time=0.1)) as server, Peer(server) as peer:
        peer.send(b"garbage\r\n\r\n")
        assert status(peer.rest()) == 400
        assert until(lambda: server.trace.end(ASK) is How.RESET)


def test_the_recording_has_a_limit_and_says_what_was_cut():
    """Beyond the limit bytes still cross, and are counted, not kept."""
    with UpgradeServer(limits=Limits(recorded=500)) as server:
        ask(server.url, say=["x" * 1000])
    trace = server.trace
    assert sum(len(trace.stream(way)) for way in Direction) == 500
    assert sum(event.length for event in trace.events if isinstance(event, Cut)) > 1500


def test_a_client_that_never_reads_fills_nothing():
    """A handler that sends without end waits for a client that does not read; the server lives on."""
    sent = []

    async def flood(stream):
        while True:
            await stream.send("x" * 65536)
            sent.append(1)

    server = UpgradeServer(protocols={"websocket": flood}, limits=Limits(idle_time=1, close_time=0.2))
    with server, Peer(server) as peer:
        peer.send(opening())
        assert until(lambda: len(sent) > 4)
        time.sleep(0.2)
        first = len(sent)
        assert ask(server.url, Offer.plain()).stream(REPLY)[:12] == b"HTTP/1.1 200"
        time.sleep(0.2)
        assert len(sent) == first  # it waits
        assert first * 65536 < 64 << 20
        assert until(lambda: server.traces[0].end(REPLY) is not How.ABANDONED)  # and is given up


@pytest.mark.parametrize(
    ("before", "flood"),
    [(b"", head(HOST) * 500), (opening(), asked(PING, b"p" * 125) * 500), (opening(), asked(TEXT, b"t" * 1000) * 100)],
    ids=["requests", "pings", "messages"],
)
def test_a_client_that_asks_on_and_never_reads_is_not_read_from(before, flood):
    """Answers that nobody reads do not fill the memory: reading pauses, and goes on when they are read."""
    with UpgradeServer(limits=Limits(recorded=1000, requests=1 << 30)) as server, Peer(server, timeout=0.3) as peer:
        peer.send(before)
        sent = 0
        with contextlib.suppress(TimeoutError):  # it must come to a stop
            while sent < 200 << 20:
                peer.send(flood)
                sent += len(flood)
        assert sent < 100 << 20
        [wire] = server._engine.open
        assert wire.transport.get_write_buffer_size() < 8 << 20
        peer.socket.settimeout(30)  # a busy machine answers a full buffer of requests in more than a moment
        assert len(peer.read(sent // 2)) == sent // 2
        assert ask(server.url, Offer.plain()).stream(REPLY)[:12] == b"HTTP/1.1 200"


def test_a_slow_handler_slows_its_client():
    """While a handler does not take its messages reading pauses, and the client cannot send on."""

    async def hold(stream):
        await stream.sleep(1)
        async for message in stream:
            await stream.send(message[:2])

    with (
        UpgradeServer(protocols={"websocket": hold}, limits=Limits(recorded=1000)) as server,
        Peer(server, timeout=0.3) as peer,
    ):
        peer.send(opening())
        peer.read(len(ANSWER_101))
        count, sent, whole = 400, 0, b"".join([asked(TEXT, b"x" * 65536)] * 400)
        try:
            while sent < len(whole):
                sent += peer.socket.send(whole[sent : sent + 65536])
        except TimeoutError:  # as it should
            pass
        assert sent < 20 << 20
        peer.socket.settimeout(10)
        reader = threading.Thread(target=lambda: replies.append(peer.read(4 * count)))
        replies: list[bytes] = []
        reader.start()
        peer.socket.sendall(whole[sent:])
        reader.join(10)
        assert replies == [b"\x81\x02xx" * count]


# handlers


def test_a_handler_that_raises_harms_nobody():
    """A failing handler ends its own conversation with 1011; the server lives on."""

    async def wrong(stream):
        raise ValueError("this went wrong")

    with UpgradeServer(protocols={"websocket": wrong}) as server:
        for _ in range(3):
            said = ask(server.url, say=listen).stream(REPLY)
            assert (1011).to_bytes(2, "big") + b"the handler failed: ValueError: this went wrong" in said


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, asyncio.CancelledError, GeneratorExit, MemoryError])
def test_no_error_of_a_handler_ends_the_server(error):
    """Not even what would end a program ends the server."""

    async def wrong(stream):
        raise error

    with UpgradeServer(protocols={"websocket": wrong, "fine": wrong}) as server:
        trace = ask(server.url, say=listen)
        assert trace.end(REPLY) is How.FIN
        assert ask(server.url, Offer.plain()).stream(REPLY)[:12] == b"HTTP/1.1 200"


def test_a_handler_may_use_all_of_asyncio():
    """Queues, timeouts, tasks, gather and threads: for real, a handler is an asyncio task like any other."""
    rooms: set[asyncio.Queue[str]] = set()

    async def chat(stream):
        inbox: asyncio.Queue[str] = asyncio.Queue()
        rooms.add(inbox)

        async def listen():
            async for message in stream:
                for room in rooms:
                    room.put_nowait(message)

        async def speak():
            while True:
                await stream.send(await inbox.get())

        try:
            async with asyncio.timeout(10), asyncio.TaskGroup() as group:
                speaking = group.create_task(speak())
                await listen()
                speaking.cancel()
        finally:
            rooms.discard(inbox)

    with UpgradeServer(protocols={"websocket": chat}) as server, Peer(server) as one, Peer(server) as two:
        for peer in (one, two):
            peer.send(opening())
            peer.read(len(ANSWER_101))
        assert until(lambda: len(rooms) == 2)
        one.send(asked(TEXT, b"hi"))
        assert one.read(4) == two.read(4) == b"\x81\x02hi"
        one.send(closing())
        assert one.rest() == b"\x88\x02\x03\xe8"
        two.send(asked(TEXT, b"alone"))
        assert two.read(7) == b"\x81\x05alone"


def test_a_handler_may_wait_with_a_timeout():
    """`asyncio.timeout` and `wait_for` around a receive lose no message and leave nothing behind."""
    streams = []

    async def patient(stream):
        streams.append(stream)
        for _ in range(50):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stream.receive(), 0.001)
        await stream.send("ready")
        async with asyncio.timeout(5):
            await stream.send(await stream.receive())

    with UpgradeServer(protocols={"websocket": patient}) as server, Peer(server) as peer:
        peer.send(opening())
        peer.read(len(ANSWER_101))
        assert peer.read(7) == b"\x81\x05ready"
        assert len(streams[0]._speech._parks) <= 1
        peer.send(asked(TEXT, b"late"))
        assert peer.read(6) == b"\x81\x04late"


def test_a_handler_may_gather():
    """Two coroutines of one handler may wait for the same stream, each message going to one of them."""

    async def both(stream):
        found = await asyncio.gather(stream.receive(), stream.receive(), asyncio.to_thread(time.sleep, 0.01))
        await stream.send(" ".join(sorted(found[:2])))

    with UpgradeServer(protocols={"websocket": both}) as server, Peer(server) as peer:
        peer.send(opening() + asked(TEXT, b"b") + asked(TEXT, b"a"))
        peer.read(len(ANSWER_101))
        assert peer.read(5) == b"\x81\x03a b"


def test_a_push_wakes_the_server():
    """What a handler sends by itself leaves at once, not when the next byte comes."""

    async def push(stream):
        for number in range(3):
            await asyncio.sleep(0.01)
            await stream.send(str(number))

    with UpgradeServer(protocols={"websocket": push}) as server, Peer(server) as peer:
        peer.send(opening())
        peer.read(len(ANSWER_101))
        assert [peer.read(3) for _ in range(3)] == [b"\x81\x010", b"\x81\x011", b"\x81\x012"]


def test_many_clients_are_served_at_once():
    """A hundred conversations stay apart."""
    with UpgradeServer() as server:
        peers = [Peer(server) for _ in range(100)]
        for number, peer in enumerate(peers):
            peer.send(opening() + asked(TEXT, b"%03d" % number))
        for number, peer in reversed(list(enumerate(peers))):
            assert peer.read(len(ANSWER_101) + 5) == ANSWER_101 + b"\x81\x03%03d" % number
            peer.socket.close()


# what clients must not do


RUDE = {
    "nothing": b"",
    "half a head": opening()[:50],
    "garbage": bytes(range(256)),
    "ten thousand lines": head(HOST, *["A: b"] * 10_000),
    "half a frame": opening() + b"\x81\x85\x37",
    "half a message": opening() + asked(TEXT, b"a", fin=False),
    "many pings": opening() + asked(PING, b"p" * 125) * 2000,
    "a lying frame": opening() + b"\x82\xff" + bytes(7) + b"\xff\x37\xfa\x21\x3d",
    "frames after a close": opening() + closing() + asked(TEXT, b"x") * 1000,
    "content that does not come": head(HOST, "Content-Length: 1000") + b"x",
}


@pytest.mark.parametrize("leave", ["reset", "fin", "close"])
@pytest.mark.parametrize("name", RUDE)
def test_the_server_outlives_rude_clients(name, leave):
    """However a client breaks off, its bytes are in the trace, and the next client is served."""
    with UpgradeServer(limits=Limits(close_time=0.2)) as server:
        peer = Peer(server)
        try:
            peer.send(RUDE[name])
            if leave == "fin":
                peer.fin()
                peer.rest()
            elif RUDE[name]:  # what a RST overtakes is lost in the kernel, before any server can see it
                assert until(lambda: server.traces and server.traces[0].stream(ASK) == RUDE[name])
        except ConnectionError:
            assert leave == "fin"
        (peer.reset if leave == "reset" else peer.socket.close)()
        assert ask(server.url) == simulate(Scenario())
        assert until(lambda: server.traces[0].end(ASK) is not How.ABANDONED or not server.traces[0].events)
        first = server.traces[0]
        assert first.stream(ASK) == RUDE[name]
        if leave == "reset" and name in ("half a head", "half a frame", "half a message"):
            assert first.end(ASK) is How.RESET


def test_an_answer_is_not_lost_to_unread_bytes():
    """A refusal reaches a client that goes on sending: the server lingers before it closes (RFC 9112, 9.6)."""
    with UpgradeServer() as server, Peer(server) as peer:
        peer.send(head(HOST, "Content-Length: 99999999", start="POST / HTTP/1.1"))
        for _ in range(50):
            peer.send(b"x" * 1000)
        time.sleep(0.05)
        peer.send(b"x" * 1000)
        peer.fin()
        assert status(peer.rest()) == 413


def test_garbage_makes_no_noise(capfd, caplog):
    """Whatever comes, nothing is written to standard error or any log: what went wrong is in the trace."""
    caplog.set_level(logging.DEBUG)
    with UpgradeServer(limits=Limits(close_time=0.1)) as server:
        for raw in RUDE.values():
            peer = Peer(server)
            peer.send(raw)
            peer.reset()
        ask(server.url)
    gc.collect()
    assert capfd.readouterr() == ("", "")
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_ten_thousand_bytes_one_by_one():
    """Bytes that come one by one are read as what they are together."""
    raw = opening() + asked(TEXT, b"Hello") * 50 + closing()
    with UpgradeServer() as server, Peer(server) as peer:
        peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in raw:
            peer.send(bytes([byte]))
        assert peer.rest() == ANSWER_101 + b"\x81\x05Hello" * 50 + b"\x88\x02\x03\xe8"


def test_the_proxy_of_the_environment_is_not_asked(monkeypatch):
    """Proxy settings that lead nowhere are not looked at: the first exchange works all the same."""
    with socket.socket() as nowhere:
        nowhere.bind(("127.0.0.1", 0))  # bound, and not listening: it refuses
        for name in ("http_proxy", "https_proxy", "all_proxy", "ws_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{nowhere.getsockname()[1]}")
            monkeypatch.setenv(name.upper(), f"http://127.0.0.1:{nowhere.getsockname()[1]}")
        monkeypatch.delenv("no_proxy", raising=False)
        with UpgradeServer() as server:
            assert ask(server.url) == simulate(Scenario())


def test_only_loopback():
    """A server for other machines must be asked for."""
    with pytest.raises(Refused):
        UpgradeServer(host="0.0.0.0")


@pytest.mark.parametrize("pause", [0, 0.01, 3600])
def test_a_handler_that_only_sleeps_holds_nobody_up(pause):
    """A heartbeat without a way out ends with its client, and neither the next client nor stop() waits for it."""

    async def heart(stream):
        while True:
            await stream.sleep(pause)

    with UpgradeServer(protocols={"websocket": heart}) as server:
        ask(server.url, say=[])
        assert ask(server.url, Offer.plain(), patience=2).stream(REPLY)[:12] == b"HTTP/1.1 200"
        began = time.monotonic()
        server.stop()
    assert time.monotonic() - began < 2


def test_a_client_that_sends_bombs_leaves_others_their_turn():
    """However much one client's messages inflate to, another one is answered in between."""
    zeros = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = (zeros.compress(bytes(1 << 20)) + zeros.flush(zlib.Z_SYNC_FLUSH))[:-4]
    flood = frame(BINARY, bomb, rsv=4, mask=SAMPLE_MASK) * 200
    offer = Offer.websocket(deflate=True).with_field(
        "Sec-WebSocket-Extensions", "permessage-deflate; client_no_context_takeover"
    )
    with UpgradeServer(deflate="zlib") as server, Peer(server) as peer:
        peer.send(offer.to_bytes())
        threading.Thread(target=lambda: peer.send(flood), daemon=True).start()
        time.sleep(0.1)
        assert ask(server.url, Offer.plain(), patience=5).stream(REPLY)[:12] == b"HTTP/1.1 200"


def test_a_failing_handler_stands_in_the_note():
    """What a handler of a custom protocol raised is told, whatever its text does, and the client is let go."""

    class OddError(Exception):
        def __str__(self):
            raise ValueError

    async def fails(stream):
        raise OddError

    with UpgradeServer(protocols={"quote/1.0": fails}) as server:
        ask(server.url, Offer.custom("quote/1.0"))
        assert "the server's handler failed" in server.trace.note


@pytest.mark.parametrize("many", [1, 3])
def test_curl_is_answered_in_http2(many):
    """`curl --http2` gets a real 101 to h2c, and its answers in HTTP/2 on one connection (RFC 7540, 3.2)."""
    curl = shutil.which("curl")
    if curl is None and "CI" not in os.environ:
        pytest.skip("curl is not on this machine")
    with UpgradeServer(protocols={"websocket": echo, "h2c": http2_server}) as server:
        urls = [f"{server.url}{number}" for number in range(many)]
        command = [curl, "-q", "-sS", "-i", "--http2", "--noproxy", "*", "--max-time", "10", *urls]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("HTTP/1.1 101 Switching Protocols")
    assert done.stdout.count("HTTP/2 200") == many
    assert f"GET /{many - 1} over HTTP/2, stream {2 * many - 1}.\n" in done.stdout
    assert len(server.traces) == 1


def test_a_server_that_does_not_listen_refuses_connections():
    """Its port is held, so that nobody else answers there, and a client is refused."""
    with UpgradeServer(listens=False) as server:
        with pytest.raises(Failed, match=f"nothing listens on 127.0.0.1:{server.port}"):
            ask(server.url)
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", server.port))
        assert server.traces == ()
    with socket.socket() as other:
        other.bind(("127.0.0.1", server.port))


def test_uvloop_gives_the_same_bytes():
    """A server on uvloop records of an exchange what one on asyncio's own loop does."""
    pytest.importorskip("uvloop", reason="pip install uvloop")
    traces = []
    for uvloop in (False, True):
        with UpgradeServer(uvloop=uvloop) as server:
            ask(server.url, Offer.websocket())
            traces.append(server.trace)
    assert traces[0] == traces[1]
