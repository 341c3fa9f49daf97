"""How a server decides: tables of tests, each with its clause, made in order.

    CHOICE_TESTS, KNOWN      of a whole request: where one fails, no upgrade is offered that is for this server
    TOLD                     whether the server is told to decline such an offer, or to ignore it
    OFFER_TESTS              of an offer: one that fails declines it
    TESTS_OF, REST           of an offer of one protocol, likewise
    PLAIN_TESTS              of a request that is answered without an upgrade

Before them every head has passed the grammar and HEAD_TESTS, see `heads`.
"""

from __future__ import annotations

from dataclasses import dataclass

from websockets.datastructures import Headers
from websockets.exceptions import InvalidHandshake
from websockets.extensions.base import Extension
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.http11 import Request
from websockets.server import ServerProtocol

from labkit.parties.answer import ALLOW, Answer
from labkit.parties.core import QUIET, StoredFactory
from labkit.parties.described import Server
from labkit.parties.pages import PageHandler
from labkit.parties.testing import IGNORED, Made, Result, Test, first, lines
from labkit.wire.fields import Fields
from labkit.wire.http1 import RequestHead, ResponseHead
from labkit.wire.upgrade import SETTING_SIZE, Protocol, accept_key, is_key, offered, options, settings_payload
from labkit.wire.uri import path_and_query

__all__ = [
    "CHOICE_TESTS", "KNOWN", "OFFER_TESTS", "PLAIN_TESTS", "REST", "TESTS_OF", "TOLD",
    "Switch", "choose", "decide", "named", "page", "page_handler",
]  # fmt: skip


@dataclass(frozen=True)
class Switch:
    """A 101: to which protocol, by the server's own name, with which field lines, and what was agreed."""

    protocol: str
    fields: Fields
    websocket: bool = False
    extensions: tuple[Extension, ...] = ()
    subprotocol: str | None = None

    @property
    def head(self) -> ResponseHead:
        """The head of the answer."""
        return ResponseHead(101, "Switching Protocols", self.fields)


def _new_enough(_: Server, head: RequestHead) -> Result:
    return IGNORED if head.version == "HTTP/1.0" else None


def _meant(_: Server, head: RequestHead) -> Result:
    return None if "upgrade" in options(head.fields) else IGNORED


def _known(server: Server, head: RequestHead) -> Result:
    return IGNORED if choose(server, head) is None else None


def _known_ones(server: Server, head: RequestHead) -> str:
    return f"{lines('Upgrade')(server, head)}; known here: {', '.join(server.protocols) or 'none'}"


# An Upgrade in an HTTP/1.0 request is ignored (RFC 9110, 7.8: MUST); one without its connection option is
# not meant for this party.
CHOICE_TESTS: tuple[Test, ...] = (
    Test("the version is not HTTP/1.0", "RFC 9110, 7.8", _new_enough, lambda _, head: head.version),
    Test("Connection has the option upgrade", "RFC 9110, 7.6.1", _meant, lines("Connection")),
)
KNOWN = Test("a protocol is offered that is known here", "RFC 9110, 7.8", _known, _known_ones)


def _told(server: Server, _: RequestHead) -> Result:
    if server.ignore:
        return IGNORED
    if server.redirect:
        return Answer(302, f"see {server.redirect}", (("Location", server.redirect),))
    if isinstance(server.decline, Answer):
        return server.decline.completed(", ".join(server.protocols))
    return None


def _told_what(server: Server, _: RequestHead) -> str:
    if server.ignore:
        return "no: to ignore offers"
    if server.redirect:
        return f"no: to redirect offers to {server.redirect}"
    return f"no: to answer {server.decline.status}" if isinstance(server.decline, Answer) else "yes"


TOLD = Test("the server is told to decide for itself", "RFC 9110, 7.8", _told, _told_what)


def _asked_path(head: RequestHead) -> str | None:
    """Return the path that is asked for; None where it is no path: * asks about the server (RFC 9110, 9.3.7)."""
    return None if head.target == "*" else path_and_query(head.target)[0]


def _among(head: RequestHead, known: tuple[str, ...]) -> Answer | None:
    path = _asked_path(head)
    return None if path is None or path in known else Answer(404, "nothing is here; try " + " or ".join(known))


def _path(server: Server, head: RequestHead) -> Answer | None:
    return _among(head, server.paths) if server.paths else None


def _plain_path(server: Server, head: RequestHead) -> Answer | None:
    return _among(head, (*server.paths, *server.pages)) if server.paths else None


def _get(_: Server, head: RequestHead) -> Answer | None:
    return None if head.method == "GET" else Answer(405, "a WebSocket handshake is a GET", (("Allow", "GET"),))


def _ws_version(_: Server, head: RequestHead) -> Answer | None:
    if head.fields.all("Sec-WebSocket-Version") == ["13"]:
        return None
    named = (("Sec-WebSocket-Version", "13"),)
    if "Sec-WebSocket-Version" not in head.fields:
        return Answer(400, "no Sec-WebSocket-Version field line; it must say 13", named)
    return Answer(
        426,
        "only version 13 of WebSocket is spoken here",
        (("Upgrade", "websocket"), ("Connection", "Upgrade"), *named),
    )


def _key(_: Server, head: RequestHead) -> Answer | None:
    keys = head.fields.all("Sec-WebSocket-Key")
    if len(keys) != 1:
        found = f"{len(keys)} Sec-WebSocket-Key field lines" if keys else "no Sec-WebSocket-Key field line"
        return Answer(400, f"{found}; there must be one")
    return None if is_key(keys[0]) else Answer(400, "the Sec-WebSocket-Key is not the base64 of 16 bytes")


def _origin(server: Server, head: RequestHead) -> Answer | None:
    if server.origins is None or "Origin" not in head.fields:
        return None
    allowed = len(head.fields.all("Origin")) == 1 and head.fields.get("Origin") in server.origins
    return None if allowed else Answer(403, "this Origin is not welcome here")


def _settings(_: Server, head: RequestHead) -> Answer | None:
    values = head.fields.all("HTTP2-Settings")
    if len(values) != 1:
        return Answer(400, f"{len(values) or 'no'} HTTP2-Settings field lines; h2c asks for one")
    payload = settings_payload(values[0])
    right = payload is not None and len(payload) % SETTING_SIZE == 0
    return None if right else Answer(400, "HTTP2-Settings is no row of settings in base64url")


OFFER_TESTS: tuple[Test, ...] = (
    Test("the path exists", "RFC 9110, 15.5.5", _path, lambda _, head: head.target),
)  # fmt: skip
_OF_OFFERS = (TOLD, *OFFER_TESTS)
TESTS_OF: dict[str, tuple[Test, ...]] = {
    "websocket": (
        Test("the method is GET", "RFC 6455, 4.2.1 (1)", _get, lambda _, head: head.method),
        Test("there is one key of 16 bytes", "RFC 6455, 4.2.1 (5)", _key, lines("Sec-WebSocket-Key")),
        Test("the version is 13", "RFC 6455, 4.2.1 (6), 4.4", _ws_version, lines("Sec-WebSocket-Version")),
        Test("the Origin is welcome", "RFC 6455, 4.2.2 (4)", _origin, lines("Origin")),
    ),
    "h2c": (Test("there is one HTTP2-Settings", "RFC 7540, 3.2.1", _settings, lines("HTTP2-Settings")),),
}


def _required(server: Server, _: RequestHead) -> Result:
    if not server.require:
        return None
    return Answer(426, f"only after an upgrade to {', '.join(server.protocols)}", named(server))


PLAIN_TESTS: tuple[Test, ...] = (
    Test("the path exists", "RFC 9110, 15.5.5", _plain_path, lambda _, head: head.target),
    Test(
        "no upgrade is required",
        "RFC 9110, 15.5.22", _required, lambda server, _: f"an upgrade is {'' if server.require else 'not '}required",
    ),
)  # fmt: skip


def choose(server: Server, head: RequestHead) -> str | None:
    """Return the protocol to switch to, by the server's own name for it; None where no offered one is known."""
    wanted = offered(head.fields)
    if server.prefer == "server":
        return next((own for own in server.protocols if any(p.same(Protocol.parse(own)) for p in wanted)), None)
    for protocol in wanted:
        for own in server.protocols:
            if protocol.same(Protocol.parse(own)):
                return own
    return None


def decide(server: Server, head: RequestHead, made: Made | None = None) -> Switch | Answer | None:
    """Decide on a complete request: switch, decline, or None for the plain page.

    Args:
        server: what the server is told to be.
        head: the request's head; it has passed `check_head`.
        made: takes every test that is made, with its result.
    """
    name = None
    if first(CHOICE_TESTS, server, head, made) is None:
        name = choose(server, head)
        _note(made, KNOWN, IGNORED if name is None else None)
    if name is not None:
        result = first(_OF_OFFERS, server, head, made)
        if result is None:
            return _offer(server, head, name, made)
        if isinstance(result, Answer):
            return result
    elif "unasked" in server.faults and head.method == "GET" and not offered(head.fields):
        return _unasked(server, head)
    result = first(PLAIN_TESTS, server, head, made)
    return result if isinstance(result, Answer) else None


def _note(made: Made | None, test: Test, result: Result) -> None:
    """Note a test whose work is part of something else, and is not done twice."""
    if made is not None:
        made.append((test, result))


def _offer(server: Server, head: RequestHead, name: str, made: Made | None) -> Switch | Answer:
    kind = name.lower()
    result = first(TESTS_OF.get(kind, ()), server, head, made)
    if isinstance(result, Answer):
        return result
    if kind != "websocket":
        return Switch(name, Fields((("Upgrade", name), ("Connection", "Upgrade"))))
    decision = _accept(server, head, name)
    _note(made, REST, decision if isinstance(decision, Answer) else None)
    return decision


def _unasked(server: Server, head: RequestHead) -> Switch | None:
    name = next(iter(server.protocols), None)
    if name is None:
        return None
    fields = Fields((("Upgrade", name), ("Connection", "Upgrade")))
    if websocket := name.lower() == "websocket":
        fields = fields.with_line("Sec-WebSocket-Accept", accept_key(head.fields.get("Sec-WebSocket-Key") or ""))
    return Switch(name, fields, websocket=websocket)


def page(server: Server, head: RequestHead, content: int = 0) -> Answer:
    """Return the answer to a request that is not to be upgraded, after `content` bytes of its content."""
    if head.method == "OPTIONS":
        return Answer(204, "", (ALLOW, *named(server)))
    own = server.pages.get(_asked_path(head) or "")
    if own is not None:
        return own if isinstance(own, Answer) else Answer(200, "the handler of this page answers")
    if isinstance(server.page, Answer):
        return server.page.completed(", ".join(server.protocols))
    more = f"{content} bytes of content were read.\n" if content else ""
    return Answer(200, (server.page + more).rstrip("\n"))


def page_handler(server: Server, head: RequestHead) -> PageHandler | None:
    """Return the handler of the page that is asked for; None where it has none, or needs none."""
    own = None if head.method == "OPTIONS" else server.pages.get(_asked_path(head) or "")
    return None if isinstance(own, Answer) else own


def named(server: Server) -> tuple[tuple[str, str], ...]:
    """Return the field lines that say what a server can switch to (RFC 9110, 7.8); none where it is nothing."""
    names = ", ".join(server.protocols)
    return (("Upgrade", names), ("Connection", "Upgrade")) if names else ()


def _accept(server: Server, head: RequestHead, name: str) -> Switch | Answer:
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
        return Answer(400, str(error).partition("\n")[0])
    fields = Fields((("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", proof)))
    if extensions is not None:
        fields = fields.with_line("Sec-WebSocket-Extensions", extensions)
    if subprotocol is not None:
        fields = fields.with_line("Sec-WebSocket-Protocol", subprotocol)
    return Switch(name, fields, websocket=True, extensions=tuple(core.extensions), subprotocol=subprotocol)


def _rest(server: Server, head: RequestHead) -> Result:
    decision = _accept(server, head, "websocket")
    return decision if isinstance(decision, Answer) else None


REST = Test(
    "subprotocols and extensions can be read",
    "RFC 6455, 4.2.1 (8, 9)", _rest, lines("Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"),
)  # fmt: skip
