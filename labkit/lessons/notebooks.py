"""Notebooks as files: where the lessons lie, how they are read, written, compared and trusted."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from labkit.errors import Absent, Unreadable, WrongUse

__all__ = ["FIRST", "cleared", "digest", "find_notebooks", "lesson", "notebooks_in", "read", "sign", "write"]

FIRST = "00-start-here.ipynb"
"""The lesson that every learner opens first; a folder that holds it is the lessons' folder."""

_MAJOR = 4
_EXPECTED = f"expected a Jupyter notebook (JSON, nbformat {_MAJOR})"

Notebook = Any  # nbformat's NotebookNode: a dict whose keys are attributes too


def find_notebooks(start: Path | None = None) -> Path:
    """Return the folder of the reference notebooks: from `start` upwards, then beside the package.

    Args:
        start: where to look first; the current folder unless told.

    Raises:
        Absent: there are none; the text says where was looked.
    """
    here = (start or Path.cwd()).resolve()
    beside = Path(__file__).resolve().parents[2]
    for folder in (here, *here.parents, beside):
        if (folder / "notebooks" / FIRST).is_file():
            return folder / "notebooks"
    raise Absent(
        f"no notebooks found: notebooks/{FIRST} is not in {here}, nor in a folder above it, nor beside the "
        "package; change into the folder of the repository (`pip install` alone brings no notebooks)"
    )


def notebooks_in(folder: Path) -> list[Path]:
    """Return the notebooks of a folder in order; checkpoints and set-aside copies are left out."""
    return sorted(path for path in folder.glob("*.ipynb") if path.is_file() and ".bak-" not in path.name)


def lesson(what: str, references: Sequence[Path]) -> Path:
    """Return the notebook that a number ("02" or "2"), a name or a path means.

    Raises:
        WrongUse: no lesson has that number or name; the text lists those there are.
    """
    name = Path(what).name.removesuffix(".ipynb")
    for path in references:
        number = path.stem.partition("-")[0]
        if name in (path.stem, number) or (name.isdecimal() and name.zfill(len(number)) == number):
            return path
    there = ", ".join(path.stem for path in references)
    raise WrongUse(f"no notebook {what!r}; there are {there}")


def read(path: Path) -> Notebook:
    """Read one notebook.

    Raises:
        Unreadable: it is not there, or is no notebook.
        Absent: nbformat is not installed.
    """
    nbformat = _nbformat()
    try:
        text = path.read_text(encoding="utf-8")
        data = json.loads(text)
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise Unreadable(f"{path}: {_EXPECTED}: {error}") from error
    if not isinstance(data, dict) or data.get("nbformat") != _MAJOR:
        raise Unreadable(f'{path}: {_EXPECTED}: no "nbformat": {_MAJOR} at its top')
    for fault in nbformat.validator.iter_validate(data):
        place = "/".join(str(step) for step in fault.absolute_path) or "its top"
        raise Unreadable(f"{path}: {_EXPECTED}: at {place}: {fault.message.splitlines()[0][:100]}")
    return nbformat.reads(text, as_version=_MAJOR)


def write(notebook: Notebook, path: Path) -> None:
    """Write one notebook whole or not at all."""
    text = _nbformat().writes(notebook)
    half = path.with_name(f".{path.name}.half")
    half.write_text(text if text.endswith("\n") else text + "\n", encoding="utf-8", newline="\n")
    os.replace(half, path)  # noqa: PTH105  named for what it does


def sign(notebooks: Iterable[Notebook]) -> None:
    """Mark notebooks as trusted by this user, as Jupyter's own "Trust Notebook" does.

    Where the home cannot be written to they stay untrusted; they can be worked through all the same.
    """
    nbformat = _nbformat()
    with suppress(OSError):
        notary = nbformat.sign.NotebookNotary()
        for notebook in notebooks:
            notary.sign(notebook)
        notary.store.close()


_ANSWER = re.compile(r"(?m)^( *(?:\w+ = |return )).*?(  # your answer)$")


def cleared(notebook: Notebook) -> Notebook:
    """Return the notebook without outputs, counts and answers, taken out in place.

    An answer is the value in a line that ends in `# your answer`; a learner finds `...` there.
    """
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            cell.source = _ANSWER.sub(r"\1...\2", cell.source)
    return notebook


def digest(notebook: Notebook) -> str:
    """Return a digest of what a notebook asks: the kinds and sources of its cells, without outputs."""
    total = sha256()
    for cell in notebook.cells:
        total.update(f"{cell.cell_type}\0{cell.source}\0".encode())
    return total.hexdigest()


def _nbformat() -> Any:
    try:
        import nbformat.sign  # noqa: PLC0415  optional
    except ImportError as error:
        raise Absent(
            "Jupyter is not installed here; in the folder of the repository: "
            'python -m pip install -c constraints.txt ".[notebooks]"'
        ) from error
    return nbformat
