"""A text into directives, by crossplane's lexer, which reads what nginx's own reads.

crossplane reads files only, so the text goes into a private one for that moment; no include is followed.
Its lexer is used and not its parser: the parser forgets where an unfinished directive began.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import crossplane
from crossplane.errors import NgxParserBaseException

from labkit.errors import WrongUse
from labkit.proxies.directive import Directive

__all__ = ["at", "read"]

_END = "labkit_end_of_text"  # behind the text: it is not seen where a quote swallows the rest
_MOST_TOLD = 300  # characters of an error
_DEEPEST = 50  # blocks inside blocks
_OPENING, _CLOSING, _ENDING = "{};"
_SPECIAL = frozenset({_OPENING, _CLOSING, _ENDING})
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_SPACES = re.compile(r"[^\S \t\r\n]")  # spaces to Python and to a reader; letters to nginx
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_MEANT = {'"': '"', "'": "'", "\\": "\\", "t": "\t", "r": "\r", "n": "\n"}  # ngx_conf_read_token

Token = tuple[str, int, bool]  # its text, its line, whether it was quoted


@dataclass(slots=True)
class _Open:
    """A block whose end has not come."""

    words: list[str]
    line: int
    inside: list[Directive] = field(default_factory=list)


def at(line: int, what: str) -> str:
    """Return the text of an error that names a line.

    >>> at(3, "listen has no port")
    'line 3: listen has no port'
    """
    told = " ".join(what.split())
    told = told if len(told) <= _MOST_TOLD else told[:_MOST_TOLD] + "…"
    return f"line {line}: {told}" if line else told


def read(text: str, first: int = 1, file: str = "") -> tuple[Directive, ...]:
    """Read a configuration, whole or in part.

    Args:
        text: what is to be read.
        first: the line that it begins with.
        file: the file it stands in, where the text says so.

    Raises:
        WrongUse: nginx could not read it either; the line and the directive are named.

    >>> [str(each) for each in read("location /ws/ { proxy_pass http://backend; }")[0].block]
    ['proxy_pass http://backend']
    """
    _check_characters(text, first)
    builder = _Builder(first - 1, file)
    try:
        with TemporaryDirectory(prefix="labkit-") as folder:
            path = Path(folder, "nginx.conf")
            path.write_text(f"{text}\n{_END};\n", "utf-8", newline="\n")
            builder.feed(crossplane.lex(str(path)))
    except NgxParserBaseException as error:
        raise WrongUse(builder.said(str(error.strerror), error.lineno)) from None
    except RuntimeError:  # its lexer, where a quote or a block of Lua has no end
        raise WrongUse(builder.said("unexpected end of file", None)) from None
    return builder.end()


def _check_characters(text: str, first: int) -> None:
    for number, line in enumerate(text.split("\n"), first):
        found = _CONTROL.search(line) or _surrogate(line)
        if found:
            raise WrongUse(f"line {number}: this is no text: it has a character U+{ord(found[0]):04X}")
        space = _SPACES.search(line.partition("#")[0])
        if space:
            raise WrongUse(
                f"line {number}: a space that is none to nginx (U+{ord(space[0]):04X}, often from a web page); "
                "write it as a plain space"
            )


def _surrogate(line: str) -> re.Match[str] | None:
    return re.search(r"[\ud800-\udfff]", line)


class _Builder:
    """Makes directives of tokens, and says of broken ones what nginx would."""

    def __init__(self, before: int, file: str) -> None:
        self.before = before
        self.file = file
        self.open = [_Open([], 0)]
        self.words: list[str] = []
        self.line = 0
        self.last = before + 1

    def feed(self, tokens: Iterable[Token]) -> None:
        for token, line, quoted in tokens:
            if not quoted and token.startswith("#"):
                continue
            self.last = line + self.before
            if quoted or token not in _SPECIAL:
                self.line = self.line if self.words else self.last
                self.words.append(_decoded(token))
            elif token == _CLOSING:
                self._close()
            else:
                self._finish(token)

    def _finish(self, token: str) -> None:
        if not self.words:
            raise WrongUse(at(self.last, f'unexpected "{token}"'))
        if _END in self.words and self.words[0] != _END:
            raise WrongUse(at(self.line, f"{self.words[0]} is not ended by a semicolon"))
        if token == _OPENING:
            if len(self.open) > _DEEPEST:
                raise WrongUse(
                    at(self.line, f"{self.words[0]} stands in more than {_DEEPEST} blocks, one in the other")
                )
            self.open.append(_Open(self.words, self.line))
        else:
            self.open[-1].inside.append(self._made(self.words, self.line, None))
        self.words = []

    def _close(self) -> None:
        if self.words:
            raise WrongUse(at(self.line, f"{self.words[0]} is not ended by a semicolon"))
        block = self.open.pop()
        self.open[-1].inside.append(self._made(block.words, block.line, tuple(block.inside)))

    def _made(self, words: list[str], line: int, block: tuple[Directive, ...] | None) -> Directive:
        name, *args = words
        given = _condition(args) if name == "if" else tuple(args)
        return Directive(name, given, line, block, self.file)

    def said(self, what: str, line: int | None) -> str:
        """Return what is wrong, in place of crossplane's own word for it."""
        if "end of file" in what:
            return self._unfinished()
        return at((line or 0) + self.before if line else self.last, what)

    def _unfinished(self) -> str:
        block = self.open[-1]
        ended = bool(block.inside) and block.inside[-1].name == _END
        if len(self.open) > 1 and (ended or _END in self.words):
            return at(block.line, f'the block of {block.words[0]} is not closed: the text ends, and a "}}" is missing')
        return at(self.line if self.words else self.last, "a quote that is opened here or below is not closed")

    def end(self) -> tuple[Directive, ...]:
        inside = self.open[-1].inside
        if len(self.open) > 1 or not inside or inside[-1].name != _END:
            raise WrongUse(self._unfinished())
        return tuple(inside[:-1])


def _decoded(token: str) -> str:
    """Take away the backslashes that nginx takes away; the others are a regular expression's."""
    return _ESCAPED.sub(lambda found: _MEANT.get(found[1], found[0]), token)


def _condition(args: list[str]) -> tuple[str, ...]:
    """Take away the parentheses round a condition, which nginx reads as part of its words."""
    if not args or not args[0].startswith("(") or not args[-1].endswith(")"):
        return tuple(args)
    if len(args) == 1:
        return (args[0][1:-1],)
    first, last = args[0][1:], args[-1][:-1]
    return (*([first] if first else []), *args[1:-1], *([last] if last else []))
