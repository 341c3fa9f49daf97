"""A pasted curl command line, read into one URL and options that only speak with one server.

text ──words──▶ words ──OPTIONS──▶ name, value ──VALUES──▶ CurlLine
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from labkit.commandlines.curl_options import LETTERS, CurlOption, found
from labkit.commandlines.curl_values import LEFT_OUT, VALUES
from labkit.commandlines.place import cut
from labkit.commandlines.words import words
from labkit.errors import Refused, WrongUse

__all__ = ["CurlLine", "read_curl", "read_words"]

_NAMES = ("curl", "curl.exe")
_POWERSHELL = re.compile(
    r"\s*(?:PS [^>\n]*> ?)?(?:\$\w+ *=|(?:Invoke-WebRequest|Invoke-RestMethod|iwr|irm)\b)", re.IGNORECASE
)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):/+")
_SPOKEN = ("http", "https", "ws", "wss")
_UNSEEN = re.compile(r"[\x00-\x20\x7f]")
# An IPv6 address, whose brackets are no pattern (RFC 3986, 3.2.2).
_LITERAL = re.compile(r"(?<=://)([^/?#@]*@)?\[[0-9A-Fa-f:.]+(?:%25[^\]/]*)?\]")
_ESCAPED = re.compile(r"\\([\[\]{}])")


_USUAL = "AGHILNSTXbdfiksuv"  # the letters that people write and know; the others are clearer as words
_FLAGS = {LETTERS[letter].name: f"-{letter}" for letter in _USUAL}


@dataclass(frozen=True)
class CurlLine:
    """What a curl command line asks for.

    Args:
        url: the one URL, with its scheme.
        options: the options in their order: the long name without dashes, and its value or None.
        notes: what was left out or changed, and why.

    >>> line = read_curl("curl -sX GET -H 'Upgrade: websocket' example.com")
    >>> line.url, line.value("header")
    ('http://example.com', 'Upgrade: websocket')
    >>> line.arguments()
    ['-s', '-X', 'GET', '-H', 'Upgrade: websocket', 'http://example.com']
    """

    url: str
    options: tuple[tuple[str, str | None], ...] = ()
    notes: tuple[str, ...] = ()

    def arguments(self) -> list[str]:
        """Return the arguments for the curl program, without its name: usual options by their letter, the URL last."""
        given = [[_FLAGS.get(name, f"--{name}"), value] for name, value in self.options]
        return [*(word for pair in given for word in pair if word is not None), self.url]

    def value(self, name: str) -> str | None:
        """Return the last value of an option; None where it does not stand in the line, or takes no value.

        Args:
            name: its long name, without dashes.
        """
        return next((value for each, value in reversed(self.options) if each == name), None)


def read_curl(text: str) -> CurlLine:
    """Read a curl command line, as typed or as a browser's "Copy as cURL" gives it; nothing is run.

    Options are known by their exact names alone: curl once took the beginnings of long names too, and does
    not any more. Patterns in the URL, ``{}`` and ``[]``, are refused, unless `--globoff` makes them plain.

    Args:
        text: the line, in bash's form or in that of Windows' cmd.

    Raises:
        Refused: it has an option, or something of a shell, that the lab does not do; the text names it.
        WrongUse: it cannot be read.

    >>> read_curl("curl -o page.html http://example.com/")
    Traceback (most recent call last):
    ...
    labkit.errors.Refused: -o page.html: it writes a file; leave it out, what curl prints is shown
    """
    if isinstance(text, str) and _POWERSHELL.match(text):
        raise Refused("this is PowerShell; in the browser, choose Copy as cURL (bash), or (cmd)")
    given = words(text)
    if not given:
        raise WrongUse("there is no command here; it begins with curl" + (", without #" if "#" in text else ""))
    if given[0] not in _NAMES:
        raise WrongUse(f"the line begins with {_short(given[0])}, not with curl; give the curl command alone")
    return read_words(given[1:])


def read_words(given: Sequence[str]) -> CurlLine:
    """Read curl's arguments, as `read_curl` does, where they are words already.

    Raises:
        Refused: there is an option that the lab does not do.
        WrongUse: they cannot be read.

    >>> read_words(["--http2", "http://example.com/"]).options
    (('http2', None),)
    """
    reader = _Reader(list(given))
    reader.read()
    return reader.line()


class _Reader:
    """One pass over the words behind curl."""

    def __init__(self, given: list[str]) -> None:
        self._left = given[::-1]  # the next word is the last
        self._options: list[tuple[str, str | None]] = []
        self._urls: list[str] = []
        self._notes: list[str] = []

    def read(self) -> None:
        """Sort the words into options and URLs."""
        only_urls = False
        while self._left:
            word = self._left.pop()
            if only_urls or not word.startswith("-"):
                self._option("a URL", "url", CurlOption("url", takes=True), word)
            elif word == "--":
                only_urls = True
            elif word.startswith("--"):
                self._long(word)
            else:
                self._short(word)

    def _long(self, word: str) -> None:
        name, equals, glued = word[2:].partition("=")
        if name.startswith("expand-"):
            raise Refused(f"--{cut(name)}: it fills in variables; write the text itself")
        known = found(name)
        if known is None:
            raise Refused(f"{_short(word)}: curl's manual has no such option; write its whole name")
        if equals and not known[1].takes and not known[1].refused:
            raise WrongUse(f"--{name} takes no value; write it without ={cut(glued)}")
        self._option(f"--{name}", known[0], known[1], glued if equals else None)

    def _short(self, word: str) -> None:
        """Read letters that share a dash; the first that takes a value has the rest of the word for it."""
        if word == "-":
            raise WrongUse("a - alone is no option and no URL; take it out")
        for at, letter in enumerate(word[1:], 1):
            row = LETTERS.get(letter)
            if row is None:
                raise Refused(f"-{letter}{_within(word)}: curl's manual has no such option; take it out")
            glued = word[at + 1 :] if row.takes else ""
            self._option(f"-{letter}{_within(word)}", row.name, row, glued or None)
            if row.takes:
                return

    def _option(self, shown: str, name: str, row: CurlOption, value: str | None) -> None:
        """Take one option, with its value or the next word; or refuse it."""
        if row.refused:
            cure = "" if ";" in row.refused else "; leave it out"
            raise Refused(f"{shown}{_long_of(shown, row)}: {row.refused}{cure}")
        if row.takes and value is None:
            if not self._left:
                raise WrongUse(f"{shown}{_long_of(shown, row)}: a value has to follow, and the line ends")
            value = self._left.pop()
        test = VALUES.get(row.name)
        if test is not None and value is not None and not test.allowed.fullmatch(value):
            raise Refused(f"{shown} {cut(value)}: {test.refused}")
        if row.name == "url":
            self._urls.append(value or "")
        elif row.name == "output":
            self._notes.append(f"{shown} {value} was left out: what curl prints is shown")
        elif row.name in LEFT_OUT:
            self._notes.append(f"{shown} was left out: {LEFT_OUT[row.name]}")
        else:
            self._options.append((name, value))

    def line(self) -> CurlLine:
        """Put the line together, once it is read."""
        if len(self._urls) != 1:
            many = f"{len(self._urls)} URLs, {', '.join(map(_short, self._urls[:3]))}" if self._urls else "no URL"
            raise (Refused if self._urls else WrongUse)(f"the line has {many}; it has to have one")
        url = self._unescaped(self._with_scheme(self._urls[0]))
        return CurlLine(url, tuple(self._options), tuple(self._notes))

    def _with_scheme(self, url: str) -> str:
        if unseen := _UNSEEN.search(url):
            raise WrongUse(f"{_short(url)}: a URL holds no {unseen[0]!a}; write %{ord(unseen[0]):02X}")
        if not url:
            raise WrongUse("the URL is empty; write one")
        scheme = _SCHEME.match(url)
        if scheme is None:
            last = [value for name, value in self._options if name == "proto-default" and value]
            added = last[-1].lower() if last else "http"
            self._notes.append(f"the URL has no scheme: {added}:// was added")
            return f"{added}://{url}"
        if scheme[1].lower() not in _SPOKEN:
            raise Refused(f"{_short(url)}: {cut(scheme[1])} is not spoken here; only {', '.join(_SPOKEN)} are")
        if not scheme[0].endswith("://") or scheme[0].endswith(":///"):
            raise WrongUse(f"{_short(url)}: two slashes have to stand behind {scheme[1]}:")
        return url

    def _unescaped(self, url: str) -> str:
        """Take curl's own escapes out of a URL, and refuse its patterns (curl's manual, GLOBBING)."""
        globbed = [name for name, _ in self._options if name in ("globoff", "no-globoff")]
        if globbed and globbed[-1] == "globoff":
            return url
        if set("{}[]") & set(_LITERAL.sub("", _ESCAPED.sub("", url))):
            raise Refused(
                f"{_short(url)}: {{}} and [] in a URL are a pattern for several transfers; "
                "the lab makes one: write the URL out, or give --globoff"
            )
        plain = _ESCAPED.sub(r"\1", url)
        if plain != url:
            self._options.append(("globoff", None))
            self._notes.append("the backslashes before brackets in the URL are curl's: --globoff stands in their place")
        return plain


def _short(text: str) -> str:
    return f"'{cut(text)}'"


def _within(word: str) -> str:
    """Say in which word a letter stands, where it shares the dash."""
    return f" (in {cut(word)})" if len(word) > 2 else ""


def _long_of(shown: str, row: CurlOption) -> str:
    return "" if shown.startswith("--") else f", --{row.name}"
