"""What runs labkit without a server: Pyodide from the npm registry, and wheels that are Python alone.

Pyodide's own index of wheels is not asked: what labkit needs comes from PyPI, as files that run anywhere.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

import pytest

PYODIDE = "314.0.6"
"""The one place that says which Pyodide: the one that this JupyterLite's kernel runs."""

JUPYTERLITE = ("jupyterlite-core==0.8.6", "jupyterlite-pyodide-kernel==0.8.6", "jupyter-server")

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".venv" / f"pyodide-{PYODIDE}"
CORE = ("h11", "crossplane", "websockets")
H2C = ("h2", "hpack", "hyperframe")
KERNEL = (  # what JupyterLite's kernel runs the cells with
    "ipython", "asttokens", "executing", "ipython-pygments-lexers", "jedi", "matplotlib-inline", "parso",
    "prompt_toolkit", "pure-eval", "pygments", "stack_data", "traitlets", "wcwidth", "comm",
    "ipywidgets", "jupyterlab_widgets", "widgetsnbextension", "anywidget", "psygnal", "typing_extensions",
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


def jupyterlite(installed: list[Path], notebooks: Path, folder: Path) -> Path:
    """Make a site of JupyterLite, with the notebooks, Pyodide and the wheels in it; return its folder."""
    python, site = FOLDER / "jupyterlite/bin/python", folder / "site"
    if not (FOLDER / "jupyterlite/ready").is_file():
        _do(sys.executable, "-m", "venv", "--clear", str(FOLDER / "jupyterlite"))
        _do(str(python), "-m", "pip", "--disable-pip-version-check", "--quiet", "install", *JUPYTERLITE)
        (FOLDER / "jupyterlite/ready").touch()
    own = {"pyodideUrl": "./static/pyodide/pyodide.mjs", "disablePyPIFallback": True}
    settings = {"exposeAppInBrowser": True, "litePluginSettings": {"@jupyterlite/pyodide-kernel-extension:kernel": own}}
    (folder / "jupyter-lite.json").write_text(
        json.dumps({"jupyter-lite-schema-version": 0, "jupyter-config-data": settings})
    )
    wheels = [word for path in installed for word in ("--piplite-wheels", str(path))]
    build = (
        "build",
        "--lite-dir",
        str(folder),
        "--contents",
        str(notebooks),
        "--output-dir",
        str(site),
        "--no-libarchive",
    )
    _do(str(python.with_name("jupyter-lite")), *build, *wheels, folder=folder)  # it leaves a file where it runs
    _own_index(shutil.copytree(pyodide(), site / "static/pyodide"))
    return site


def _own_index(folder: Path) -> None:
    """Let Pyodide's list of packages hold micropip alone, as PyPI has it: all else comes from the site's wheels."""
    index = json.loads((folder / "pyodide-lock.json").read_text())
    micropip = index["packages"]["micropip"]
    wanted = ("--no-deps", "--only-binary=:all:", "--python-version", "3.14", f"micropip=={micropip['version']}")
    if not (FOLDER / micropip["file_name"]).is_file():
        _pip("download", *wanted, "-d", str(FOLDER))
    wheel = Path(shutil.copy(FOLDER / micropip["file_name"], folder))
    micropip["sha256"] = sha256(wheel.read_bytes()).hexdigest()
    (folder / "pyodide-lock.json").write_text(json.dumps({**index, "packages": {"micropip": micropip}}))


def _pip(*words: str) -> None:
    _do(sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *words)


def _do(*command: str, folder: Path = ROOT) -> None:
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, f"{' '.join(command[:3])}:\n{done.stdout[-1000:]}{done.stderr[-2000:]}"
