"""Rules of the client's opening handshake, and of what it does with the answer (RFC 6455, 4.1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from labkit.dissection import FramesPart, OpaquePart
from labkit.rules.evidence import Asked, Evidence, HeadSeen
from labkit.rules.origin import each_handshake
from labkit.rules.rule import Check, Level, Rule, Sighting, Who
from labkit.trace import Direction, behind
from labkit.wire.lines import TOKEN
from labkit.wire.upgrade import SAMPLE_KEY, is_key, offered, options, why_wrong
from labkit.wire.websocket import CLOSE

__all__ = [
    "OPENING",
    "key_problem",
    "names_websocket",
    "once",
    "proof_problem",
    "subprotocols_problem",
    "version_problem",
    "went_on",
]

_TOKEN = re.compile(TOKEN.decode())
_KEY, _VERSION, _PROTOCOL = "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Protocol"

Judge = Callable[[Asked], str]
"""Returns what is wrong with a handshake, in a few words; "" where nothing is."""


def key_problem(asked: Asked) -> str:
    """Say what is wrong with the key."""
    keys = asked.head.fields.all(_KEY)
    if not keys:
        return "no Sec-WebSocket-Key"
    if all(is_key(key) for key in keys):
        return ""
    return "an empty Sec-WebSocket-Key" if not any(keys) else "a Sec-WebSocket-Key that is not 16 bytes in base64"


def version_problem(asked: Asked) -> str:
    """Say what is wrong with the version."""
    versions = asked.head.fields.all(_VERSION)
    if not versions:
        return "no Sec-WebSocket-Version"
    return "" if all(version == "13" for version in versions) else "a Sec-WebSocket-Version other than 13"


def names_websocket(asked: Asked) -> bool:
    """Tell whether the Upgrade field names websocket, without a version behind it."""
    return any(offer.lower() == "websocket" for offer in asked.exchange.offer)


def subprotocols_problem(asked: Asked, *, grammar_alone: bool = False) -> str:
    """Say what is wrong with the list of subprotocols; that each is named once is the client's duty alone."""
    fields = asked.head.fields
    names = fields.elements(_PROTOCOL)
    if _PROTOCOL in fields and not names:
        return "an empty list of subprotocols"
    if not all(_TOKEN.fullmatch(name) for name in names):
        return "a subprotocol that is not a token"
    return "" if grammar_alone or len({*names}) == len(names) else "a subprotocol that is named twice"


def proof_problem(asked: Asked) -> str:
    """Say what is wrong with the Accept of a 101 that has one, as far as the request has a key."""
    keys, answer = asked.head.fields.all(_KEY), asked.answer
    proofs = answer.fields.all("Sec-WebSocket-Accept") if answer else []
    if not keys or not proofs or any(not why_wrong(key, proofs[0].strip()) for key in keys):
        return ""
    return why_wrong(keys[0], proofs[0].strip())


def _target(asked: Asked) -> str:
    target = asked.head.target
    plain = asked.head.method != "GET" or target.startswith("/") or re.match("https?://", target, re.IGNORECASE)
    return "" if plain else "the request-target is neither a path nor an http URL"


def _host(asked: Asked) -> str:
    many = len(asked.head.fields.all("Host"))
    return "" if many == 1 else f"{many} Host field lines" if many else "no Host field"


def _told(judge: Judge, name: str = "") -> Check:
    """Return the check of a request: what the judge says is seen in a field line, or in the request line."""

    @each_handshake
    def check(asked: Asked) -> Iterator[Sighting]:
        seen = judge(asked)
        if seen and asked.request:
            yield asked.request.line(name, seen) if name else asked.request.first_line(seen)

    return check


def once(name: str, of: Callable[[Asked], HeadSeen | None]) -> Check:
    """Return the check that a field has one field line in a head of a handshake."""

    @each_handshake
    def check(asked: Asked) -> Iterator[Sighting]:
        head = of(asked)
        many = len(head.fields.all(name)) if head else 0
        if head and many > 1:
            yield head.line(name, f"{many} {name} field lines", place=1)

    return check


def _missing(judge: Judge, name: str) -> Check:
    """Return the check of what a proxy takes out, so that it is its client's duty alone."""
    check = _told(judge, name)

    def of_first_hops(evidence: Evidence) -> Iterator[Sighting]:
        far = behind(evidence.trace)
        return (sighting for sighting in check(evidence) if sighting.hop not in far)

    return of_first_hops


def _keys(evidence: Evidence) -> Iterator[Sighting]:
    yield from _told(key_problem, _KEY)(evidence)
    near = behind(evidence.trace)
    used: dict[str, int] = {}
    for asked in evidence.exchanges:
        key, first = asked.head.fields.get(_KEY) or "", asked.view.hop
        while first in near:
            first = near[first]
        if not asked.request or not asked.websocket or not is_key(key):
            continue
        if key == SAMPLE_KEY:
            if asked.view.hop == first:
                yield asked.request.line(_KEY, "the key of RFC 6455's own example", note=True)
        elif used.setdefault(key, first) != first and asked.view.hop == first:
            yield asked.request.line(_KEY, "the key of another connection")


def went_on(asked: Asked, judge: Judge) -> Iterator[Sighting]:
    """See that the client speaks on after an answer that the judge finds wrong, where it had waited for that answer."""
    seen = judge(asked)
    if not seen or not asked.answer or not asked.request:
        return
    view, way = asked.view, Direction.TO_SERVER
    answered = asked.evidence.moment(view.hop, Direction.TO_CLIENT, asked.answer.part.end - 1)
    for part in view.parts[way]:
        if part.start < asked.request.part.end or not isinstance(part, (FramesPart, OpaquePart)):
            continue
        if asked.evidence.moment(view.hop, way, part.start) < answered:
            return  # it did not wait, so that nothing tells whether it ever looked at the answer
        span = _spoken(part, asked)
        if span:
            yield Sighting(view.hop, way, *span, f"recorded after {seen}: the client goes on")
            return


def _spoken(part: FramesPart | OpaquePart, asked: Asked) -> tuple[int, int] | None:
    """Return the first bytes that are meant as WebSocket and do not end it."""
    if isinstance(part, FramesPart):
        frame = next((frame for frame in part.frames if frame.opcode != CLOSE), None)
        return (frame.start, frame.end) if frame else None
    return (part.start, part.end) if len(asked.exchange.offer) == 1 else None


def _wrong_answer(judge: Judge) -> Check:
    """Return the check of a client that takes a 101 which the judge finds wrong."""
    return each_handshake(lambda asked: went_on(asked, judge) if asked.switched else ())


@each_handshake
def _declined(asked: Asked) -> Iterator[Sighting]:
    if asked.status and not asked.switched and asked.exchange is asked.view.exchanges[-1]:
        yield from went_on(asked, lambda asked: f"a {asked.status}")


def _upgrade_fault(asked: Asked) -> str:
    names = [str(protocol).lower() for protocol in offered(asked.answer.fields)] if asked.answer else []
    if not names:
        return "a 101 without Upgrade"
    return "" if names == ["websocket"] or len(asked.exchange.offer) > 1 else "a 101 whose Upgrade is not websocket"


def _connection_fault(asked: Asked) -> str:
    named = asked.answer and "upgrade" in options(asked.answer.fields)
    return "" if named else "a 101 whose Connection has no `upgrade`"


def _accept_fault(asked: Asked) -> str:
    if asked.answer and "Sec-WebSocket-Accept" not in asked.answer.fields:
        return "a 101 without Sec-WebSocket-Accept"
    return "a 101 with a wrong Accept" if proof_problem(asked) else ""


def _subprotocol_fault(asked: Asked) -> str:
    names = asked.answer.fields.all(_PROTOCOL) if asked.answer else []
    return (
        "a 101 to a subprotocol that it had not asked for"
        if {*names} - {*asked.head.fields.elements(_PROTOCOL)}
        else ""
    )


_NOT_OFFERED = "a handshake of WebSocket, and no `Upgrade: websocket`"
_NO_OPTION = "no connection option `upgrade`"
_FAIL = "close the connection, and send no frame on it"

OPENING: tuple[Rule, ...] = (
    Rule(
        "W01", Who.CLIENT, "RFC 6455, 3", Level.MUST_NOT,
        "A ws URI has no fragment; a `#` in it is written as %23.",
        mend="leave the fragment out, or write the # as %23",
        check=_told(lambda asked: "a # in the request-target" if "#" in asked.head.target else ""),
    ),
    Rule(
        "W02", Who.CLIENT, "RFC 6455, 4.1", Level.MUST,
        "A client has one connection to an address in its opening handshake at a time.",
        reason="A trace does not tell that two connections are of one client and go to one address.",
    ),
    Rule(
        "W03", Who.CLIENT, "RFC 6455, 4.1", Level.MUST,
        "To a wss URI, a client makes the TLS handshake first, and names the host in it.",
        reason="A recording of what is inside of TLS does not show TLS; one of TLS shows nothing else.",
    ),
    Rule(
        "W04", Who.CLIENT, "RFC 6455, 4.1 (2)", Level.MUST,
        "The opening handshake is a GET.",
        mend="ask with GET", switch=True,
        check=_told(lambda asked: "a method other than GET" if asked.head.method != "GET" else ""),
    ),
    Rule(
        "W25", Who.CLIENT, "RFC 6455, 4.1 (2)", Level.MUST,
        "The opening handshake is a request of HTTP/1.1 at least.",
        mend="ask in HTTP/1.1", switch=True,
        check=_told(lambda asked: "a request of HTTP/1.0" if asked.head.version == "HTTP/1.0" else ""),
    ),
    Rule(
        "W05", Who.CLIENT, "RFC 6455, 4.1 (3)", Level.MUST,
        "The request-target is the path and query of the ws URI, or the whole of it as an http or https URL.",
        mend="ask for the path, beginning with /", switch=True, check=_told(_target),
    ),
    Rule(
        "W06", Who.CLIENT, "RFC 6455, 4.1 (4)", Level.MUST,
        "The opening handshake has a Host field, with the port unless it is the usual one.",
        mend="send one Host field with the host and port of the ws URI", switch=True, check=_told(_host, "Host"),
    ),
    Rule(
        "W07", Who.CLIENT, "RFC 6455, 4.1 (5)", Level.MUST,
        "The opening handshake has an Upgrade field that names websocket.",
        mend="add `Upgrade: websocket`", switch=True,
        check=_missing(lambda asked: "" if names_websocket(asked) else _NOT_OFFERED, "Upgrade"),
    ),
    Rule(
        "W08", Who.CLIENT, "RFC 6455, 4.1 (6)", Level.MUST,
        "The opening handshake has a Connection field that names upgrade.",
        mend="add `Connection: Upgrade`", switch=True,
        check=_missing(lambda asked: "" if "upgrade" in asked.options else _NO_OPTION, "Connection"),
    ),
    Rule(
        "W09", Who.CLIENT, "RFC 6455, 4.1 (7)", Level.MUST,
        "The opening handshake has a key: 16 bytes in base64, drawn at random for this connection.",
        mend="draw 16 random bytes for each connection and send them in base64", switch=True, check=_keys,
    ),
    Rule(
        "W26", Who.CLIENT, "RFC 6455, 11.3.1", Level.MUST_NOT,
        "There is one Sec-WebSocket-Key in a request, and no second.",
        mend="send one Sec-WebSocket-Key", switch=True, check=once(_KEY, lambda asked: asked.request),
    ),
    Rule(
        "W10", Who.CLIENT, "RFC 6455, 4.1 (8)", Level.MUST,
        "A browser sends an Origin field: where the page comes from whose script asks.",
        reason="Whether the client is a browser is not on the wire for certain.",
    ),
    Rule(
        "W11", Who.CLIENT, "RFC 6455, 4.1 (9)", Level.MUST,
        "The opening handshake has a Sec-WebSocket-Version field, and it says 13.",
        mend="send `Sec-WebSocket-Version: 13`", switch=True, check=_told(version_problem, _VERSION),
    ),
    Rule(
        "W27", Who.CLIENT, "RFC 6455, 11.3.5", Level.MUST_NOT,
        "There is one Sec-WebSocket-Version in a request, and no second.",
        mend="send one Sec-WebSocket-Version", switch=True, check=once(_VERSION, lambda asked: asked.request),
    ),
    Rule(
        "W12", Who.CLIENT, "RFC 6455, 4.1 (10)", Level.MUST,
        "Subprotocols are tokens, at least one, each named once.",
        mend="list each subprotocol once, or leave the field out", switch=True,
        check=_told(subprotocols_problem, _PROTOCOL),
    ),
    Rule(
        "W13", Who.CLIENT, "RFC 6455, 4.1", Level.MUST,
        "An answer other than 101 is treated as HTTP says: no frame follows it.",
        mend="read the answer as one of HTTP, and send no frame", check=_declined,
    ),
    Rule(
        "W14", Who.CLIENT, "RFC 6455, 4.1", Level.MUST,
        "A client fails the connection when the 101 has no Upgrade field, or one that is not websocket.",
        mend=_FAIL, switch=True, check=_wrong_answer(_upgrade_fault),
    ),
    Rule(
        "W28", Who.CLIENT, "RFC 6455, 4.1", Level.MUST,
        "A client fails the connection when the Connection field of the 101 does not name upgrade.",
        mend=_FAIL, switch=True, check=_wrong_answer(_connection_fault),
    ),
    Rule(
        "W15", Who.CLIENT, "RFC 6455, 4.1", Level.MUST,
        "A client fails the connection when the 101 has no Sec-WebSocket-Accept, or one that is not its key's.",
        mend=_FAIL, switch=True, check=_wrong_answer(_accept_fault),
    ),
    Rule(
        "W29", Who.CLIENT, "RFC 6455, 4.1", Level.MUST,
        "A client fails the connection when the 101 names a subprotocol that it did not ask for.",
        mend=_FAIL, switch=True, check=_wrong_answer(_subprotocol_fault),
    ),
    Rule(
        "W47", Who.CLIENT, "RFC 6455, 4.4", Level.MAY,
        "A client may ask again with a version that the server's answer names.",
    ),
)  # fmt: skip
