"""Rules of the server's answer to an opening handshake of WebSocket (RFC 6455, 4.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from labkit.rules.evidence import Asked, HeadSeen
from labkit.rules.extensions import malformed
from labkit.rules.opening import (
    key_problem,
    names_websocket,
    once,
    proof_problem,
    subprotocols_problem,
    version_problem,
)
from labkit.rules.origin import each_handshake
from labkit.rules.rule import Level, Rule, Sighting, Who
from labkit.wire.lines import TOKEN
from labkit.wire.upgrade import offered, options

__all__ = ["ACCEPTING"]

_ACCEPT, _PROTOCOL, _VERSION = "Sec-WebSocket-Accept", "Sec-WebSocket-Protocol", "Sec-WebSocket-Version"
_DRAFTS = (["7"], ["8"])  # versions of drafts that a server may still speak (RFC 6455, 4.4 and 11.6)
_ONE_TOKEN = re.compile(TOKEN.decode())
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)")
_NUMBER = re.compile(r"\d|[1-9]\d|1\d\d|2\d\d")  # RFC 6455, 4.3


def _switch(asked: Asked) -> HeadSeen | None:
    """Return the 101, unless it names another protocol than websocket."""
    if not asked.switched or not asked.answer:
        return None
    names = {protocol.name.lower() for protocol in offered(asked.answer.fields)}
    return asked.answer if not names or "websocket" in names else None


def _handshake_faults(asked: Asked) -> Iterator[str]:
    """Yield what is wrong with the request, as far as no rule of its own speaks of it."""
    fields = asked.head.fields
    if asked.head.method != "GET":
        yield "a request that is no GET"
    if not names_websocket(asked):
        yield "a request without `Upgrade: websocket`"
    if "upgrade" not in asked.options:
        yield "a request without `Connection: Upgrade`"
    for name in ("Sec-WebSocket-Key", _VERSION):
        if len(fields.all(name)) > 1:
            yield f"a request with {len(fields.all(name))} {name} field lines"
    if wrong := subprotocols_problem(asked, grammar_alone=True):
        yield f"a request with {wrong}"


@each_handshake
def _switched_anyway(asked: Asked) -> Iterator[Sighting]:
    if answer := _switch(asked):
        for fault in _handshake_faults(asked):
            yield answer.first_line(f"a 101 to {fault}")


@each_handshake
def _switched_with_bad_key(asked: Asked) -> Iterator[Sighting]:
    answer, fault = _switch(asked), key_problem(asked)
    if answer and fault:
        # 4.2.2 (4): a server need not decode the key, so that it may not have found that its length is wrong
        undecoded = all(_BASE64.fullmatch(key) for key in asked.head.fields.all("Sec-WebSocket-Key"))
        note = undecoded and "Sec-WebSocket-Key" in asked.head.fields
        yield answer.first_line(f"a 101 to a request with {fault}")._replace(note=note)


@each_handshake
def _bad_version(asked: Asked) -> Iterator[Sighting]:
    fault, answer = version_problem(asked), asked.answer
    if not fault or not answer:
        return
    if _switch(asked):
        if asked.head.fields.all(_VERSION) not in _DRAFTS:
            yield answer.first_line(f"a 101 to a request with {fault}")
    elif asked.status in (400, 426) and _VERSION not in answer.fields and _nothing_else(asked):
        yield answer.first_line(f"a {asked.status} to {fault}, and no Sec-WebSocket-Version in it")


def _nothing_else(asked: Asked) -> bool:
    """Tell whether the version, one that could be, is the only thing wrong with the request."""
    fields = asked.head.fields
    wrong = [*_handshake_faults(asked), key_problem(asked), malformed(fields), len(fields.all("Host")) != 1]
    good_head = asked.request is not None and not any(True for _ in asked.request.faults)
    asks = _NUMBER.fullmatch(fields.get(_VERSION) or "")
    return bool(asks) and good_head and asked.head.version == "HTTP/1.1" and not any(wrong)


@each_handshake
def _incomplete(asked: Asked) -> Iterator[Sighting]:
    answer = _switch(asked)
    if not answer:
        return
    names = [str(protocol).lower() for protocol in offered(answer.fields)]
    if names != ["websocket"]:
        yield answer.line("Upgrade", "a 101 whose Upgrade is more than websocket" if names else "a 101 without Upgrade")
    if "upgrade" not in options(answer.fields):
        yield answer.line("Connection", "a 101 without the connection option `upgrade`")
    if _ACCEPT not in answer.fields:
        yield answer.first_line("a 101 without Sec-WebSocket-Accept")


@each_handshake
def _wrong_proof(asked: Asked) -> Iterator[Sighting]:
    answer, fault = _switch(asked), proof_problem(asked)
    if answer and fault:
        yield answer.line(_ACCEPT, fault)


@each_handshake
def _subprotocol_shape(asked: Asked) -> Iterator[Sighting]:
    if answer := _switch(asked):
        for place, name in enumerate(answer.fields.all(_PROTOCOL)):
            if not _ONE_TOKEN.fullmatch(name):
                seen = "a subprotocol that is not one token" if name else "an empty Sec-WebSocket-Protocol"
                yield answer.line(_PROTOCOL, seen, place=place)


@each_handshake
def _other_subprotocol(asked: Asked) -> Iterator[Sighting]:
    if answer := _switch(asked):
        for place, name in enumerate(answer.fields.all(_PROTOCOL)):
            if _ONE_TOKEN.fullmatch(name) and name not in asked.head.fields.elements(_PROTOCOL):
                yield answer.line(_PROTOCOL, "a subprotocol that the client did not ask for", place=place)


_DECLINE = "answer with an error such as 400, and do not switch"

ACCEPTING: tuple[Rule, ...] = (
    Rule(
        "W17", Who.SERVER, "RFC 6455, 4.2.1", Level.MUST,
        "A server answers a handshake that is not as described with an error such as 400, and does not switch.",
        mend=_DECLINE, switch=True, check=_switched_anyway,
    ),
    Rule(
        "W18", Who.SERVER, "RFC 6455, 4.2.1 (5), 4.2.2 (4)", Level.MUST,
        "A server does not switch where it finds that the key is not that of 16 bytes; it need not decode it to see.",
        mend=_DECLINE, switch=True, check=_switched_with_bad_key,
    ),
    Rule(
        "W19", Who.SERVER, "RFC 6455, 4.2.1 (6), 4.2.2 (4), 4.4", Level.MUST,
        "A server answers a version that it does not speak with an error, and names in it those that it speaks.",
        mend="answer with 426 and `Sec-WebSocket-Version: 13`", switch=True, check=_bad_version,
    ),
    Rule(
        "W20", Who.SERVER, "RFC 6455, 4.2.2 (4)", Level.MUST,
        "A server that does not want this Origin answers with an error such as 403.",
        reason="Which origins are welcome is for the server's owner to say.",
    ),
    Rule(
        "W21", Who.SERVER, "RFC 6455, 4.2.2 (4)", Level.MUST,
        "A server that has no such service answers with an error such as 404.",
        reason="Which services there are is for the server's owner to say.",
    ),
    Rule(
        "W48", Who.SERVER, "RFC 6455, 4.2.2 (3)", Level.MAY,
        "A server may send the client elsewhere with a 3xx.",
    ),
    Rule(
        "W24", Who.SERVER, "RFC 6455, 4.2.2 (5)", Level.MUST,
        "A server that accepts answers 101, with Upgrade websocket, Connection upgrade and Sec-WebSocket-Accept.",
        mend="send all three field lines with the 101", switch=True, check=_incomplete,
    ),
    Rule(
        "W31", Who.SERVER, "RFC 6455, 4.2.2 (5)", Level.MUST,
        "The Accept is the SHA-1 of the key as it was sent and the GUID behind it, in base64.",
        mend="hash the key's 24 characters and the GUID, in base64; where the key was lost, see what took it out",
        switch=True, check=_wrong_proof,
    ),
    Rule(
        "W32", Who.SERVER, "RFC 6455, 11.3.3", Level.MUST_NOT,
        "There is one Sec-WebSocket-Accept in an answer, and no second.",
        mend="send one Sec-WebSocket-Accept", switch=True, check=once(_ACCEPT, lambda asked: asked.answer),
    ),
    Rule(
        "W22", Who.SERVER, "RFC 6455, 4.2.2 (4)", Level.MUST_NOT,
        "A server names no subprotocol but one of those that the client asked for.",
        mend="choose one of the client's list, or leave the field out", switch=True, check=_other_subprotocol,
    ),
    Rule(
        "W30", Who.SERVER, "RFC 6455, 4.2.2 (4), 4.3", Level.MUST,
        "The Sec-WebSocket-Protocol of a 101 is one token; no subprotocol is said by leaving the field out.",
        mend="name one subprotocol, or leave the field out", switch=True, check=_subprotocol_shape,
    ),
    Rule(
        "W33", Who.SERVER, "RFC 6455, 11.3.4", Level.MUST_NOT,
        "There is one Sec-WebSocket-Protocol in an answer, and no second.",
        mend="name one subprotocol in one field line", switch=True, check=once(_PROTOCOL, lambda asked: asked.answer),
    ),
)  # fmt: skip
