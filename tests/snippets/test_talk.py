"""What the forms do after the answer: the switch, what is said, the goodbye; and what goes wrong."""

from __future__ import annotations

import socket

import pytest

from labkit.dissection import dissect
from labkit.net.server import UpgradeServer
from labkit.parties.offer import Offer
from labkit.scenario import Scenario
from labkit.snippets import snippet
from labkit.trace import Direction
from tests.net.peer import scripted
from tests.snippets.running import check_same, execute, received

ASK = Direction.TO_SERVER
SAID = ["Hello", 'it\'s "5" \u20ac\n\\', b"\x00\xff'", "x" * 126, b"y" * 20_000, ""]
FRAMES = [(0x81 if isinstance(each, str) else 0x82, each.encode() if isinstance(each, str) else each) for each in SAID]
CLOSE = (0x88, b"\x03\xe8")


def frames(trace):
    """Return the first byte of each frame of the client, and its payload; all of them are right."""
    part = dissect(trace).hops[0].frames(ASK)
    assert part.faults == {}
    return [(frame.first, part.payload(place)) for place, frame in enumerate(part.frames)]


@pytest.mark.parametrize("form", ["websockets", "socket"])
@pytest.mark.parametrize("deflate", [False, True])
def test_what_is_said_comes_back(form, deflate, tmp_path):
    """Each message is sent, its answer printed, and the closing handshake made with 1000 (RFC 6455, 7.1.2)."""
    offer = Offer.websocket(deflate=deflate)
    printed = snippet(Scenario(offer, SAID), form, "http://127.0.0.1:1/")
    with UpgradeServer() as server:
        out = execute(snippet(Scenario(offer, SAID), form, server.url), tmp_path)
        trace = server.trace
    assert printed.leaves_out == ()
    check_same(offer, printed, trace.stream(ASK).partition(b"\r\n\r\n")[0] + b"\r\n\r\n" * (form == "socket"))
    part = dissect(trace).hops[0].frames(ASK)
    assert part.faults == {}
    if deflate and form == "websockets":  # it compresses what it says
        assert [part.content(place) for place in range(len(SAID))] == [data for _, data in FRAMES]
    else:
        assert frames(trace) == [*FRAMES, CLOSE]
    assert "Hello" in out
    assert out.count("Answer: ") == (len(SAID) if form == "socket" else 0)
    assert repr(b"\x00\xff'") in out
    assert "Closed: " in out
    assert "1000" in out or r"\x03\xe8" in out


@pytest.mark.parametrize("form", ["websockets", "socket"])
def test_fragments(form, tmp_path):
    """A message in fragments is said in them (RFC 6455, 5.4)."""
    with UpgradeServer() as server:
        execute(snippet(Scenario(say=[("a", "b", ""), (b"c", b"d")]), form, server.url), tmp_path)
        said = frames(server.trace)
    assert said[:3] == [(1, b"a"), (0, b"b"), (0x80, b"")] or form == "websockets"
    assert b"".join(data for _, data in said) == b"abcd\x03\xe8"
    assert [first for first, _ in said if first & 0x0F] == [1, 2, 0x88]


def test_masks_are_fresh(tmp_path):
    """Each frame has a masking key of its own, and each run a key of its own (RFC 6455, 4.1, 5.3)."""
    printed = []
    with UpgradeServer() as server:
        text = snippet(Scenario(say=["same", "same"]), "socket", server.url)
        for _ in range(2):
            execute(text, tmp_path)
            printed.append(received(server))
    head, _, rest = printed[0].partition(b"\r\n\r\n")
    assert head != printed[1].partition(b"\r\n\r\n")[0]
    assert rest[:10] != rest[10:20]


def test_another_protocol_is_said_as_it_is(tmp_path):
    """Behind a switch to a protocol of one's own the bytes are the messages themselves."""
    offer = Offer.custom("shout")

    async def shout(stream):
        async for data in stream:
            await stream.send(data.upper())

    with UpgradeServer(protocols={"shout": shout}) as server:
        out = execute(snippet(Scenario(offer, ["one", b"\xfftwo"]), "socket", server.url), tmp_path)
        assert received(server) == offer.to_bytes() + b"one\xfftwo"
    assert "Answer: b'ONE'\nAnswer: b'\\xffTWO'\n" in out


@pytest.mark.parametrize("offer", [Offer.h2c(), Offer.custom("h2c, websocket")])
def test_what_needs_a_library_is_left_out(offer):
    """Frames of HTTP/2 are not made by hand, and a choice that is the server's is not foreseen."""
    assert "h2c" in snippet(Scenario(offer), "socket").leaves_out[0]


@pytest.mark.parametrize("form", ["curl", "php"])
def test_a_switch_is_seen(form, tmp_path):
    """Both print the head of the 101, though neither sees an end behind it: curl exits with 28, PHP stops."""
    with UpgradeServer() as server:
        printed = snippet(Offer.websocket(), form, server.url, key="AAAAAAAAAAAAAAAAAAAAAA==")
        out = execute(printed, tmp_path, code=28 if form == "curl" else 0)
        check_same(Offer.websocket(), printed, received(server))
    assert out.startswith("HTTP/1.1 101 ")
    assert out.endswith("Switched.\n" if form == "php" else "\r\n\r\n")


@pytest.mark.parametrize("form", ["php", "socket"])
def test_interim_answers_are_passed_over(form, tmp_path):
    """A 103 before the 101 is printed, and the switch is seen behind it (RFC 9110, 15.2)."""
    with UpgradeServer(faults=("interim=103",)) as server:
        out = execute(snippet(Offer.websocket(), form, server.url), tmp_path)
    assert "HTTP/1.1 103" in out
    assert "Switched" in out


@pytest.mark.parametrize("form", ["php", "websockets", "socket"])
def test_a_decline_is_told(form, tmp_path):
    """Where the server does not switch, its answer is printed, and no frame is sent."""
    with UpgradeServer(protocols={}) as server:
        out = execute(snippet(Scenario(), form, server.url), tmp_path)
        assert dissect(server.trace).hops[0].frames(ASK) is None
    assert "Switched" not in out
    assert "200" in out


def test_the_answer_to_head_has_no_content(tmp_path):
    """PHP is told that HEAD has no content in its answer, whatever length that announces (RFC 9110, 9.3.2)."""
    with scripted(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", then="wait") as port:
        out = execute(snippet(Offer.plain().but(method="HEAD"), "php", f"http://127.0.0.1:{port}/"), tmp_path)
    assert out.startswith("HTTP/1.1 200 OK")
    assert "Failed" not in out


def test_cuts_are_sends_of_their_own():
    """A request in segments is sent in pieces, with a pause behind each."""
    text = snippet(Offer.bare().cut(3, 40), "socket").text
    assert "for piece in (request[:3], request[3:40], request[40:]):\n            connection.sendall(piece)" in text


@pytest.mark.parametrize("form", ["websockets", "socket"])
def test_a_wrong_accept_is_told(form, tmp_path):
    """A client has to fail the connection where the Accept is not that of its key (RFC 6455, 4.1)."""
    reply = b"HTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: no\r\n\r\n"
    with scripted(reply) as port:
        out = execute(
            snippet(Scenario(), form, f"http://127.0.0.1:{port}/"), tmp_path, code=1 if form == "socket" else 0
        )
    assert "Switched" not in out


@pytest.mark.parametrize("reply", [b"", b"HTTP/1.1 101", b"\xff\xfe\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\nx" * 100])
@pytest.mark.parametrize(
    ("form", "what"), [("php", Offer.bare()), ("websockets", Scenario()), ("socket", Offer.bare())]
)
def test_a_bad_answer_ends_without_a_traceback(form, what, reply, tmp_path):
    """Whatever a server says, a printed program ends, in words."""
    with scripted(reply) as port:
        execute(snippet(what, form, f"http://127.0.0.1:{port}/"), tmp_path, code=None)


@pytest.mark.parametrize("form", ["php", "websockets", "socket"])
def test_a_closed_port_is_told(form, tmp_path):
    """Where nothing listens the program says so."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    out = execute(snippet(Offer.websocket(), form, f"http://127.0.0.1:{port}/"), tmp_path, code=None)
    assert "Switched" not in out


@pytest.mark.parametrize("form", ["curl", "php", "websockets", "socket"])
def test_a_silent_server_has_an_end(form, tmp_path):
    """Each printed form waits a few seconds, and no longer."""
    with scripted(b"", then="wait") as port:
        execute(snippet(Offer.websocket(), form, f"http://127.0.0.1:{port}/"), tmp_path, code=None)
