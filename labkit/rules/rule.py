"""A rule: who must do what, where that is written, and how a trace shows that it was broken."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from labkit.trace import Direction

if TYPE_CHECKING:
    from labkit.rules.evidence import Evidence

__all__ = ["Check", "Level", "Rule", "Sighting", "Who"]


class Who(StrEnum):
    """Whom a rule binds."""

    CLIENT = "client"
    PROXY = "proxy"
    SERVER = "server"
    SENDER = "any sender"
    RECIPIENT = "any recipient"


class Level(StrEnum):
    """How strongly it binds (RFC 2119); a fact binds nobody."""

    MUST = "MUST"
    MUST_NOT = "MUST NOT"
    SHOULD = "SHOULD"
    SHOULD_NOT = "SHOULD NOT"
    MAY = "MAY"
    FACT = "fact"

    @property
    def binds(self) -> bool:
        """Whether it can be broken at all."""
        return self not in (Level.MAY, Level.FACT)

    @property
    def strict(self) -> bool:
        """Whether it is a MUST or a MUST NOT."""
        return self in (Level.MUST, Level.MUST_NOT)


class Sighting(NamedTuple):
    """What a check saw: on which bytes of which direction, and in a few words what is wrong with them.

    The party at fault is the one that sent these bytes. A `note` is worth knowing and breaks nothing.
    """

    hop: int
    direction: Direction
    start: int
    end: int
    seen: str
    note: bool = False


Check = Callable[["Evidence"], Iterable[Sighting]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the rule base.

    Args:
        id: a letter for its subject and a number: G HTTP, I proxies, H h2c, O bytes sent too early,
            W WebSocket's opening handshake, X its frames.
        who: whom it binds.
        clause: where it is written.
        level: how strongly it binds.
        text: what it asks, in a sentence of our own.
        mend: what would mend it, in a few words; only where it can be broken.
        switch: whether the switch hangs on it.
        check: finds where a trace breaks it.
        reason: why there is no check: no trace can show it.

    A rule that binds has either a check or a reason; a fact or a MAY has neither.
    """

    id: str
    who: Who
    clause: str
    level: Level
    text: str
    mend: str = ""
    switch: bool = False
    check: Check | None = None
    reason: str = ""

    def __repr__(self) -> str:
        return f"<Rule {self.id}: {self.text}>"
