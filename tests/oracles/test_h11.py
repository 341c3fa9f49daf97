"""h11 reads the same heads: what both take is the same head, and what labkit takes strictly h11 takes too."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import h11
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.dissection.http import ContentPart, chunked_end
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
    client.send(
        h11.Request(method="GET", target="/", headers=[("Host", "a"), ("Connection", "upgrade"), ("Upgrade", "x")])
    )
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
    """Damage a valid head: up to three bytes are replaced, inserted or removed."""
    data = bytearray(draw(heads).to_bytes())
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data) - 1))
        new = draw(
            st.sampled_from([b"", b" ", b"\t", b"\r", b"\n", b"\r\n", b"\r\n ", b":", b"\x00", b"\x7f", b"\xe9", b"A"])
        )
        data[at : at + draw(st.integers(0, 1))] = new
    return bytes(data)


# What h11 takes though the grammar does not: bare LF and folds, and it leaves control characters to its caller.
TAKEN = {Fault.BARE_LF, Fault.FOLDED, Fault.BAD_VALUE, Fault.BAD_REASON, Fault.NO_SPACE}


def unfolded(head: RequestHead | ResponseHead) -> RequestHead | ResponseHead:
    """Return the head with one space for each run of them: a fold may become one or more (RFC 9112, 5.2)."""
    return replace(head, fields=Fields.of((name, re.sub("[ \t]+", " ", value)) for name, value in head.fields))


def compare(data: bytes, read: Callable[[bytes], RequestHead | ResponseHead | None]) -> None:
    found = scan(data)
    theirs, refused = None, ""
    try:
        theirs = read(data)
    except h11.RemoteProtocolError as error:
        refused = str(error)
    # That Host must be there once is a rule of requests, not of the grammar (RFC 9112, 3.2).
    assert not refused or found.faults or not found.whole or "Host" in refused
    if theirs is not None:
        assert found.value
        assert unfolded(found.value) == unfolded(theirs)
        assert {fault for _, fault in found.faults} <= TAKEN


@given(damaged(requests))
@settings(max_examples=500)
def test_damaged_requests(data):
    """Where h11 still reads a request, labkit reads the same one; where it refuses, labkit names a fault."""
    compare(data, read_request)


@given(damaged(answers))
@settings(max_examples=500)
def test_damaged_answers(data):
    """Where h11 still reads an answer, labkit reads the same one; where it refuses, labkit names a fault."""
    compare(data, read_answer)


@given(st.lists(st.binary(min_size=1, max_size=9), max_size=4), st.integers(1, 9))
def test_content_in_chunks(parts, cut):
    """The content that h11 takes out of the chunks is what labkit labels as chunk-data, and ends at the same byte."""
    body = b"".join(b"%X;x=y\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\nT: r\r\n\r\n"
    server = h11.Connection(h11.SERVER)
    server.receive_data(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body + b"x" * cut)
    events = [server.next_event() for _ in range(2 + len(parts))]
    assert isinstance(events[-1], h11.EndOfMessage)
    assert chunked_end(body + b"x" * cut, 0) == len(body + b"x" * cut) - len(server.trailing_data[0])
    leaves = ContentPart("chunked", 0, len(body), body).span().leaves()
    ours = [body[leaf.start : leaf.end] for leaf in leaves if leaf.label == "chunk-data"]
    assert ours == [bytes(event.data) for event in events[1:-1]]
