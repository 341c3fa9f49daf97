from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

from labkit.cli import bench as command
from labkit.cli import main
from labkit.errors import Failed
from labkit.measured import Study


def test_a_study_is_told_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table is the output; the file holds the same study."""
    kept = tmp_path / "kept.json"
    assert main(["bench", "overhead", "--quick", "--way", "raw", "--json", str(kept)]) == 0
    told = capsys.readouterr()
    assert "on the wire  raw  direct  1,024   1" in told.out
    assert Study.load(kept).name == "overhead"
    assert str(kept) in told.err


def test_several_studies_go_to_files_of_their_own(tmp_path: Path) -> None:
    """Each file has its study's name in its own, and no more values than are asked for."""
    kept = tmp_path / "kept.json"
    options = ["--quick", "--way", "raw", "--via", "direct", "--values", "5", "--json", str(kept)]
    assert main(["bench", "overhead", "latency", *options]) == 0
    assert all(len(each.values) <= 5 for path in tmp_path.iterdir() for each in Study.load(path).measurements)
    found = {path.name: Study.load(path).name for path in tmp_path.iterdir()}
    assert found == {"kept-overhead.json": "overhead", "kept-latency.json": "latency"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["speed"], "throughput"),
        (["latency", "--way", "telepathy"], "keep-alive"),
        (["latency", "--via", "squid"], "embedded"),
        (["overhead", "--json", "/nowhere/at/all/x.json"], "no folder"),
        (["overhead", "--plot", "x.gif"], ".svg"),
    ],
)
def test_what_makes_no_sense_is_told_before_the_work(
    options: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong use is one line, and exit code 2."""
    assert main(["bench", *options]) == 2
    assert told in capsys.readouterr().err


def test_a_study_that_fails_costs_itself_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Among several the others are made, and the exit code says that one was not."""
    make = command._made

    def made(name: str, arguments: object) -> Study:
        if name == "latency":
            raise Failed("no server today")
        return make(name, arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(command, "_made", made)
    assert main(["bench", "overhead", "latency", "--quick"]) == 1
    told = capsys.readouterr()
    assert "labkit: latency: no server today" in told.err
    assert "on the wire" in told.out


def test_a_plot_is_drawn_into_its_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--plot` hands the study to the plots, and says where the picture is."""
    drawn = []

    class Plot:
        def save(self, path: Path) -> Path:
            drawn.append(path)
            return path

    monkeypatch.setitem(sys.modules, "labkit.render.plots", types.SimpleNamespace(plot=lambda _: Plot()))
    assert main(["bench", "overhead", "--quick", "--plot", str(tmp_path / "x.svg")]) == 0
    assert drawn == [tmp_path / "x.svg"]
    assert "drew" in capsys.readouterr().err
