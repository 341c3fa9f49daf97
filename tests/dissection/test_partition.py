"""The partition law, held against anything: valid exchanges, the same exchanges damaged, and pure garbage."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from labkit.dissection import dissect
from labkit.dissection.spans import Span
from labkit.trace import Cut, Direction, End, Gap, How, Trace, Transfer
from labkit.wire.fields import Fields
from labkit.wire.http1 import RequestHead, ResponseHead
from labkit.wire.upgrade import SAMPLE_KEY, accept_key
from labkit.wire.websocket import SAMPLE_MASK, frame

UP, DOWN = Direction.TO_SERVER, Direction.TO_CLIENT

LINES = [
    ("Host", "server.example.com"),
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Upgrade", "h2c, quote/1.0"),
    ("Sec-WebSocket-Key", SAMPLE_KEY),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Accept", accept_key(SAMPLE_KEY)),
    ("Sec-WebSocket-Extensions", "permessage-deflate; client_no_context_takeover; server_max_window_bits=9"),
    ("Content-Length", "5"),
    ("Transfer-Encoding", "chunked"),
    ("HTTP2-Settings", "AAMAAABkAAQAAP__"),
    ("X-\xe9", "\xff"),
]
fields = st.lists(st.sampled_from(LINES), max_size=6).map(Fields.of)
requests = st.builds(
    RequestHead, st.sampled_from(["GET", "HEAD", "POST", "CONNECT", "OPTIONS"]), st.just("/chat"), fields
)
answers = st.builds(ResponseHead, st.sampled_from([100, 101, 103, 200, 204, 304, 400, 426]), st.just("Words"), fields)
contents = st.sampled_from([b"", b"Hello", b"5\r\nHello\r\n0\r\n\r\n", b"3;x=y\r\nabc\r\n0\r\nT: r\r\n\r\n"])
payloads = st.one_of(
    st.binary(max_size=6),
    st.sampled_from([b"\x03\xe8bye", bytes.fromhex("f248cdc9c90700"), b"\xc3\xa9", bytes(126)]),
)
frames = st.builds(
    lambda opcode, payload, fin, rsv, mask: frame(opcode, payload, fin=fin, rsv=rsv, mask=mask),
    st.sampled_from([0, 1, 2, 8, 9, 10, 1, 2, 3]),
    payloads,
    st.booleans(),
    st.sampled_from([0, 0, 4, 2]),
    st.sampled_from([b"", SAMPLE_MASK]),
)
heads = st.one_of(requests, answers).map(lambda head: head.to_bytes())
garbage = st.one_of(
    st.binary(max_size=30), st.sampled_from([b"\x16\x03\x01", b"PRI * HTTP/2.0\r\n\r\n", b"\r\n", b" x\n"])
)
pieces = st.one_of(heads, heads, contents, frames, frames, garbage)


@st.composite
def damaged(draw, parts):
    """Draw the parts in a row, with some bytes flipped, deleted, inserted, or the end cut off."""
    data = bytearray(b"".join(draw(parts)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        match draw(st.sampled_from(["flip", "delete", "insert", "cut"])):
            case "flip" if at < len(data):
                data[at] ^= draw(st.integers(1, 255))
            case "delete":
                del data[at : at + draw(st.integers(1, 9))]
            case "insert":
                data[at:at] = draw(st.sampled_from([b"\n", b"\r", b" ", b":", b"\x00", b"\x81", b"0"]))
            case "cut":
                del data[at:]
    return bytes(data)


def asked(rest):
    """Put an offer that a 101 may follow, in half of the cases, before the rest."""
    first = st.sampled_from([RequestHead("GET", "/", Fields.of(LINES[:3])).to_bytes(), b""])
    return st.tuples(first, rest).map(lambda pair: [pair[0], *pair[1]])


def answered(rest):
    head = ResponseHead(101, "Switching Protocols", Fields.of([LINES[1], LINES[2], LINES[7]])).to_bytes()
    return st.tuples(st.sampled_from([head, head[:-2] + b"X: y\n\n", b""]), rest).map(lambda pair: [pair[0], *pair[1]])


directions = st.tuples(damaged(asked(st.lists(pieces, max_size=5))), damaged(answered(st.lists(pieces, max_size=5))))


@st.composite
def traces(draw):
    """Bytes of both directions, cut into transfers anywhere, with ends and perhaps bytes that are missing."""
    events = []
    for way, data in zip((UP, DOWN), draw(directions), strict=True):
        cuts = sorted({0, *draw(st.lists(st.integers(0, len(data)), max_size=3)), len(data)})
        events += [Transfer(0, way, data[start:stop]) for start, stop in pairwise(cuts)]
        missing = [Cut(0, way, 3), Gap(0, way, 5), Gap(0, way)]
        if draw(st.integers(0, 5)) == 0:
            events.insert(draw(st.integers(0, len(events))), draw(st.sampled_from(missing)))
        events.append(End(0, way, draw(st.sampled_from(How))))
    return Trace(tuple(events))


def check(span: Span, data: bytes) -> None:
    """Hold a span to the law: its parts cover it side by side, its bit fields are the bits of its one byte."""
    assert span.label
    assert 0 <= span.start < span.end <= len(data)
    at = span.start
    for part in span.parts:
        assert part.start == at
        check(part, data)
        at = part.end
    assert at == (span.end if span.parts else span.start)
    if span.bits:
        assert span.end == span.start + 1
        assert "".join(field.bits for field in span.bits) == f"{data[span.start]:08b}"
    for fault in span.faults():
        assert "(RFC " in fault, fault


@given(traces())
def test_leaves_joined_are_the_bytes(trace):
    """In every direction parts and leaves lie side by side and cover all bytes; nothing raises (laws 1 and 2)."""
    dissection = dissect(trace)
    assert dissection.outcome
    for view in dissection.hops:
        for way in Direction:
            data = trace.stream(way, view.hop)
            spans = view.spans(way)
            assert b"".join(data[leaf.start : leaf.end] for span in spans for leaf in span.leaves()) == data
            at = 0
            for part, span in zip(view.parts[way], spans, strict=True):
                assert (part.start, part.end) == (span.start, span.end)
                assert part.start == at
                check(span, data)
                at = part.end
            assert at == len(data)


@given(traces())
def test_how_reads_fell_does_not_change_a_dissection(trace):
    """What is found hangs on the bytes and on what is missing, not on the transfers."""
    joined = [
        Transfer(0, event.direction, bytes([byte])) if isinstance(event, Transfer) else event
        for event in trace.events
        for byte in (event.data if isinstance(event, Transfer) else b"x")
    ]
    one, other = dissect(trace).hops[0], dissect(Trace(tuple(joined))).hops[0]
    assert one.parts == other.parts
    assert (one.exchanges, one.seam, one.missing) == (other.exchanges, other.seam, other.missing)


@given(st.lists(requests, min_size=1, max_size=3), st.lists(frames, max_size=3))
def test_damage_after_a_switch_leaves_the_heads_alone(before, after):
    """Whatever comes after the seam, the heads before it are read as they are."""
    offer = RequestHead("GET", "/", Fields.of(LINES[:3]))
    plain = [
        RequestHead("GET", head.target, Fields.of(line for line in head.fields if line[0] == "Host")) for head in before
    ]
    answer = ResponseHead(204).to_bytes() * len(plain) + ResponseHead(101, "", Fields.of([LINES[2]])).to_bytes()
    wire = b"".join(head.to_bytes() for head in [*plain, offer])
    view = dissect(Trace((Transfer(0, UP, wire + b"".join(after)), Transfer(0, DOWN, answer)))).hops[0]
    assert [exchange.request.value for exchange in view.exchanges] == [*plain, offer]
    assert view.seam[UP] == len(wire)
    assert (
        [frame.start for frame in view.frames(UP).frames]
        == [len(wire) + sum(map(len, after[:place])) for place in range(len(after))]
        if after
        else view.frames(UP) is None
    )
