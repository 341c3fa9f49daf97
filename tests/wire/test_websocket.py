from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.errors import WireError
from labkit.wire.websocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    OPCODES,
    PING,
    PONG,
    SAMPLE_MASK,
    TEXT,
    apply_mask,
    close_payload,
    frame,
    scan,
)  # fmt: skip

LENGTHS = {0: 2, 1: 2, 125: 2, 126: 4, 127: 4, 65535: 4, 65536: 10}  # payload length: header bytes before the key
masks = st.one_of(st.just(b""), st.binary(min_size=4, max_size=4))
frames = st.builds(
    lambda opcode, payload, fin, rsv, mask: frame(opcode, payload, fin=fin, rsv=rsv, mask=mask),
    st.integers(0, 15),
    st.one_of(st.binary(max_size=20), st.integers(120, 130).map(bytes)),
    st.booleans(),
    st.integers(0, 7),
    masks,
)


@pytest.mark.parametrize(
    ("data", "wire"),
    [
        (frame(TEXT, b"Hello"), "81 05 48 65 6c 6c 6f"),
        (frame(TEXT, b"Hello", mask=SAMPLE_MASK), "81 85 37 fa 21 3d 7f 9f 4d 51 58"),
        (frame(TEXT, b"Hel", fin=False) + frame(CONTINUATION, b"lo"), "01 03 48 65 6c 80 02 6c 6f"),
        (frame(PING, b"Hello") + frame(PONG, b"Hello", mask=SAMPLE_MASK),
         "89 05 48 65 6c 6c 6f 8a 85 37 fa 21 3d 7f 9f 4d 51 58"),
        (frame(BINARY, bytes(256))[:4], "82 7e 01 00"),
        (frame(BINARY, bytes(65536))[:10], "82 7f 00 00 00 00 00 01 00 00"),
    ],
)  # fmt: skip
def test_examples_of_the_standard(data, wire):
    """The frames that RFC 6455 prints in 5.7."""
    assert data.hex(" ") == wire


@pytest.mark.parametrize("mask", [b"", SAMPLE_MASK], ids=["plain", "masked"])
@pytest.mark.parametrize(("length", "header"), LENGTHS.items())
def test_length_forms(length, header, mask):
    """The shortest of the three length forms is written, and each is read (RFC 6455, 5.2)."""
    payload = bytes(range(256)) * (length // 256) + bytes(range(length % 256))
    data = b"\xff" + frame(BINARY, payload, mask=mask)
    (only,) = scan(data, 1)
    assert (only.start, only.payload, only.end, only.declared) == (1, 1 + header + len(mask), len(data), length)
    assert only.whole
    assert only.masking_key(data) == mask
    assert only.payload_of(data) == payload


@given(st.integers(0, 15), st.binary(max_size=300), st.booleans(), st.integers(0, 7), masks)
def test_round_trip(opcode, payload, fin, rsv, mask):
    """What is written is read back: every bit of the header, the key and the payload."""
    data = frame(opcode, payload, fin=fin, rsv=rsv, mask=mask)
    (only,) = scan(data)
    assert (only.opcode, only.fin, only.rsv, only.masked) == (opcode, fin, rsv, bool(mask))
    assert (only.masking_key(data), only.payload_of(data), only.end) == (mask, payload, len(data))


@given(st.lists(frames, min_size=1, max_size=4))
def test_cut_anywhere_gives_whole_frames_and_one_short(stream):
    """A stream cut at any byte is its whole frames and at most one short one, which says how much it declares."""
    data = b"".join(stream)
    whole = scan(data)
    ends = [each.end for each in whole]
    assert ends == [sum(map(len, stream[: place + 1])) for place in range(len(stream))]
    for cut in range(len(data)):
        found = scan(data[:cut])
        complete = [each for each in whole if each.end <= cut]
        assert found[: len(complete)] == complete
        assert all(each.whole for each in complete)
        rest = found[len(complete) :]
        assert len(rest) == (cut not in (0, *ends))
        for short in rest:
            told = whole[len(complete)]
            assert not short.whole
            assert (short.start, short.end, short.first) == (told.start, cut, told.first)
            if short.payload <= cut:
                assert (short.payload, short.declared) == (told.payload, told.declared)
                assert told.payload_of(data).startswith(short.payload_of(data[:cut]))
            else:
                assert short.payload_of(data[:cut]) == b""


@given(st.binary(max_size=60), st.integers(0, 5))
def test_frames_lie_side_by_side_in_any_bytes(data, start):
    """Whatever the bytes are, the frames cover them from `start` on, and only the last may be short."""
    found = scan(data, start)
    at = start
    for each in found:
        assert each.start == at < each.end
        at = each.end
    assert at == max(len(data), start)
    assert all(each.whole for each in found[:-1])


@given(st.binary(max_size=40), st.binary(min_size=4, max_size=4))
def test_mask_is_byte_by_byte_and_undoes_itself(data, key):
    """transformed-octet-i is original-octet-i XOR masking-key-octet-(i MOD 4) (RFC 6455, 5.3)."""
    masked = apply_mask(data, key)
    assert masked == bytes(byte ^ key[place % 4] for place, byte in enumerate(data))
    assert apply_mask(masked, key) == data


def test_first_byte_alone():
    """One byte of a frame tells its opcode; nothing is made up for the rest."""
    (short,) = scan(b"\x89")
    assert (short.opcode, short.fin, short.masked, short.whole, short.declared) == (PING, True, False, False, 0)


@pytest.mark.parametrize(
    ("arguments", "options"),
    [((16,), {}), ((-1,), {}), ((TEXT,), {"rsv": 8}), ((TEXT,), {"rsv": -1}), ((TEXT,), {"mask": b"abc"})],
)
def test_frame_that_no_bits_can_say(arguments, options):
    """What has no place in the header is refused."""
    with pytest.raises(WireError, match="a frame has an opcode"):
        frame(*arguments, **options)


def test_close_payload():
    """Two bytes of code, then the reason in UTF-8 (RFC 6455, 5.5.1); a code that must not be sent can be written."""
    assert close_payload(None) == b""
    assert close_payload(1000, "é") == b"\x03\xe8\xc3\xa9"
    assert close_payload(1006) == b"\x03\xee"
    assert [close_payload(0), close_payload(65535)] == [b"\x00\x00", b"\xff\xff"]
    assert len(close_payload(1000, "r" * 123)) == 125


@pytest.mark.parametrize(
    ("code", "reason", "said"),
    [
        (None, "why", "needs a close code"),
        (1 << 16, "", "0 to 65535"),
        (-1, "", "0 to 65535"),
        (1000, "é" * 62, "124 bytes"),
    ],
)
def test_close_payload_that_no_frame_can_carry(code, reason, said):
    """A reason without a code, a code beyond two bytes, a reason beyond 123 bytes (RFC 6455, 5.5)."""
    with pytest.raises(WireError, match=said):
        close_payload(code, reason)


def test_every_opcode_has_its_clause():
    """The six opcodes of RFC 6455, 11.8, and no other."""
    assert list(OPCODES) == [CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG]
    assert all(row.clause.startswith("RFC 6455, 5.") for row in OPCODES.values())
