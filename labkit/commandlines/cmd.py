r"""The words of a command line as Windows' cmd, and then the program it starts, read them.

    text  ──cmd──▶  ^x is x, ^ at a line's end goes on, & | < > are the shell's  ──program──▶  words
                                    "…" holds blanks; \" and "" are quotes in it

Both are done here in one pass each. Three ways of browsers to write such a line are read (Chrome's and
Edge's DevTools, escapeStringWin; Firefox's, of the same name):

    until 2017    "a""b" "%"      doubled quotes, each % between quotes
    until 2024    "a^\^"b^\^""    carets within plain quotes too, where cmd itself would keep them
    since then    ^"a^\^"b^\^"^"  the quotes have carets as well

The second is read as it was meant. A caret in plain quotes stays where it stands before a letter, a digit
or a blank. Chrome doubles every backslash, and a program halves only those before a quote: so do they arrive.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from labkit.commandlines.place import check_typed, cut, where
from labkit.errors import Refused, WrongUse

__all__ = ["cmd_words"]

_CURE = "the lab runs one program, without a shell: leave it out, or write a caret before it"
_OPERATORS = {"|": "a pipe", "&": "a command's end", "<": "a redirection", ">": "a redirection"}
_NEWLINE = re.compile(r"\r?\n")
_GAP = re.compile(r"[ \t]+\r?\n")
_MEANT = re.compile(r"[^\sA-Za-z0-9\"]")  # what a caret in plain quotes is an escape of, see above
# %NAME%, unless it can be a byte of a percent-encoded URL and the text after it.
_VARIABLE = re.compile(r"%(?![0-9A-Fa-f]{2}%|[AaBb][0-9A-Fa-f])([A-Za-z_]\w*)(?::[^%\n\"]*)?%", re.ASCII)


class _Character(NamedTuple):
    """A character that cmd hands on; `bare` where no caret stood before it."""

    text: str
    at: int
    bare: bool


def cmd_words(text: str, start: int = 0) -> list[str]:
    r"""Return the words of a command line, read by cmd's rules and then by those of a program of Microsoft's C.

    Args:
        text: the whole text.
        start: the offset at which the command begins.

    Raises:
        Refused: it asks for what only a shell can do.
        WrongUse: a quote has no end.

    >>> cmd_words('curl ^"http://a/?x=1^&y^" ^\n  -H ^"A: ^\\^"b^\\^"^" -e "c""d"')
    ['curl', 'http://a/?x=1&y', '-H', 'A: "b"', '-e', 'c"d']
    """
    return _split(text, _carets(text, start))


def _carets(text: str, at: int) -> list[_Character]:
    """Do cmd's part: take the carets away, join the lines, refuse variables and a second command."""
    handed: list[_Character] = []
    quoted = False
    while at < len(text):
        character = text[at]
        if character == "^" and (escaped := _escaped(text, at, handed, quoted=quoted)) is not None:
            handed += escaped[0]
            at = escaped[1]
            continue
        if character == "\n":
            _check_last(text, at)
            break
        if character == "%":
            _check_percent(text, at)
        if character == '"':
            quoted = not quoted
        if character != "\r" or not text.startswith("\n", at + 1):
            handed.append(_Character(character, at, bare=True))
        at += 1
    return handed


def _escaped(text: str, at: int, handed: list[_Character], *, quoted: bool) -> tuple[list[_Character], int] | None:
    """Return what a caret makes of what follows it, and where to go on; None where it stands for itself."""
    if newline := _NEWLINE.match(text, at + 1):
        again = _NEWLINE.match(text, newline.end())  # an escaped end of line, for the caret took the first
        kept = [_Character("\n", newline.end(), bare=False)] if again else []
        return kept, again.end() if again else newline.end()
    if at + 1 >= len(text):
        return [], at + 1  # the line was to go on, and nothing more was pasted
    following = text[at + 1]
    if quoted:
        after = handed[-1].text if handed else ""
        if not (_MEANT.match(following) or after == "%" or (following == '"' and after == "\\")):
            return None
    elif _GAP.match(text, at + 1):
        raise Refused(f"{where(text, at)}: a blank after the ^ at the line's end; take the blank away")
    return [_Character(following, at + 1, bare=False)], at + 2


def _check_last(text: str, at: int) -> None:
    rest = text[at:]
    if rest.strip():
        begins = at + len(rest) - len(rest.lstrip())
        raise Refused(
            f"{where(text, begins)}: a second command begins; give one command, "
            "with ^ as the last character of each line that goes on"
        )


def _check_percent(text: str, at: int) -> None:
    if found := _VARIABLE.match(text, at):
        raise Refused(f"{where(text, at)}: a variable ({cut(found[0])}); write what it stands for")


def _split(text: str, handed: list[_Character]) -> list[str]:
    """Do the program's part: quotes and backslashes."""
    words: list[str] = []
    word: list[str] | None = None
    opened: int | None = None  # where the quote that is open began
    at = 0
    while at < len(handed):
        character = handed[at]
        if character.text in " \t" and opened is None:
            if word is not None:
                words.append("".join(word))
            word = None
            at += 1
            continue
        word = [] if word is None else word
        if character.text in '\\"':
            literal, toggles, at = _quotes(handed, at, inside=opened is not None)
            word.append(literal)
            if toggles:
                opened = None if opened is not None else character.at
            continue
        if opened is None:
            _check_outside(text, character)
        word.append(character.text)
        at += 1
    if opened is not None:
        raise WrongUse(f'{where(text, opened)}: " opens a quote that has no end; close it')
    return words if word is None else [*words, "".join(word)]


def _quotes(handed: list[_Character], at: int, *, inside: bool) -> tuple[str, bool, int]:
    """Read backslashes and the quote behind them: the text, whether quoting changes, where to go on."""
    end = at
    while end < len(handed) and handed[end].text == "\\":
        end += 1
    count = end - at
    if end == len(handed) or handed[end].text != '"':
        return "\\" * count, False, end
    if count % 2:
        return "\\" * (count // 2) + '"', False, end + 1
    if inside and end + 1 < len(handed) and handed[end + 1].text == '"':
        return "\\" * (count // 2) + '"', False, end + 2
    return "\\" * (count // 2), True, end + 1


def _check_outside(text: str, character: _Character) -> None:
    if character.bare:
        if character.text in _OPERATORS:
            what = _OPERATORS[character.text]
            raise Refused(f"{where(text, character.at)}: {character.text} is {what}; {_CURE}")
        check_typed(text, character.at)
