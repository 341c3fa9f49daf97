"""What runs labkit without a server: Pyodide from the npm registry, and wheels that are Python alone.

Pyodide's own index of wheels is not asked: what labkit needs comes from PyPI, as files that run anywhere.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

PYODIDE = "314.0.6"
"""The one place that says which Pyodide: the one that jupyterlite-pyodide-kernel 0.8.7 runs."""

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".venv" / f"pyodide-{PYODIDE}"
CORE = ("h11", "crossplane", "websockets")
H2C = ("h2", "hpack", "hyperframe")
KERNEL = (  # what JupyterLite's kernel runs the cells with
    "ipython", "asttokens", "executing", "ipython-pygments-lexers", "jedi", "matplotlib-inline", "parso",
    "prompt_toolkit", "pure-eval", "pygments", "stack_data", "traitlets", "wcwidth",
)  # fmt: skip
PATIENCE = 180  # seconds for a registry


def need_node() -> None:
    """Skip where there is no node or no npm; on CI both have to be there."""
    absent = [name for name in ("node", "npm") if shutil.which(name) is None]
    if absent and os.environ.get("CI"):
        pytest.fail(f"CI has to have {' and '.join(absent)}")
    if absent:
        pytest.skip(f"needs {' and '.join(absent)}: sudo apt install nodejs npm")


def pyodide() -> Path:
    """Return the folder with Pyodide's files; they are fetched once."""
    found = FOLDER / "node_modules/pyodide"
    if not (found / "python_stdlib.zip").is_file():
        FOLDER.mkdir(parents=True, exist_ok=True)
        _do(
            "npm",
            "install",
            "--prefix",
            str(FOLDER),
            "--no-save",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            f"pyodide@{PYODIDE}",
        )
    return found


def wheels() -> Path:
    """Return the folder with the wheels that labkit runs on, and h2 and IPython beside them; fetched once."""
    names, folder = (*CORE, *H2C, *KERNEL), FOLDER / "wheels"
    if len(list(folder.glob("*.whl"))) < len(names):
        shutil.rmtree(folder, ignore_errors=True)
        anywhere = ("--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none")
        _pip("download", "--no-deps", *anywhere, "-c", str(ROOT / "constraints.txt"), "-d", str(folder), *names)
    assert {path.name.rsplit("-", 2)[1:] == ["none", "any.whl"] for path in folder.glob("*.whl")} == {True}
    return folder


def own_wheel(folder: Path) -> Path:
    """Make labkit's wheel, from a copy: a build leaves files beside its source."""
    with tempfile.TemporaryDirectory() as copy:
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, copy)
        shutil.copytree(ROOT / "labkit", Path(copy, "labkit"), ignore=shutil.ignore_patterns("__pycache__"))
        _pip("wheel", "--no-deps", "-w", str(folder), copy)
    (made,) = folder.glob("*labkit-*.whl")
    return made


def _pip(*words: str) -> None:
    _do(sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *words)


def _do(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, f"{' '.join(command[:3])}:\n{done.stdout[-1000:]}{done.stderr[-2000:]}"
