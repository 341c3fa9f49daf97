from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.dissection.field_blocks import FieldBlock, FieldFault, Fragment, field_faults
from labkit.wire.hpack import Decoder
from labkit.wire.huffman import huffman_bytes


def block(data: bytes, *cuts: int) -> FieldBlock:
    """Return a block whose bytes stand, cut in pieces, 100 bytes apart."""
    stops = [0, *sorted(cuts), len(data)]
    pieces = pairwise(stops)
    fragments = tuple(Fragment(place, at + 100 * place, to + 100 * place, at) for place, (at, to) in enumerate(pieces))
    decoded = Decoder().block(data)
    return FieldBlock(fragments, data, decoded, field_faults(decoded.lines))


def leaves(data: bytes) -> list[tuple[str, str]]:
    return [(span.label, span.meaning) for span in block(data).spans(0)]


@given(st.binary(max_size=40), st.lists(st.integers(0, 40), max_size=3))
def test_leaves_joined_are_the_bytes(data, cuts):
    """Whatever the bytes are and wherever they are cut, each frame's leaves cover its fragment."""
    found = block(data, *[min(cut, len(data)) for cut in cuts])
    for fragment in found.fragments:
        at = fragment.start
        for span in found.spans(fragment.place):
            assert span.start == at
            assert span.end > at
            assert span.label
            assert not span.bits or span.end == at + 1
            assert all("(RFC " in fault for fault in span.faults())
            at = span.end
        assert at == fragment.end


def test_an_indexed_field_line_is_one_leaf():
    """The entry of the table says all (RFC 7541, 6.1)."""
    (only,) = block(b"\x88").spans(0)
    assert only.meaning == ":status: 200 (a plain answer): entry 8 of the static table"
    assert [(bits.name, bits.bits) for bits in only.bits] == [("form", "1"), ("index", "0001000")]


def test_a_literal_has_a_leaf_for_each_piece():
    """Form and index, then length and bytes of each string (RFC 7541, 6.2)."""
    coded = huffman_bytes(b"x-a")
    assert leaves(b"\x40" + bytes([0x80 | len(coded)]) + coded + b"\x02hi") == [
        ("literal, name index", "added to the dynamic table; the name follows"),
        ("length of the name", f"{len(coded)} bytes, Huffman-coded"),
        ("name, Huffman-coded", "x-a"),
        ("length of the value", "2 bytes"),
        ("value", "x-a: hi"),
    ]


def test_what_a_literal_does_to_the_table_is_said():
    """Never-indexed is told from not indexed; an entry of the dynamic table by its table (RFC 7541, 6.2, 2.3.3)."""
    assert "it may be secret" in leaves(b"\x10\x01a\x01b")[0][1]
    assert "not added" in leaves(b"\x00\x01a\x01b")[0][1]
    assert leaves(b"\x40\x01a\x01b\xbe")[-1] == ("indexed field line", "a: b: entry 62 of the dynamic table")
    assert leaves(b"\x20")[0][1].startswith("the sender's dynamic table holds 0 bytes")


def test_a_line_cut_by_a_frame_goes_on_in_the_next():
    """The leaf in the second frame says that it is continued."""
    found = block(b"\x00\x01a\x05Hello", 6)
    assert found.spans(0)[-1].label == "value"
    assert [(span.label, span.start) for span in found.spans(1)] == [("value, continued", 106)]


def test_what_cannot_be_decoded_is_one_leaf_with_its_fault():
    """The lines before the fault are shown; the rest says why it is not (RFC 9113, 4.3)."""
    first, rest = block(b"\x88\x80\x00").spans(0)
    assert (first.fault, rest.label, rest.end - rest.start) == ("", "field lines", 2)
    assert "index 0" in rest.fault


@pytest.mark.parametrize(
    ("data", "faults"),
    [
        (b"\x00\x0aconnection\x05close", {0: FieldFault.CONNECTION}),
        (b"\x00\x02te\x04gzip", {0: FieldFault.CONNECTION}),
        (b"\x00\x02te\x08trailers", {}),
        (b"\x00\x01A\x01b", {0: FieldFault.UPPER_CASE}),
        (b"\x90\x82", {1: FieldFault.LATE_PSEUDO}),
        (b"\x20\x82", {}),
        (b"\x00\x02:x\x01b", {0: FieldFault.UNKNOWN_PSEUDO}),
    ],
)
def test_field_lines_that_http2_forbids(data, faults):
    """Fields of the connection, upper case, and pseudo-header fields out of place (RFC 9113, 8.2, 8.3)."""
    found = block(data)
    assert found.faults == faults
    told = [span.fault for span in found.spans(0) if span.fault]
    assert told == [str(fault) for fault in faults.values()]


def test_values_are_found_by_name():
    """A field that is not there is the empty text."""
    found = block(b"\x88\x00\x01a\x01\xe9")
    assert (found.value(":status"), found.value("a"), found.value("b")) == ("200", "\xe9", "")
