"""Bytes through curl after the 101: the options that let standard input pass as it is, and when to give what.

curl sends what its standard input gives as the content of a request. With a framing of its own (chunks), and with a
wait for a 100, that would be no stream of frames; and given too soon it would leave before the 101.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from labkit.dissection import dissect
from labkit.net.listener import Watch
from labkit.trace import Direction

__all__ = ["feed", "from_stdin"]

_BETWEEN = 0.5  # seconds to wait for an answer to one piece, before the next is given

_OPTIONS = (("upload-file", "-"), ("request", "GET"), ("header", "Transfer-Encoding:"))
# By curl's major version: 7 (7.88.1) sends its head at once. 8 (seen in 8.14.1) holds it back until standard input
# gives something, unless it has a 100 to wait for; where none comes, it waits no longer than this.
_HEAD_FIRST = {"7": (("header", "Expect:"),)}
_ELSE = (("header", "Expect: 100-continue"), ("expect100-timeout", "0.1"))


def from_stdin(version: str) -> tuple[tuple[str, str], ...]:
    """Return the options by which a curl of this version sends its head, and then its standard input, as they are.

    >>> from_stdin("7.88.1")[-1]
    ('header', 'Expect:')
    """
    return (*_OPTIONS, *_HEAD_FIRST.get(version.partition(".")[0], _ELSE))


def feed(watch: Watch, pieces: Sequence[bytes], patience: float) -> Iterator[bytes | None]:
    """Give each piece once the one before was answered, the first after the 101; none where that does not come.

    Args:
        watch: tells of curl's connection.
        pieces: what to give.
        patience: the most seconds to wait for the 101.

    Yields:
        The bytes to give now; None where it is not the time yet.
    """
    until = time.monotonic() + patience
    while (status := _status(watch)) is None:
        if time.monotonic() > until or watch.over:
            return
        yield None
    if status != 101:
        return
    for piece in pieces:
        heard = _heard(watch)
        yield piece
        soon = time.monotonic() + _BETWEEN
        while _heard(watch) == heard and time.monotonic() < soon:
            yield None


def _status(watch: Watch) -> int | None:
    trace = watch.so_far()
    return dissect(trace).status if trace else None


def _heard(watch: Watch) -> int:
    """Return how many bytes the server has said so far."""
    trace = watch.so_far()
    return len(trace.stream(Direction.TO_CLIENT)) if trace else 0
