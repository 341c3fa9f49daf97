from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.wire.huffman import BAD_PADDING, HAS_EOS, huffman_bytes, huffman_text, starred
from tests.oracles.libraries import library

constants = library("hpack.huffman_constants")
oracle = library("hpack.huffman_table")
errors = library("hpack.exceptions")


@pytest.mark.parametrize("symbol", range(256))
def test_every_symbol_has_the_code_of_the_rfc(symbol):
    """The code, made from its lengths alone, is that of an independent table (RFC 7541, B)."""
    code, size = constants.REQUEST_CODES[symbol], constants.REQUEST_CODES_LENGTH[symbol]
    pad = -size % 8
    assert huffman_bytes(bytes([symbol])) == (code << pad | (1 << pad) - 1).to_bytes((size + pad) // 8, "big")


@given(st.binary(max_size=300))
def test_what_is_written_is_read_back(text):
    """Every text comes back, short or long."""
    assert huffman_text(huffman_bytes(text)) == text


@given(st.binary(max_size=40))
def test_any_bytes_are_read_as_the_oracle_reads_them(data):
    """Garbage gives the same text as an independent decoder, or is refused by both."""
    try:
        wanted = oracle.decode_huffman(data)
    except errors.HPACKDecodingError:
        wanted = None
    found = huffman_text(data)
    assert (None if isinstance(found, str) else found) == wanted


@pytest.mark.parametrize(
    ("data", "why"),
    [("ffffffff", HAS_EOS), ("00", BAD_PADDING), ("1fff", BAD_PADDING), ("ff", BAD_PADDING)],
)
def test_what_is_wrong_with_a_string_is_named(data, why):
    """EOS inside, padding that is not ones, and padding of a byte or more are faults (RFC 7541, 5.2)."""
    assert huffman_text(bytes.fromhex(data)) == why


@given(st.binary(max_size=60), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=4))
def test_a_starred_string_keeps_its_size_and_what_is_not_secret(text, spots):
    """The size in bytes holds, the decoder gets through, and what stands outside of the spots stays."""
    spots = [(min(a, b, len(text)), min(max(a, b), len(text))) for a, b in spots]
    data = huffman_bytes(text)
    out = starred(data, text, spots)
    assert len(out) == len(data)
    told = huffman_text(out)
    assert isinstance(told, bytes)
    hidden = {place for start, end in spots for place in range(start, end)}
    kept = bytes(byte for place, byte in enumerate(text) if place not in hidden)
    assert told.replace(b"*", b"") == kept.replace(b"*", b"")


def test_no_letter_of_a_secret_is_left():
    """Of the secret nothing is left but about how long it was."""
    text = b"Bearer abcdefgh; q"
    assert huffman_text(starred(huffman_bytes(text), text, [(7, 15)])) == b"Bearer ******; q"
