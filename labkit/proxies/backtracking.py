"""Regular expressions that could take for ever: Python, unlike PCRE as nginx and Apache use it, tries on and on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["endless"]

_MOST_REPEATS = 6  # without an end, in one expression
_FEW = 20  # times that something may be repeated and counts as bounded
_PIECE = re.compile(
    r"""(?P<class>\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]) | (?P<open>\((?:\?(?:[:=!>|]|<[=!]|P?<\w+>|[a-zA-Z-]+[:)]))?)
    | (?P<close>\)) | (?P<either>\|) | (?P<repeat>[*+]|\{\d*,?\d*\}) | (?P<maybe>\?) | (?P<atom>\\.|.)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(slots=True)
class _Group:
    """What is in a group: whether something in it repeats without an end, and how its alternatives begin."""

    repeats: bool = False
    begins: list[str] = field(default_factory=lambda: [""])

    @property
    def ambiguous(self) -> bool:
        """Whether one text could be read in two ways, as far as it can be seen."""
        alike = {"", "any"} & {*self.begins} or len({*self.begins}) < len(self.begins)
        return self.repeats or (len(self.begins) > 1 and bool(alike))


def endless(text: str) -> bool:
    """Tell whether matching an expression could take for ever, as far as its shape says so.

    That is, what repeats without an end holds what does so too, or alternatives that begin alike; or there are many.

    >>> endless("^/(a+)+$"), endless("(a|ab)*c"), endless("^/user/([^/]+)/(ws|api)(/.*)?$")
    (True, True, False)
    """
    groups, last = [_Group()], _Group()
    count = 0
    for kind, piece in _pieces(text):
        if kind == "open":
            groups.append(_Group())
            continue
        if kind == "close" and len(groups) > 1:
            last = groups.pop()
            groups[-1].repeats |= last.repeats
        elif kind == "either":
            groups[-1].begins.append("")
        elif kind == "repeat":
            if _has_end(piece):
                continue
            if last.ambiguous:
                return True
            count += 1
            groups[-1].repeats = True
        elif kind != "maybe":
            last = _Group()
        if kind in ("atom", "class", "close") and not groups[-1].begins[-1]:
            groups[-1].begins[-1] = piece if kind == "atom" and piece != "." and piece[0] != "\\" else "any"
    return count > _MOST_REPEATS


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    for found in _PIECE.finditer(text):
        yield found.lastgroup or "", found[0]


def _has_end(repeat: str) -> bool:
    if repeat in "*+":
        return False
    _, comma, most = repeat[1:-1].partition(",")
    return not comma or (most.isdigit() and int(most[:6]) <= _FEW)
