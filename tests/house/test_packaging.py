"""What surrounds the package agrees with itself: pins, extras, system packages, version, licence."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from importlib.metadata import distribution, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

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


def direct(*extras: str) -> list[Requirement]:
    """Return what the core and the extras ask for; an extra that names another one counts as its own lines alone."""
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in EXTRAS[extra])]
    return [need for need in map(Requirement, lines) if need.name != PROJECT["name"]]


def test_core_has_three_dependencies():
    """`pip install .` brings h11, websockets and crossplane, and nothing else."""
    core = [Requirement(line) for line in requires("http101-labkit") or []]
    assert sorted(need.name for need in core if need.marker is None) == ["crossplane", "h11", "websockets"]
    assert sorted(Requirement(line).name for line in PROJECT["dependencies"]) == ["crossplane", "h11", "websockets"]


def test_the_core_is_small():
    """What `pip install .` installs beside the lab itself: 0.3 MB to download, 1.1 MB on disk (without bytecode)."""
    names = [canonical(need.name) for need in direct()]
    files = [file for name in names for file in distribution(name).files or [] if file.suffix != ".pyc"]
    assert 500_000 < sum(Path(file.locate()).stat().st_size for file in files) < 1_500_000


def test_constraints_satisfy_every_requirement():
    """constraints.txt pins each direct requirement, of the core and of every extra, to a version that it allows."""
    pinned = pins("constraints.txt")
    for need in direct(*EXTRAS):
        assert need.specifier.contains(pinned[canonical(need.name)]), need


def test_constraints_pin_what_is_installed_here():
    """The tests ran with the pinned versions, so the pins are known to work."""
    pinned = pins("constraints.txt")
    for name in (canonical(need.name) for need in direct("notebooks", "lessons", "test")):
        assert version(name) == pinned[name]


def test_constraints_name_no_place():
    """constraints.txt holds names and versions: no address, no path, no option of pip."""
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        assert line.startswith("#") or re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line), line


@pytest.mark.parametrize("script", ["binder/postBuild", ".ci/run"])
def test_scripts_can_run(script: str):
    """The scripts are executable, stop at the first error, and are read by bash without complaint."""
    path = ROOT / script
    assert path.stat().st_mode & 0o111
    assert "set -euo pipefail" in path.read_text()
    subprocess.run(["bash", "-n", path], check=True, timeout=10)


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
