from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.errors import WireError
from labkit.wire.http2 import (
    ACK,
    DATA,
    END_STREAM,
    ERROR_CODES,
    FRAME_TYPES,
    HEADER,
    HEADERS,
    PADDED,
    PING,
    PREFACE,
    PREFACE_TYPE,
    SETTINGS,
    SETTINGS_TABLE,
    frame,
    pairs,
    scan,
    settings,
)
from tests.oracles.libraries import library

hyperframe = library("hyperframe.frame")


@given(
    st.lists(
        st.tuples(
            st.integers(0, 255), st.integers(0, 255), st.integers(0, (1 << 32) - 1), st.binary(max_size=40)
        ),
        max_size=6,
    )
)  # fmt: skip
def test_what_is_written_is_read_back(rows):
    """Length, type, flags, reserved bit and stream come back as they were (RFC 9113, 4.1)."""
    data = b"".join(frame(*row) for row in rows)
    found = [(f.type, f.flags, f.word, f.payload_of(data)) for f in scan(data)]
    assert found == rows
    assert all(f.whole for f in scan(data))


@given(st.binary(max_size=80), st.booleans(), st.integers(0, 5))
def test_scan_covers_any_bytes(data, preface, start):
    """Frames lie side by side and cover everything from the start on; nothing raises."""
    start = min(start, len(data))
    frames = scan(data, start, preface=preface)
    at = start
    for each in frames:
        assert each.start == at
        assert each.end > at
        assert each.name
        at = each.end
    assert at == len(data)
    assert all(each.whole for each in frames[:-1])


@pytest.mark.parametrize("size", range(1, HEADER))
def test_a_header_cut_short_is_a_record(size):
    """What is there of a header is kept; the payload would begin behind the end."""
    data = frame(PING, 0, 0, bytes(8))[:size]
    (only,) = scan(data)
    assert (only.start, only.end, only.payload, only.whole) == (0, size, HEADER, False)


def test_a_payload_cut_short_is_a_record():
    """The declared length stays what the header states."""
    (only,) = scan(frame(DATA, END_STREAM, 1, b"Hello")[:-2])
    assert (only.declared, only.end - only.payload, only.whole) == (5, 3, False)


def test_the_preface_is_a_record_of_its_own():
    """It is no frame, and what follows it are frames (RFC 9113, 3.4)."""
    first, second = scan(PREFACE + settings(), preface=True)
    assert (first.type, first.end, first.whole, second.type) == (PREFACE_TYPE, 24, True, SETTINGS)
    (cut,) = scan(PREFACE[:10], preface=True)
    assert (cut.end, cut.whole) == (10, False)


@pytest.mark.parametrize("row", [(256, 0, 0, b""), (0, 256, 0, b""), (0, 0, 1 << 32, b""), (-1, 0, 0, b"")])
def test_what_no_header_can_carry_is_refused(row):
    """A type and flags are one byte, a stream four."""
    with pytest.raises(WireError, match="one byte"):
        frame(*row)


def test_what_no_setting_can_carry_is_refused():
    """A setting is two bytes, a value four (RFC 9113, 6.5.1)."""
    with pytest.raises(WireError, match="two bytes"):
        settings({1: 1 << 32})


def test_settings_are_read_back():
    """Settings keep their order, and one may come twice; a rest is left out."""
    rows = [(3, 100), (3, 1), (0xFFFF, 0)]
    payload = settings(rows)[HEADER:]
    assert pairs(payload) == rows
    assert pairs(payload + b"\x00") == rows


@pytest.mark.parametrize("kind", sorted(set(FRAME_TYPES) & set(hyperframe.FRAMES)))
def test_the_table_of_types_agrees_with_hyperframe(kind):
    """Names, flags and where a type belongs are those of an independent library."""
    row, other = FRAME_TYPES[kind], hyperframe.FRAMES[kind]
    assert row.name.replace("_", "") == other.__name__.removesuffix("Frame").upper().replace(
        "PUSHPROMISE", "PUSHPROMISE"
    )
    assert {(bit, flag.name) for bit, flag in row.flags.items()} == {(bit, name) for name, bit in other.defined_flags}
    scopes = {"stream": "has-stream", "connection": "no-stream", "": "either"}
    assert scopes[row.scope] == str(getattr(other.stream_association, "value", other.stream_association))


def test_hyperframe_reads_what_is_written():
    """A frame of ours is a frame of an independent library."""
    data = frame(DATA, PADDED | END_STREAM, 5, b"\x02Hello\0\0")
    head, size = hyperframe.Frame.parse_frame_header(memoryview(data[:HEADER]))
    head.parse_body(memoryview(data[HEADER : HEADER + size]))
    assert (head.stream_id, head.data, head.pad_length, sorted(head.flags)) == (
        5,
        b"Hello",
        2,
        ["END_STREAM", "PADDED"],
    )


def test_the_tables_of_codes_agree_with_h2():
    """Error codes and settings have the names of an independent library (RFC 9113, 6.5.2, 7)."""
    errors = library("h2.errors")
    told = library("h2.settings")
    assert {code.value: code.name for code in errors.ErrorCodes} == {
        code: row.name for code, row in ERROR_CODES.items()
    }
    ours = {number: row.name for number, row in SETTINGS_TABLE.items()}
    assert {each.value: each.name for each in told.SettingCodes}.items() <= ours.items()


def test_flags_are_those_of_the_type():
    """One bit is ACK on a SETTINGS, END_STREAM on a DATA, and nothing on others (RFC 9113, 4.1)."""
    assert scan(frame(SETTINGS, ACK))[0].has(ACK)
    assert scan(frame(HEADERS, END_STREAM, 1))[0].has(END_STREAM)
    assert not scan(frame(0x42, 0xFF))[0].has(ACK)
