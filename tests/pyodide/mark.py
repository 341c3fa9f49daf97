"""Mark the cells of the reference notebooks that need a real socket or program, found by running all in Pyodide.

    python -m tests.pyodide.mark [NOTEBOOK …]

A marked cell has the tag `needs-socket` or `needs-matplotlib`, for machines; for readers the notebook's first cell names the numbers.
Run it after `make notebooks`, whenever a lesson's cells changed; it can be run as often as you like.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from labkit.lessons.notebooks import find_notebooks, notebooks_in, read, write
from tests.pyodide import parts
from tests.pyodide.cells import MATPLOTLIB, SOCKET, TAGS, needing
from tests.pyodide.inside import Pyodide

__all__ = ["mark", "marked", "sentence"]

_SENTENCE = re.compile(r"\n\n\*In a browser without a server\b[^\n]*\*(?=\n|$)")


_NEEDS = {SOCKET: "a real socket or program", MATPLOTLIB: "matplotlib"}


def marked(notebook: Any) -> dict[str, str]:
    """Return the ids of the cells that are marked, each with its tag."""
    tags = {cell.id: [tag for tag in cell.metadata.get("tags", []) if tag in TAGS] for cell in notebook.cells}
    assert all(len(found) <= 1 for found in tags.values()), "one mark is enough for a cell"
    return {name: found[0] for name, found in tags.items() if found}


def sentence(notebook: Any) -> str:
    """Return what a reader is told of the marked cells; nothing where there are none.

    The numbers are those that cells have after a run from top to bottom.
    """
    found, code = marked(notebook), [cell for cell in notebook.cells if cell.cell_type == "code"]
    parts = []
    for tag, need in _NEEDS.items():
        numbers = [number for number, cell in enumerate(code, 1) if found.get(cell.id) == tag]
        if numbers:
            needs = "cell {} needs" if len(numbers) == 1 else "cells {} need"
            parts.append(f"{needs.format(_said(numbers))} {need}")
    if not parts:
        return ""
    return f"*In a browser without a server, as in JupyterLite, {', and '.join(parts)}; the others run.*"


def _said(numbers: Sequence[int]) -> str:
    runs = [[number for _, number in run] for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])]
    told = [each for run in runs for each in _ranges(run)]
    return " and ".join(filter(None, [", ".join(told[:-1]), told[-1]]))


def mark(notebook: Any, ids: Mapping[str, str]) -> Any:
    """Return the notebook with these cells marked and no others, and with the sentence, changed in place."""
    for cell in notebook.cells:
        tags = [tag for tag in cell.metadata.get("tags", []) if tag not in TAGS]
        tags += [ids[cell.id]] if cell.id in ids else []
        cell.metadata.pop("tags", None)
        if tags:
            cell.metadata["tags"] = tags
    first = notebook.cells[0]
    said = sentence(notebook)
    first.source = _SENTENCE.sub("", first.source) + (f"\n\n{said}" if said else "")
    return notebook


def _ranges(run: Sequence[int]) -> list[str]:
    return [f"[{run[0]}] to [{run[-1]}]"] if len(run) > 2 else [f"[{number}]" for number in run]


def main(paths: Sequence[Path]) -> int:
    """Run every notebook in Pyodide, and write the marks; return 0."""
    with tempfile.TemporaryDirectory() as folder:
        wheels = [*sorted(parts.wheels().glob("*.whl")), parts.own_wheel(Path(folder))]
        inside = Pyodide(parts.pyodide(), wheels)
    try:
        for path in paths or notebooks_in(find_notebooks()):
            notebook = read(path)
            write(mark(notebook, needing(inside, notebook.cells)), path)
            code = sum(cell.cell_type == "code" for cell in notebook.cells)
            print(f"{path.name}: {len(marked(notebook))} of {code} cells cannot run")  # noqa: T201  a command's output
    finally:
        inside.close()
    return 0


if __name__ == "__main__":
    sys.exit(main([Path(name) for name in sys.argv[1:]]))
