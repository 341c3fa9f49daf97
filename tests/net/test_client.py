import asyncio
import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager

import pytest
import websockets.asyncio.server
from websockets.sync.server import serve

from labkit.dissection import dissect
from labkit.errors import Failed, Refused, Unreadable, WrongUse
from labkit.net.client import ask, exchange
from labkit.net.server import UpgradeServer
from labkit.parties.described import Limits
from labkit.parties.offer import Offer
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Direction, How
from labkit.wire.upgrade import SAMPLE_KEY
from tests.net.peer import scripted

ASK, REPLY = Direction.TO_SERVER, Direction.TO_CLIENT


@contextmanager
def echoing(**options):
    """Run a real server of another make: websockets' own."""

    def handler(connection):
        for message in connection:
            connection.send(message)

    with serve(handler, "127.0.0.1", 0, **options) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.socket.getsockname()[1]
        server.shutdown()
        thread.join(5)


def test_the_labs_own_bytes_are_the_rfcs():
    """Towards a server of this process the bytes are the same each time, and the trace is what was predicted."""
    with UpgradeServer() as server:
        assert ask(server.url) == ask(server.url) == simulate(Scenario())


def test_towards_others_everything_is_fresh():
    """Towards any other server key and masking keys are drawn, and Host names it (RFC 6455, 4.1, 5.3)."""
    with echoing() as port:
        traces = [ask(f"ws://127.0.0.1:{port}/") for _ in range(2)]
    asks = [trace.stream(ASK) for trace in traces]
    assert asks[0] != asks[1]
    assert all(SAMPLE_KEY.encode() not in each and b"\x37\xfa\x21\x3d" not in each for each in asks)
    assert f"Host: 127.0.0.1:{port}\r\n".encode() in asks[0]
    assert all(dissect(trace).outcome == "switched" for trace in traces)


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536, 500_000])
@pytest.mark.parametrize("deflate", [True, False])
def test_another_servers_echo_is_understood(size, deflate):
    """Messages of every length form come back from websockets' own server, compressed or not."""
    with echoing() as port:
        outcome = exchange(f"ws://127.0.0.1:{port}/", Offer.websocket(deflate=deflate), ["x" * size, bytes(size)])
    assert (outcome.status, outcome.problem) == (101, "")
    compressed = b"permessage-deflate" in outcome.trace.stream(REPLY)
    assert compressed is deflate
    assert {outcome.trace.end(way) for way in Direction} == {How.FIN}


def test_websockets_asyncio_server_is_understood():
    """The other server of websockets, on asyncio: messages, fragments, and a server that closes by itself."""

    async def handler(connection):
        async for message in connection:
            await connection.send(message)
            await connection.ping()
            if message == "enough":
                await connection.close(4000, "enough")

    async def exchanged():
        async with websockets.asyncio.server.serve(handler, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            offer = Offer.websocket(deflate=True)
            return await asyncio.to_thread(
                exchange, f"ws://127.0.0.1:{port}/", offer, ["a", ("b", "c"), "enough", "late"]
            )

    outcome = asyncio.run(exchanged())
    assert (outcome.status, outcome.problem) == (101, "")
    [hop] = dissect(outcome.trace).hops
    assert [frame.opcode for frame in hop.frames(ASK).frames if frame.opcode in (8, 10)].count(8) == 1
    assert {outcome.trace.end(way) for way in Direction} == {How.FIN}


def test_a_subprotocol_is_agreed_with_another_server():
    """What another server chose is what the handler is told."""
    seen = []

    async def look(stream):
        seen.append(stream.subprotocol)

    with echoing(subprotocols=["b"]) as port:
        ask(f"ws://127.0.0.1:{port}/", Offer.websocket(subprotocols=("a", "b")), look)
    assert seen == ["b"]


REPLIES = {
    "nothing": (b"", "closed without an answer"),
    "half a head": (b"HTTP/1.1 101 Swi", "in the middle of an answer"),
    "garbage": (b"\x00\x01\x02\r\n\r\n", "cannot be read"),
    "a wrong Accept": (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: no\r\n\r\n",
        "the 101 is not right",
    ),
    "half a content": (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "cannot be read"),
}


@pytest.mark.parametrize("then", ["close", "reset"])
@pytest.mark.parametrize("name", REPLIES)
def test_a_bad_answer_is_named_and_its_bytes_kept(name, then):
    """However a server breaks the rules, the trace has what it said, and the outcome what was wrong."""
    reply, problem = REPLIES[name]
    with scripted(reply, then=then) as port:
        outcome = exchange(f"ws://127.0.0.1:{port}/")
    if then == "close":
        assert problem in outcome.problem
        assert outcome.trace.stream(REPLY) == reply
        assert problem in outcome.trace.note
    assert outcome.problem


def test_a_silent_server_has_an_end():
    """Where no answer comes the client waits as long as it was told, and no longer."""
    with scripted(b"", then="wait") as port:
        outcome = exchange(f"ws://127.0.0.1:{port}/", patience=0.2)
    assert outcome.problem == "no answer came in 0.2 s"
    assert outcome.status is None


def test_a_server_that_answers_no_message_has_an_end():
    """Where a message is not answered the client closes, and says which one it was."""

    async def deaf(stream):
        await stream.sleep(20)

    with UpgradeServer(protocols={"websocket": deaf}, limits=Limits(close_time=0.2)) as server:
        outcome = exchange(server.url, say=["a"], patience=0.2)
    assert outcome.status == 101
    assert outcome.problem == "message 1 was not answered within 0.2 s"


def test_a_handler_that_fails_is_the_exchanges_problem():
    """An error in what the client says is told, not raised, so that the trace is there to look at."""

    async def wrong(stream):
        await stream.send("Hello")
        assert await stream.receive() == "Goodbye"

    with UpgradeServer() as server:
        outcome = exchange(server.url, say=wrong)
    assert outcome.problem.startswith("what the client says failed: AssertionError")


def test_a_client_handler_may_use_asyncio():
    """What the client says may be any coroutine, with a timeout or a queue in it."""

    async def mine(stream):
        async with asyncio.timeout(5):
            await asyncio.sleep(0.01)
            await stream.send("Hello")
            assert await stream.receive() == "Hello"

    with UpgradeServer() as server:
        assert exchange(server.url, say=mine).problem == ""


def test_messages_may_be_given_one_by_one():
    """What is said may come from a generator, that can be gone through only once."""
    with UpgradeServer() as server:
        assert ask(server.url, say=(word for word in ["a", "b"])).stream(REPLY).count(b"\x81\x01") == 2


def test_in_a_notebooks_loop_it_still_blocks():
    """`ask` works where an event loop is running already, as in a notebook's kernel."""

    async def cell():
        return ask(server.url)

    with UpgradeServer() as server:
        assert asyncio.run(cell()) == simulate(Scenario())


def test_where_nothing_listens():
    """A port that nobody listens on is told in one line."""
    with socket.socket() as nowhere:
        nowhere.bind(("127.0.0.1", 0))
        port = nowhere.getsockname()[1]
        for host in ("127.0.0.1", "localhost"):
            with pytest.raises(Failed, match=rf"nothing listens on {host}:{port}: is the server running\?"):
                ask(f"ws://{host}:{port}/")


@pytest.mark.parametrize("url", ["ws://192.0.2.1/", "wss://example.com/", "http://0.0.0.0:80/"])
def test_other_machines_are_refused(url):
    """The lab stays on this machine unless it is told otherwise, by a flag that the refusal names."""
    with pytest.raises(Refused, match="allow_remote=True"):
        ask(url)


def test_what_cannot_be_said_is_told_before_anything_is_dialled():
    """An offer that is no bytes, or a `say` that is no list, is refused at once."""
    with pytest.raises(WrongUse, match="no single byte"):
        ask("ws://127.0.0.1:1/", Offer.plain().with_field("X", "\N{SNOWMAN}"))
    with pytest.raises(WrongUse, match="write"):
        ask("ws://127.0.0.1:1/", say="Hello")


def test_a_name_that_nobody_has():
    """A host that cannot be found is named."""
    with pytest.raises(Failed, match=r"no host is called nobody\.invalid"):
        ask("ws://nobody.invalid/", allow_remote=True)


@pytest.mark.parametrize("patience", [0, -1, 1e9, float("nan")])
def test_patience_is_a_time(patience):
    """No wait is without an end."""
    with pytest.raises(WrongUse, match="patience"):
        ask("ws://127.0.0.1:1/", patience=patience)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Make a certificate for 127.0.0.1 that nobody trusts, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=labkit test", "-addext", "subjectAltName=IP:127.0.0.1", "-out", cert, "-keyout", key],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    return cert, key


@contextmanager
def behind_tls(certificate):
    """Run a real TLS server, websockets' own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with echoing(ssl=context) as port:
        yield f"wss://127.0.0.1:{port}/"


def test_inside_tls_the_plain_bytes_are_recorded(certificate):
    """With a certificate that is trusted, the trace has what was said inside TLS, and how it ended."""
    with behind_tls(certificate) as url:
        outcome = exchange(url, ca=certificate[0])
    assert (outcome.status, outcome.problem) == (101, "")
    assert outcome.trace.stream(ASK).startswith(b"GET / HTTP/1.1\r\n")
    assert outcome.trace.stream(REPLY).endswith(b"\x81\x05Hello\x88\x02\x03\xe8")
    assert {outcome.trace.end(way) for way in Direction} == {How.FIN}


def test_a_decline_inside_tls_ends_well(certificate):
    """Where the client ends first, inside TLS, both ends are in the trace."""
    with behind_tls(certificate) as url:
        outcome = exchange(url, Offer.websocket().with_field("Sec-WebSocket-Version", "8"), ca=certificate[0])
    assert (outcome.status, outcome.problem) == (400, "")
    assert {outcome.trace.end(way) for way in Direction} == {How.FIN}


def test_a_certificate_that_is_not_trusted_is_refused(certificate):
    """Without being told to, the lab trusts nobody whom the system does not."""
    with behind_tls(certificate) as url, pytest.raises(Failed, match="its certificate is not trusted: self-signed"):
        ask(url)


def test_a_server_that_speaks_no_tls_is_named():
    """TLS to a plain server says so, and what to try."""
    with UpgradeServer() as server, pytest.raises(Failed, match="does not speak TLS here"):
        ask(server.url.replace("http", "wss"))


def test_plain_bytes_to_a_tls_server_are_answered_by_nothing_readable(certificate):
    """Plain bytes to a TLS server: what comes back is kept, and called what it is."""
    with behind_tls(certificate) as url:
        outcome = exchange(url.replace("wss", "ws"), patience=1)
    assert outcome.status is None
    assert outcome.problem


@pytest.mark.parametrize(
    "text", [None, "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_a_file_without_certificates_is_named(tmp_path, text):
    """A file to trust that is missing, or holds no certificates, is named before anything is dialled."""
    file = tmp_path / "ca.pem"
    if text is not None:
        file.write_text(text)
    with pytest.raises(Unreadable, match=r"ca\.pem: "):
        ask("wss://127.0.0.1:1/", ca=file)


@pytest.mark.parametrize(
    ("name", "value"),
    [("patience", "x"), ("patience", None), ("patience", -1), ("patience", float("nan")), ("recorded", None),
     ("recorded", -1), ("offer", 5), ("say", 5)],
)  # fmt: skip
def test_an_argument_that_makes_no_sense_is_named(name, value):
    """It is told before anything is dialled."""
    with pytest.raises(WrongUse, match=name):
        ask("ws://127.0.0.1:1/", **{name: value})
