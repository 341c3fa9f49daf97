"""How the failures of the catalogue are reproduced on one machine: each name with a broken and a fixed scenario.

by_client    what a client does wrong
by_server    what a server does wrong, or what stands behind it
by_proxy     what is wrong in the configuration of nginx or Apache
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from labkit.cases import by_client, by_proxy, by_server
from labkit.cases.catalogue import failure, failures
from labkit.cases.seen import Reproduced
from labkit.errors import Unmodelled

__all__ = ["REPRODUCED", "reproduced"]

_FOUND = {**by_client.CASES, **by_server.CASES, **by_proxy.CASES}

REPRODUCED: Mapping[str, Reproduced] = MappingProxyType(
    {each.name: _FOUND[each.name] for each in failures() if each.name in _FOUND}
)
"""Every case that can be had on one machine, in the order of the catalogue."""


def reproduced(name: object) -> Reproduced:
    """Return the scenarios of a case, by its name.

    Raises:
        WrongUse: there is no such case.
        Unmodelled: it cannot be reproduced; the message says why, and the command that shows it.

    >>> reproduced("wrong-accept").fails.rules
    ('W31',)
    """
    found = failure(name)
    if found.name not in REPRODUCED:
        raise Unmodelled(
            f"{found.name} is not reproduced: {found.unstaged}; what shows it where it occurs: {found.prove}"
        )
    return REPRODUCED[found.name]
