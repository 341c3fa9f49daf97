from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

import labkit
from labkit.bench import plans, studies
from labkit.bench.children import Refuted
from labkit.bench.making import Making, Progress, Turn, What
from labkit.bench.plans import PLANS, Bench
from labkit.bench.studies import BROKEN_OFF, STUDIES, measure
from labkit.errors import Absent, WrongUse
from labkit.measured import Study

WHAT = What("messages", "/s", "raw", "", 64)


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_can_be_made(name: str) -> None:
    """Each, in its quick shape with two ways, has several values above 0, and comes through JSON as it is."""
    seen: list[Progress] = []
    study = measure(name, quick=True, ways=["keep-alive", "websocket-text"], vias=[""], told=seen.append)
    assert (study.name, study.quick) == (name, name != "overhead")
    assert {each.way for each in study.measurements} <= {"keep-alive", "websocket-text"}
    assert all(max(each.values) > 0 for each in study.measurements if each.name != "handshake")
    assert Study.from_json(study.to_json()) == study
    if name != "overhead":
        assert study.machine["websockets"]
        assert study.date
        assert [each.done for each in seen] == list(range(1, seen[-1].of + 1))
        assert min(len(each.values) for each in study.measurements) >= 2
        assert seen[-1].study == study


@pytest.mark.parametrize(
    ("name", "quantities"),
    [
        ("throughput", {("messages", "/s"), ("bytes", "B/s")}),
        ("latency", {("round trip", "ms")}),
        ("handshakes", {("handshakes", "/s")}),
        ("duplex", {("to the server", "B/s"), ("to the client", "B/s")}),
        ("tap", {("messages", "/s")}),
    ],
)
def test_plans_are_of_what_a_plot_is_drawn_of(name: str, quantities: set[tuple[str, str]]) -> None:
    """The names and units are those that are agreed on, and no two turns are of the same."""
    for quick in (True, False):
        bench = Bench(None, dict.fromkeys(("", "nginx", "tap", "untraced"), 1), studies.WAYS, quick=quick)  # type: ignore[arg-type]
        of = [what for turn in PLANS[name].turns(bench) for what in turn.of]
        assert {what[:2] for what in of} == quantities
        assert len(set(of)) == len(of)


def test_a_study_in_earnest_goes_from_a_byte_to_a_mebibyte_and_to_200_connections() -> None:
    """The sizes and connections of a throughput study reach as far as is promised."""
    of = [what for turn in PLANS["throughput"].turns(Bench(None, {"": 1}, ["raw"], quick=False)) for what in turn.of]  # type: ignore[arg-type]
    assert {min(each.size or 0 for each in of), max(each.size or 0 for each in of)} == {1, 1 << 20}
    assert {min(each.connections for each in of), max(each.connections for each in of)} == {1, 200}


def test_a_round_to_warm_up_is_not_kept() -> None:
    """Turns go there and back; the values of the first round are dropped, all others kept in their order."""
    numbers = iter(range(9))
    making = Making("throughput", quick=True, told=lambda _: None)
    making.alternate(2, [Turn((WHAT,), lambda: ([next(numbers)],)), Turn((WHAT._replace(size=1),), lambda: ([7],))])
    assert [each.values for each in making.study().measurements] == [(1, 2), (7, 7)]


def test_a_turn_that_fails_costs_its_own_values_only() -> None:
    """What could not be measured is said in the note, once, and the rest is there."""

    def refused() -> tuple[list[float]]:
        raise Refuted("the answer is no switch")

    making = Making("throughput", quick=True, told=lambda _: None)
    making.alternate(2, [Turn((WHAT,), refused), Turn((WHAT._replace(way="keep-alive"),), lambda: ([1.0],))])
    study = making.study()
    assert [each.way for each in study.measurements] == ["keep-alive"]
    assert study.note == "raw, 64 bytes: the answer is no switch"


def test_what_is_absent_is_said_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without being asked for by name, a program that is not here is left out, and the note says so."""
    monkeypatch.setattr(studies, "present", lambda via: not via)
    study = measure("latency", quick=True, ways=["raw"], told=lambda _: None)
    assert {each.via for each in study.measurements} == {""}
    assert "not on this machine: embedded, nginx, apache" in study.note


def test_what_is_asked_for_by_name_and_absent_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that was named is never left out in silence."""

    def absent(*_: object) -> object:
        raise Absent("nginx is not on this machine")

    monkeypatch.setattr(plans, "stand", absent)
    with pytest.raises(Absent, match="nginx"):
        measure("latency", quick=True, ways=["raw"], vias=["nginx"], told=lambda _: None)


@pytest.mark.parametrize(
    ("name", "settings", "named"),
    [
        ("speed", {}, "throughput"),
        ("latency", {"ways": ["telepathy"]}, "keep-alive"),
        ("latency", {"ways": "raw"}, r"\['raw'\]"),
        ("latency", {"vias": ["squid"]}, "embedded"),
        ("latency", {"ways": []}, "empty"),
        ("switch", {"ways": ["keep-alive"]}, "websocket-text"),
        ("handshakes", {"ways": ["keep-alive"]}, "websocket-text"),
    ],
)
def test_what_there_is_not_is_wrong_use(name: str, settings: dict[str, object], named: str) -> None:
    """The complaint says what there is."""
    with pytest.raises(WrongUse, match=named):
        measure(name, quick=True, told=lambda _: None, **settings)  # type: ignore[arg-type]


def test_it_is_on_the_face() -> None:
    """`labkit.measure` makes a study; `labkit.bench` is the room."""
    assert labkit.measure is measure
    assert labkit.measure("overhead", quick=True, ways=["raw"]).named("handshake")[0].median == 154


def _interrupting(after: int) -> object:
    def told(progress: Progress) -> None:
        if progress.done == after:
            raise KeyboardInterrupt

    return told


def test_ctrl_c_keeps_what_was_measured() -> None:
    """In the second round, every value so far is in the study, and its note says that it was broken off."""
    settings = {"quick": True, "ways": ["raw", "keep-alive"], "vias": [""]}
    study = measure("latency", told=_interrupting(3), **settings)  # type: ignore[arg-type]
    assert BROKEN_OFF in study.note
    assert len(study.measurements) == 1
    with pytest.raises(KeyboardInterrupt):  # in the round to warm up there is nothing to keep
        measure("latency", told=_interrupting(1), **settings)  # type: ignore[arg-type]


@pytest.mark.skipif(os.name == "nt", reason="SIGINT is POSIX")
def test_sigint_ends_the_command_and_every_process(tmp_path: object) -> None:
    """Ctrl-C at a terminal: what was measured is told and saved, the exit code is 130, and no process is left."""
    kept = f"{tmp_path}/kept.json"
    told = [sys.executable, "-c", _TOLD, "bench", "tap", "--json", kept]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    heard = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}  # `make test &` would not hear it
    with subprocess.Popen(told, **pipes, **heard) as running:
        try:
            assert running.stderr is not None
            assert any(line.startswith("tap: 10 of ") for line in running.stderr)
            running.send_signal(signal.SIGINT)
            out, err = running.communicate(timeout=20)
        finally:
            running.kill()
    assert running.returncode == 130
    assert BROKEN_OFF in out
    assert "Traceback" not in err
    study = Study.load(kept)
    assert BROKEN_OFF in study.note
    assert study.measurements
    children = [int(line.split()[1]) for line in err.splitlines() + out.splitlines() if line.startswith("child ")]
    for pid in children:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert len(children) >= 4


_TOLD = """
import subprocess, sys
from labkit.bench import children
from labkit.cli import main

class Told(subprocess.Popen):
    def __init__(self, *given, **settings):
        super().__init__(*given, **settings)
        print("child", self.pid, flush=True)

children.subprocess.Popen = Told
sys.exit(main(sys.argv[1:]))
"""
