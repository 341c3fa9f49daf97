"""Dates, masking keys and the logical clock: what the lab fixes so that a trace is the same everywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from labkit.wire.websocket import SAMPLE_MASK

__all__ = ["SAMPLE_DATE", "LogicalClock", "lab_date", "lab_masks"]

SAMPLE_DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
"""The date that RFC 9110 (5.6.7) writes as its example; the lab's own server sends it in a notebook."""


def lab_date() -> str:
    """Return the lab's date, always the same."""
    return SAMPLE_DATE


def lab_masks() -> Iterator[bytes]:
    """Yield masking keys: RFC 6455's own example first, then a fixed sequence.

    A real client must draw each one fresh, and unpredictably (RFC 6455, 5.3).

    >>> keys = lab_masks()
    >>> next(keys).hex(), next(keys).hex(), next(keys).hex()
    ('37fa213d', '28d3ea61', '75eec467')
    """
    yield SAMPLE_MASK
    number = 1
    while True:
        yield hashlib.sha256(b"labkit masking key %d" % number).digest()[:4]
        number += 1


class LogicalClock:
    """A clock that stands still until it is told to go on: in memory no time is waited for.

    >>> clock = LogicalClock()
    >>> clock.now = 2.5
    >>> clock()
    2.5
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._moments = 0

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now

    def moment(self) -> float:
        """Return the time with a nanosecond for each time it was asked: what happens at one time keeps its order."""
        self._moments += 1
        return self.now + self._moments * 1e-9
