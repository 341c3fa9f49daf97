"""Notebooks as files: found, read, written, compared, trusted."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbformat.sign import NotebookNotary

from labkit.errors import Absent, Unreadable
from labkit.lessons import notebooks
from labkit.lessons.notebooks import FIRST, cleared, digest, find_notebooks, notebooks_in, read, sign, write


def lesson(*sources: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout/notebooks"
    folder.mkdir(parents=True)
    write(lesson("1 + 1"), folder / FIRST)
    return folder


def test_found_from_a_folder_below(checkout: Path):
    """The lessons are found from the folder of the repository and from any folder below it."""
    below = checkout.parent / "docs/deep"
    below.mkdir(parents=True)
    assert find_notebooks(checkout.parent) == find_notebooks(below) == checkout


def test_another_notebooks_folder_is_passed_over(checkout: Path):
    """A folder that is only called notebooks is not taken for the lessons."""
    inner = checkout.parent / "other/notebooks"
    inner.mkdir(parents=True)
    write(lesson("1"), inner / "mine.ipynb")
    assert find_notebooks(inner.parent) == checkout


def test_none_found_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Where there are none, the text says where was looked and what to do."""
    monkeypatch.setattr(notebooks, "__file__", str(tmp_path / "site-packages/labkit/lessons/notebooks.py"))
    with pytest.raises(Absent, match=r"no notebooks found: .* not in .*; change into the folder of the repository"):
        find_notebooks(tmp_path)


def test_found_beside_the_package(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An editable install finds the lessons of its checkout from anywhere."""
    monkeypatch.setattr(notebooks, "__file__", str(checkout.parent / "labkit/lessons/notebooks.py"))
    assert find_notebooks(tmp_path) == checkout


def test_checkpoints_and_set_aside_copies_are_left_out(checkout: Path):
    """Only lessons are listed, in order."""
    for name in ("02-b.ipynb", "01-a.ipynb", "01-a.bak-1.ipynb", ".ipynb_checkpoints/01-a.ipynb", "notes.txt"):
        (checkout / name).parent.mkdir(exist_ok=True)
        (checkout / name).write_text("{}")
    assert [path.name for path in notebooks_in(checkout)] == [FIRST, "01-a.ipynb", "02-b.ipynb"]


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "{}", '{"cells": 1}', '{"nbformat": 4, "cells": [{}]}', "\x00"])
def test_no_notebook_is_unreadable(tmp_path: Path, text: str):
    """A file that is no notebook is named with what was expected, in one line."""
    path = tmp_path / "x.ipynb"
    path.write_text(text)
    with pytest.raises(Unreadable) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: expected a Jupyter notebook (JSON, nbformat 4): ")
    assert "\n" not in str(caught.value)


def test_binary_file_is_unreadable(tmp_path: Path):
    """Bytes that are no UTF-8 are no notebook either."""
    path = tmp_path / "x.ipynb"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(Unreadable, match="expected a Jupyter notebook"):
        read(path)


def test_missing_file_is_unreadable(tmp_path: Path):
    """A file that is not there is named with the system's reason."""
    with pytest.raises(Unreadable, match=r"x\.ipynb: No such file or directory"):
        read(tmp_path / "x.ipynb")


def test_write_is_stable(tmp_path: Path):
    """Reading and writing again gives the same bytes, with a line end at the end and nothing left over."""
    path = tmp_path / "x.ipynb"
    write(lesson("1 + 1", "'é'"), path)
    before = path.read_bytes()
    write(read(path), path)
    assert path.read_bytes() == before
    assert before.endswith(b"}\n")
    assert [file.name for file in tmp_path.iterdir()] == ["x.ipynb"]


def test_digest_sees_sources_not_outputs():
    """Running a notebook leaves its digest; a changed word or a moved cell border does not."""
    one = lesson("1 + 1", "2")
    ran = lesson("1 + 1", "2")
    ran.cells[0].outputs = [nbformat.v4.new_output("stream", text="2")]
    assert digest(one) == digest(ran)
    assert len({digest(one), digest(lesson("1 + 1", "3")), digest(lesson("1 + 12")), digest(lesson("1 + 1"))}) == 4


def test_cleared_takes_out_answers():
    """Outputs and execution counts go, sources stay."""
    notebook = lesson("1 + 1")
    notebook.cells[0].outputs = [nbformat.v4.new_output("stream", text="2")]
    notebook.cells[0].execution_count = 7
    cell = cleared(notebook).cells[0]
    assert (cell.source, cell.outputs, cell.execution_count) == ("1 + 1", [], None)


def test_signed_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A signed notebook is one that Jupyter trusts; a changed one is not."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    notebook = lesson("1 + 1")
    sign([notebook])
    notary = NotebookNotary()
    assert notary.check_signature(notebook)
    assert not notary.check_signature(lesson("1 + 1", "2"))
    notary.store.close()


def test_home_that_cannot_be_written_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Where Jupyter can keep no signatures, the notebook stays untrusted, and nothing is raised."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "file/jupyter"))
    sign([lesson("1 + 1")])


def test_a_learner_finds_dots_in_place_of_an_answer():
    """A value marked `# your answer` is taken out of the copy; every other line stays as it is."""
    source = 'kind = "refused"  # your answer\nask(kind)  # look\nnumber = 1'
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source), nbformat.v4.new_markdown_cell(source)])
    changed, kept = cleared(book).cells
    assert changed.source == "kind = ...  # your answer\nask(kind)  # look\nnumber = 1"
    assert kept.source == source
