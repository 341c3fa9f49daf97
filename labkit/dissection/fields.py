"""What a field line of an upgrade means, as a table: the field, what it is for, and the clause.

Where the meaning hangs on the value or on the other party's head, a function of the exchange says it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from labkit.wire.fields import Fields
from labkit.wire.upgrade import SAMPLE_KEY, TOKENS, Protocol, accept_key, is_key, settings_payload

__all__ = ["FIELDS", "Field", "Meaning", "Seen", "explain_field", "explain_status"]


class Seen(NamedTuple):
    """A field value where it stands: with the fields of its own head and of the other party's."""

    value: str
    own: Fields
    other: Fields


class Meaning(NamedTuple):
    """What a value says in this exchange, what is wrong with it, if anything, and a clause of its own, if any."""

    text: str
    fault: str = ""
    clause: str = ""


class Field(NamedTuple):
    """A row of the table: what the field is for, the clause, and how to read its value."""

    purpose: str
    clause: str
    read: Callable[[Seen], Meaning] | None = None


def _upgrade(seen: Seen) -> Meaning:
    names = [Protocol.parse(part).name.lower() for part in seen.own.elements("Upgrade")]
    known = [TOKENS[name].meaning for name in names if name in TOKENS]
    return Meaning("; ".join(known) if known else f"the protocol {seen.value}")


def _connection(seen: Seen) -> Meaning:
    wanted = {element.lower() for element in seen.own.elements("Connection")}
    if "upgrade" in wanted:
        return Meaning("the Upgrade field is meant for the next party, not for whoever is behind it")
    if "close" in wanted:
        return Meaning("this connection ends after the answer")
    return Meaning("fields that are meant for the next party alone")


def _key(seen: Seen) -> Meaning:
    if seen.value == SAMPLE_KEY:
        return Meaning("the RFC's own example key; a real client draws 16 fresh random bytes each time")
    if not is_key(seen.value):
        return Meaning("not 16 bytes", "the key is not the base64 of 16 bytes (RFC 6455, 4.2.1)")
    return Meaning("16 bytes drawn by the client; the answer must prove that they were read")


def _accept(seen: Seen) -> Meaning:
    key = seen.other.get("Sec-WebSocket-Key")
    if key is None:
        return Meaning("the proof that the key was read, but no key is recorded")
    if seen.value == accept_key(key):
        return Meaning("right: base64 of SHA-1 of the key and the fixed GUID")
    return Meaning("wrong", f"the key asks for {accept_key(key)} (RFC 6455, 4.1)")


def _version(seen: Seen) -> Meaning:
    if seen.value == "13":
        return Meaning("the version of RFC 6455, the only one in use")
    return Meaning("the versions this party speaks; a client may ask again with one of them", "", "RFC 6455, 4.4")


def _extensions(seen: Seen) -> Meaning:
    if "Sec-WebSocket-Accept" in seen.own:
        return Meaning("what was agreed; messages pass through it in this order", "", "RFC 6455, 9.1")
    return Meaning("extensions that the client could use, compression for one")


def _settings(seen: Seen) -> Meaning:
    payload = settings_payload(seen.value)
    if payload is None:
        return Meaning("not base64url", "the value is not base64url (RFC 7540, 3.2.1)")
    return Meaning(f"the payload of the client's SETTINGS frame, {len(payload)} bytes")


FIELDS: dict[str, Field] = {
    "host": Field("which host the request is for", "RFC 9110, 7.2"),
    "connection": Field("names what concerns this hop alone", "RFC 9110, 7.6.1", _connection),
    "upgrade": Field("the protocol to switch to", "RFC 9110, 7.8", _upgrade),
    "sec-websocket-key": Field("what the answer must prove to have read", "RFC 6455, 11.3.1", _key),
    "sec-websocket-version": Field("the version of the WebSocket protocol", "RFC 6455, 11.3.5", _version),
    "sec-websocket-accept": Field("proves that the key was read", "RFC 6455, 11.3.3", _accept),
    "sec-websocket-protocol": Field("the subprotocol: what the messages mean", "RFC 6455, 11.3.4"),
    "sec-websocket-extensions": Field("extensions, compression for one", "RFC 6455, 11.3.2", _extensions),
    "origin": Field("which page's script asks; only browsers can be believed", "RFC 6454, 7"),
    "http2-settings": Field("HTTP/2 settings for an h2c upgrade", "RFC 7540, 3.2.1", _settings),
    "date": Field("when the answer was made", "RFC 9110, 6.6.1"),
    "content-length": Field("how many bytes of content follow", "RFC 9110, 8.6"),
    "content-type": Field("what the content is", "RFC 9110, 8.3"),
    "transfer-encoding": Field("how the content is framed", "RFC 9112, 6.1"),
    "expect": Field("asks for a 100 before the content is sent", "RFC 9110, 10.1.1"),
    "allow": Field("the methods that would do", "RFC 9110, 10.2.1"),
    "location": Field("where to ask instead", "RFC 9110, 10.2.2"),
    "retry-after": Field("when to ask again", "RFC 9110, 10.2.3"),
    "server": Field("the server's program", "RFC 9110, 10.2.4"),
    "user-agent": Field("the client's program", "RFC 9110, 10.1.5"),
    "accept": Field("which kinds of content would do", "RFC 9110, 12.5.1"),
    "via": Field("the proxies on the way", "RFC 9110, 7.6.3"),
    "authorization": Field("who asks", "RFC 9110, 11.6.2"),
    "cookie": Field("what the server asked to be told again", "RFC 6265, 4.2"),
    "set-cookie": Field("what to tell the server next time", "RFC 6265, 4.1"),
}

_STATUS: dict[int, tuple[str, str]] = {
    100: ("go on and send the content", "RFC 9110, 15.2.1"),
    101: ("yes: after this head the connection speaks another protocol", "RFC 9110, 15.2.2"),
    200: ("a plain answer: the offer was ignored, as any server may", "RFC 9110, 7.8"),
    400: ("the request is not right", "RFC 9110, 15.5.1"),
    401: ("say who you are", "RFC 9110, 15.5.2"),
    403: ("understood, and refused", "RFC 9110, 15.5.4"),
    404: ("nothing is here", "RFC 9110, 15.5.5"),
    405: ("not with this method", "RFC 9110, 15.5.6"),
    408: ("the request took too long", "RFC 9110, 15.5.9"),
    413: ("the content is too large", "RFC 9110, 15.5.14"),
    426: ("only after an upgrade; the Upgrade field says to what", "RFC 9110, 15.5.22"),
    431: ("the head is too large", "RFC 6585, 5"),
    501: ("the server does not know how", "RFC 9110, 15.6.2"),
    503: ("not now", "RFC 9110, 15.6.4"),
    505: ("not in this version of HTTP", "RFC 9110, 15.6.6"),
}
_CLASSES = {1: "an interim answer", 2: "a plain answer", 3: "ask elsewhere", 4: "no: the request's fault",
            5: "no: the server's fault"}  # fmt: skip


def explain_status(status: int, offers: Sequence[str] = ()) -> tuple[str, str]:
    """Return what a status code says and its clause; `offers` are the protocols that were offered, if any.

    >>> explain_status(101, ["websocket"])
    ('yes: after this head the connection speaks another protocol', 'RFC 9110, 15.2.2')
    """
    if status == 200 and not offers:
        return "a plain answer", "RFC 9110, 15.3.1"
    if status // 100 == 3 and "websocket" in map(str.lower, offers):
        return "ask elsewhere; a WebSocket client need not", "RFC 6455, 4.1, 4.2.2 (3)"
    clause = f"RFC 9110, 15.{status // 100 + 1}" if 100 <= status < 600 else "RFC 9110, 15"
    return _STATUS.get(status) or (_CLASSES.get(status // 100, "no such class of answers"), clause)


def explain_field(name: str, value: str, own: Fields, other: Fields) -> tuple[Meaning, Field]:
    """Return what one field line says, given the fields of its own head and of the other party's."""
    row = FIELDS.get(name.lower())
    if row is None:
        return Meaning(""), Field("", "RFC 9110, 5.1")
    meaning = row.read(Seen(value, own, other)) if row.read else Meaning(row.purpose)
    return meaning, row
