"""What any answer must be, whatever was asked: a 101 is a whole handshake, and some answers carry a field.

A table for the declines, and a few tests of a 101; each says what is wrong beside the clause.
"""

from __future__ import annotations

from collections.abc import Iterator

from labkit.dissection import Exchange
from labkit.wire.fields import Fields
from labkit.wire.http1 import RequestHead, ResponseHead
from labkit.wire.upgrade import Protocol, accept_key, offered, options

__all__ = ["faults_of_answer"]

# status: the field that it must carry, and where this is said
_CARRIES = {
    401: ("WWW-Authenticate", "RFC 9110, 15.5.2"),
    405: ("Allow", "RFC 9110, 15.5.6"),
    407: ("Proxy-Authenticate", "RFC 9110, 15.5.8"),
    426: ("Upgrade", "RFC 9110, 15.5.22"),
}
_NO_CONTENT = {101: "1xx", 204: "204"}
_DEFLATE = "permessage-deflate"


def faults_of_answer(exchange: Exchange) -> list[str]:
    """Tell what is wrong with the final answer of an exchange, each with its clause; empty where nothing is."""
    answer = exchange.answer.value if exchange.answer else None
    if not isinstance(answer, ResponseHead):
        return []
    found = list(_of_any(answer))
    if answer.status == 101:
        found += _of_switch(_asked(exchange), answer.fields)
    return found


def _asked(exchange: Exchange) -> Fields:
    """Return what the request said; where its start-line cannot be read, its field lines still can."""
    request = exchange.request
    if request is not None and isinstance(request.value, RequestHead):
        return request.value.fields
    lines = request.head.lines if request else ()
    return Fields(tuple((line.name, line.value) for line in lines if line.name))


def _of_any(answer: ResponseHead) -> Iterator[str]:
    if answer.status in _CARRIES:
        name, clause = _CARRIES[answer.status]
        if name not in answer.fields:
            yield f"a {answer.status} without {name} ({clause})"
    if answer.status in _NO_CONTENT:
        for name, clause in (("Content-Length", "RFC 9110, 8.6"), ("Transfer-Encoding", "RFC 9112, 6.1")):
            if name in answer.fields:
                yield f"{name} in a {_NO_CONTENT[answer.status]} ({clause})"


def _of_switch(asked: Fields, given: Fields) -> Iterator[str]:
    named = offered(given)
    wanted = offered(asked)
    if not named:
        yield "a 101 without Upgrade (RFC 9110, 7.8)"
    elif not all(any(_same(protocol, other) for other in wanted) for protocol in named):
        yield "a 101 to a protocol that was not offered (RFC 9110, 7.8)"
    if "upgrade" not in options(given):
        yield "a 101 without the connection option upgrade (RFC 9110, 7.8)"
    if any(protocol.name.lower() == "websocket" for protocol in named):
        yield from _of_handshake(asked, given)


def _same(one: Protocol, other: Protocol) -> bool:
    # a layer below, as in "TLS/1.0, HTTP/1.1", need not be offered by name: HTTP/1.1 is what is spoken
    return one.same(other) or one.name.upper() == "HTTP"


def _of_handshake(asked: Fields, given: Fields) -> Iterator[str]:
    """Tell what in a 101 to websocket is not the server's opening handshake (RFC 6455, 4.2.2 (5))."""
    key = asked.get("Sec-WebSocket-Key") or ""
    accepts = given.all("Sec-WebSocket-Accept")
    if accepts != [accept_key(key)]:
        what = "not that of the key" if len(accepts) == 1 else f"there {len(accepts)} times"
        yield f"Sec-WebSocket-Accept is {what} (RFC 6455, 4.2.2 (5))"
    chosen = given.all("Sec-WebSocket-Protocol")
    if chosen and (len(chosen) > 1 or chosen[0] not in asked.elements("Sec-WebSocket-Protocol")):
        yield "a subprotocol that was not offered (RFC 6455, 4.2.2 (4))"
    offers = asked.elements("Sec-WebSocket-Extensions")
    for element in given.elements("Sec-WebSocket-Extensions"):
        yield from _of_extension(offers, element)


def _of_extension(offers: list[str], element: str) -> Iterator[str]:
    name, agreed = _parameters(element)
    matching = [parameters for other, parameters in map(_parameters, offers) if other == name]
    if not matching:
        yield f"extension {name} was not offered (RFC 6455, 4.2.2 (4))"
    elif name == _DEFLATE and not any(_answers(parameters, agreed) for parameters in matching):
        yield f"{_DEFLATE} was not offered with these parameters (RFC 7692, 7.1)"


def _parameters(element: str) -> tuple[str, dict[str, str]]:
    name, *rest = [part.strip(" \t") for part in element.split(";")]
    pairs = (part.partition("=") for part in rest)
    return name, {key.strip(): value.strip(' \t"') for key, _, value in pairs}


def _answers(offer: dict[str, str], agreed: dict[str, str]) -> bool:
    """Tell whether the agreed parameters can answer an offer (RFC 7692, 7.1)."""
    if "client_max_window_bits" in agreed and "client_max_window_bits" not in offer:
        return False
    if "server_no_context_takeover" in offer and "server_no_context_takeover" not in agreed:
        return False
    limit = offer.get("server_max_window_bits")
    if limit is None:
        return True
    bits = agreed.get("server_max_window_bits", "")
    return bits.isdecimal() and limit.isdecimal() and int(bits) <= int(limit)
