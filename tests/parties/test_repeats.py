"""An offer that repeats an earlier one but for its key: it is answered as if it were the first."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.parties import repeats, server
from labkit.parties.clocks import lab_date
from labkit.parties.described import Server
from labkit.parties.repeats import Repeats
from labkit.parties.server import ServerParty
from labkit.wire.upgrade import SAMPLE_KEY, accept_key
from tests.parties.driving import HOST, LINES, TEXT, Driven, asked, closing, head

KEYS = st.binary(min_size=16, max_size=16).map(lambda key: base64.b64encode(key).decode())
OTHER = "AQIDBAUGBwgJCgsMDQ4PEC=="
EXTRAS = [
    "Origin: http://a.example", "Sec-WebSocket-Protocol: chat", "Sec-WebSocket-Protocol: chat, soap",
    "Sec-WebSocket-Extensions: permessage-deflate", "Content-Length: 0", "X-Of: dGhlIHNhbXBsZSBub25jZQ==", "X: ,",
    f"Sec-WebSocket-Key: {SAMPLE_KEY}", "Connection: close",
]  # fmt: skip


def offer(key: str, *extras: str, name: str = "Sec-WebSocket-Key", start: str = "GET / HTTP/1.1") -> bytes:
    return head(*LINES, f"{name}: {key}", "Sec-WebSocket-Version: 13", *extras, start=start)


def served(told: Server, known: Repeats | None, *pieces: bytes) -> tuple[bytes, list[object]]:
    """Serve one connection; return what the server said, and the head that its handler was given."""
    heads = []

    async def handler(stream):
        heads.append((stream.request, stream.protocol, stream.subprotocol))
        async for message in stream:
            await stream.send(message)

    told = Server(protocols={"websocket": handler}, subprotocols=told.subprotocols, faults=told.faults)
    driven = Driven(lambda driver: ServerParty(told, driver, lab_date, known))
    driven.feed(*pieces)
    return driven.said, heads


@pytest.fixture
def decided(monkeypatch):
    """Count how often a server decides by its tables."""
    made = []
    real = server.decide
    monkeypatch.setattr(server, "decide", lambda *given: made.append(given) or real(*given))
    return made


@given(st.lists(KEYS | st.sampled_from(["AAAA", "", OTHER]), min_size=2, max_size=4), st.sets(st.sampled_from(EXTRAS)))
@pytest.mark.parametrize("told", [Server(subprotocols=["chat"]), Server(faults=["accept-wrong", "unasked"])])
def test_a_repeated_offer_is_answered_as_the_first(told, keys, extras):
    """Whatever was answered before, the answer and what the handler sees are those of a server that knows no offer."""
    known = Repeats()
    for key in keys:
        said = (offer(key, *sorted(extras)), asked(TEXT, b"Hello"), closing())
        assert served(told, known, *said) == served(told, None, *said)


def test_an_offer_is_decided_once(decided):
    """Another key, and the bytes after the head, make no new offer; a line more, or another case, does."""
    known = Repeats()
    for key in (SAMPLE_KEY, accept_key("x")[:21] + "A==", SAMPLE_KEY):
        said, _ = served(Server(), known, offer(key) + asked(TEXT, b"Hello"))
        assert accept_key(key).encode() in said
        assert said.endswith(b"Hello")
    assert len(decided) == 1
    served(Server(), known, offer(SAMPLE_KEY, name="sec-websocket-key"))
    served(Server(), known, offer(SAMPLE_KEY, "X: y"))
    assert len(decided) == 3


@pytest.mark.parametrize("extra", ["Sec-WebSocket-Extensions: permessage-deflate", "Content-Length: 0"])
def test_what_has_a_state_of_its_own_is_decided_anew(decided, extra):
    """An agreed extension belongs to one connection, and so does a request with content."""
    known = Repeats()
    for _ in range(2):
        assert served(Server(), known, offer(SAMPLE_KEY, extra))[0].startswith(b"HTTP/1.1 101 ")
    assert len(decided) == 2


def test_a_decline_is_not_kept(decided):
    """Only a switch is: declines are rare, and some close the connection."""
    known = Repeats()
    for _ in range(2):
        assert served(Server(), known, head(HOST, "Upgrade: websocket"))[0].startswith(b"HTTP/1.1 200 ")
    assert len(decided) == 2


def test_only_so_many_are_kept(decided):
    """The oldest offer goes where there are too many, and is decided again when it comes again."""
    known = Repeats()
    for number in range(repeats._MOST + 1):
        served(Server(), known, offer(SAMPLE_KEY, start=f"GET /{number} HTTP/1.1"))
    assert len(known._known) == repeats._MOST
    before = len(decided)
    served(Server(), known, offer(SAMPLE_KEY, start="GET /1 HTTP/1.1"))
    assert len(decided) == before
    served(Server(), known, offer(SAMPLE_KEY, start="GET /0 HTTP/1.1"))
    assert len(decided) == before + 1


@pytest.mark.parametrize("extra", [(), ("Content-Length: 0",), ("Sec-WebSocket-Extensions: permessage-deflate",)])
def test_h11_reads_every_head_that_repeats_none(monkeypatch, extra):
    """A head is h11's to read, whether or not it announces content; only one that was read before is not."""
    read = []
    real = server.h11.Connection
    monkeypatch.setattr(server.h11, "Connection", lambda *given, **more: read.append(given) or real(*given, **more))
    known = Repeats()
    for key in (SAMPLE_KEY, base64.b64encode(bytes(16)).decode()):
        served(Server(), known, offer(key, *extra))
    assert len(read) == (2 if extra else 1)
