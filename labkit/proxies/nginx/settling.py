"""What is refused, set aside, answered by the lab's nginx itself, and led into the private folder."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from labkit.errors import Refused
from labkit.proxies.directive import Directive, Note, NoteKind
from labkit.proxies.nginx.grammar import DATA
from labkit.proxies.nginx.reading import at
from labkit.proxies.nginx.tables import ASIDE, FILES, PASSED, REFUSED, row_for
from labkit.proxies.nginx.writing import shown

__all__ = ["settle"]

_ABOVE = re.compile(r"(?:^|/)\.\.(?:/|$)")  # a path that climbs out of its folder
_ADDRESS = re.compile(r"[0-9a-fA-F.:]+(?:/[0-9]+)?|unix:")
_SERVED_FROM = frozenset({"try_files", "index", "error_page", "rewrite", "set", "post_action"})


def settle(directives: tuple[Directive, ...], allow: Collection[str]) -> tuple[tuple[Directive, ...], list[Note]]:
    """Return the directives that stay, and notes on the others.

    Raises:
        Refused: one executes code or writes files, and is not allowed by name.
    """
    settler = _Settler(allow)
    return settler.kept(directives), settler.notes


@dataclass(slots=True)
class _Settler:
    allow: Collection[str]
    notes: list[Note] = field(default_factory=list)

    def kept(self, directives: tuple[Directive, ...]) -> tuple[Directive, ...]:
        return tuple(kept for each in directives if (kept := self._settled(each)) is not None)

    def _settled(self, each: Directive) -> Directive | None:
        refused = row_for(REFUSED, each.name)
        if refused and each.args != ("off",) and each.name not in self.allow:
            raise Refused(at(each.line, f"{each.name} {refused.why}; to allow it write allow=[{each.name!r}]"))
        aside = row_for(ASIDE, each.name)
        if aside and not (aside.allowable and each.name in self.allow):
            self._note(NoteKind.SET_ASIDE, each, aside.why)
            return None
        if each.name in PASSED:
            why = f"the lab speaks no {PASSED[each.name]}: it is answered 502, as if nobody listened there"
            self._note(NoteKind.SET_ASIDE, each, why)
            return Directive("return", ("502",), each.line, file=each.file)
        return self._looked_at(each)

    def _looked_at(self, each: Directive) -> Directive | None:
        if each.name in _SERVED_FROM and any(_ABOVE.search(arg) for arg in each.args) and each.name not in self.allow:
            raise Refused(
                at(each.line, f"{each.name} climbs out of its folder with ..; to allow it write allow=[{each.name!r}]")
            )
        if each.name == "set_real_ip_from" and not _ADDRESS.fullmatch("".join(each.args)):
            self._note(NoteKind.SET_ASIDE, each, "it is a name, and no name is looked up")
            return None
        if each.name in FILES:
            self._note(NoteKind.POINTED, each, FILES[each.name])
        if each.name == "deny" and each.args == ("all",):
            self._note(NoteKind.NOTED, each, "the lab's client comes from 127.0.0.1")
        if each.block is None or each.name in DATA:
            return each
        return replace(each, block=self.kept(_with_ssl(each.block)))

    def _note(self, kind: NoteKind, directive: Directive, why: str) -> None:
        self.notes.append(Note(kind, directive.line, shown(directive), why))


def _with_ssl(block: tuple[Directive, ...]) -> tuple[Directive, ...]:
    """Write the old `ssl on` (until nginx 1.25.1) as it is written now: with every listen of the server."""
    if not any(each.name == "ssl" and each.args == ("on",) for each in block):
        return block
    return tuple(replace(each, args=(*each.args, "ssl")) if each.name == "listen" else each for each in block)
