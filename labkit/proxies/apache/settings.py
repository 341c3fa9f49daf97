"""What holds for a request: the directives of the server, its virtual host and the locations that its path lies in.

httpd merges a virtual host into the main server, and locations into both: of most directives the last one
counts, of some (ProxyPass, ProxyPassReverse, Header) all of them do, the main server's first. So what holds is
kept as the directives themselves, in that order, and asked for by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from labkit.proxies.directive import Directive

__all__ = ["NONE", "Settings", "seconds"]

NONE = Directive("")
"""What did something where no directive did."""

_TIME = re.compile(r"([0-9]+)(ms|us|s|mi|min|h|hours|)", re.IGNORECASE)
_UNITS = {"": 1.0, "s": 1.0, "ms": 0.001, "us": 1e-6, "mi": 60.0, "min": 60.0, "h": 3600.0, "hours": 3600.0}


def seconds(text: str, default: float) -> float:
    """Return a time as httpd reads it, in seconds where there is no unit.

    >>> seconds("500ms", 0), seconds("2", 0), seconds("soon", 60.0)
    (0.5, 2.0, 60.0)
    """
    found = _TIME.fullmatch(text)
    return int(found[1]) * _UNITS[found[2].lower()] if found else default


@dataclass(frozen=True)
class Settings:
    """The directives that hold, those of the main server first.

    >>> settings = Settings.of([Directive("Timeout", ("60",)), Directive("Timeout", ("2",))])
    >>> settings.seconds("Timeout", 60)
    2.0
    """

    by_name: dict[str, tuple[Directive, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, directives: Iterable[Directive]) -> Settings:
        """Return what these directives set."""
        found: dict[str, list[Directive]] = {}
        for each in directives:
            found.setdefault(each.name.lower(), []).append(each)
        return cls({name: tuple(those) for name, those in found.items()})

    def all(self, *names: str) -> tuple[Directive, ...]:
        """Return every directive of these names; those of one name in order."""
        return tuple(each for name in names for each in self.by_name.get(name.lower(), ()))

    def last(self, name: str) -> Directive:
        """Return the directive that counts, `NONE` where there is none."""
        found = self.by_name.get(name.lower())
        return found[-1] if found else NONE

    def word(self, name: str, default: str) -> str:
        """Return the first argument of the directive that counts."""
        args = self.last(name).args
        return args[0] if args else default

    def on(self, name: str, *, default: bool) -> bool:
        """Return whether a directive is On."""
        return self.word(name, "on" if default else "off").lower() == "on"

    def seconds(self, name: str, default: float) -> float:
        """Return a time."""
        return seconds(self.word(name, ""), default)

    def number(self, name: str, default: int) -> int:
        """Return a number."""
        text = self.word(name, "")
        return int(text) if text.isdecimal() else default

    def env(self, name: str) -> Directive:
        """Return the SetEnv that sets a variable, `NONE` where none does."""
        found = [each for each in self.all("SetEnv") if each.args[:1] == (name,)]
        return found[-1] if found else NONE
