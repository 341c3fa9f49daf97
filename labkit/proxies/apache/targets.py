"""The path of a request-target, as httpd 2.4 makes it: normalised, decoded, and encoded anew for the backend."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Target", "encoded", "read_target"]

_UNRESERVED = re.compile(r"%(4[1-9A-Fa-f]|5[0-9A]|6[1-9A-Fa-f]|7[0-9A]|3[0-9]|2[DdEe]|5[Ff]|7[Ee])")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SLASHES = re.compile("/{2,}")
_ABSOLUTE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)(?:\?([^#]*))?")
_ALLOWED = frozenset("~$-_.+!*'(),;:@&=/ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")


class Target(NamedTuple):
    """A request-target in its parts.

    Args:
        status: what httpd answers where it is none; 0 where it is fine.
        path: decoded, as directives are compared with it.
        raw: path and query, as they came.
        query: as it came; None where there is none.
        authority: of the absolute form.
        scheme: of the absolute form, in lower case.
    """

    status: int
    path: str
    raw: str
    query: str | None
    authority: str = ""
    scheme: str = ""


def read_target(target: str, *, slashes: str = "off", merge: bool = True) -> Target:
    """Read a request-target.

    Args:
        target: as it came.
        slashes: AllowEncodedSlashes, in lower case.
        merge: MergeSlashes.

    >>> read_target("/ws//x/../%41?q=1", slashes="off")[:4]
    (0, '/ws/A', '/ws//x/../%41?q=1', 'q=1')
    """
    if target == "*":
        return Target(0, "*", "*", None)
    found = _ABSOLUTE.fullmatch(target)
    scheme, authority = (found[1].lower(), found[2]) if found else ("", "")
    if found:
        path, query = found[3] or "/", found[4]
    else:
        path, asked, rest = target.partition("?")
        query = rest if asked else None
    status, path = _normalised(path, merge=merge)
    if not status:
        status, path = _decoded(path, slashes)
    return Target(status, path, target, query, authority, scheme)


def _normalised(path: str, *, merge: bool) -> tuple[int, str]:
    """Decode what needs no code, merge slashes and go up at `..`, as `ap_normalize_path` does."""
    if not path.startswith("/") or _BAD_ESCAPE.search(path):
        return 400, path
    path = _UNRESERVED.sub(lambda found: chr(int(found[1], 16)), path)
    path = _SLASHES.sub("/", path) if merge else path
    kept: list[str] = []
    parts = path[1:].split("/")
    for number, part in enumerate(parts):
        if part not in (".", ".."):
            kept.append(part)
            continue
        if part == "..":
            if not kept:
                return 400, path
            kept.pop()
        if number == len(parts) - 1:
            kept.append("")
    return 0, "/" + "/".join(kept)


def _decoded(path: str, slashes: str) -> tuple[int, str]:
    def one(found: re.Match[str]) -> str:
        char = chr(int(found[1], 16))
        return found[0] if char == "/" and slashes == "nodecode" else char

    lowered = path.lower()
    if "%00" in lowered or ("%2f" in lowered and slashes == "off"):
        return 404, path
    return 0, re.sub("%([0-9A-Fa-f]{2})", one, path)


def encoded(path: str, *, slashes: str = "off") -> str:
    """Return a path as it is sent to a backend, as `ap_proxy_canonenc` encodes it.

    >>> encoded("/a b/?")
    '/a%20b/%3F'
    """
    kept = re.split("(%2[Ff])", path) if slashes == "nodecode" else [path]
    return "".join(
        part if number % 2 else "".join(char if char in _ALLOWED else f"%{ord(char):02X}" for char in part)
        for number, part in enumerate(kept)
    )
