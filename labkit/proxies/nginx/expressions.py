"""Texts with variables in them, as nginx reads them: the case of a name is of no account."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["names_in", "parts_of"]

_FOUND = re.compile(r"\$(?:\{(\w+)\}|(\w+))", re.ASCII)


@lru_cache(maxsize=1024)
def parts_of(text: str) -> tuple[tuple[str, str], ...]:
    """Split a text into pairs: what stands before a variable, and its name in lower case; the last has no name.

    >>> parts_of("$Scheme://$1x")
    (('', 'scheme'), ('://', '1'), ('x', ''))
    """
    parts, at = [], 0
    for found in _FOUND.finditer(text):
        name = (found[1] or found[2]).lower()
        end = found.end()
        if not found[1] and name[0].isdigit():  # $1x is $1 and an x
            name, end = name[0], found.start() + 2
        parts.append((text[at : found.start()], name))
        at = end
    return (*parts, (text[at:], ""))


def names_in(text: str) -> tuple[str, ...]:
    """Return the names of the variables in a text, in lower case.

    >>> names_in("${scheme}://$Host$request_uri")
    ('scheme', 'host', 'request_uri')
    """
    return tuple(name for _, name in parts_of(text) if name)
