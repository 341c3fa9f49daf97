"""What a configuration is read into, whatever its program: directives with their lines, and notes on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from labkit.errors import Unmodelled

__all__ = ["Directive", "Note", "NoteKind", "Upstream", "unmodelled", "walk"]


@dataclass(frozen=True, slots=True)
class Directive:
    """One directive: its name and arguments, as the program reads them, and where they stand.

    Args:
        name: as it is written.
        args: its arguments, unquoted.
        line: its line in the text as it was given, from 1; 0 where the lab added it.
        block: the directives inside it; None where it is no block.
        file: the file it stands in, in the output of `nginx -T`; else empty.

    >>> print(Directive("proxy_set_header", ("Upgrade", "$http_upgrade"), 3))
    proxy_set_header Upgrade $http_upgrade
    """

    name: str
    args: tuple[str, ...] = ()
    line: int = 0
    block: tuple[Directive, ...] | None = None
    file: str = ""

    def __str__(self) -> str:
        return " ".join([self.name, *(_quoted(each) for each in self.args)])

    def inside(self, *names: str) -> tuple[Directive, ...]:
        """Return the directives directly inside it that have one of these names, compared without case."""
        wanted = {name.lower() for name in names}
        return tuple(each for each in self.block or () if each.name.lower() in wanted)


def _quoted(argument: str) -> str:
    return f'"{argument}"' if not argument or any(char.isspace() for char in argument) else argument


def walk(directives: Iterable[Directive]) -> Iterator[Directive]:
    """Yield every directive, each before those inside it.

    >>> [each.name for each in walk([Directive("server", block=(Directive("listen", ("80",)),))])]
    ['server', 'listen']
    """
    for each in directives:
        yield each
        yield from walk(each.block or ())


def unmodelled(directive: Directive, why: str) -> Unmodelled:
    """Return the error for a directive that could matter and that a model does not know: where it is, and a way out.

    >>> print(unmodelled(Directive("proxy_store", ("on",), 3), "it writes answers into files"))
    line 3: proxy_store: it writes answers into files; run it for real: run(…, proxies="real")
    """
    where = f"line {directive.line}: " if directive.line else ""
    return Unmodelled(f'{where}{directive.name}: {why}; run it for real: run(…, proxies="real")')


class NoteKind(StrEnum):
    """What the lab did with a configuration, or has to say of it."""

    ADDED = "added"  # what a snippet lacks
    POINTED = "pointed at the lab"  # an upstream, a listening port, a folder
    SET_ASIDE = "set aside"  # certificates, logs, what the lab serves without
    SKIPPED = "skipped"  # a file that is not part of the text
    NOTED = "noted"  # a directive that cannot matter to an exchange


class Note(NamedTuple):
    """One thing that the lab did with a configuration, and why.

    Args:
        kind: what was done.
        line: the line in the text as it was given, from 1; 0 where there is none.
        what: the directive concerned, as it was or as it is now.
        why: in a few words.
    """

    kind: NoteKind
    line: int
    what: str
    why: str

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        told = f"{where}{self.kind}: {self.what} ({self.why})"
        return "".join(
            char if char.isprintable() else repr(char)[1:-1] for char in told
        )  # nothing for a terminal to do


class Upstream(NamedTuple):
    """An upstream address of a configuration.

    Args:
        line: its line in the text as it was given.
        written: the address as it is written there, such as `websocket_backend` or `127.0.0.1:3000`.
        directive: the directive that has it.
    """

    line: int
    written: str
    directive: str
