"""Slides from the notebooks: one HTML file each, to show without a network (`make slides`).

    python -m labkit.lessons.pages.slides [FOLDER] [--answers]

A notebook whose cells say what they are (Jupyter's "slideshow" metadata: slide, subslide, fragment, notes, skip) is cut
as they say. Any other is cut where a heading begins, and after each cell that shows something; imports are left out.

Not reveal.js: it would have to be fetched from a registry when the slides are made, and a diagram or a table of bytes
that is higher than the screen has to scroll inside its slide. What is needed is a style sheet and a short script.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Any

from labkit.lessons.pages.handout import main as write_all
from labkit.lessons.pages.html import body, page, title

__all__ = ["cut", "main", "slides"]

_CONTROLS = (
    '<nav class="controls" aria-label="Slides">\n<button type="button" aria-label="back">←</button>\n'
    '<output aria-live="polite"></output>\n<button type="button" aria-label="on">→</button>\n</nav>'
)
_BAR = re.compile(r"\n---\n.*\Z", re.DOTALL)  # the links to the notebooks before and after
_LEFT_OUT = ("notes", "skip")


def slides(notebook: Any) -> str:
    """Return a notebook as one page of slides; see `readable` for what is fit to be shown."""
    parts = [body(type(notebook)({**notebook, "cells": cells})) for cells in cut(notebook)]
    sections = "".join(
        f'<section class="slide" tabindex="-1" aria-label="slide {number} of {len(parts)}">\n{part}</section>\n'
        for number, part in enumerate(parts, 1)
    )
    return page(title(notebook), f"<main>\n{sections}</main>\n{_CONTROLS}", ["slides.css"], "slides.js")


def cut(notebook: Any) -> list[list[Any]]:
    """Return the cells of each slide.

    >>> heads = [{"cell_type": "markdown", "source": text, "metadata": {}} for text in ("# One", "more", "## Two")]
    >>> [[cell["source"] for cell in slide] for slide in cut({"cells": heads})]
    [['# One', 'more'], ['## Two']]
    """
    told = any(_kind(cell) for cell in notebook["cells"])
    found: list[list[Any]] = []
    full = True
    for cell in notebook["cells"]:
        if _kind(cell) in _LEFT_OUT if told else _only_imports(cell):
            continue
        begins = _kind(cell) in ("slide", "subslide") if told else full or _heading(cell)
        if begins or not found:
            found.append([])
        found[-1].append(_without_bar(cell))
        full = bool(cell.get("outputs"))
    return found


def _kind(cell: Any) -> str:
    kind = cell["metadata"].get("slideshow", {}).get("slide_type", "")
    return "" if kind == "-" else str(kind)


def _heading(cell: Any) -> bool:
    return bool(cell["cell_type"] == "markdown" and re.match(r"\s*#{1,3} ", cell["source"]))


def _only_imports(cell: Any) -> bool:
    lines = [line for line in cell["source"].splitlines() if line.strip()]
    return bool(cell["cell_type"] == "code" and all(re.match(r"(from|import) ", line) for line in lines))


def _without_bar(cell: Any) -> Any:
    if cell["cell_type"] != "markdown" or not _BAR.search(cell["source"]):
        return cell
    return type(cell)({**cell, "source": _BAR.sub("", cell["source"])})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0 where all is well, else 1."""
    return write_all(arguments, slides, "slides")


if __name__ == "__main__":
    sys.exit(main())
