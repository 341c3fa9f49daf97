"""The handout: each notebook as one HTML file to read without Jupyter, without a network, or on paper (`make handout`).

python -m labkit.lessons.pages.handout [FOLDER] [--answers]
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from labkit.errors import LabError, WrongUse
from labkit.lessons.notebooks import find_notebooks, notebooks_in, read
from labkit.lessons.pages.html import body, page, readable, title

__all__ = ["handout", "index", "main", "write_pages"]

_MINUTES = re.compile(r"\*\*(\d+ minutes?(?:, optional)?)\b")


def handout(notebook: Any) -> str:
    """Return a notebook as one page; see `readable` for what is fit to be shown."""
    return page(title(notebook), f"<main>\n{body(notebook)}\n</main>", ["handout.css"])


def index(name: str, notebooks: Sequence[tuple[str, Any]]) -> str:
    """Return a page of links, with each notebook's minutes.

    Args:
        name: the page's title.
        notebooks: file names without their ending, and the notebooks.
    """
    rows = "".join(
        f'<li><span class="minutes">{_minutes(notebook)}</span>{stem.partition("-")[0]} '
        f'<a href="{escape(stem)}.html">{escape(title(notebook))}</a></li>\n'
        for stem, notebook in notebooks
    )
    return page(name, f"<main>\n<h1>{escape(name)}</h1>\n<ol>\n{rows}</ol>\n</main>", ["handout.css"])


def _minutes(notebook: Any) -> str:
    found = [_MINUTES.search(cell.source) for cell in notebook.cells if cell.cell_type == "markdown"]
    return next((match[1] for match in found if match), "")


def write_pages(folder: Path, name: str, make: Callable[[Any], str], *, answers: bool = False) -> list[Path]:
    """Write every reference notebook as one page, and an index.html that lists them.

    Args:
        folder: where to; made where it is not there.
        name: the title of the index.
        make: draws one notebook as a page.
        answers: whether a learner's answers stay in.

    Raises:
        WrongUse: the folder cannot be written to.
        Absent: there are no notebooks, or nbconvert is not installed.
    """
    lessons = [(path.stem, readable(read(path), answers=answers)) for path in notebooks_in(find_notebooks())]
    pages = {f"{stem}.html": make(notebook) for stem, notebook in lessons}
    pages["index.html"] = index(name, lessons)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in pages.items():
            (folder / file).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise WrongUse(f"cannot write to {folder}: {error.strerror}") from error
    return [folder / file for file in pages]


def main(arguments: Sequence[str] | None = None, make: Callable[[Any], str] = handout, kind: str = "handout") -> int:
    """Run the command; return 0 where all is well, else 1."""
    parser = argparse.ArgumentParser(
        prog=f"python -m labkit.lessons.pages.{kind}",
        description="Write each notebook as one file that needs no other.",
    )
    parser.add_argument("folder", nargs="?", type=Path, default=Path("build") / kind, help=f"build/{kind} unless told")
    parser.add_argument("--answers", action="store_true", help="leave the answers in: for the teacher")
    chosen = parser.parse_args(arguments)
    try:
        written = write_pages(chosen.folder, f"labkit: {kind}", make, answers=chosen.answers)
    except LabError as error:
        print(error, file=sys.stderr)  # noqa: T201  a command's output
        return 1
    size = sum(path.stat().st_size for path in written) / 1e6
    print(f"{len(written)} files, {size:.1f} MB; open {written[-1]}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
