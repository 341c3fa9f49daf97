from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.wire.hpack import STATIC, Block, Decoder, Form, HpackFault, integer, literals
from labkit.wire.huffman import huffman_bytes
from tests.oracles.libraries import library

hpack = library("hpack")
table = library("hpack.table")


def pairs(block: Block) -> list[tuple[bytes, bytes]]:
    return [(line.name, line.value) for line in block.lines if line.form is not Form.SIZE]


def test_the_static_table_is_that_of_the_rfc():
    """All 61 entries are those of an independent library (RFC 7541, A)."""
    assert tuple(table.HeaderTable.STATIC_TABLE) == STATIC


names = st.sampled_from([b":path", b"cookie", b"x-a", b"set-cookie", b"accept", b"x" * 200]) | st.binary(
    min_size=1, max_size=20
)
fields = st.lists(st.tuples(names, st.binary(max_size=60)), max_size=8)


@given(st.lists(st.tuples(fields, st.booleans(), st.sampled_from([None, 0, 100, 4096])), max_size=6))
def test_blocks_decode_as_the_oracle_wrote_them(blocks):
    """Random heads, with Huffman and without, with table sizes that change, come back in order (RFC 7541)."""
    encoder, decoder = hpack.Encoder(), Decoder()
    for rows, huffman, size in blocks:
        if size is not None:
            encoder.header_table_size = size
        data = encoder.encode(rows, huffman=huffman)
        block = decoder.block(data)
        assert (block.fault, block.end) == (None, len(data))
        assert pairs(block) == rows


@given(st.lists(st.binary(max_size=60), max_size=5))
def test_garbage_never_raises_and_agrees_with_the_oracle(blocks):
    """Whatever the bytes are, lines lie side by side up to the end or the fault; the oracle finds the same."""
    decoder, oracle = Decoder(), hpack.Decoder()
    for data in blocks:
        block = decoder.block(data)
        at = 0
        for line in block.lines:
            assert line.start == at
            at = line.end
        assert at == block.end
        assert not data or (block.end == len(data)) == (block.fault is None and not block.left)
        if block.fault is None and not block.left:
            try:
                wanted = oracle.decode(data, raw=True)
            except hpack.HPACKError:
                break  # the oracle bounds what it takes elsewhere
            assert pairs(block) == [(bytes(name), bytes(value)) for name, value in wanted]


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        ("80", HpackFault.ZERO), ("be", HpackFault.INDEX), ("ffffffffffff0f", HpackFault.INTEGER),
        ("ff", HpackFault.SHORT), ("0003", HpackFault.SHORT), ("4003666f6f", HpackFault.SHORT),
        ("00017881ff", HpackFault.PADDING), ("00017884ffffffff", HpackFault.EOS), ("8220", HpackFault.LATE_SIZE),
        ("3fe21f", HpackFault.LARGE_SIZE), ("7f0001", HpackFault.INDEX),
    ],
)  # fmt: skip
def test_each_way_to_be_wrong_has_its_name(data, fault):
    """A fault says which rule is broken, and where it stands; later blocks are not decoded any more."""
    decoder = Decoder()
    block = decoder.block(bytes.fromhex(data))
    assert block.fault is fault
    assert "(RFC " in fault
    assert "an earlier field block" in decoder.block(b"\x82").left


def test_example_of_the_rfc_with_evictions():
    """RFC 7541, C.6: three answers with a table of 256 bytes, the first entries of which are evicted."""
    decoder = Decoder()
    decoder.block(bytes.fromhex("3fe101"))  # the size of the example, 256
    decoder.block(bytes.fromhex("488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3"))  # fmt: skip
    assert pairs(decoder.block(bytes.fromhex("4883640effc1c0bf")))[0] == (b":status", b"307")
    last = decoder.block(bytes.fromhex("88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007"))  # fmt: skip
    assert pairs(last)[:2] == [(b":status", b"200"), (b"cache-control", b"private")]
    assert pairs(last)[-1] == (b"set-cookie", b"foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1")


def test_a_table_as_large_as_the_other_side_allows():
    """A size update up to the setting is taken, and one byte more is not (RFC 7541, 4.2)."""
    assert Decoder(8192).block(bytes.fromhex("3fe13f")).fault is None
    assert Decoder(8191).block(bytes.fromhex("3fe13f")).fault is HpackFault.LARGE_SIZE


def test_where_the_strings_of_a_line_stand():
    """Of a literal the length, the bytes and the coding of name and value are known (RFC 7541, 6.2)."""
    coded = huffman_bytes(b"x-a")
    data = b"\x00" + bytes([0x80 | len(coded)]) + coded + b"\x02hi"
    name, value = literals(data, 0, Form.PLAIN)
    assert (name.start, name.text, name.huffman) == (1, 2, True)
    assert data[value.text : value.end] == b"hi"
    assert literals(b"\x82", 0, Form.INDEXED) == ()
    assert [each.end for each in literals(data[:-1], 0, Form.PLAIN)] == [name.end, len(data) - 1]


@pytest.mark.parametrize(
    ("data", "bits", "read"),
    [
        ("0a", 5, (10, 1)),
        ("1f9a0a", 5, (1337, 3)),
        ("2a", 8, (42, 1)),
        ("1f9a", 5, HpackFault.SHORT),
        ("", 5, HpackFault.SHORT),
    ],
)
def test_integers(data, bits, read):
    """RFC 7541, C.1, and integers that are cut short."""
    assert integer(bytes.fromhex(data), 0, bits) == read


def test_a_bomb_is_bounded():
    """One entry of 4,000 bytes named a million times gives 16 MiB at the most, and says why it stops."""
    data = b"\x40\x01x\x7f\xa1\x1e" + bytes(4000) + b"\xbe" * 1_000_000
    began = time.monotonic()
    block = Decoder().block(data)
    assert sum(len(line.value) for line in block.lines) <= (16 << 20) + 4001
    assert "a limit of the lab" in block.left
    assert time.monotonic() - began < 20


def test_the_number_of_lines_is_bounded():
    """A million one-byte lines end at the limit; no later block is decoded."""
    decoder = Decoder(most_lines=1000)
    block = decoder.block(b"\x82" * 5000)
    assert (len(block.lines), block.end, block.fault) == (1000, 1000, None)
    assert decoder.block(b"\x82") == Block((), 0, None, block.left)
