"""The claim itself: a page in a real browser simulates, checks and draws, and nothing answers it but files."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from tests.pyodide.parts import KERNEL, pyodide
from tests.pyodide.simulated import SOURCE, Texts
from tests.pyodide.web import page, served

BESIDE = Path(__file__).parent
DRAWN = """
import json, labkit
trace = labkit.simulate(Scenario(labkit.Offer.websocket("/ws/"), via=[labkit.Nginx(NGINX)]))
json.dumps([everything(), trace._repr_mimebundle_()["text/html"], str(trace.check())])
"""


def test_a_page_simulates(installed: list[Path], here: Texts, tmp_path: Path):
    """In a web worker all comes out as it does here; the picture is drawn with its text; nothing else is asked."""
    shutil.copytree(pyodide(), tmp_path / "pyodide")
    (tmp_path / "wheels").mkdir()
    core = [path for path in installed if not path.name.startswith(tuple(name.replace("-", "_") for name in KERNEL))]
    for path in [*core, BESIDE / "page.html", BESIDE / "worker.mjs"]:
        shutil.copy(path, tmp_path / "wheels" if path.suffix == ".whl" else tmp_path)
    names = [path.name for path in core]
    with served(tmp_path) as address, page(f"{address}page.html") as (opened, asked, said):
        told = opened.evaluate("([wheels, source]) => window.python(wheels, source)", [names, f"{SOURCE}\n{DRAWN}"])
        everything, html, check = json.loads(told)
        opened.evaluate("html => { document.querySelector('main').innerHTML = html }", html)
        picture = opened.locator("main img")
        picture.evaluate("image => image.decode()")
        width, alt = picture.evaluate("image => [image.naturalWidth, image.alt]")
        opened.screenshot(path=os.environ.get("LABKIT_SCREENSHOT", tmp_path / "page.png"))
    assert everything == here
    assert width > 500
    assert "101" in alt
    assert check.startswith("Switched to websocket (101)")
    assert (asked, said) == ([], [])
