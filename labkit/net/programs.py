"""What this machine has: programs and their versions, a loopback port, and handing over to a program."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from labkit.errors import Absent, Failed, WrongUse
from labkit.net.machine import IN_BROWSER, for_real
from labkit.net.process import run_child

__all__ = ["KNOWN", "Known", "Program", "can_listen", "find", "hand_over", "is_root", "programs"]

_SBIN = ("/usr/local/sbin", "/usr/sbin", "/sbin")  # where Debian keeps servers; not on every user's PATH
_PATIENCE = 5.0  # seconds for a program to say its version
_MOST_TEXT = 8192  # bytes of what it says
_VERSION = re.compile(r"[0-9]{1,9}\.[0-9]{1,9}(?:\.[0-9]{1,9})*")


class Known(NamedTuple):
    """A program the lab can use: its names, how it is asked for its version, and the packages it is in.

    Args:
        names: what it is called, the usual name first.
        ask: the arguments that make it tell its version.
        apt: its packages on Debian and Ubuntu.
        dnf: those on Fedora and its kin.
        brew: those of Homebrew; empty where none puts the program where the lab looks for it.
    """

    names: tuple[str, ...]
    ask: tuple[str, ...]
    apt: str
    dnf: str
    brew: str


KNOWN: dict[str, Known] = {
    "curl": Known(("curl",), ("--version",), "curl", "curl", "curl"),
    "php": Known(("php",), ("--version",), "php-cli php-curl", "php-cli", "php"),
    "nginx": Known(("nginx",), ("-v",), "nginx", "nginx", "nginx"),
    "apache2": Known(("apache2", "httpd"), ("-v",), "apache2", "httpd", "httpd"),
    "haproxy": Known(("haproxy",), ("-v",), "haproxy", "haproxy", "haproxy"),
    "caddy": Known(("caddy",), ("version",), "caddy", "caddy", "caddy"),
    "tshark": Known(("tshark",), ("--version",), "tshark", "wireshark-cli", "wireshark"),
    "chromium": Known(("chromium", "chromium-browser", "google-chrome"), ("--version",), "chromium", "chromium", ""),
    "openssl": Known(("openssl",), ("version",), "openssl", "openssl", "openssl"),
    "node": Known(("node", "nodejs"), ("--version",), "nodejs", "nodejs", "node"),
}

_MANAGERS = {"apt": "sudo apt install", "dnf": "sudo dnf install", "brew": "brew install"}


@dataclass(frozen=True, slots=True)
class Program:
    """A program of this machine; an absent one has no path, and its note says how to install it.

    Args:
        name: the lab's name for it, a key of `KNOWN`.
        path: where it lies; empty where it is absent.
        version: the numbers it gives; empty where it gave none.
        note: what is worth knowing of this build.
    """

    name: str
    path: str = ""
    version: str = ""
    note: str = ""

    def __bool__(self) -> bool:
        return bool(self.path)

    def required(self) -> Program:
        """Return this program, or raise the error that names the package.

        Raises:
            Absent: it is not on this machine.
        """
        if not self:
            for_real()
            raise Absent(f"{self.name} is not on this machine; install it: {self.note}")
        return self


def find(name: str) -> Program:
    """Look for one program, also where only administrators' paths lead, and ask for its version.

    Args:
        name: a key of `KNOWN`.

    Raises:
        WrongUse: the lab knows no such program.
    """
    known = KNOWN.get(name)
    if known is None:
        raise WrongUse(f"the lab knows no program {name!r}; it knows {', '.join(KNOWN)}")
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), *_SBIN])
    for candidate in known.names:
        path = shutil.which(candidate, path=places)
        if path:
            said = _says([path, *known.ask])
            match = _VERSION.search(said)
            return Program(name, path, match[0] if match else "", _note(name, said, bool(match)))
    return Program(name, note="in a browser no programs run" if IN_BROWSER else _installed_by(known))


def _installed_by(known: Known) -> str:
    """Return the command of this system's package manager; that of Debian where it has none that the lab knows."""
    usual = "brew" if sys.platform == "darwin" else "apt"
    manager = next((each for each in (usual, *_MANAGERS) if shutil.which(each)), usual)
    packages: str = getattr(known, manager)
    nowhere = f"no package of {manager} puts {known.names[0]} on the PATH"
    return f"{_MANAGERS[manager]} {packages}" if packages else nowhere


def programs() -> tuple[Program, ...]:
    """Look for every program of `KNOWN`, in its order; absent ones are there too, and are false."""
    return tuple(find(name) for name in KNOWN)


def _note(name: str, said: str, versioned: bool) -> str:  # noqa: FBT001  two facts of one answer
    if not versioned:
        return "gave no version when it was asked"
    if name != "curl":
        return ""
    protocols = re.search(r"^Protocols:(.*)$", said, re.MULTILINE)
    spoken = protocols[1].split() if protocols else []
    return "speaks ws://" if "ws" in spoken else "no ws:// in this build"


def _says(command: Sequence[str]) -> str:
    try:
        said = run_child(command, patience=_PATIENCE, most=_MOST_TEXT)
    except Failed:
        return ""
    return "" if said.ended else (said.out + said.err).decode("utf-8", "replace")


def can_listen() -> str:
    """Try to listen on a free port of 127.0.0.1; return "" where that works, else the system's reason."""
    try:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
    except OSError as error:
        return str(error)
    return ""


def is_root() -> bool:
    """Tell whether this process is root's; browsers and Jupyter ask for a flag then."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def hand_over(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Let `command` take this process's place; Ctrl-C and a closed terminal then reach it directly.

    Args:
        command: the program's path and its arguments; no shell.
        environment: what is added to this process's environment.

    Returns:
        The exit code, on Windows, where a process cannot be replaced. Elsewhere it does not return.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    whole = {**os.environ, **environment}
    if sys.platform != "win32":
        os.execve(command[0], [*command], whole)  # noqa: S606  the caller's own command; no shell
    return subprocess.call(command, env=whole)  # noqa: S603
