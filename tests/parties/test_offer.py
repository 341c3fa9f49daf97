import base64
import re
import struct

import pytest

from labkit.errors import WrongUse
from labkit.parties.offer import Offer
from labkit.wire.fields import Fields


def test_a_websocket_offer_is_the_rfcs_example():
    """The whole opening handshake has the RFC's host and key (RFC 6455, 1.3)."""
    assert str(Offer.websocket("/chat", subprotocols=("chat", "superchat"), deflate=True)).splitlines() == [
        "GET /chat HTTP/1.1",
        "Host: server.example.com",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: chat, superchat",
        "Sec-WebSocket-Extensions: permessage-deflate",
    ]


@pytest.mark.parametrize(
    ("offer", "protocols"),
    [
        (Offer.bare(), ("websocket",)),
        (Offer.custom("shout/2"), ("shout/2",)),
        (Offer.plain(), ()),
        (Offer.bare().with_field("Upgrade", "h2c, websocket"), ("h2c", "websocket")),
        (Offer.of_bytes(Offer.bare().to_bytes()), ("websocket",)),
        (Offer.of_bytes(b"\x00garbage"), ()),
        (Offer.of_bytes(b"HTTP/1.1 200 OK\r\nUpgrade: x\r\n\r\n"), ()),
    ],
)
def test_an_offer_knows_its_protocols(offer, protocols):
    """What is offered is read from the Upgrade field, of raw bytes too (RFC 9110, 7.8)."""
    assert offer.protocols == protocols


def test_fields_are_left_out_and_set():
    """`without` and `with_field` give a new offer; the order of the other lines stays."""
    offer = Offer.websocket()
    assert "Connection" not in offer.without("connection").fields
    assert "Connection" in offer.fields
    changed = offer.with_field("upgrade", "h2c").with_field("Origin", "null")
    assert [name for name, _ in changed.fields][1] == "upgrade"
    assert changed.fields.lines[-1] == ("Origin", "null")


def test_content_and_early_bytes_follow_the_head():
    """What is sent before the answer is the head, the content and the early bytes, in this order."""
    offer = Offer(Fields.of([("Content-Length", "2")]), method="POST", content=b"hi", early=b"\x81")
    assert offer.to_bytes() == b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi\x81"


def test_cuts_make_segments():
    """The segments, joined, are the bytes; each cut begins a new one."""
    offer = Offer.bare().cut(30, 10, 10)
    assert offer.cuts == (10, 30)
    assert [len(segment) for segment in offer.segments()] == [10, 20, len(offer.to_bytes()) - 30]
    assert b"".join(offer.segments()) == offer.to_bytes()
    assert Offer.of_bytes(b"").segments() == []


@pytest.mark.parametrize("offset", [0, -1, 10_000])
def test_a_cut_lies_inside(offset):
    """A cut where there are no bytes is refused, and the size is told."""
    with pytest.raises(WrongUse, match="between 0 and"):
        Offer.bare().cut(offset)


@pytest.mark.parametrize(
    "change",
    [
        lambda o: o.without("Host"), lambda o: o.with_field("Host", "a"), lambda o: o.twice("Host"),
        lambda o: o.renamed("Host", "X"), lambda o: o.folded("Host"), lambda o: o.but(method="PUT"),
    ],
)  # fmt: skip
def test_raw_bytes_have_no_lines_to_change(change):
    """Raw bytes are sent as they are."""
    with pytest.raises(WrongUse, match="raw bytes"):
        change(Offer.of_bytes(b"GET / HTTP/1.1\r\n\r\n"))


@pytest.mark.parametrize("name", ["without", "twice", "folded"])
def test_a_name_that_is_not_there_is_told(name):
    """A slip of the pen would else change nothing, and nobody would see it; the names that are there are listed."""
    with pytest.raises(WrongUse, match="no field line 'Conection'; it has Host, Upgrade, Connection"):
        getattr(Offer.bare(), name)("Conection")
    with pytest.raises(WrongUse, match="it has none at all"):
        Offer().renamed("Host", "X")


def test_twice():
    """A field line is repeated right behind the last of its name, with the same value unless told."""
    offer = Offer.bare().twice("host").twice("Host", "other")
    assert offer.fields.lines[:4] == (
        ("Host", "server.example.com"), ("Host", "server.example.com"), ("Host", "other"), ("Upgrade", "websocket"),
    )  # fmt: skip


def test_renamed():
    """Every field line of a name gets the new one; values and places stay."""
    offer = Offer.bare().twice("Upgrade").renamed("upgrade", "Upgrade ")
    assert [name for name, _ in offer.fields] == ["Host", "Upgrade ", "Upgrade ", "Connection"]
    assert offer.protocols == ()


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("keep-alive, Upgrade", b"Connection: keep-alive,\r\n Upgrade\r\n"),
        ("a b c", b"Connection: a\r\n b c\r\n"),
        ("Upgrade", b"Connection: \r\n Upgrade\r\n"),
        ("", b"Connection: \r\n \r\n"),
    ],
)
def test_folded(value, line):
    """A folded line goes on behind a comma, a space, or the colon; who takes it reads one value (RFC 9112, 5.2)."""
    plain = Offer.bare().with_field("Connection", value)
    offer = plain.folded("Connection")
    assert line in offer.to_bytes()
    assert offer.head == plain.head
    assert offer.protocols == plain.protocols
    assert offer.folded("Connection") == offer != plain


def test_but():
    """The other parts of an offer are changed in one call; what is not named stays, and so do the field lines."""
    offer = Offer.bare().cut(5).but(method="POST", target="/a", version="HTTP/1.0", content=b"hi", early=b"\x81")
    assert offer.to_bytes() == (
        b"POST /a HTTP/1.0\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhi\x81"
    )
    assert offer.but(content=b"", early=b"", method="GET", target="/", version="HTTP/1.1") == Offer.bare()
    with pytest.raises(WrongUse, match="content of an offer is bytes"):
        Offer.bare().but(content="hi")


def test_variations_leave_the_offer_as_it_was():
    """Every change gives a new offer (immutable)."""
    offer, same = Offer.websocket(), Offer.websocket()
    for name in ("without", "twice", "folded"):
        getattr(offer, name)("Connection")
    offer.but(method="PUT")
    offer.renamed("Host", "X")
    assert offer == same


def test_h2c_and_tls():
    """h2c brings exactly one HTTP2-Settings, of whole settings of 6 bytes (RFC 7540, 3.2.1); TLS asks the server."""
    h2c = Offer.h2c("/a")
    payload = base64.urlsafe_b64decode(h2c.fields.all("HTTP2-Settings")[0])
    assert struct.unpack(">HIHIHI", payload) == (3, 100, 4, 1 << 25, 2, 0)
    assert h2c.fields.elements("Connection") == ["Upgrade", "HTTP2-Settings"]
    assert (h2c.target, h2c.protocols) == ("/a", ("h2c",))
    assert str(Offer.tls(host="a")) == "OPTIONS * HTTP/1.1\nHost: a\nUpgrade: TLS/1.0\nConnection: Upgrade"


def test_subprotocols_are_a_list():
    """One text would be taken for a list of letters."""
    with pytest.raises(WrongUse, match="write \\['chat'\\]"):
        Offer.websocket(subprotocols="chat")


def test_an_offer_shows_itself():
    """In a notebook an offer is the head it will send; bytes that are no text are told by their numbers."""
    assert Offer.bare()._repr_mimebundle_(include=None, exclude=None)["text/plain"].startswith("GET / HTTP/1.1\nHost")
    assert str(Offer.of_bytes(b"a\x00\xffb\r\n\x85")) == "a\\x00\xffb\n\\x85"
    assert repr(Offer.bare()) == "<Offer GET / for websocket>"
    assert repr(Offer.of_bytes(b"abc")) == "<Offer 3 raw bytes>"


@pytest.mark.parametrize(
    ("name", "value"),
    [("fields", 5), ("method", None), ("method", 5), ("target", b"/"), ("content", "text"), ("early", None), ("raw", "text"),
     ("fields", Fields(5)),
     ("cuts", None), ("cuts", 5), ("cuts", ("a",)), ("cuts", (True,)), ("cuts", "12"), ("cuts", (1, 10_000))],
)  # fmt: skip
def test_a_part_of_the_wrong_type_is_named(name, value):
    """An offer that could not be sent is refused when it is made."""
    with pytest.raises(WrongUse, match=f"{name} of an offer is"):
        Offer(**{name: value})


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: Offer.websocket().with_field("Sec-WebSocket-Version", 13),
         "the value of the field line 'Sec-WebSocket-Version' is a text, not 13"),
        (lambda: Offer.websocket(host=5), "the value of the field line 'Host' is a text, not 5"),
        (lambda: Offer.bare(host=b"h"), "the value of the field line 'Host' is a text, not b'h'"),
        (lambda: Offer.websocket(key=None), "the value of the field line 'Sec-WebSocket-Key' is a text, not None"),
        (lambda: Offer.h2c(settings=5), "the value of the field line 'HTTP2-Settings' is a text, not 5"),
        (lambda: Offer.custom(5), "the value of the field line 'Upgrade' is a text, not 5"),
        (lambda: Offer.bare().twice("Host", 5), "the value of the field line 'Host' is a text, not 5"),
        (lambda: Offer.bare().renamed("Host", 5), "the name of a field line is a text, not 5"),
        (lambda: Offer.bare().renamed(5, "Host"), "the name of a field line is a text, not 5"),
        (lambda: Offer.bare().with_field(5, "a"), "the name of a field line is a text, not 5"),
        (lambda: Offer.bare().without(5), "the name of a field line is a text, not 5"),
        (lambda: Offer.bare().cut("20"), "each a whole number between 0 and"),
        (lambda: Offer.bare().but(target=5), "target of an offer is a text, not 5"),
        (lambda: Offer.websocket(subprotocols=(5,)), "each of the subprotocols is a text, not 5"),
        (lambda: Offer.websocket(subprotocols=5), "subprotocols is a list of texts, not 5"),
        (lambda: Offer.of_bytes(5), "raw of an offer is bytes, not 5"),
        (lambda: Offer.of_bytes("GET"), "raw of an offer is bytes, not 'GET'"),
        (lambda: Offer(raw=b"abcdef", cuts=(-3, 100, 2)), "between 0 and 6, its size in bytes; not -3"),
        (lambda: Offer(Fields.of([("a", "b")]), target="\ud800"), "target of an offer: '\\ud800' in"),
        (lambda: Offer.bare("/→"), "target of an offer: '→' in '/→' is no single byte"),
        (lambda: Offer.bare().with_field("X", "→"), "the value of the field line 'X': '→' in '→' is no single byte"),
        (lambda: Offer.bare().with_field("→", "x"), "the name of a field line: '→' in '→' is no single byte"),
        (lambda: Offer(Fields(("ab",))), "a field line is a pair (name, value), not 'ab'"),
    ],
)  # fmt: skip
def test_what_could_not_be_sent_is_named(make, named):
    """Whatever makes an offer, what is wrong with it is said there, in one line that says what it must be."""
    with pytest.raises(WrongUse, match=re.escape(named)) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_cuts_are_set_in_order():
    """Any sequence of cuts will do; an offer with them can be a key of a dictionary, and sends each byte once."""
    offer = Offer(raw=b"abcdef", cuts=[3, 1, 3])
    assert offer.cuts == (1, 3)
    assert offer.segments() == [b"a", b"bc", b"def"]
    assert {offer: 1}[Offer.of_bytes(bytearray(b"abcdef")).cut(1, 3)] == 1
