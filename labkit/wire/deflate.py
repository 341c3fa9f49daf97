"""DEFLATE at its smallest: a message of zeros as permessage-deflate carries it, two bits for each 258 of them.

zlib writes nearly the same, but its bytes depend on its build; these are the same on every machine.
"""

from __future__ import annotations

from labkit.errors import WrongUse

__all__ = ["deflated_zeros"]

_LONGEST = 258  # bytes that one match repeats (RFC 1951, 3.2.5)
_MOST = 1 << 28  # 256 MiB

# The codes of this block: the shorter, the more often it is written. A match says how many bytes, and how far back.
_ZERO, _END, _MATCH = "10", "11", "0" + "0"
# How its table says that a code has two bits, or one; codes that do not occur come in rows of 11 to 138 (RFC 1951,
# 3.2.7), and the lengths of these three codes in an order of their own.
_TWO_BITS, _ONE_BIT, _ROW = "11", "10", "0"
_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1)
_BITS = {18: 1, 1: 2, 2: 2}


def deflated_zeros(size: int) -> bytes:
    """Return `size` zero bytes as the payload of one compressed message (RFC 7692, 7.2.1).

    Raises:
        WrongUse: it is no size, or one beyond 256 MiB.

    >>> deflated_zeros(1).hex(" ")
    'ec c0 81 00 00 00 00 80 a0 fd a9 17 a9 06'
    >>> len(deflated_zeros(10_000_000))
    9748
    """
    if type(size) is not int or not 0 < size <= _MOST:
        raise WrongUse(f"size is a whole number of bytes from 1 to {_MOST:,}, not {size!r}")
    matches, rest = divmod(size - 1, _LONGEST)
    data = _ZERO * (1 + rest) + _MATCH * matches + _END
    return _packed(_table() + data + "000")  # last, an empty stored block, less its bytes 00 00 ff ff


def _table() -> str:
    """Return the head of a block that brings its own codes: how many bits each of them has."""
    head = _number(0, 1) + _number(2, 2)  # not the last block; one with a table
    counts = _number(286 - 257, 5) + _number(1 - 1, 5) + _number(len(_ORDER) - 4, 4)
    codes = "".join(_number(_BITS.get(each, 0), 3) for each in _ORDER)
    used = _TWO_BITS + _unused(138) + _unused(117) + _TWO_BITS + _unused(28) + _ONE_BIT  # 0, 256 and 285
    return head + counts + codes + used + _ONE_BIT  # and the one distance


def _unused(count: int) -> str:
    return _ROW + _number(count - 11, 7)


def _number(value: int, bits: int) -> str:
    """Return a number's bits, the lowest first; a code's bits are written as they stand (RFC 1951, 3.1.1)."""
    return f"{value:0{bits}b}"[::-1]


def _packed(bits: str) -> bytes:
    whole = bits + "0" * (-len(bits) % 8)
    return int(whole[::-1], 2).to_bytes(len(whole) // 8, "little")
