"""One hop taken apart: requests paired with their answers, up to the seam, and what comes after it.

Nothing here raises, whatever the bytes are; every byte of both directions lands in one part.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field, replace

from labkit.dissection.deflate import deflate_of, others
from labkit.dissection.http import ContentPart, HeadPart, chunked_end, content_length
from labkit.dissection.http2 import Http2Part, http2_parts
from labkit.dissection.opaque import OpaquePart
from labkit.dissection.records import RECORDS
from labkit.dissection.spans import Span
from labkit.dissection.streams import Http2Fault
from labkit.dissection.websocket import FramesPart
from labkit.trace import Direction, How
from labkit.wire.fields import Fields
from labkit.wire.http1 import Fault, Head, RequestHead, ResponseHead, scan
from labkit.wire.upgrade import TOKENS, Token, offered
from labkit.wire.websocket import scan as scan_frames

__all__ = ["Exchange", "Framed", "HopView", "OpaquePart", "Part", "dissect_hop"]


Framed = FramesPart | Http2Part
Part = HeadPart | ContentPart | Framed | OpaquePart


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what came back for it; either may be missing.

    `outcome` is one of: switched, ignored, redirected, required, refused, no answer, and, where no
    upgrade was offered, plain.
    """

    request: HeadPart | None
    content: ContentPart | None = None
    interim: tuple[HeadPart, ...] = ()
    answer: HeadPart | None = None
    answer_content: ContentPart | None = None
    garbage: OpaquePart | None = None

    @property
    def offer(self) -> tuple[str, ...]:
        """The protocols that the request asks for."""
        value = self.request.value if self.request else None
        return tuple(str(p) for p in offered(value.fields)) if isinstance(value, RequestHead) else ()

    @property
    def status(self) -> int | None:
        """The status code of the answer; None where its head did not come whole."""
        value = self.answer.value if self.answer and self.answer.head.whole else None
        return value.status if isinstance(value, ResponseHead) else None

    @property
    def switched(self) -> bool:
        """Whether the answer is a 101."""
        return self.status == 101

    @property
    def outcome(self) -> str:
        """How step 3 ended (RFC 9110, 7.8)."""
        status = self.status
        if status == 101:
            return "switched"
        if not self.offer:
            return "no answer" if status is None else "plain"
        if status is None:
            return "no answer"
        if status == 426:
            return "required"
        return {2: "ignored", 3: "redirected"}.get(status // 100, "refused")

    def __repr__(self) -> str:
        value = self.request.value if self.request else None
        asked = f"{value.method} {value.version}" if isinstance(value, RequestHead) else "no request"
        heads = [part.value for part in (*self.interim, self.answer) if part]
        statuses = [str(value.status) for value in heads if isinstance(value, ResponseHead)]
        return f"<Exchange: {asked} → {', '.join(statuses) or 'nothing'}: {self.outcome}>"


@dataclass(frozen=True)
class HopView:
    """One hop taken apart.

    Args:
        hop: its place in the trace.
        data: the bytes of each direction.
        parts: the parts of each direction; they cover its bytes without gap or overlap.
        exchanges: requests with their answers, in order.
        protocol: what is spoken after the seam; empty where no switch happened.
        seam: the offset of the first byte that is not HTTP, per direction, after a switch.
        ends: how each direction ended.
        missing: bytes that the trace does not hold, per direction; None where unknown.
    """

    hop: int
    data: dict[Direction, bytes] = field(repr=False)
    parts: dict[Direction, tuple[Part, ...]]
    exchanges: tuple[Exchange, ...]
    protocol: str = ""
    seam: dict[Direction, int] = field(default_factory=dict)
    ends: dict[Direction, How] = field(default_factory=dict)
    missing: dict[Direction, int | None] = field(default_factory=dict)

    @property
    def exchange(self) -> Exchange | None:
        """The exchange that counts: the last one that offers an upgrade or gets a 101, or else the last."""
        offers = [exchange for exchange in self.exchanges if exchange.offer or exchange.switched]
        found = offers or self.exchanges
        return found[-1] if found else None

    def frames(self, direction: Direction) -> FramesPart | None:
        """Return the WebSocket frames of a direction, if it has any."""
        return next((part for part in self.parts[direction] if isinstance(part, FramesPart)), None)

    def http2(self, direction: Direction) -> Http2Part | None:
        """Return the HTTP/2 frames of a direction, if it has any."""
        return next((part for part in self.parts[direction] if isinstance(part, Http2Part)), None)

    def framed(self, direction: Direction) -> Framed | None:
        """Return the frames of a direction, of whichever protocol."""
        return self.frames(direction) or self.http2(direction)

    def spans(self, direction: Direction) -> tuple[Span, ...]:
        """Return the direction's spans; their leaves, joined, are its bytes."""
        return tuple(part.span() for part in self.parts[direction])


class _Way:
    """Reads one direction from its start; every part it hands out is kept.

    It reads up to the first hole in the recording: what comes after that cannot be told.
    """

    def __init__(self, data: bytes, hole: int | None) -> None:
        self._all = data
        self.data = data if hole is None else data[:hole]
        self.at = 0
        self.parts: list[Part] = []

    @property
    def empty(self) -> bool:
        return self.at >= len(self.data)

    def peek(self) -> Head:
        return scan(self.data, self.at, limit=len(self.data))

    def head(self, head: Head, role: str, other: Fields) -> HeadPart:
        part = HeadPart(head, role, self.at, head.end, other)
        self._take(part)
        return part

    def content(self, framing: str, end: int, expected: int | None = None) -> ContentPart | None:
        end = min(end, len(self.data))
        if end <= self.at and not expected:
            return None
        part = ContentPart(framing, self.at, end, self.data, expected)
        self._take(part)
        return part

    def opaque(self, label: str, meaning: str = "", clause: str = "", fault: str = "") -> OpaquePart:
        part = OpaquePart(self.at, len(self.data), label, meaning, clause, fault)
        self._take(part)
        return part

    def records(self, protocol: str) -> None:
        """Take what can be told of a protocol's records, as far as there are any."""
        found = RECORDS[protocol](self.data, self.at) if protocol in RECORDS else []
        for part in found:
            self._take(part)

    def frames(self, direction: Direction, answer: Fields) -> None:
        frames = scan_frames(self.data, self.at)
        deflate, foreign = deflate_of(answer, direction), others(answer)
        self._take(FramesPart(self.data, self.at, len(self.data), frames, direction, deflate, foreign))

    def http2(self, part: Http2Part | None, fault: str) -> None:
        if part is None:
            self.opaque("bytes that are no HTTP/2", TOKENS["h2c"].meaning, TOKENS["h2c"].source, fault)
        else:
            self._take(part)

    def finish(self) -> tuple[Part, ...]:
        """Return the parts, with what lies behind a hole as the last."""
        if len(self._all) > len(self.data):
            meaning = "the recording misses bytes before these, so what they are cannot be told"
            self.parts.append(OpaquePart(len(self.data), len(self._all), "bytes after a hole", meaning))
        return tuple(self.parts)

    def _take(self, part: Part) -> None:
        if part.end > part.start:
            self.parts.append(part)
            self.at = part.end


def dissect_hop(
    hop: int,
    to_server: bytes,
    to_client: bytes,
    ends: dict[Direction, How] | None = None,
    missing: dict[Direction, int | None] | None = None,
    holes: dict[Direction, int] | None = None,
) -> HopView:
    """Take one hop apart; see `labkit.dissect`.

    Args:
        hop: its place in the trace.
        to_server: all bytes to the server.
        to_client: all bytes to the client.
        ends: how each direction ended.
        missing: how many bytes the trace does not hold, per direction; None where unknown.
        holes: the offset at which bytes are missing before others, per direction.
    """
    holes = holes or {}
    client = _Way(to_server, holes.get(Direction.TO_SERVER))
    server = _Way(to_client, holes.get(Direction.TO_CLIENT))
    exchanges: list[Exchange] = []
    protocol, seam = "", {}
    _other_protocol(client, server)
    while not (client.empty and server.empty):
        head = None if client.empty else client.peek()
        if head and exchanges and _is_early(head, exchanges[-1]):
            _take_early(client, exchanges[-1])
            continue
        exchange = _exchange(client, server, head)
        exchanges.append(exchange)
        if exchange.switched or _tunnels(exchange):
            seam = {Direction.TO_SERVER: client.at, Direction.TO_CLIENT: server.at}
            protocol = _after(exchange, client, server)
    parts = {Direction.TO_SERVER: client.finish(), Direction.TO_CLIENT: server.finish()}
    data = {Direction.TO_SERVER: to_server, Direction.TO_CLIENT: to_client}
    return HopView(hop, data, parts, tuple(exchanges), protocol, seam, ends or {}, missing or {})


# Connections that are no HTTP/1.1 from their first byte.
_TLS = re.compile(rb"[\x14-\x17]\x03[\x00-\x04]")
_HTTP2 = re.compile(rb"PRI \* HTTP/2\.0")
_TLS_PART = ("TLS records", "encrypted: record where TLS ends instead", "RFC 8446, 5")


def _other_protocol(client: _Way, server: _Way) -> None:
    """Take whole connections that are no HTTP/1.1; a server may still answer them in HTTP/1.1."""
    answers = server.data.startswith(b"HTTP/1.")
    if _TLS.match(client.data or server.data):
        client.opaque(*_TLS_PART)
        if not answers:
            server.opaque(*_TLS_PART)
    elif _HTTP2.match(client.data):
        parts = http2_parts((client.data, 0), (b"" if answers else server.data, 0), upgraded=False)
        client.http2(parts[Direction.TO_SERVER], Http2Fault.PREFACE)
        if not answers:
            server.http2(parts[Direction.TO_CLIENT], Http2Fault.FIRST)


def _is_early(head: Head, before: Exchange) -> bool:
    """Tell whether what follows an offer that was not accepted is no HTTP: sent too early, then."""
    return bool(before.offer) and not isinstance(head.value, RequestHead) and not _only_cut(head)


def _only_cut(head: Head) -> bool:
    """Tell whether the bytes end inside a start-line, and nothing else is wrong with it."""
    return head.value is None and all(fault in (Fault.CUT_SHORT, Fault.EMPTY_LINE) for _, fault in head.faults)


def _take_early(client: _Way, before: Exchange) -> None:
    meaning = "sent before a 101, in a protocol that was never switched to"
    if any(name.lower() == "websocket" for name in before.offer):
        client.opaque("early bytes", meaning, "RFC 6455, 4.1", "the client must wait for the answer (RFC 6455, 4.1)")
    else:
        fault = "these bytes are no HTTP, and no other protocol was switched to (RFC 9110, 7.8)"
        client.opaque("early bytes", meaning, "RFC 9110, 7.8", fault)


def _exchange(client: _Way, server: _Way, head: Head | None) -> Exchange:
    request = content = None
    place = len(client.parts)
    if head:
        request = client.head(head, "request", Fields())
        if not isinstance(head.value, RequestHead):
            meaning = "where the next message begins cannot be told"
            client.opaque("bytes after a broken start-line", meaning, "RFC 9112, 3")
        elif head.whole:
            content = _content(client, head.value.fields, otherwise_until_the_end=False)
    asked = request.value.fields if request and request.value else Fields()
    interim, answer, answer_content, garbage = _answers(server, request, asked)
    if request and answer and answer.value:
        request = replace(request, other=answer.value.fields)
        client.parts[place] = request
    return Exchange(request, content, interim, answer, answer_content, garbage)


def _answers(
    server: _Way, request: HeadPart | None, asked: Fields
) -> tuple[tuple[HeadPart, ...], HeadPart | None, ContentPart | None, OpaquePart | None]:
    interim: list[HeadPart] = []
    while not server.empty:
        head = server.peek()
        if not isinstance(head.value, ResponseHead):
            return tuple(interim), None, None, _garbage(server, head)
        status = head.value.status
        if 100 <= status < 200 and status != 101:
            interim.append(server.head(head, "interim answer", asked))
            continue
        answer = server.head(head, "answer", asked)
        content = None
        if head.whole and not _without_content(status, request):
            content = _content(server, head.value.fields, otherwise_until_the_end=True)
        return tuple(interim), answer, content, None
    return tuple(interim), None, None, None


def _garbage(server: _Way, head: Head) -> OpaquePart:
    first = server.data[server.at :].lstrip(b"\r\n")[:5]
    if _only_cut(head) and b"HTTP/".startswith(first):
        return server.opaque("the start of an answer", "", "RFC 9112, 2.1", str(Fault.CUT_SHORT))
    if _TLS.match(server.data, server.at):
        return server.opaque("TLS records", "this port speaks TLS, and was not asked in TLS", "RFC 8446, 5", _NO_ANSWER)
    return server.opaque("bytes that are no answer", "", "RFC 9112, 4", _NO_ANSWER)


_NO_ANSWER = "an answer begins with HTTP/ and a status code (RFC 9112, 4)"


def _without_content(status: int, request: HeadPart | None) -> bool:
    """Tell whether an answer ends with its head, whatever its fields say (RFC 9112, 6.3)."""
    value = request.value if request else None
    method = value.method if isinstance(value, RequestHead) else ""
    return method == "HEAD" or status in (101, 204, 304) or (method == "CONNECT" and status // 100 == 2)


def _content(way: _Way, fields: Fields, *, otherwise_until_the_end: bool) -> ContentPart | None:
    """Take a message's content (RFC 9112, 6.3): in chunks, by its length, or as the last argument says."""
    codings = [coding.lower() for coding in fields.elements("Transfer-Encoding")]
    if codings and codings[-1] == "chunked":
        return way.content("chunked", chunked_end(way.data, way.at))
    length = None if codings else content_length(fields)
    if length is None and (codings or otherwise_until_the_end):
        return way.content("until the end", len(way.data))
    return way.content("length", way.at + length, length) if length else None


def _tunnels(exchange: Exchange) -> bool:
    value = exchange.request.value if exchange.request else None
    status = exchange.status or 0
    return isinstance(value, RequestHead) and value.method == "CONNECT" and status // 100 == 2


_TUNNEL = Token("relayed as they are, until both connections are closed", "RFC 9110, 3.7", registered=False)


def _after(exchange: Exchange, client: _Way, server: _Way) -> str:
    """Take all bytes after the seam; return the protocol they are in."""
    answer = exchange.answer.value.fields if exchange.answer and exchange.answer.value else Fields()
    names = [str(protocol) for protocol in offered(answer)] or list(exchange.offer)
    protocol = "tunnel" if _tunnels(exchange) else names[0] if names else "unnamed"
    if protocol.lower() == "websocket":
        client.frames(Direction.TO_SERVER, answer)
        server.frames(Direction.TO_CLIENT, answer)
        return "websocket"
    if protocol.lower() == "h2c":
        parts = http2_parts((client.data, client.at), (server.data, server.at), _told_before(exchange), upgraded=True)
        client.http2(parts[Direction.TO_SERVER], Http2Fault.PREFACE)
        server.http2(parts[Direction.TO_CLIENT], Http2Fault.FIRST)
        return "h2c"
    token = _TUNNEL if protocol == "tunnel" else TOKENS.get(protocol.split("/")[0].lower())
    for way in (client, server):
        way.records(protocol.split("/")[0].lower())
        way.opaque(f"bytes of {protocol}", token.meaning if token else "", token.source if token else "")
    return protocol


def _told_before(exchange: Exchange) -> bytes:
    """Return what the request's HTTP2-Settings says, decoded; empty where it says nothing (RFC 7540, 3.2.1)."""
    value = exchange.request.value if exchange.request else None
    text = (value.fields.get("HTTP2-Settings") or "") if value else ""
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""
