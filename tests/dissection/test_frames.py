from __future__ import annotations

import pytest

from labkit.dissection.frames import walk
from labkit.wire.websocket import BINARY, CLOSE, CONTINUATION, PING, SAMPLE_MASK, TEXT, frame, scan


def up(opcode, payload=b"", **options) -> bytes:
    return frame(opcode, payload, mask=SAMPLE_MASK, **options)


OPEN = frame(TEXT, b"a", fin=False)
FAULTS = [
    # bytes, to the server, permessage-deflate agreed, the place of the frame, what is said, its clause
    (b"\x83\x00", False, False, 0, "a reserved opcode; the receiver must fail the connection", "5.2"),
    (b"\x8b\x00", False, True, 0, "a reserved opcode; the receiver must fail the connection", "5.2"),
    (b"\x0f", False, False, 0, "a reserved opcode; the receiver must fail the connection", "5.2"),
    (frame(TEXT, rsv=4), False, False, 0, "a reserved bit is set that no agreed extension gives a meaning", "5.2"),
    (frame(TEXT, rsv=2), False, True, 0, "a reserved bit is set that no agreed extension gives a meaning", "5.2"),
    (frame(TEXT, rsv=5), False, True, 0, "a reserved bit is set that no agreed extension gives a meaning", "5.2"),
    (frame(PING, rsv=4), False, True, 0, "a reserved bit is set that no agreed extension gives a meaning", "5.2"),
    (OPEN + frame(CONTINUATION, rsv=4), False, True, 1, "a reserved bit is set that no agreed extension gives a meaning", "5.2"),
    (frame(PING, fin=False), False, False, 0, "a control frame must not be fragmented", "5.5"),
    (frame(TEXT, b"a"), True, False, 0, "a client must mask every frame", "5.1"),
    (up(TEXT, b"a"), False, False, 0, "a server must not mask a frame", "5.1"),
    (up(CLOSE), False, False, 0, "a server must not mask a frame", "5.1"),
    (frame(PING, bytes(126)), False, False, 0, "a control frame carries 125 bytes at the most", "5.5"),
    (frame(CLOSE, bytes(126)), False, False, 0, "a control frame carries 125 bytes at the most", "5.5"),
    (b"\x89\x7e\x00\x01a", False, False, 0, "a control frame carries 125 bytes at the most", "5.5"),
    (b"\x81\x7e\x00\x7d" + bytes(125), False, False, 0, "the length is not in its shortest form", "5.2"),
    (b"\x81\x7f" + (126).to_bytes(8, "big") + bytes(126), False, False, 0, "the length is not in its shortest form", "5.2"),
    (b"\x81\x7f" + (65535).to_bytes(8, "big") + bytes(65535), False, False, 0, "the length is not in its shortest form", "5.2"),
    (b"\x81\x7f\x80" + bytes(7), False, False, 0, "the highest bit of a 64-bit length must be 0", "5.2"),
    (frame(CONTINUATION), False, False, 0, "a continuation, and no message to continue", "5.4"),
    (frame(TEXT) + frame(CONTINUATION), False, False, 1, "a continuation, and no message to continue", "5.4"),
    (OPEN + frame(TEXT), False, False, 1, "a new message before the last fragment of the one before it", "5.4"),
    (OPEN + frame(PING) + frame(BINARY), False, False, 2, "a new message before the last fragment of the one before it", "5.4"),
    (frame(CLOSE) + frame(TEXT), False, False, 1, "no data frame may follow a Close", "5.5.1"),
    (OPEN + frame(CLOSE) + frame(CONTINUATION), False, False, 2, "no data frame may follow a Close", "5.5.1"),
    (b"\x81", False, False, 0, "the bytes end before the frame's header does", "5.2"),
    (b"\x81\x7e\x01", False, False, 0, "the bytes end before the frame's header does", "5.2"),
    (up(TEXT)[:5], True, False, 0, "the bytes end before the frame's header does", "5.2"),
    (frame(TEXT, b"abc")[:-1], False, False, 0, "the header says 3 bytes of payload, 2 came", "5.2"),
    (frame(TEXT) + frame(TEXT, b"abc")[:2], False, False, 1, "the header says 3 bytes of payload, 0 came", "5.2"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "to_server", "deflate", "place", "said", "clause"), FAULTS)
def test_fault_is_named_with_its_clause(data, to_server, deflate, place, said, clause):
    """Each rule that a frame can break is named at the frame that breaks it, and at no other."""
    assert walk(scan(data), to_server=to_server, deflate=deflate).faults == {place: f"{said} (RFC 6455, {clause})"}


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
