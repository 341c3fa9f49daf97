"""Reference notebooks: run in place, and normalised so that they are the same on every machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from labkit.errors import WrongUse
from labkit.lessons.execute import METADATA, execute, main, normalised
from labkit.lessons.notebooks import read, write
from labkit.lessons.record import VARIABLE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    cells = [
        nbformat.v4.new_markdown_cell("# A lesson"),
        nbformat.v4.new_code_cell("for i in range(3):\n    print(i, flush=True)", metadata={"tags": ["kept"]}),
        nbformat.v4.new_code_cell("import os\nos.path.basename(os.getcwd())"),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata = {"language_info": {"name": "python", "version": "3.8.1"}, "toc": True}
    notebook.cells[1].metadata["execution"] = {"iopub.execute_input": "2026-01-01"}
    write(notebook, tmp_path / "00-x.ipynb")
    return tmp_path / "00-x.ipynb"


def test_executed_in_place_and_the_same_twice(path: Path, capsys: pytest.CaptureFixture[str]):
    """Counts are 1 to n, prints are one stream, cells run in the notebook's folder; a second run changes no byte."""
    assert main([str(path)]) == 0
    first = path.read_bytes()
    notebook = read(path)
    codes = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in codes] == [1, 2]
    assert [dict(output) for output in codes[0].outputs] == [
        {"name": "stdout", "output_type": "stream", "text": "0\n1\n2\n"}
    ]
    assert codes[1].outputs[0].data["text/plain"] == repr(path.parent.name)
    assert notebook.metadata == METADATA
    assert codes[0].metadata == {"tags": ["kept"]}
    assert main([str(path)]) == 0
    assert path.read_bytes() == first
    assert capsys.readouterr().out == "00-x.ipynb: run and written\n" * 2
    assert main(["--check", str(path)]) == 0


def test_failing_cell_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """A cell that raises stops the run with exit code 1 and the error's name; the file stays as it was."""
    path = tmp_path / "bad.ipynb"
    write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")]), path)
    before = path.read_bytes()
    assert main([str(path)]) == 1
    assert f"{path}: a cell failed: ZeroDivisionError" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_endless_cell_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A cell that does not end is an error after the time limit."""
    monkeypatch.setattr("labkit.lessons.execute._CELL_SECONDS", 1)
    path = tmp_path / "slow.ipynb"
    write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("import time\ntime.sleep(60)")]), path)
    with pytest.raises(WrongUse, match=r"slow\.ipynb: a cell ran longer than 1 s"):
        execute(path)


def test_check_tells_and_changes_nothing(path: Path, capsys: pytest.CaptureFixture[str]):
    """`--check` names a notebook with an editor's metadata in it, and leaves it."""
    before = path.read_bytes()
    assert main(["--check", str(path)]) == 1
    assert capsys.readouterr().out == f"{path}: metadata not normalised; run `make notebooks`\n"
    assert path.read_bytes() == before


def test_unreadable_notebook(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """A file that is no notebook is one line on stderr, and exit code 1."""
    assert main([str(tmp_path / "no.ipynb")]) == 1
    assert capsys.readouterr().err == f"{tmp_path / 'no.ipynb'}: No such file or directory\n"


def test_ids_stay_and_are_made_the_same_everywhere(tmp_path: Path):
    """Ids that are there stay; in an older notebook they are derived from the cell, the same on every machine."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(str(n), id=f"cell-{n}") for n in range(2)])
    assert [cell.id for cell in normalised(notebook).cells] == ["cell-0", "cell-1"]
    for cell in notebook.cells:
        del cell["id"]
    notebook.nbformat_minor = 4
    old = tmp_path / "old.ipynb"
    write(notebook, old)
    once, again = ([cell.id for cell in normalised(read(old)).cells] for _ in range(2))
    assert once == again
    assert len(set(once)) == 2


def test_views_of_live_widgets_are_not_kept():
    """A widget's view goes, and the picture beside it stays; an output that is nothing else but a text goes whole."""
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "0123", "version_major": 2}}
    twin = {"text/plain": "a picture", "text/html": "<img>"}
    cell = nbformat.v4.new_code_cell("inspect(trace)")
    cell.outputs = [
        nbformat.v4.new_output("display_data", {**twin, **view}, metadata=dict(view)),
        nbformat.v4.new_output("display_data", dict(view)),
        nbformat.v4.new_output("display_data", {"text/plain": "0 of ?", **view}),
        nbformat.v4.new_output("stream", text="said"),
    ]
    (kept,) = normalised(nbformat.v4.new_notebook(cells=[cell], metadata={"widgets": {"state": {}}})).cells
    assert [output.output_type for output in kept.outputs] == ["display_data", "stream"]
    assert (kept.outputs[0].data, kept.outputs[0].metadata) == (twin, {})


def test_a_run_adds_nothing_to_a_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The reference is run without the user's record: what its cells predict is not the user's."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "record.jsonl"))
    path = tmp_path / "x.ipynb"
    source = "from labkit import predict, record\npredict('x', 1)\nprint(record().place)"
    write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)]), path)
    assert "this kernel's memory" in execute(path).cells[0].outputs[0].text
    assert not (tmp_path / "record.jsonl").exists()


def test_of_a_widget_its_twin_is_kept_and_compared(tmp_path: Path):
    """No live view is committed; what stands beside it is, and a strict comparison passes on it and fails on another."""
    path = tmp_path / "00-live.ipynb"
    source = "import labkit\nlabkit.inspect(labkit.simulate(labkit.Scenario()))"
    write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)]), path)
    assert main([str(path)]) == 0
    (output,) = read(path).cells[0].outputs
    assert set(output.data) == {"text/html", "text/plain"}
    assert output.data["text/plain"].startswith("Switched to websocket (101)")
    compare = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval", "--nbval-current-env", "--nbval-cell-timeout=30", str(path)]  # fmt: skip
    assert subprocess.run(compare, cwd=tmp_path, timeout=90, capture_output=True, check=False).returncode == 0
    path.write_text(path.read_text().replace("Switched to websocket (101)", "Switched to another"))
    assert subprocess.run(compare, cwd=tmp_path, timeout=90, capture_output=True, check=False).returncode == 1


def test_an_output_without_a_live_view_stays(tmp_path: Path):
    """An output that has never had a view is left alone, empty or not."""
    outputs = [nbformat.v4.new_output("display_data", {}), nbformat.v4.new_output("stream", text="x")]
    cell = nbformat.v4.new_code_cell("", outputs=outputs)
    assert normalised(nbformat.v4.new_notebook(cells=[cell])).cells[0].outputs == outputs
