from __future__ import annotations

import io
import sys
from importlib import import_module

import pytest

from labkit.bench import progress as shown
from labkit.bench.making import Progress
from labkit.bench.progress import progress
from labkit.measured import Study


def steps(count: int) -> list[Progress]:
    return [
        Progress("latency", done, count, f"turn {done}", lambda: Study("latency", ())) for done in range(1, count + 1)
    ]


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_is_drawn_where_somebody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a terminal a bar shows how far it is, and leaves nothing behind."""
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr("tqdm.std.tqdm.monitor_interval", 0)  # no thread that looks at bars
    with progress() as told:
        for each in steps(3):
            told(each)
    assert "latency: turn 1" in terminal.getvalue()
    assert terminal.getvalue().split("\r")[-1].strip() == ""


def test_lines_are_told_where_there_is_no_bar(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without tqdm, or where nobody watches, a command tells ten lines, however many turns; a function tells none."""
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    monkeypatch.setattr(shown, "can_be_seen", lambda: True)
    with progress(lines=True) as told:
        for each in steps(200):
            told(each)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    assert lines[-1] == "latency: 200 of 200, turn 200"
    with progress() as told:
        told(steps(1)[0])
    assert capsys.readouterr().err == ""


def test_what_a_library_loads_is_no_watcher() -> None:
    """A process that has loaded a kernel's parts, and is none, is watched by nobody: its output is left alone."""
    import_module("ipykernel.kernelapp")
    assert not shown.can_be_seen()
