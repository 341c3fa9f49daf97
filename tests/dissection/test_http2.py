from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.dissection import Http2Part, OpaquePart, dissect
from labkit.dissection.http2 import begins_http2
from labkit.trace import Direction, Gap, Trace, Transfer
from labkit.wire.http2 import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    PREFACE,
    PRIORITY,
    PRIORITY_FLAG,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    frame,
    settings,
)
from tests.dissection.test_partition import check
from tests.render.http2_exchanges import ANSWERED, OPENING, SWITCH, UPGRADE, h2c, prior, told

UP, DOWN = Direction.TO_SERVER, Direction.TO_CLIENT
FOUR = (1).to_bytes(4, "big")


def down(*frames: bytes) -> Http2Part:
    part = dissect(h2c(OPENING, settings() + b"".join(frames))).hops[0].http2(DOWN)
    assert part
    return part


def leaves(*frames: bytes) -> list[tuple[str, str]]:
    """Return label and meaning of what stands behind the header of the last frame."""
    part = down(*frames)
    return [(leaf.label, leaf.meaning) for leaf in part.frame_span(len(part.frames) - 1).leaves()[4:]]


def test_after_a_101_to_h2c_both_directions_are_http2():
    """The preface and every frame are known by their names (RFC 7540, 3.2)."""
    view = dissect(told()).hops[0]
    assert (view.protocol, view.seam) == ("h2c", {UP: len(UPGRADE), DOWN: len(SWITCH)})
    names = {way: [view.http2(way).name(place) for place in range(len(view.http2(way).frames))] for way in Direction}
    assert names == {
        UP: ["HTTP/2 preface", "SETTINGS 3 settings", "SETTINGS ack", "WINDOW_UPDATE stream 1 +28 bytes"],
        DOWN: [
            "SETTINGS 3 settings", "SETTINGS ack", "HEADERS stream 1, end of head",
            "DATA stream 1, 28 bytes, end of stream", "GOAWAY NO_ERROR",
        ],
    }  # fmt: skip
    assert [view.http2(way).count for way in Direction] == [3, 5]
    assert not any(span.faults() for way in Direction for span in view.spans(way))
    assert view.http2(DOWN).blocks[2].fields[0] == (":status", "200")


def test_prior_knowledge_is_http2_from_the_first_byte():
    """A connection that begins with the preface needs no 101, and has none (RFC 9113, 3.3, 8.6)."""
    view = dissect(prior(b"", settings())).hops[0]
    assert (view.exchanges, view.seam, view.protocol) == ((), {}, "")
    assert [view.http2(way).start for way in Direction] == [0, 0]
    assert "8.6" in view.spans(UP)[0].clause


@pytest.mark.parametrize(
    ("last", "name"),
    [
        (frame(RST_STREAM, 0, 1, b"\0\0\0\x08"), "RST_STREAM stream 1 CANCEL"),
        (frame(RST_STREAM, 0, 1, b"\0\0\0\x99"), "RST_STREAM stream 1 error 0x99"),
        (frame(RST_STREAM, 0, 1, b"\0"), "RST_STREAM stream 1"),
        (frame(PING, 0, 0, bytes(8)), "PING"),
        (frame(PING, ACK, 0, bytes(8)), "PING ack"),
        (frame(GOAWAY, 0, 0, FOUR + b"\0\0\0\x01why"), "GOAWAY PROTOCOL_ERROR"),
        (frame(WINDOW_UPDATE, 0, 0, b"\x80\x01\0\0"), "WINDOW_UPDATE +65,536 bytes"),
        (frame(PUSH_PROMISE, PADDED | END_HEADERS, 1, b"\x01\0\0\0\x02\x82\0"),
         "PUSH_PROMISE stream 1 promises stream 2, end of head"),
        (frame(PRIORITY, 0, 3, FOUR + b"\x0f"), "PRIORITY stream 3"),
        (frame(CONTINUATION, END_HEADERS, 1, b""), "CONTINUATION stream 1, end of head"),
        (frame(HEADERS, END_STREAM, 1, b"\x88"), "HEADERS stream 1, end of stream"),
        (frame(DATA, PADDED, 1, b"\x02a\0\0"), "DATA stream 1, 1 byte"),
        (frame(0x42, 1, 0, b"abc"), "type 0x42, 3 bytes"),
        (frame(SETTINGS)[:5], "start of a frame"),
    ],
)  # fmt: skip
def test_every_frame_says_what_it_is_in_a_few_words(last, name):
    """Type, stream, and what matters of its payload."""
    part = down(last)
    assert part.name(len(part.frames) - 1) == name


def test_the_header_is_taken_apart_to_its_bits():
    """Length, type, flags, and the stream with the reserved bit (RFC 9113, 4.1)."""
    part = down(frame(DATA, END_STREAM | PADDED, 5, b"\x00Hi"))
    length, kind, flags, stream = part.frame_span(1).leaves()[:4]
    assert (length.meaning, kind.meaning) == ("3 bytes of payload", "0x0: DATA")
    assert flags.meaning == "END_STREAM, PADDED"
    assert [(bits.name, bits.bits) for bits in flags.bits] == [
        ("unused", "0000"), ("PADDED", "1"), ("unused", "00"), ("END_STREAM", "1"),
    ]  # fmt: skip
    assert stream.meaning == "stream 5; the reserved bit is 0"


@pytest.mark.parametrize(
    ("last", "labels"),
    [
        (frame(DATA, PADDED, 1, b"\x02a\0\0"), ["pad length", "data", "padding"]),
        (frame(HEADERS, PADDED | PRIORITY_FLAG | END_HEADERS, 1, b"\x01" + FOUR + b"\x0f\x88\0"),
         ["pad length", "E, stream dependency", "weight", "indexed field line", "padding"]),
        (frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\x02\x82"), ["R, promised stream", "indexed field line"]),
        (frame(PRIORITY, 0, 1, FOUR + b"\x0f"), ["E, stream dependency", "weight"]),
        (frame(RST_STREAM, 0, 1, FOUR), ["error code"]),
        (frame(PING, 0, 0, bytes(8)), ["opaque data"]),
        (frame(GOAWAY, 0, 0, bytes(8) + b"why"), ["R, last stream", "error code", "debug data"]),
        (frame(WINDOW_UPDATE, 0, 0, FOUR), ["R, window increment"]),
        (settings({3: 1, 0x99: 2}), ["setting", "value", "setting", "value"]),
        (frame(SETTINGS, 0, 0, bytes(7)), ["setting", "value", "setting"]),
        (frame(CONTINUATION, END_HEADERS, 1, b"\x88"), ["field block"]),
        (frame(0x42, 0, 0, b"x"), ["payload"]),
        (frame(GOAWAY, 0, 0, bytes(8))[:-1], ["R, last stream", "error code"]),
    ],
)  # fmt: skip
def test_payloads_are_taken_apart_by_type(last, labels):
    """Each field of a payload is a leaf (RFC 9113, 6)."""
    assert [label for label, _ in leaves(last)] == labels


def test_meanings_of_fields():
    """Numbers are told as what they stand for."""
    assert leaves(frame(RST_STREAM, 0, 1, b"\0\0\0\x0b"))[0][1].startswith("0xb: ENHANCE_YOUR_CALM")
    assert leaves(settings({3: 100})) == [
        ("setting", "0x3: MAX_CONCURRENT_STREAMS"), ("value", "100: streams that the other side may have open at once"),
    ]  # fmt: skip
    dependency, weight = leaves(frame(PRIORITY, 0, 1, b"\x80\0\0\x03\xff"))
    assert dependency[1] == "depends on stream 3, exclusive (deprecated)"
    assert weight[1] == "weight 256 (deprecated)"


@pytest.mark.parametrize(
    ("last", "fault"),
    [
        (frame(DATA, 0, 0, b"a"), "DATA belongs to a stream, and stream 0 is the connection (RFC 9113, 6.1)"),
        (frame(PING, 0, 3, bytes(8)), "PING speaks of the connection, so its stream is 0 (RFC 9113, 6.7)"),
        (frame(PING, 0, 0, b"a"), "PING cannot carry 1 byte (RFC 9113, 6.7)"),
        (frame(PING, 0, 0, bytes(8))[:-2], "the header says 8 bytes of payload, 6 came (RFC 9113, 4.1)"),
        (settings({5: 1}), "the setting cannot have this value (RFC 9113, 6.5.2)"),
        (frame(HEADERS, END_HEADERS, 1, b"\x80"), "index 0 stands for no field line (RFC 7541, 6.1)"),
    ],
)
def test_faults_are_told_where_they_are(last, fault):
    """A fault's sentence has the numbers and the clause of its frame."""
    part = down(last)
    assert fault in part.frame_span(len(part.frames) - 1).faults()[0]


@pytest.mark.parametrize(
    ("data", "preface", "begins"),
    [
        (PREFACE, True, True), (PREFACE[:3], True, True), (b"PRI * HTTP/2.0\r\n\r\nXX", True, False),
        (settings(), True, True), (settings()[:4], False, True), (b"Hello, world\n", False, False),
        (b"Hello", True, False), (b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", True, False),
        (b"HTTP/1.1 200 OK\r\n", False, False),
    ],
)  # fmt: skip
def test_what_can_be_http2(data, preface, begins):
    """The preface, as far as it came, or a likely first frame; text and WebSocket frames are none."""
    assert begins_http2(data, 0, preface=preface) is begins


def test_other_bytes_after_the_switch_are_said_to_be_none():
    """Bytes that are no HTTP/2 stay whole, and name the rule that they break (RFC 9113, 3.4)."""
    view = dissect(h2c(b"ask\nmore\n", b"say something\n")).hops[0]
    for way in Direction:
        part = view.parts[way][-1]
        assert isinstance(part, OpaquePart)
        assert part.label == "bytes that are no HTTP/2"
        assert part.fault.endswith("(RFC 9113, 3.4)")


def test_the_settings_of_the_upgrade_count():
    """A table size told in HTTP2-Settings holds for the answer (RFC 7540, 3.2.1)."""
    large = UPGRADE.replace(b"AAMAAABkAAQCAAAAAAIAAAAA", b"AAEAACAA")  # HEADER_TABLE_SIZE 8192
    answer = settings() + frame(HEADERS, END_HEADERS, 1, b"\x3f\xe1\x3f\x88")
    for ask, faults in ((large, 0), (UPGRADE, 1), (UPGRADE.replace(b"AAMAAABk", b"\xe9"), 1)):
        trace = Trace((Transfer(0, UP, ask), Transfer(0, DOWN, SWITCH + answer)))
        assert len(dissect(trace).hops[0].http2(DOWN).faults) == faults


def test_a_hole_ends_what_can_be_told():
    """Behind bytes that the recording misses nothing is taken for a frame."""
    events = (
        Transfer(0, UP, UPGRADE),
        Transfer(0, DOWN, SWITCH + ANSWERED),
        Gap(0, DOWN, 5),
        Transfer(0, DOWN, ANSWERED),
    )
    view = dissect(Trace(events)).hops[0]
    assert view.http2(DOWN).end == len(SWITCH + ANSWERED)
    assert view.parts[DOWN][-1].label == "bytes after a hole"


pieces = st.one_of(
    st.binary(max_size=12),
    st.builds(
        frame, st.integers(0, 11), st.integers(0, 63), st.integers(0, 5),
        st.binary(max_size=12) | st.sampled_from([b"\x88", b"\x82\x86\x84", b"\x00\x01a\x01b", b"\x40\x01a\x01b\xbe"]),
    ),
)  # fmt: skip


@given(st.lists(pieces, max_size=6), st.lists(pieces, max_size=6), st.sampled_from([b"", PREFACE, OPENING]))
def test_partition_over_anything_after_the_switch(asks, replies, first):
    """Leaves joined are the bytes, whatever follows a 101 to h2c; nothing raises (laws 1 and 2)."""
    trace = h2c(first + b"".join(asks), b"".join(replies))
    view = dissect(trace).hops[0]
    for way in Direction:
        data, at = trace.stream(way), 0
        for part, span in zip(view.parts[way], view.spans(way), strict=True):
            assert part.start == span.start == at
            check(span, data)
            at = part.end
        assert at == len(data)
