"""The server's side of HTTP/2 from the first byte on: SETTINGS, the decision, the answers, and its bounds."""

from __future__ import annotations

import pytest

from labkit.parties.answer import Answer
from labkit.parties.clocks import lab_date
from labkit.parties.described import Limits, Server
from labkit.parties.offer import Offer
from labkit.parties.stream import echo
from labkit.wire.http2 import PREFACE
from tests.parties.driving import Served, status
from tests.parties.lanes import HELLO, Peer, connect, get

ECHOING = Server(http2=True)


def test_the_setting_comes_first():
    """A server says ENABLE_CONNECT_PROTOCOL 1 before anybody may ask so; without a protocol it does not (RFC 8441, 3)."""
    assert Peer(ECHOING).core.remote_settings.enable_connect_protocol == 1
    assert Peer(Server(http2=True, protocols={})).core.remote_settings.enable_connect_protocol == 0


def test_an_extended_connect_is_answered_200():
    """There is no 101: the CONNECT gets 200, with a date, and none of Upgrade, Connection and Accept (RFC 8441, 5)."""
    peer = Peer(ECHOING)
    number = peer.ask(connect())
    assert peer.fields[number] == {":status": "200", "date": lab_date()}
    assert peer.ended == []


def test_subprotocol_and_extension_are_agreed_as_after_an_upgrade():
    """Sec-WebSocket-Protocol and -Extensions mean what they mean in HTTP/1.1 (RFC 8441, 5)."""
    peer = Peer(Server(http2=True, subprotocols=("chat",)))
    more = [("sec-websocket-protocol", "x, chat"), ("sec-websocket-extensions", "permessage-deflate")]
    number = peer.ask(connect("/", *more))
    assert peer.fields[number]["sec-websocket-protocol"] == "chat"
    assert peer.fields[number]["sec-websocket-extensions"] == "permessage-deflate"
    peer.say(number, HELLO)
    assert peer.data[number] == bytes.fromhex("c10b000500faff48656c6c6f00")


@pytest.mark.parametrize(
    ("settings", "lines", "wanted"),
    [
        ({}, connect(protocol="quote/1.0"), 501),
        ({"ignore": True}, connect(), 501),
        ({"decline": Answer(403, "no")}, connect(), 403),
        ({"redirect": "/there"}, connect(), 302),
        ({"paths": ("/chat",)}, connect("/else"), 404),
        ({"origins": ("https://a",)}, connect("/", ("origin", "https://b")), 403),
        ({}, [line for line in connect() if line[0] != "sec-websocket-version"], 400),
        ({}, [*connect()[:-1], ("sec-websocket-version", "8")], 400),
        ({}, [(":method", "CONNECT"), (":authority", "a")], 501),
    ],
)
def test_the_same_tables_decide(settings, lines, wanted):
    """What declines an Upgrade declines an extended CONNECT; where HTTP/1.1 has 426, which names a protocol, it is 400."""
    peer = Peer(Server(http2=True, **settings))
    number = peer.ask(lines)
    assert peer.fields[number][":status"] == str(wanted)
    assert {"upgrade", "connection"}.isdisjoint(peer.fields[number])
    assert peer.ended == [number]


def test_a_version_that_is_not_spoken_is_told_which_is():
    """The answer names version 13 (RFC 6455, 4.4)."""
    peer = Peer(ECHOING)
    assert peer.fields[peer.ask([*connect()[:-1], ("sec-websocket-version", "8")])]["sec-websocket-version"] == "13"


def test_plain_requests_get_the_plain_page():
    """GET, HEAD and POST are answered as in HTTP/1.1, beside a conversation on another stream."""
    peer = Peer(ECHOING)
    open_one = peer.ask(connect())
    page, head, post = peer.ask(get(), end=True), peer.ask(get(method="HEAD"), end=True), peer.ask(get(method="POST"))
    peer.say(post, b"hello", end=True)
    assert peer.data[page] == b"A plain page: no upgrade was made.\n"
    assert peer.fields[page]["content-length"] == peer.fields[head]["content-length"] == "35"
    assert head not in peer.data
    assert b"5 bytes of content" in peer.data[post]
    assert peer.ended == [page, head, post]
    assert open_one not in peer.ended


def test_pages_with_an_answer_of_their_own():
    """A page that is an answer is given; one that has a handler is spoken in HTTP/1.1 alone, and says so."""

    async def handler(_):
        raise AssertionError("it is not asked")

    peer = Peer(Server(http2=True, pages={"/own": Answer(200, "mine"), "/handled": handler}))
    own, handled = peer.ask(get("/own"), end=True), peer.ask(get("/handled"), end=True)
    assert peer.data[own] == b"mine\n"
    assert peer.fields[handled][":status"] == "501"


def test_where_an_upgrade_is_required_a_plain_request_is_told_so():
    """A 426 without Upgrade says nothing, and HTTP/2 has no Upgrade: 400 (RFC 9113, 8.2.2)."""
    peer = Peer(Server(http2=True, require=True))
    assert peer.fields[peer.ask(get(), end=True)][":status"] == "400"


def test_content_beyond_the_limit_is_413():
    """The limit of content holds, and its client gets no more room (RFC 9110, 15.5.14)."""
    peer = Peer(Server(http2=True, limits=Limits(content=1000)))
    number = peer.ask(get(method="POST"))
    peer.say(number, b"x" * 2000)
    assert peer.fields[number][":status"] == "413"


def test_a_protocol_of_ones_own_needs_no_websocket():
    """Any protocol of the server's can be named in :protocol; its bytes are the DATA, as they are."""
    peer = Peer(Server(http2=True, protocols={"quote/1.0": echo}))
    number = peer.ask(connect(protocol="quote/1.0"))
    peer.say(number, b"hello", end=True)
    assert peer.data[number] == b"hello"
    assert peer.ended == [number]


def test_requests_beyond_the_limit_are_refused():
    """A stream more than the limit of requests is refused, and may be asked anew elsewhere (RFC 9113, 8.7)."""
    peer = Peer(Server(http2=True, limits=Limits(requests=2)))
    numbers = [peer.ask(get(), end=True) for _ in range(3)]
    assert peer.ended == numbers[:2]
    assert peer.reset == {numbers[2]: 7}


def test_handlers_whose_streams_were_reset_count():
    """Opening and resetting streams does not start handlers without end."""

    async def stubborn(stream):
        while True:
            await stream._wait(stream.clock() + 99)  # it does not take the hint

    peer = Peer(Server(http2=True, protocols={"websocket": stubborn}))
    for _ in range(150):
        number = peer.ask(connect())
        if number not in peer.reset:
            peer.core.reset_stream(number)
            peer.go_on()
    assert len(peer.server._steps._all) <= 100
    assert len(peer.reset) == 50


def test_a_head_beyond_the_limit_ends_the_connection():
    """A field block is bounded as a head is; what cannot be decoded whole leaves no way on (RFC 9113, 10.5.1)."""
    peer = Peer(Server(http2=True, limits=Limits(head=500)))
    peer.ask(connect("/", *((f"x-{place}", "y" * 50) for place in range(20))))
    assert peer.goodbye


def test_only_a_server_that_is_told_so_speaks_http2():
    """To any other the preface is a request in a version that it does not know: 505, as before."""
    assert status(Served().feed(PREFACE)) == 505
    assert Served(http2=True).feed(PREFACE)[3] == 4  # SETTINGS


def test_http11_is_spoken_at_the_same_port():
    """Whoever begins with a request of HTTP/1.1 is answered in it, be its method as like the preface as it may."""
    served = Served(http2=True)
    assert served.feed(b"P") == b""
    assert status(served.feed(b"OST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")) == 200
    assert status(served.feed(Offer.websocket().to_bytes())) == 101


def test_half_a_preface_is_waited_for_as_half_a_head():
    """It is 408 after the time for a head (RFC 9110, 15.5.9)."""
    served = Served(http2=True, head_time=1)
    assert served.feed(PREFACE[:9]) == b""
    assert status(served.wait(2)) == 408


def test_what_is_no_http2_behind_the_preface_gets_a_goaway():
    """Garbage ends the connection with an error (RFC 9113, 5.4.1)."""
    served = Served(http2=True)
    served.feed(PREFACE)
    assert served.feed(b"\xff" * 64)[-17:][3] == 7
    assert served.party.ending
