"""What Binder will do with this repository: the Dockerfile that repo2docker writes for it, read without Docker."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def dockerfile() -> str:
    """Let repo2docker write the Dockerfile, as for Binder's user, and build nothing."""
    command = [
        sys.executable,
        "-m",
        "repo2docker",
        "--no-build",
        "--debug",
        "--user-id",
        "1000",
        "--user-name",
        "jovyan",
    ]
    ran = subprocess.run([*command, str(ROOT)], capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def steps() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions in order, each with its text on one line."""
    joined = re.sub(r"\\\n", " ", dockerfile())
    return [(word, rest.strip()) for word, rest in re.findall(r"^([A-Z]+) (.*)$", joined, re.MULTILINE)]


def step(word: str, holds: str) -> str:
    """Return the text of the one instruction that has these words in it."""
    found = [text for name, text in steps() if name == word and holds in text]
    assert len(found) == 1, f"{word} … {holds}: {found}"
    return found[0]


def brought() -> dict[str, str]:
    """Return what Binder's image has before the repository comes: names as conda writes them, and versions."""
    python = (ROOT / "binder/runtime.txt").read_text().strip().removeprefix("python-")
    spec = find_spec("repo2docker")
    assert spec
    assert spec.origin
    lock = Path(spec.origin).with_name("buildpacks") / f"conda/environment.py-{python}-linux-64.lock"
    found = re.findall(r"/([^/]+)-([^-/]+)-[^-/]+\.(?:conda|tar\.bz2)", lock.read_text())
    return {name.lower().replace("_", "-"): version for name, version in found if name[0] != "_"}
