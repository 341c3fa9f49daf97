"""Learner copies: the notebooks without their answers, in a folder of their own that git ignores.

    notebooks/   the reference, with outputs; committed, and never opened by `labkit lab`
    my-lab/      the learner's: outputs cleared, trusted, never written over once it is changed

A copy remembers, in its metadata, the digest of the reference that it was made from. So one that
nobody has touched can follow a newer reference, and one that was changed is left alone.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from labkit.errors import Absent, LabError, WrongUse
from labkit.lessons.notebooks import FIRST, cleared, digest, find_notebooks, lesson, notebooks_in, read, sign, write
from labkit.lessons.record import FILE, VARIABLE
from labkit.net.programs import hand_over, is_root

__all__ = ["FOLDER", "command", "environment", "find_notebooks", "prepare", "reset", "start"]

FOLDER = "my-lab"
"""The learner's folder, beside `notebooks/`."""


def prepare(source: Path | None = None, into: Path | None = None) -> list[Path]:
    """Make the learner copies that are not there yet; keep every copy that a learner has changed.

    Args:
        source: the folder of the reference notebooks; found unless told.
        into: the learner's folder; `my-lab` beside the reference unless told.

    Returns:
        All copies, new and kept, in order.

    Raises:
        Absent: there are no reference notebooks, or Jupyter is not installed.
    """
    source, into = _folders(source, into)
    copies = [into / reference.name for reference in notebooks_in(source)]
    made = []
    for copy in copies:
        fresh = _fresh(source / copy.name)
        if not copy.exists() or _follows(copy, fresh):
            write(fresh, copy)
            made.append(fresh)
    sign(made)
    return copies


def reset(what: str | Path, source: Path | None = None, into: Path | None = None) -> Path:
    """Restore one learner copy from the reference; what the learner had is set aside, never lost.

    Args:
        what: a lesson's number ("02" or "2"), its name, or the path of the copy.
        source: as for `prepare`.
        into: as for `prepare`.

    Returns:
        The fresh copy. A changed one before it is kept as `NAME.bak-1.ipynb`, `.bak-2`, and so on.

    Raises:
        WrongUse: no lesson has that number or name; the text lists those there are.
    """
    source, into = _folders(source, into)
    reference = lesson(str(what), notebooks_in(source))
    fresh, copy = _fresh(reference), into / reference.name
    if copy.exists() and not _untouched(copy):
        copy.rename(_free_name(copy))
    write(fresh, copy)
    sign([fresh])
    return copy


def command(folder: Path, first: str = FIRST, *, port: int | None = None, browser: bool | None = None) -> list[str]:
    """Return the command that starts JupyterLab on the first notebook, on loopback alone.

    Args:
        folder: the learner's folder, the root of what JupyterLab shows.
        first: the notebook to open, by its name in the folder.
        port: the port; Jupyter's own choice (8888, or the next free one) unless told.
        browser: whether to open a browser; found out unless told. The URL is printed in any case.
    """
    opens = _has_browser() if browser is None else browser
    return [
        sys.executable, "-m", "jupyterlab", f"--LabApp.default_url=/lab/tree/{first}",
        f"--ServerApp.root_dir={folder}", "--ServerApp.ip=127.0.0.1",
        "--log-level=WARN",  # the URL is printed all the same
        "--ServerApp.answer_yes=True",  # Ctrl+C ends it, as the README says, and asks nothing
        *([f"--ServerApp.port={port}"] if port is not None else []),
        *([] if opens else ["--no-browser"]),
        *(["--allow-root"] if is_root() else []),
    ]  # fmt: skip


def environment(folder: Path) -> dict[str, str]:
    """Return what JupyterLab finds in its environment: the lab's settings, before the user's own.

    Args:
        folder: the learner's, where the record of predictions and answers is kept.

    They turn off the news and the check for updates: the lab calls nobody outside this machine.
    Nothing is written into the user's home. `labkit` is a command in JupyterLab's own terminal, and in a cell.
    Whatever proxy the user has, `!curl` in a cell goes to a server of this machine directly.
    """
    direct = ",".join(
        [*filter(None, [os.environ.get("no_proxy") or os.environ.get("NO_PROXY")]), "127.0.0.1", "localhost", "::1"]
    )
    return {
        "no_proxy": direct,
        "NO_PROXY": direct,
        "JUPYTER_CONFIG_PATH": _before("JUPYTER_CONFIG_PATH", Path(__file__).with_name("jupyter")),
        "JUPYTER_PREFER_ENV_PATH": "1",  # the kernel of this Python, not one of the same name in the home
        "PATH": _before("PATH", Path(sys.executable).parent),
        VARIABLE: os.environ.get(VARIABLE) or str(folder.resolve() / FILE),
    }


def _before(name: str, folder: Path) -> str:
    theirs = os.environ.get(name)
    return os.pathsep.join([str(folder), theirs]) if theirs else str(folder)


def start(folder: Path, first: str = FIRST, *, port: int | None = None, browser: bool | None = None) -> int:
    """Start JupyterLab in this process's place; see `command` for the arguments.

    Raises:
        Absent: JupyterLab is not installed.
    """
    if find_spec("jupyterlab") is None:
        raise Absent(
            "JupyterLab is not installed here; in the folder of the repository: "
            'python -m pip install -c constraints.txt ".[notebooks]"'
        )
    return hand_over(command(folder, first, port=port, browser=browser), environment(folder))


def _folders(source: Path | None, into: Path | None) -> tuple[Path, Path]:
    source = find_notebooks() if source is None else source.resolve()
    into = source.parent / FOLDER if into is None else into.resolve()
    if not notebooks_in(source):
        raise Absent(f"no notebooks in {source}; give the folder that holds {FIRST}")
    if into == source:
        raise WrongUse(f"{into} holds the reference notebooks; learner copies go into another folder")
    try:
        into.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WrongUse(f"cannot make the folder {into}: {error.strerror}") from None
    return source, into


def _fresh(reference: Path) -> Any:
    notebook = cleared(read(reference))
    notebook.metadata["labkit"] = {"copy_of": digest(notebook)}
    return notebook


def _follows(copy: Path, fresh: Any) -> bool:
    """Whether nobody has touched the copy while the reference moved on."""
    return _untouched(copy) and digest(read(copy)) != digest(fresh)


def _untouched(copy: Path) -> bool:
    try:
        notebook = read(copy)
    except LabError:
        return False  # what cannot be read may still be somebody's work
    told = notebook.metadata.get("labkit")
    made_from = told.get("copy_of") if isinstance(told, dict) else None
    return made_from == digest(notebook) and not any(cell.get("outputs") for cell in notebook.cells)


def _free_name(copy: Path) -> Path:
    number = 1
    while (path := copy.with_name(f"{copy.stem}.bak-{number}.ipynb")).exists():
        number += 1
    return path


def _has_browser() -> bool:
    # Without a screen Python would find lynx or w3m and draw it over the printed URL.
    if not sys.platform.startswith("linux"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
