"""Text made harmless and measured in columns: what a terminal, a browser and a test agree on.

Whatever crossed the wire may stand in a label: control characters, marks that turn the reading
direction, characters two columns wide. `clean` makes all of it visible, `columns` says how wide it
is, `fit` and `wrap` cut it to a width.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

__all__ = ["clean", "columns", "fit", "wide", "wrap"]

_PLAIN = re.compile(r"[ -~]*")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})  # drawn as nothing, or turning what follows
_MARKS = frozenset({"Mn", "Me"})  # drawn over the character before them
_LONGEST = 4  # characters that one of Unicode's ligatures may stand for: some are drawn eighteen wide
_MOST_MARKS = 2  # more of them in a row would spill over the lines above and below


def clean(text: str, most: int = 240) -> str:
    r"""Return `text` with everything that is not drawn as itself written out, at most `most` characters.

    >>> clean("a\tb\u202ec")
    'a\\tb\\u202ec'
    """
    cut = text[: most + 1]
    if len(text) > most:
        cut = cut[: most - 1] + "…"
    if _PLAIN.fullmatch(cut):
        return cut
    out: list[str] = []
    marks = 0
    for char in cut:
        kind = unicodedata.category(char)
        marks = marks + 1 if kind in _MARKS else 0
        hidden = kind in _HIDDEN or marks > _MOST_MARKS or (marks and not out) or _odd(char, kind)
        out.append(char.encode("unicode_escape").decode("ascii") if hidden else char)
    return "".join(out)


def _odd(char: str, kind: str) -> bool:
    """Tell whether a character is a space that is not the space, or one that stands for a whole phrase."""
    return (kind == "Zs" and char != " ") or len(unicodedata.normalize("NFKC", char)) > _LONGEST


def columns(text: str) -> int:
    """Return how many columns of a terminal `text` takes.

    >>> columns("abc"), columns("日本")
    (3, 4)
    """
    if text.isascii():
        return len(text)
    return sum(wide(char) for char in text)


def wide(char: str) -> int:
    """Return how many columns one character takes: 0, 1 or 2."""
    if unicodedata.category(char) in _MARKS:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def fit(text: str, width: float, size: Callable[[str], float] = wide) -> str:
    """Return `text` cut to `width`, with … where something is left out; `size` is a character's own width.

    >>> fit("Sec-WebSocket-Key", 8)
    'Sec-Web…'
    """
    if _head(text, width, size) == text:
        return text
    return _head(text, max(0, width - size("…")), size) + "…"


def _head(text: str, width: float, size: Callable[[str], float]) -> str:
    taken: float = 0
    for place, char in enumerate(text):
        taken += size(char)
        if taken > width:
            return text[:place]
    return text


def wrap(text: str, width: float, most: int = 3, indent: int = 0, size: Callable[[str], float] = wide) -> list[str]:
    """Return `text` in at most `most` lines of `width`; the last ends in … where more was to come.

    Lines are broken at spaces, and inside a word where no space is near. Lines after the first are
    indented by `indent` spaces. Widths are columns, unless `size` says how wide a character is.

    >>> wrap("HTTP/1.1 101 Switching Protocols", 20)
    ['HTTP/1.1 101', 'Switching Protocols']
    """
    lines: list[str] = []
    rest = text
    while rest:
        lead = " " * indent if lines else ""
        room = max(2 * size("W"), width - len(lead) * size(" "))
        head = _head(rest, room, size)
        if head == rest or len(lines) == most - 1:
            lines.append(lead + fit(rest, room, size))
            break
        space = head.rfind(" ") if not rest[len(head) :].startswith(" ") else len(head)
        word = rest[space:].lstrip().split(" ", 1)[0]
        if space <= 0 or (space < len(head) // 2 and fit(word, room - indent * size(" "), size) != word):
            space = len(head)
        lines.append(lead + rest[:space].rstrip())
        rest = rest[space:].lstrip()
    return lines or [""]
