"""The ports that the servers of a text listen on, as it has them, and which of them is the door."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from labkit.errors import WrongUse
from labkit.proxies.directive import Directive, Note, NoteKind, walk
from labkit.proxies.nginx.reading import at
from labkit.proxies.nginx.writing import shown

__all__ = ["Listen", "door_of", "listens", "settle_listens"]

_PORT = re.compile(r"(?:(?:\[[^\]]*\]|[^:\[\]]*):)?(?P<port>[0-9]+)(?:-[0-9]+)?")
_NAME = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")  # a name that a client can ask for: no star, no pattern
_USUAL = 80
_NO_PORT_NAMED = frozenset({(80, False), (443, True)})  # http://HOST/ and https://HOST/ name none
_TLS = frozenset({"ssl", "quic"})
_BY_SCHEME = ("$scheme", "$https", "$server_port", "${scheme}")


class Listen(NamedTuple):
    """One `listen`, as it counts here: the port of the text, TLS or not, whether its server is the default."""

    port: int
    ssl: bool
    default: bool
    line: int

    def directive(self) -> Directive:
        """Return it as a directive."""
        words = [str(self.port), *["ssl"] * self.ssl, *["default_server"] * self.default]
        return Directive("listen", tuple(words), self.line)


def listens(server: Directive) -> tuple[Listen, ...]:
    """Return what a settled server listens on."""
    return tuple(
        Listen(int(each.args[0]), "ssl" in each.args, "default_server" in each.args, each.line)
        for each in server.inside("listen")
    )


def settle_listens(http: Directive) -> tuple[Directive, list[Note]]:
    """Return a block http whose servers listen on plain port numbers, each once, and notes on it."""
    settler = _Settler()
    return replace(http, block=tuple(settler.server(each) for each in http.block or ())), settler.notes


def door_of(http: Directive, wanted: int | None) -> tuple[int, str]:
    """Return the port that the client dials, the one wanted or the first that leads to an upstream, and a host there.

    Raises:
        WrongUse: nothing listens on the port that is wanted.
    """
    servers = http.inside("server")
    ports = list(dict.fromkeys(each.port for server in servers for each in listens(server)))
    if wanted is not None:
        if wanted not in ports:
            raise WrongUse(f"nothing listens on port {wanted}; there are {', '.join(map(str, ports))}")
        servers = tuple(each for each in servers if any(one.port == wanted for one in listens(each)))
    leading = next((server for server in servers if _leads(server)), servers[0])
    host = next((name for each in leading.inside("server_name") for name in each.args if _NAME.fullmatch(name)), "")
    return (_port_of(leading) if wanted is None else wanted), host


def _port_of(leading: Directive) -> int:
    there = listens(leading)
    if any(each.name == "if" and each.args[:1] and each.args[0] in _BY_SCHEME for each in leading.block or ()):
        return next((each.port for each in there if each.ssl), there[0].port)  # in plain it would redirect
    return there[0].port


def _leads(server: Directive) -> bool:
    return not server.inside("return") and any(each.name == "proxy_pass" for each in walk([server]))


@dataclass(slots=True)
class _Settler:
    notes: list[Note] = field(default_factory=list)
    defaults: dict[int, int] = field(default_factory=dict)  # port → line of its default server

    def server(self, each: Directive) -> Directive:
        if each.name != "server" or each.block is None:
            return each
        found: dict[int, Listen] = {}
        for listen in each.inside("listen"):
            self._settle(listen, found)
        if not found:
            found = self._missing(each)
        others = tuple(one for one in each.block if one.name != "listen")
        return replace(
            each, block=(*(one.directive() for one in found.values()), *self._silent(found, others), *others)
        )

    def _missing(self, server: Directive) -> dict[int, Listen]:
        sockets = server.inside("listen")
        what = "the lab dials a port, not a file" if sockets else "a server without one listens on port 80"
        self.notes.append(Note(NoteKind.ADDED, 0, f"listen {_USUAL}", what))
        return {_USUAL: Listen(_USUAL, ssl=False, default=False, line=0)}

    def _settle(self, listen: Directive, found: dict[int, Listen]) -> None:
        if not listen.args:
            raise WrongUse(at(listen.line, "listen has no address and no port"))
        if listen.args[0].startswith("unix:"):
            self._note(NoteKind.SET_ASIDE, listen, "the lab dials a port, not a file")
            return
        port = _port(listen)
        words = set(listen.args[1:])
        tls = bool(words & _TLS)
        default = bool(words & {"default_server", "default"}) and self._first_default(listen, port)
        if port in found:
            known = found[port]
            found[port] = known._replace(ssl=known.ssl or tls, default=known.default or default)
            self._note(NoteKind.SET_ASIDE, listen, f"the lab listens on port {port} once, on 127.0.0.1")
            return
        found[port] = Listen(port, tls, default, listen.line)
        self._note(NoteKind.POINTED, listen, _listened(listen.args[1:], tls=tls))

    def _first_default(self, listen: Directive, port: int) -> bool:
        line = self.defaults.setdefault(port, listen.line)
        if line == listen.line:
            return True
        why = f"the server of line {line} is the default of port {port} already"
        self.notes.append(Note(NoteKind.SET_ASIDE, listen.line, "default_server", why))
        return False

    def _silent(self, found: dict[int, Listen], others: Sequence[Directive]) -> tuple[Directive, ...]:
        """Let nginx's own redirects name no port where they name none in the world."""
        usual = all((each.port, each.ssl) in _NO_PORT_NAMED for each in found.values())
        if not usual or any(each.name == "port_in_redirect" for each in others):
            return ()
        why = "at the usual port nginx's own redirects name none"
        self.notes.append(Note(NoteKind.ADDED, 0, "port_in_redirect off", why))
        return (Directive("port_in_redirect", ("off",)),)

    def _note(self, kind: NoteKind, directive: Directive, why: str) -> None:
        self.notes.append(Note(kind, directive.line, shown(directive), why))


def _port(listen: Directive) -> int:
    address = listen.args[0]
    found = _PORT.fullmatch(address)
    if not found:
        if address.rpartition("]")[2].startswith(":") or (address.count(":") == 1):
            raise WrongUse(at(listen.line, f"listen {address} has no port number behind the colon"))
        return _USUAL  # an address alone
    port = int(found["port"][:9])
    if not 1 <= port <= 65535:
        raise WrongUse(at(listen.line, f"listen {address}: a port is a number from 1 to 65535"))
    return port


def _listened(words: Sequence[str], *, tls: bool) -> str:
    where = "it listens on a free port of 127.0.0.1"
    if tls:
        plain = "in plain, while $scheme, $https and $server_port say what they say behind TLS"
        return f"{where}, {plain}; only redirects of nginx's own begin with http:"
    if "http2" in words:
        return f"{where}, and speaks HTTP/1.1"
    if "proxy_protocol" in words:
        return f"{where}, without the line of the PROXY protocol, which the lab's client does not send"
    return where
