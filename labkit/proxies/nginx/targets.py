"""Request-targets as nginx reads them: what is decoded, merged and resolved, and what is kept as it came."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Target", "escape", "parse_target"]


class Target(NamedTuple):
    """A request-target.

    Args:
        uri: the path as locations see it: decoded, its dots resolved, its slashes merged.
        args: the query.
        unparsed: the path and query as they came.
        quoted: whether anything in the path was written with a percent sign.
        kept: whether it goes on as it came where nothing changes it.
    """

    uri: str
    args: str = ""
    unparsed: str = ""
    quoted: bool = False
    kept: bool = True


_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://(?:\[[^\]]*\]|[A-Za-z0-9.\-]*)(?::[0-9]*)?")
_COMPLEX = re.compile(r"/[./]|[%#]")


def parse_target(target: str, *, merge: bool = True) -> Target | None:
    """Read a target that nginx's request line lets pass; None where its path is not valid.

    >>> parse_target("/a/../b//c%20d?x").uri, parse_target("/../x"), parse_target("http://host?x").uri
    ('/b/c d', None, '/')
    """
    absolute = _ABSOLUTE.match(target) if not target.startswith("/") else None
    rest = target[absolute.end() :] if absolute else target
    if absolute and not rest:
        return Target("/", unparsed="/")
    empty_path = rest.startswith("?")
    path, mark, args = rest.partition("?")
    if not empty_path and not _COMPLEX.search(path) and not ("#" in args and _COMPLEX.search(rest)):
        return Target(path, args, rest)
    resolved = _resolve(("/" if empty_path else "") + rest, merge=merge)
    if resolved is None:
        return None
    uri, rest_args = resolved
    return Target(uri, rest_args if mark else "", rest, "%" in path, not empty_path)


_HEX = re.compile(r"[0-9A-Fa-f]{2}")


def _resolve(text: str, *, merge: bool) -> tuple[str, str] | None:
    """Decode, merge and resolve (ngx_http_parse_complex_uri); None where it climbs above the root."""
    out: list[str] = []  # the path so far, a character each
    segment = 0  # where the segment in hand begins, behind its slash
    at = 0
    while at <= len(text):
        char = text[at] if at < len(text) else ""
        literal = False
        if char == "%":
            found = _HEX.match(text, at + 1)
            if not found or found[0] == "00":
                return None
            char, literal, at = chr(int(found[0], 16)), True, at + 2
        at += 1
        ends = char == "" or (char in "?#" and not literal)
        if not ends and char != "/":
            out.append(char)
            continue
        name = "".join(out[segment:])
        if segment and name in (".", ".."):
            del out[segment:]
            if name == "..":
                if segment < 2:
                    return None
                before = "".join(out[: segment - 1]).rfind("/") + 1
                del out[before:]
                segment = before
        elif not ends and not (merge and segment and not name):
            out.append("/")
            segment = len(out)
        if ends:
            args = text[at:].partition("#")[0] if char == "?" else ""
            return "".join(out), args
    return None


_UNSAFE = re.compile(r'[\x00-\x20"#%<>?\\^`{|}\x7f-\xff]')
_UNSAFE_ARGS = re.compile(r'[\x00-\x20"#%&+;<>?\\^`{|}\x7f-\xff]')


def escape(text: str, *, args: bool = False) -> str:
    """Escape a decoded path, or part of a query, for the way on (ngx_escape_uri).

    >>> escape("/a b")
    '/a%20b'
    """
    return (_UNSAFE_ARGS if args else _UNSAFE).sub(lambda found: f"%{ord(found[0]):02X}", text)
