"""A notebook's cells as HTML, and the page around them: all of it inside, nothing fetched, light and printable."""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import fields
from html import escape
from pathlib import Path
from typing import Any

from labkit.errors import Absent
from labkit.lessons.notebooks import cleared
from labkit.render.theme import LIGHT, MONO, SANS

__all__ = ["body", "page", "readable", "title"]

_ANSWER = "# your answer"
_TELLS = "tells-an-answer"  # a cell's tag: what it says answers an exercise
_WIDGET = "application/vnd.jupyter.widget-view+json"
_SCRIPT = re.compile(r"<script\b.*?</script>", re.DOTALL)
_LESSON = re.compile(r'(href="[\w-]+)\.ipynb(?=["#])')  # a link to another notebook of the same folder


def readable(notebook: Any, *, answers: bool = False) -> Any:
    """Return a copy of a reference notebook that is fit to be handed out.

    Args:
        notebook: the notebook, with its outputs; it is left as it is.
        answers: whether a learner's answers stay in; else `...` is in their place, and what their cells said is out, as
            is what a cell says that is tagged `tells-an-answer`.
    """
    shown = deepcopy(notebook)
    for cell in shown.cells:
        if cell.cell_type != "code":
            continue
        cell.outputs = [_static(output) for output in cell.outputs]
        if not answers and (_ANSWER in cell.source or _TELLS in cell.get("metadata", {}).get("tags", ())):
            cleared(type(shown)(cells=[cell]))
    return shown


def _static(output: Any) -> Any:
    """Take out the live widget, which needs a kernel, and any script; its static twin stays."""
    data = output.get("data", {})
    data.pop(_WIDGET, None)
    if "text/html" in data:
        data["text/html"] = _SCRIPT.sub("", data["text/html"])
    return output


def title(notebook: Any) -> str:
    """Return the notebook's H1, as plain text.

    >>> title({"cells": [{"cell_type": "markdown", "source": "# The key: what does `Accept` prove?"}]})
    'The key: what does Accept prove?'
    """
    for cell in notebook["cells"]:
        if found := re.match(r"# (.+)", cell["source"]):
            return re.sub(r"[`*]", "", found[1]).strip()
    return "Notebook"


def body(notebook: Any, suffix: str = ".html") -> str:
    """Return the cells as HTML, without a page around them.

    Args:
        notebook: what to show; all of it is shown.
        suffix: what a link to another notebook ends in instead of `.ipynb`.

    Raises:
        Absent: nbconvert is not installed.
    """
    try:
        from nbconvert import HTMLExporter  # noqa: PLC0415  optional
    except ImportError as error:
        raise Absent(
            "nbconvert is not installed here; in the folder of the repository: "
            'python -m pip install -c constraints.txt ".[notebooks]"'
        ) from error
    exporter = HTMLExporter(  # type: ignore[no-untyped-call]  # nbconvert says it is typed, and this is not
        template_name="basic", exclude_anchor_links=True, exclude_input_prompt=True, exclude_output_prompt=True
    )
    html, _ = exporter.from_notebook_node(notebook)
    return _LESSON.sub(rf"\1{suffix}", str(html))


def page(name: str, content: str, styles: Sequence[str] = (), script: str = "") -> str:
    """Return a whole page that needs no other file.

    Args:
        name: the page's title.
        content: what stands in its body, as HTML.
        styles: more style sheets of this folder, by name, after the one that every page has.
        script: a script of this folder, by name.
    """
    sheets = "\n".join([_colours(), *(_own(sheet) for sheet in ("page.css", *styles))])
    runs = f"<script>\n{_own(script)}</script>\n" if script else ""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<link rel="icon" href="data:,">\n'
        f"<title>{escape(name)}</title>\n<style>\n{sheets}</style>\n</head>\n<body>\n{content}\n{runs}</body>\n</html>\n"
    )


def _colours() -> str:
    """Return the lab's colours and fonts, by name."""
    told = "".join(f" --{field.name.replace('_', '-')}: {getattr(LIGHT, field.name)};" for field in fields(LIGHT))
    return f":root {{{told} --sans: {SANS}; --mono: {MONO}; }}"


def _own(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
