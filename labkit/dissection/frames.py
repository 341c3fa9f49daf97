"""What is wrong with WebSocket frames, each by itself and in a row, and which of them make a message."""

from __future__ import annotations

from typing import NamedTuple

from labkit.wire.websocket import BINARY, CLOSE, CONTINUATION, OPCODES, TEXT, Frame

__all__ = ["Walk", "walk"]


class Walk(NamedTuple):
    """What one pass over the frames finds: faults by place, whole messages, and where each fragment's begins."""

    faults: dict[int, str]
    messages: dict[int, tuple[int, ...]]
    begins: dict[int, int]


def walk(frames: list[Frame], *, to_server: bool, deflate: bool) -> Walk:
    """Go over the frames of one direction, in order.

    Args:
        frames: the frames.
        to_server: whether they go to the server; only then must they be masked.
        deflate: whether permessage-deflate was agreed, which gives RSV1 a meaning.
    """
    first_faults = _FIRST_FAULTS[deflate]
    # Whole messages in frames of the shortest form need a look only where something is open or closed.
    common = (0x81, 0x82, 0xC1, 0xC2) if deflate else (0x81, 0x82)
    least, most = (0x80, 0xFD) if to_server else (0x00, 0x7D)
    found = Walk({}, {}, {})
    order = _Order(found)
    for place, frame in enumerate(frames):
        if not order.busy and frame.first in common and least <= frame.second <= most:
            continue
        fault = first_faults[frame.first] or _second_fault(frame, to_server=to_server) or order.fault(frame)
        if fault:
            found.faults[place] = fault
        order.step(place, frame)
    last = len(frames) - 1
    if frames and not frames[last].whole:
        found.faults.setdefault(last, _short(frames[last]))
    return found


class _Order:
    """Which frame may follow which: fragments in a row, and no data after a Close (RFC 6455, 5.4, 5.5.1)."""

    def __init__(self, found: Walk) -> None:
        self._found = found
        self._open: list[int] = []
        self._closed = False

    @property
    def busy(self) -> bool:
        return self._closed or bool(self._open)

    def fault(self, frame: Frame) -> str:
        if frame.opcode >= CLOSE:
            return ""
        if self._closed:
            return "no data frame may follow a Close (RFC 6455, 5.5.1)"
        if frame.opcode == CONTINUATION and not self._open:
            return "a continuation, and no message to continue (RFC 6455, 5.4)"
        if frame.opcode != CONTINUATION and self._open:
            return "a new message before the last fragment of the one before it (RFC 6455, 5.4)"
        return ""

    def step(self, place: int, frame: Frame) -> None:
        opcode = frame.opcode
        self._closed = self._closed or opcode == CLOSE
        if opcode in (TEXT, BINARY):
            self._open = [place]
        elif opcode == CONTINUATION and self._open:
            self._open.append(place)
        else:
            return
        self._found.begins[place] = self._open[0]
        if frame.fin:
            if len(self._open) > 1:
                self._found.messages[place] = tuple(self._open)
            self._open = []


def _short(frame: Frame) -> str:
    if frame.payload > frame.end:
        return "the bytes end before the frame's header does (RFC 6455, 5.2)"
    came = frame.end - frame.payload
    return f"the header says {frame.declared} bytes of payload, {came} came (RFC 6455, 5.2)"


def _first_fault(first: int, *, deflate: bool) -> str:
    """Return what is wrong with a frame by its first byte alone."""
    opcode, rsv = first & 0x0F, first >> 4 & 0x7
    if opcode not in OPCODES:
        return "a reserved opcode; the receiver must fail the connection (RFC 6455, 5.2)"
    if rsv & 3 or (rsv & 4 and not (deflate and opcode in (TEXT, BINARY))):
        return "a reserved bit is set that no agreed extension gives a meaning (RFC 6455, 5.2)"
    if opcode >= CLOSE and first < 0x80:
        return "a control frame must not be fragmented (RFC 6455, 5.5)"
    return ""


_FIRST_FAULTS = {
    deflate: tuple(_first_fault(first, deflate=deflate) for first in range(256)) for deflate in (False, True)
}


def _second_fault(frame: Frame, *, to_server: bool) -> str:
    """Return what is wrong with a frame's masking and length."""
    if frame.payload > frame.end:
        return ""  # the header is not all there; the walk says so
    if frame.masked != to_server:
        duty = "client must mask every frame" if to_server else "server must not mask a frame"
        return f"a {duty} (RFC 6455, 5.1)"
    form = frame.second & 0x7F
    if form > 125 and frame.opcode >= CLOSE:
        return "a control frame carries 125 bytes at the most (RFC 6455, 5.5)"
    if (form == 126 and frame.declared < 126) or (form == 127 and frame.declared < 1 << 16):
        return "the length is not in its shortest form (RFC 6455, 5.2)"
    if form == 127 and frame.declared >= 1 << 63:
        return "the highest bit of a 64-bit length must be 0 (RFC 6455, 5.2)"
    return ""
