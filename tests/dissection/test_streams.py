from __future__ import annotations

import re
import time

import pytest

from labkit.dissection.streams import Allowed, Http2Fault, allowed, walk_streams
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
    scan,
    settings,
)

F = Http2Fault
START = settings()
GET = b"\x82\x86\x84"  # :method GET, :scheme http, :path /
ASKED = frame(HEADERS, END_HEADERS, 1, GET)
ENDED = frame(HEADERS, END_HEADERS | END_STREAM, 1, GET)
WHOLE = frame(PING, 0, 0, bytes(8))

TO_SERVER = [  # what stands behind the preface and a SETTINGS; the faults of the last frame
    (frame(DATA, 0, 0, b"a"), F.NO_STREAM),
    (frame(HEADERS, END_HEADERS, 0, GET), F.NO_STREAM),
    (frame(PRIORITY, 0, 0, bytes(5)), F.NO_STREAM),
    (frame(RST_STREAM, 0, 0, bytes(4)), F.NO_STREAM),
    (frame(SETTINGS, 0, 1), F.ON_STREAM),
    (frame(PING, 0, 1, bytes(8)), F.ON_STREAM),
    (frame(GOAWAY, 0, 1, bytes(8)), F.ON_STREAM),
    (frame(PING, 0, 1 << 31, bytes(8)), F.RESERVED_BIT),
    (frame(PING, 0x80, 0, bytes(8)), F.UNUSED_FLAG),
    (frame(PING, 0, 0, bytes(7)), F.SIZE),
    (frame(PRIORITY, 0, 1, bytes(4)), F.SIZE),
    (frame(RST_STREAM, 0, 1, bytes(3)), F.SIZE),
    (frame(WINDOW_UPDATE, 0, 0, bytes(5)), F.SIZE),
    (frame(SETTINGS, 0, 0, bytes(5)), F.SIZE),
    (frame(GOAWAY, 0, 0, bytes(7)), F.SIZE),
    (ASKED + frame(DATA, PADDED, 1), F.SIZE),
    (frame(HEADERS, END_HEADERS | PRIORITY_FLAG, 1, bytes(4)), F.SIZE),
    (frame(SETTINGS, ACK, 0, bytes(6)), F.ACK_WITH_PAYLOAD),
    (settings({2: 2}), F.VALUE),
    (settings({4: 1 << 31}), F.VALUE),
    (settings({5: 16383}), F.VALUE),
    (ASKED + frame(DATA, PADDED, 1, b"\x05Hell"), F.PADDING),
    (ASKED + frame(DATA, PADDED, 1, b"\x01Hi!"), F.PADDING_BYTES),
    (frame(WINDOW_UPDATE, 0, 0, bytes(4)), F.NO_INCREMENT),
    (frame(HEADERS, END_HEADERS, 2, GET), F.NOT_ODD),
    (frame(HEADERS, END_HEADERS, 3, GET) + ASKED, F.NOT_RISING),
    (ASKED + frame(PUSH_PROMISE, END_HEADERS, 1, (2).to_bytes(4, "big") + GET), F.CLIENT_PUSH),
    (frame(DATA, 0, 1, b"a"), F.NO_HEAD),
    (ENDED + frame(DATA, 0, 1, b"a"), F.AFTER_END),
    (ENDED + frame(HEADERS, END_HEADERS, 1, GET), F.AFTER_END),
    (ASKED + frame(RST_STREAM, 0, 1, bytes(4)) + frame(DATA, 0, 1, b"a"), F.AFTER_END),
    (frame(CONTINUATION, END_HEADERS, 1, GET), F.NO_BLOCK),
    (frame(HEADERS, 0, 1, GET) + frame(PING, 0, 0, bytes(8)), F.INTERRUPTED),
    (frame(HEADERS, 0, 1, GET) + frame(CONTINUATION, 0, 3, GET), F.INTERRUPTED, F.NO_BLOCK),
    (frame(HEADERS, END_HEADERS, 1, b"\x80"), F.BLOCK),
    (frame(HEADERS, END_HEADERS, 1, GET + b"\x00\x07upgrade\x03h2c"), F.FIELD),
    (frame(HEADERS, END_HEADERS, 1, GET + b"\x00\x01A\x01b"), F.FIELD),
    (frame(HEADERS, END_HEADERS, 1, b"\x90" + GET), F.FIELD),
    (frame(HEADERS, END_HEADERS, 1, GET + b"\x00\x02:x\x01b"), F.FIELD),
    (frame(HEADERS, 0, 1, b"\x00") + frame(CONTINUATION, END_HEADERS, 1, b"\x03ab"), F.BLOCK),
    (b"\x00\x00\x08\x06", F.SHORT_HEADER),
    (frame(HEADERS, 0, 1, GET) + frame(CONTINUATION, END_HEADERS, 1, b"")[:4], F.SHORT_HEADER),
    (frame(PING, 0, 0, bytes(8))[:-1], F.SHORT_PAYLOAD),
    (ASKED + frame(DATA, 0, 1, bytes(16385)), F.TOO_LARGE),
]  # fmt: skip


def faults(data, *, preface=False, to_server=True, upgraded=False, allow=Allowed()):  # noqa: B008  it is a value
    frames = scan(data, preface=preface)
    found = walk_streams(data, frames, to_server=to_server, upgraded=upgraded, allow=allow).faults
    return len(frames) - 1, found


@pytest.mark.parametrize(("data", "wanted"), [(row[0], row[1:]) for row in TO_SERVER])
def test_all_faults_of_a_frame_are_named(data, wanted):
    """Each rule that the last frame breaks is named at it, and at no other."""
    last, found = faults(PREFACE + START + data, preface=True)
    assert found == {last: wanted}


def test_each_fault_names_its_clause():
    """A fault is one sentence with the clause behind it."""
    assert all(re.search(r" \(RFC 9113, \d[\d.]*\)$", fault) for fault in Http2Fault)
    assert {fault for row in TO_SERVER for fault in row[1:]} >= set(Http2Fault) - {
        F.PREFACE, F.FIRST, F.NOT_EVEN, F.SHORT_PREFACE,
    }  # fmt: skip


def test_how_each_side_begins():
    """A client begins with the preface, each side with a SETTINGS that is no ack (RFC 9113, 3.4)."""
    assert faults(START)[1] == {0: (F.PREFACE,)}
    assert faults(PREFACE + WHOLE, preface=True)[1] == {1: (F.FIRST,)}
    assert faults(frame(SETTINGS, ACK), to_server=False)[1] == {0: (F.FIRST,)}
    assert faults(START, to_server=False)[1] == {}
    assert faults(PREFACE[:5], preface=True)[1] == {0: (F.SHORT_PREFACE,)}


def test_what_a_server_may_not_say():
    """A server pushes on even streams that rise, and does not allow pushes to itself (RFC 9113, 5.1.1, 6.5.2)."""
    promise = [frame(PUSH_PROMISE, END_HEADERS, 1, stream.to_bytes(4, "big") + GET) for stream in (4, 2, 3)]
    assert faults(START + b"".join(promise), to_server=False)[1] == {2: (F.NOT_RISING,), 3: (F.NOT_EVEN,)}
    assert faults(settings({2: 1}), to_server=False)[1] == {0: (F.VALUE,)}
    assert faults(PREFACE + settings({2: 1}), preface=True)[1] == {}


def test_stream_1_belongs_to_the_request_before_the_101():
    """After an upgrade the server answers on stream 1, and the client has ended its side (RFC 7540, 3.2)."""
    answer = START + frame(HEADERS, END_HEADERS, 1, b"\x88") + frame(DATA, END_STREAM, 1, b"ok")
    assert faults(answer, to_server=False, upgraded=True)[1] == {}
    assert faults(PREFACE + START + ASKED, preface=True, upgraded=True)[1] == {2: (F.AFTER_END,)}
    asked = frame(HEADERS, END_HEADERS | END_STREAM, 3, GET)
    assert faults(PREFACE + START + asked, preface=True, upgraded=True)[1] == {}


def test_what_the_other_side_allows():
    """SETTINGS of the other side allow larger frames and tables; the largest that it ever said counts."""
    told = settings({5: 32768, 1: 8192}) + settings({5: 16384, 1: 0}) + settings({5: 1 << 30})
    allow = allowed(told, scan(told))
    assert allow == Allowed(32768, 8192)
    assert allowed(b"", [], b"\x00\x01\x00\x00\x20\x00") == Allowed(16384, 8192)
    data = START + frame(HEADERS, END_HEADERS, 1, b"\x3f\xe1\x3f\x88") + frame(DATA, 0, 1, bytes(20000))
    assert faults(data, to_server=False, allow=allow)[1] == {}
    assert faults(data, to_server=False)[1] == {1: (F.BLOCK,), 2: (F.TOO_LARGE,)}


def test_a_block_in_pieces_is_one():
    """HEADERS and CONTINUATION carry one block, wherever it is cut (RFC 9113, 4.3)."""
    data = START + b"".join(
        frame(kind, flags, 1, piece)
        for kind, flags, piece in [(HEADERS, 0, b"\x88\x00"), (CONTINUATION, 0, b"\x01a"), (CONTINUATION, 4, b"\x01b")]
    )
    frames = scan(data)
    found = walk_streams(data, frames, to_server=False, upgraded=False, allow=Allowed())
    assert found.faults == {}
    assert found.blocks[1] is found.blocks[2] is found.blocks[3]
    assert found.blocks[1].fields == [(":status", "200"), ("a", "b")]


def test_a_flood_of_continuations_takes_time_in_proportion():
    """A hundred thousand pieces, half of them with a forbidden field, are no more work each than a few."""
    piece = frame(CONTINUATION, 0, 1, b"\x00\x01A\x00")
    data = START + frame(HEADERS, 0, 1, b"\x88") + piece * 60_000
    frames = scan(data)
    began = time.monotonic()
    found = walk_streams(data, frames, to_server=False, upgraded=False, allow=Allowed())
    assert sum(faults == (F.FIELD,) for faults in found.faults.values()) > 40_000
    assert [span.fault for span in found.blocks[9].spans(9)][-1].endswith("(RFC 9113, 8.2.1)")
    assert time.monotonic() - began < 20
