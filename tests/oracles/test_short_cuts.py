"""Where the server spares a library its work, the library must have said the same."""

import base64

import h11
from hypothesis import given
from hypothesis import strategies as st
from websockets.datastructures import Headers
from websockets.http11 import Request
from websockets.server import ServerProtocol

from labkit.parties.decide import Switch, decide
from labkit.parties.described import Server
from labkit.parties.offer import Offer
from labkit.wire.fields import Fields
from labkit.wire.http1 import RequestHead

_TOKEN = st.text(st.sampled_from("!#$%&'*+-.^_`|~09azAZ"), min_size=1, max_size=8)
_VALUE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12).map(str.strip)
_ABOUT_CONTENT = {"content-length", "transfer-encoding", "expect", "host", "connection", "upgrade"}


@given(st.binary(min_size=16, max_size=16), st.sampled_from(["stored", "zlib", "off"]))
def test_an_offer_with_nothing_to_negotiate_gets_the_answer_of_websockets(key: bytes, deflate: str) -> None:
    """The 101 is that of websockets' own core, less its Date (RFC 6455, 4.2.2 (5))."""
    head = Offer.websocket(key=base64.b64encode(key).decode()).head
    found = decide(Server(deflate=deflate), head)
    answer = ServerProtocol().accept(Request(head.target, Headers(head.fields)))
    assert isinstance(found, Switch)
    assert found.fields.lines == tuple(line for line in answer.headers.raw_items() if line[0] != "Date")
    assert (found.extensions, found.subprotocol) == ((), None)


@given(
    st.sampled_from(["GET", "HEAD", "POST", "OPTIONS"]),
    st.lists(st.tuples(_TOKEN.filter(lambda name: name.lower() not in _ABOUT_CONTENT), _VALUE), max_size=5),
    st.binary(max_size=20),
)
def test_a_head_without_content_is_complete_for_h11_too(
    method: str, lines: list[tuple[str, str]], after: bytes
) -> None:
    """What is remembered of a head may stand for h11's reading: no byte after it is content (RFC 9112, 6.3)."""
    head = RequestHead(method, "/", Fields.of([("Host", "server.example.com"), ("Upgrade", "x"), *lines]))
    reader = h11.Connection(h11.SERVER)
    reader.receive_data(head.to_bytes() + after)
    request, end = reader.next_event(), reader.next_event()
    assert isinstance(request, h11.Request)
    assert isinstance(end, h11.EndOfMessage)
    assert not reader.they_are_waiting_for_100_continue
    assert reader.trailing_data[0] == after
