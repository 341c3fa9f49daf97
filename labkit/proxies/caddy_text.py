"""The text of a Caddyfile: read into directives, and written so that Caddy reads the same ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from labkit.errors import WrongUse
from labkit.proxies.directive import Directive, Note, NoteKind

__all__ = ["parsed", "without_environment", "written"]

_WORD = re.compile(
    r"""(?P<quoted>"(?:\\.|[^"\\])*") | (?P<raw>`[^`]*`) | (?P<open>["`]) | (?P<comment>\#[^\n]*)
    | (?P<line>\n) | (?P<space>[^\S\n]+) | (?P<word>(?:\\.|[^\s\\]|\\$)+)""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_VARIABLE = re.compile(r"\{\$([^}:]*):?([^}]*)\}")
_DEEPEST = 60  # blocks inside blocks


def without_environment(text: str, notes: list[Note]) -> str:
    """Return a text with its {$VARIABLES} empty, or what it says of them; Caddy puts them in before it reads a word.

    Raises:
        WrongUse: one stands inside another.
    """

    def told(found: re.Match[str]) -> str:
        why = f"it is read as {found[2]!r}" if found[2] else "it is empty"
        line = text.count("\n", 0, found.start()) + 1
        notes.append(Note(NoteKind.NOTED, line, found[0], f"the lab does not look into the environment: {why}"))
        return found[2]

    read = _VARIABLE.sub(told, text)
    if "{$" in read:
        line = read.count("\n", 0, read.index("{$")) + 1
        raise WrongUse(f"line {line}: {{$ begins a variable of the environment, and this one is no plain name")
    return read


def _statements(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the words of each line that has any, with its number; a line goes on behind a comma."""
    words: list[str] = []
    number = first = 1
    for found in _WORD.finditer(text):
        if found["open"]:
            raise WrongUse(f"line {number}: a quote is opened and not closed")
        if found["line"] and words and not words[-1].endswith(","):
            yield first, words
            words = []
        elif found["quoted"] or found["raw"] or found["word"]:
            first = first if words else number
            words.append(_unquoted(found))
        number += found[0].count("\n")
    if words:
        yield first, words


def _unquoted(found: re.Match[str]) -> str:
    if found["quoted"]:
        return found["quoted"][1:-1].replace('\\"', '"')  # no other escape is one
    return found["raw"][1:-1] if found["raw"] else found["word"]


def parsed(text: str) -> list[Directive]:
    """Read a Caddyfile into its directives; a block's are inside it."""
    levels: list[list[Directive]] = [[]]
    opened: list[tuple[int, list[str]]] = []
    for number, words in _statements(text):
        if {"{", "}"} & {*words[:-1]} or (words[-1] == "}" and len(words) > 1):
            raise WrongUse(f"line {number}: a brace stands alone between other words, which Caddy takes for a block's")
        if words == ["}"]:
            if not opened:
                raise WrongUse(f"line {number}: this brace closes nothing")
            line, (name, *args) = opened.pop()
            inside = tuple(levels.pop())
            levels[-1].append(Directive(name, tuple(args), line, inside))
        elif words[-1] == "{":
            opened.append((number, words[:-1] or [""]))
            levels.append([])
            if len(levels) > _DEEPEST:
                raise WrongUse(f"line {number}: more than {_DEEPEST} blocks inside each other")
        else:
            levels[-1].append(Directive(words[0], tuple(words[1:]), number))
    if opened:
        raise WrongUse(f"line {opened[-1][0]}: this block is opened and not closed")
    return levels[0]


def written(directives: Iterable[Directive], depth: int = 0) -> Iterator[str]:
    """Yield directives as the lines of a Caddyfile; behind each stands the line that it came from.

    >>> list(written([Directive("header", ("X", "a b"), 3)]))
    ['header X `a b`  # line 3']
    """
    for each in directives:
        words = [*map(_quoted, (each.name, *each.args))] if each.name else []
        told = f"  # line {each.line}" if each.line else ""
        if each.block is None:
            yield "\t" * depth + " ".join(words) + told
        else:
            yield "\t" * depth + " ".join([*words, "{"]) + told
            yield from written(each.block, depth + 1)
            yield "\t" * depth + "}"


def _quoted(word: str) -> str:
    if word and not re.search(r"[\s\"`#\\]|^[{}]$|^<<", word):
        return word
    return f"`{word}`" if "`" not in word else '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
