"""What a message costs in bytes: counted in simulated traces, so that it is exact, and the same on every machine."""

from __future__ import annotations

from collections.abc import Sequence

from labkit.bench.sent import texts
from labkit.bench.served import Boxes, told
from labkit.bench.ways import WAYS, request
from labkit.errors import WrongUse
from labkit.measured import Measurement, Study
from labkit.parties.offer import Offer
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Direction

__all__ = ["SIZES", "overhead"]

SIZES = (1, 64, 1024, 16 << 10, 64 << 10, 1 << 20)
"""Bytes of a message, as the studies take them."""

_NOTE = "counted in a simulated trace: bytes of TCP streams, heads with the fewest field lines"
_KIND = {"websocket-text": "websocket", "websocket-binary": "websocket", "websocket-deflate": "websocket", "raw": "raw"}


def overhead(sizes: Sequence[int] = SIZES, ways: Sequence[str] = WAYS) -> Study:
    """Count the bytes that cross for a message and its echo, less the two payloads, and those before the first one.

    They are the bytes of the connections: TCP, IP and Ethernet add theirs, the more the more writes there are. Heads
    have the fewest field lines that are allowed; a browser sends some hundred bytes more with every request. Where
    permessage-deflate was agreed on, nothing is compressed: a compressed message depends on its text and on zlib.

    Args:
        sizes: bytes of a message.
        ways: of talking; all unless told.

    >>> found = overhead([64], ["keep-alive", "websocket-text"])
    >>> [f"{each.way} {each.median:g}" for each in found.named("on the wire")]
    ['keep-alive 186', 'websocket-text 8']
    """
    if unknown := sorted(set(ways) - set(WAYS)):
        raise WrongUse(f"no way is called {', '.join(unknown)}; there are {', '.join(WAYS)}")
    found = [
        Measurement("on the wire", "B", (float(_message(way, size) - 2 * size),), way=way, size=size)
        for way in ways
        for size in sizes
    ]
    found += [Measurement("handshake", "B", (float(_before(way)),), way=way) for way in ways]
    return Study("overhead", tuple(found), note=_NOTE)


def _message(way: str, size: int) -> int:
    """Return how many bytes cross for one message and its answer."""
    text = texts(size)[0]
    if way in _KIND:
        return _switched(way, [text]) - _switched(way, [])
    boxes = Boxes()
    if way in ("new-connection", "keep-alive"):
        return _asked(request("POST", "/echo", text, close=way == "new-connection"))
    there = _asked(request("POST", f"/send?{_BOX}", text), boxes)
    if way == "long-polling":
        return there + _asked(request("GET", f"/poll?{_BOX}"), boxes)
    return there + _events(boxes) - _events(Boxes())


_BOX = "000000"  # as long as the load's own are


def _before(way: str) -> int:
    """Return how many bytes cross before the first message."""
    if way == "server-sent-events":
        return _events(Boxes()) - len(b"0\r\n\r\n")
    if way not in _KIND:
        return 0
    return _switched(way, []) - (0 if way == "raw" else len(_CLOSE) + len(_CLOSE_BACK))


_CLOSE, _CLOSE_BACK = bytes(8), bytes(4)  # frames with a status code alone, masked and not


def _switched(way: str, say: Sequence[bytes]) -> int:
    if way == "raw":
        offer = Offer.custom("raw", "/echo")
    else:
        offer = Offer.websocket("/echo", deflate=way == "websocket-deflate")
    messages = [each.decode() if way in ("websocket-text", "websocket-deflate") else each for each in say]
    server = told(deflate="stored" if way == "websocket-deflate" else "off")
    return _crossed(Scenario(offer, say=messages, server=server))


def _asked(data: bytes, boxes: Boxes | None = None) -> int:
    return _crossed(Scenario(Offer.of_bytes(data), server=told(boxes)))


def _events(boxes: Boxes) -> int:
    """Return how many bytes cross for a stream of events, with one message or with none."""
    boxes.of(f"/events?{_BOX}").put_nowait(None)
    return _asked(request("GET", f"/events?{_BOX}"), boxes)


def _crossed(scenario: Scenario) -> int:
    trace = simulate(scenario)
    return sum(len(trace.stream(way)) for way in Direction)
