"""How a server decides: two tables of tests, each with its clause, made in order.

`HEAD_TESTS` are made of every request before its content is read; `OFFER_TESTS` of an upgrade offer
once the request is complete. A test returns a `Decline`, or None where the request passes it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from websockets.datastructures import Headers
from websockets.exceptions import InvalidHandshake
from websockets.extensions.base import Extension
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.http11 import Request
from websockets.server import ServerProtocol

from labkit.parties.core import QUIET, StoredFactory
from labkit.parties.described import Server
from labkit.wire.fields import Fields
from labkit.wire.http1 import RequestHead
from labkit.wire.upgrade import Protocol, is_key, offered, options

__all__ = [
    "ALLOW", "HEAD_TESTS", "OFFER_TESTS", "Decline", "Switch", "Test", "check_head", "choose", "evaluate", "named",
]  # fmt: skip


class Decline(NamedTuple):
    """A final answer that is not a 101: status code, one-line reason for the body, more field lines."""

    status: int
    reason: str
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Switch:
    """A 101: to which protocol, by the server's own name, with which field lines, and what was agreed."""

    protocol: str
    fields: Fields
    websocket: bool = False
    extensions: tuple[Extension, ...] = ()
    subprotocol: str | None = None


class Test(NamedTuple):
    """One test of a request: what it asks, the clause, and the function that answers."""

    name: str
    clause: str
    run: Callable[[Server, RequestHead], Decline | None]


# uri-host [":" port] of RFC 9110, 7.2, with the hosts of RFC 3986, 3.2.2. It may be empty.
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*)(:[0-9]*)?")
_METHODS = {"GET", "HEAD", "POST", "OPTIONS"}
_KNOWN = {*_METHODS, "PUT", "DELETE", "PATCH", "TRACE", "CONNECT"}
ALLOW = ("Allow", "GET, HEAD, POST, OPTIONS")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^/?#]+(/[^?#]*)?.*")


def _version(_: Server, head: RequestHead) -> Decline | None:
    if not head.version.startswith("HTTP/1."):
        return Decline(505, f"{head.version} is not spoken here; HTTP/1.1 is")
    return None


def _host(_: Server, head: RequestHead) -> Decline | None:
    hosts = head.fields.all("Host")
    if len(hosts) > 1:
        return Decline(400, f"{len(hosts)} Host field lines; there must be one")
    if not hosts:
        return None if head.version == "HTTP/1.0" else Decline(400, "no Host field line; there must be one")
    if not _HOST.fullmatch(hosts[0]):
        return Decline(400, "the Host field is not a host and a port")
    return None


def _framing(_: Server, head: RequestHead) -> Decline | None:
    codings = [coding.lower() for coding in head.fields.elements("Transfer-Encoding")]
    if not codings:
        return None
    if head.version == "HTTP/1.0":
        return Decline(400, "Transfer-Encoding in HTTP/1.0, which does not know it")
    if "Content-Length" in head.fields:
        return Decline(400, "both Transfer-Encoding and Content-Length: the content could be read in two ways")
    if codings[-1] != "chunked" or codings.count("chunked") > 1:
        return Decline(400, "chunked must be the last transfer coding, and only once: else the end is unclear")
    return None if len(codings) == 1 else Decline(501, "a transfer coding other than chunked")


def _expect(_: Server, head: RequestHead) -> Decline | None:
    wanted = [element.lower() for element in head.fields.elements("Expect")]
    return Decline(417, "the only expectation known here is 100-continue") if set(wanted) - {"100-continue"} else None


def _method(_: Server, head: RequestHead) -> Decline | None:
    if head.method in _METHODS:
        return None
    if head.method in _KNOWN:
        return Decline(405, f"{head.method} is not allowed here", (ALLOW,))
    return Decline(501, "this method is not known here")


def _target(_: Server, head: RequestHead) -> Decline | None:
    if head.target == "*":
        return None if head.method == "OPTIONS" else Decline(400, "the target * is for OPTIONS alone")
    if head.target.startswith("/") or _ABSOLUTE.fullmatch(head.target):
        return None
    return Decline(400, "the request-target is neither a path nor a URL")


def _length(server: Server, head: RequestHead) -> Decline | None:
    values = head.fields.elements("Content-Length")
    digits = values[0].lstrip("0") if values and values[0].isdecimal() else ""
    if len(digits) > 18 or int(digits or "0") > server.limits.content:
        return Decline(413, f"the content is at most {server.limits.content} bytes long here")
    return None


HEAD_TESTS: tuple[Test, ...] = (
    Test("the version is HTTP/1.x", "RFC 9110, 15.6.6", _version),
    Test("there is one Host, and it is a host", "RFC 9112, 3.2", _host),
    Test("the content is framed in one way", "RFC 9112, 6.1", _framing),
    Test("the expectation is known", "RFC 9110, 10.1.1", _expect),
    Test("the method is known and allowed", "RFC 9110, 9.1", _method),
    Test("the request-target has a form that the method knows", "RFC 9112, 3.2", _target),
    Test("the content is not too long", "RFC 9110, 15.5.14", _length),
)


def _path(server: Server, head: RequestHead) -> Decline | None:
    absolute = _ABSOLUTE.fullmatch(head.target)
    path = (absolute[1] or "/") if absolute else head.target.split("?")[0]
    known = not server.paths or path in server.paths
    return None if known else Decline(404, "nothing is here; try " + " or ".join(server.paths))


def _get(_: Server, head: RequestHead) -> Decline | None:
    return None if head.method == "GET" else Decline(405, "a WebSocket handshake is a GET", (("Allow", "GET"),))


def _ws_version(_: Server, head: RequestHead) -> Decline | None:
    if head.fields.all("Sec-WebSocket-Version") == ["13"]:
        return None
    named = (("Sec-WebSocket-Version", "13"),)
    if "Sec-WebSocket-Version" not in head.fields:
        return Decline(400, "no Sec-WebSocket-Version field line; it must say 13", named)
    return Decline(
        426,
        "only version 13 of WebSocket is spoken here",
        (("Upgrade", "websocket"), ("Connection", "Upgrade"), *named),
    )


def _key(_: Server, head: RequestHead) -> Decline | None:
    keys = head.fields.all("Sec-WebSocket-Key")
    if len(keys) != 1:
        found = f"{len(keys)} Sec-WebSocket-Key field lines" if keys else "no Sec-WebSocket-Key field line"
        return Decline(400, f"{found}; there must be one")
    return None if is_key(keys[0]) else Decline(400, "the Sec-WebSocket-Key is not the base64 of 16 bytes")


def _origin(server: Server, head: RequestHead) -> Decline | None:
    if server.origins is None or "Origin" not in head.fields:
        return None
    allowed = len(head.fields.all("Origin")) == 1 and head.fields.get("Origin") in server.origins
    return None if allowed else Decline(403, "this Origin is not welcome here")


OFFER_TESTS: tuple[Test, ...] = (
    Test("the path exists", "RFC 6455, 4.2.2", _path),
    Test("the method is GET", "RFC 6455, 4.2.1 (1)", _get),
    Test("there is one key of 16 bytes", "RFC 6455, 4.2.1 (5)", _key),
    Test("the version is 13", "RFC 6455, 4.2.1 (6), 4.4", _ws_version),
    Test("the Origin is welcome", "RFC 6455, 4.2.2 (4)", _origin),
)


def check_head(server: Server, head: RequestHead) -> Decline | None:
    """Make the tests of every request; return the first decline, or None."""
    for test in HEAD_TESTS:
        declined = test.run(server, head)
        if declined:
            return declined
    return None


def choose(server: Server, head: RequestHead) -> str | None:
    """Return the protocol to switch to, by the server's own name for it; None for a plain answer.

    An Upgrade field without its connection option is not meant for this party (RFC 9110, 7.6.1), and
    one in an HTTP/1.0 request is ignored (RFC 9110, 7.8: MUST).
    """
    if head.version == "HTTP/1.0" or "upgrade" not in options(head.fields):
        return None
    wanted = offered(head.fields)
    if server.prefer == "server":
        return next((own for own in server.protocols if any(p.same(Protocol.parse(own)) for p in wanted)), None)
    for protocol in wanted:
        for own in server.protocols:
            if protocol.same(Protocol.parse(own)):
                return own
    return None


def evaluate(server: Server, head: RequestHead) -> Switch | Decline | None:
    """Decide on a complete request: switch, decline, or None for a plain answer (the offer is ignored)."""
    name = choose(server, head)
    if name is None:
        return _plain(server, head)
    websocket = name.lower() == "websocket"
    for test in OFFER_TESTS if websocket else OFFER_TESTS[:1]:
        declined = test.run(server, head)
        if declined:
            return declined
    if websocket:
        return _accept(server, head, name)
    return Switch(name, Fields((("Upgrade", name), ("Connection", "Upgrade"))))


def _plain(server: Server, head: RequestHead) -> Decline | None:
    if (missing := _path(server, head)) and head.target != "*":
        return missing
    if not server.require:
        return None
    return Decline(426, f"only after an upgrade to {', '.join(server.protocols)}", named(server))


def named(server: Server) -> tuple[tuple[str, str], ...]:
    """Return the field lines that say what a server can switch to (RFC 9110, 7.8); none where it is nothing."""
    names = ", ".join(server.protocols)
    return (("Upgrade", names), ("Connection", "Upgrade")) if names else ()


def _accept(server: Server, head: RequestHead, name: str) -> Switch | Decline:
    """Let websockets' core make the rest of the handshake: the key's answer, extensions, subprotocol."""
    factories: list[ServerPerMessageDeflateFactory] = []
    if server.deflate != "off":
        factories = [ServerPerMessageDeflateFactory() if server.deflate == "zlib" else StoredFactory()]

    def select(_: ServerProtocol, asked: object) -> object:
        return next((own for own in server.subprotocols if own in asked), None)  # type: ignore[operator]

    core = ServerProtocol(extensions=factories, select_subprotocol=select, logger=QUIET)  # type: ignore[arg-type]
    # What was chosen here is what it is asked for, whatever else the client would have taken.
    lines = head.fields.replaced("Upgrade", "websocket")
    try:
        proof, extensions, subprotocol = core.process_request(Request(head.target, Headers(lines)))
    except InvalidHandshake as error:
        return Decline(400, str(error).partition("\n")[0])
    fields = Fields((("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", proof)))
    if extensions is not None:
        fields = fields.with_line("Sec-WebSocket-Extensions", extensions)
    if subprotocol is not None:
        fields = fields.with_line("Sec-WebSocket-Protocol", subprotocol)
    return Switch(name, fields, websocket=True, extensions=tuple(core.extensions), subprotocol=subprotocol)
