"""Real clients of other makes against the lab's server: websockets' own, and wsproto's."""

import asyncio
import socket

import pytest
import websockets
import websockets.sync.client
import wsproto
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    Pong,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from wsproto.extensions import PerMessageDeflate

from labkit.net.server import UpgradeServer
from labkit.trace import Direction, How

DEFLATES = ["stored", "zlib", "off"]


def dial(server, **options):
    options.setdefault("compression", None)
    return websockets.sync.client.connect(server.url.replace("http", "ws"), proxy=None, **options)


@pytest.mark.parametrize("deflate", DEFLATES)
@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 1 << 20])
def test_websockets_gets_its_messages_back(deflate, size):
    """Messages of every length form, up to the limit, come back whole, however they are compressed."""
    with UpgradeServer(deflate=deflate) as server, dial(server, compression="deflate", max_size=None) as client:
        for message in ("é" * (size // 2), bytes(size)):
            client.send(message)
            assert client.recv() == message
        agreed = client.response.headers.get("Sec-WebSocket-Extensions")
        assert (agreed is None) is (deflate == "off")
    assert server.trace.end(Direction.TO_CLIENT) is How.FIN


@pytest.mark.parametrize("deflate", DEFLATES)
def test_websockets_gets_its_fragments_back(deflate):
    """A message in many fragments comes back as one."""
    with UpgradeServer(deflate=deflate) as server, dial(server, compression="deflate") as client:
        client.send(str(number) for number in range(500))
        assert client.recv() == "".join(str(number) for number in range(500))
        client.send([b"", b"\x00", b"", b"\xff" * 70_000, b""])
        assert client.recv() == b"\x00" + b"\xff" * 70_000


@pytest.mark.parametrize("deflate", DEFLATES)
def test_websockets_reads_the_labs_fragments(deflate):
    """A handler's list of fragments is one message to another make of client."""

    async def pieces(stream):
        await stream.send(["a", "", "é", "b" * 100_000])
        await stream.send([b"", b""])

    server = UpgradeServer(protocols={"websocket": pieces}, deflate=deflate)
    with server, dial(server, compression="deflate") as client:
        assert client.recv() == "aé" + "b" * 100_000
        assert client.recv() == b""
        with pytest.raises(websockets.ConnectionClosedOK):
            client.recv()


@pytest.mark.parametrize("deflate", ["stored", "zlib"])
@pytest.mark.parametrize("bits", [None, 9, 15])
@pytest.mark.parametrize("takeover", [True, False])
def test_every_parameter_of_compression_is_agreed(deflate, bits, takeover):
    """Window bits and context takeover are negotiated, and then kept (RFC 7692, 7.1)."""
    factory = ClientPerMessageDeflateFactory(
        server_max_window_bits=bits,
        client_max_window_bits=bits or True,
        server_no_context_takeover=takeover,
        client_no_context_takeover=takeover,
    )
    with UpgradeServer(deflate=deflate) as server, dial(server, extensions=[factory]) as client:
        for message in ("Hello" * 1000, "Hello" * 1000, "", "x"):
            client.send(message)
            assert client.recv() == message


def test_a_ping_of_websockets_is_answered():
    """A Ping gets its Pong while messages flow."""
    with UpgradeServer() as server, dial(server) as client:
        assert client.ping(b"there?").wait(5)


def test_websockets_and_the_lab_agree_on_a_subprotocol():
    """What was chosen is what the client hears."""
    with UpgradeServer(subprotocols=("b", "a")) as server, dial(server, subprotocols=["a", "b"]) as client:
        assert client.subprotocol == "b"


@pytest.mark.parametrize(
    ("settings_of", "options", "expected"),
    [
        ({"origins": ("https://good.example",)}, {"origin": "https://evil.example"}, 403),
        ({"paths": ("/chat",)}, {}, 404),
        ({"protocols": {}}, {}, 200),
    ],
)
def test_websockets_understands_a_decline(settings_of, options, expected):
    """Another make of client reads the status of a decline."""
    with UpgradeServer(**settings_of) as server, pytest.raises(websockets.InvalidStatus) as caught:
        dial(server, **options)
    assert caught.value.response.status_code == expected


def test_many_of_websockets_asyncio_clients():
    """Fifty clients at once, twenty messages each, all get their own back."""

    async def one(number):
        async with websockets.connect(url, proxy=None) as client:
            for turn in range(20):
                await client.send(f"{number}.{turn}")
            return [await client.recv() for _ in range(20)]

    async def all_of_them():
        return await asyncio.gather(*(one(number) for number in range(50)))

    with UpgradeServer() as server:
        url = server.url.replace("http", "ws")
        assert asyncio.run(all_of_them()) == [[f"{n}.{turn}" for turn in range(20)] for n in range(50)]


class Wsproto:
    """A client of wsproto's over a socket."""

    def __init__(self, server, **request):
        self.core = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        self.send(Request(host="server.example.com", target="/", **request))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, event):
        self.socket.sendall(self.core.send(event))

    def next(self):
        while True:
            for event in self.core.events():
                return event
            data = self.socket.recv(65536)
            self.core.receive_data(data or None)


@pytest.mark.parametrize("deflate", DEFLATES)
def test_wsproto_speaks_with_the_lab(deflate):
    """Handshake, fragments, Ping and Close, as wsproto understands them."""
    with UpgradeServer(deflate=deflate) as server, Wsproto(server, extensions=[PerMessageDeflate()]) as client:
        accepted = client.next()
        assert isinstance(accepted, AcceptConnection)
        assert len(accepted.extensions) == (deflate != "off")
        client.send(TextMessage("Hel", message_finished=False))
        client.send(Ping(b"p"))
        client.send(TextMessage("lo"))
        assert client.next() == Pong(b"p")
        assert client.next() == TextMessage("Hello")
        client.send(BytesMessage(bytes(100_000)))
        data = b""
        while len(data) < 100_000:
            data += client.next().data
        assert data == bytes(100_000)
        client.send(CloseConnection(4000, "enough"))
        assert client.next() == CloseConnection(4000, "enough")


def test_wsproto_understands_a_decline():
    """Status and reason of a decline reach wsproto."""
    with UpgradeServer(paths=("/chat",)) as server, Wsproto(server) as client:
        rejected = client.next()
        assert isinstance(rejected, RejectConnection)
        assert rejected.status_code == 404
        body = client.next()
        assert isinstance(body, RejectData)
        assert body.data == b"nothing is here; try /chat\n"


@settings(max_examples=30, deadline=None)
@given(messages=st.lists(st.one_of(st.text(), st.binary()), max_size=8), deflate=st.sampled_from(DEFLATES))
def test_whatever_is_said_comes_back(messages, deflate):
    """Any messages, all sent at once, come back in their order."""
    with UpgradeServer(deflate=deflate) as server, dial(server, compression="deflate") as client:
        for message in messages:
            client.send(message)
        assert [client.recv() for _ in messages] == messages
