r"""The words of HAProxy's lines, read and written as HAProxy reads them (`parse_line` in tools.c).

A shell's reader will not do: `lua\x2dload` and `"lua-load$NOTHING"` are lua-load to HAProxy, and something else to a
shell. What is read here is written anew, so that HAProxy sees the very words that were looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from labkit.errors import WrongUse

__all__ = ["Line", "joined", "lines"]

_PIECE = re.compile(
    r"""(?P<end>[\#\r\n]) | (?P<space>\s+) | '(?P<strong>[^']*)' | "(?P<weak>(?:\\.|[^"\\])*)" | (?P<quote>["'])
    | (?P<escape>\\x[0-9a-fA-F]{2} | \\[ \\\#tnr'"]) | (?P<bad>\\x) | (?P<plain>[^\s"'\\\#]+ | \\)""",
    re.VERBOSE,
)
_IN_WEAK = re.compile(
    r"""\\x(?P<hex>[0-9a-fA-F]{2}) | \\(?P<kept>[ \\\#tnr'"$])
    | \$(?:\{(?P<braced>\w+)(?:-(?P<default>[^}]*)|\[\*\])?\}|(?P<bare>\w+))""",
    re.VERBOSE,
)
_MEANT = {"t": "\t", "n": "\n", "r": "\r"}
_BARE = re.compile(r"[^\s\"'\\#$]+")


class Line(NamedTuple):
    """A line: its number in the text, its words, how it is written, and the environment's variables that it names."""

    number: int
    words: tuple[str, ...]
    raw: str
    variables: tuple[str, ...] = ()


def lines(text: str) -> Iterator[Line]:
    r"""Yield each line that has words.

    Raises:
        WrongUse: a quote is not closed, or an escape is none.

    >>> [each.words for each in lines(r"acl a path -m reg ^/a\\.b  # and so on")]
    [('acl', 'a', 'path', '-m', 'reg', '^/a\\.b')]
    """
    for number, raw in enumerate(text.splitlines(), 1):
        words, variables = _words(number, raw)
        if words:
            yield Line(number, tuple(words), raw.strip(), tuple(variables))


def _words(number: int, raw: str) -> tuple[list[str], list[str]]:
    words: list[str] = []
    variables: list[str] = []
    inside = False  # a word
    for found in _PIECE.finditer(raw):
        kind = found.lastgroup
        if kind == "end":
            break
        if kind == "quote":
            raise WrongUse(f"line {number}: a quote is opened and not closed: {raw.strip()}")
        if kind == "bad":
            raise WrongUse(f"line {number}: two hexadecimal digits belong behind \\x: {raw.strip()}")
        if kind == "space":
            inside = False
            continue
        if not inside:
            words.append("")
            inside = True
        words[-1] += _weak(found["weak"], variables) if kind == "weak" else _meant(found)
    if any("\0" in word for word in words):
        raise WrongUse(f"line {number}: a NUL ends the line for HAProxy: {raw.strip()}")
    return words, variables


def _meant(found: re.Match[str]) -> str:
    if found["escape"]:
        escape = found["escape"][1:]
        return chr(int(escape[1:], 16)) if escape[0] == "x" else _MEANT.get(escape, escape)
    return found["strong"] or found["plain"] or ""


def _weak(text: str, variables: list[str]) -> str:
    """Return what stands in double quotes; a variable of the environment is empty, or its default."""

    def meant(found: re.Match[str]) -> str:
        if found["hex"]:
            return chr(int(found["hex"], 16))
        if found["kept"]:
            return _MEANT.get(found["kept"], found["kept"])
        variables.append(found["braced"] or found["bare"])
        return found["default"] or ""

    return _IN_WEAK.sub(meant, text)


def joined(words: Iterable[str]) -> str:
    r"""Return words as a line that HAProxy reads as these words.

    >>> print(joined(["acl", "a", "path_reg", "^/it's\\.$"]))
    acl a path_reg '^/it'\''s\.$'
    """
    return " ".join(word if _BARE.fullmatch(word) else _quoted(word) for word in words)


def _quoted(word: str) -> str:
    for char, written in (("'", "\\'"), ("\n", "\\n"), ("\r", "\\r")):
        word = word.replace(char, f"'{written}'")
    return f"'{word}'"
