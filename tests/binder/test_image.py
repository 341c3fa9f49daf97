"""Binder's image, replayed without Docker: what it holds, how it starts, and every notebook in it (`make test-binder`)."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from labkit.lessons.notebooks import notebooks_in, read
from tests.binder.dockerfile import ROOT, step
from tests.binder.image import AUDIT, Image, built
from tests.house.test_packaging import pins

LESSONS = notebooks_in(ROOT / "notebooks")
TRUSTED = """
from nbformat.sign import NotebookNotary
from labkit.lessons.notebooks import notebooks_in, read
from pathlib import Path
print([path.name for path in notebooks_in(Path("my-lab")) if NotebookNotary().check_signature(read(path))])
"""
PIXELS = "data:image/png;base64,[A-Za-z0-9+/=]+"
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))

pytestmark = pytest.mark.timeout(600)  # the first test waits for the image


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    with built() as made:
        yield made


@pytest.fixture(scope="module")
def ran(image: Image) -> dict[str, tuple[subprocess.CompletedProcess[str], Path, list[str]]]:
    """Run every notebook, two at once, each alone in a folder; note which files its kernel opened."""
    with ThreadPoolExecutor(2) as pool:
        return dict(
            zip([path.name for path in LESSONS], pool.map(lambda path: alone(image, path), LESSONS), strict=True)
        )


def alone(image: Image, lesson: Path) -> tuple[subprocess.CompletedProcess[str], Path, list[str]]:
    folder = image.folder / "alone" / lesson.stem
    startup = folder / "ipython/profile_default/startup"
    startup.mkdir(parents=True)
    log = folder / "opened.txt"
    (startup / "00-audit.py").write_text(AUDIT.format(log=str(log)))
    copy = folder / "lesson" / lesson.name
    copy.parent.mkdir()
    copy.write_bytes(lesson.read_bytes())
    image.own(folder)
    done = image.run(
        image.python, "-m", "labkit.lessons.execute", copy, cwd=copy.parent, IPYTHONDIR=str(folder / "ipython")
    )
    return done, copy, log.read_text().splitlines() if log.exists() else []


def test_nothing_is_broken(image: Image):
    """Everything in the image agrees with everything else, and what was locked is what is there."""
    assert image.must(image.python, "-m", "pip", "check").strip() == "No broken requirements found."
    listed = json.loads(image.must(image.python, "-m", "pip", "list", "--format", "json"))
    there = {re.sub(r"[-_.]+", "-", each["name"]).lower(): each["version"] for each in listed}
    locked = pins("binder/requirements.txt")
    assert {name: there.get(name) for name in locked} == locked
    assert "pytest" not in there


def test_learner_copies_are_there_and_trusted(image: Image):
    """A learner finds a trusted copy of every notebook, without outputs, which belongs to the learner."""
    assert image.must(image.python, "-c", TRUSTED).strip() == str([path.name for path in LESSONS])
    for lesson in LESSONS:
        copy = image.home / "my-lab" / lesson.name
        assert not any(cell.get("outputs") for cell in read(copy).cells)
        image.must("test", "-w", copy)


@pytest.mark.parametrize("program", ["notebook", "lab"])
def test_the_first_notebook_opens(image: Image, program: str, tmp_path: Path):
    """The image's own command, and JupyterLab, lead to the first notebook, and ask nobody for news."""
    if program == "notebook":
        assert step("CMD", "jupyter") == '["jupyter", "notebook", "--ip", "0.0.0.0"]'
    with served(image, program, tmp_path / "log") as url:
        with DIRECT.open(url, timeout=60) as answer:
            page = answer.read().decode()
        assert answer.url.partition("?")[0].endswith("/lab/tree/my-lab/00-start-here.ipynb")
        told = json.loads(re.findall(r'id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.DOTALL)[0])
        assert "@jupyterlab/apputils-extension:announcements" in told["disabledExtensions"]


class served:  # noqa: N801  used as a function
    """A Jupyter program of the image, running on a free port of loopback."""

    def __init__(self, image: Image, program: str, log: Path) -> None:
        self._log = log
        port, options = free_port(), ["--ip=127.0.0.1", "--no-browser", "--ServerApp.port_retries=0"]
        command = [image.python.with_name("jupyter"), program, *options, f"--ServerApp.port={port}"]
        with log.open("wb") as out:
            self._running = subprocess.Popen(
                command, cwd=image.home, env=image.environment, **image.as_user, stdout=out, stderr=out
            )

    def __enter__(self) -> str:
        until = time.monotonic() + 60
        while time.monotonic() < until and self._running.poll() is None:
            found = re.search(r"http://127\.0\.0\.1:(\d+)/\S*?(\?token=\w+)", self._log.read_text())
            if found:
                return f"http://127.0.0.1:{found[1]}/{found[2]}"
            time.sleep(0.1)
        self.__exit__()
        pytest.fail(f"it did not start:\n{self._log.read_text()[-2000:]}")

    def __exit__(self, *_: object) -> None:
        self._running.terminate()
        try:
            self._running.wait(20)
        except subprocess.TimeoutExpired:
            self._running.kill()
            self._running.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_every_notebook_runs(ran: dict, lesson: Path):
    """As an unprivileged user, with only what was installed, it ends well, and says what the committed one says."""
    done, copy, _ = ran[lesson.name]
    assert done.returncode == 0, done.stderr[-3000:]
    for here, committed in zip(read(copy).cells, read(lesson).cells, strict=True):
        if "nbval-ignore-output" not in committed.metadata.get("tags", []):
            assert shown(here) == shown(committed), committed.source


def shown(cell) -> list:
    """Return what a cell shows; pictures of pixels are not compared, nor those inside of HTML."""
    return [
        (each.output_type, each.get("text"), {kind: re.sub(PIXELS, "PIXELS", str(data))
                                              for kind, data in each.get("data", {}).items() if "image/" not in kind})
        for each in cell.get("outputs", [])
    ]  # fmt: skip


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_no_notebook_reads_a_file_beside_it(image: Image, ran: dict, lesson: Path):
    """Of the repository its kernel opens nothing but the package: so the file alone is enough, on Colab, say."""
    _, copy, opened = ran[lesson.name]
    inside = {Path(path) for path in opened if Path(path).is_relative_to(image.home)}
    assert any(path.is_relative_to(image.home / "labkit") for path in inside)
    tracked = {path for path in inside if (ROOT / path.relative_to(image.home)).is_file()}
    assert {path for path in tracked if not path.is_relative_to(image.home / "labkit")} == set()
    assert not any(Path(path).parent == copy.parent for path in opened)
