"""Rules of proxies: what they take out of a message, what they put in, and of HTTP/2 behind or before them.

A proxy that forwards the very bytes of a request's head is a tunnel or a tap, and bound by none of these.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from labkit.rules.evidence import Asked, HeadSeen, Relayed, each_exchange, each_relay
from labkit.rules.rule import Check, Level, Rule, Sighting, Who
from labkit.wire.http1 import Fault, ResponseHead
from labkit.wire.upgrade import options

__all__ = ["RELAY"]

# What a proxy may well send of its own; the second lot only where its own Connection names it.
_OWN = {"connection", "content-length", "host", "transfer-encoding"}
_OWN_IF_NAMED = {"keep-alive", "te", "trailer", "upgrade"}
# Known to be for one hop, whether Connection names them or not (RFC 9110, 7.6.1). Transfer-Encoding is one,
# too, but a proxy frames its own message with it.
_ONE_HOP = ("Proxy-Connection", "Keep-Alive", "TE", "Upgrade")
# Fields that their definitions mean for everybody on the way.
_END_TO_END = {
    "accept", "age", "allow", "authorization", "cache-control", "content-encoding", "content-length", "content-type",
    "cookie", "date", "etag", "expires", "host", "if-match", "if-modified-since", "if-none-match", "last-modified",
    "location", "origin", "pragma", "referer", "retry-after", "server", "set-cookie", "user-agent", "vary", "via",
}  # fmt: skip
_TARGET = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://([^/?#]*)")
_WORDS = {Fault.FOLDED: "a folded line", Fault.BARE_CR: "a CR alone", Fault.BAD_VALUE: "a NUL"}


def _bytes(asked: Asked, head: HeadSeen) -> bytes:
    return asked.view.data[head.direction][head.part.start : head.part.end]


def _tunnels(relayed: Relayed) -> bool:
    """Tell whether the bytes went through as they came, or are no two sides of one exchange."""
    before, behind = relayed.before, relayed.behind
    if not before.request or not behind.request or before.head.method != behind.head.method:
        return True
    return _bytes(before, before.request) == _bytes(behind, behind.request)


def _forwarded(relayed: Relayed) -> Iterator[tuple[HeadSeen, HeadSeen]]:
    """Yield each head that a proxy took in, with the one that it made of it."""
    before, behind = relayed.before, relayed.behind
    if _tunnels(relayed):
        return
    if before.request and behind.request:
        yield before.request, behind.request
    if behind.answer and before.answer and behind.status == before.status:
        yield behind.answer, before.answer


def _same(name: str, came: HeadSeen, went: HeadSeen) -> bool:
    return bool(set(came.fields.all(name)) & set(went.fields.all(name)))


@each_relay
def _interim_swallowed(relayed: Relayed) -> Iterator[Sighting]:
    before, behind = relayed.before, relayed.behind
    if not before.answer or before.head.version == "HTTP/1.0" or _tunnels(relayed):
        return
    missing = Counter(head.status for head in behind.interim) - Counter(head.status for head in before.interim)
    if not before.expects_continue:
        del missing[100]  # the proxy asked for it itself, or nobody did
    for status in missing:
        chosen = bool(_TARGET.match(before.head.target))  # a proxy chosen by the client; else a gateway
        seen = f"a {status} of the server that was not forwarded"
        yield before.answer.first_line(seen)._replace(note=not chosen)


@each_relay
def _named_field_forwarded(relayed: Relayed) -> Iterator[Sighting]:
    for came, went in _forwarded(relayed):
        for name in sorted(options(came.fields) - _OWN - (options(went.fields) & _OWN_IF_NAMED)):
            told = name == "upgrade" and not (relayed.before.websocket and went is relayed.behind.request)
            if _same(name, came, went) and not told:  # G02 or W24 says it
                yield went.line(name, f"a field `{name}` that Connection named on the hop before")


@each_relay
def _one_hop_field_forwarded(relayed: Relayed) -> Iterator[Sighting]:
    for came, went in _forwarded(relayed):
        named = options(came.fields) | options(went.fields)
        for name in _ONE_HOP:
            if name.lower() not in named and _same(name, came, went):
                yield went.line(name, f"a field {name} of the hop before")


@each_exchange
def _end_to_end_option(asked: Asked) -> Iterator[Sighting]:
    for head in asked.heads:
        for name in sorted(options(head.fields) & _END_TO_END):
            yield head.line("Connection", f"a connection option `{name}`, the name of a field for all on the way")


@each_exchange
def _one_hop_field_unnamed(asked: Asked) -> Iterator[Sighting]:
    for head in asked.heads:
        for name in ("Keep-Alive", "TE"):
            if name in head.fields and name.lower() not in options(head.fields):
                yield head.line(name, f"a {name} field, and no connection option of that name")


@each_relay
def _no_via(relayed: Relayed) -> Iterator[Sighting]:
    came, went = relayed.before.request, relayed.behind.request
    if came and went and not _tunnels(relayed) and came.fields.get("Via") == went.fields.get("Via"):
        yield went.line("Via", "a forwarded request without the proxy's own Via")
    chosen = _TARGET.match(relayed.before.head.target)  # a gateway may leave Via out of answers
    for came, went in _forwarded(relayed) if chosen else ():
        if went is relayed.before.answer and came.fields.get("Via") == went.fields.get("Via"):
            yield went.line("Via", "a forwarded answer without the proxy's own Via")


@each_relay
def _version_forwarded(relayed: Relayed) -> Iterator[Sighting]:
    for came, went in _forwarded(relayed):
        if came.version == went.version and went.version not in ("HTTP/1.0", "HTTP/1.1"):
            yield went.first_line("a version that no proxy speaks, as it came")


def _seen_in(relayed: Relayed, sighting: Sighting) -> bytes:
    return relayed.before.evidence.trace.stream(sighting.direction, sighting.hop)[sighting.start : sighting.end]


def _fault_forwarded(*faults: Fault) -> Check:
    """Return the check that a proxy lets none of these faults pass."""

    @each_relay
    def check(relayed: Relayed) -> Iterator[Sighting]:
        for came, went in _forwarded(relayed):
            known = {fault for fault, _ in came.faults}
            for fault, sighting in went.faults:
                harmless = fault is Fault.BAD_VALUE and b"\0" not in _seen_in(relayed, sighting)
                if fault in faults and fault in known and not harmless:
                    yield sighting._replace(seen=f"{_WORDS[fault]}, as it came")

    return check


@each_relay
def _space_before_colon_forwarded(relayed: Relayed) -> Iterator[Sighting]:
    for came, went in _forwarded(relayed):
        answer = isinstance(went.part.value, ResponseHead)
        if answer and any(fault is Fault.SPACE_BEFORE_COLON for fault, _ in came.faults):
            for fault, sighting in went.faults:
                if fault is Fault.SPACE_BEFORE_COLON:
                    yield sighting._replace(seen="white space before the colon, as it came")


@each_relay
def _length_forwarded(relayed: Relayed) -> Iterator[Sighting]:
    for came, went in _forwarded(relayed):
        if "Transfer-Encoding" in came.fields and _same("Content-Length", came, went):
            yield went.line("Content-Length", "the Content-Length of a message with Transfer-Encoding, as it came")


def _plain(host: str) -> str:
    return re.sub(r":(80|443)?$", "", host.lower())


@each_relay
def _host_not_replaced(relayed: Relayed) -> Iterator[Sighting]:
    target = _TARGET.match(relayed.before.head.target)
    went = relayed.behind.request
    if not target or not went or _tunnels(relayed):
        return
    own, came = went.fields.get("Host"), relayed.before.head.fields.get("Host")
    if own == came and own is not None and _plain(own) != _plain(target[1].rpartition("@")[2]):
        yield went.line("Host", "the Host field as it came, which is not that of the URL asked for")


_NO_HTTP_2 = "No byte of HTTP/1.1 shows it; in HTTP/2 the diagram marks it on the frame, and no rule is checked yet."

RELAY: tuple[Rule, ...] = (
    Rule(
        "G20", Who.PROXY, "RFC 9110, 15.2", Level.MUST,
        "A proxy forwards answers of class 1xx, but for a 100 that it asked for itself.",
        mend="forward the interim answer", check=_interim_swallowed,
    ),
    Rule(
        "I01", Who.PROXY, "RFC 9110, 7.6", Level.MUST,
        "A proxy that is no tunnel heeds the Connection field.",
        reason="Whether it is heeded shows in what is forwarded, of which I02 and I03 speak.",
    ),
    Rule(
        "I02", Who.PROXY, "RFC 9110, 7.6.1", Level.MUST,
        "A proxy forwards no field that Connection names, nor the Connection field itself.",
        mend="take the named fields out before forwarding", switch=True, check=_named_field_forwarded,
    ),
    Rule(
        "I03", Who.PROXY, "RFC 9110, 7.6.1", Level.SHOULD,
        "A proxy takes out fields known to be for one hop even where Connection does not name them.",
        mend="take the field out before forwarding", switch=True, check=_one_hop_field_forwarded,
    ),
    Rule(
        "I04", Who.SENDER, "RFC 9110, 7.6.1", Level.MUST_NOT,
        "A sender names no field in Connection that is meant for all on the way.",
        mend="take the name out of Connection", check=_end_to_end_option,
    ),
    Rule(
        "I05", Who.SENDER, "RFC 9110, 7.6.1 and 10.1.4", Level.MUST,
        "A sender names in Connection each field that is for this connection alone.",
        mend="name the field in Connection", check=_one_hop_field_unnamed,
    ),
    Rule(
        "I06", Who.RECIPIENT, "RFC 9110, 7.6.1", Level.FACT,
        "Connection options ignore case; a field for one hop that no option names was most likely forwarded in error.",
    ),
    Rule(
        "I07", Who.PROXY, "RFC 9110, 7.6.3", Level.MUST,
        "A proxy adds itself to the Via field of each request that it forwards; a client's proxy, of each answer, too.",
        mend="add a Via with the version that came and a name", check=_no_via,
    ),
    Rule(
        "I08", Who.PROXY, "RFC 9112, 2.3", Level.MUST,
        "A proxy sends its own version of HTTP, not the one that came; an older one is allowed.",
        mend="send HTTP/1.1", check=_version_forwarded,
    ),
    Rule(
        "I09", Who.PROXY, "RFC 9110, 3.7", Level.FACT,
        "A tunnel relays bytes blindly until both of its connections are closed.",
    ),
    Rule(
        "I10", Who.PROXY, "RFC 9110, 7.6", Level.MUST_NOT,
        "A proxy forwards nothing to itself unless it is safe from an endless loop.",
        reason="Whether it is safe from one cannot be told from a request that went round once.",
    ),
    Rule(
        "I11", Who.SENDER, "RFC 9113, 8.2.2", Level.MUST_NOT,
        "No message in HTTP/2 carries Connection, Upgrade or another field for one hop; a proxy takes them out.",
        reason=_NO_HTTP_2,
    ),
    Rule(
        "I12", Who.SERVER, "RFC 9113, 8.6", Level.FACT,
        "HTTP/2 has no 101 and no Upgrade.",
    ),
    Rule(
        "I13", Who.SENDER, "RFC 8441, 3", Level.MUST_NOT,
        "Who has set SETTINGS_ENABLE_CONNECT_PROTOCOL to 1 does not set it back to 0.",
        reason=_NO_HTTP_2,
    ),
    Rule(
        "I14", Who.CLIENT, "RFC 8441, 4 and 5", Level.MUST,
        "WebSocket in HTTP/2 is asked for by CONNECT with :protocol, :scheme and :path, without Connection or Upgrade.",
        reason=_NO_HTTP_2,
    ),
    Rule(
        "I15", Who.SERVER, "RFC 9220, 3", Level.SHOULD,
        "In HTTP/3, a server answers 501 to an extended CONNECT with a :protocol that it does not know.",
        reason="HTTP/3 is not recorded here, and no byte of HTTP/1.1 shows it.",
    ),
    Rule(
        "I16", Who.PROXY, "RFC 9110, 5.5; RFC 9112, 2.2", Level.MUST,
        "A proxy does not forward CR, LF or NUL in a field value: it refuses the message, or puts spaces there.",
        mend="refuse the message, or put a space there", switch=True,
        check=_fault_forwarded(Fault.BARE_CR, Fault.BAD_VALUE),
    ),
    Rule(
        "I17", Who.PROXY, "RFC 9112, 5.2", Level.MUST,
        "A proxy does not forward a folded line: it refuses the message, or puts spaces in the place of the fold.",
        mend="put a space in the place of the fold", switch=True, check=_fault_forwarded(Fault.FOLDED),
    ),
    Rule(
        "I18", Who.PROXY, "RFC 9112, 5.1", Level.MUST,
        "A proxy takes white space before a colon out of the answers that it forwards.",
        mend="take the white space out", switch=True, check=_space_before_colon_forwarded,
    ),
    Rule(
        "I19", Who.PROXY, "RFC 9112, 6.3", Level.MUST,
        "A proxy takes Content-Length out of a message that has Transfer-Encoding, too.",
        mend="forward Transfer-Encoding alone", check=_length_forwarded,
    ),
    Rule(
        "I20", Who.PROXY, "RFC 9112, 3.2.2", Level.MUST,
        "A proxy asked for a URL makes a new Host field of it and forwards that.",
        mend="send the host of the URL", check=_host_not_replaced,
    ),
)  # fmt: skip
