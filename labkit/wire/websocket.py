"""WebSocket frames: tables, a writer, and a fast scan that keeps offsets and reads no payload.

The layout is RFC 6455, 5.2:

     byte 0           byte 1              then
    ┌─┬─┬─┬─┬───────┬─┬─────────────┬──────────────┬─────────────┬─────────
    │F│R│R│R│opcode │M│ length, 126 │ 2 or 8 bytes │ masking key │ payload
    │I│S│S│S│       │A│ or 127      │ of length    │ (4 bytes)   │
    │N│1│2│3│       │S│             │              │             │
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from labkit.errors import WireError

__all__ = [
    "BINARY", "CLOSE", "CLOSE_CODES", "CONTINUATION", "OPCODES", "PING", "PONG", "SAMPLE_MASK", "TEXT",
    "CloseCode", "Frame", "Opcode", "apply_mask", "close_payload", "frame", "scan",
]  # fmt: skip

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

SAMPLE_MASK = bytes.fromhex("37fa213d")
"""The masking key of RFC 6455's own example (5.7)."""


class Opcode(NamedTuple):
    """A row of the opcode table."""

    name: str
    meaning: str
    clause: str


OPCODES: dict[int, Opcode] = {
    CONTINUATION: Opcode("continuation", "the next fragment of the message", "RFC 6455, 5.4"),
    TEXT: Opcode("text", "a message of text in UTF-8", "RFC 6455, 5.6"),
    BINARY: Opcode("binary", "a message of bytes", "RFC 6455, 5.6"),
    CLOSE: Opcode("close", "the closing handshake: one Close from each side", "RFC 6455, 5.5.1, 7.1.5"),
    PING: Opcode("ping", "asks for a pong", "RFC 6455, 5.5.2"),
    PONG: Opcode("pong", "answers a ping, with its data", "RFC 6455, 5.5.3"),
}


class CloseCode(NamedTuple):
    """A row of the table of close codes; `on_wire` is False where it must never be sent."""

    meaning: str
    on_wire: bool = True
    clause: str = "RFC 6455, 7.4.1"


CLOSE_CODES: dict[int, CloseCode] = {
    1000: CloseCode("normal closure"),
    1001: CloseCode("going away"),
    1002: CloseCode("protocol error"),
    1003: CloseCode("unsupported data"),
    1005: CloseCode("no status received", on_wire=False),
    1006: CloseCode("abnormal closure", on_wire=False),
    1007: CloseCode("invalid payload data"),
    1008: CloseCode("policy violation"),
    1009: CloseCode("message too big"),
    1010: CloseCode("mandatory extension missing"),
    1011: CloseCode("internal error"),
    1012: CloseCode("service restart", clause="IANA WebSocket Close Code Number Registry"),
    1013: CloseCode("try again later", clause="IANA WebSocket Close Code Number Registry"),
    1014: CloseCode("bad gateway", clause="IANA WebSocket Close Code Number Registry"),
    1015: CloseCode("TLS handshake failed", on_wire=False),
}


class Frame(NamedTuple):
    """A frame as it lies in the bytes: offsets and the first two header bytes, nothing decoded.

    `payload` is the offset of its first payload byte, `end` the offset after the last byte that is
    there, `declared` the payload length in bytes that the header states. A frame cut short has
    fewer bytes there than declared (or `payload` past `end`, where the header itself is cut).
    """

    start: int
    payload: int
    end: int
    declared: int
    first: int
    second: int

    @property
    def opcode(self) -> int:
        """The four bits that say what the frame is."""
        return self.first & 0x0F

    @property
    def fin(self) -> bool:
        """Whether this is the last fragment of its message."""
        return self.first >= 0x80

    @property
    def rsv(self) -> int:
        """The three reserved bits, RSV1 the highest: 4 where RSV1 alone is set."""
        return self.first >> 4 & 0x7

    @property
    def masked(self) -> bool:
        """Whether a masking key stands before the payload."""
        return self.second >= 0x80

    @property
    def whole(self) -> bool:
        """Whether all bytes that the header states are there."""
        return self.payload + self.declared == self.end

    def masking_key(self, data: bytes) -> bytes:
        """Return the four bytes of the key; empty where the frame is not masked."""
        return data[self.payload - 4 : self.payload] if self.masked else b""

    def payload_of(self, data: bytes) -> bytes:
        """Return the payload bytes that are there, unmasked."""
        _, start, end, _, _, second = self  # `apply_mask` written out: this runs once for every frame
        raw, size = data[start:end], end - start
        if second < 0x80 or not raw:
            return raw
        key = (data[start - 4 : start] * (size // 4 + 1))[:size]
        return (int.from_bytes(raw, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")


def apply_mask(data: bytes, key: bytes) -> bytes:
    """XOR `data` with the four bytes of `key`, over and over (RFC 6455, 5.3); undoes itself.

    >>> apply_mask(b"Hello", SAMPLE_MASK).hex(" ")
    '7f 9f 4d 51 58'
    """
    length = len(data)
    repeated = (key * (length // 4 + 1))[:length]
    return (int.from_bytes(data, "big") ^ int.from_bytes(repeated, "big")).to_bytes(length, "big")


def close_payload(code: int | None, reason: str = "") -> bytes:
    """Return the payload of a Close frame (RFC 6455, 5.5.1).

    Any code of two bytes goes, also those that must never be sent: a lab sends them on purpose.

    Raises:
        WireError: the code is not two bytes; the reason is longer than 123 bytes, or has no code.
    """
    if code is None:
        if reason:
            raise WireError("a close reason needs a close code before it (RFC 6455, 5.5.1)")
        return b""
    if not 0 <= code < 1 << 16:
        raise WireError(f"a close code is two bytes, 0 to 65535, not {code} (RFC 6455, 5.5.1)")
    raw = reason.encode()
    if len(raw) > 123:
        raise WireError(f"the close reason is {len(raw)} bytes long; 123 is the most (RFC 6455, 5.5)")
    return code.to_bytes(2, "big") + raw


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, mask: bytes = b"") -> bytes:
    """Return one frame as it goes onto the wire, in the shortest length form (RFC 6455, 5.2).

    Args:
        opcode: 0 to 15.
        payload: the bytes before masking.
        fin: whether this is the last fragment.
        rsv: the three reserved bits, 0 to 7.
        mask: the four bytes of the masking key; empty for a frame that is not masked.

    Raises:
        WireError: an argument that no frame can carry.

    >>> frame(TEXT, b"Hello", mask=SAMPLE_MASK).hex(" ")
    '81 85 37 fa 21 3d 7f 9f 4d 51 58'
    """
    if not 0 <= opcode <= 15 or not 0 <= rsv <= 7 or len(mask) not in (0, 4):
        raise WireError("a frame has an opcode of 0 to 15, reserved bits of 0 to 7, a mask of 4 bytes")
    length = len(payload)
    bit = 0x80 if mask else 0
    head = bytearray((fin << 7 | rsv << 4 | opcode,))
    if length < 126:
        head.append(bit | length)
    elif length < 1 << 16:
        head.append(bit | 126)
        head += length.to_bytes(2, "big")
    else:
        head.append(bit | 127)
        head += length.to_bytes(8, "big")
    return bytes(head + mask) + (apply_mask(payload, mask) if mask else payload)


def scan(data: bytes, start: int = 0) -> list[Frame]:
    """Return the frames from `start` to the end of `data`; the last one may be cut short. Never raises.

    The frames lie side by side: the first begins at `start`, each where the one before it ends.

    >>> [f.end for f in scan(frame(TEXT, b"Hello") + frame(CLOSE))]
    [7, 9]
    """
    frames: list[Frame] = []
    add, size, at = frames.append, len(data), start
    make = partial(tuple.__new__, Frame)  # what Frame(...) does, without its call: a third of the time
    while at + 2 <= size:
        first, second = data[at], data[at + 1]
        length = second & 0x7F
        payload = at + 2
        if length > 125:
            payload += 2 if length == 126 else 8
            length = int.from_bytes(data[at + 2 : payload], "big") if payload <= size else 0
        if second > 127:
            payload += 4
        end = payload + length
        add(make((at, payload, end if end < size else size, length, first, second)))  # noqa: FURB136  min() costs a fifth
        at = end
    if at < size:  # one byte alone
        add(make((at, size + 1, size, 0, data[at], 0)))
    return frames
