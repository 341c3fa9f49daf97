from __future__ import annotations

from pathlib import Path

import pytest

from labkit.bench import stored as room
from labkit.bench.stored import STORED, path, stored
from labkit.bench.stored import __main__ as making
from labkit.bench.studies import BROKEN_OFF, STUDIES
from labkit.errors import WrongUse
from labkit.measured import Measurement, Study


def test_what_is_kept_is_whole_and_small():
    """Each study was made in earnest, says its machine, day and versions, and has rates above 0; together they are small."""
    files = {each.stem: each for each in Path(room.__file__).parent.glob("*.json")}
    assert set(files) == set(STORED) == set(STUDIES) - {"overhead"}
    assert sum(each.stat().st_size for each in files.values()) < 300_000
    for name in STORED:
        study = stored(name)
        assert (study.name, study.quick) == (name, False)
        assert study.date
        assert {"processor", "system", "python", "http101-labkit", "websockets"} <= set(study.machine)
        assert BROKEN_OFF not in study.note
        assert all(each.median > 0 for each in study.measurements)


def test_what_is_not_kept_is_named():
    """Another name is refused, with those that there are."""
    with pytest.raises(WrongUse, match=r"'overhead' is kept; there are throughput, latency"):
        stored("overhead")


def test_one_command_makes_them_anew(monkeypatch, tmp_path, capsys):
    """It measures those that it is told, thins them, and writes them; one that was broken off is not written."""
    made = Study("tap", (Measurement("messages", "/s", tuple(range(1, 2001)), way="raw"),))
    monkeypatch.setattr(making, "measure", lambda name, told: made)
    monkeypatch.setattr(making, "path", lambda name: tmp_path / path(name).name)
    assert making.main(["tap"]) == 0
    assert capsys.readouterr().out == "tap.json\n"
    assert len(Study.load(tmp_path / "tap.json").measurements[0].values) == 500
    made = made.noted(BROKEN_OFF)
    assert making.main(["latency"]) == 130
    assert [each.name for each in tmp_path.iterdir()] == ["tap.json"]
    assert making.main(["nothing"]) == 1
    assert "'nothing' is kept" in capsys.readouterr().err
