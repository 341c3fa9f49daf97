"""h11 reads the same heads: what both take is the same head, and what labkit takes strictly h11 takes too."""

from __future__ import annotations

import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from labkit.errors import WireError
from labkit.wire.fields import Fields
from labkit.wire.http1 import Fault, RequestHead, ResponseHead, scan

tokens = st.text("!#$%&'*+-.^_`|~0123456789abcXYZ", min_size=1, max_size=8)
visible = st.text([chr(code) for code in [*range(0x21, 0x7F), *range(0x80, 0x100)]], max_size=8)
values = st.lists(visible.filter(bool), max_size=3).map(" ".join)
lines = st.lists(st.tuples(tokens.map("X-".__add__), values), max_size=5)
targets = st.text([chr(code) for code in range(0x21, 0x7F)], min_size=1, max_size=12)
requests = st.builds(
    lambda method, target, fields: RequestHead(method, target, Fields.of([("Host", "server.example.com"), *fields])),
    tokens,
    targets,
    lines,
)
answers = st.builds(ResponseHead, st.integers(100, 999), values, lines.map(Fields.of))


def read_request(data: bytes) -> RequestHead | None:
    """Return the head as h11's server side reads it; None where it wants more."""
    server = h11.Connection(h11.SERVER)
    server.receive_data(data)
    event = server.next_event()
    if not isinstance(event, h11.Request):
        return None
    return RequestHead(
        event.method.decode(), event.target.decode(), fields_of(event), f"HTTP/{event.http_version.decode()}"
    )


def read_answer(data: bytes) -> ResponseHead | None:
    """Return the head as h11's client side reads it; None where it wants more."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("Host", "a"), ("Connection", "upgrade"), ("Upgrade", "x")]))
    client.receive_data(data)
    event = client.next_event()
    if not isinstance(event, (h11.InformationalResponse, h11.Response)):
        return None
    version = f"HTTP/{event.http_version.decode()}"
    return ResponseHead(event.status_code, event.reason.decode("latin-1"), fields_of(event), version)


def fields_of(event: h11.Request | h11.Response | h11.InformationalResponse) -> Fields:
    return Fields.of((name.decode(), value.decode("latin-1")) for name, value in event.headers.raw_items())


@given(requests)
def test_valid_requests(head):
    """A valid request head is the same to both: method, target, version and field lines in order."""
    assert read_request(head.to_bytes()) == scan(head.to_bytes()).value == head


@given(answers)
def test_valid_answers(head):
    """A valid answer's head is the same to both: status, reason, version and field lines in order."""
    assert read_answer(head.to_bytes()) == scan(head.to_bytes()).value == head


@st.composite
def damaged(draw, heads):
    """A valid head with up to three bytes replaced, inserted or removed."""
    data = bytearray(draw(heads).to_bytes())
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data) - 1))
        new = draw(st.sampled_from([b"", b" ", b"\t", b"\r", b"\n", b"\r\n", b"\r\n ", b":", b"\x00", b"\x7f", b"\xe9", b"A"]))
        data[at : at + draw(st.integers(0, 1))] = new
    return bytes(data)


# What h11 takes though the grammar does not: it leaves control characters in values to its caller.
TAKEN = {Fault.BARE_LF, Fault.BAD_VALUE, Fault.BAD_REASON, Fault.BARE_CR, Fault.FOLDED, Fault.NO_SPACE, Fault.SPACE_FIRST}


def compare(data: bytes, read) -> None:
    found = scan(data)
    try:
        theirs = read(data)
    except h11.RemoteProtocolError:
        theirs = None
    if theirs is not None:
        assert found.value == theirs
        assert {fault for _, fault in found.faults} <= TAKEN
    try:
        ours = type(found.value).parse(data) if found.value else None
    except WireError:
        return
    if theirs is None and isinstance(ours, RequestHead):
        hosts = ours.fields.all("Host")
        assert len(hosts) != 1 or "x-" not in ours.fields.get("Host").lower()


@given(damaged(requests))
def test_damaged_requests(data):
    """Where h11 still reads a request, labkit reads the same one and knows why it is odd."""
    compare(data, read_request)


@given(damaged(answers))
def test_damaged_answers(data):
    """Where h11 still reads an answer, labkit reads the same one and knows why it is odd."""
    compare(data, read_answer)
