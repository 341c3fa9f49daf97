"""What this machine has, and what each missing thing would bring: the first cell of the first notebook."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from labkit.net.machine import IN_BROWSER
from labkit.net.programs import KNOWN, can_listen, find
from labkit.render.columns import text_table
from labkit.render.html import table

__all__ = ["Doctor", "Row", "doctor"]

_NAMES = ("what", "state", "found", "note")

_PIP = "python -m pip install -c constraints.txt"
_WHERE = "What begins with python is typed in the repository's folder, with the environment of this Python active."
_NEEDED = {"h11": "reads HTTP/1.1", "websockets": "speaks WebSocket", "crossplane": "reads nginx's configuration"}
_CHOSEN = {
    "jupyterlab": ("opens the notebooks", "notebooks"),
    "ipykernel": ("runs their cells", "notebooks"),
    "nbformat": ("makes and signs learner copies", "notebooks"),
    "ipywidgets": ("draws the workbench's knobs", "notebooks"),
    "anywidget": ("draws the inspector", "notebooks"),
    "h2": ("speaks HTTP/2 after a 101, in 02", "h2c"),
    "pycurl": ("PHP's cURL functions in Python, in 05", "phpcurl"),
}
"""What each package is for, and the extra of this repository that brings it."""

_BROUGHT = {
    "curl": "the real curl, in 00, 02 and the workbench",
    "php": "the real PHP, in 05 and the workbench",
    "nginx": "the real nginx, in 06; without it, a model",
    "apache2": "the real Apache, in 07; without it, a model",
    "haproxy": "the real HAProxy, for run; there is no model of it",
    "caddy": "the real Caddy, for run; there is no model of it",
    "tshark": "captures of your own; no notebook asks for it",
    "chromium": "the browser's view: browse; no notebook asks for it",
    "openssl": "the certificate for TLS on the same connection, in 12",
    "node": "runs the JavaScript that copy_as prints",
}
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the report.

    Args:
        what: the thing that was looked for.
        state: "ok", "absent" (things work without it), "note", or "wrong" (the lab cannot work).
        found: its version, or what else was seen.
        note: what it is for; for an absent one, how to get it.
    """

    what: str
    state: str
    found: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Doctor:
    """The report; it draws itself as a table in a notebook, and `print` writes it as text.

    It holds no path and no value of an environment variable, so it can be shown to others.
    """

    rows: tuple[Row, ...]

    @property
    def ok(self) -> bool:
        """Whether the lab can work here; what is only absent does not count."""
        return all(row.state != "wrong" for row in self.rows)

    @property
    def verdict(self) -> str:
        """The report in one sentence."""
        where = f" {_WHERE}" if any(_PIP in row.note for row in self.rows) else ""
        wrong = [row.what for row in self.rows if row.state == "wrong"]
        if wrong:
            return f"The lab cannot work here yet: see {', '.join(wrong)}.{where}"
        absent = [row.what for row in self.rows if row.state == "absent"]
        rest = f" Absent, and not needed to begin: {', '.join(absent)}." if absent else ""
        return f"The lab can work here.{rest}{where}"

    def __str__(self) -> str:
        rows = [(row.what, row.state, row.found, row.note) for row in self.rows]
        return f"{text_table(_NAMES, rows)}\n\n{self.verdict}"

    def __repr__(self) -> str:
        return f"<Doctor: {self.verdict}>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        rows = [(row.what, row.state, row.found, row.note) for row in self.rows]
        html = table(_NAMES, rows, self.verdict)
        return {"text/plain": str(self), "text/html": html}


def doctor() -> Doctor:
    """Look at this machine: Python, a loopback port, packages, programs, proxy settings.

    Takes about a second, most of it asking programs for their versions. Changes nothing.

    >>> doctor().ok
    True
    """
    return Doctor((*_machine(), *_packages(), *([] if IN_BROWSER else [*_programs(), *_environment()])))


def _machine() -> Iterator[Row]:
    new_enough = sys.version_info >= (3, 11)
    yield Row("Python", "ok" if new_enough else "wrong", platform.python_version(), "3.11 or later is needed")
    yield Row("system", "ok", f"{platform.system()} {platform.machine()}".strip())
    if IN_BROWSER:
        yield Row(
            "127.0.0.1", "absent", "", "this Python runs in a browser: simulate works, real servers and programs do not"
        )
        return
    reason = can_listen()
    yield Row(
        "127.0.0.1", "wrong" if reason else "ok", reason or "a free port", "where every server of the lab listens"
    )


def _packages() -> Iterator[Row]:
    for name, purpose in _NEEDED.items():
        found = _version(name)
        yield Row(name, "ok" if found else "wrong", found, purpose if found else f"{purpose}: {_PIP} .")
    for name, (purpose, extra) in _CHOSEN.items():
        found = _version(name)
        how = purpose if found else f'{purpose}: {_PIP} ".[{extra}]"'
        yield Row(name, "ok" if found else "absent", found, how)


def _programs() -> Iterator[Row]:
    for name in KNOWN:
        program = find(name)
        if program:
            note = "; ".join(filter(None, (_BROUGHT[name], program.note)))
            yield Row(name, "ok", program.version, note)
        else:
            yield Row(name, "absent", "", f"{_BROUGHT[name]}: {program.note}")


def _environment() -> Iterator[Row]:
    for name in _PROXIES:
        if any(os.environ.get(spelling) for spelling in (name, name.upper())):
            yield Row(name, "note", "is set", "ignored by the lab's own clients")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
