"""Learner copies: made without answers, never written over, restored without loss."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.sign import NotebookNotary

from labkit.cli import main
from labkit.errors import Absent, Unreadable, WrongUse
from labkit.lessons import copies
from labkit.lessons.copies import command, environment, prepare, reset, start
from labkit.lessons.notebooks import FIRST, read, write
from labkit.lessons.record import FILE, VARIABLE


def lesson(source: str) -> nbformat.NotebookNode:
    cell = nbformat.v4.new_code_cell(source, id="one", execution_count=1)
    cell.outputs = [nbformat.v4.new_output("stream", text="the answer")]
    return nbformat.v4.new_notebook(cells=[cell])


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    folder = tmp_path / "notebooks"
    folder.mkdir()
    write(lesson("1 + 1"), folder / FIRST)
    write(lesson("2 + 2"), folder / "01-one-upgrade.ipynb")
    return folder


def change(copy: Path, text: str) -> None:
    notebook = read(copy)
    notebook.cells[0].source = text
    write(notebook, copy)


def test_copies_hold_no_answers(source: Path):
    """Copies lie in my-lab beside the reference, without outputs and counts; the reference keeps its own."""
    made = prepare(source)
    assert made == [source.parent / "my-lab" / name for name in (FIRST, "01-one-upgrade.ipynb")]
    for copy in made:
        assert "the answer" not in copy.read_text()
        assert read(copy).cells[0].execution_count is None
        assert "the answer" in (source / copy.name).read_text()


def test_copies_are_trusted(source: Path):
    """Jupyter trusts a fresh copy."""
    notary = NotebookNotary()
    assert all(notary.check_signature(read(copy)) for copy in prepare(source))
    notary.store.close()


def test_changed_copy_is_kept(source: Path):
    """A copy that a learner changed stays byte for byte, also when the reference moves on."""
    copy = prepare(source)[0]
    change(copy, "my own words")
    before = copy.read_bytes()
    write(lesson("a newer lesson"), source / FIRST)
    assert prepare(source)[0] == copy
    assert copy.read_bytes() == before


def test_copy_that_was_only_run_is_kept(source: Path):
    """Outputs are a learner's work too."""
    copy = prepare(source)[0]
    notebook = read(copy)
    notebook.cells[0].outputs = [nbformat.v4.new_output("stream", text="mine")]
    write(notebook, copy)
    write(lesson("a newer lesson"), source / FIRST)
    prepare(source)
    assert "mine" in copy.read_text()


def test_broken_copy_is_kept(source: Path):
    """What cannot be read may still be somebody's work."""
    copy = prepare(source)[0]
    copy.write_text("half of it")
    prepare(source)
    assert copy.read_text() == "half of it"


def test_untouched_copy_follows_the_reference(source: Path):
    """A copy nobody touched becomes the newer lesson after a pull; the same lesson is not written again."""
    first, second = prepare(source)
    written = second.stat().st_mtime_ns
    write(lesson("a newer lesson"), source / FIRST)
    prepare(source)
    assert read(first).cells[0].source == "a newer lesson"
    assert second.stat().st_mtime_ns == written


def test_another_folder(source: Path, tmp_path: Path):
    """Copies go where they are told to, but never among the reference."""
    assert prepare(source, tmp_path / "deep/er")[0].parent == tmp_path / "deep/er"
    with pytest.raises(WrongUse, match="holds the reference notebooks"):
        prepare(source, source)


def test_folder_without_notebooks(tmp_path: Path):
    """An empty folder is named, and nothing is made."""
    with pytest.raises(Absent, match="no notebooks in"):
        prepare(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "what",
    [
        "01",
        "1",
        "01-one-upgrade",
        "01-one-upgrade.ipynb",
        "my-lab/01-one-upgrade.ipynb",
        Path("/x/01-one-upgrade.ipynb"),
    ],
)
def test_reset_by_number_name_or_path(source: Path, what: str | Path):
    """A lesson is restored by its number, its name or its path; what the learner had is set aside."""
    copy = prepare(source)[1]
    change(copy, "my own words")
    assert reset(what, source) == copy
    assert read(copy).cells[0].source == "2 + 2"
    assert read(copy.with_name("01-one-upgrade.bak-1.ipynb")).cells[0].source == "my own words"


def test_reset_loses_nothing_twice(source: Path):
    """Each reset of a changed copy keeps it under the next free number; an untouched one needs no keeping."""
    copy = prepare(source)[0]
    for words in ("first", "second"):
        change(copy, words)
        reset("0", source)
        reset("0", source)
    kept = sorted(copy.parent.glob("*.bak-*"))
    assert [read(path).cells[0].source for path in kept] == ["first", "second"]


def test_reset_makes_a_copy_that_is_not_there(source: Path):
    """Without a copy, reset makes one."""
    assert read(reset("00", source)).cells[0].outputs == []


def test_reset_of_a_broken_copy_keeps_it(source: Path):
    """A copy that cannot be read is set aside as it is."""
    copy = prepare(source)[0]
    copy.write_text("half of it")
    reset("00", source)
    assert copy.with_name("00-start-here.bak-1.ipynb").read_text() == "half of it"


@pytest.mark.parametrize("what", ["07", "", "start", "../../etc/passwd"])
def test_unknown_lesson_lists_those_there_are(source: Path, what: str):
    """An unknown number or name is named, with the lessons there are."""
    with pytest.raises(WrongUse, match=r"there are 00-start-here, 01-one-upgrade$"):
        reset(what, source)


def test_broken_reference_leaves_the_copy(source: Path):
    """Where the reference cannot be read, the error names it and the learner's copy is where it was."""
    copy = prepare(source)[0]
    change(copy, "my own words")
    (source / FIRST).write_text("<<<<<<< merge")
    with pytest.raises(Unreadable, match=r"notebooks/00-start-here\.ipynb: expected a Jupyter notebook"):
        reset("00", source)
    assert read(copy).cells[0].source == "my own words"


def test_command_is_loopback_only(monkeypatch: pytest.MonkeyPatch):
    """JupyterLab is this Python's own, on 127.0.0.1, and opens the first notebook of the learner's folder."""
    monkeypatch.setattr(copies, "is_root", lambda: False)
    assert command(Path("/x/my-lab"), browser=True) == [
        sys.executable, "-m", "jupyterlab", "--LabApp.default_url=/lab/tree/00-start-here.ipynb",
        "--ServerApp.root_dir=/x/my-lab", "--ServerApp.ip=127.0.0.1", "--log-level=WARN",
        "--ServerApp.answer_yes=True",
    ]  # fmt: skip


def test_command_for_root_without_screen(monkeypatch: pytest.MonkeyPatch):
    """Root is allowed, a port is passed on, and without a screen no browser is looked for."""
    monkeypatch.setattr(copies, "is_root", lambda: True)
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    assert command(Path("/x"), "01.ipynb", port=9999)[-3:] == ["--ServerApp.port=9999", "--no-browser", "--allow-root"]
    monkeypatch.setenv("DISPLAY", ":0")
    assert "--no-browser" not in command(Path("/x"))


def test_environment_goes_before_the_users_own(monkeypatch: pytest.MonkeyPatch):
    """The lab's settings come first, the user's stay, and the home is not written to."""
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "/theirs")
    ours, theirs = environment(Path("mine"))["JUPYTER_CONFIG_PATH"].split(os.pathsep)
    assert (Path(ours) / "labconfig/page_config.json").is_file()
    assert theirs == "/theirs"
    assert environment(Path("mine"))["PATH"].startswith(f"{Path(sys.executable).parent}{os.pathsep}")


def test_environment_names_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Predictions and answers are kept beside the learner's copies, unless the user has another place for them."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    assert environment(Path("mine"))[VARIABLE] == str(tmp_path / "mine" / FILE)
    monkeypatch.setenv(VARIABLE, "/theirs/record.jsonl")
    assert environment(Path("mine"))[VARIABLE] == "/theirs/record.jsonl"


@pytest.mark.parametrize(("theirs", "direct"), [("", ""), ("intern.example", "intern.example,")])
def test_a_users_proxy_is_not_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch, theirs: str, direct: str):
    """Every program in a cell goes to loopback directly, and where the user has it so, elsewhere too."""
    monkeypatch.setenv("no_proxy", theirs)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert (
        environment(Path("mine"))["no_proxy"]
        == environment(Path("mine"))["NO_PROXY"]
        == f"{direct}127.0.0.1,localhost,::1"
    )


def test_start_hands_over(monkeypatch: pytest.MonkeyPatch):
    """`start` gives JupyterLab this process's place, with the command and the environment of this module."""
    monkeypatch.setattr(copies, "hand_over", lambda *given: given)
    folder = Path("/x/my-lab")
    assert start(folder, port=1, browser=False) == (command(folder, port=1, browser=False), environment(folder))


def test_start_without_jupyterlab(monkeypatch: pytest.MonkeyPatch):
    """Without JupyterLab the error says how to install it."""
    monkeypatch.setattr(copies, "find_spec", lambda name: None)
    with pytest.raises(Absent, match=r'python -m pip install -c constraints\.txt "\.\[notebooks\]"'):
        start(Path("/x"))


def test_copies_are_made_where_a_hub_wants_them(source: Path, tmp_path: Path, monkeypatch, capsys):
    """`labkit copies FOLDER` makes them and starts nothing; where it cannot, it says so in one line."""
    monkeypatch.chdir(source.parent)
    assert main(["copies", str(tmp_path / "home" / "lab")]) == 0
    assert capsys.readouterr().out.startswith("2 notebooks in ")
    assert (tmp_path / "home" / "lab" / FIRST).is_file()
    assert main(["copies", str(source / FIRST / "lab")]) == 2
    assert capsys.readouterr().err == f"labkit: cannot make the folder {source / FIRST / 'lab'}: Not a directory\n"


def test_a_hub_restores_a_copy_where_the_learner_has_it(source: Path, tmp_path: Path, monkeypatch, capsys):
    """`labkit reset 00 FOLDER` restores it there; what the learner had stays beside it."""
    monkeypatch.chdir(source.parent)
    home = tmp_path / "home"
    assert main(["copies", str(home)]) == 0
    change(home / FIRST, "spoilt")
    assert main(["reset", "00", str(home)]) == 0
    assert read(home / FIRST).cells[0].source == "1 + 1"
    assert read(home / FIRST.replace(".ipynb", ".bak-1.ipynb")).cells[0].source == "spoilt"


@pytest.mark.parametrize("told", [5, None, ["copy_of"]])
def test_an_odd_copy_is_left_alone(source: Path, told: object):
    """Whatever a copy says of its origin, it is somebody's work, and the others are made all the same."""
    first, second = prepare(source)
    notebook = read(first)
    notebook.metadata["labkit"] = told
    write(notebook, first)
    second.unlink()
    assert prepare(source) == [first, second]
    assert read(first).metadata["labkit"] == told
    assert second.is_file()
