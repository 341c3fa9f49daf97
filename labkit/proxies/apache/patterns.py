"""Regular expressions of a configuration, which are PCRE's, read by Python: the part in which both agree."""

from __future__ import annotations

import re

from labkit.proxies.directive import Directive, unmodelled

__all__ = ["LOCATIONS", "by_expression", "compiled", "filled"]

LOCATIONS = ("location", "locationmatch")
"""The sections that hold for paths."""

_ELSE = re.compile(r"\\[KRXGQEhHvVN]|\(\?(?![:=!i)])|\[\[:|[*+?}]\+|\\[pP]|\(\*")
"""What means something else to PCRE than to Python, or nothing."""

_REFERENCE = re.compile(r"\\(.)|[$]([0-9])", re.DOTALL)
_LAST = re.compile(r"(?<!\\)[$]$")


def compiled(text: str, directive: Directive, *, case: bool = True) -> re.Pattern[str]:
    """Return an expression as httpd reads it: a dot is any character, a dollar sign the very end.

    Raises:
        Unmodelled: it has what PCRE and Python read in two ways, or cannot be read.

    >>> bool(compiled("^/ws/(.*)$", Directive("LocationMatch")).search("/ws/a"))
    True
    """
    if not _ELSE.search(text):
        try:
            found = re.compile(_LAST.sub(r"\\Z", text), re.DOTALL | re.ASCII | (0 if case else re.IGNORECASE))
        except (re.error, OverflowError):
            pass
        else:
            return found
    raise unmodelled(directive, f"the model of Apache does not read the expression {text}")


def by_expression(section: Directive) -> bool:
    """Tell whether a location holds for the paths of an expression, and not for all that begin alike.

    >>> by_expression(Directive("Location", ("~", "^/ws"))), by_expression(Directive("Location", ("/ws",)))
    (True, False)
    """
    return section.name.lower() == "locationmatch" or section.args[0] == "~"


def filled(text: str, match: re.Match[str]) -> str:
    r"""Return a text with $1 and such filled in, as httpd's `ap_pregsub` does it.

    >>> filled("/m/$1", re.compile("^/ws/(.*)$").search("/ws/a"))
    '/m/a'
    """

    def one(found: re.Match[str]) -> str:
        if found[1]:
            return found[1]
        number = int(found[2])
        return (match[number] or "") if number <= match.re.groups else ""

    return _REFERENCE.sub(one, text)
