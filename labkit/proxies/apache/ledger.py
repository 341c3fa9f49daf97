"""Field lines on their way through httpd, with an account of what became of each and what did it."""

from __future__ import annotations

from dataclasses import dataclass, field

from labkit.proxies.apache.settings import NONE
from labkit.proxies.directive import Directive
from labkit.proxies.model import Change, Fate
from labkit.wire.fields import Fields

__all__ = ["Ledger"]


@dataclass
class _Entry:
    name: str
    value: str
    came: str | None = None  # None where it was added here
    went: bool = True
    by: str = ""
    line: int = 0


@dataclass
class Ledger:
    """Field lines that are changed as httpd changes its tables; names are compared without case.

    >>> ledger = Ledger.of(Fields.of([("Host", "a"), ("TE", "x")]))
    >>> ledger.unset("TE", "hop by hop")
    >>> [(change.name, str(change.fate)) for change in ledger.changes()]
    [('Host', 'forwarded'), ('TE', 'dropped')]
    """

    entries: list[_Entry] = field(default_factory=list)

    @classmethod
    def of(cls, fields: Fields) -> Ledger:
        """Return the ledger of a head."""
        return cls([_Entry(name, value, value) for name, value in fields])

    def _there(self, name: str) -> list[_Entry]:
        return [each for each in self.entries if each.went and each.name.lower() == name.lower()]

    def get(self, name: str) -> str | None:
        """Return the value of the first line of a name; None where there is none."""
        found = self._there(name)
        return found[0].value if found else None

    def unset(self, name: str, by: str, directive: Directive = NONE) -> None:
        """Drop every line of a name."""
        for each in self._there(name):
            each.went, each.by, each.line = False, by, directive.line

    def set(self, name: str, value: str, by: str, directive: Directive = NONE) -> None:
        """Set the first line of a name, and drop the others; add one where there is none."""
        found = self._there(name)
        if not found:
            self.add(name, value, by, directive)
            return
        if (found[0].value, found[0].name) != (value, name):
            found[0].value, found[0].by, found[0].line = value, by, directive.line
        for each in found[1:]:
            each.went, each.by, each.line = False, by, directive.line

    def add(self, name: str, value: str, by: str, directive: Directive = NONE) -> None:
        """Add a line."""
        self.entries.append(_Entry(name, value, None, by=by, line=directive.line))

    def merge(self, name: str, value: str, by: str, directive: Directive = NONE) -> None:
        """Add a value to the first line of a name, behind a comma; add a line where there is none."""
        found = self._there(name)
        if found:
            found[0].value, found[0].by, found[0].line = f"{found[0].value}, {value}", by, directive.line
        else:
            self.add(name, value, by, directive)

    def again(self, name: str, value: str, by: str, directive: Directive = NONE) -> None:
        """Write a line anew, at the end; one of that name that was dropped becomes it."""
        for each in self.entries:
            if not each.went and each.came is not None and each.name.lower() == name.lower():
                self.entries.remove(each)
                self.entries.append(_Entry(name, value, each.came, by=by, line=directive.line))
                return
        self.add(name, value, by, directive)

    def first(self, name: str) -> None:
        """Put the line of a name in front of all others."""
        found = self._there(name)
        self.entries = [*found, *(each for each in self.entries if each not in found)]

    def fields(self) -> Fields:
        """Return the lines that go on."""
        return Fields(tuple((each.name, each.value) for each in self.entries if each.went))

    def changes(self) -> tuple[Change, ...]:
        """Return what became of each line."""
        return tuple(change for each in self.entries if (change := _change(each)))


def _change(entry: _Entry) -> Change | None:
    if not entry.went:
        if entry.came is None:
            return None
        return Change(entry.name, Fate.DROPPED, entry.came, "", entry.by, entry.line)
    if entry.came is None:
        return Change(entry.name, Fate.ADDED, "", entry.value, entry.by, entry.line)
    if entry.came == entry.value:
        by = entry.by or "passed on as it came"
        return Change(entry.name, Fate.FORWARDED, entry.came, entry.value, by, entry.line)
    return Change(entry.name, Fate.REWRITTEN, entry.came, entry.value, entry.by, entry.line)
