"""The claim itself: a page in a real browser simulates, checks and draws, and nothing answers it but files."""

from __future__ import annotations

import functools
import http.server
import json
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labkit.net.programs import find
from tests.pyodide.parts import pyodide
from tests.pyodide.simulated import SOURCE, Texts

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE = 110_000  # milliseconds
BESIDE = Path(__file__).parent
DRAWN = """
import json, labkit
trace = labkit.simulate(Scenario(labkit.Offer.websocket("/ws/"), via=[labkit.Nginx(NGINX)]))
json.dumps([everything(), trace._repr_mimebundle_()["text/html"], str(trace.check())])
"""


class Files(http.server.SimpleHTTPRequestHandler):
    extensions_map = {".mjs": "text/javascript", ".wasm": "application/wasm", ".html": "text/html", "": "text/plain"}  # noqa: RUF012

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def address(tmp_path: Path, installed: list[Path]) -> Iterator[str]:
    """Serve Pyodide, the wheels and the page, as files and nothing more."""
    shutil.copytree(pyodide(), tmp_path / "pyodide")
    (tmp_path / "wheels").mkdir()
    for path in [*installed, BESIDE / "page.html", BESIDE / "worker.mjs"]:
        shutil.copy(path, tmp_path / "wheels" if path.suffix == ".whl" else tmp_path)
    serve = functools.partial(Files, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_page_simulates(address: str, installed: list[Path], here: Texts, tmp_path: Path):
    """In a web worker all comes out as it does here; the picture is drawn with its text; nothing else is asked."""
    sync = pytest.importorskip("playwright.sync_api")
    if not find("chromium"):
        (pytest.fail if os.environ.get("CI") else pytest.skip)("needs chromium")
    core = [path.name for path in installed if not path.name.startswith(("ipython", "jedi", "prompt_toolkit"))]
    with sync.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=find("chromium").path, args=FLAGS)
        page = browser.new_page(viewport={"width": 1000, "height": 900})
        asked, said = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda line: said.append(line.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.set_default_timeout(PATIENCE)
        page.goto(f"{address}page.html")
        told = page.evaluate("([wheels, source]) => window.python(wheels, source)", [core, f"{SOURCE}\n{DRAWN}"])
        everything, html, check = json.loads(told)
        page.evaluate("html => { document.querySelector('main').innerHTML = html }", html)
        picture = page.locator("main img")
        picture.evaluate("image => image.decode()")
        width, alt = picture.evaluate("image => [image.naturalWidth, image.alt]")
        page.screenshot(path=os.environ.get("LABKIT_SCREENSHOT", tmp_path / "page.png"))
        browser.close()
    assert everything == here
    assert width > 500
    assert "101" in alt
    assert check.startswith("Switched to websocket (101)")
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
    assert said == []
