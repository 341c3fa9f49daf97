"""The lessons in a browser: what is not marked runs there and shows what is committed; what is marked cannot run."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import nbformat
import pytest

from labkit.lessons.execute import normalised
from labkit.lessons.notebooks import notebooks_in, read
from tests.pyodide.cells import MATPLOTLIB, SOCKET, Ran, needing, run
from tests.pyodide.inside import Pyodide
from tests.pyodide.mark import mark, marked, sentence

LESSONS = notebooks_in(Path(__file__).parents[2] / "notebooks")
TO_MARK = "run: python -m tests.pyodide.mark"

Notebook = Any


@pytest.fixture(params=LESSONS, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> Notebook:
    return read(request.param)


def lesson(*sources: str) -> Notebook:
    cells = [nbformat.v4.new_code_cell(source, id=f"c{place}") for place, source in enumerate(sources)]
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A lesson", id="title"), *cells])


def shown(cell: Any) -> Ran:
    """Return what a committed cell shows."""
    pictures = [{"data": dict(each.data)} for each in cell.outputs if each.output_type != "stream"]
    printed = "".join(each.text for each in cell.outputs if each.output_type == "stream")
    return Ran(None, printed, pictures)


def test_the_marks_are_right(inside: Pyodide, notebook: Notebook):
    """A cell is marked where it cannot run in a browser, and nowhere else; the first cell says the same."""
    assert marked(notebook) == needing(inside, notebook.cells), TO_MARK
    assert mark(deepcopy(notebook), marked(notebook)) == notebook, TO_MARK


def test_what_is_not_marked_shows_the_same(inside: Pyodide, notebook: Notebook):
    """Run in order and without those that are marked, every other cell works, and shows what is committed."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.id not in marked(notebook)]
    for cell, ran in zip(cells, run(inside, [cell.source for cell in cells]), strict=True):
        tags = cell.metadata.get("tags", [])
        if "nbval-ignore-output" not in tags and "raises-exception" not in tags:
            assert ran == shown(cell), cell.source


def test_what_depends_on_a_socket_needs_one_too(inside: Pyodide):
    """A cell that takes the value of another is marked with it; one that fails half done counts as not done."""
    found = lesson(
        "from labkit import UpgradeServer, simulate, Scenario",
        "half = 1\nwith UpgradeServer() as server:\n    port = server.port",
        "port + 1",
        "half + 1",
        "from labkit import run\nanswer = run(Scenario())",
        "simulate(Scenario())",
        "answer",
        "from labkit import measure, plot\ndrawn = plot(measure('overhead', quick=True))",
        "drawn.title",
    )
    sockets = dict.fromkeys(("c1", "c2", "c3", "c4", "c6"), SOCKET)
    assert needing(inside, found.cells) == sockets | {"c7": MATPLOTLIB, "c8": MATPLOTLIB}


def test_another_fault_is_not_taken_for_it(inside: Pyodide):
    """A cell that is simply wrong is an error that shows the cell, not a mark."""
    for source in ("1 / 0", "nobody_bound_this"):
        with pytest.raises(AssertionError, match=f"cell c0: .*\n{source}"):
            needing(inside, lesson(source).cells)


def test_marking_is_for_readers_and_machines():
    """A tag beside those that are there, and a sentence with the cells' numbers; both go where nothing is marked."""
    found = lesson("1", "2", "3", "4", "5", "6", "7")
    found.cells[2].metadata["tags"] = ["nbval-ignore-output"]
    before = deepcopy(found)
    mark(found, dict.fromkeys(("c1", "c3", "c4", "c6"), SOCKET))
    assert found.cells[2].metadata["tags"] == ["nbval-ignore-output", SOCKET]
    assert sentence(found) == (
        "*In a browser without a server, as in JupyterLite, cells [2], [4], [5] and [7] need a real socket or program; "
        "the others run.*"
    )
    assert found.cells[0].source == f"# A lesson\n\n{sentence(found)}"
    assert normalised(deepcopy(found)).cells == found.cells
    mark(found, dict.fromkeys(("c1", "c2", "c3"), SOCKET))
    assert "JupyterLite, cells [2] to [4] need a real" in found.cells[0].source
    mark(found, {"c1": SOCKET, "c2": MATPLOTLIB})
    assert "cell [2] needs a real socket or program, and cell [3] needs matplotlib; the" in found.cells[0].source
    mark(found, {"c1": SOCKET})
    assert "JupyterLite, cell [2] needs a real" in found.cells[0].source
    assert mark(found, {}) == before
