"""Rules of the Upgrade field and of the 101 (RFC 9110, 7.6.1 and 7.8)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from labkit.dissection.http import content_length
from labkit.rules.evidence import Asked, HeadSeen, each_exchange
from labkit.rules.rule import Level, Rule, Sighting, Who
from labkit.trace import Direction
from labkit.wire.http1 import TOKEN
from labkit.wire.upgrade import TOKENS, Protocol, offered, options

__all__ = ["HTTP"]

_GET_ALONE = {"connect-udp", "connect-ip"}  # RFC 9298, 3.2; RFC 9484, 4.2. The W rules speak of websocket
_ON_TOP = {*TOKENS} - {"tls", "http"}  # each is the whole of what is spoken: none is a layer of another
_LISTS = ("Connection", "Upgrade", "Transfer-Encoding", "Trailer", "Allow")  # of tokens: no comma is quoted
_PROTOCOL = re.compile(rb"%s(/%s)?" % (TOKEN, TOKEN))
_OPTION = re.compile(TOKEN)


def _told_by_websocket(asked: Asked, head: HeadSeen) -> bool:
    """Tell whether the rules of the WebSocket opening handshake say the same of this head."""
    return asked.websocket and (head is asked.request or (asked.switched and head is asked.answer))


def _answered_with(asked: Asked) -> tuple[Protocol, ...]:
    return offered(asked.answer.fields) if asked.answer else ()


@each_exchange
def _upgrade_without_option(asked: Asked) -> Iterator[Sighting]:
    for head in asked.heads:
        unnamed = "Upgrade" in head.fields and "upgrade" not in options(head.fields)
        if unnamed and not _told_by_websocket(asked, head):
            yield head.line("Upgrade", "an Upgrade field, and no connection option `upgrade`")


@each_exchange
def _switch_without_upgrade(asked: Asked) -> Iterator[Sighting]:
    if asked.answer and asked.switched and not asked.websocket and not _answered_with(asked):
        yield asked.answer.line("Upgrade", "a 101 that does not say to which protocol")


@each_exchange
def _layers_out_of_order(asked: Asked) -> Iterator[Sighting]:
    names = [protocol.name.lower() for protocol in _answered_with(asked)]
    if asked.answer and asked.switched and "tls" in names[1:]:
        yield asked.answer.line("Upgrade", "TLS is named behind what is spoken on top of it")


def _indicated(named: Protocol, offers: tuple[Protocol, ...]) -> bool:
    """Tell whether an offer has the name, and no other version."""
    named_so = [offer for offer in offers if offer.name.lower() == named.name.lower()]
    return any(offer.version == named.version or not (offer.version and named.version) for offer in named_so)


@each_exchange
def _switch_not_offered(asked: Asked) -> Iterator[Sighting]:
    if not (asked.request and asked.answer and asked.switched):
        return
    offers, named = offered(asked.head.fields), _answered_with(asked)
    to_websocket = not named or any(protocol.name.lower() == "websocket" for protocol in named)
    if asked.websocket and not asked.offers("websocket") and to_websocket:
        return  # W17 says it
    if not offers:
        yield asked.answer.line("Upgrade", "a 101, and the request offers no upgrade")
        return
    strange = [protocol for protocol in named if not _indicated(protocol, offers)]
    if len(strange) < len(named):  # HTTP itself may be named as the layer on top: RFC 2817, 3.3
        strange = [protocol for protocol in strange if protocol.name.lower() != "http"]
    if strange:
        yield asked.answer.line("Upgrade", f"a switch to {strange[0]}, which was not offered")


@each_exchange
def _required_without_upgrade(asked: Asked) -> Iterator[Sighting]:
    if asked.answer and asked.status == 426 and not _answered_with(asked):
        yield asked.answer.line("Upgrade", "a 426 that does not say to which protocol to upgrade")


@each_exchange
def _method_not_honoured(asked: Asked) -> Iterator[Sighting]:
    names = {protocol.name.lower() for protocol in _answered_with(asked)} & _GET_ALONE
    if asked.request and asked.answer and asked.switched and names and asked.head.method not in ("GET", "OPTIONS"):
        yield asked.answer.first_line(f"a switch to {min(names)} on a {asked.head.method}; it knows GET alone")


@each_exchange
def _switch_in_http_1_0(asked: Asked) -> Iterator[Sighting]:
    if asked.answer and asked.switched and asked.head.version == "HTTP/1.0" and "Upgrade" in asked.head.fields:
        yield asked.answer.first_line("a 101 to a request in HTTP/1.0")


@each_exchange
def _switch_without_continue(asked: Asked) -> Iterator[Sighting]:
    # Where content has come already, or none is to come, a server may leave the 100 out (RFC 9110, 10.1.1).
    if not (asked.answer and asked.switched and asked.exchange.offer and asked.head.version != "HTTP/1.0"):
        return
    if asked.expects_continue and not any(head.status == 100 for head in asked.interim) and _content_to_come(asked):
        yield asked.answer.first_line("a 101 without the 100 that the request waits for")


def _content_to_come(asked: Asked) -> bool:
    """Tell whether a request announces content of which nothing was recorded before the answer."""
    way, hop, fields = Direction.TO_SERVER, asked.view.hop, asked.head.fields
    coded = "Transfer-Encoding" in fields
    if not asked.request or not asked.answer or way in asked.view.missing or not (coded or content_length(fields)):
        return False
    start = asked.request.part.end
    if start >= len(asked.view.data[way]):
        return True
    moment = asked.evidence.moment
    return moment(hop, way, start) > moment(hop, way.other, asked.answer.part.start)


@each_exchange
def _bad_protocol_name(asked: Asked) -> Iterator[Sighting]:
    for head in asked.heads:
        if any(not _PROTOCOL.fullmatch(each.encode("latin-1")) for each in head.fields.elements("Upgrade")):
            yield head.line("Upgrade", "an Upgrade field with an element that is no `name` or `name/version`")


@each_exchange
def _bad_connection_option(asked: Asked) -> Iterator[Sighting]:
    for head in asked.heads:
        if any(not _OPTION.fullmatch(each.encode("latin-1")) for each in head.fields.elements("Connection")):
            yield head.line("Connection", "a Connection field with an element that is no token")


@each_exchange
def _empty_element(asked: Asked) -> Iterator[Sighting]:
    for head in asked.heads:
        for name in _LISTS:
            for place, value in enumerate(head.fields.all(name)):
                if value and not all(element.strip(" \t") for element in value.split(",")):
                    yield head.line(name, f"an empty element in the list of {name}", place=place)


@each_exchange
def _switch_to_several(asked: Asked) -> Iterator[Sighting]:
    names = [protocol.name.lower() for protocol in _answered_with(asked) if protocol.name.lower() in _ON_TOP]
    if asked.answer and asked.switched and not asked.websocket and len(set(names)) > 1:
        yield asked.answer.line("Upgrade", f"a 101 that names {names[0]} and {names[1]}")


@each_exchange
def _proxied_packets_request(asked: Asked) -> Iterator[Sighting]:
    if not (asked.request and any(asked.offers(name) for name in _GET_ALONE)):
        return
    if asked.head.method != "GET":
        yield asked.request.first_line(f"an offer of {asked.exchange.offer[0]} on a {asked.head.method}")
    if len(asked.exchange.offer) > 1:
        yield asked.request.line("Upgrade", "an offer of something beside it")


HTTP: tuple[Rule, ...] = (
    Rule(
        "G01", Who.CLIENT, "RFC 9110, 7.8", Level.MAY,
        "A client may offer several protocols in one Upgrade field, the one it likes best first.",
    ),
    Rule(
        "G02", Who.SENDER, "RFC 9110, 7.8", Level.MUST,
        "Who sends an Upgrade field names it in the Connection field, too: it is for the next party alone.",
        mend="add `Connection: Upgrade`", switch=True, check=_upgrade_without_option,
    ),
    Rule(
        "G03", Who.SERVER, "RFC 9110, 7.8", Level.MAY,
        "A server may ignore an offer and answer as if there were none.",
    ),
    Rule(
        "G04", Who.SERVER, "RFC 9110, 7.8 and 15.2.2", Level.MUST,
        "A 101 carries an Upgrade field that names what is spoken from then on.",
        mend="name the protocol in an Upgrade field", switch=True, check=_switch_without_upgrade,
    ),
    Rule(
        "G05", Who.SERVER, "RFC 9110, 7.8", Level.MUST,
        "A 101 that switches several layers names the lowest first.",
        mend="name TLS first", switch=True, check=_layers_out_of_order,
    ),
    Rule(
        "G06", Who.SERVER, "RFC 9110, 7.8", Level.MUST_NOT,
        "A server switches to nothing that the request did not offer.",
        mend="switch to a protocol of the request's Upgrade field, or answer without a 101",
        switch=True, check=_switch_not_offered,
    ),
    Rule(
        "G07", Who.SERVER, "RFC 9110, 7.8", Level.MAY,
        "A server may take another of the offered protocols than the one the client likes best.",
    ),
    Rule(
        "G08", Who.SERVER, "RFC 9110, 7.8 and 15.5.22", Level.MUST,
        "A 426 carries an Upgrade field that names what would do.",
        mend="name the protocols in an Upgrade field", switch=True, check=_required_without_upgrade,
    ),
    Rule(
        "G09", Who.SERVER, "RFC 9110, 7.8", Level.MAY,
        "A server may name the protocols it could switch to in any other answer.",
    ),
    Rule(
        "G10", Who.SERVER, "RFC 9110, 7.8", Level.MUST_NOT,
        "A server switches only where the new protocol can do what the request asks; an OPTIONS any protocol can.",
        mend="decline the offer", switch=True, check=_method_not_honoured,
    ),
    Rule(
        "G11", Who.SERVER, "RFC 9110, 7.8", Level.MUST,
        "A server ignores the Upgrade field of a request in HTTP/1.0.",
        mend="answer without a 101", switch=True, check=_switch_in_http_1_0,
    ),
    Rule(
        "G12", Who.CLIENT, "RFC 9110, 7.8", Level.FACT,
        "The new protocol cannot begin in the middle of a request: the client sends all of that first.",
    ),
    Rule(
        "G13", Who.SERVER, "RFC 9110, 7.8", Level.MUST,
        "Where a request offers an upgrade and expects a 100, the 100 comes before the 101.",
        mend="send a 100 first", switch=True, check=_switch_without_continue,
    ),
    Rule(
        "G14", Who.SERVER, "RFC 9110, 7.8", Level.FACT,
        "After the 101 the server still owes the answer to the request, in the new protocol.",
    ),
    Rule(
        "G15", Who.RECIPIENT, "RFC 9110, 7.8", Level.SHOULD,
        "Protocol names are compared without regard to case.",
        reason="Whoever takes `WebSocket` for an unknown protocol ignores the offer, as anybody may.",
    ),
    Rule(
        "G16", Who.SENDER, "RFC 9110, 7.8", Level.FACT,
        "An upgrade changes what is spoken on this connection, not the transport and not the connection.",
    ),
    Rule(
        "G33", Who.SENDER, "RFC 9110, 7.8", Level.MUST,
        "Each element of an Upgrade field is a name, or a name, a slash and a version.",
        mend="write each element as `name` or `name/version`", switch=True, check=_bad_protocol_name,
    ),
    Rule(
        "G34", Who.SENDER, "RFC 9110, 7.6.1", Level.MUST,
        "Each element of a Connection field is a token.",
        mend="put commas between the options, and nothing but names", switch=True, check=_bad_connection_option,
    ),
    Rule(
        "G35", Who.SENDER, "RFC 9110, 5.6.1.1", Level.MUST_NOT,
        "A sender leaves no element of a list empty; a recipient skips a few such elements.",
        mend="take the superfluous comma away", check=_empty_element,
    ),
    Rule(
        "G36", Who.SERVER, "RFC 9110, 15.2.2", Level.MUST,
        "A 101 names what is in effect after it, not all that the server could speak.",
        mend="name the one protocol that is switched to", switch=True, check=_switch_to_several,
    ),
    Rule(
        "G37", Who.CLIENT, "RFC 9298, 3.2; RFC 9484, 4.2", Level.MUST,
        "In HTTP/1.1, connect-udp and connect-ip are offered alone, and on a GET.",
        mend="send a GET with the one protocol in its Upgrade field", switch=True, check=_proxied_packets_request,
    ),
    Rule(
        "G38", Who.CLIENT, "RFC 2817, 3.2", Level.MUST,
        "A client that wants no answer in the clear offers TLS on an OPTIONS first.",
        reason="Whether a client would take an answer in the clear is its own affair.",
    ),
)  # fmt: skip
