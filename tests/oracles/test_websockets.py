"""websockets reads the same heads and frames, and what its permessage-deflate compressed comes out the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.exceptions import ProtocolError
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.streams import StreamReader

from labkit.dissection.deflate import Deflate
from labkit.dissection.frames import FrameFault, walk
from labkit.dissection.websocket import FramesPart
from labkit.trace import Direction
from labkit.wire import http1
from labkit.wire.fields import Fields
from labkit.wire.websocket import OPCODES, frame, scan

tokens = st.text("!#$%&'*+-.^_`|~0123456789abcXYZ", min_size=1, max_size=8)
visible = st.text([chr(code) for code in [*range(0x21, 0x7F), *range(0x80, 0x100)]], max_size=8)
values = st.lists(visible.filter(bool), max_size=3).map(" ".join)
lines = st.lists(st.tuples(tokens.map("X-".__add__), values), max_size=5).map(Fields.of)
targets = st.text([chr(code) for code in range(0x21, 0x7F)], min_size=1, max_size=12)


def run(data: bytes, parse):
    """Run one of websockets' parsers, which are generators, over bytes that are all there."""
    reader = StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    try:
        next(parse(reader))
    except StopIteration as done:
        return done.value
    raise AssertionError("it wants more")


@given(st.builds(http1.RequestHead, st.just("GET"), targets, lines))
def test_requests(head):
    """A request is the same to both: target and field lines in order."""
    theirs = run(head.to_bytes(), lambda reader: Request.parse(reader.read_line))
    assert http1.scan(head.to_bytes()).value == head
    assert (theirs.method, theirs.path, list(theirs.headers.raw_items())) == (
        head.method,
        head.target,
        list(head.fields),
    )


@given(st.builds(http1.ResponseHead, st.integers(100, 199), values, lines))
def test_answers(head):
    """An answer is the same to both: status, reason and field lines in order."""
    theirs = run(
        head.to_bytes(), lambda reader: Response.parse(reader.read_line, reader.read_exact, reader.read_to_eof)
    )
    assert http1.scan(head.to_bytes()).value == head
    assert (theirs.status_code, theirs.reason_phrase) == (head.status, head.reason)
    assert list(theirs.headers.raw_items()) == list(head.fields)


def read_frame(data: bytes, *, masked: bool) -> Frame | None:
    """Return the frame as websockets reads it; None where it refuses it or bytes are missing."""
    try:
        return run(data, lambda reader: Frame.parse(reader.read_exact, mask=masked))
    except (ProtocolError, EOFError):
        return None


@given(
    st.sampled_from(list(OPCODES)),
    st.one_of(st.binary(max_size=125), st.sampled_from([126, 65535, 65536]).map(bytes)),
    st.booleans(),
    st.one_of(st.just(b""), st.binary(min_size=4, max_size=4)),
)
def test_frames(opcode, payload, fin, mask):
    """A frame is the same to both: opcode, FIN, payload; and each writes what the other does, the key apart."""
    data = frame(opcode, payload, fin=fin, mask=mask)
    theirs = read_frame(data, masked=bool(mask))
    (ours,) = scan(data)
    control = opcode >= 8 and (not fin or len(payload) > 125)
    assert (theirs is None) == control
    if theirs:
        assert (theirs.opcode, theirs.fin, bytes(theirs.data)) == (ours.opcode, ours.fin, ours.payload_of(data))
        assert theirs.serialize(mask=False) == frame(opcode, payload, fin=fin)


@given(st.binary(min_size=2, max_size=2), st.binary(max_size=140), st.booleans())
@settings(max_examples=500)
def test_any_header(header, rest, to_server):
    """What websockets refuses labkit names; labkit names one thing more: a length not in its shortest form."""
    data = header + rest
    theirs = read_frame(data, masked=to_server)
    ours = scan(data)[0]
    faults = walk([ours], to_server=to_server, deflate=False).faults.get(0, ())
    if theirs is None:
        assert faults
    else:
        # A frame alone has no message before it; a length that is not the shortest is overlooked by most.
        assert set(faults) <= {FrameFault.NO_MESSAGE, FrameFault.LONG_FORM}
        assert (theirs.opcode, theirs.fin, bytes(theirs.data)) == (ours.opcode, ours.fin, ours.payload_of(data))


messages = st.lists(
    st.lists(st.binary(max_size=30) | st.text("ab", max_size=3000).map(str.encode), min_size=1, max_size=3),
    min_size=1,
    max_size=4,
)


@given(messages, st.booleans(), st.integers(9, 15), st.booleans())
@pytest.mark.parametrize("way", Direction)
def test_compressed_messages(way, sent, takeover, bits, ping):
    """What websockets compresses, whole or in fragments, inflates to the same message (RFC 7692, 7.2)."""
    extension = PerMessageDeflate(
        remote_no_context_takeover=False,
        local_no_context_takeover=not takeover,
        remote_max_window_bits=15,
        local_max_window_bits=bits,
    )
    data = b""
    for fragments in sent:
        for place, part in enumerate(fragments):
            opcode = Opcode.BINARY if place == 0 else Opcode.CONT
            fin = place == len(fragments) - 1
            data += Frame(opcode, part, fin).serialize(mask=way is Direction.TO_SERVER, extensions=[extension])
            if ping:
                data += Frame(Opcode.PING, b"").serialize(mask=way is Direction.TO_SERVER)
    part = FramesPart(data, 0, len(data), scan(data), way, Deflate(takeover, bits))
    assert part.faults == {}
    assert list(part.inflated.values()) == [b"".join(fragments) for fragments in sent]
