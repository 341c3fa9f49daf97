"""The plans of the studies: which ways, sizes, connections and vias take turns, and what a turn measures.

The server, the load and what stands between run in processes of their own; a `Bench` knows their ports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, NamedTuple

from labkit.bench.children import Load, child, load, port_of
from labkit.bench.making import Turn, What
from labkit.bench.overhead import SIZES
from labkit.bench.standing import stand
from labkit.bench.ways import SWITCHING
from labkit.errors import WrongUse

__all__ = ["PLANS", "TAPS", "Bench", "Course", "Plan", "courses", "running", "switching_ones"]

TAPS = ("untraced", "", "tap")
"""How messages are watched: not at all, recorded by the server, and by a tap before it as well."""

_BINS = 40  # of a course of time, before the switch and after it
_AT_ONCE = 20  # handshakes at the same time

Values = tuple[Sequence[float], ...]
Course = tuple[What, Callable[[], tuple[Sequence[float], Sequence[float]]]]


class Bench:
    """What runs while a study is made: the load, and a port for each via.

    Args:
        source: the load.
        ports: of each via.
        ways: of talking.
        quick: whether turns are short and few.
    """

    def __init__(self, source: Load, ports: dict[str, int], ways: Sequence[str], *, quick: bool) -> None:
        self.source = source
        self.ports = ports
        self.ways = ways
        self.quick = quick
        self.seconds = 0.03 if quick else 0.25

    def talk(self, doing: str, what: What, **more: object) -> dict[str, Any]:
        """Have the load talk as a measurement says."""
        details = {"size": what.size or 1, "connections": what.connections, "seconds": self.seconds, **more}
        return self.source.ask("talk", doing=doing, way=what.way, port=self.ports[what.via], **details)


@contextmanager
def running(
    name: str, vias: Sequence[str], ways: Sequence[str], *, quick: bool, machine: dict[str, str]
) -> Iterator[Bench]:
    """Start what a study needs; each process ends with the block.

    Args:
        name: of the study.
        vias: what stands between, in its turn.
        ways: of talking.
        quick: whether turns are short and few.
        machine: takes the versions of the real proxies.
    """
    with ExitStack() as stack:
        source = stack.enter_context(load())
        server = _serving(stack, trace=name == "tap")
        ports: dict[str, int] = {}
        for via in vias:
            if via == "untraced":
                ports[via] = _serving(stack)
                continue
            ports[via], version = stack.enter_context(stand(via, server))
            if version:
                machine[via] = version
        yield Bench(source, ports, ways, quick=quick)


def _serving(stack: ExitStack, *, trace: bool = False) -> int:
    return port_of(stack.enter_context(child("-m", "labkit.bench.served", *["--trace"] * trace, apart=True)))


def _throughput(bench: Bench) -> Iterator[Turn]:
    """By size on one connection, by connections, and by what stands between."""
    quick = bench.quick
    some = [("", size, 1) for size in ((64, 16 << 10) if quick else SIZES)]
    some += [("", 64, connections) for connections in ((20,) if quick else (10, 50, 200))]
    some += [(via, 64, 1) for via in bench.ports if via]
    for via, size, connections in some:
        for way in bench.ways:
            messages = What("messages", "/s", way, via, size, connections)
            yield Turn((messages, messages._replace(name="bytes", unit="B/s")), partial(_rates, bench, messages))


def _rates(bench: Bench, what: What) -> Values:
    came = bench.talk("stream", what)
    rate = came["messages"] / came["seconds"]
    return [rate], [rate * (what.size or 0)]


def _latency(bench: Bench) -> Iterator[Turn]:
    """Every round trip of a message and its echo."""
    for via in bench.ports:
        for size in (64,) if bench.quick or via else (64, 16 << 10):
            for way in bench.ways:
                what = What("round trip", "ms", way, via, size)
                yield Turn((what,), partial(_round_trips, bench, what))


def _round_trips(bench: Bench, what: What) -> Values:
    most, seconds = (20, 0.1) if bench.quick else (100, 1.0)
    came = bench.talk("turns", what, most=most, seconds=seconds)
    return ([1000 * each for each in came["times"]],)


def _handshakes(bench: Bench) -> Iterator[Turn]:
    """Connect, switch and close."""
    for via in bench.ports:
        for way in switching_ones(bench.ways):
            what = What("handshakes", "/s", way, via, connections=_AT_ONCE)
            yield Turn((what,), partial(_switches, bench, what))


def switching_ones(ways: Sequence[str]) -> list[str]:
    """Return those of the ways that switch.

    Raises:
        WrongUse: none does.
    """
    if not (chosen := [way for way in ways if way in SWITCHING]):
        raise WrongUse(f"this study is of ways that switch: {', '.join(SWITCHING)}")
    return chosen


def _switches(bench: Bench, what: What) -> Values:
    came = bench.talk("handshakes", what)
    return ([came["messages"] / came["seconds"]],)


def _duplex(bench: Bench) -> Iterator[Turn]:
    """Both directions: each message comes back, while others leave where the way allows that."""
    for way in bench.ways:
        there = What("to the server", "B/s", way, "", 16 << 10)
        yield Turn((there, there._replace(name="to the client")), partial(_both, bench, there))


def _both(bench: Bench, what: What) -> Values:
    _, rate = _rates(bench, what)
    return rate, rate


def _tap(bench: Bench) -> Iterator[Turn]:
    """Messages that nobody watches, that the server records, and that a tap records as well."""
    for via in bench.ports:
        what = What("messages", "/s", "websocket-text", via, 64)
        yield Turn((what,), partial(lambda what: _rates(bench, what)[:1], what))


def courses(bench: Bench) -> list[Course]:
    """Return, for each way that switches, what takes the course of the bytes to the client over the switch."""
    chosen = [What("to the client", "B/s", way, "", 1024) for way in switching_ones(bench.ways)]
    return [(what, partial(_over_the_switch, bench, what)) for what in chosen]


def _over_the_switch(bench: Bench, what: What) -> tuple[Sequence[float], Sequence[float]]:
    """Talk over the switch twice: the first time is to warm up."""
    whole = 0.4 if bench.quick else 2.0
    for seconds in (whole / 4, whole):
        came = bench.source.ask("course", way=what.way, port=bench.ports[""], size=what.size, seconds=seconds)
    return _binned(came["course"], what.size or 0, whole)


def _binned(course: Sequence[tuple[float, int]], size: int, seconds: float) -> tuple[list[float], list[float]]:
    """Return the bytes per second in equal parts of the time before the moment 0 and after it, and their middles.

    >>> rates, at = _binned([(-0.5, 1), (0.01, 4)], 10, 1.0)
    >>> rates[40], at[40], sum(rates) * 1.0 / 40
    (1600.0, 0.0125, 50.0)
    """
    width = seconds / _BINS
    rates = [0.0] * (2 * _BINS)
    for at, messages in course:
        if -_BINS <= (place := int(at // width)) < _BINS:
            rates[place + _BINS] += messages * size / width
    return rates, [round((place + 0.5) * width, 6) for place in range(-_BINS, _BINS)]


class Plan(NamedTuple):
    """How a study is made: its turns, how many rounds in quick and in earnest, what is to be said, and by via."""

    turns: Callable[[Bench], Iterator[Turn]]
    quick: int
    full: int
    note: str
    by_via: bool = True


_ECHO = (
    "each message is an echo, and compared; requests take turns, WebSocket and raw bytes wait for no answer; "
    "raw bytes have no messages: their payload is counted as such"
)
PLANS = {
    "throughput": Plan(_throughput, 2, 7, f"{_ECHO}; bytes are payload, in one direction"),
    "latency": Plan(_latency, 2, 10, "each message waits for the one before"),
    "handshakes": Plan(_handshakes, 3, 15, f"connect, switch and close, {_AT_ONCE} at the same time"),
    "duplex": Plan(_duplex, 3, 15, f"{_ECHO}; bytes are payload", by_via=False),
    "tap": Plan(_tap, 5, 31, "64-byte messages, sent without waiting", by_via=False),
}
"""The studies that are made of turns."""
