"""The folder for a USB stick: made by `make wheelhouse`, copied elsewhere, installed from without a network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from labkit.lessons.notebooks import FIRST, notebooks_in
from tests.binder.dockerfile import ROOT

NO_NETWORK = dict.fromkeys(
    ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9"
)

pytestmark = pytest.mark.timeout(600)


def run(command: str, cwd: Path, **more: str) -> str:
    """Run a line of the shell with no way out of this machine, and with nothing of pip's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().startswith(("pip_", "virtual_env"))}
    environment = {**kept, **NO_NETWORK, "PIP_CONFIG_FILE": os.devnull, "HOME": str(cwd), **more}
    done = subprocess.run(["bash", "-c", command], cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, check=False, timeout=300)  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def stick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = subprocess.run(["make", "wheelhouse"], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=400)  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert re.search(r"^build/wheelhouse: \d+ MB, for Python 3\.\d+ on ", made.stdout, re.MULTILINE)
    folder = tmp_path_factory.mktemp("stick") / "wheelhouse"
    shutil.copytree(ROOT / "build/wheelhouse", folder)
    return folder


def test_the_lines_on_it_install_and_open(stick: Path):
    """The two lines in its README.txt install from it alone, then make the copies and open them; all agrees with itself."""
    install, opens = re.findall(
        r"^    (python3 -m venv .*|lab/bin/labkit lab)$", (stick / "README.txt").read_text(), re.MULTILINE
    )
    python = (ROOT / ".venv/bin/python").resolve()
    run(install.replace("python3", str(python), 1), stick)
    assert run("lab/bin/python -m pip check", stick).strip() == "No broken requirements found."
    assert run(f"{opens} --help", stick).startswith("usage: labkit lab")
    assert run(f"{opens.removesuffix('lab')} copies", stick).startswith(
        f"{len(notebooks_in(ROOT / 'notebooks'))} notebooks in {stick}/my-lab"
    )


def test_a_notebook_runs_from_it(stick: Path):
    """What was installed from it runs the first notebook."""
    assert (stick / "lab/bin/python").exists(), "the test before this one installs it"
    run(f"lab/bin/python -m labkit.lessons.execute notebooks/{FIRST}", stick)
