"""The record as a table, taken away as a file and brought back."""

from __future__ import annotations

from pathlib import Path

import pytest

import labkit
from labkit.errors import Unreadable, WrongUse
from labkit.lessons import record
from labkit.lessons.record import note
from labkit.lessons.recorded import Record


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(record.VARIABLE, str(tmp_path / record.FILE))
    record.forget()
    return tmp_path / record.FILE


def lived() -> Record:
    """Work through a little of two lessons."""
    note("prediction", "02.famous", 101)
    note("prediction", "00.famous", 400)
    note("came", "02.famous", {"predicted": 101, "came": 400, "same": False})
    note("came", "00.famous", {"predicted": 400, "came": 400, "same": True})
    note("prediction", "02.later", True)
    for right in (False, False, True, True):
        note("answer", "02.mend", {"answer": "GET /\nHost: x", "ok": right})
    note("answer", "02.watch", {"answer": [1, 2], "ok": False})
    note("prediction", "workbench 1", "426")
    note("came", "workbench 1", "426")
    note("variation", "workbench 1", {"client": "lab"})
    return labkit.record()


def test_a_row_for_each_prediction_and_exercise():
    """The table tells what was predicted and what came, which exercises are solved, and at which try."""
    assert lived().rows == [
        ("00.famous", "prediction", "400", "✓ 400"),
        ("02.famous", "prediction", "101", "≠ 400"),
        ("02.later", "prediction", "True", "not yet run"),
        ("02.mend", "exercise", "GET / Host: x", "✓ solved at try 3"),
        ("02.watch", "exercise", "[1, 2]", "✗ not yet, 1 tries"),
        ("workbench 1", "prediction", "426", "✓ 426"),
        ("workbench", "variations", "1", ""),
    ]
    assert lived().verdict == "2 of 4 predictions came true; 1 of 2 exercises are solved."


def test_drawn_as_text_and_as_a_table():
    """Both forms end in the sentence, and tell where the record is kept, without a path."""
    bundle = lived()._repr_mimebundle_()
    for shown in bundle.values():
        assert "It is kept in labkit-record.jsonl." in shown
        assert "solved at try 3" in shown
        assert "/tmp" not in shown
    assert repr(labkit.record()).startswith("<Record: 2 of 4 predictions")


def test_an_empty_record_says_so():
    """Before the first prediction there is a sentence, not an empty table."""
    assert str(labkit.record()).startswith("Nothing is recorded yet.")


def test_saved_and_resumed(file: Path, tmp_path: Path):
    """A saved record is taken in again where there was none; what was there already is not doubled."""
    before = lived()
    away = tmp_path / "mine.jsonl"
    assert before.save(away).startswith(f"{len(before.entries)} entries are in mine.jsonl; ")
    file.unlink()
    assert labkit.record().rows == []
    assert labkit.record().resume(away) == f"{len(before.entries)} entries taken in."
    assert labkit.record().rows == before.rows
    assert labkit.record().resume(away) == "All of it was there already."


def test_saving_loses_nothing(file: Path, tmp_path: Path):
    """A record of yesterday is added to, with the lines that this labkit cannot read; another file is not touched."""
    lived()
    newer = b'{"labkit": 2, "kind": "answer"}'
    away = tmp_path / "mine.jsonl"
    labkit.record().save(away)
    away.write_bytes(away.read_bytes() + newer + b"\n")
    yesterday = away.read_bytes().splitlines()
    file.unlink()
    labkit.predict("07.first", 404)
    labkit.record().save(away)
    assert away.read_bytes().splitlines()[:-1] == yesterday
    notebook = tmp_path / "n.ipynb"
    notebook.write_text('{"cells": []}')
    with pytest.raises(WrongUse, match="is there already, and is no record"):
        labkit.record().save(notebook)
    assert notebook.read_text() == '{"cells": []}'
    assert sorted(each.name for each in tmp_path.iterdir() if each != file) == ["mine.jsonl", "n.ipynb"]


@pytest.mark.parametrize("name", [None, 5, "\0"])
def test_what_is_no_name_of_a_file(name: object):
    """Saving and resuming want the name of a file, and say so."""
    for action in (labkit.record().save, labkit.record().resume):
        with pytest.raises(WrongUse, match="write the name of a file"):
            action(name)


def test_what_cannot_be_read_or_written_is_one_sentence(tmp_path: Path):
    """A folder that is not there, a file that is none, and one that is no record are told in a line each."""
    with pytest.raises(WrongUse, match=r"cannot write .*No such file or directory"):
        labkit.record().save(tmp_path / "no" / "x.jsonl")
    with pytest.raises(Unreadable, match="No such file or directory"):
        labkit.record().resume(tmp_path / "x.jsonl")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    with pytest.raises(Unreadable, match="this is no record of labkit's"):
        labkit.record().resume(tmp_path / "picture.png")


@pytest.mark.parametrize(
    "value", ["\x1b[31mred", "<script>alert(1)</script>", ["a", {"b": None}], "x" * 3000, {"no": 1}]
)
def test_odd_values_are_shown_harmlessly(value: object):
    """An uploaded record may hold anything: it is shown as text, and never speaks to the terminal or the page."""
    note("prediction", "x", value)
    note("answer", "x", value)
    note("came", "x", value)
    shown = labkit.record()._repr_mimebundle_()
    assert "\x1b" not in "".join(shown.values())
    assert "<script" not in shown["text/html"]
