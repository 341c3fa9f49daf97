"""What a request-target and a Host are made of (RFC 3986, RFC 9110, RFC 9112), as patterns of text.

Each matches with `fullmatch`. The possessive `*+` gives nothing back, so that no text takes long to refuse.
"""

from __future__ import annotations

import re

__all__ = ["ABSOLUTE", "HOST", "ORIGIN", "path_and_query"]

# RFC 3986, 3.2.2: an address in brackets, IPv6 or of a later kind, or a name; it may be empty
_IN_BRACKETS = r"\[(?:[0-9A-Fa-f:.]+|v[0-9A-Fa-f]+\.[A-Za-z0-9\-._~!$&'()*+,;=:]+)\]"
_AUTHORITY = rf"(?:{_IN_BRACKETS}|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{{2}})*+)(?::[0-9]*)?"
# RFC 3986, 3.3 and 3.4: no fragment, no quote, no bracket, no bare percent sign
_PATH = r"/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*+"
_QUERY = r"(?:\?(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*+)?"

HOST = re.compile(_AUTHORITY)
"""The value of a Host field: uri-host and, maybe, a port (RFC 9110, 7.2)."""

ORIGIN = re.compile(_PATH + _QUERY)
"""A request-target in origin form: a path and, maybe, a query (RFC 9112, 3.2.1)."""

ABSOLUTE = re.compile(rf"[A-Za-z][A-Za-z0-9+.\-]*://(?=[^/?]){_AUTHORITY}({_PATH})?{_QUERY}")
"""A request-target in absolute form (RFC 9112, 3.2.2); its group is the path.

User information in it is taken for an error (RFC 9110, 4.2.4).
"""


def path_and_query(target: str) -> tuple[str, str]:
    """Return the path of a request-target in origin or absolute form, and its query.

    >>> path_and_query("/tea?name=Ada"), path_and_query("http://server.example.com")
    (('/tea', 'name=Ada'), ('/', ''))
    """
    absolute = ABSOLUTE.fullmatch(target)
    path, _, query = target.partition("?")
    return ((absolute[1] or "/") if absolute else path), query
