"""What is wrong with WebSocket frames, each by itself and in a row, and which of them make a message."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from labkit.wire.websocket import BINARY, CLOSE, CLOSE_CODES, CONTINUATION, OPCODES, TEXT, Frame

__all__ = ["FrameFault", "Walk", "close_faults", "walk"]


class FrameFault(StrEnum):
    """What can be wrong with a frame, or with the message that ends with it; each sentence names its clause."""

    RESERVED_OPCODE = "a reserved opcode; the receiver must fail the connection (RFC 6455, 5.2)"
    RESERVED_BIT = "a reserved bit is set that no agreed extension gives a meaning (RFC 6455, 5.2)"
    COMPRESSED_BIT = "RSV1 may be set on the first frame of a message alone (RFC 7692, 6.1)"
    FRAGMENTED_CONTROL = "a control frame must not be fragmented (RFC 6455, 5.5)"
    NOT_MASKED = "a client must mask every frame (RFC 6455, 5.1)"
    MASKED = "a server must not mask a frame (RFC 6455, 5.1)"
    LONG_CONTROL = "a control frame carries 125 bytes at the most (RFC 6455, 5.5)"
    LONG_FORM = "the length is not in its shortest form (RFC 6455, 5.2)"
    HIGHEST_BIT = "the highest bit of a 64-bit length must be 0 (RFC 6455, 5.2)"
    AFTER_CLOSE = "no data frame may follow a Close (RFC 6455, 5.5.1)"
    NO_MESSAGE = "a continuation, and no message to continue (RFC 6455, 5.4)"
    INTERLEAVED = "a new message before the last fragment of the one before it (RFC 6455, 5.4)"
    SHORT_HEADER = "the bytes end before the frame's header does (RFC 6455, 5.2)"
    SHORT_PAYLOAD = "the bytes end before the payload does (RFC 6455, 5.2)"
    ONE_BYTE = "a Close payload is empty, or begins with two bytes of code (RFC 6455, 5.5.1)"
    NEVER_SENT = "this code must never be sent in a Close frame (RFC 6455, 7.4.1)"
    NO_CODE = "close codes go from 1000 to 4999 (RFC 6455, 7.4.2)"
    UNDEFINED_CODE = "this code is reserved and not defined (RFC 6455, 7.4.2)"
    BAD_REASON = "the reason is not UTF-8 (RFC 6455, 8.1)"
    BAD_TEXT = "the message is not UTF-8 (RFC 6455, 8.1)"
    BROKEN = "these bytes do not inflate (RFC 7692, 7.2.2)"


_FOREIGN = {FrameFault.RESERVED_OPCODE, FrameFault.RESERVED_BIT, FrameFault.COMPRESSED_BIT}
"""What an extension that nobody here knows may have given a meaning (RFC 6455, 5.8)."""


class Walk(NamedTuple):
    """What one pass over the frames finds: faults by place, whole messages, and where each fragment's begins."""

    faults: dict[int, tuple[FrameFault, ...]]
    messages: dict[int, tuple[int, ...]]
    begins: dict[int, int]


def walk(frames: list[Frame], *, to_server: bool, deflate: bool, foreign: bool = False) -> Walk:
    """Go over the frames of one direction, in order.

    Args:
        frames: the frames.
        to_server: whether they go to the server; only then must they be masked.
        deflate: whether permessage-deflate was agreed, which gives RSV1 a meaning.
        foreign: whether another extension was agreed: what it does with reserved bits and opcodes, and
            with the order of fragments, is not known here, so none of it is a fault.
    """
    first_faults = _FIRST_FAULTS[deflate, foreign]
    # Whole messages in frames of the shortest form need a look only where something is open or closed.
    common = (0x81, 0x82, 0xC1, 0xC2) if deflate else (0x81, 0x82)
    least, most = (0x80, 0xFD) if to_server else (0x00, 0x7D)
    found = Walk({}, {}, {})
    order = _Order(found, foreign=foreign)
    for place, frame in enumerate(frames):
        if not order.busy and frame.first in common and least <= frame.second <= most:
            continue
        faults = (*first_faults[frame.first], *_second_faults(frame, to_server=to_server), *order.faults(frame))
        if faults:
            found.faults[place] = faults
        order.step(place, frame)
    last = len(frames) - 1
    if frames and not frames[last].whole:
        short = FrameFault.SHORT_HEADER if frames[last].payload > frames[last].end else FrameFault.SHORT_PAYLOAD
        found.faults[last] = (*found.faults.get(last, ()), short)
    return found


class _Order:
    """Which frame may follow which: fragments in a row, and no data after a Close (RFC 6455, 5.4, 5.5.1)."""

    def __init__(self, found: Walk, *, foreign: bool) -> None:
        self._found = found
        self._foreign = foreign
        self._open: list[int] = []
        self._closed = False

    @property
    def busy(self) -> bool:
        return self._closed or bool(self._open)

    def faults(self, frame: Frame) -> Iterator[FrameFault]:
        opcode = frame.opcode
        if self._closed and opcode < CLOSE:
            yield FrameFault.AFTER_CLOSE
        if self._foreign:
            return
        if opcode == CONTINUATION and not self._open:
            yield FrameFault.NO_MESSAGE
        if opcode in (TEXT, BINARY) and self._open:
            yield FrameFault.INTERLEAVED

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


def _of_first(first: int, *, deflate: bool) -> Iterator[FrameFault]:
    """Yield what is wrong with a frame by its first byte alone."""
    opcode, rsv = first & 0x0F, first >> 4 & 0x7
    if opcode not in OPCODES:
        yield FrameFault.RESERVED_OPCODE
    if rsv & 3 or (rsv and not deflate):
        yield FrameFault.RESERVED_BIT
    elif rsv and opcode not in (TEXT, BINARY):
        yield FrameFault.COMPRESSED_BIT
    if opcode >= CLOSE and first < 0x80:
        yield FrameFault.FRAGMENTED_CONTROL


_FIRST_FAULTS = {
    (deflate, foreign): tuple(
        tuple(fault for fault in _of_first(first, deflate=deflate) if not foreign or fault not in _FOREIGN)
        for first in range(256)
    )
    for deflate in (False, True)
    for foreign in (False, True)
}


def _second_faults(frame: Frame, *, to_server: bool) -> Iterator[FrameFault]:
    """Yield what is wrong with a frame's masking and length; of a header cut short, with what is there of it."""
    if frame.end - frame.start < 2:
        return
    if frame.masked != to_server:
        yield FrameFault.NOT_MASKED if to_server else FrameFault.MASKED
    form = frame.second & 0x7F
    if form > 125 and frame.opcode >= CLOSE:
        yield FrameFault.LONG_CONTROL
    if frame.payload - (4 if frame.masked else 0) > frame.end:
        return  # the length is not all there
    if (form == 126 and frame.declared < 126) or (form == 127 and frame.declared < 1 << 16):
        yield FrameFault.LONG_FORM
    if form == 127 and frame.declared >= 1 << 63:
        yield FrameFault.HIGHEST_BIT


def close_faults(payload: bytes, *, whole: bool = True) -> tuple[FrameFault | None, FrameFault | None]:
    """Return what is wrong with a Close frame's code, and with its reason (RFC 6455, 5.5.1, 7.4).

    Args:
        payload: the frame's payload, unmasked.
        whole: whether all of it is there.

    >>> close_faults(bytes([3, 232]))
    (None, None)
    >>> close_faults(bytes([3, 238]))[0].name
    'NEVER_SENT'
    """
    if len(payload) < 2:
        return (FrameFault.ONE_BYTE if payload and whole else None), None
    reason = None
    if whole:
        try:
            payload[2:].decode()
        except UnicodeDecodeError:
            reason = FrameFault.BAD_REASON
    return _code_fault(int.from_bytes(payload[:2], "big")), reason


def _code_fault(code: int) -> FrameFault | None:
    row = CLOSE_CODES.get(code)
    if row:
        return None if row.on_wire else FrameFault.NEVER_SENT
    if not 1000 <= code < 5000:
        return FrameFault.NO_CODE
    return FrameFault.UNDEFINED_CODE if code < 3000 else None
