"""Whether the path of a request can run into the host of a backend's URL, and so name another host.

    RewriteRule ^/(.*) http://backend$1 [P]      GET /@elsewhere/  ─▶  http://backend@elsewhere/

Held against httpd 2.4.71: it takes all up to the next slash for the authority, `?` and `#` among it, and what stands
behind the last @ for the host. mod_rewrite alone takes a query off first. So a slash must follow the host, or
something that begins with one for sure: `%{REQUEST_URI}`, or a group that captures one first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from labkit.proxies.apache.patterns import LOCATIONS
from labkit.proxies.apache.reading import Line, plain
from labkit.proxies.apache.upstreams import Found, flags

__all__ = ["begins_with_slash", "runs_on", "stays_rooted"]

_REQUEST_URI = "%{REQUEST_URI}"
_LONGEST = 1000  # characters of an expression that is looked at
_DEEPEST = 20  # groups inside groups
_MAY_LACK = frozenset("?*{")
_MAY_REPEAT = frozenset("*+{")
_UNTOLD = ("\\Q", "\\K", "\\c", "(*", " ", "\t", "\n", "#")  # quoted text, verbs, what the extended syntax skips
_DEEPER = {"(": 1, ")": -1}


class _Subject(NamedTuple):
    """An expression whose groups a URL takes up.

    Args:
        pattern: as it is written; None where there is none, so that all groups are empty.
        rooted: whether all that it is held against begins with a slash.
    """

    pattern: str | None
    rooted: bool


def stays_rooted(lines: Iterable[Line]) -> bool:
    """Tell whether the path of a request begins with a slash, whatever these lines make of it.

    >>> stays_rooted([Line("RewriteRule", "^/a/(.*) $1")]), stays_rooted([Line("RewriteRule", "^/a/(.*) /$1")])
    (False, True)
    """
    return not any(_unroots(line) for line in lines)


def _unroots(line: Line) -> bool:
    args = [word.lower() for word in line.args]
    if line.key == "rewriterule":
        return len(args) > 1 and not (args[1] == "-" or args[1].startswith("/") or "://" in args[1])
    return (line.key == "rewriteoptions" and "allowanyuri" in args) or (
        line.key == "httpprotocoloptions" and "unsafe" in args
    )


def runs_on(found: Found, around: Sequence[Line], *, rooted: bool) -> str:
    """Return how to write the URL of a line so that no request can change its host; empty where none can.

    Args:
        found: the backend.
        around: the sections that the line stands in, the innermost last.
        rooted: whether the path of every request begins with a slash, see `stays_rooted`.
    """
    url = found.backend
    subject = _subject(found.line, around, rooted=rooted)
    if url.tail.startswith("?") and found.line.key == "rewriterule" and not {"qsl", "qslast"} & set(flags(found.line)):
        return ""
    if subject is not None:
        closed = _closed(url.tail, subject, of_rule=found.line.key == "rewriterule")
    else:
        lacks = not url.tail and (found.line.key != "proxypass" or _takes_whole(found.line, around))
        closed = url.tail.startswith("/") or lacks
    return "" if closed else plain(f"{url.scheme}://{url.address}/{url.tail.lstrip('#')}")


def _subject(line: Line, around: Sequence[Line], *, rooted: bool) -> _Subject | None:
    """Return the expression of a line; None where it has none, but a path."""
    args, inside = line.args, next((each for each in reversed(around) if each.key in LOCATIONS), None)
    if line.key == "rewriterule":
        server = all(each.key == "virtualhost" for each in around)  # else it is held against what is left of a path
        return _Subject(None if args[0].startswith("!") else args[0], rooted and server)
    if line.key not in ("proxypass", "proxypassmatch"):
        return None
    if inside is not None:
        matched = line.key == "proxypassmatch" or inside.key == "locationmatch" or inside.args[:1] == ("~",)
        return _Subject(inside.args[-1] if inside.args else None, rooted) if matched else None
    if args[0] == "~":
        return _Subject(args[1], rooted)
    return _Subject(args[0], rooted) if line.key == "proxypassmatch" else None


def _takes_whole(line: Line, around: Sequence[Line]) -> bool:
    """Tell whether what a path leaves begins with a slash: it ends in none itself, nor in what is known later."""
    inside = next((each for each in reversed(around) if each.key in LOCATIONS), None)
    path = (inside.args or ("/",))[-1] if inside is not None else line.args[0]
    return not path.endswith("/") and "$" not in path


def _closed(tail: str, subject: _Subject, *, of_rule: bool) -> bool:
    """Tell whether what follows a host begins with a slash, or is nothing."""
    while tail and not tail.startswith("/"):
        if tail.upper().startswith(_REQUEST_URI):
            return subject.rooted and of_rule
        if tail[0] != "$" or not tail[1:2].isdecimal():
            return False
        if subject.pattern is not None:
            number = int(tail[1])
            if not begins_with_slash(subject.pattern, number, rooted=subject.rooted):
                return False
            if _takes_part(subject.pattern, number):
                return True
        tail = tail[2:]
    return bool(tail) or of_rule or subject.rooted  # ProxyPassMatch puts the path behind a URL without a $1


# expressions


def begins_with_slash(pattern: str, number: int, *, rooted: bool = False) -> bool:
    """Tell whether what a group of an expression captures begins with a slash for sure, if it captures anything.

    Args:
        pattern: the expression, in the syntax of PCRE.
        number: of the group, 0 for all that matches.
        rooted: whether all that the expression is held against begins with a slash.

    >>> begins_with_slash("^/app(/.*)?$", 1), begins_with_slash("^/app(.*)$", 1)
    (True, False)
    >>> begins_with_slash("^(.*)$", 1, rooted=True)
    True
    """
    if len(pattern) > _LONGEST or any(each in pattern for each in _UNTOLD):
        return False
    groups = _groups(pattern)
    if groups is None or number > len(groups):
        return False
    if number == 0:
        begins, _ = _branches(pattern, 0)
        return all(_slash(pattern, at) or (rooted and pattern[at : at + 1] == "^") for at in begins)
    start, _ = groups[number - 1]
    begins, end = _branches(pattern, start + 1)
    if rooted and pattern[:start] == "^" and pattern[end + 1 : end + 2] not in _MAY_REPEAT:
        return True
    return all(_slash(pattern, at) for at in begins)


def _takes_part(pattern: str, number: int) -> bool:
    """Tell whether a group captures something in every match."""
    groups = _groups(pattern)
    if groups is None or not 0 < number <= len(groups) or len(_branches(pattern, 0)[0]) > 1:
        return False
    start, depth = groups[number - 1]
    _, end = _branches(pattern, start + 1)
    return not depth and pattern[end + 1 : end + 2] not in _MAY_LACK


def _groups(pattern: str) -> list[tuple[int, int]] | None:
    """Return where each group that captures begins, and how deep; None where some are counted in another way."""
    found, depth, at = [], 0, 0
    while at < len(pattern):
        if pattern[at] == "(":
            if pattern[at + 1 : at + 2] != "?":
                found.append((at, depth))
            elif pattern[at + 2 : at + 3] not in (":", "=", "!"):
                return None
        depth += _DEEPER.get(pattern[at], 0)
        at = _after(pattern, at)
    return found


def _branches(pattern: str, start: int) -> tuple[list[int], int]:
    """Return where the alternatives of a group begin, whose first begins at `start`, and where the group ends."""
    begins, depth, at = [start], 0, start
    while at < len(pattern) and not (pattern[at] == ")" and not depth):
        if pattern[at] == "|" and not depth:
            begins.append(at + 1)
        depth += _DEEPER.get(pattern[at], 0)
        at = _after(pattern, at)
    return begins, at


def _after(pattern: str, at: int) -> int:
    """Return where the character behind an escaped one, a class of characters or a plain one stands."""
    if pattern[at] == "\\":
        return at + 2
    if pattern[at] != "[":
        return at + 1
    at += 2 if pattern[at + 1 : at + 2] == "^" else 1
    at += pattern[at : at + 1] == "]"
    while at < len(pattern) and pattern[at] != "]":
        named = pattern.find(":]", at + 2) if pattern.startswith("[:", at) else -1
        at = named + 2 if named > 0 else at + (2 if pattern[at] == "\\" else 1)
    return at + 1


def _slash(pattern: str, at: int, deep: int = 0) -> bool:
    """Tell whether an alternative begins with a slash."""
    at += pattern[at : at + 1] == "^"
    size = next((len(each) for each in ("/", "\\/") if pattern.startswith(each, at)), 0)
    if size:
        return pattern[at + size : at + size + 1] not in _MAY_LACK
    inner = next((len(each) for each in ("(?:", "(") if pattern.startswith(each, at)), 0)
    if not inner or pattern[at + inner : at + inner + 1] == "?" or deep > _DEEPEST:
        return False
    begins, end = _branches(pattern, at + inner)
    return pattern[end + 1 : end + 2] not in _MAY_LACK and all(_slash(pattern, each, deep + 1) for each in begins)
