"""The words of a command line as bash reads them; what only a shell can do is refused by name."""

from __future__ import annotations

import re

from labkit.commandlines.place import check_typed, cut, where
from labkit.errors import Refused, WrongUse

__all__ = ["bash_words"]

_PASTE = "the lab runs one program, without a shell: run that by itself, and paste what it prints in its place"
_CURE = "the lab runs one program, without a shell: leave it out, or put the text in '…'"

# What ends a word in bash and does something else there (bash manual, 2 Definitions: control operators; 3.6).
_OPERATORS = {
    "|": "a pipe",
    "&": "a command's end (& stands in many a URL: put the URL in '…')",
    ";": "a command's end",
    "<": "a redirection",
    ">": "a redirection",
    "(": "a subshell",
    ")": "a subshell",
}
_EXPANSIONS = (  # bash manual, 3.5.3 to 3.5.6, and what they are called
    (re.compile(r"\$\("), "a command substitution, $(…)"),
    (re.compile(r"\$\{"), "a variable, ${…}"),
    (re.compile(r"\$\["), "an arithmetic expansion, $[…]"),
    (re.compile(r"\$(?:[A-Za-z_]\w*|[0-9@*#?$!-])", re.ASCII), "a variable"),
    (re.compile("`"), "a command substitution, `…`"),
)
_BRACES = re.compile(r"\{[^\s'\"{}]*\}")  # bash manual, 3.5.1, where a comma or two dots stand in them
_POWERSHELL = re.compile(r"`[ \t]*\r?\n")
_NEWLINE = re.compile(r"\r?\n")
_GOES_ON = re.compile(r"\\\r?\n[ \t]*\Z")
_GAP = re.compile(r"[ \t]+\r?\n")
_IN_DOUBLE = re.compile(r"[^\"\\$`]+")
_IN_ANSI = re.compile(r"[^'\\]+")
_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./?*^!\[\]-]+")  # never anything but itself; the rest is looked at one by one

_SIMPLE = {  # bash manual, 3.1.2.4 ANSI-C Quoting
    "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", "'": "'", '"': '"', "?": "?",
}  # fmt: skip
_NUMBERED = re.compile(
    r"(?P<octal>[0-7]{1,3})|x(?P<byte>[0-9A-Fa-f]{1,2})|u(?P<short>[0-9A-Fa-f]{1,4})|U(?P<long>[0-9A-Fa-f]{1,8})"
)
_LOW_HALF = re.compile(r"\\u([Dd][C-Fc-f][0-9A-Fa-f]{2})")


def bash_words(text: str, start: int = 0) -> list[str]:
    r"""Return the words of a command line, read by bash's rules of quoting.

    Bytes that are not UTF-8, as ``$'\xe9'`` gives them, come back as Python's own surrogate escapes, so that
    the program gets those bytes. Two ``\u`` halves are one character: browsers write them so.

    Args:
        text: the whole text.
        start: the offset at which the command begins.

    Raises:
        Refused: it asks for what only a shell can do.
        WrongUse: a quote has no end, or an escape means no text.

    >>> bash_words(r"curl -H 'A: b' $'it\'s' a\ b")
    ['curl', '-H', 'A: b', "it's", 'a b']
    """
    return _Bash(text, start).read()


class _Bash:
    """One pass over the text; `_word` is the word that is being read, None between words."""

    def __init__(self, text: str, start: int) -> None:
        self._text = text
        self._at = start
        self._words: list[str] = []
        self._word: list[str] | None = None
        self._line_ended = False

    def read(self) -> list[str]:
        steps = {
            " ": self._blank, "\t": self._blank, "\n": self._line_end, "\r": self._return, "\\": self._backslash,
            "'": self._single, '"': self._double, "$": self._dollar, "`": self._expansion, "#": self._hash,
            "{": self._brace, "~": self._tilde, **dict.fromkeys(_OPERATORS, self._operator),
        }  # fmt: skip
        while self._at < len(self._text):
            step = steps.get(self._text[self._at], self._plain)
            if self._line_ended and step not in (self._blank, self._line_end, self._return, self._hash):
                raise Refused(
                    f"{where(self._text, self._at)}: a second command begins; give one command, "
                    "with \\ as the last character of each line that goes on"
                )
            step()
        self._end_word()
        return self._words

    def _add(self, text: str) -> None:
        if self._word is None:
            self._word = []
        self._word.append(text)

    def _end_word(self) -> None:
        if self._word is not None:
            # Bytes that were written one by one may be a character together.
            whole = "".join(self._word).encode("utf-8", "surrogateescape")
            self._words.append(whole.decode("utf-8", "surrogateescape"))
        self._word = None

    def _here(self) -> str:
        return where(self._text, self._at)

    def _no_shell(self, what: str) -> Refused:
        return Refused(f"{self._here()}: {what}; {_PASTE if 'substitution' in what else _CURE}")

    # Between words and outside quotes.

    def _blank(self) -> None:
        self._end_word()
        self._at += 1

    def _line_end(self) -> None:
        self._end_word()
        self._line_ended = bool(self._words)
        self._at += 1

    def _return(self) -> None:
        if _NEWLINE.match(self._text, self._at):
            self._at += 1  # of CR LF, the LF is looked at next
        else:
            self._plain()

    def _hash(self) -> None:
        if self._word is None:  # a comment, up to the end of the line (bash manual, 3.1.3)
            end = self._text.find("\n", self._at)
            self._at = len(self._text) if end < 0 else end
        else:
            self._take(1)

    def _plain(self) -> None:
        check_typed(self._text, self._at)
        run = _PLAIN.match(self._text, self._at)
        self._take(len(run[0]) if run else 1)

    def _take(self, count: int) -> None:
        self._add(self._text[self._at : self._at + count])
        self._at += count

    def _backslash(self) -> None:
        if newline := _NEWLINE.match(self._text, self._at + 1):
            self._at = newline.end()
        elif _GAP.match(self._text, self._at + 1):
            raise Refused(f"{self._here()}: a blank after the \\ at the line's end; take the blank away")
        elif self._at + 1 < len(self._text):
            self._at += 1
            self._take(1)
        else:
            self._at += 1  # the line was to go on, and nothing more was pasted

    def _operator(self) -> None:
        character = self._text[self._at]
        if character == ">" and _GOES_ON.search(self._text, max(0, self._at - 40), self._at):
            raise Refused(f"{self._here()}: > at the start of a line is the terminal's prompt; take it away")
        if character in "<>" and self._text.startswith("(", self._at + 1):
            raise self._no_shell(f"a process substitution, {character}(…)")
        raise self._no_shell(f"{character} is {_OPERATORS[character]}")

    def _brace(self) -> None:
        found = _BRACES.match(self._text, self._at)
        if found and ("," in found[0] or ".." in found[0]):
            raise self._no_shell(f"{cut(found[0])} stands for several words")
        self._take(1)

    def _tilde(self) -> None:
        if self._word is None:
            raise self._no_shell("~ at the start of a word is a home folder")
        self._take(1)

    def _expansion(self) -> None:
        if _POWERSHELL.match(self._text, self._at):
            raise Refused(
                f"{self._here()}: ` at a line's end is PowerShell's; "
                "in the browser, choose Copy as cURL (bash), or (cmd)"
            )
        for pattern, name in _EXPANSIONS:
            if found := pattern.match(self._text, self._at):
                shown = f" ({cut(found[0])})" if name == "a variable" else ""
                raise self._no_shell(name + shown)

    def _dollar(self) -> None:
        if self._text.startswith("$'", self._at):
            self._ansi()
        elif self._text.startswith('$"', self._at):  # a text that bash may translate; here it is as it stands
            self._at += 1
        else:
            self._expansion()
            self._take(1)

    # Quotes.

    def _end_of(self, quote: str, start: int) -> WrongUse:
        return WrongUse(f"{where(self._text, start)}: {quote} opens a quote that has no end; close it with {quote[-1]}")

    def _single(self) -> None:
        end = self._text.find("'", self._at + 1)
        if end < 0:
            raise self._end_of("'", self._at)
        self._add(self._text[self._at + 1 : end])
        self._at = end + 1

    def _double(self) -> None:
        start, text = self._at, self._text
        self._add("")
        self._at += 1
        while not text.startswith('"', self._at):
            if self._at >= len(text):
                raise self._end_of('"', start)
            if text[self._at] == "\\":
                self._escaped_in_double()
            elif run := _IN_DOUBLE.match(text, self._at):
                self._take(len(run[0]))
            else:
                self._expansion()
                self._take(1)
        self._at += 1

    def _escaped_in_double(self) -> None:
        if newline := _NEWLINE.match(self._text, self._at + 1):
            self._at = newline.end()
        elif self._text.startswith(("$", "`", '"', "\\"), self._at + 1):
            self._at += 1
            self._take(1)
        else:
            self._take(1)

    def _ansi(self) -> None:
        start, text = self._at, self._text
        self._add("")
        self._at += 2
        while not text.startswith("'", self._at):
            if self._at + 1 >= len(text):  # a backslash as the last character closes nothing either
                raise self._end_of("$'", start)
            run = _IN_ANSI.match(text, self._at)
            if run is None:
                self._escape()
            else:
                self._take(len(run[0]))
        self._at += 1

    def _escape(self) -> None:
        """Read one escape of ``$'…'``; one that bash does not know stays as it is."""
        following = self._text[self._at + 1]
        if following in _SIMPLE:
            self._add(_SIMPLE[following])
            self._at += 2
        elif number := _NUMBERED.match(self._text, self._at + 1):
            self._add(self._numbered(number))
        elif following == "c" or self._text.startswith("x{", self._at + 1):
            raise Refused(rf"{self._here()}: the escape \{following}… is not read here; write it as \xHH")
        else:
            self._take(2)

    def _numbered(self, number: re.Match[str]) -> str:
        kind = str(number.lastgroup)
        value = int(number[kind], 8 if kind == "octal" else 16)
        end = number.end()
        if kind in ("octal", "byte"):
            value &= 0xFF
            character = chr(value) if value < 0x80 else chr(0xDC00 + value)
        elif 0xD800 <= value < 0xDC00 and (low := _LOW_HALF.match(self._text, end)):
            character = chr(0x10000 + ((value & 0x3FF) << 10) + (int(low[1], 16) & 0x3FF))
            end = low.end()
        elif 0xD800 <= value < 0xE000 or value > 0x10FFFF:
            raise WrongUse(f"{self._here()}: \\{number[0]} is no character; take it out, or write its other half too")
        else:
            character = chr(value)
        if character == "\0":
            raise WrongUse(f"{self._here()}: \\{number[0]} is a NUL, which no argument can hold; take it out")
        self._at = end
        return character
