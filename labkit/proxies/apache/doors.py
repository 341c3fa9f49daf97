"""On which ports a configuration listens, which of them is the door, and which virtual hosts stand behind each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from labkit.errors import WrongUse
from labkit.proxies.apache.reading import Line, every

__all__ = ["addresses", "door_of", "listened", "ports_of", "virtual_hosts"]

_ADDRESS = re.compile(r"(\[[0-9a-fA-F:.%]+\]|[A-Za-z0-9_.*-]+)(?::([0-9]{1,5}|\*))?")
_USUAL = 80
_MOST_PORTS = 40


def _port(line: Line, text: str) -> int:
    if not re.fullmatch("[0-9]{1,5}", text) or not 0 < int(text) < 65536:
        raise line.wrong(f"{text!r} is no port")
    return int(text)


def listened(line: Line) -> int:
    """Return the port of a Listen.

    >>> listened(Line("Listen", "192.0.2.1:8080 https"))
    8080
    """
    if not line.args:
        raise line.wrong("the port is missing")
    return _port(line, line.args[0].rpartition(":")[2])


def addresses(line: Line) -> tuple[tuple[str, int | None], ...]:
    """Return the addresses of a <VirtualHost>, each with its port, None where it takes any.

    >>> addresses(Line("VirtualHost", "*:80 [::1]:443", block=()))
    (('*', 80), ('[::1]', 443))
    """
    found = []
    for text in line.args:
        match = _ADDRESS.fullmatch(text)
        if match is None:
            raise line.wrong(f"{text!r} is no address; write *:80 or such")
        found.append((match[1], None if match[2] in (None, "*") else _port(line, match[2])))
    if not found:
        raise line.wrong("its address is missing; write <VirtualHost *:80>")
    return tuple(found)


def virtual_hosts(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Return the virtual hosts, in order."""
    return tuple(line for line in lines if line.key == "virtualhost" and line.block is not None)


def ports_of(lines: tuple[Line, ...]) -> tuple[int, ...]:
    """Return every port, in the order of the text: those that are listened to, and those of virtual hosts."""
    found: dict[int, None] = {}
    for line in every(lines):
        if line.key == "listen" and line.block is None:
            found[listened(line)] = None
        elif line.key == "virtualhost" and line.block is not None:
            found.update((port, None) for _, port in addresses(line) if port is not None)
        if len(found) > _MOST_PORTS:
            raise line.wrong(f"the text listens on more than {_MOST_PORTS} ports; the lab opens no more")
    return tuple(found) or (_USUAL,)


def door_of(lines: tuple[Line, ...], wanted: int | None, leads: Callable[[Line], bool]) -> int:
    """Return the port that the client dials.

    Args:
        lines: the configuration.
        wanted: the port that was asked for; None for the first that leads to an upstream.
        leads: tells whether a line leads to an upstream.

    Raises:
        WrongUse: the text does not listen on the port that was asked for.
    """
    ports = ports_of(lines)
    if wanted is not None:
        if wanted not in ports:
            raise WrongUse(f"door={wanted}: the configuration listens on {', '.join(map(str, ports))}")
        return wanted
    for host in virtual_hosts(lines):
        if any(leads(line) for line in every(host.block or ())):
            return next((port for _, port in addresses(host) if port is not None), ports[0])
    return ports[0]
