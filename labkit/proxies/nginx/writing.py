"""Directives as text that nginx reads as these directives."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from labkit.proxies.directive import Directive

__all__ = ["shown", "written"]

_PLAIN = re.compile(r"(?:[^\s{};\"'\\#]|(?<=.)#|\$\{\w+\}|\\[^\s\"'\\trn{};])+")  # needs no quotes
_STEP = "    "
_MOST_SHOWN = 160  # characters of a directive in a note


def shown(directive: Directive) -> str:
    """Return a directive as a line of a note, a condition with its parentheses.

    >>> shown(Directive("if", ("$scheme", "=", "http"), block=()))
    'if ($scheme = http)'
    """
    told = f"if ({' '.join(directive.args)})" if directive.name == "if" else str(directive)
    told = " ".join(told.split())
    return told if len(told) <= _MOST_SHOWN else told[:_MOST_SHOWN] + "…"


def written(directives: Iterable[Directive]) -> str:
    r"""Return directives as the text of a file; behind each stands the line that it came from.

    >>> print(written([Directive("server", (), 1, (Directive("return", ("200", "a b\n"), 2),))]), end="")
    server {  # line 1
        return 200 "a b
    ";  # line 2
    }
    """
    return "".join(f"{line}\n" for line in _lines(directives, ""))


def _lines(directives: Iterable[Directive], indent: str) -> Iterator[str]:
    for each in directives:
        head = " ".join([_quoted(each.name), *_arguments(each)])
        origin = f"  # line {each.line}" if each.line else ""
        if each.block is None:
            yield f"{indent}{head};{origin}"
        else:
            yield f"{indent}{head} {{{origin}"
            yield from _lines(each.block, indent + _STEP)
            yield f"{indent}}}"


def _arguments(directive: Directive) -> Iterator[str]:
    if directive.name != "if":
        yield from map(_quoted, directive.args)
        return
    first, *others = directive.args or ("",)
    words = [_quoted(each) for each in others]
    opening = f"({first}" if _PLAIN.fullmatch(first) else f"( {_quoted(first)}"
    yield " ".join([opening, *words]) + ")"


def _quoted(word: str) -> str:
    if _PLAIN.fullmatch(word):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
