"""JupyterLite itself: a lesson in a real browser, in a site of files that fetches nothing from elsewhere.

Not a part of `make test-pyodide`: on a busy machine its kernel takes minutes to start. By hand:

    .venv/bin/python -m pytest tests/pyodide/test_jupyterlite.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labkit.lessons.notebooks import read
from labkit.net.machine import NOT_IN_BROWSER
from tests.pyodide.parts import ROOT, jupyterlite
from tests.pyodide.web import page, served

LESSON = "06-nginx.ipynb"  # every cell of it runs in a browser
READY = "() => globalThis.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel"
RUN = """async sources => {
    const {kernel} = jupyterapp.shell.currentWidget.sessionContext.session;
    const told = [];
    for (const code of sources) {
        const said = [];
        const future = kernel.requestExecute({code});
        await new Promise((ended, late) => {  // `future.done` waits for a reply, too, and JupyterLite loses some
            setTimeout(late, 150000, Error(`no end of: ${code}`));
            future.onIOPub = ({header, content}) => {
                said.push([header.msg_type, content]);
                if (content.execution_state === "idle") ended();
            };
        });
        told.push(said);
    }
    return told;
}"""
INSTALL = "%pip install http101-labkit"
SOCKET = "import labkit\nlabkit.UpgradeServer().start()"


def shown(said: list[Any]) -> tuple[str, list[Any]]:
    """Return what a cell printed, in however many pieces, and what it showed: pictures, and errors as their lines."""
    kept = {"execute_result": "data", "display_data": "data", "error": "traceback"}
    printed = "".join(content["text"] for kind, content in said if kind == "stream")
    return printed, [content[kept[kind]] for kind, content in said if kind in kept]


@pytest.mark.timeout(600)
def test_a_lesson_runs_in_jupyterlite(installed: list[Path], tmp_path: Path):
    """The lab is installed by pip, each cell shows what is committed, and a server says the one sentence."""
    site = jupyterlite(installed, ROOT / "notebooks", tmp_path)
    cells = [cell for cell in read(ROOT / "notebooks" / LESSON).cells if cell.cell_type == "code"]
    with served(site) as address, page(f"{address}lab/index.html?path={LESSON}") as (opened, asked, _):
        opened.wait_for_function(READY)
        installing, *told, refused = opened.evaluate(RUN, [INSTALL, *(cell.source for cell in cells), SOCKET])
    assert shown(installing) == ("", [])
    for cell, said in zip(cells, told, strict=True):
        if "nbval-ignore-output" not in cell.metadata.get("tags", []):
            assert shown(said) == shown([(each.output_type, each) for each in cell.outputs]), cell.source
    assert shown(refused) == ("", [[f"Absent: {NOT_IN_BROWSER}"]])
    assert [url for url in asked if not url.startswith(address)] == []
