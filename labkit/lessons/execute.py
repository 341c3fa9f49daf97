"""The reference notebooks' outputs: run in place and made the same on every machine (`make notebooks`).

    python -m labkit.lessons.execute [--check] [NOTEBOOK …]

`--check` runs nothing: it tells which notebooks hold metadata that this command would take out.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from labkit.errors import Absent, LabError, WrongUse
from labkit.lessons.notebooks import find_notebooks, notebooks_in, read, write
from labkit.lessons.record import VARIABLE

__all__ = ["METADATA", "execute", "main", "normalised"]

METADATA: dict[str, Any] = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
"""All that a committed notebook says of itself; versions and timings would differ on every machine."""

_CELL_METADATA = ("tags", "slideshow")  # what a teacher wrote; the rest is an editor's memory
_LIVE = "application/vnd.jupyter.widget-view+json"  # of a kernel's own object, which ends with the kernel
_CELL_SECONDS = 60


def normalised(notebook: Any) -> Any:
    """Return the notebook with the same metadata and cell ids on every machine, in place.

    The views of live widgets go too: what stands beside them, the text and the picture, is what a reader sees.
    """
    notebook.metadata = type(notebook)(METADATA)
    notebook.nbformat_minor = 5  # the first in which cells have ids
    for place, cell in enumerate(notebook.cells):
        cell.metadata = type(notebook)({key: cell.metadata[key] for key in _CELL_METADATA if key in cell.metadata})
        cell.id = _cell_id(cell, place)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if _stays(output)]
    return notebook


def _stays(output: Any) -> bool:
    """Take a live view out of an output; tell whether more is left of it than a text, as of a bar of progress."""
    if _LIVE not in output.get("data", {}):
        return True
    del output.data[_LIVE]
    output.metadata.pop(_LIVE, None)
    return bool(set(output.data) - {"text/plain"})


def execute(path: Path) -> Any:
    """Run one notebook from its first cell to its last, in its own folder, and return it normalised.

    Raises:
        WrongUse: a cell failed; the text names it.
        Absent: nbclient is not installed.
    """
    try:
        from nbclient import NotebookClient  # noqa: PLC0415  optional
        from nbclient.exceptions import CellExecutionError, CellTimeoutError  # noqa: PLC0415
    except ImportError as error:
        raise Absent(
            "nbclient is not installed here; in the folder of the repository: "
            'python -m pip install -c constraints.txt ".[notebooks]"'
        ) from error
    notebook = read(path)
    client = NotebookClient(
        notebook,
        timeout=_CELL_SECONDS,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent.resolve())}},
    )
    try:
        client.execute(env={name: value for name, value in os.environ.items() if name != VARIABLE})
    except CellExecutionError as error:
        where = re.sub(r"\x1b\[[0-9;]*m", "", error.traceback)
        raise WrongUse(f"{path}: a cell failed: {error.ename}: {error.evalue}\n{where}") from error
    except CellTimeoutError as error:
        raise WrongUse(f"{path}: a cell ran longer than {_CELL_SECONDS} s") from error
    return normalised(notebook)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0 where all is well, 1 where a notebook failed or is not as it should be."""
    parser = argparse.ArgumentParser(prog="python -m labkit.lessons.execute", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="run nothing, change nothing: only tell")
    parser.add_argument("notebooks", nargs="*", type=Path, help="all of notebooks/ unless told")
    chosen = parser.parse_args(arguments)
    bad = 0
    try:
        for path in chosen.notebooks or notebooks_in(find_notebooks()):
            if chosen.check:
                bad += _told(path)
            else:
                write(execute(path), path)
                print(f"{path.name}: run and written")  # noqa: T201  a command's output
    except LabError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 1 if bad else 0


def _told(path: Path) -> bool:
    differs = bool(read(path) != normalised(read(path)))
    if differs:
        print(f"{path}: metadata not normalised; run `make notebooks`")  # noqa: T201
    return differs


def _cell_id(cell: Any, place: int) -> str:
    # An id that is there stays, so that a cell keeps its name when others are put before it.
    return str(cell.get("id") or sha256(f"{place}\0{cell.cell_type}\0{cell.source}".encode()).hexdigest()[:8])


if __name__ == "__main__":
    sys.exit(main())
