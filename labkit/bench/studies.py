"""The studies: what is compared, in which sizes, and the turns that the values come from.

    measure("latency")
      ├─ the server, the load, and what stands between: a process each
      ├─ a plan: a turn for each way, size, number of connections and via
      └─ rounds: A B C, C B A, …  ─▶  Study, with every value

`labkit.measure` and not `labkit.bench`: that is the room, whose own table holds the lab against its targets.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from labkit.bench.children import Load, Refuted, child, load, port_of
from labkit.bench.machine import machine
from labkit.bench.measurement import taking_turns
from labkit.bench.overhead import SIZES, overhead
from labkit.bench.standing import VIAS, present, stand
from labkit.bench.ways import WAYS
from labkit.errors import Failed, WrongUse
from labkit.measured import Measurement, Study

__all__ = ["BROKEN_OFF", "STUDIES", "Progress", "measure"]

BROKEN_OFF = "broken off"
"""What the note of a study says that Ctrl-C ended."""

_SWITCHING = ("websocket-text", "websocket-binary", "websocket-deflate", "raw")
_TAPS = ("untraced", "", "tap")
_BINS = 40  # of a course, before the switch and after it


class _What(NamedTuple):
    """What is measured: a `Measurement` without its values."""

    name: str
    unit: str
    way: str
    via: str = ""
    size: int | None = None
    connections: int = 1


class _Turn(NamedTuple):
    """One turn of a round, and what its values are of."""

    of: tuple[_What, ...]
    take: Callable[[], tuple[Sequence[float], ...]]


@dataclass
class Progress:
    """How far a study is: turns that were taken, of how many, the newest of them, and the study so far."""

    name: str
    done: int
    of: int
    now: str
    _so_far: Callable[[], Study] = field(repr=False)

    @property
    def study(self) -> Study:
        """What was measured so far, to be drawn while it goes on."""
        return self._so_far()


Told = Callable[[Progress], object]


class _Bench:
    """What runs while a study is made: the load, and a port for each thing that stands between."""

    def __init__(self, source: Load, *, quick: bool, ways: Sequence[str], ports: dict[str, int]) -> None:
        self.source = source
        self.quick = quick
        self.ways = ways
        self.ports = ports
        self.seconds = 0.03 if quick else 0.25

    def talk(self, doing: str, way: str, via: str, size: int, connections: int, **more: Any) -> dict[str, Any]:
        """Have the load talk."""
        details = {"size": size, "connections": connections, "seconds": self.seconds, **more}
        return self.source.ask("talk", doing=doing, way=way, port=self.ports[via], **details)


def _throughput(bench: _Bench) -> Iterator[_Turn]:
    """Messages and bytes: by size on one connection, by connections, and by what stands between."""
    quick = bench.quick
    some = [(size, 1, "") for size in ((64, 16 << 10) if quick else SIZES)]
    some += [(64, connections, "") for connections in ((20,) if quick else (10, 50, 200))]
    some += [(64, 1, via) for via in bench.ports if via]
    for size, connections, via in some:
        for way in bench.ways:
            of = (
                _What("messages", "/s", way, via, size, connections),
                _What("bytes", "B/s", way, via, size, connections),
            )
            yield _Turn(of, partial(_rates, bench, way, via, size, connections))


def _rates(bench: _Bench, way: str, via: str, size: int, connections: int) -> tuple[Sequence[float], ...]:
    came = bench.talk("stream", way, via, size, connections)
    rate = came["messages"] / came["seconds"]
    return [rate], [rate * size]


def _latency(bench: _Bench) -> Iterator[_Turn]:
    """Every round trip of a message and its echo."""
    for via in bench.ports:
        for size in (64,) if bench.quick or via else (64, 16 << 10):
            for way in bench.ways:
                of = (_What("round trip", "ms", way, via, size),)
                yield _Turn(of, partial(_round_trips, bench, way, via, size))


def _round_trips(bench: _Bench, way: str, via: str, size: int) -> tuple[Sequence[float], ...]:
    most, seconds = (20, 0.1) if bench.quick else (100, 1.0)
    came = bench.talk("turns", way, via, size, 1, most=most, seconds=seconds)
    return ([1000 * each for each in came["times"]],)


def _handshakes(bench: _Bench) -> Iterator[_Turn]:
    """Connect, switch, close; 20 at the same time."""
    for via in bench.ports:
        for way in bench.ways:
            if way in _SWITCHING:
                of = (_What("handshakes", "/s", way, via, connections=20),)
                yield _Turn(of, partial(_switches, bench, way, via))


def _switches(bench: _Bench, way: str, via: str) -> tuple[Sequence[float], ...]:
    came = bench.talk("handshakes", way, via, 1, 20)
    return ([came["messages"] / came["seconds"]],)


def _duplex(bench: _Bench) -> Iterator[_Turn]:
    """Bytes of both directions at once: each message comes back, in its own time where the way allows it."""
    size = 16 << 10
    for way in bench.ways:
        of = (_What("to the server", "B/s", way, "", size), _What("to the client", "B/s", way, "", size))
        yield _Turn(of, partial(_both, bench, way, size))


def _both(bench: _Bench, way: str, size: int) -> tuple[Sequence[float], ...]:
    _, (rate,) = _rates(bench, way, "", size, 1)
    return [rate], [rate]


def _tap(bench: _Bench) -> Iterator[_Turn]:
    """What it costs to be watched: not recorded, recorded by the server, and by a tap as well."""
    for via in _TAPS:
        of = (_What("messages", "/s", "websocket-text", via, 64),)
        yield _Turn(of, partial(lambda via: _rates(bench, "websocket-text", via, 64, 1)[:1], via))


class _Kind(NamedTuple):
    """A study: its plan, how many rounds in quick and in earnest, and what is to be said of it."""

    plan: Callable[[_Bench], Iterator[_Turn]]
    quick: int
    full: int
    note: str
    by_via: bool = True


_ECHO = "each message is an echo, and compared; raw bytes have no messages: there the payload is counted"
_KINDS = {
    "throughput": _Kind(_throughput, 2, 7, f"{_ECHO}; bytes are payload, in one direction"),
    "latency": _Kind(_latency, 2, 10, "each message waits for the one before"),
    "handshakes": _Kind(_handshakes, 3, 15, "connect, switch and close, 20 at the same time"),
    "duplex": _Kind(_duplex, 3, 15, f"{_ECHO}; bytes are payload", by_via=False),
    "tap": _Kind(_tap, 5, 31, "64-byte messages, sent without waiting", by_via=False),
}

STUDIES = ("throughput", "latency", "overhead", "handshakes", "duplex", "switch", "tap")
"""The names of all studies."""


def measure(
    name: str,
    *,
    quick: bool = False,
    ways: Sequence[str] | None = None,
    vias: Sequence[str] | None = None,
    told: Told = lambda _: None,
) -> Study:
    """Measure the ways to talk on this machine: a study, with every value, the machine and the versions.

    Ctrl-C ends it early; what was measured until then is kept, and the study's note says so.

    Args:
        name: "throughput", "latency", "overhead", "handshakes", "duplex", "switch" or "tap".
        quick: a few short rounds, to see that it works; seconds, not minutes.
        ways: of talking, such as ["keep-alive", "websocket-text"]; all unless told.
        vias: what stands between, in its turn: "" for nothing, "embedded", "nginx", "apache"; all that are on this
            machine unless told.
        told: called with a `Progress` after each turn.

    Raises:
        WrongUse: there is no such study, way or via.
        Absent: a program that was asked for by name is not on this machine.

    >>> [f"{each.way}: {each.median:g} bytes" for each in measure("overhead").named("on the wire")[:1]]
    ['new-connection: 222 bytes']
    """
    _check("study", [name], STUDIES)
    ways = _check("way", ways or WAYS, WAYS)
    if vias is not None:
        _check("via", vias, VIAS)
    if name == "overhead":
        found = overhead(SIZES[:4] if quick else SIZES, ways)
        told(Progress(name, 1, 1, "all is counted", lambda: found))
        return found
    making = _Making(name, quick=quick, told=told)
    try:
        if name == "switch":
            _course(making, ways, quick=quick)
        else:
            _rounds(making, _KINDS[name], ways, vias, quick=quick)
    except KeyboardInterrupt:
        if not making.values:
            raise
        making.notes.append(BROKEN_OFF)
    return making.study()


def _check(what: str, given: Sequence[str], known: Sequence[str]) -> Sequence[str]:
    if isinstance(given, str):
        raise WrongUse(f"{what}s are a list of texts, not one text: write [{given!r}]")
    if unknown := [each for each in given if each not in known]:
        raise WrongUse(f"no {what} is called {unknown[0]!r}; there are {', '.join(map(repr, known))}")
    return [each for each in known if each in given]


class _Making:
    """A study that is being made."""

    def __init__(self, name: str, *, quick: bool, told: Told) -> None:
        self.name = name
        self.quick = quick
        self.values: dict[_What, list[float]] = {}
        self.at: dict[_What, tuple[float, ...]] = {}
        self.notes: list[str] = []
        self.machine = machine()
        self._told = told
        self._date = datetime.datetime.now(tz=datetime.UTC).date().isoformat()

    def note(self, text: str) -> None:
        """Say something of it, once."""
        if text and text not in self.notes:
            self.notes.append(text)

    def study(self) -> Study:
        """Return what there is so far."""
        found = (
            Measurement(*what[:2], tuple(values), *what[2:], at=self.at.get(what, ()))
            for what, values in self.values.items()
            if values
        )
        return Study(self.name, tuple(found), self.machine, self._date, self.quick, "; ".join(self.notes))

    def tell(self, done: int, of: int, now: str) -> None:
        """Tell how far it is."""
        self._told(Progress(self.name, done, of, now, self.study))


def _rounds(making: _Making, kind: _Kind, ways: Sequence[str], vias: Sequence[str] | None, *, quick: bool) -> None:
    making.note(kind.note)
    wanted = (vias if vias is not None else VIAS) if kind.by_via else ("",)
    absent = [via for via in wanted if vias is None and not present(via)]
    if absent:
        making.note(f"not on this machine: {', '.join(absent)}")
    if kind.plan is _tap:
        wanted = _TAPS
    with _bench(making, [via for via in wanted if via not in absent], ways, quick=quick) as bench:
        turns, rounds = list(kind.plan(bench)), kind.quick if quick else kind.full
        making.values = {what: [] for turn in turns for what in turn.of}
        total = (rounds + 1) * len(turns)
        for done, (number, which) in enumerate(taking_turns(rounds, len(turns)), 1):
            turn = turns[which]
            _take(making, turn, keep=number >= 0)
            making.tell(done, total, _named(turn.of[0]))


def _take(making: _Making, turn: _Turn, *, keep: bool) -> None:
    """Take a turn; one that fails is said, and costs its own values only."""
    try:
        found = turn.take()
    except Refuted as error:
        making.note(f"{_named(turn.of[0])}: {error}")
        return
    if keep:
        for what, values in zip(turn.of, found, strict=True):
            making.values[what] += values


def _named(what: _What) -> str:
    size = "" if what.size is None else f", {what.size} bytes"
    many = f", {what.connections} connections" if what.connections > 1 else ""
    via = "" if not what.via else " untraced" if what.via == "untraced" else f" through {what.via}"
    return f"{what.way}{via}{size}{many}"


@contextmanager
def _bench(making: _Making, vias: Sequence[str], ways: Sequence[str], *, quick: bool) -> Iterator[_Bench]:
    """Start the server, the load and all that stands between; each ends with the block."""
    with ExitStack() as stack:
        source = stack.enter_context(load())
        traced = making.name == "tap"
        server = _serving(stack, trace=traced)
        ports = {}
        for via in vias:
            if via == "untraced":
                ports[via] = _serving(stack)
                continue
            ports[via], version = stack.enter_context(stand(via, server))
            if version:
                making.machine[via] = version
        yield _Bench(source, quick=quick, ways=ways, ports=ports)


def _serving(stack: ExitStack, *, trace: bool = False) -> int:
    return port_of(stack.enter_context(child("-m", "labkit.bench.served", *["--trace"] * trace)))


def _course(making: _Making, ways: Sequence[str], *, quick: bool) -> None:
    """Measure how the bytes to the client go on over the moment of the switch, on one connection."""
    making.note("one connection: POST requests, each answered before the next, then the switch and messages; payload")
    size, seconds = 1024, 0.4 if quick else 2.0
    chosen = [way for way in ways if way in _SWITCHING]
    if not chosen:
        raise WrongUse(f"a study of the switch takes a way that switches: {', '.join(_SWITCHING)}")
    with _bench(making, ("",), ways, quick=quick) as bench:
        for number, way in enumerate(chosen, 1):
            for warm in (True, False):
                came = bench.source.ask("course", way=way, port=bench.ports[""], size=size, seconds=seconds / (8 if warm else 1))
            what = _What("to the client", "B/s", way, "", size)
            making.values[what], making.at[what] = _binned(came["course"], size, seconds)
            making.tell(number, len(chosen), _named(what))


def _binned(course: Sequence[tuple[float, int]], size: int, seconds: float) -> tuple[list[float], tuple[float, ...]]:
    """Return the bytes per second in each of some equal parts of the time, and the middle of each.

    >>> _binned([(-0.5, 1), (0.25, 4)], 10, 1.0)[0][19:21]
    [0.0, 400.0]
    """
    width = seconds / _BINS
    sums = [0.0] * (2 * _BINS)
    for at, messages in course:
        if -_BINS <= (place := int(at // width)) < _BINS:
            sums[place + _BINS] += messages * size / width
    return sums, tuple(round((place + 0.5) * width, 6) for place in range(-_BINS, _BINS))
