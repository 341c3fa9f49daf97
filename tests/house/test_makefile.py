"""The set-up behind `make lab` and `make test`, driven with a Python that only writes down what it is asked."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ("sh", "cksum", "cut", "grep", "sed", "printf", "mkdir", "cat", "chmod", "rm", "mv", "touch", "test", "find")

# What stands for Python: it makes an environment that holds itself, and notes every other call in `calls`.
PYTHON = """#!/bin/sh
case "$*" in
  "-V") echo "Python $VERSION";;
  *version_info*) [ "$VERSION" != 3.10.9 ];;
  *ensurepip*) [ -z "$BARE" ];;
  "-c ") ;;
  "-m venv --clear .venv") rm -rf .venv; mkdir -p .venv/bin; cat "$0" > .venv/bin/python; chmod +x .venv/bin/python
    echo venv >> calls;;
  *"pip"*"install"*) echo "pip ${*##* }" >> calls; [ -z "$BREAK" ];;
  *) echo "$*" >> calls;;
esac
"""

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")


class Checkout:
    """A folder with the Makefile in it, and a PATH with nothing but a shell's tools and the Pythons given."""

    def __init__(self, folder: Path, *pythons: str) -> None:
        self.folder = folder / "checkout"
        self.path = folder / "bin"
        self.folder.mkdir()
        self.path.mkdir()
        for name in ("Makefile", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, self.folder)
        for name in TOOLS:
            found = shutil.which(name)
            assert found
            (self.path / name).symlink_to(found)
        for name in pythons:
            (self.path / name).write_text(PYTHON)
            (self.path / name).chmod(0o755)

    def make(self, *words: str, version: str = "3.11.2", **environment: str) -> subprocess.CompletedProcess[str]:
        make = shutil.which("make")
        assert make
        return subprocess.run(
            [make, *words],
            cwd=self.folder,
            env={"PATH": str(self.path), "VERSION": version, **environment},
            check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30,
        )  # fmt: skip

    def calls(self) -> list[str]:
        path = self.folder / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path, "python3")


def test_first_use_sets_up_what_it_needs(checkout: Checkout):
    """`make lab` installs what the notebooks need and no more, once; its arguments are passed on."""
    done = checkout.make("lab", "ARGS=--no-browser")
    assert done.returncode == 0
    assert "Setting up .venv with Python 3.11.2" in done.stderr
    assert checkout.calls() == ["venv", "pip .[notebooks]", "-m labkit lab --no-browser"]
    assert checkout.make("lab").stderr == ""
    assert checkout.calls() == ["-m labkit lab"]


def test_each_command_adds_its_extras(checkout: Checkout):
    """`make test` adds the tests' packages to the environment that is there."""
    checkout.make("lab")
    checkout.calls()
    checkout.make("test")
    called = checkout.calls()
    assert called[0] == "pip .[notebooks,test]"
    assert called[1].startswith("-m pytest")
    assert len(called) == 2


def test_changed_pins_are_installed(checkout: Checkout):
    """After a pull that moves constraints.txt, the next run installs again, into the same environment."""
    checkout.make("lab")
    checkout.calls()
    later = (checkout.folder / "constraints.txt").stat().st_mtime + 60
    os.utime(checkout.folder / "constraints.txt", (later, later))
    checkout.make("lab")
    assert checkout.calls() == ["pip .[notebooks]", "-m labkit lab"]


def test_cut_short_is_begun_again(checkout: Checkout):
    """A set-up that was cut short is made good by the next run, from nothing, and by every later command."""
    checkout.make("lab")
    assert checkout.make("test", BREAK="yes").returncode != 0
    checkout.calls()
    assert checkout.make("lab").returncode == 0
    assert checkout.calls() == ["venv", "pip .[notebooks]", "-m labkit lab"]


def test_cut_short_while_the_environment_was_made(checkout: Checkout):
    """Half an environment does not count as one."""
    (checkout.folder / ".venv/bin").mkdir(parents=True)
    shutil.copy(checkout.path / "python3", checkout.folder / ".venv/bin/python")
    checkout.make("lab")
    assert checkout.calls()[:2] == ["venv", "pip .[notebooks]"]


def test_python_that_is_gone(checkout: Checkout):
    """Where the system's Python was replaced under the environment, it is made again."""
    checkout.make("lab")
    checkout.calls()
    (checkout.folder / ".venv/bin/python").unlink()
    (checkout.folder / ".venv/bin/python").symlink_to("/nowhere/python3.10")
    checkout.make("lab")
    assert checkout.calls() == ["venv", "pip .[notebooks]", "-m labkit lab"]


def test_folder_that_was_moved(checkout: Checkout, tmp_path: Path):
    """An environment holds the folder's old name in it, so in another place it is made again."""
    checkout.make("lab")
    checkout.calls()
    checkout.folder = checkout.folder.rename(tmp_path / "else where")
    checkout.make("lab")
    assert checkout.calls() == ["venv", "pip .[notebooks]", "-m labkit lab"]


def test_newest_python_is_taken(tmp_path: Path):
    """The newest Python by name is taken, and one that is told before all."""
    checkout = Checkout(tmp_path, "python3", "python3.13", "python3.11", "other")
    for told, expected in (("", "python3.13"), ("other", "other")):
        checkout.make("lab", f"PYTHON={told}")
        assert (checkout.folder / ".venv/bin/python").exists()
        traced = checkout.make("-B", "lab", f"PYTHON={told}", ".SHELLFLAGS=-xc")
        assert f"+ {expected} -m venv --clear .venv" in traced.stderr


@pytest.mark.parametrize(
    ("pythons", "version", "bare", "said"),
    [
        ([], "", "", "labkit needs Python 3.11 or later, and there is none; install it: sudo apt install python3 python3-venv"),
        (["python3"], "3.10.9", "", "labkit needs Python 3.11 or later, and this is Python 3.10.9; install one: sudo apt"),
        (["python3"], "3.11.2", "yes", "python3 has no venv module; install it: sudo apt install python3-venv"),
        (["python3.12"], "3.12.1", "yes", "python3.12 has no venv module; install it: sudo apt install python3.12-venv"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named_with_its_cure(tmp_path: Path, pythons: list[str], version: str, bare: str, said: str):
    """A wrong Python, none at all, or one without venv is named in one line, with the command that helps."""
    done = Checkout(tmp_path, *pythons).make("lab", version=version, BARE=bare)
    assert done.returncode == 2
    first, *rest = done.stderr.splitlines()
    assert first.startswith(said)
    assert len(rest) == 1  # make's own line


def test_help_is_the_default_and_lists_every_target(checkout: Checkout):
    """`make` alone sets up nothing, and tells what each target does."""
    listed = checkout.make().stdout
    for target in (
        "lab",
        "copies",
        "test",
        "test-ui",
        "test-pyodide",
        "test-binder",
        "check",
        "bench",
        "notebooks",
        "constraints",
        "lock",
        "clean",
    ):
        assert f"make {target} " in listed
    assert checkout.calls() == []


def test_clean_keeps_the_learners_work(checkout: Checkout):
    """`make clean` takes the environment away, and never my-lab/."""
    checkout.make("lab")
    (checkout.folder / "my-lab").mkdir()
    (checkout.folder / "my-lab/mine.ipynb").write_text("{}")
    checkout.make("clean")
    assert not (checkout.folder / ".venv").exists()
    assert (checkout.folder / "my-lab/mine.ipynb").exists()
