"""One request on its way through nginx: what its variables and its phases know and change."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

from labkit.proxies.nginx.levels import Level
from labkit.proxies.nginx.locations import Server
from labkit.proxies.nginx.targets import Target
from labkit.wire.http1 import RequestHead

__all__ = ["CLIENT", "MOST_CHANGES", "Trip", "is_client"]

CLIENT = "127.0.0.1"
"""The address of the lab's client."""

MOST_CHANGES = 10
"""How often a path may be changed (NGX_HTTP_MAX_URI_CHANGES)."""


def is_client(address: str) -> bool:
    """Tell whether an address or a network of a configuration is the lab's client's.

    >>> is_client("127.0.0.0/8"), is_client("10.0.0.1")
    (True, False)
    """
    if address == "all":
        return True
    try:
        return ipaddress.ip_address(CLIENT) in ipaddress.ip_network(address, strict=False)
    except ValueError:
        return False


@dataclass(slots=True)
class Trip:
    """A request, and what became of it so far.

    Args:
        head: as it came, less the field lines that nginx drops.
        server: the server that its host chose.
        where: the level that holds for it now: the server, a location, an `if`.
        port: the port of the text that it came to.
        tls: whether that port speaks TLS where the text comes from.
        host: its host in small letters, without a port; empty where it named none.
        target: its target.
        length: bytes of its content; None where it has none.
        number: which one it is on its connection.
    """

    head: RequestHead
    server: Server
    where: Level
    port: int
    tls: bool
    host: str
    target: Target
    length: int | None = None
    number: int = 1
    method: str = ""
    uri: str = ""
    args: str = ""
    kept: bool = True
    placed: bool = True
    internal: bool = False
    changes: int = MOST_CHANGES + 1
    paged: bool = False
    status: int = 0
    keeps: bool = False
    variables: dict[str, str] = field(default_factory=dict)
    captures: list[str] = field(default_factory=list)
    proxy: tuple[str, str] = ("", "")

    def __post_init__(self) -> None:
        target = self.target
        self.method, self.uri, self.args, self.kept = self.head.method, target.uri, target.args, target.kept

    @property
    def version(self) -> str:
        """The version of the request."""
        return self.head.version

    @property
    def headless(self) -> bool:
        """Whether the answer has no head, as in HTTP/0.9."""
        return self.version == "HTTP/0.9"

    @property
    def chunks(self) -> bool:
        """Whether the client reads content in chunks: HTTP/1.1 or later."""
        return self.version not in ("HTTP/0.9", "HTTP/1.0")

    def field(self, name: str) -> str:
        """Return the first value of a field of the request; empty where it has none."""
        return next(iter(self.head.fields.all(name)), "")

    def catch(self, captures: list[str], names: dict[str, str]) -> None:
        """Take what a regular expression caught."""
        self.captures = captures
        self.variables.update({name.lower(): value for name, value in names.items()})

    def redirected(self, uri: str, args: str) -> None:
        """Turn to another path without the client's knowing (ngx_http_internal_redirect)."""
        self.uri, self.args = uri, args
        self.where, self.internal, self.kept, self.placed = self.server, True, False, True
        self.changes -= 1

    def get(self) -> None:
        """Turn into a GET, as nginx does for an error page."""
        if self.method != "HEAD":
            self.method = "GET"
