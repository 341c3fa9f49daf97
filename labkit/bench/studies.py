"""The studies: the ways to talk, compared on this machine.

    measure("latency")
      ├─ the server, the load, and what stands between: a process each
      ├─ a plan: a turn for each way, size, number of connections and via
      └─ rounds: A B C, C B A, …  ─▶  Study, with every value

`labkit.measure` and not `labkit.bench`: that is the room, whose own table holds the lab against its targets, and a
package and a function of one name hide each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from labkit.bench.making import Making, Told
from labkit.bench.overhead import SIZES, overhead
from labkit.bench.plans import PLANS, TAPS, courses, running, switching_ones
from labkit.bench.progress import progress
from labkit.bench.standing import VIAS, present
from labkit.bench.ways import WAYS
from labkit.errors import WrongUse
from labkit.measured import Study

__all__ = ["BROKEN_OFF", "STUDIES", "measure"]

BROKEN_OFF = "broken off"
"""What the note of a study says that Ctrl-C ended."""

STUDIES = ("throughput", "latency", "overhead", "handshakes", "duplex", "switch", "tap")
"""The names of all studies."""

_COURSE = "one connection: requests, each answered before the next, then the switch and messages; bytes are payload"


def measure(
    name: str,
    *,
    quick: bool = False,
    ways: Sequence[str] | None = None,
    vias: Sequence[str] | None = None,
    told: Told | None = None,
) -> Study:
    """Measure ways to talk on this machine: a study, with every value, the machine and the versions.

    Ctrl-C ends it early; what was measured until then is returned, and the study's note says so.

    Args:
        name: "throughput", "latency", "overhead", "handshakes", "duplex", "switch" or "tap".
        quick: a few short rounds, to see that it works: seconds, not minutes.
        ways: of talking, such as ["keep-alive", "websocket-text"]; all unless told.
        vias: what stands between, in its turn: "" for nothing, "embedded", "nginx", "apache"; all that are on this
            machine unless told.
        told: called with a `Progress` after each turn; unless told, a bar shows it where somebody watches and tqdm
            is installed.

    Raises:
        WrongUse: there is no such study, way or via.
        Absent: a program that was asked for by name is not on this machine.

    >>> study = measure("overhead", ways=["keep-alive", "websocket-text"])
    >>> [f"{each.way}: {each.median:g} bytes" for each in study.named("on the wire") if each.size == 64]
    ['keep-alive: 186 bytes', 'websocket-text: 8 bytes']
    """
    if name not in STUDIES:
        raise WrongUse(f"no study is called {name!r}; there are {', '.join(STUDIES)}")
    chosen = WAYS if ways is None else _chosen("way", ways, WAYS)
    if name in ("handshakes", "switch"):
        switching_ones(chosen)
    between = None if vias is None else _chosen("via", vias, VIAS)
    if name == "overhead":
        return overhead(SIZES[:4] if quick else SIZES, chosen)
    if told is not None:
        return _made(Making(name, quick=quick, told=told), chosen, between)
    with progress() as shown:
        return _made(Making(name, quick=quick, told=shown), chosen, between)


def _chosen(what: str, given: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    if isinstance(given, str):
        raise WrongUse(f"{what}s is a list of texts, not one text: write [{given!r}]")
    if not isinstance(given, Iterable):
        raise WrongUse(f"{what}s is a list of texts, not {given!r}")
    if unknown := [each for each in given if each not in known]:
        raise WrongUse(f"no {what} is called {unknown[0]!r}; there are {', '.join(map(repr, known))}")
    if not given:
        raise WrongUse(f"{what}s is empty: nothing would be measured")
    return tuple(each for each in known if each in given)


def _made(making: Making, ways: Sequence[str], vias: Sequence[str] | None) -> Study:
    try:
        if making.name == "switch":
            making.note(_COURSE)
            with running("switch", ("",), ways, quick=making.quick, machine=making.machine) as bench:
                making.over_time(courses(bench))
        else:
            _rounds(making, ways, vias)
    except KeyboardInterrupt:
        if not making.begun:
            raise
        making.note(BROKEN_OFF)
    return making.study()


def _rounds(making: Making, ways: Sequence[str], vias: Sequence[str] | None) -> None:
    plan = PLANS[making.name]
    making.note(plan.note)
    if not plan.by_via:
        between: Sequence[str] = TAPS if making.name == "tap" else ("",)
    elif vias is None:
        between = [via for via in VIAS if present(via)]
        if absent := [via for via in VIAS if via not in between]:
            making.note(f"not on this machine: {', '.join(absent)}")
    else:
        between = vias
    with running(making.name, between, ways, quick=making.quick, machine=making.machine) as bench:
        making.alternate(plan.quick if making.quick else plan.full, list(plan.turns(bench)))
