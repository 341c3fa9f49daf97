from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.dissection import dissect
from labkit.dissection.secrets import masked
from labkit.trace import Direction
from labkit.wire.http2 import CONTINUATION, DATA, END_HEADERS, GOAWAY, HEADERS, PADDED, frame, settings
from labkit.wire.huffman import huffman_bytes
from tests.oracles.libraries import library
from tests.render.http2_exchanges import OPENING, h2c, prior

hpack = library("hpack")

UP, DOWN = Direction.TO_SERVER, Direction.TO_CLIENT
FIELDS = [
    (":method", "GET"), (":path", "/x?token=hushhush&a=b"), (":authority", "me:hushhush@server.example.com"),
    ("authorization", "Bearer hushhush"), ("cookie", "id=hushhush"), ("x-api-key", "hushhush"), ("accept", "*/*"),
]  # fmt: skip


def fields(trace, way=UP):
    part = dissect(trace).hops[0].http2(way)
    assert part.faults == {}
    return [pair for place, block in part.blocks.items() if block.fragments[0].place == place for pair in block.fields]


@pytest.mark.parametrize("huffman", [True, False])
def test_secret_fields_are_starred_and_the_decoder_gets_through(huffman):
    """Raw and Huffman-coded strings keep their size, names and schemes stay, and no letter of a secret is left."""
    coder = hpack.Encoder()
    twice = b"".join(frame(HEADERS, 5, stream, coder.encode(FIELDS, huffman=huffman)) for stream in (1, 3))
    trace = prior(twice, settings())
    safe = masked(trace)
    assert len(safe.stream(UP)) == len(trace.stream(UP))
    told = fields(safe)
    assert [name for name, _ in told] == [name for name, _ in FIELDS] * 2
    assert told[:7] == told[7:]
    values = dict(told)
    assert "hush" not in " ".join(values.values())
    assert values["authorization"].startswith("Bearer ***")
    assert values["cookie"].startswith("id=**")
    assert values[":path"].startswith("/x?token=**")
    assert values[":path"].endswith("&a=b")
    assert values[":authority"].endswith("@server.example.com")
    assert values["accept"] == "*/*"


def test_a_secret_across_frames_is_found():
    """A field block in pieces, and content in pieces, are read as one (RFC 9113, 4.3)."""
    block = b"\x88\x00\x0aset-cookie\x0bid=hushhush"
    replies = settings() + frame(HEADERS, 0, 1, block[:-4]) + frame(CONTINUATION, END_HEADERS, 1, block[-4:])
    replies += frame(DATA, PADDED, 1, b"\x01token=hu\0") + frame(DATA, 1, 1, b"shhush&a=b")
    safe = masked(h2c(OPENING, replies))
    assert fields(safe, DOWN) == [(":status", "200"), ("set-cookie", "id=********")]
    part = dissect(safe).hops[0].http2(DOWN)
    assert part.body(3) + part.body(4) == b"token=********&a=b"


def test_what_holds_no_secret_is_the_same_trace():
    """Nothing is changed where nothing is secret."""
    trace = prior(frame(HEADERS, 5, 1, hpack.Encoder().encode([(":path", "/"), ("accept", "*/*")])), settings())
    assert masked(trace) is trace


BROKEN = [  # blocks that cannot be decoded, with a secret behind the fault or in it
    b"\x80\x00\x06cookie\x08hushhush",
    b"\xbe\x00\x06cookie\x08hushhush",
    b"\xff\xff\xff\xff\xff\xff\xff\x00\x06cookie\x08hushhush",
    b"\x82\x20\x00\x06cookie\x08hushhush",
    b"\x00\x06cookie\x0ahushhush",
    b"\x00\x06cookie" + bytes([0x80 | 7]) + huffman_bytes(b"hushhush") + b"\xff",
    b"\x00\x06cookie" + bytes([0x80 | 10]) + huffman_bytes(b"hushhush") + b"\xff\xff\xff\xff",
]  # fmt: skip


@pytest.mark.parametrize("block", BROKEN)
def test_behind_a_fault_all_is_starred_and_the_fault_stays(block):
    """What cannot be decoded may hold a secret; that it cannot be decoded is told as before."""
    trace = prior(frame(HEADERS, 5, 1, block) + frame(HEADERS, 5, 3, b"\x00\x06cookie\x08hushhush"), settings())
    safe = masked(trace)
    before, after = (dissect(each).hops[0].http2(UP) for each in (trace, safe))
    assert before.faults == after.faults != {}
    assert before.blocks[2].block.fault is after.blocks[2].block.fault
    assert b"hush" not in safe.stream(UP)
    assert huffman_bytes(b"hushhush")[:5] not in safe.stream(UP)


@given(st.lists(st.binary(max_size=40), max_size=4), st.integers(0, 63))
def test_masking_never_raises_and_keeps_every_offset(blocks, flags):
    """Whatever the field blocks are, frames stay where they are."""
    data = b"".join(frame(HEADERS, flags, 1, block) for block in blocks)
    trace = prior(data, settings())
    safe = masked(trace)
    one, other = (dissect(each).hops[0].http2(UP) for each in (trace, safe))
    assert one.frames == other.frames
    assert masked(safe) == safe


@pytest.mark.parametrize(
    "said",
    [
        frame(GOAWAY, 0, 0, bytes(8) + b"GET /?token=hushhush"),
        frame(0x0A, 0, 1, b"x=1&token=hushhush"),
        frame(DATA, 1 | PADDED, 1, bytes([250]) + b"?token=hushhush"),
        frame(DATA, 1 | PADDED, 1, bytes([8]) + b"ok" + b"hushhush"),
    ],
    ids=["the debug data of a GOAWAY", "an unknown frame", "a false pad length", "padding that is no zeros"],
)
def test_secrets_outside_content_and_field_blocks(said):
    """Debug data, unknown frames and padding may hold anything (RFC 9113, 6.8, 5.5, 6.1)."""
    trace = prior(settings() + said, settings())
    safe = masked(trace)
    assert b"hushhush" in trace.stream(UP)
    assert b"hushhush" not in safe.stream(UP)
    assert len(safe.stream(UP)) == len(trace.stream(UP))
