"""Reading httpd's syntax: lines, words and sections, each with the line that it stands on.

Why an own reader: apacheconfig 0.3.2, the one on PyPI, returns nested dictionaries without line numbers, loses the
order between different directives, merges repeated ones, and neither splits nor unquotes arguments; Augeas is a C
library with a lens of its own. Here each error names the line and the directive, so it follows httpd's own code:
server/config.c (sections), server/util.c (`ap_getword_conf`), mod_rewrite.c (`parseargline`); the tests ask httpd.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from labkit.errors import WrongUse
from labkit.proxies.directive import Directive

__all__ = ["Line", "Word", "directives", "every", "plain", "quoted", "read", "shown", "words"]

_SPACE = " \t\n\v\f\r"  # C's isspace
_DEEPEST = 40  # sections inside sections; httpd has no limit, and nobody goes beyond five
_LONGEST = 1 << 16  # characters of a line
_REWRITE = {"rewriterule", "rewritecond"}


class Word(NamedTuple):
    """An argument as httpd reads it, and where it stands in the rest of its line."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Line:
    """A directive as it is written: what follows its name is not yet split.

    Args:
        name: as it is written, without the < of a section.
        rest: what follows the name; of a section, up to its last >.
        line: the line on which it begins, from 1; 0 where the lab added it.
        block: what is inside it; None where it is no section.
    """

    name: str
    rest: str = ""
    line: int = 0
    block: tuple[Line, ...] | None = None

    @property
    def key(self) -> str:
        """Its name in lower case: httpd compares names without case."""
        return self.name.lower()

    @property
    def words(self) -> tuple[Word, ...]:
        """Its arguments, split and unquoted as httpd does it for this directive."""
        return words(self.rest, rewrite=self.key in _REWRITE)

    @property
    def args(self) -> tuple[str, ...]:
        """Its arguments, without where they stand."""
        return tuple(word.text for word in self.words)

    def with_word(self, index: int, text: str) -> Line:
        """Return it with one argument changed, and every other character as it was."""
        word = self.words[index]
        new = _bare_or_quoted(text) if self.key in _REWRITE else quoted(text)
        return replace(self, rest=self.rest[: word.start] + new + self.rest[word.end :])

    def with_words(self, *texts: str) -> Line:
        """Return it with these arguments in place of all of its own."""
        return replace(self, rest=" ".join(quoted(text) for text in texts))

    def wrong(self, what: str) -> WrongUse:
        """Return the error that names its line and its name."""
        return WrongUse(f"{self.place}: {what}")

    @property
    def place(self) -> str:
        """Its line and its name, as an error begins."""
        name = plain(self.name)
        return f"line {self.line}: <{name}>" if self.block is not None else f"line {self.line}: {name}"

    def __str__(self) -> str:
        whole = f"{self.name} {self.rest}".strip()
        return f"<{whole}>" if self.block is not None else whole


def shown(line: Line, most: int = 80) -> str:
    """Return a line as a note names it: whole, or its beginning.

    >>> shown(Line("ServerName", "example.com"))
    'ServerName example.com'
    """
    return plain(str(line), most)


def plain(text: str, most: int = 80) -> str:
    r"""Return a text fit for one line: not too long, and what cannot be printed escaped.

    >>> print(plain("a\nb"))
    a\nb
    """
    text = text if len(text) <= most else text[: most - 1] + "…"
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def every(lines: Iterable[Line]) -> Iterator[Line]:
    """Yield every line, each before those inside it."""
    for line in lines:
        yield line
        yield from every(line.block or ())


def directives(lines: Iterable[Line]) -> tuple[Directive, ...]:
    """Return the lines as directives, their arguments split and unquoted.

    >>> print(directives(read('ProxyPass "/ws/" "ws://backend/"'))[0])
    ProxyPass /ws/ ws://backend/
    """
    return tuple(
        Directive(each.name, each.args, each.line, None if each.block is None else directives(each.block))
        for each in lines
    )


# words


def quoted(text: str) -> str:
    r"""Return a word so that httpd reads it as it is.

    >>> print(quoted('a "b" \\'))
    "a \"b\" \\"
    """
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _bare_or_quoted(text: str) -> str:
    """Quote a word for mod_rewrite, which knows no escaped quote."""
    if text and text[0] not in "\"'" and not any(char in _SPACE for char in text):
        return text
    return f"'{text}'" if '"' in text else f'"{text}"'


def words(rest: str, *, rewrite: bool = False) -> tuple[Word, ...]:
    r"""Split what follows a name into words, as `ap_getword_conf` does; or as mod_rewrite does.

    >>> [word.text for word in words(r'"a \"b\"" c\\d e\f')]
    ['a "b"', 'c\\d', 'e\\f']
    """
    found, at = [], _past_space(rest, 0)
    while at < len(rest):
        word = _rewrite_word(rest, at) if rewrite else _word(rest, at)
        found.append(word)
        at = _past_space(rest, word.end)
    return tuple(found)


def _past_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _word(rest: str, start: int) -> Word:
    quote = rest[start] if rest[start] in "\"'" else ""
    text, at = [], start + len(quote)
    while at < len(rest) and not (rest[at] == quote if quote else rest[at] in _SPACE):
        if rest[at] == "\\" and rest[at + 1 : at + 2] in ("\\", quote or "\\"):
            at += 1
        text.append(rest[at])
        at += 1
    return Word("".join(text), start, min(at + len(quote), len(rest)))


def _rewrite_word(rest: str, start: int) -> Word:
    """Return mod_rewrite's word: a backslash only keeps the space behind it, and a quote cannot be escaped."""
    quote = rest[start] if rest[start] in "\"'" else ""
    at = start + len(quote)
    while at < len(rest) and not (rest[at] == quote if quote else rest[at] in _SPACE):
        at += 2 if rest[at] == "\\" and rest[at + 1 : at + 2].strip(_SPACE) != rest[at + 1 : at + 2] else 1
    at = min(at, len(rest))
    return Word(rest[start + len(quote) : at], start, min(at + len(quote), len(rest)))


# lines and sections


def read(text: str) -> tuple[Line, ...]:
    """Read a configuration; nothing in it is looked at but its shape.

    Raises:
        WrongUse: a section is not closed, or closed by another name; the error names the line.
    """
    open_ones: list[tuple[Line, list[Line]]] = []
    inside: list[Line] = []
    for number, logical in _logical(text):
        line, closes = _line(number, logical)
        if closes:
            line, inside = _closed(line, open_ones, inside)
        elif line.block is not None:
            if len(open_ones) >= _DEEPEST:
                raise line.wrong(f"stands inside {_DEEPEST} other sections; the lab reads no deeper")
            open_ones.append((line, inside))
            inside = []
            continue
        inside.append(line)
    if open_ones:
        line = open_ones[-1][0]
        raise line.wrong(f"is not closed; write </{plain(line.name)}> where it ends")
    return tuple(inside)


def _closed(line: Line, open_ones: list[tuple[Line, list[Line]]], inside: list[Line]) -> tuple[Line, list[Line]]:
    name = plain(line.name)
    if not open_ones:
        raise WrongUse(f"line {line.line}: </{name}> closes nothing; no <{name}> is open there")
    opened, around = open_ones.pop()
    if opened.key != line.key:
        text = f"closes <{plain(opened.name)}> of line {opened.line}; write </{plain(opened.name)}> before it"
        raise WrongUse(f"line {line.line}: </{name}> {text}")
    return replace(opened, block=tuple(inside)), around


def _logical(text: str) -> Iterator[tuple[int, str]]:
    """Yield each line that is no comment, with where it begins: a backslash at its very end continues a line."""
    physical = text.split("\n")
    number = 0
    while number < len(physical):
        first, parts = number, []
        while True:
            part = physical[number].removesuffix("\r") if number + 1 < len(physical) else physical[number]
            number += 1
            if not part.endswith("\\") or number == len(physical):
                parts.append(part)
                break
            parts.append(part[:-1])
        line = "".join(parts).strip(_SPACE)
        if line and not line.startswith("#"):
            if len(line) > _LONGEST:
                raise WrongUse(f"line {first + 1}: {_first(line)!r}: longer than {_LONGEST} characters")
            _check_characters(first + 1, line)
            yield first + 1, line


def _check_characters(number: int, line: str) -> None:
    if "\0" in line:
        raise WrongUse(f"line {number}: {_first(line)!r}: there is a NUL byte, where httpd stops reading the line")
    if line.startswith("\ufeff"):
        raise WrongUse(f"line {number}: a byte order mark, part of a name to httpd; save the file as UTF-8 without it")
    wrong = next((char for char in line if "\ud800" <= char <= "\udfff"), "")
    if wrong:
        raise WrongUse(f"line {number}: {_first(line)!r}: {wrong!r} cannot be written in UTF-8")


def _first(line: str) -> str:
    return line.split(maxsplit=1)[0].split("\0", maxsplit=1)[0][:40] if line.split() else ""


def _line(number: int, logical: str) -> tuple[Line, bool]:
    """Return a line, and whether it closes a section."""
    word = _word(logical, 0)
    rest = logical[_past_space(logical, word.end) :]
    name = word.text
    if name.startswith("</"):
        if not name.endswith(">"):
            raise WrongUse(f"line {number}: {plain(name)}: a > is missing, right behind the name")
        return Line(name[2:-1], "", number), True
    if not name.startswith("<"):
        return Line(name.removesuffix(">"), rest, number), False
    name, rest = (name[1:-1], ">") if name.endswith(">") else (name[1:], rest)
    if not name:
        raise WrongUse(f"line {number}: <: the name of the section is missing; it stands right behind the <")
    if ">" not in rest:
        raise WrongUse(f"line {number}: <{plain(name)}: a > is missing at the end of the line")
    return Line(name, rest[: rest.rindex(">")].rstrip(_SPACE), number, ()), False
