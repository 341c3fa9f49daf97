"""Amounts with their units, in as many digits as mean something: 20.1 k/s, 1.2 GB/s, 64 KiB, 14 times."""

from __future__ import annotations

import math

from labkit.errors import WrongUse

__all__ = ["amount", "share", "size_words", "tick", "times"]

_PREFIXES = (("G", 1e9), ("M", 1e6), ("k", 1e3))
_PREFIXED = ("/s", "B/s", "B")
_EXACT = 10_000  # so many bytes are still written out


def amount(value: float, unit: str) -> str:
    """Return an amount in three digits.

    >>> amount(20_134, "/s"), amount(1.2e9, "B/s"), amount(0.0561, "ms"), amount(1354, "B")
    ('20.1 k/s', '1.20 GB/s', '0.0561 ms', '1,354 B')
    """
    if unit == "B" and abs(value) < _EXACT:
        return f"{value:,.0f} B" if value == int(value) else f"{_digits(value)} B"
    value, prefix = _prefixed(value, unit)
    return f"{_digits(value)} {prefix}{unit}".rstrip()


def tick(value: float, unit: str) -> str:
    """Return an amount for a tick of an axis, without digits that say nothing.

    >>> tick(20_000, "/s"), tick(0.5, "ms"), tick(0, "B/s"), tick(2.5e6, "B/s")
    ('20 k/s', '0.5 ms', '0', '2.5 MB/s')
    """
    if value == 0:
        return "0"
    value, prefix = _prefixed(value, unit)
    return f"{value:,.6g} {prefix}{unit}".rstrip()


def _prefixed(value: float, unit: str) -> tuple[float, str]:
    if unit in _PREFIXED:
        for prefix, factor in _PREFIXES:
            if abs(value) >= factor * 0.9995:  # what would be written as 1,000 of the prefix below it
                return value / factor, prefix
    return value, ""


def _digits(value: float) -> str:
    if value == 0:
        return "0"
    before = math.floor(math.log10(abs(value) * 1.0005)) + 1  # digits before the point
    return f"{value:,.{min(max(3 - before, 0), 6)}f}"


def size_words(size: int) -> str:
    """Return a number of bytes as sizes of messages are told.

    >>> size_words(64), size_words(16384), size_words(1 << 20), size_words(1500)
    ('64 B', '16 KiB', '1 MiB', '1,500 B')
    """
    for name, factor in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size >= factor and size % factor == 0:
            return f"{size // factor:,} {name}"
    return f"{size:,} B"


def times(ratio: float) -> str:
    """Return how many times as much, to be read before "as much as" or "the messages of".

    >>> times(14.2), times(3.27), times(4)
    ('14 times', '3.3 times', '4 times')
    """
    if ratio <= 0:
        raise WrongUse(f"a ratio is above 0, not {ratio!r}")
    return f"{ratio:,.0f} times" if ratio >= 9.95 else f"{ratio:.1f} times".replace(".0 ", " ")


def share(part: float) -> str:
    """Return a part of a whole in per cent.

    >>> share(0.4567), share(0.004)
    ('46 %', '0.4 %')
    """
    return f"{100 * part:.0f} %" if abs(part) >= 0.01 else f"{100 * part:.1g} %"
