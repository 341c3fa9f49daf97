"""A real JupyterLab with a real browser in front of it, in folders of its own."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE = 60  # seconds for the server, and for each step in the browser


def need_browser() -> None:
    """Skip where there is no Chromium or no JupyterLab; on CI both have to be there."""
    absent = [name for name in ("jupyterlab", "playwright") if importlib.util.find_spec(name) is None]
    absent += [] if CHROMIUM else ["chromium"]
    if absent and os.environ.get("CI"):
        pytest.fail(f"CI has to have {', '.join(absent)}")
    if absent:
        pytest.skip(f"needs {', '.join(absent)}")


def markdown(*sources: str) -> dict:
    cells = [{"cell_type": "markdown", "id": f"m{n}", "metadata": {}, "source": s} for n, s in enumerate(sources)]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}


def with_output(html: str) -> dict:
    """Return a notebook of one executed cell that nobody has trusted."""
    output = {"output_type": "display_data", "metadata": {}, "data": {"text/html": html, "text/plain": "the text"}}
    cell = {
        "cell_type": "code",
        "id": "c0",
        "metadata": {},
        "source": "trace",
        "execution_count": 1,
        "outputs": [output],
    }
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}


@contextlib.contextmanager
def jupyter_lab(folder: Path):
    """Serve `folder`; yields the server's address."""
    home = folder / "home"
    own = {name: str(home / name.lower()) for name in
           ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")}  # fmt: skip
    settings = home / "jupyter_config_dir" / "labconfig"
    settings.mkdir(parents=True)
    quiet = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (settings / "page_config.json").write_text(json.dumps(quiet))
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", "--ServerApp.port=0",
               "--IdentityProvider.token=", "--allow-root", f"--notebook-dir={folder}"]  # fmt: skip
    with (folder / "jupyter.log").open("wb") as log:
        server = subprocess.Popen(command, env={**os.environ, "HOME": str(home), **own}, stdout=log, stderr=log)
    try:
        yield _address(server, Path(own["JUPYTER_RUNTIME_DIR"]), folder / "jupyter.log")
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _address(server: subprocess.Popen, runtime: Path, log: Path) -> str:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and server.poll() is None:
        for file in runtime.glob("jpserver-*.json"):
            with contextlib.suppress(ValueError):  # it may be half written
                return json.loads(file.read_text())["url"]
        time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


@contextlib.contextmanager
def page(address: str, notebook: str):
    """Open a notebook in the browser; yields playwright's page."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            opened = browser.new_page(viewport={"width": 1400, "height": 3000})
            opened.set_default_timeout(PATIENCE * 1000)
            opened.goto(f"{address}lab/tree/{notebook}?reset")
            opened.wait_for_selector(".jp-NotebookPanel .jp-Cell")
            yield opened
        finally:
            browser.close()
