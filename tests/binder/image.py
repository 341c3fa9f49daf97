"""The Dockerfile's steps, replayed on this machine without Docker: same order, same commands, an unprivileged user.

What stands for what:

    Docker                       here
    user jovyan (1000)           `nobody` where the tests run as root, else the user who runs them
    conda's environment          a venv with Binder's own Jupyter, at the versions of repo2docker's lock
    home, and the repository     one new folder for both, as on Binder
    apt-get install              what is on this machine: the programs of apt.txt, and of those the lab knows no others
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from labkit.net.programs import KNOWN
from tests.binder.dockerfile import ROOT, brought, step

PYTHONS = [os.environ.get("BINDER_PYTHON", ""), "python3.12", "/usr/bin/python3.12", "python3", "/usr/bin/python3"]
JUPYTER = ["notebook", "jupyterlab", "jupyterhub", "jupyter-resource-usage", "jupyter-offlinenotebook", "ipywidgets"]
AUDIT = """
import sys
def _seen(event, arguments, log=open({log!r}, "a", buffering=1)):
    if event == "open" and isinstance(arguments[0], str):
        print(arguments[0], file=log)
sys.addaudithook(_seen)
"""


@dataclass(frozen=True)
class Image:
    """A replayed image: its folder, and the user it belongs to."""

    folder: Path
    user: str

    @property
    def home(self) -> Path:
        """The user's home, which is the repository, too."""
        return self.folder / "home"

    @property
    def python(self) -> Path:
        return self.folder / "env/bin/python"

    @property
    def environment(self) -> dict[str, str]:
        """What the Dockerfile's ENV lines say; of this machine's, only what leads pip to its index."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if re.search(r"(?i)_proxy$|cert|^ssl|^pip_|^lang|^lc_", name)
        }
        env = self.folder / "env"
        return {
            **kept, "HOME": str(self.home), "REPO_DIR": str(self.home), "USER": self.user,
            "NB_PYTHON_PREFIX": str(env), "KERNEL_PYTHON_PREFIX": str(env),
            "PATH": f"{env}/bin:{self.folder}/bin", "DEBIAN_FRONTEND": "noninteractive",
        }  # fmt: skip

    def run(self, *command: str | Path, cwd: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command as the user; its output is kept."""
        return subprocess.run(
            command, cwd=cwd or self.home, env={**self.environment, **more}, **self.as_user,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip

    def must(self, *command: str | Path, cwd: Path | None = None, **more: str) -> str:
        """Run a command that has to succeed, and return what it printed."""
        ran = self.run(*command, cwd=cwd, **more)
        assert ran.returncode == 0, f"{' '.join(map(str, command))}\n{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}"
        return ran.stdout

    @property
    def as_user(self) -> dict:
        """What subprocess needs to become the user."""
        if os.geteuid():
            return {}
        told = pwd.getpwnam(self.user)
        return {"user": told.pw_uid, "group": told.pw_gid, "extra_groups": []}

    def own(self, *paths: Path) -> None:
        """Give folders, with all that is in them, to the user."""
        if os.geteuid() == 0:
            told = pwd.getpwnam(self.user)
            for path in (each for top in paths for each in (top, *top.rglob("*"))):
                os.chown(path, told.pw_uid, told.pw_gid, follow_symlinks=False)


@contextmanager
def built() -> Iterator[Image]:
    """Build the image, step by step as the Dockerfile says; it is taken away afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="labkit-image-"))  # pytest's own folders are closed to other users
    folder.chmod(0o755)
    image = Image(folder, "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name)
    try:
        for place in (image.home, folder / "env", folder / "alone"):
            place.mkdir()
            image.own(place)
        _programs(folder / "bin")
        _base(image)
        _clone(image, only="binder/requirements.txt")
        image.must("bash", "-c", step("RUN", "binder/requirements.txt"))
        _clone(image)
        image.must("bash", "-c", step("RUN", "chmod +x binder/postBuild"))
        image.must("bash", "-c", "./binder/postBuild")
        yield image
    finally:
        shutil.rmtree(folder)


def _programs(folder: Path) -> None:
    """Make a PATH of this machine's programs without those that the lab would use and Binder does not have."""
    apt = set((ROOT / "binder/apt.txt").read_text().split())
    absent = {name for known in KNOWN.values() if not apt & set(known.apt.split()) for name in known.names}
    absent |= {"python", "python3", "pip", "pip3", "jupyter", "ipython"}
    folder.mkdir()
    for place in map(Path, ("/usr/sbin", "/usr/bin", "/sbin", "/bin")):
        for program in place.iterdir() if place.is_dir() else ():
            if program.name not in absent and not (folder / program.name).is_symlink():
                (folder / program.name).symlink_to(program)


def _base(image: Image) -> None:
    """Make the environment that Binder's image has before the repository comes."""
    python = _python(image)
    image.must(python, "-m", "venv", image.folder / "env")
    versions = image.folder / "brought.txt"
    versions.write_text("".join(f"{name}=={version}\n" for name, version in brought().items() if name != "pip"))
    image.must(
        image.python, "-m", "pip", "install", "--quiet", "--no-cache-dir", "-c", versions, *JUPYTER, PIP_NO_COMPILE="1"
    )


def _python(image: Image) -> str:
    """Return Binder's Python, or the next best that the user can run and make environments with."""
    path = f"{image.folder}/bin:/usr/bin:/usr/local/bin"
    for name in filter(None, PYTHONS):
        found = shutil.which(name) or shutil.which(name, path=path)
        asks = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))"
        with_it = found and _runs(image, found, asks)
        if found and with_it:
            return found
    pytest.fail("no Python from 3.11 on that the user can run: apt install python3-venv, or set BINDER_PYTHON")


def _runs(image: Image, python: str, code: str) -> bool:
    try:
        return image.run(python, "-c", code).returncode == 0
    except PermissionError:  # in somebody else's home
        return False


def _clone(image: Image, only: str = "") -> None:
    """Copy what git has of the repository, as it stands in the folder now."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    for name in filter(None, listed.stdout.split("\0")):
        if (not only or name == only) and (ROOT / name).is_file():
            (image.home / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, image.home / name)
    image.own(image.home)
