"""One hop taken apart: requests paired with their answers, up to the seam, and what comes after it.

Nothing here raises, whatever the bytes are; every byte of both directions lands in one part.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from labkit.dissect.http import ContentPart, HeadPart, chunked_end, content_length
from labkit.dissect.spans import Span
from labkit.dissect.websocket import FramesPart, deflate_of
from labkit.trace import Direction, How
from labkit.wire.fields import Fields
from labkit.wire.http1 import Head, RequestHead, ResponseHead, scan
from labkit.wire.upgrade import TOKENS, offered
from labkit.wire.websocket import scan as scan_frames

__all__ = ["Exchange", "HopView", "OpaquePart", "Part", "dissect_hop"]


@dataclass(frozen=True, slots=True)
class OpaquePart:
    """Bytes of a protocol that the lab does not take apart, or bytes that are none at all."""

    start: int
    end: int
    label: str
    meaning: str = ""
    clause: str = ""
    fault: str = ""

    @property
    def name(self) -> str:
        """A few words for it."""
        return f"{self.label}, {self.end - self.start} bytes"

    def span(self) -> Span:
        """Return the one leaf."""
        return Span(self.start, self.end, self.label, self.meaning, self.clause, self.fault)


Part = HeadPart | ContentPart | FramesPart | OpaquePart


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
        """The status code of the answer."""
        value = self.answer.value if self.answer else None
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
            return "plain" if status else "no answer"
        if status is None:
            return "no answer"
        if status == 426:
            return "required"
        return {2: "ignored", 3: "redirected"}.get(status // 100, "refused")


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

    def frames(self, direction: Direction) -> FramesPart | None:
        """Return the WebSocket frames of a direction, if it has any."""
        return next((part for part in self.parts[direction] if isinstance(part, FramesPart)), None)

    def spans(self, direction: Direction) -> tuple[Span, ...]:
        """Return the direction's spans; their leaves, joined, are its bytes."""
        return tuple(part.span() for part in self.parts[direction])


class _Way:
    """Reads one direction from its start; every part it hands out is kept."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.parts: list[Part] = []

    @property
    def empty(self) -> bool:
        return self.at >= len(self.data)

    def peek(self) -> Head:
        return scan(self.data, self.at)

    def head(self, head: Head, role: str, other: Fields) -> HeadPart:
        part = HeadPart(head, role, self.at, head.end, other)
        self._take(part)
        return part

    def content(self, framing: str, end: int, expected: int | None = None) -> ContentPart | None:
        end = min(end, len(self.data))
        if end <= self.at and not expected:
            return None
        part = ContentPart(framing, self.at, end, self.data, expected)
        if end > self.at:
            self._take(part)
        return part

    def opaque(self, label: str, meaning: str = "", clause: str = "", fault: str = "") -> OpaquePart | None:
        if self.empty:
            return None
        part = OpaquePart(self.at, len(self.data), label, meaning, clause, fault)
        self._take(part)
        return part

    def frames(self, direction: Direction, answer: Fields) -> None:
        if self.empty:
            return
        frames = scan_frames(self.data, self.at)
        deflate = deflate_of(answer, direction)
        self._take(FramesPart(self.data, self.at, len(self.data), frames, direction, deflate))

    def _take(self, part: Part) -> None:
        self.parts.append(part)
        self.at = part.end


def dissect_hop(
    hop: int,
    to_server: bytes,
    to_client: bytes,
    ends: dict[Direction, How] | None = None,
    missing: dict[Direction, int | None] | None = None,
) -> HopView:
    """Take one hop apart; see `labkit.dissect.dissect`."""
    client, server = _Way(to_server), _Way(to_client)
    exchanges: list[Exchange] = []
    protocol, seam = "", {}
    if not _other_protocol(client, server):
        while not (client.empty and server.empty):
            exchange = _exchange(client, server, exchanges)
            if exchange is None:
                break
            exchanges.append(exchange)
            if exchange.switched or _tunnels(exchange):
                seam = {Direction.TO_SERVER: client.at, Direction.TO_CLIENT: server.at}
                protocol = _after(exchange, client, server)
                break
    client.opaque("bytes", "what no request explains")
    server.opaque("bytes", "what no answer explains")
    parts = {Direction.TO_SERVER: tuple(client.parts), Direction.TO_CLIENT: tuple(server.parts)}
    data = {Direction.TO_SERVER: to_server, Direction.TO_CLIENT: to_client}
    return HopView(hop, data, parts, tuple(exchanges), protocol, seam, ends or {}, missing or {})


def _other_protocol(client: _Way, server: _Way) -> bool:
    """Name whole connections that are no HTTP/1.1 by their first bytes."""
    first = client.data[:16] or server.data[:16]
    if first[:2] == b"\x16\x03":
        label, meaning, clause = "TLS records", "encrypted: record where TLS ends instead", "RFC 8446, 5"
    elif first.startswith(b"PRI * HTTP/2.0"):
        label, meaning, clause = "HTTP/2", "no 101 and no Upgrade exist in it", "RFC 9113, 8.6"
    else:
        return False
    client.opaque(label, meaning, clause)
    server.opaque(label, meaning, clause)
    return True


def _exchange(client: _Way, server: _Way, before: list[Exchange]) -> Exchange | None:
    request = content = None
    if not client.empty:
        head = client.peek()
        if not isinstance(head.value, RequestHead) and before and before[-1].offer:
            client.opaque("early bytes", "sent before the answer, in a protocol that was never switched to",
                          "RFC 6455, 4.1", "the client must wait for the answer (RFC 6455, 4.1)")  # fmt: skip
        else:
            request = client.head(head, "request", Fields())
            content = _request_content(client, head.value) if head.whole and head.value else None
    if request is None and server.empty:
        return None
    asked = request.value.fields if request and request.value else Fields()
    interim, answer, answer_content, garbage = _answers(server, request, asked)
    if request and answer and answer.value:
        linked = replace(request, other=answer.value.fields)
        client.parts[client.parts.index(request)] = linked
        request = linked
    return Exchange(request, content, interim, answer, answer_content, garbage)


def _answers(
    server: _Way, request: HeadPart | None, asked: Fields
) -> tuple[tuple[HeadPart, ...], HeadPart | None, ContentPart | None, OpaquePart | None]:
    interim: list[HeadPart] = []
    while not server.empty:
        head = server.peek()
        if not isinstance(head.value, ResponseHead):
            garbage = server.opaque("bytes that are no answer", "", "RFC 9112, 4",
                                    "an answer begins with HTTP/ and a status code (RFC 9112, 4)")  # fmt: skip
            return tuple(interim), None, None, garbage
        status = head.value.status
        if 100 <= status < 200 and status != 101:
            interim.append(server.head(head, "interim answer", asked))
            continue
        answer = server.head(head, "answer", asked)
        content = _answer_content(server, head.value, request) if head.whole and status != 101 else None
        return tuple(interim), answer, content, None
    return tuple(interim), None, None, None


def _request_content(client: _Way, value: RequestHead | ResponseHead) -> ContentPart | None:
    fields = value.fields
    if "chunked" in [e.lower() for e in fields.elements("Transfer-Encoding")]:
        return client.content("chunked", chunked_end(client.data, client.at))
    length = content_length(fields)
    return client.content("length", client.at + length, length) if length else None


def _answer_content(server: _Way, value: ResponseHead, request: HeadPart | None) -> ContentPart | None:
    asked = request.value if request else None
    method = asked.method if isinstance(asked, RequestHead) else ""
    if method == "HEAD" or value.status in (204, 304) or (method == "CONNECT" and value.status // 100 == 2):
        return None
    if "chunked" in [e.lower() for e in value.fields.elements("Transfer-Encoding")]:
        return server.content("chunked", chunked_end(server.data, server.at))
    length = content_length(value.fields)
    if length is None:
        return server.content("until the end", len(server.data))
    return server.content("length", server.at + length, length) if length else None


def _tunnels(exchange: Exchange) -> bool:
    value = exchange.request.value if exchange.request else None
    status = exchange.status or 0
    return isinstance(value, RequestHead) and value.method == "CONNECT" and status // 100 == 2


def _after(exchange: Exchange, client: _Way, server: _Way) -> str:
    answer = exchange.answer.value.fields if exchange.answer and exchange.answer.value else Fields()
    names = [str(p) for p in offered(answer)] or list(exchange.offer)
    if _tunnels(exchange):
        names = ["tunnel"]
    protocol = names[0] if names else "unnamed"
    if protocol.lower() == "websocket":
        client.frames(Direction.TO_SERVER, answer)
        server.frames(Direction.TO_CLIENT, answer)
        return "websocket"
    token = TOKENS.get(protocol.split("/")[0].lower())
    for way in (client, server):
        way.opaque(f"bytes of {protocol}", token.meaning if token else "", token.source if token else "")
    return protocol
