"""Spans and faults of WebSocket frames, and the messages they carry, inflated where compressed.

A run of frames is one part of a direction; each frame is a light record until its leaves are asked for.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from functools import cached_property

from labkit.dissect.spans import Bits, Span
from labkit.trace import Direction
from labkit.wire.fields import Fields
from labkit.wire.websocket import CLOSE, CLOSE_CODES, CONTINUATION, OPCODES, PING, TEXT, Frame, Opcode

__all__ = ["MOST_INFLATED", "Deflate", "FramesPart", "deflate_of"]

MOST_INFLATED = 16 << 20  # bytes of inflated messages kept per direction: a bomb stops here

_DEFLATE_CLAUSE = "RFC 7692, 7.2.2"
_UNKNOWN = Opcode("reserved", "no frame of this kind exists yet", "RFC 6455, 5.2")


@dataclass(frozen=True, slots=True)
class Deflate:
    """What was agreed for one direction of permessage-deflate (RFC 7692, 7)."""

    context_takeover: bool = True
    window_bits: int = 15


def deflate_of(answer: Fields, direction: Direction) -> Deflate | None:
    """Return what a 101's Sec-WebSocket-Extensions agrees for a direction; None where nothing is compressed."""
    for element in answer.elements("Sec-WebSocket-Extensions"):
        name, *parameters = [part.strip() for part in element.split(";")]
        if name.lower() != "permessage-deflate":
            continue
        side = "client" if direction is Direction.TO_SERVER else "server"
        values = dict(_parameter(text) for text in parameters)
        bits = values.get(f"{side}_max_window_bits", "")
        window = int(bits) if bits.isdigit() and 8 <= int(bits) <= 15 else 15
        return Deflate(f"{side}_no_context_takeover" not in values, window)
    return None


def _parameter(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip().lower(), value.strip().strip('"')


@dataclass(frozen=True)
class FramesPart:
    """All WebSocket frames of one direction.

    Args:
        data: the direction's bytes.
        start: offset of the first frame.
        end: offset after the last byte.
        frames: the frames, in order.
        direction: which way they go; it decides whether they must be masked.
        deflate: what was agreed about compression.
    """

    data: bytes = field(repr=False)
    start: int
    end: int
    frames: list[Frame] = field(repr=False)
    direction: Direction
    deflate: Deflate | None = None

    @cached_property
    def _walk(self) -> tuple[dict[int, str], dict[int, tuple[int, ...]]]:
        return _walk(self)

    @property
    def faults(self) -> dict[int, str]:
        """What is wrong with which frame, by its place, with the clause."""
        return self._walk[0]

    @property
    def messages(self) -> dict[int, tuple[int, ...]]:
        """The whole messages of more than one frame: the last frame's place, and all their places."""
        return self._walk[1]

    def payload(self, place: int) -> bytes:
        """Return a frame's payload, unmasked; still compressed where it was."""
        return self.frames[place].payload_of(self.data)

    @cached_property
    def _begins(self) -> dict[int, int]:
        return {place: places[0] for places in self.messages.values() for place in places}

    @cached_property
    def inflated(self) -> dict[int, bytes | str]:
        """The compressed messages, inflated: by the place of the last frame, the bytes or why not."""
        return _inflate_all(self) if self.deflate else {}

    def content(self, place: int) -> bytes:
        """Return what a frame carries, for showing: inflated where the message ends here."""
        value = self.inflated.get(place)
        return value if isinstance(value, bytes) else self.payload(place)

    def compressed(self, place: int) -> bool:
        """Tell whether a frame carries compressed bytes of which no inflated form is at hand."""
        if not self.deflate:
            return False
        first = self.frames[self._begins.get(place, place)]
        return bool(first.rsv & 4) and not isinstance(self.inflated.get(place), bytes)

    def name(self, place: int) -> str:
        """Return a frame's kind in a few words: "text", "ping", "continuation, last fragment"."""
        frame = self.frames[place]
        name = OPCODES.get(frame.opcode, _UNKNOWN).name
        if frame.opcode not in OPCODES:
            return f"{name} opcode {frame.opcode:#x}"
        if frame.opcode == CONTINUATION:
            return f"{name}, last fragment" if frame.fin else name
        return name if frame.fin else f"{name}, first fragment"

    def span(self) -> Span:
        """Return all frames as one tree."""
        parts = tuple(self.frame_span(place) for place in range(len(self.frames)))
        return Span(self.start, self.end, "WebSocket frames", "", "RFC 6455, 5", parts=parts)

    def frame_span(self, place: int) -> Span:
        """Return one frame with its leaves: two header bytes, length, masking key, payload."""
        frame = self.frames[place]
        spans = _header_spans(frame, self.data) + _payload_spans(self, place)
        kind = OPCODES.get(frame.opcode, _UNKNOWN)
        fault = self.faults.get(place, "")
        if len(spans) == 1:  # so little is there that the frame is its one leaf
            only = spans[0]
            return Span(only.start, only.end, only.label, only.meaning, only.clause, fault or only.fault, only.bits)
        label = f"frame: {self.name(place)}"
        return Span(frame.start, frame.end, label, kind.meaning, kind.clause, fault, parts=tuple(spans))


def _walk(part: FramesPart) -> tuple[dict[int, str], dict[int, tuple[int, ...]]]:
    masks = part.direction is Direction.TO_SERVER
    common = {0x81, 0x82}  # whole text and binary messages need a look only where something is open
    faults: dict[int, str] = {}
    messages: dict[int, tuple[int, ...]] = {}
    unfinished: list[int] = []
    for place, frame in enumerate(part.frames):
        first = frame.first
        if first not in common or unfinished or (frame.second >= 0x80) != masks or frame.second & 0x7F > 125:
            fault = _fault(frame, masks, bool(unfinished), part.deflate is not None)
            if fault:
                faults[place] = fault
            opcode = first & 0x0F
            if opcode < CLOSE:
                unfinished.append(place)
                if first >= 0x80:
                    if len(unfinished) > 1:
                        messages[place] = tuple(unfinished)
                    unfinished = []
    last = len(part.frames) - 1
    if last >= 0 and not part.frames[last].whole:
        faults[last] = faults.get(last) or _short(part.frames[last])
    return faults, messages


def _short(frame: Frame) -> str:
    if frame.payload > frame.end:
        return "the bytes end before the frame's header does (RFC 6455, 5.2)"
    came = frame.end - frame.payload
    return f"the header says {frame.declared} bytes of payload, {came} came (RFC 6455, 5.2)"


def _fault(frame: Frame, masks: bool, unfinished: bool, deflate: bool) -> str:
    opcode, short = frame.opcode, frame.second & 0x7F
    if opcode not in OPCODES:
        return "a reserved opcode; the receiver must fail the connection (RFC 6455, 5.2)"
    if frame.rsv & 3 or (frame.rsv & 4 and not (deflate and opcode in (1, 2))):
        return "a reserved bit is set that no agreed extension gives a meaning (RFC 6455, 5.2)"
    if frame.payload > frame.end:
        return ""
    if frame.masked != masks:
        party = "client" if masks else "server"
        duty = "must mask every frame" if masks else "must not mask a frame"
        return f"a {party} {duty} (RFC 6455, 5.1)"
    if opcode >= CLOSE:
        if not frame.fin:
            return "a control frame must not be fragmented (RFC 6455, 5.5)"
        if frame.declared > 125:
            return "a control frame carries 125 bytes at the most (RFC 6455, 5.5)"
        return ""
    if opcode == CONTINUATION and not unfinished:
        return "a continuation, and no message to continue (RFC 6455, 5.4)"
    if opcode != CONTINUATION and unfinished:
        return "a new message before the last fragment of the one before it (RFC 6455, 5.4)"
    if short == 126 and frame.declared < 126 or short == 127 and frame.declared < 1 << 16:
        return "the length is not in its shortest form (RFC 6455, 5.2)"
    if short == 127 and frame.declared >= 1 << 63:
        return "the highest bit of a 64-bit length must be 0 (RFC 6455, 5.2)"
    return ""


def _header_spans(frame: Frame, data: bytes) -> list[Span]:
    kind = OPCODES.get(frame.opcode, _UNKNOWN)
    at = frame.start
    spans = [Span(at, at + 1, "FIN, RSV, opcode", kind.name, "RFC 6455, 5.2", bits=(
        Bits("FIN", str(int(frame.fin)), "the message ends here" if frame.fin else "more fragments follow"),
        Bits("RSV1–3", f"{frame.rsv:03b}", "RSV1: the message is compressed" if frame.rsv & 4 else "not used"),
        Bits("opcode", f"{frame.opcode:04b}", f"{frame.opcode:#x}: {kind.name}"),
    ))]  # fmt: skip
    if frame.end - at < 2:
        return spans
    short = frame.second & 0x7F
    form = {126: "the length is in the next 2 bytes", 127: "the length is in the next 8 bytes"}
    spans.append(Span(at + 1, at + 2, "MASK, length", form.get(short, f"{short} bytes of payload"),
        "RFC 6455, 5.2", bits=(
            Bits("MASK", str(int(frame.masked)), "a masking key follows" if frame.masked else "not masked"),
            Bits("length", f"{short:07b}", form.get(short, f"{short} bytes")),
        )))  # fmt: skip
    key_size = 4 if frame.masked else 0
    lengths_end = min(frame.payload - key_size, frame.end)
    if lengths_end > at + 2:
        spans.append(Span(at + 2, lengths_end, "extended length", f"{frame.declared} bytes of payload",
                          "RFC 6455, 5.2"))  # fmt: skip
    if frame.masked and min(frame.payload, frame.end) > lengths_end:
        spans.append(Span(lengths_end, min(frame.payload, frame.end), "masking key",
                          "the payload is XORed with these four bytes", "RFC 6455, 5.3"))  # fmt: skip
    return spans


def _payload_spans(part: FramesPart, place: int) -> list[Span]:
    frame = part.frames[place]
    at, end = frame.payload, frame.end
    if at >= end:
        return []
    if frame.opcode == CLOSE and end - at >= 2:
        return _close_spans(part, place)
    label = "payload, masked" if frame.masked else "payload"
    text, fault = _payload_meaning(part, place)
    clause = _DEFLATE_CLAUSE if part.compressed(place) or place in part.inflated else "RFC 6455, 5.2"
    return [Span(at, end, label, text, clause, fault)]


def _payload_meaning(part: FramesPart, place: int) -> tuple[str, str]:
    frame, payload = part.frames[place], part.payload(place)
    inflated = part.inflated.get(place)
    if isinstance(inflated, str):
        return "compressed", inflated
    if isinstance(inflated, bytes):
        return f"compressed; inflated: {shown(inflated)}", ""
    if part.compressed(place):
        return "compressed", ""
    if frame.opcode == TEXT and frame.fin and frame.whole:
        fault = _utf8_fault(payload)
        return shown(payload), fault
    if frame.opcode == CLOSE:
        return "one byte", "a Close payload is empty, or begins with two bytes of code (RFC 6455, 5.5.1)"
    if frame.opcode >= PING:
        return shown(payload) + (", which the pong must repeat" if frame.opcode == PING else ""), ""
    return shown(payload), ""


def _close_spans(part: FramesPart, place: int) -> list[Span]:
    frame, payload = part.frames[place], part.payload(place)
    code = int.from_bytes(payload[:2], "big")
    row = CLOSE_CODES.get(code)
    clause = row.clause if row else "RFC 6455, 7.4.2"
    text = f"{code}: {row.meaning}" if row else f"{code}: {'private use' if 3000 <= code < 5000 else 'not defined'}"
    fault = ""
    if (row and not row.on_wire) or not 1000 <= code < 5000:
        fault = f"{code} must never be sent in a Close frame (RFC 6455, 7.4)"
    masked = ", masked" if frame.masked else ""
    spans = [Span(frame.payload, frame.payload + 2, f"close code{masked}", text, clause, fault)]
    if len(payload) > 2:
        spans.append(Span(frame.payload + 2, frame.end, f"close reason{masked}", shown(payload[2:]),
                          "RFC 6455, 5.5.1", _utf8_fault(payload[2:])))  # fmt: skip
    return spans


def _utf8_fault(payload: bytes) -> str:
    try:
        payload.decode()
    except UnicodeDecodeError as error:
        return f"not UTF-8 from byte {error.start} of the payload on (RFC 6455, 8.1)"
    return ""


def shown(payload: bytes, most: int = 60) -> str:
    """Return bytes as a short, harmless text: quoted UTF-8 where they are, else hexadecimal.

    >>> shown(b"Hello"), shown(bytes([0, 255]))
    ('"Hello"', '00 ff')
    """
    if not payload:
        return "empty"
    head = payload[: most * 4]
    try:
        text = head.decode() if len(head) == len(payload) else head.decode("utf-8", "ignore")
    except UnicodeDecodeError:
        text = ""
    printable = sum(char.isprintable() or char in "\r\n\t" for char in text)
    if not text or printable < len(text) * 0.7:
        cut = payload[: most // 3]
        return cut.hex(" ") + (f" … ({len(payload)} bytes)" if len(cut) < len(payload) else "")
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:most])
    more = "" if len(text) <= most and len(head) == len(payload) else f" … ({len(payload)} bytes)"
    return f'"{safe}"{more}'


def _inflate_all(part: FramesPart) -> dict[int, bytes | str]:
    deflate = part.deflate
    assert deflate is not None
    groups = {places[0]: places for places in part.messages.values()}
    found: dict[int, bytes | str] = {}
    room = MOST_INFLATED
    inflater = zlib.decompressobj(-deflate.window_bits)
    broken = ""
    for place, frame in enumerate(part.frames):
        if not frame.rsv & 4 or frame.opcode not in (1, 2) or not (frame.fin or place in groups):
            continue
        places = groups.get(place, (place,))
        if not deflate.context_takeover:
            inflater = zlib.decompressobj(-deflate.window_bits)
        if not broken:
            data = b"".join(part.payload(each) for each in places) + b"\x00\x00\xff\xff"
            try:
                value = inflater.decompress(data, room)
                if inflater.unconsumed_tail:
                    broken = f"not inflated: more than {MOST_INFLATED} bytes come out (a limit of the lab)"
            except zlib.error:
                broken = f"these bytes do not inflate ({_DEFLATE_CLAUSE})"
            room = max(1, room - len(value)) if not broken else room
        found[places[-1]] = broken or value
    return found
