"""Where a configuration leads: the URLs of backends, where they stand, and how they are pointed at the lab.

Two ways of pointing, both measured on 2.4.71. `http://backend/` -> `http://127.0.0.1:PORT/`: Apache then sends
`Host: 127.0.0.1:PORT`, unless ProxyPreserveHost is On. `http://backend/` -> `unix:FILE|http://backend/`: it connects
to the socket FILE and sends `Host: backend`, as in life. Backends that differ must stay apart, for two ProxyPass with
one address share a worker, and the second one's parameters are ignored (AH01146). So the second backend is pointed
at 127.0.0.01, the third at 127.0.0.001: the same address to every resolver, another name to httpd.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from labkit.errors import Refused
from labkit.proxies.apache.patterns import LOCATIONS
from labkit.proxies.apache.reading import Line, plain

__all__ = ["SPOKEN", "Backend", "Found", "backend", "find", "flags", "loopback", "pointed", "reversed_at"]

SPOKEN = {"http": "http", "ws": "ws", "https": "http", "wss": "ws"}
"""Scheme of a backend that the lab can be -> what the lab is spoken to with; it has no TLS."""

_PORTS = {"http": "80", "ws": "80", "https": "443", "wss": "443"}
_URL = re.compile(
    r"(?:unix:(?P<socket>[^|]*)\|)?(?P<scheme>[a-z][a-z0-9+.-]*)://"
    r"(?P<address>[^/?#$%]+(?=\$\d(?![\w.:-])|%\{REQUEST_URI\})|[^/?#]*)(?P<tail>.*)",  # http://host$1 has a path in $1
    re.IGNORECASE | re.DOTALL,
)
_PORT = re.compile(r":([0-9]{1,5})$")
_DYNAMIC = re.compile(r"[$%]")
_LOOPBACK = re.compile(r"localhost|127(\.[0-9]{1,3}){3}|\[::1\]", re.IGNORECASE)
_NAMED = "localhost"  # in Host where the text has an address that is made at run time


class Backend(NamedTuple):
    """The URL of a backend in its parts.

    Args:
        scheme: in lower case.
        address: HOST or HOST:PORT as it is written, without a user's name.
        tail: all behind the address, as it is written.
        socket: the path of a unix socket; empty where there is none.
    """

    scheme: str
    address: str
    tail: str = ""
    socket: str = ""

    @property
    def dynamic(self) -> bool:
        """Whether the address is made at run time, of a match or a variable."""
        return _DYNAMIC.search(self.address) is not None

    @property
    def key(self) -> tuple[str, str]:
        """What tells backends apart: TLS and the address with its port, or the socket."""
        if self.socket:
            return ("unix", self.socket)
        host = (
            self.address.lower() if _PORT.search(self.address) else f"{self.address.lower()}:{_PORTS.get(self.scheme)}"
        )
        return ("tls" if self.scheme in ("https", "wss") else "plain", host)


class Found(NamedTuple):
    """A backend that a line leads to.

    Args:
        line: the line.
        word: which of its words has the URL.
        backend: the URL.
        before: what stands before the URL in that word.
    """

    line: Line
    word: int
    backend: Backend
    before: str = ""


def backend(url: str) -> Backend | None:
    """Return the parts of a URL; None where it is none.

    >>> backend("ws://backend:3000/socket")
    Backend(scheme='ws', address='backend:3000', tail='/socket', socket='')
    """
    match = _URL.fullmatch(url)
    if match is None:
        return None
    address = match["address"].rpartition("@")[2]
    return Backend(match["scheme"].lower(), address, match["tail"], match["socket"] or "")


def flags(line: Line) -> dict[str, str]:
    """Return the flags of a RewriteRule, in lower case, with their values.

    >>> flags(Line("RewriteRule", "^/ws/(.*) ws://backend/$1 [P,L]"))
    {'p': '', 'l': ''}
    """
    args = line.args
    if len(args) < 3 or not (args[2].startswith("[") and args[2].endswith("]")):
        return {}
    found = {}
    for each in args[2][1:-1].split(","):
        name, _, value = each.strip().partition("=")
        found[name.strip().lower()] = value
    return found


def find(line: Line, around: Iterable[str]) -> Found | None:
    """Return the backend that a line leads to; None where it leads nowhere, or to a balancer.

    Args:
        line: the line.
        around: the names of the sections that it stands in, in lower case.
    """
    index, before = _where(line, tuple(around))
    if index < 0 or index >= len(line.args):
        return None
    url = backend(line.args[index].removeprefix(before))
    if url is None or url.scheme == "balancer":
        return None
    return Found(line, index, url, before)


def _where(line: Line, around: tuple[str, ...]) -> tuple[int, str]:
    """Return which word of a line can have a URL, and what stands before it; -1 for none."""
    located = any(name in LOCATIONS for name in around)
    match line.key, line.block is not None:
        case "proxypass" | "proxypassmatch" | "proxypassreverse", False:
            return (0 if located else 2 if line.args[:1] == ("~",) else 1), ""
        case "balancermember", False:  # its parameters may stand before its URL
            bare = [at for at, word in enumerate(line.args) if "=" not in word]
            named = bool(bare) and line.args[bare[0]].lower().startswith("balancer:")
            return (bare[named] if len(bare) > named else -1), ""
        case ("proxyset", False) | ("proxy", True):
            return 0, ""
        case "sethandler", False:
            return (0 if line.args[:1] and line.args[0].startswith("proxy:") else -1), "proxy:"
        case "rewriterule", False:
            proxied = {"p", "proxy"} & set(flags(line))
            return (1 if proxied else -1), ""
    return -1, ""


def loopback(found: Found, *, allow: tuple[str, ...]) -> None:
    """Check that a backend that is kept as it is lies on this machine.

    Raises:
        Refused: it lies elsewhere, speaks TLS, or is a unix socket that is not allowed by name.
    """
    url, where = found.backend, found.line.place
    if url.socket:
        if url.socket not in allow:
            raise Refused(
                f"{where}: the socket {plain(url.socket)} is another program's; allow=[{url.socket!r}] allows it"
            )
    elif not _LOOPBACK.fullmatch(_PORT.sub("", url.address)):
        raise Refused(
            f"{where}: {plain(url.address)} is not on this machine; without keep_upstreams the lab takes its place"
        )
    elif SPOKEN.get(url.scheme) != url.scheme:
        raise Refused(
            f"{where}: the lab runs Apache without {plain(url.scheme)}; without keep_upstreams it takes plain HTTP"
        )


def pointed(found: Found, upstream: str, places: dict[tuple[str, str], int]) -> str:
    """Return the word of a line with its backend at the lab.

    Args:
        found: the backend.
        upstream: HOST:PORT, or unix:FILE.
        places: the backends of the configuration by their keys, numbered.
    """
    url = found.backend
    if upstream.startswith("unix:"):
        return f"{found.before}{upstream}|{_as_named(url)}"
    return f"{found.before}{SPOKEN[url.scheme]}://{_apart(upstream, places.get(url.key, 0))}{url.tail}"


def reversed_at(url: Backend, upstream: str, places: dict[tuple[str, str], int]) -> str:
    """Return a ProxyPassReverse's URL, what a backend calls itself, as the lab would; empty where it is no backend."""
    if url.key not in places:
        return ""
    if upstream.startswith("unix:"):
        return _as_named(url)
    return f"{SPOKEN[url.scheme]}://{_apart(upstream, places.get(url.key, 0))}{url.tail}"


def _as_named(url: Backend) -> str:
    address = _NAMED if url.dynamic else url.address
    return f"{SPOKEN[url.scheme]}://{address}{url.tail}"


def _apart(upstream: str, number: int) -> str:
    host, _, port = upstream.rpartition(":")
    return f"127.0.0.{'0' * number}1:{port}" if host == "127.0.0.1" else upstream
