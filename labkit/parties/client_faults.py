"""What a client does wrong on purpose: one table, as `faults` is for a server.

The bytes of an offer stay right; what is wrong is how the answer is read. Such a client shows in what it
does next, and only the lab's own client can be told to be one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from labkit.errors import WrongUse

__all__ = ["CLIENT_FAULTS", "ClientFault", "check_client_faults"]


class ClientFault(NamedTuple):
    """One fault: what it does, and the rule that speaks of it."""

    does: str
    rule: str


CLIENT_FAULTS: dict[str, ClientFault] = {
    "loses-early": ClientFault(
        "throws away what it read behind the blank line of the 101: the first frame, if both came in one read", "G23"
    ),
    "first-answer": ClientFault("takes the first answer for the final one, though it is of class 1xx", "G19"),
}
"""Every fault of a client."""


def check_client_faults(names: object) -> tuple[str, ...]:
    """Check the faults that a client is told to make, each once.

    Raises:
        WrongUse: they are no list of names, or there is none of such a name.

    >>> check_client_faults(["loses-early"])
    ('loses-early',)
    """
    if isinstance(names, (str, bytes)) or not isinstance(names, Iterable):
        raise WrongUse(f"faults of an offer is a list of names, such as ['loses-early'], not {names!r}")
    found = tuple(dict.fromkeys(names))
    for name in found:
        if name not in CLIENT_FAULTS:
            raise WrongUse(f"no fault of a client is called {name!r}; there are {', '.join(CLIENT_FAULTS)}")
    return found
