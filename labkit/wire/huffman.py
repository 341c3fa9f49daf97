"""The Huffman code of HPACK: read, and written for starring out (RFC 7541, 5.2 and B).

The code is canonical: codes of one length follow each other in the order of their symbols, and a
longer code begins where the shorter ones end. So the lengths are the whole table.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache

__all__ = ["BAD_PADDING", "HAS_EOS", "huffman_bytes", "huffman_text", "starred"]

BAD_PADDING = "a Huffman string ends in more than 7 bits, or other bits, than EOS begins with (RFC 7541, 5.2)"
HAS_EOS = "a Huffman string holds EOS (RFC 7541, 5.2)"

_EOS = 256
_LONGEST = 30  # bits of a code
_BY_LENGTH: dict[int, bytes] = {
    5: b"012aceiost",
    6: b" %-./3456789=A_bdfghlmnpru",
    7: b":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz",
    8: b"&*,;XZ",
    10: b'!"()?',
    11: b"'+|",
    12: b"#>",
    13: b"\x00$@[]~",
    14: b"^}",
    15: b"<`{",
    19: bytes.fromhex("5cc3d0"),
    20: bytes.fromhex("808283a2b8c2e0e2"),
    21: bytes.fromhex("99a1a7acb0b1b3d1d8d9e3e5e6"),
    22: bytes.fromhex("8184858688929a9ca0a3a4a9aaadb2b5b9babbbdbec4c6e4e8e9"),
    23: bytes.fromhex("0187898a8b8c8d8f9395969798 9b9d9ea5a6a8aeafb4b6b7bcbfc5e7ef"),
    24: bytes.fromhex("098e9091949fabced7e1eced"),
    25: bytes.fromhex("c7cfeaeb"),
    26: bytes.fromhex("c0c1c8c9cacdd2d5dadbeef0f2f3ff"),
    27: bytes.fromhex("cbccd3d4d6dddedff1f4f5f6f7f8fafbfcfdfe"),
    28: bytes.fromhex("02030405060708 0b0c0e0f10111213141517 18191a1b1c1d1e1f7fdcf9"),
    30: b"\n\r\x16",  # and EOS
}


def _codes() -> tuple[list[int], list[int], list[int]]:
    """Return, in the order of the codes, each code with its bits at the top of 30, its length, its symbol."""
    starts: list[int] = []
    lengths: list[int] = []
    symbols: list[int] = []
    at = 0
    for length, group in _BY_LENGTH.items():
        for symbol in (*group, _EOS) if length == _LONGEST else group:
            starts.append(at)
            lengths.append(length)
            symbols.append(symbol)
            at += 1 << (_LONGEST - length)
    return starts, lengths, symbols


_STARTS, _LENGTHS, _SYMBOLS = _codes()
_BITS_OF = {
    symbol: f"{start >> (_LONGEST - length):0{length}b}"
    for start, length, symbol in zip(_STARTS, _LENGTHS, _SYMBOLS, strict=True)
}


def huffman_text(data: bytes) -> bytes | str:
    """Return what a Huffman string says, or as a text what is wrong with it; never raises.

    >>> huffman_text(bytes.fromhex("f1e3c2e5f23a6ba0ab90f4ff"))
    b'www.example.com'
    """
    return _short_text(data) if len(data) <= 64 else _text(data)


def _text(data: bytes) -> bytes | str:
    out = bytearray()
    bits = waiting = 0  # how many bits are not read yet, and those bits
    for byte in data:
        waiting = waiting << 8 | byte
        bits += 8
        while bits >= 5:  # no code is shorter
            window = waiting << (_LONGEST - bits) if bits <= _LONGEST else waiting >> (bits - _LONGEST)
            place = bisect_right(_STARTS, window) - 1
            length = _LENGTHS[place]
            if length > bits:
                break
            if _SYMBOLS[place] == _EOS:
                return HAS_EOS
            out.append(_SYMBOLS[place])
            bits -= length
            waiting &= (1 << bits) - 1
    return bytes(out) if bits < 8 and waiting == (1 << bits) - 1 else BAD_PADDING


_short_text = lru_cache(maxsize=4096)(_text)  # one connection says the same things over and over


def huffman_bytes(text: bytes) -> bytes:
    """Return a text in the Huffman code, padded with the start of EOS.

    >>> huffman_bytes(b"www.example.com").hex()
    'f1e3c2e5f23a6ba0ab90f4ff'
    """
    return _packed(_bits(text))


def _bits(text: Iterable[int]) -> str:
    return "".join([_BITS_OF[symbol] for symbol in text])


def _packed(bits: str) -> bytes:
    padded = bits + "1" * (-len(bits) % 8)
    return int(padded or "0", 2).to_bytes(len(padded) // 8, "big")


def starred(data: bytes, text: bytes, spots: Iterable[tuple[int, int]]) -> bytes:
    """Return a Huffman string of the same size that says the same, but for stars at some spots.

    A star is eight bits, so a spot becomes as many stars as its bits have room for, and what is left
    over goes to the last one and to the padding: the decoder gets through, and offsets hold.

    Args:
        data: the Huffman string.
        text: what it says.
        spots: what is to be starred, as offsets in `text`; they may overlap.

    >>> huffman_text(starred(huffman_bytes(b"id=secret"), b"id=secret", [(3, 9)]))
    b'id=***'
    """
    pieces: list[str] = []
    at = owed = last = 0
    for start, end in _runs(spots):
        owed += len(_bits(text[start:end]))
        pieces += [_bits(text[at:start]), _STAR * (owed // 8)]
        at, owed, last = end, owed % 8, len(pieces)
    rest = _bits(text[at:])
    left = len(data) * 8 - sum(map(len, pieces)) - len(rest)
    pieces.insert(last, _STAR * (left // 8))  # what the padding has no room for
    return _packed("".join(pieces) + rest)


_STAR = _BITS_OF[ord("*")]


def _runs(spots: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spots in order, those that touch or overlap as one."""
    runs: list[tuple[int, int]] = []
    for start, end in sorted(spots):
        if runs and start <= runs[-1][1]:
            runs[-1] = (runs[-1][0], max(runs[-1][1], end))
        elif start < end:
            runs.append((start, end))
    return runs
