"""Spans and faults of WebSocket frames, and the messages they carry, inflated where compressed.

A run of frames is one part of a direction; each frame is a light record until its leaves are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from labkit.dissection.deflate import BROKEN, DEFLATE_CLAUSE, MOST_INFLATED, Deflate, Inflater
from labkit.dissection.frames import FrameFault, Walk, close_faults, walk
from labkit.dissection.spans import Bits, Span
from labkit.trace import Direction
from labkit.wire.websocket import BINARY, CLOSE, CLOSE_CODES, CONTINUATION, OPCODES, PING, TEXT, Frame, Opcode

__all__ = ["MOST_INFLATED", "Deflate", "FramesPart", "shown"]

_UNKNOWN = Opcode("reserved", "no frame of this kind exists yet", "RFC 6455, 5.2")


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
        foreign: whether another extension was agreed; what it does to frames is not known here.
    """

    data: bytes = field(repr=False)
    start: int
    end: int
    frames: list[Frame] = field(repr=False)
    direction: Direction
    deflate: Deflate | None = None
    foreign: bool = False

    @property
    def count(self) -> int:
        """How many frames there are."""
        return len(self.frames)

    @cached_property
    def _walk(self) -> Walk:
        to_server, deflate = self.direction is Direction.TO_SERVER, self.deflate is not None
        return walk(self.frames, to_server=to_server, deflate=deflate, foreign=self.foreign)

    @cached_property
    def faults(self) -> dict[int, tuple[FrameFault, ...]]:
        """All that is wrong with which frame, by its place; a message's fault is its last frame's."""
        faults = {**self._walk.faults}
        for place, found in sorted(self._content_faults.items()):
            faults[place] = (*faults.get(place, ()), *found)
        return faults

    @cached_property
    def _content_faults(self) -> dict[int, tuple[FrameFault, ...]]:
        """What is wrong with what the frames carry: text that is not UTF-8, bytes that do not inflate, close codes."""
        found: dict[int, tuple[FrameFault, ...]] = {}
        if not self.foreign:
            found = {place: (FrameFault.BROKEN,) for place, value in self.inflated.items() if value == BROKEN}
        data = self.data
        for place, frame in enumerate(self.frames):
            _, payload, end, declared, first, _ = frame
            # A whole text message in one frame, not compressed, is by far the most frequent case.
            if first == 0x81 and payload + declared == end:
                text: bytes | None = frame.payload_of(data)
            elif first & 0x0F == CLOSE:
                faults = close_faults(self.payload(place), whole=frame.whole)
                if any(faults):
                    found[place] = tuple(fault for fault in faults if fault)
                continue
            else:
                text = self._text(place)
            if text and not text.isascii() and not self.foreign and _broken_at(text) is not None:
                found[place] = (FrameFault.BAD_TEXT,)
        return found

    def message_fault(self, place: int) -> str:
        """Return what is wrong with the message that ends with a frame; empty where nothing is."""
        if self.frames[place].opcode == CLOSE:
            return ""
        return self._told(place, self._content_faults.get(place, ()))

    def _told(self, place: int, faults: tuple[FrameFault, ...]) -> str:
        """Return the sentences of faults, joined; where it helps, with the numbers of this frame."""
        return "; ".join(self._sentence(place, fault) for fault in faults)

    def _sentence(self, place: int, fault: FrameFault) -> str:
        frame = self.frames[place]
        if fault is FrameFault.SHORT_PAYLOAD:
            came = frame.end - frame.payload
            return f"the header says {frame.declared} bytes of payload, {came} came (RFC 6455, 5.2)"
        if fault is FrameFault.BAD_TEXT:
            at = _broken_at(self.message(place) or b"")
            return f"not UTF-8 from byte {at} of the message on (RFC 6455, 8.1)"
        return str(fault)

    def _text(self, place: int) -> bytes | None:
        """Return the message that ends with a frame, if it is one of text."""
        first = self.frames[self.messages.get(place, (place,))[0]]
        return self.message(place) if first.opcode == TEXT else None

    @property
    def messages(self) -> dict[int, tuple[int, ...]]:
        """The whole messages of more than one frame: the last frame's place, and all their places."""
        return self._walk.messages

    def payload(self, place: int) -> bytes:
        """Return a frame's payload, unmasked; still compressed where it was."""
        return self.frames[place].payload_of(self.data)

    @cached_property
    def inflated(self) -> dict[int, bytes | str]:
        """The compressed messages, inflated: by the place of the last frame, the bytes or why not."""
        if not self.deflate:
            return {}
        inflater = Inflater(self.deflate, MOST_INFLATED)
        return {places[-1]: inflater.message(self._joined(places)) for places in self._compressed_messages()}

    def _compressed_messages(self) -> Iterator[tuple[int, ...]]:
        """Yield the frames' places of every message that is compressed and all there."""
        for place, frame in enumerate(self.frames):
            if frame.fin and frame.opcode in (CONTINUATION, TEXT, BINARY) and frame.whole:
                places = self.messages.get(place, (place,))
                if self._marked(places[0]):
                    yield places

    def _marked(self, place: int) -> bool:
        """Tell whether a frame begins a compressed message (RFC 7692, 6)."""
        frame = self.frames[place]
        return bool(frame.rsv & 4) and frame.opcode in (TEXT, BINARY)

    def _joined(self, places: tuple[int, ...]) -> bytes:
        return b"".join([self.payload(place) for place in places])

    def content(self, place: int) -> bytes:
        """Return what a frame carries, for showing: inflated where the message ends here."""
        value = self.inflated.get(place)
        return value if isinstance(value, bytes) else self.payload(place)

    def compressed(self, place: int) -> bool:
        """Tell whether a frame carries compressed bytes of which no inflated form is at hand."""
        if not self.deflate or isinstance(self.inflated.get(place), bytes):
            return False
        return self._marked(self._walk.begins.get(place, place))

    def message(self, place: int) -> bytes | None:
        """Return the message that ends with a frame, inflated; None where none ends here or it is not at hand."""
        frame = self.frames[place]
        if frame.opcode not in (CONTINUATION, TEXT, BINARY) or not frame.fin or not frame.whole:
            return None
        if frame.opcode == CONTINUATION and place not in self.messages:
            return None
        inflated = self.inflated.get(place)
        if isinstance(inflated, str):
            return None
        return self._joined(self.messages.get(place, (place,))) if inflated is None else inflated

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
        spans = _header_spans(self, frame) + _payload_spans(self, place)
        kind = OPCODES.get(frame.opcode, _UNKNOWN)
        fault = self._told(place, self._walk.faults.get(place, ()))
        if frame.payload == frame.end:  # no payload's leaf could say it
            fault = "; ".join(filter(None, (fault, self.message_fault(place))))
        if len(spans) == 1:  # so little is there that the frame is its one leaf
            only = spans[0]
            return Span(only.start, only.end, only.label, only.meaning, only.clause, fault or only.fault, only.bits)
        label = f"frame: {self.name(place)}"
        return Span(frame.start, frame.end, label, kind.meaning, kind.clause, fault, parts=tuple(spans))


_LENGTHS = {126: "the length is in the next 2 bytes", 127: "the length is in the next 8 bytes"}


def _header_spans(part: FramesPart, frame: Frame) -> list[Span]:
    at, end = frame.start, frame.end
    spans = [_first_byte(frame, deflate=part.deflate is not None, foreign=part.foreign)]
    if end - at < 2:
        return spans
    form = frame.second & 0x7F
    length = _LENGTHS.get(form, f"{form} bytes of payload")
    bits = (
        Bits("MASK", f"{frame.masked:d}", "a masking key follows" if frame.masked else "not masked"),
        Bits("length", f"{form:07b}", length),
    )
    spans.append(Span(at + 1, at + 2, "MASK, length", length, "RFC 6455, 5.2", bits=bits))
    key_at = frame.payload - 4 if frame.masked else frame.payload
    if min(key_at, end) > at + 2:
        meaning = f"{frame.declared} bytes of payload" if key_at <= end else "the length, cut short"
        spans.append(Span(at + 2, min(key_at, end), "extended length", meaning, "RFC 6455, 5.2"))
    if min(frame.payload, end) > key_at:
        meaning = "the payload is XORed with these four bytes"
        spans.append(Span(key_at, min(frame.payload, end), "masking key", meaning, "RFC 6455, 5.3"))
    return spans


def _first_byte(frame: Frame, *, deflate: bool, foreign: bool) -> Span:
    kind = OPCODES.get(frame.opcode, _UNKNOWN)
    reserved = "set, and nothing agreed gives it a meaning" if frame.rsv else "not used"
    if foreign and frame.rsv:
        reserved = "set; what an agreed extension means by it is not known here"
    elif deflate and frame.rsv == 4:
        reserved = "RSV1: the message is compressed"
    bits = (
        Bits("FIN", f"{frame.fin:d}", "the message ends here" if frame.fin else "more fragments follow"),
        Bits("RSV1–3", f"{frame.rsv:03b}", reserved),
        Bits("opcode", f"{frame.opcode:04b}", f"{frame.opcode:#x}: {kind.name}"),
    )
    return Span(frame.start, frame.start + 1, "FIN, RSV, opcode", kind.name, "RFC 6455, 5.2", bits=bits)


def _payload_spans(part: FramesPart, place: int) -> list[Span]:
    frame = part.frames[place]
    at, end = frame.payload, frame.end
    if at >= end:
        return []
    masked = ", masked" if frame.masked else ""
    if frame.opcode == CLOSE:
        return _close_spans(part, place, masked)
    clause = DEFLATE_CLAUSE if part.compressed(place) or place in part.inflated else "RFC 6455, 5.2"
    fault = part.message_fault(place)
    return [Span(at, end, f"payload{masked}", _payload_meaning(part, place), clause, fault)]


def _payload_meaning(part: FramesPart, place: int) -> str:
    inflated = part.inflated.get(place)
    if isinstance(inflated, str):
        return f"compressed; {inflated}"
    if inflated is not None:
        return f"compressed; inflated: {shown(inflated)}"
    if part.compressed(place):
        return "compressed"
    pong = ", which the pong must repeat" if part.frames[place].opcode == PING else ""
    return shown(part.payload(place)) + pong


def _close_spans(part: FramesPart, place: int, masked: str) -> list[Span]:
    frame, payload = part.frames[place], part.payload(place)
    bad_code, bad_reason = (str(fault or "") for fault in close_faults(payload, whole=frame.whole))
    label = f"close code{masked}"
    if len(payload) == 1:
        return [Span(frame.payload, frame.end, label, "one byte", "RFC 6455, 5.5.1", bad_code)]
    meaning, clause = _close_code(int.from_bytes(payload[:2], "big"))
    spans = [Span(frame.payload, frame.payload + 2, label, meaning, clause, bad_code)]
    if reason := payload[2:]:
        if bad_reason:
            bad_reason = f"not UTF-8 from byte {_broken_at(reason)} of the reason on (RFC 6455, 8.1)"
        spans.append(
            Span(frame.payload + 2, frame.end, f"close reason{masked}", shown(reason), "RFC 6455, 5.5.1", bad_reason)
        )
    return spans


def _close_code(code: int) -> tuple[str, str]:
    """Return what a close code says, and its clause."""
    row = CLOSE_CODES.get(code)
    if row:
        return f"{code}: {row.meaning}", row.clause
    if not 1000 <= code < 5000:
        return f"{code}: no close code", "RFC 6455, 7.4.2"
    origin = "not defined" if code < 3000 else "registered with IANA" if code < 4000 else "private use"
    return f"{code}: {origin}", "RFC 6455, 7.4.2"


def _broken_at(text: bytes) -> int | None:
    """Return where bytes stop being UTF-8; None where they are UTF-8 to their end."""
    try:
        text.decode()
    except UnicodeDecodeError as error:
        return error.start
    return None


def shown(payload: bytes, most: int = 60) -> str:
    """Return bytes as a short, harmless text: quoted UTF-8 where they are, else hexadecimal.

    Args:
        payload: the bytes.
        most: how many characters to show; a third as many bytes in hexadecimal.

    >>> shown(b"Hello"), shown(bytes([0, 255]))
    ('"Hello"', '00 ff')
    """
    if not payload:
        return "empty"
    head = payload[: most * 4]
    text = _utf8_start(head, whole=len(head) == len(payload))
    if sum(char.isprintable() or char in "\r\n\t" for char in text) < max(1, len(text) * 0.7):
        cut = payload[: most // 3]
        return cut.hex(" ") + (f" … ({len(payload)} bytes)" if len(cut) < len(payload) else "")
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:most])
    more = "" if len(text) <= most and len(head) == len(payload) else f" … ({len(payload)} bytes)"
    return f'"{safe}"{more}'


def _utf8_start(head: bytes, *, whole: bool) -> str:
    """Return `head` as text; empty where it is no UTF-8. Cut from more, it may end inside a character."""
    try:
        return head.decode()
    except UnicodeDecodeError as error:
        cut = not whole and error.reason == "unexpected end of data"
        return head[: error.start].decode() if cut else ""
