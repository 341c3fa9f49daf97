"""The container for Codespaces: one file, which names only what there is."""

from __future__ import annotations

import json
import re
from pathlib import Path

from packaging.specifiers import SpecifierSet

from tests.house.test_packaging import PROJECT

ROOT = Path(__file__).parents[2]
TOLD = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())


def test_it_is_one_file():
    """There is nothing but devcontainer.json: no image to build, no feature to fetch."""
    assert [path.name for path in (ROOT / ".devcontainer").iterdir()] == ["devcontainer.json"]
    assert not {"build", "dockerFile", "dockerComposeFile", "features"} & set(TOLD)


def test_its_python_is_binders():
    """The image is Debian 12 with the Python that Binder has, and that the package asks for."""
    found = re.fullmatch(r"mcr\.microsoft\.com/devcontainers/python:(3\.\d+)-bookworm", TOLD["image"])
    assert found
    assert (ROOT / "binder/runtime.txt").read_text() == f"python-{found[1]}\n"
    assert SpecifierSet(PROJECT["requires-python"]).contains(found[1])


def test_it_sets_up_as_everywhere_else():
    """It installs what binder/apt.txt lists, by reading it, and then calls a target of the Makefile."""
    command = TOLD["onCreateCommand"]
    files = re.findall(r"cat (\S+)\)", command)
    targets = re.findall(r"\bmake (\S+)", command)
    assert files == ["binder/apt.txt"]
    assert len(targets) == 1
    assert re.search(rf"^{targets[0]}:.* ## ", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_it_opens_the_first_notebook_with_the_labs_python():
    """A learner copy is opened, in the environment that the Makefile makes; only JupyterLab's port is spoken of."""
    [opened] = TOLD["customizations"]["codespaces"]["openFiles"]
    assert (ROOT / opened.replace("my-lab/", "notebooks/")).is_file()
    assert opened.startswith("my-lab/")
    python = TOLD["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    assert python.removeprefix("${containerWorkspaceFolder}/") == ".venv/bin/python"
    assert TOLD["forwardPorts"] == [8888]
    assert set(TOLD["portsAttributes"]) == {"8888"}
    assert TOLD["otherPortsAttributes"] == {
        "onAutoForward": "ignore"
    }  # the lab's own servers are the notebook's affair
