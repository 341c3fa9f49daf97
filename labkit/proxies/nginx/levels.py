"""The levels of a configuration, http, server, location and what is inside, and what each inherits.

A value is inherited where the level has none of its own. A list, such as that of the proxy_set_header lines,
is inherited whole or not at all: one line of its own keeps a level from every line above it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from labkit.errors import Unmodelled
from labkit.proxies.backtracking import endless
from labkit.proxies.directive import Directive, unmodelled

__all__ = ["Level", "caught", "pattern", "seconds", "size"]

_NONE: tuple[Directive, ...] = ()


@dataclass(eq=False)
class Level:
    """One block of a configuration.

    Args:
        directive: the block; its name says what kind of level it is.
        parent: the level round it; None for http.
    """

    directive: Directive
    parent: Level | None = None
    _own: dict[str, tuple[Directive, ...]] = field(default_factory=dict, repr=False)
    _found: dict[str, tuple[Directive, ...]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        own: dict[str, list[Directive]] = {}
        for each in self.directive.block or ():
            own.setdefault(each.name, []).append(each)
        self._own = {name: tuple(each) for name, each in own.items()}

    @property
    def kind(self) -> str:
        """The kind of block."""
        return self.directive.name

    @property
    def unnamed(self) -> bool:
        """Whether it is an `if` or a `limit_except`, which take up the proxy_pass of the location round them."""
        return self.kind in ("if", "limit_except")

    def own(self, *names: str) -> tuple[Directive, ...]:
        """Return the directives of these names that stand in it, in their order."""
        if len(names) == 1:
            return self._own.get(names[0], _NONE)
        return tuple(each for each in self.directive.block or () if each.name in names)

    def all(self, *names: str) -> tuple[Directive, ...]:
        """Return the directives of these names that hold in it: its own, else those of the level round it."""
        key = " ".join(names)
        found = self._found.get(key)
        if found is None:
            found = self.own(*names) or (self.parent.all(*names) if self.parent else _NONE)
            self._found[key] = found
        return found

    def one(self, name: str) -> Directive | None:
        """Return the directive of a name that holds in it."""
        found = self.all(name)
        return found[-1] if found else None

    def word(self, name: str, default: str) -> str:
        """Return the first argument of a directive that holds in it."""
        found = self.one(name)
        return found.args[0] if found and found.args else default

    def on(self, name: str, *, default: bool) -> bool:
        """Return whether a directive that holds in it is on."""
        return self.word(name, "on" if default else "off").lower() == "on"

    @property
    def around(self) -> Level:
        """The location or the server: itself, or what is round it where it is unnamed."""
        return self.parent.around if self.unnamed and self.parent is not None else self

    @property
    def proxied(self) -> Directive | None:
        """The proxy_pass that holds in it: its own, or, in an `if`, that of the location round it."""
        own = self.own("proxy_pass")
        if own:
            return own[0]
        if self.unnamed and self.parent is not None:
            return self.parent.proxied
        return None

    @property
    def server(self) -> Level:
        """The server that it is in."""
        level = self
        while level.kind != "server" and level.parent is not None:
            level = level.parent
        return level


_TIMES = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "M": 2592000, "y": 31536000, "": 1}
_TIME = re.compile(r"\s*([0-9]+)(ms|[smhdwMy])?")
_SIZES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_SIZE = re.compile(r"([0-9]+)([kKmMgG]?)")


def seconds(text: str) -> float:
    """Return a time as nginx reads it.

    >>> seconds("1m30s"), seconds("500ms"), seconds("75")
    (90.0, 0.5, 75.0)
    """
    parts = _TIME.findall(text)
    return float(sum(int(number) * _TIMES[unit] for number, unit in parts))


def size(text: str) -> int:
    """Return a size as nginx reads it.

    >>> size("8k"), size("1m")
    (8192, 1048576)
    """
    found = _SIZE.fullmatch(text)
    return int(found[1]) * _SIZES[found[2].lower()] if found else 0


_NAMED = re.compile(r"\(\?<(?![=!])")
_NO_ASCII = re.compile(r"\\[pPXRKhHvNGCAZ]|\(\?[|R&0-9+\-(]|\[\[:|\\Q|\(\*")


def pattern(text: str, directive: Directive, *, caseless: bool = False) -> re.Pattern[str]:
    """Return a regular expression of nginx's, which are PCRE's, as one of Python's.

    Raises:
        Unmodelled: it says something that only PCRE knows, or is none.
    """
    if _NO_ASCII.search(text) or endless(text):
        raise _unknown(text, directive)
    flags = re.ASCII | (re.IGNORECASE if caseless else 0)
    try:
        return re.compile(_NAMED.sub("(?P<", text), flags)
    except (re.error, OverflowError, RecursionError):
        raise _unknown(text, directive) from None


def caught(found: re.Match[str]) -> tuple[list[str], dict[str, str]]:
    """Return what a regular expression caught, from the whole on, and by name; what took no part is empty.

    >>> caught(re.match("/(?P<room>[a-z]+)(/x)?", "/ws"))
    (['/ws', 'ws', ''], {'room': 'ws'})
    """
    return [found[0], *found.groups("")], found.groupdict("")


def _unknown(text: str, directive: Directive) -> Unmodelled:
    return unmodelled(directive, f"the model does not know the regular expression {text!r} as PCRE does")
