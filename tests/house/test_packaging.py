"""What surrounds the package agrees with itself: pins, extras, system packages, version, licence."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from importlib.metadata import requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


def pins(path: str) -> dict[str, str]:
    lines = [line for line in (ROOT / path).read_text().splitlines() if line and not line.startswith("#")]
    found = dict(line.split("==") for line in lines)
    assert len(found) == len(lines)
    return {canonical(name): number for name, number in found.items()}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_core_has_three_dependencies():
    """`pip install .` brings h11, websockets and crossplane, and nothing else."""
    core = [Requirement(line) for line in requires("http101-labkit") or []]
    assert sorted(need.name for need in core if need.marker is None) == ["crossplane", "h11", "websockets"]
    assert sorted(Requirement(line).name for line in PROJECT["dependencies"]) == ["crossplane", "h11", "websockets"]


def test_constraints_satisfy_every_requirement():
    """constraints.txt pins each direct requirement, of the core and of every extra, to a version that it allows."""
    pinned = pins("constraints.txt")
    for line in [*PROJECT["dependencies"], *(line for extra in EXTRAS.values() for line in extra)]:
        need = Requirement(line)
        assert need.specifier.contains(pinned[canonical(need.name)]), line


def test_constraints_pin_what_is_installed_here():
    """The tests ran with the pinned versions, so the pins are known to work."""
    pinned = pins("constraints.txt")
    direct = [*PROJECT["dependencies"], *EXTRAS["notebooks"], *EXTRAS["test"]]
    for name in (canonical(Requirement(line).name) for line in direct):
        assert version(name) == pinned[name]


def test_constraints_name_no_place():
    """constraints.txt holds names and versions: no address, no path, no option of pip."""
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        assert line.startswith("#") or re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line), line


def test_binder_requirements_stand_alone_and_agree():
    """Binder's requirements are the core and [notebooks], at the versions of constraints.txt, and name no file."""
    wanted = {canonical(Requirement(line).name) for line in [*PROJECT["dependencies"], *EXTRAS["notebooks"]]}
    binder, pinned = pins("binder/requirements.txt"), pins("constraints.txt")
    assert set(binder) == wanted
    assert binder == {name: pinned[name] for name in wanted}


def test_binder_python_is_supported():
    """Binder's Python is one that the package asks for, written as repo2docker reads it."""
    match = re.fullmatch(r"python-(3\.\d+)\n", (ROOT / "binder/runtime.txt").read_text())
    assert match
    assert SpecifierSet(PROJECT["requires-python"]).contains(match[1])


@pytest.mark.parametrize("script", ["binder/postBuild", ".ci/run"])
def test_scripts_can_run(script: str):
    """The scripts are executable, stop at the first error, and are read by bash without complaint."""
    path = ROOT / script
    assert path.stat().st_mode & 0o111
    assert "set -euo pipefail" in path.read_text()
    subprocess.run(["bash", "-n", path], check=True, timeout=10)


def test_binder_packages_are_installed_for_the_tests():
    """.ci/run installs what binder/apt.txt lists, by reading it; the names are ones that apt can have."""
    names = (ROOT / "binder/apt.txt").read_text().split()
    assert names
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9.+-]+", name) for name in names)
    assert "binder/apt.txt" in (ROOT / ".ci/run").read_text()


def test_ci_runs_the_readme_commands():
    """.ci/run tests by the command that the README gives, then lints."""
    run = (ROOT / ".ci/run").read_text()
    assert re.search(r"^make test\b", run, re.MULTILINE)
    assert re.search(r"^make check\b", run, re.MULTILINE)
    assert "make test" in (ROOT / "README.md").read_text()


def test_every_extra_is_documented():
    """Each extra has its purpose beside it in pyproject.toml, and the README names those a user installs."""
    text = (ROOT / "pyproject.toml").read_text()
    for extra in EXTRAS:
        block = re.search(rf"^{extra} = \[(.*?)^(?=\w|\[|$)", text, re.MULTILINE | re.DOTALL)
        assert block, extra
        assert "#" in block[1], extra
    assert "[notebooks]" in (ROOT / "README.md").read_text()


def test_version_has_one_source():
    """pyproject.toml alone states the version; the package reads it, and the changelog begins with it."""
    import labkit

    assert labkit.__version__ == version("http101-labkit") == PROJECT["version"]
    stated = [path for path in (ROOT / "labkit").rglob("*.py") if f'"{PROJECT["version"]}"' in path.read_text()]
    assert stated == []
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0].rstrip(",") == PROJECT["version"]


def test_licence_is_mit():
    """The licence is MIT, in the metadata and in the file, and held by the labkit authors."""
    text = (ROOT / "LICENSE").read_text()
    assert PROJECT["license"] == "MIT"
    assert text.startswith("MIT License\n")
    assert "The labkit authors" in text
    assert "WITHOUT WARRANTY OF ANY KIND" in text


def test_package_data_is_declared():
    """Every file in the package that is not Python is named in pyproject.toml, so that a wheel holds it."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["labkit"]
    kept = (path for path in (ROOT / "labkit").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    others = [path.relative_to(ROOT / "labkit").as_posix() for path in kept if path.suffix != ".py"]
    assert sorted(others) == sorted(declared)
    settings = json.loads((ROOT / "labkit/lessons/jupyter/labconfig/page_config.json").read_text())
    assert settings["disabledExtensions"] == {"@jupyterlab/apputils-extension:announcements": True}


def test_learner_copies_are_ignored_by_git():
    """my-lab/ is in .gitignore, so that a pull never meets a learner's work."""
    assert "my-lab/" in (ROOT / ".gitignore").read_text().splitlines()
