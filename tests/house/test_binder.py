"""Binder's folder: what repo2docker makes of it, and that its lock is whole and no larger than it has to be.

That the image works is tests/binder/ (`make test-binder`).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tests.binder.dockerfile import brought, step, steps
from tests.house.test_packaging import EXTRAS, PROJECT, canonical, direct, pins

ROOT = Path(__file__).parents[2]
APT = (ROOT / "binder/apt.txt").read_text().split()
ON_BINDER = {
    "python_version": "3.12", "python_full_version": "3.12.0", "sys_platform": "linux", "platform_system": "Linux", "os_name": "posix",
    "platform_machine": "x86_64", "implementation_name": "cpython", "platform_python_implementation": "CPython", "extra": "",
}  # fmt: skip


def closure(wanted: list[Requirement]) -> set[str]:
    """Return all that Binder's Python needs for these, read from what is installed here."""
    found: set[str] = set()
    waiting = list(wanted)
    while waiting:
        need = waiting.pop()
        name = canonical(need.name)
        if name in found or (need.marker and not need.marker.evaluate(ON_BINDER)):
            continue
        found.add(name)
        waiting += map(Requirement, distribution(name).requires or [])
    return found


def test_repo2docker_reads_every_file():
    """The image that repo2docker would make has the apt packages, the lock, and postBuild last, each as the right user."""
    told = [(word, text) for word, text in steps() if word in ("USER", "COPY", "RUN")]
    order = [
        told.index(("RUN", step("RUN", f"install --yes --no-install-recommends {' '.join(APT)} "))),
        told.index(("RUN", '${KERNEL_PYTHON_PREFIX}/bin/pip install --no-cache-dir -r "binder/requirements.txt"')),
        told.index(("COPY", "--chown=1000:1000 src/ ${REPO_DIR}/")),
        told.index(("RUN", "./binder/postBuild")),
    ]
    assert order == sorted(order)
    users = ["".join([text for word, text in told[:place] if word == "USER"][-1:]) for place in order]
    assert users == ["root", "${NB_USER}", "root", "${NB_USER}"]
    assert brought()["python"].startswith("3.12.")


def test_binder_python_is_supported():
    """Binder's Python is one that the package asks for, written as repo2docker reads it."""
    match = re.fullmatch(r"python-(3\.\d+)\n", (ROOT / "binder/runtime.txt").read_text())
    assert match
    assert SpecifierSet(PROJECT["requires-python"]).contains(match[1])


def test_the_lock_is_whole_and_has_nothing_else():
    """binder/requirements.txt is what the core and [lessons] need, to the last dependency, at the tests' versions."""
    locked, pinned = pins("binder/requirements.txt"), pins("constraints.txt")
    assert set(locked) == closure(direct("lessons"))
    assert locked == {name: pinned[name] for name in locked}


def test_binder_brings_jupyter_itself():
    """JupyterLab is in Binder's image, new enough: a second one would only make it larger."""
    need = next(need for need in map(Requirement, EXTRAS["notebooks"]) if need.name == "jupyterlab")
    assert need.specifier.contains(brought()[need.name])
    assert need.name not in pins("binder/requirements.txt")


def test_binder_has_no_plots_that_nobody_draws():
    """Matplotlib with numpy is two thirds of the lessons' size: Binder has it when a lesson draws with it, and only then."""
    code = [*(ROOT / "labkit").rglob("*.py"), *(ROOT / "notebooks").glob("*.ipynb")]
    drawn = any(re.search(r"(from|import) matplotlib\b", path.read_text("utf-8")) for path in code)
    assert ("matplotlib" in pins("binder/requirements.txt")) == drawn


def test_the_settings_open_the_first_notebook():
    """The settings of postBuild name a notebook that is there, for whichever Jupyter program Binder starts."""
    script = (ROOT / "binder/postBuild").read_text()
    assert (ROOT / "notebooks" / re.findall(r"/lab/tree/my-lab/([\w.-]+)\\", script)[0]).is_file()
    told = json.loads((ROOT / "labkit/lessons/jupyter/labconfig/page_config.json").read_text())
    assert told["disabledExtensions"]
    assert script.count("page_config.json") == 1


def test_apt_knows_every_package():
    """Each name in apt.txt is a package; as far as the lists of this machine tell, which need not be Binder's Ubuntu."""
    assert sorted(APT) == APT
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9.+-]+", name) for name in APT)
    if not shutil.which("apt-cache") or not list(Path("/var/lib/apt/lists").glob("*_Packages*")):
        if os.environ.get("CI") and shutil.which("apt-get"):
            pytest.fail("CI has to have apt's lists: apt-get update")
        pytest.skip("apt has no lists of packages here")
    told = subprocess.run(["apt-cache", "policy", *APT], capture_output=True, text=True, check=True, timeout=60,
                          env={**os.environ, "LC_ALL": "C"}).stdout  # fmt: skip
    candidates = re.findall(r"^  Candidate: (.+)$", told, re.MULTILINE)
    assert len(candidates) == len(APT)
    assert "(none)" not in candidates


def test_binder_packages_are_installed_for_the_tests():
    """.ci/run installs what binder/apt.txt lists, by reading it."""
    assert "binder/apt.txt" in (ROOT / ".ci/run").read_text()
