from __future__ import annotations

import re

import pytest

from labkit.dissection.frames import FrameFault, close_faults, walk
from labkit.wire.websocket import BINARY, CLOSE, CONTINUATION, PING, SAMPLE_MASK, TEXT, frame, scan


def up(opcode, payload=b"", **options) -> bytes:
    return frame(opcode, payload, mask=SAMPLE_MASK, **options)


OPEN = frame(TEXT, b"a", fin=False)
F = FrameFault
FAULTS = [
    # bytes, to the server, permessage-deflate agreed, the place of the frame, its faults
    (b"\x83\x00", False, False, 0, F.RESERVED_OPCODE),
    (b"\x8b\x00", False, True, 0, F.RESERVED_OPCODE),
    (b"\x0f", False, False, 0, F.RESERVED_OPCODE, F.FRAGMENTED_CONTROL, F.SHORT_HEADER),
    (OPEN + b"\x83\x00", False, False, 1, F.RESERVED_OPCODE),
    (frame(TEXT, rsv=4), False, False, 0, F.RESERVED_BIT),
    (frame(TEXT, rsv=2), False, True, 0, F.RESERVED_BIT),
    (frame(TEXT, rsv=5), False, True, 0, F.RESERVED_BIT),
    (frame(PING, rsv=4), False, False, 0, F.RESERVED_BIT),
    (frame(PING, rsv=4), False, True, 0, F.COMPRESSED_BIT),
    (OPEN + frame(CONTINUATION, rsv=4), False, True, 1, F.COMPRESSED_BIT),
    (frame(PING, fin=False), False, False, 0, F.FRAGMENTED_CONTROL),
    (frame(TEXT, b"a"), True, False, 0, F.NOT_MASKED),
    (frame(TEXT, b"a", rsv=1), True, False, 0, F.RESERVED_BIT, F.NOT_MASKED),
    (frame(TEXT, b"abc")[:2], True, False, 0, F.NOT_MASKED, F.SHORT_PAYLOAD),
    (up(TEXT, b"a"), False, False, 0, F.MASKED),
    (up(CLOSE), False, False, 0, F.MASKED),
    (frame(PING, bytes(126)), False, False, 0, F.LONG_CONTROL),
    (frame(CLOSE, bytes(126)), False, False, 0, F.LONG_CONTROL),
    (b"\x89\x7e\x00\x01a", False, False, 0, F.LONG_CONTROL, F.LONG_FORM),
    (b"\x81\x7e\x00\x7d" + bytes(125), False, False, 0, F.LONG_FORM),
    (b"\x81\x7f" + (126).to_bytes(8, "big") + bytes(126), False, False, 0, F.LONG_FORM),
    (b"\x81\x7f" + (65535).to_bytes(8, "big") + bytes(65535), False, False, 0, F.LONG_FORM),
    (b"\x81\x7f\x80" + bytes(7), False, False, 0, F.HIGHEST_BIT, F.SHORT_PAYLOAD),
    (frame(CONTINUATION), False, False, 0, F.NO_MESSAGE),
    (frame(TEXT) + frame(CONTINUATION), False, False, 1, F.NO_MESSAGE),
    (OPEN + frame(TEXT), False, False, 1, F.INTERLEAVED),
    (OPEN + frame(PING) + frame(BINARY), False, False, 2, F.INTERLEAVED),
    (frame(CLOSE) + frame(TEXT), False, False, 1, F.AFTER_CLOSE),
    (frame(CLOSE) + frame(CONTINUATION), False, False, 1, F.AFTER_CLOSE, F.NO_MESSAGE),
    (OPEN + frame(CLOSE) + frame(CONTINUATION), False, False, 2, F.AFTER_CLOSE),
    (b"\x81", False, False, 0, F.SHORT_HEADER),
    (b"\x81\x7e\x01", False, False, 0, F.SHORT_HEADER),
    (up(TEXT)[:5], True, False, 0, F.SHORT_HEADER),
    (frame(TEXT, b"abc")[:-1], False, False, 0, F.SHORT_PAYLOAD),
    (frame(TEXT) + frame(TEXT, b"abc")[:2], False, False, 1, F.SHORT_PAYLOAD),
]


@pytest.mark.parametrize(("data", "to_server", "deflate", "place", "faults"), [(*row[:4], row[4:]) for row in FAULTS])
def test_all_faults_of_a_frame_are_named(data, to_server, deflate, place, faults):
    """Each rule that a frame breaks is named at that frame, and at no other."""
    assert walk(scan(data), to_server=to_server, deflate=deflate).faults == {place: faults}


def test_each_fault_names_its_clause():
    """A fault is one sentence with the clause behind it."""
    assert all(re.search(r" \(RFC (6455|7692), \d[\d.]*\)$", fault) for fault in FrameFault)


FOREIGN = [
    b"\x83\x00", frame(TEXT, rsv=7), frame(PING, rsv=4), frame(CONTINUATION, rsv=4), OPEN + frame(TEXT),
    frame(CONTINUATION),
]  # fmt: skip


@pytest.mark.parametrize("data", FOREIGN)
def test_what_an_unknown_extension_may_have_changed_is_no_fault(data):
    """Reserved bits and opcodes, and the order of fragments, are for extensions to use (RFC 6455, 5.4, 5.8)."""
    assert walk(scan(data), to_server=False, deflate=False).faults
    assert walk(scan(data), to_server=False, deflate=False, foreign=True).faults == {}


def test_an_unknown_extension_changes_neither_masks_nor_close():
    """A mask, a length form and data after a Close are judged with any extension (RFC 6455, 5.1, 5.2, 5.5.1)."""
    data = up(CLOSE) + frame(TEXT)
    faults = walk(scan(data), to_server=False, deflate=False, foreign=True).faults
    assert faults == {0: (F.MASKED,), 1: (F.AFTER_CLOSE,)}


@pytest.mark.parametrize(
    ("payload", "whole", "faults"),
    [
        (b"", True, (None, None)),
        (b"\x03", True, (F.ONE_BYTE, None)),
        (b"\x03", False, (None, None)),
        (b"\x03\xee\xff", True, (F.NEVER_SENT, F.BAD_REASON)),
        (b"\x00\x00", True, (F.NO_CODE, None)),
        (b"\x03\xec", True, (F.UNDEFINED_CODE, None)),
        (b"\x03\xe8\xc3", False, (None, None)),
    ],
)
def test_what_a_close_carries(payload, whole, faults):
    """A Close is judged by its code and its reason, as far as they are there (RFC 6455, 5.5.1, 7.4)."""
    assert close_faults(payload, whole=whole) == faults


GOOD = [
    b"",
    frame(TEXT, b"a") + frame(BINARY) + frame(PING) + frame(CLOSE),
    OPEN + frame(CONTINUATION, fin=False) + frame(PING, b"b") + frame(CONTINUATION) + frame(TEXT),
    frame(TEXT, bytes(126)) + frame(BINARY, bytes(65535)) + frame(BINARY, bytes(65536)),
    frame(PING, bytes(125)),
    frame(CLOSE) + frame(PING) + frame(CLOSE),  # control frames may still cross a Close
]


@pytest.mark.parametrize("data", GOOD)
def test_what_is_allowed_has_no_fault(data):
    """Fragments with control frames between them, every length form, control frames after a Close."""
    assert walk(scan(data), to_server=False, deflate=False).faults == {}


def test_compressed_messages_are_allowed_where_agreed():
    """RSV1 on the first frame of a message says that it is compressed (RFC 7692, 6)."""
    data = up(TEXT, rsv=4) + up(BINARY, rsv=4, fin=False) + up(CONTINUATION)
    assert walk(scan(data), to_server=True, deflate=True).faults == {}


def test_messages_and_where_fragments_begin():
    """A message of several frames is known by its last; control frames are none of it (RFC 6455, 5.4)."""
    data = OPEN + frame(PING) + frame(CONTINUATION, fin=False) + frame(CONTINUATION) + frame(TEXT) + OPEN
    found = walk(scan(data), to_server=False, deflate=False)
    assert found.messages == {3: (0, 2, 3)}
    assert {place: found.begins[place] for place in (0, 2, 3)} == {0: 0, 2: 0, 3: 0}


def test_message_that_was_broken_off_is_none():
    """A new message in the middle of another begins afresh: the two are not joined."""
    found = walk(scan(OPEN + OPEN + frame(CONTINUATION)), to_server=False, deflate=False)
    assert found.messages == {2: (1, 2)}


def test_continuation_of_nothing_opens_nothing():
    """After a continuation without a message, the next one has none either."""
    found = walk(scan(frame(CONTINUATION, fin=False) + frame(CONTINUATION)), to_server=False, deflate=False)
    assert list(found.faults) == [0, 1]
    assert found.messages == {}
