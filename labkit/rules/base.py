"""The rule base: every rule the lab knows, by id."""

from __future__ import annotations

from itertools import chain
from operator import attrgetter

from labkit.errors import WrongUse
from labkit.rules.accepting import ACCEPTING
from labkit.rules.closing import CLOSING
from labkit.rules.connections import CONNECTIONS
from labkit.rules.content import CONTENT
from labkit.rules.extensions import EXTENSIONS
from labkit.rules.frames import FRAMES
from labkit.rules.h2c import H2C
from labkit.rules.heads import HEADS
from labkit.rules.http import HTTP
from labkit.rules.opening import OPENING
from labkit.rules.relay import RELAY
from labkit.rules.rule import Rule
from labkit.rules.statuses import STATUSES

__all__ = ["RULES", "find"]

_TABLES = (HTTP, STATUSES, HEADS, CONTENT, CONNECTIONS, RELAY, H2C, OPENING, ACCEPTING, EXTENSIONS, FRAMES, CLOSING)

RULES: tuple[Rule, ...] = tuple(sorted(chain(*_TABLES), key=attrgetter("id")))

_BY_ID = {rule.id: rule for rule in RULES}


def find(name: str) -> Rule:
    """Return the rule of an id, in either case.

    Raises:
        WrongUse: there is none.

    >>> find("g02").clause
    'RFC 9110, 7.8'
    """
    try:
        return _BY_ID[name.upper()]
    except KeyError:
        raise WrongUse(f"there is no rule {name!r}: the rules are {RULES[0].id} to {RULES[-1].id}") from None
