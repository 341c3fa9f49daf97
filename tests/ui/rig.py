"""JupyterLab as `labkit lab` starts it, and a real browser in front of it: one of each for all tests here.

`make test-ui` runs this folder. A test asks for the fixture `lab`, and opens one notebook after the other:

    def test_a_click_reaches_the_kernel(lab):
        page = lab.open("click.ipynb", "import ipywidgets; n = ipywidgets.IntText(); n")
        page.run_all()
        page.outputs(0).locator("input").fill("7")
        page.outputs(0).locator("input").press("Enter")
        page.wait_kernel("n.value", "7")
        page.picture("a-number", page.outputs(0))

`lab.open(NAME, *SOURCES)` writes a notebook of code cells, which nobody has trusted; `lab.open(NAME)` opens one that is
there. Opening one closes the one before and ends its kernel. Text off the screen counts as hidden: ask for textContent. `page.tab` is Playwright's own page, for all that
has no verb here; Playwright's `expect(…)` waits. Whatever the console calls an error fails the test. Of a test that
fails, a picture and the console are in build/ui/. `--pictures FOLDER` (of pytest) says where pictures go.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "build" / "ui"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE = 60  # seconds for the server, and for each step in the browser
SIZE = (1366, 768)  # a small laptop of a workshop, in pixels
ALLOWED: dict[str, str] = {}  # what the console may call an error: a regular expression, and the reason

FRONT = ".jp-NotebookPanel:not(.lm-mod-hidden)"  # the notebook that is in front
RUN_ALL = "() => jupyterapp.commands.execute('notebook:run-all-cells')"
READY = """async () => {
    const {content, context, revealed, sessionContext} = jupyterapp.shell.currentWidget;
    await Promise.all([context.ready, revealed, sessionContext.ready]);
    while (!content.widgets.every(cell => cell.isPlaceholder() === false)) {
        await new Promise(again => setTimeout(again, 50));
    }
}"""
EXECUTE = """async code => {
    const said = [];
    const {kernel} = jupyterapp.shell.currentWidget.sessionContext.session;
    const future = kernel.requestExecute({code, store_history: false});
    future.onIOPub = ({content}) => said.push(content.text ?? content.data?.["text/plain"] ?? "");
    const {content} = await future.done;
    return [content.status === "ok" ? "" : `${content.ename}: ${content.evalue}`, said.join("")];
}"""
PAINTED = """() => [...document.querySelectorAll(".jp-Notebook .jp-Cell")].every(cell => {
    const {top, bottom} = cell.getBoundingClientRect();
    return bottom < 0 || top > innerHeight || cell.firstElementChild.checkVisibility({contentVisibilityAuto: true});
})"""
FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
TEXT = """outputs => outputs.map(output => [
    ...[...output.querySelectorAll("img")].map(picture => picture.alt), output.textContent].join("\\n")).join("\\n")"""
WITHIN = """async ([work, given, seconds]) => {
    const late = new Promise((_, no) => setTimeout(() => no(new Error(`not done within ${seconds} s`)), 1000 * seconds));
    return await Promise.race([eval(work)(given), late]);
}"""


def need_browser() -> None:
    """Skip where there is no Chromium or no JupyterLab; on CI both have to be there."""
    absent = [name for name in ("jupyterlab", "playwright") if importlib.util.find_spec(name) is None]
    absent += [] if CHROMIUM else ["chromium"]
    if absent and os.environ.get("CI"):
        pytest.fail(f"CI has to have {', '.join(absent)}")
    if absent:
        pytest.skip(f"needs {', '.join(absent)}")


def notebook(*cells: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook of cells made by `markdown` and `code`."""
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    named = [{"id": f"c{place}", "metadata": {}, **cell} for place, cell in enumerate(cells)]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": named}


def markdown(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "source": source}


def code(source: str, *, shows: str = "") -> dict[str, Any]:
    """Return a code cell; with `shows` one that ran, and whose output is this HTML."""
    data = {"text/html": shows, "text/plain": "the text"}
    outputs = [{"output_type": "display_data", "metadata": {}, "data": data}] if shows else []
    return {"cell_type": "code", "source": source, "execution_count": 1 if shows else None, "outputs": outputs}


class Lab:
    """A running JupyterLab and its browser.

    Attributes:
        address: the URL of the server, with a slash at its end.
        folder: what JupyterLab shows: the learner's copies, and what tests put beside them.
        page: the page that is open, if any.
    """

    def __init__(self, browser: Browser, server: dict[str, Any], folder: Path, pictures: Path) -> None:
        self.address, self.folder = server["url"], folder
        self.page: Page | None = None
        self._token = server["token"]
        self._pictures = pictures
        self._context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
        self._context.set_default_timeout(PATIENCE * 1000)

    def open(self, what: str | dict[str, Any], *sources: str, size: tuple[int, int] = SIZE) -> Page:
        """Open a notebook, as its only page, and wait until its kernel is there and every cell is drawn.

        Args:
            what: the name of a notebook in `folder`, or of a new one of `sources`; or a whole one, made by `notebook`.
            sources: a code cell each.
            size: width and height of the window, in pixels.
        """
        name = what if isinstance(what, str) else "given.ipynb"
        made = what if isinstance(what, dict) else notebook(*map(code, sources)) if sources else None
        if made:
            (self.folder / name).write_text(json.dumps(made), encoding="utf-8")
        page = self.visit(f"lab/tree/{name}", size=size)
        page.wait_ready()
        return page

    def visit(self, path: str, *, size: tuple[int, int] = SIZE) -> Page:
        """Go to a path of the server, with the token, as its only page."""
        self.close()
        self.page = Page(self._context.new_page(), self._pictures)
        self.page.tab.set_viewport_size({"width": size[0], "height": size[1]})
        self.page.tab.goto(f"{self.address}{path}?token={self._token}")
        return self.page

    def close(self) -> None:
        """Close the page, forget which ones were open, and end every kernel."""
        if self.page:
            self.page.tab.close()
            self.page = None
        self._ask("delete", "lab/api/workspaces/default")
        for session in self._ask("get", "api/sessions").json():
            self._ask("delete", f"api/sessions/{session['id']}")

    def _ask(self, method: str, path: str) -> Any:
        headers = {"Authorization": f"token {self._token}"}
        return getattr(self._context.request, method)(f"{self.address}{path}", headers=headers)


class Page:
    """A notebook as the browser shows it, and its kernel.

    Attributes:
        tab: Playwright's page.
        console: every line of the browser's console.
        errors: those lines that are errors and not `ALLOWED`; one is enough to fail the test.
        pictures: the folder that `picture` writes to.
    """

    def __init__(self, tab: Any, pictures: Path) -> None:
        self.tab = tab
        self.console: list[str] = []
        self.errors: list[str] = []
        self.pictures = pictures
        tab.on("console", lambda message: self._note(message.type, message.text))
        tab.on("pageerror", lambda error: self._note("error", str(error)))

    def _note(self, kind: str, text: str) -> None:
        self.console.append(f"{kind}: {text}")
        if kind == "error" and not any(re.search(pattern, text) for pattern in ALLOWED):
            self.errors.append(text)

    def ask(self, script: str, given: Any = None, *, seconds: float = PATIENCE) -> Any:
        """Run a JavaScript function in the page and return what it returns; give up after `seconds`."""
        return self.tab.evaluate(WITHIN, [script, given, seconds])

    def wait_ready(self) -> None:
        """Wait until the notebook in front is loaded, drawn, and connected to an idle kernel."""
        self.tab.wait_for_selector(f"{FRONT} .jp-Cell")
        self.ask(READY)
        self.wait_idle()

    def wait_idle(self) -> None:
        """Wait until the kernel has nothing to do."""
        self.tab.wait_for_selector(f"{FRONT} .jp-Notebook-ExecutionIndicator[data-status=idle]")

    def run_all(self) -> None:
        """Run every cell, as the menu does, and wait for the end."""
        self.ask(RUN_ALL)
        self.wait_idle()

    def cell(self, number: int) -> Locator:
        """Return one cell of the notebook in front; numbers begin at 0 and count every cell."""
        return self.tab.locator(f"{FRONT} .jp-Notebook .jp-Cell").nth(number)

    def outputs(self, number: int) -> Locator:
        """Return the outputs of a cell; source and output are easily mistaken for each other by `get_by_text`."""
        return self.cell(number).locator(".jp-OutputArea-output")

    def text(self, number: int) -> str:
        """Return what the outputs of a cell say, the texts of their pictures too."""
        return self.outputs(number).evaluate_all(TEXT)

    def kernel(self, source: str) -> str:
        """Run code in the kernel, in no cell, and return what it printed and what its last line is.

        Raises:
            AssertionError: it raised.
        """
        fault, said = self.ask(EXECUTE, source)
        assert not fault, f"{source!r} in the kernel: {fault}"
        return said

    def wait_kernel(self, source: str, said: str, *, seconds: float = 10) -> None:
        """Wait until the kernel says `said` to `source`: what the page does gets there in its own time."""
        until = time.monotonic() + seconds
        while (now := self.kernel(source)) != said:
            assert time.monotonic() < until, f"{source!r} in the kernel is {now!r} after {seconds} s, not {said!r}"
            self.tab.wait_for_timeout(50)

    def show(self, number: int) -> None:
        """Scroll a cell to the top of the window, and wait until all that is there now is painted."""
        self.cell(number).evaluate("cell => cell.scrollIntoView()")
        self.ask(FRAMES)
        self.tab.wait_for_function(PAINTED)
        self.ask(FRAMES)

    def theme(self, name: str) -> None:
        """Change JupyterLab's theme: "JupyterLab Dark" or "JupyterLab Light"; the next page has it too."""
        self.ask("theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", name)
        self.tab.wait_for_selector(f"body[data-jp-theme-name='{name}']", state="attached")

    def picture(self, name: str, of: Locator | None = None) -> Path:
        """Take a picture of the page, or of a part of it, in few bytes; returns its file."""
        from PIL import Image

        self.pictures.mkdir(parents=True, exist_ok=True)
        file = self.pictures / f"{name}.png"
        (of or self.tab).screenshot(path=file, animations="disabled", caret="hide")
        with Image.open(file) as taken:
            taken.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(file, optimize=True)
        return file

    def keep(self, name: str) -> Path:
        """Keep a picture and the console of a page that a test failed on; returns the picture's file."""
        KEPT.mkdir(parents=True, exist_ok=True)
        file = KEPT / f"{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}.png"
        file.with_suffix(".console.txt").write_text("\n".join(self.console) + "\n", encoding="utf-8")
        self.tab.screenshot(path=file, timeout=10_000)
        return file


@contextlib.contextmanager
def chromium():
    """Start the browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def jupyter_lab(folder: Path):
    """Run `labkit lab` in a checkout made of nothing but the notebooks; yields what JupyterLab says of its server.

    Home and settings are the checkout's own, as is the list of trusted notebooks. One setting is not the lab's:
    the page hands out its application object, so that a test can wait for what no element shows.
    """
    shutil.copytree(ROOT / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    home = folder / "home"
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    own = {name: str(home / name.lower()) for name in names}
    settings = Path(own["JUPYTER_CONFIG_DIR"]) / "jupyter_lab_config.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"LabApp": {"expose_app_in_browser": True}}))
    command = [sys.executable, "-m", "labkit", "lab", "--no-browser", "--port", "0"]
    with (folder / "jupyter.log").open("wb") as log:
        server = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "HOME": str(home), **own},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        yield _running(server, Path(own["JUPYTER_RUNTIME_DIR"]), folder / "jupyter.log")
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _running(server: subprocess.Popen, runtime: Path, log: Path) -> dict[str, Any]:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and server.poll() is None:
        for file in runtime.glob("jpserver-*.json"):
            with contextlib.suppress(ValueError):  # it may be half written
                return json.loads(file.read_text())
        time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")
