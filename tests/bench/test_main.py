from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from labkit.bench.__main__ import FIGURES, main
from labkit.bench.machine import machine
from labkit.errors import Failed


@pytest.fixture(autouse=True)
def handlers() -> object:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_a_table_is_printed_and_every_value_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line per row, under the machine and the versions; the JSON file holds the same rows."""
    kept = tmp_path / "kept.json"
    assert main(["--quick", "--json", str(kept), "frames", "exchange"]) == 0
    lines = capsys.readouterr().out.splitlines()
    data = json.loads(kept.read_text(encoding="utf-8"))
    assert data["machine"] == machine()
    assert data["quick"] is True
    assert [row["name"] for row in data["rows"]] == [
        "frame records of a dissection",
        "offer to drawn SVG, one exchange",
    ]
    assert all(value > 0 for row in data["rows"] for value in row["values"])
    assert all(value in lines[0] for value in machine().values())
    assert [line.split("  ")[0] for line in lines[2:]] == [row["name"] for row in data["rows"]]


def test_what_cannot_be_measured_is_told_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One figure that fails costs its own rows only, and the exit code says so."""

    def broken(**_: object) -> list[object]:
        raise Failed("no server today")

    monkeypatch.setitem(FIGURES, "echo", broken)
    assert main(["--quick", "echo", "frames"]) == 1
    told = capsys.readouterr()
    assert told.err == "labkit.bench: echo: no server today\n"
    assert "frame records" in told.out


def test_an_unknown_figure_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    """The complaint names what there is."""
    with pytest.raises(SystemExit) as ended:
        main(["nonsense"])
    assert ended.value.code == 2
    assert "handshakes" in capsys.readouterr().err


_WAITING = """
import time
from labkit.bench.__main__ import FIGURES, main
from labkit.bench.children import load, rival, serving

def wait(**_):
    with load(), serving(), rival():
        print("all run", flush=True)
        time.sleep(60)

FIGURES["echo"] = wait
main(["echo"])
"""


@pytest.mark.skipif(os.name == "nt", reason="process groups are POSIX")
def test_a_bench_that_is_stopped_leaves_no_process() -> None:
    """SIGTERM ends the load and the servers too: nothing is left of the process group."""
    with subprocess.Popen(
        [sys.executable, "-c", _WAITING], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        try:
            assert running.stdout is not None
            assert "all run\n" in iter(running.stdout.readline, "")
            running.terminate()
            assert running.wait(20) == 143
            with pytest.raises(ProcessLookupError):
                os.killpg(running.pid, 0)
        finally:
            running.kill()
