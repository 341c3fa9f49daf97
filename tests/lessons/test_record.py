"""The record of predictions and answers: one small file that several kernels add to, and that can be brought back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from labkit.errors import Unreadable, WrongUse
from labkit.lessons import record
from labkit.lessons.record import Entry, entries, merge, note, place, text


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / record.FILE
    monkeypatch.setenv(record.VARIABLE, str(path))
    record.forget()
    yield path
    record.forget()


def values() -> list[object]:
    return [entry.value for entry in entries()]


def test_an_entry_is_one_line_with_a_version(file: Path):
    """What is noted is read back as it was, and each line of the file says which version of the record it is."""
    note("prediction", "02.famous", 101)
    note("answer", "02.mend", {"answer": ["ä", 1.5, None], "ok": True})
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [(line["labkit"], line["kind"], line["value"]) for line in lines] == [
        (1, "prediction", 101),
        (1, "answer", {"answer": ["ä", 1.5, None], "ok": True}),
    ]
    assert [entry[:3] for entry in entries()] == [(line["kind"], line["name"], line["value"]) for line in lines]


def test_no_file_without_the_environment(file: Path, monkeypatch: pytest.MonkeyPatch):
    """Where no file is named, the record is in memory alone, and says so."""
    monkeypatch.delenv(record.VARIABLE)
    note("prediction", "02.famous", 101)
    assert values() == [101]
    assert not file.exists()
    assert place() == "It is kept in this kernel's memory, and gone when the kernel stops."


def test_what_is_recorded_does_not_change_later(monkeypatch: pytest.MonkeyPatch):
    """An entry in memory is a copy: a list that the caller goes on with is not what was predicted."""
    monkeypatch.delenv(record.VARIABLE)
    mine = ["Host"]
    note("prediction", "02.missing", mine)
    mine.append("Origin")
    assert values() == [["Host"]]


def test_two_kernels_share_the_file(file: Path):
    """Four processes that write at the same time lose no entry, and break no line."""
    script = "from labkit.lessons.record import note\nfor n in range(50): note('prediction', 'x', [n, __import__('os').getpid()])"
    running = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(4)]
    assert [each.wait(timeout=60) for each in running] == [0] * 4
    assert len(entries()) == 200
    assert len({json.dumps(value) for value in values()}) == 200


def test_a_broken_last_line_is_survived(file: Path):
    """A kernel that was killed while it wrote costs its own line, and not the next one."""
    note("prediction", "a", 1)
    with file.open("ab") as opened:
        opened.write(b'{"labkit":1,"kind":"predic')
    note("prediction", "b", 2)
    assert values() == [1, 2]


def test_lines_that_are_none_are_left_out(file: Path):
    """Whatever else stands in the file is passed over: no JSON, another kind, a newer version, an odd name."""
    good = Entry("answer", "x", True, "2026-01-01").line
    bad = [
        "", "[]", "1", "\x00", "[" * 100_000, "nonsense", '{"labkit":1}', good.replace("answer", "other"),
        good.replace('"labkit":1', '"labkit":2'), good.replace('"x"', '"\\u001b[31m"'), good.replace('"x"', "[1]"),
    ]  # fmt: skip
    file.write_bytes(b"\xff\xfe\n" + "\n".join([*bad, good]).encode())
    assert values() == [True]


@pytest.mark.parametrize(
    ("kind", "name", "value", "said"),
    [
        ("guess", "x", 1, "kinds prediction, came, answer, variation, not 'guess'"),
        ("answer", "", 1, "a short one"),
        ("answer", "x" * 81, 1, "a short one"),
        ("answer", "../x", 1, "a short one"),
        ("answer", 1, 1, "a short one"),
        ("answer", "x", object(), "x: the record holds text, numbers and lists of them"),
        ("answer", "x", float("nan"), "the record holds text"),
        ("answer", "x", "\ud800", "the record holds text"),
        ("answer", "x", "long" * 40_000, "too long for the record"),
    ],
)
def test_odd_entries_are_refused(file: Path, kind: str, name: str, value: object, said: str):
    """A kind, a name or a value that the record cannot hold is refused in one line, and nothing is written."""
    with pytest.raises(WrongUse) as caught:
        note(kind, name, value)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not file.exists()


def test_a_list_within_itself_is_refused():
    """A value without an end is refused like any other that JSON cannot hold."""
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(WrongUse):
        note("answer", "x", endless)


def test_saved_and_brought_back(file: Path):
    """What was downloaded is taken in again on another day: each entry once, in its old order."""
    note("prediction", "a", 1)
    saved = text().encode()
    file.unlink()
    note("prediction", "b", 2)
    assert merge(saved) == 1
    assert merge(saved) == 0
    assert merge(saved * 3) == 0
    assert values() == [1, 2]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no record of labkit's"),
        (b"\x89PNG\r\n\x1a\n", "no record of labkit's"),
        (b'{"cells": []}', "no record of labkit's"),
        (b"x" * (record.MOST_SAVED + 1), "too long: .* 4194304 bytes at the most"),
        (b'{"labkit": 2, "kind": "answer"}', "made by a newer labkit"),
    ],
)
def test_a_file_that_is_no_record(file: Path, data: bytes, said: str):
    """A file that is none is refused in one sentence, and the record stays as it was."""
    with pytest.raises(Unreadable, match=said) as caught:
        merge(data)
    assert "\n" not in str(caught.value)
    assert not file.exists()


def test_a_full_file_is_said(file: Path):
    """A full file takes no more; what is new is in memory, and the record says so."""
    file.write_bytes(b"\n" * record.MOST_BYTES)
    note("prediction", "a", 1)
    assert file.stat().st_size == record.MOST_BYTES
    assert values() == [1]
    assert "In memory alone, since then: 1; " in place()
    assert "it is full" in place()


def test_a_folder_that_is_not_there_is_no_obstacle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Where the file cannot be written the lesson goes on: the entry is in memory, with the system's reason."""
    monkeypatch.setenv(record.VARIABLE, str(tmp_path / "no" / record.FILE))
    note("prediction", "a", 1)
    assert values() == [1]
    assert "No such file or directory" in place()
    assert str(tmp_path) not in place()


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch):
    """In memory the oldest entries give way, so that a loop of predictions cannot fill the machine."""
    monkeypatch.delenv(record.VARIABLE)
    for number in range(60):
        note("variation", "x", [number, "x" * 30_000])
    assert sum(len(entry.line) for entry in entries()) <= record.MOST_BYTES
    assert entries()[-1].value[0] == 59


def test_binder_keeps_it_beside_the_copies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """On Binder each session is told of the same file as `labkit lab` names, in the repository's folder."""
    monkeypatch.delenv(record.VARIABLE)
    monkeypatch.setenv("REPO_DIR", str(tmp_path))
    begin = Path(__file__).parents[2] / "binder/start"
    ran = subprocess.run([begin, "printenv", record.VARIABLE], capture_output=True, text=True, check=True, timeout=20)
    assert ran.stdout == f"{tmp_path}/my-lab/{record.FILE}\n"


@pytest.mark.parametrize("value", ["NaN", "1e999", '"\\ud800"'])
def test_what_could_not_be_written_again_is_left_out(file: Path, value: str):
    """A line with no number, or half a character, costs no other line, and nothing that shows or saves the record."""
    line = f'{{"labkit":1,"kind":"answer","name":"b","value":{value},"at":"1"}}\n'
    note("answer", "a", 1)
    file.write_bytes(b"\xef\xbb\xbf" + line.encode() + file.read_bytes())
    assert values() == [1]
    assert record.text().count("\n") == 1
    with pytest.raises(Unreadable):
        merge(line.encode())


def test_a_full_disk_keeps_the_record_whole(file: Path, monkeypatch: pytest.MonkeyPatch):
    """Where the disk takes half a line only, the file is as before, and the entry is in memory."""
    note("answer", "a", 1)
    before, write = file.read_bytes(), os.write
    monkeypatch.setattr(record.os, "write", lambda descriptor, data: write(descriptor, data[:20]))
    note("answer", "b", 2)
    assert file.read_bytes() == before
    assert values() == [1, 2]
    assert "the disk is full" in place()
