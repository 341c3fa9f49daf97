"""A notebook's cells run inside Pyodide as JupyterLite's kernel runs them: by IPython, from top to bottom."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from labkit.net.machine import NOT_IN_BROWSER
from labkit.render.plots import NO_MATPLOTLIB
from tests.pyodide.inside import Pyodide

__all__ = ["MATPLOTLIB", "SOCKET", "TAGS", "Ran", "needing", "run"]

SOCKET = "needs-socket"
"""The tag of a cell that takes a real socket or program, or the value of a cell that does."""

MATPLOTLIB = "needs-matplotlib"
"""The tag of a cell that draws a plot: matplotlib is no wheel that runs anywhere, so it is not among those here."""

TAGS = {SOCKET: NOT_IN_BROWSER, MATPLOTLIB: NO_MATPLOTLIB}
"""What a cell with each tag says where it cannot run."""

_SOURCE = r"""
import os, shutil, tempfile
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

def run(cells):
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(history_length=0)
    values = []
    def show(value):  # in the place of what prints Out[1]: a kernel sends it on
        if value is not None:
            values.append({"data": shell.display_formatter.format(value)[0]})
    shell.display_trap.hook = show
    for source in cells:
        values.clear()
        with capture_output() as caught:
            result = shell.run_cell(source, store_history=True)
        error = result.error_before_exec or result.error_in_exec
        told = None if error is None else [type(error).__name__, str(error), getattr(error, "name", None)]
        shown = [*({"data": dict(each.data)} for each in caught.outputs), *values]
        for each in shown:  # a live view is in no committed notebook
            each["data"].pop("application/vnd.jupyter.widget-view+json", None)
        shown = [each for each in shown if each["data"]]
        yield {"error": told, "stdout": caught.stdout, "shown": shown}

before, folder = os.getcwd(), tempfile.mkdtemp()
os.chdir(folder)
try:
    ran = list(run(given))
finally:
    os.chdir(before)
    shutil.rmtree(folder)
ran
"""


@dataclass(frozen=True)
class Ran:
    """What one cell did: its error, if any, as its name, its text and the name that was missing; what it showed."""

    error: tuple[str, str, str | None] | None = None
    stdout: str = ""
    shown: list[dict[str, Any]] = field(default_factory=list)


def run(inside: Pyodide, sources: Sequence[str]) -> list[Ran]:
    """Run cells one after the other in one fresh shell; one that fails does not stop the next."""
    told = inside.run(_SOURCE, list(sources))
    return [Ran(each["error"] and tuple(each["error"]), each["stdout"], each["shown"]) for each in told]


def needing(inside: Pyodide, cells: Sequence[Any]) -> dict[str, str]:
    """Return the ids of the code cells that cannot run in a browser, found by running them there, each with its tag.

    A cell cannot run where it says so, by one of the lab's sentences; or where it misses a name that such a cell would
    have bound. What fails for another reason is a fault of the lesson or of the lab, and is raised.
    """
    code = [cell for cell in cells if cell.cell_type == "code"]
    cannot: dict[str, str] = {}
    while True:  # again, without those that failed: half of such a cell may have been done
        left = [cell for cell in code if cell.id not in cannot]
        failed = {cell.id: ran.error for cell, ran in zip(left, run(inside, [cell.source for cell in left]), strict=True)
                  if ran.error and "raises-exception" not in cell.metadata.get("tags", [])}  # fmt: skip
        if not failed:
            return cannot
        for cell in code:
            error = failed.get(cell.id)
            if error is None:
                continue
            says = {("Absent", said): tag for tag, said in TAGS.items()}
            misses = {name: cannot[each.id] for each in code if each.id in cannot for name in _bound([each.source])}
            tag = says.get(error[:2]) or (misses.get(error[2] or "") if error[0] == "NameError" else None)
            assert tag, f"cell {cell.id}: {error}\n{cell.source}"
            cannot[cell.id] = tag


def _bound(sources: Iterable[str]) -> set[str]:
    """Return the names that cells bind, those of IPython's `name = !command` too."""
    names: set[str] = set()
    for source in sources:
        plain = re.sub(r"(?m)^(\s*)(?:(\w+) = )?[!%].*$", r"\1\2 = None", source)
        for node in ast.walk(ast.parse(re.sub(r"(?m)^(\s*) = None$", r"\1pass", plain))):
            match node:
                case ast.Name(id=name, ctx=ast.Store()) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    names.add(name)
                case ast.alias(name=name, asname=other):
                    names.add(other or name.split(".")[0])
    return names
