"""Files on loopback, and a real browser that opens them."""

from __future__ import annotations

import functools
import http.server
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from labkit.net.programs import find

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE = 115_000  # milliseconds
_KINDS = {".mjs": "text/javascript", ".wasm": "application/wasm", ".whl": "application/zip"}


class _Files(http.server.SimpleHTTPRequestHandler):
    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, **_KINDS}  # noqa: RUF012

    def log_message(self, *_: Any) -> None: ...


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder, as files and nothing more; yields its address."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Files, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@contextmanager
def page(address: str) -> Iterator[tuple[Any, list[str], list[str]]]:
    """Open an address; yields Playwright's page, what it asked elsewhere, and the errors of its console."""
    sync = pytest.importorskip("playwright.sync_api")
    chromium = find("chromium")
    if not chromium:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("needs chromium")
    with sync.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium.path, args=FLAGS)
        try:
            opened = browser.new_page(viewport={"width": 1000, "height": 900})
            opened.set_default_timeout(PATIENCE)
            asked, said = [], []
            own = (address.split("#", maxsplit=1)[0].rsplit("/", 1)[0], "data:", "blob:")
            opened.on("request", lambda request: None if request.url.startswith(own) else asked.append(request.url))
            opened.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
            opened.on("pageerror", lambda error: said.append(str(error)))
            opened.goto(address)
            yield opened, asked, said
        finally:
            browser.close()
