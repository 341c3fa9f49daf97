"""Where in a pasted text something stands, and the characters that a document puts in place of typed ones."""

from __future__ import annotations

from labkit.errors import Refused

__all__ = ["check_typed", "cut", "where"]

# What word processors, chats and web pages make of typed characters, and what was meant.
_LOOKALIKES = {
    **dict.fromkeys("“”„‟«»″", '"'),
    **dict.fromkeys("‘’‚‛′", "'"),
    **dict.fromkeys("–—−‐‑‒―", "-, or --"),
    **dict.fromkeys("\u00a0\u2002\u2003\u2007\u2009\u202f\u3000", "a plain space"),
    **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u200e\u200f", "nothing: take it away"),
}


_MOST_SHOWN = 60  # characters of what a message shows


def cut(text: str) -> str:
    r"""Return what a message shows of a text: not much of it, on one line.

    >>> cut("a\n"), cut("x" * 99)[-3:]
    ('a\\n', 'xx…')
    """
    shown = text[:_MOST_SHOWN]
    shown = shown if shown.isprintable() else ascii(shown)[1:-1]
    return shown if len(text) <= _MOST_SHOWN else f"{shown}…"


def where(text: str, at: int) -> str:
    r"""Say where a character stands, as an editor counts.

    Args:
        text: the whole text.
        at: the character's offset in it, from 0.

    >>> where("curl x", 5), where("curl ^\n x", 8)
    ('column 6', 'line 2, column 2')
    """
    before = text[:at]
    column = at - (before.rfind("\n") + 1) + 1
    return f"line {before.count(chr(10)) + 1}, column {column}" if "\n" in text.strip() else f"column {column}"


def check_typed(text: str, at: int) -> None:
    """Refuse a character outside quotes that a document put in place of a typed one.

    Raises:
        Refused: it is one of those; the text names it and what to type.

    >>> check_typed("curl –i x", 5)
    Traceback (most recent call last):
    ...
    labkit.errors.Refused: column 6: '–' (U+2013) comes from a document or a chat; type -, or --
    """
    meant = _LOOKALIKES.get(text[at])
    if meant is not None:
        shown = f"'{text[at]}' (U+{ord(text[at]):04X})" if text[at].isprintable() else f"U+{ord(text[at]):04X}"
        raise Refused(f"{where(text, at)}: {shown} comes from a document or a chat; type {meant}")
