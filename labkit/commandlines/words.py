"""A pasted command line's words, bash's or cmd's by its look; and words as a line that can be copied."""

from __future__ import annotations

import re
from collections.abc import Sequence

from labkit.commandlines.bash import bash_words
from labkit.commandlines.cmd import cmd_words
from labkit.errors import Refused, WrongUse

__all__ = ["LONGEST", "quoted", "words"]

LONGEST = 64 << 10
"""The most bytes of a command line, in UTF-8."""

# What stands before a pasted command: blank lines, comments, a prompt.
_BEFORE = re.compile(
    r"(?:[ \t]*(?:#[^\n]*)?\r?\n|\ufeff)*[ \t]*"
    r"(?:\$ +|> +|!|[\w.-]+@[\w.-]+:[^\s$#]*[$#] +|[A-Za-z]:\\[^<>\"\n]*> *)?"
)
# The first of these tells cmd from bash: a caret before a quote or at a line's end, each % between quotes;
# against a word that begins with ', or a backslash at a line's end.
_LOOK = re.compile(r"(?P<cmd>\^\"|\^[ \t]*\r?\n|\^\s*\Z|\"%\")|(?P<bash>(?:^|(?<=[\s$]))'|\\\r?\n)")

_BARE = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
_NAMED = {
    "\a": "a",
    "\b": "b",
    "\x1b": "e",
    "\f": "f",
    "\n": "n",
    "\r": "r",
    "\t": "t",
    "\v": "v",
    "\\": "\\",
    "'": "'",
}
_HALF = re.compile("[\ud800-\udfff]")
_HALF_BUT_BYTES = re.compile("[\ud800-\udc7f\udd00-\udfff]")


def words(text: str) -> list[str]:
    r"""Split a command line as bash, or Windows' cmd, would; nothing is run and nothing is filled in.

    Which of the two it is, its look tells: carets before quotes or at the ends of lines are cmd's. A prompt
    and comments before the command are skipped.

    Args:
        text: the line, of at most `LONGEST` bytes; it may go over several lines as the shell has it.

    Raises:
        Refused: it asks for what only a shell can do, or is too long; the text says where and what to do.
        WrongUse: it cannot be read: a quote without an end, say.

    >>> words("$ curl -H 'Upgrade: websocket' \\\n  http://example.com/")
    ['curl', '-H', 'Upgrade: websocket', 'http://example.com/']
    >>> words('curl ^"http://example.com/^" ^\n  -H ^"A: b^"')
    ['curl', 'http://example.com/', '-H', 'A: b']
    >>> words("curl 'example.com")
    Traceback (most recent call last):
    ...
    labkit.errors.WrongUse: column 6: ' opens a quote that has no end; close it with '
    """
    _check(text)
    before = _BEFORE.match(text)
    start = before.end() if before else 0
    look = _LOOK.search(text, start)
    return cmd_words(text, start) if look and look.lastgroup == "cmd" else bash_words(text, start)


def _check(text: object) -> None:
    if not isinstance(text, str):
        raise WrongUse(f"a command line is text, not {type(text).__name__}")
    size = len(text) if len(text) > LONGEST else len(text.encode("utf-8", "surrogatepass"))
    if size > LONGEST:
        raise Refused(f"the command line has {size} bytes; at most {LONGEST} are read: send the content another way")
    for pattern, name in ((re.compile("\0"), "a NUL"), (_HALF, "half a character")):
        if found := pattern.search(text):
            raise WrongUse(f"offset {found.start()}: {name}, which no argument can hold; take it out")


def quoted(words: Sequence[str]) -> str:
    r"""Return a line for bash that means these words; it can be copied, and shows what is not visible.

    Args:
        words: the words; a byte that is not UTF-8 is a surrogate escape, as `words` gives it.

    Raises:
        WrongUse: a word holds a NUL, or half a character.

    >>> print(quoted(["curl", "-H", "A: it's", "a\r\n", ""]))
    curl -H 'A: it'\''s' $'a\r\n' ''
    """
    return " ".join(_quoted(word) for word in words)


def _quoted(word: str) -> str:
    if "\0" in word or _HALF_BUT_BYTES.search(word):
        raise WrongUse(f"{word!a} holds a NUL or half a character, which no argument can hold; take it out")
    if _BARE.fullmatch(word):
        return word
    if word.isprintable():
        return "'" + word.replace("'", r"'\''") + "'"
    return "$'" + "".join(_escape(character) for character in word) + "'"


def _escape(character: str) -> str:
    code = ord(character)
    if character in _NAMED:
        return "\\" + _NAMED[character]
    if character.isprintable():
        return character
    if code < 0x80 or 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code & 0xFF:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
