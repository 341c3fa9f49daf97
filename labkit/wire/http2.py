"""HTTP/2 frames: tables, a writer, and a scan that keeps offsets and reads no payload.

The layout is RFC 9113, 4.1:

     3 bytes        1      1       4 bytes
    ┌──────────────┬──────┬───────┬─┬─────────────────┬─────────
    │ length of    │ type │ flags │R│ stream          │ payload
    │ the payload  │      │       │ │ identifier      │
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from struct import Struct
from typing import NamedTuple

from labkit.errors import WireError

__all__ = [
    "ACK", "CONTINUATION", "DATA", "END_HEADERS", "END_STREAM", "ERROR_CODES", "FRAME_TYPES", "GOAWAY", "HEADER",
    "HEADERS", "LARGEST", "PADDED", "PING", "PREFACE", "PREFACE_TYPE", "PRIORITY", "PRIORITY_FLAG", "PUSH_PROMISE",
    "RST_STREAM", "SETTINGS", "SETTINGS_TABLE", "WINDOW_UPDATE", "ErrorCode", "Flag", "FrameType", "Http2Frame",
    "Setting", "frame", "pairs", "scan", "settings",
]  # fmt: skip

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What a client sends first: the start of a request that no server of HTTP/1.1 takes (RFC 9113, 3.4)."""
HEADER = 9
"""The size of a frame's header, in bytes."""
LARGEST = 1 << 14
"""The largest payload in bytes that every receiver takes (RFC 9113, 4.2)."""

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
PREFACE_TYPE = -1
"""The type of the record that stands for the preface, which is no frame."""
END_STREAM = ACK = 0x1
END_HEADERS, PADDED, PRIORITY_FLAG = 0x4, 0x8, 0x20


class Flag(NamedTuple):
    """A flag of a frame type: its name, and what it says where it is set."""

    name: str
    meaning: str


class FrameType(NamedTuple):
    """A row of the table of frame types.

    `scope` is "stream" where a frame of it belongs to a stream, "connection" where its stream is 0,
    "" where both go; `size` is the payload's size in bytes where it is fixed.
    """

    name: str
    meaning: str
    clause: str
    scope: str = ""
    flags: dict[int, Flag] = {}  # noqa: RUF012  a table: nobody writes to it
    size: int | None = None


_END_STREAM = Flag("END_STREAM", "the sender's last on this stream")
_END_HEADERS = Flag("END_HEADERS", "the field block ends here")
_PADDED = Flag("PADDED", "padding follows the payload; its length comes first")
_PRIORITY = Flag("PRIORITY", "five bytes of priority come first")

FRAME_TYPES: dict[int, FrameType] = {
    DATA: FrameType("DATA", "content of a request or an answer", "RFC 9113, 6.1", "stream",
                    {END_STREAM: _END_STREAM, PADDED: _PADDED}),
    HEADERS: FrameType("HEADERS", "opens a stream, and carries a head", "RFC 9113, 6.2", "stream",
                       {END_STREAM: _END_STREAM, END_HEADERS: _END_HEADERS, PADDED: _PADDED, PRIORITY_FLAG: _PRIORITY}),
    PRIORITY: FrameType("PRIORITY", "a wish for an order; deprecated", "RFC 9113, 6.3", "stream", size=5),
    RST_STREAM: FrameType("RST_STREAM", "ends one stream at once", "RFC 9113, 6.4", "stream", size=4),
    SETTINGS: FrameType("SETTINGS", "what the sender takes, and how much of it", "RFC 9113, 6.5", "connection",
                        {ACK: Flag("ACK", "the other side's settings hold from here on")}),
    PUSH_PROMISE: FrameType("PUSH_PROMISE", "the request that a coming answer is for", "RFC 9113, 6.6", "stream",
                            {END_HEADERS: _END_HEADERS, PADDED: _PADDED}),
    PING: FrameType("PING", "asks whether the other side is there", "RFC 9113, 6.7", "connection",
                    {ACK: Flag("ACK", "answers a PING, with its data")}, size=8),
    GOAWAY: FrameType("GOAWAY", "no new streams: the connection comes to its end", "RFC 9113, 6.8", "connection"),
    WINDOW_UPDATE: FrameType("WINDOW_UPDATE", "so many bytes of DATA more may be sent", "RFC 9113, 6.9", size=4),
    CONTINUATION: FrameType("CONTINUATION", "the next piece of a field block", "RFC 9113, 6.10", "stream",
                            {END_HEADERS: _END_HEADERS}),
    0xA: FrameType("ALTSVC", "where else this is served", "RFC 7838, 4"),
    0xC: FrameType("ORIGIN", "for which origins this connection serves", "RFC 8336, 2.1", "connection"),
    0x10: FrameType("PRIORITY_UPDATE", "a new priority of a request", "RFC 9218, 7.1", "connection"),
}  # fmt: skip


class Setting(NamedTuple):
    """A row of the table of settings: what it is for, its value until told, and which values go."""

    name: str
    meaning: str
    clause: str
    initial: int | None
    least: int = 0
    most: int = (1 << 32) - 1


_SETTINGS = "RFC 9113, 6.5.2"
SETTINGS_TABLE: dict[int, Setting] = {
    1: Setting("HEADER_TABLE_SIZE", "bytes of its dynamic table for reading field blocks", _SETTINGS, 4096),
    2: Setting("ENABLE_PUSH", "whether the server may push", _SETTINGS, 1, 0, 1),
    3: Setting("MAX_CONCURRENT_STREAMS", "streams that the other side may have open at once", _SETTINGS, None),
    4: Setting("INITIAL_WINDOW_SIZE", "bytes of DATA that a new stream may carry until a WINDOW_UPDATE", _SETTINGS,
               65535, 0, (1 << 31) - 1),
    5: Setting("MAX_FRAME_SIZE", "the largest payload of a frame that it takes, in bytes", _SETTINGS, LARGEST, LARGEST,
               (1 << 24) - 1),
    6: Setting("MAX_HEADER_LIST_SIZE", "bytes of fields that it is ready to take", _SETTINGS, None),
    8: Setting("ENABLE_CONNECT_PROTOCOL", "whether CONNECT may carry :protocol, websocket for one", "RFC 8441, 3", 0, 0,
               1),
    9: Setting("NO_RFC7540_PRIORITIES", "whether the old priorities are not used", "RFC 9218, 2.1", 0, 0, 1),
}  # fmt: skip


class ErrorCode(NamedTuple):
    """A row of the table of error codes."""

    name: str
    meaning: str


ERROR_CODES: dict[int, ErrorCode] = {  # RFC 9113, 7
    0x0: ErrorCode("NO_ERROR", "nothing is wrong"),
    0x1: ErrorCode("PROTOCOL_ERROR", "the other side broke the protocol"),
    0x2: ErrorCode("INTERNAL_ERROR", "this side failed"),
    0x3: ErrorCode("FLOW_CONTROL_ERROR", "more DATA came than the window allowed"),
    0x4: ErrorCode("SETTINGS_TIMEOUT", "no ack of the SETTINGS came in time"),
    0x5: ErrorCode("STREAM_CLOSED", "a frame came on a stream that had ended"),
    0x6: ErrorCode("FRAME_SIZE_ERROR", "a frame of a wrong size came"),
    0x7: ErrorCode("REFUSED_STREAM", "nothing was done with the request; it may be sent again"),
    0x8: ErrorCode("CANCEL", "the stream is not needed any more"),
    0x9: ErrorCode("COMPRESSION_ERROR", "a field block could not be decoded"),
    0xA: ErrorCode("CONNECT_ERROR", "the connection that a CONNECT asked for failed"),
    0xB: ErrorCode("ENHANCE_YOUR_CALM", "the other side makes too much work"),
    0xC: ErrorCode("INADEQUATE_SECURITY", "the TLS below is not good enough"),
    0xD: ErrorCode("HTTP_1_1_REQUIRED", "ask again in HTTP/1.1"),
}


class Http2Frame(NamedTuple):
    """A frame as it lies in the bytes: offsets and the header, nothing of the payload decoded.

    `payload` is the offset of its first payload byte, `end` the offset after the last byte that is
    there, `declared` the payload length in bytes that the header states. A frame cut short has fewer
    bytes there than declared (or `payload` past `end`, where the header itself is cut: what is missing of
    it is zeros, and a missing type 256). `word` is the last four bytes of the header: the reserved bit and
    the stream.
    """

    start: int
    payload: int
    end: int
    declared: int
    type: int
    flags: int
    word: int

    @property
    def stream(self) -> int:
        """The stream it belongs to; 0 is the connection itself."""
        return self.word & 0x7FFFFFFF

    @property
    def reserved(self) -> bool:
        """Whether the reserved bit is set."""
        return self.word >= 1 << 31

    @property
    def whole(self) -> bool:
        """Whether all bytes that the header states are there."""
        return self.payload + self.declared == self.end

    @property
    def name(self) -> str:
        """Its type's name; "type 0x42" where no table has it."""
        row = FRAME_TYPES.get(self.type)
        return row.name if row else "preface" if self.type == PREFACE_TYPE else f"type {self.type:#x}"

    def has(self, flag: int) -> bool:
        """Tell whether its type has a flag and it is set here."""
        row = FRAME_TYPES.get(self.type)
        return bool(row and flag in row.flags and self.flags & flag)

    def payload_of(self, data: bytes) -> bytes:
        """Return the payload bytes that are there."""
        return data[self.payload : self.end]


_HEADER = Struct(">IBI")  # the first four bytes are the length and the type


def scan(data: bytes, start: int = 0, *, preface: bool = False) -> list[Http2Frame]:
    """Return the frames from `start` to the end of `data`; the last one may be cut short. Never raises.

    The frames lie side by side: the first begins at `start`, each where the one before it ends.

    Args:
        data: the bytes of one direction.
        start: where its HTTP/2 begins.
        preface: whether the preface stands there; it becomes a record of its own, of `PREFACE_TYPE`.

    >>> [f.name for f in scan(PREFACE + settings({3: 100}) + frame(SETTINGS, ACK), preface=True)]
    ['preface', 'SETTINGS', 'SETTINGS']
    """
    frames: list[Http2Frame] = []
    add, size, at = frames.append, len(data), start
    if preface and size > at:
        end = min(at + len(PREFACE), size)
        add(Http2Frame(at, at, end, len(PREFACE), PREFACE_TYPE, 0, 0))
        at = end
    make, unpack, last = partial(tuple.__new__, Http2Frame), _HEADER.unpack_from, size - HEADER
    while at <= last:
        length, flags, word = unpack(data, at)
        payload = at + HEADER
        end = payload + (length >> 8)
        add(make((at, payload, end if end < size else size, length >> 8, length & 0xFF, flags, word)))  # noqa: FURB136  min() costs a fifth
        at = end
    if at < size:  # too little for a header
        head = data[at:size].ljust(HEADER, b"\0")
        length, flags, word = unpack(head)
        add(Http2Frame(at, at + HEADER, size, length >> 8, length & 0xFF if size > at + 3 else 256, flags, word))
    return frames


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    """Return one frame as it goes onto the wire; also such as no peer may send.

    Args:
        kind: the type, 0 to 255.
        flags: the flags, 0 to 255.
        stream: the stream, below 2^31; with the reserved bit below 2^32.
        payload: the payload.

    Raises:
        WireError: an argument that no header can carry.

    >>> frame(PING, ACK, 0, bytes(8)).hex(" ", 1)[:26]
    '00 00 08 06 01 00 00 00 00'
    """
    if not 0 <= kind < 256 or not 0 <= flags < 256 or not 0 <= stream < 1 << 32 or len(payload) >= 1 << 24:
        raise WireError("a frame has a type and flags of one byte, a stream of four, a length of three")
    return _HEADER.pack(len(payload) << 8 | kind, flags, stream) + payload


def settings(values: dict[int, int] | Iterable[tuple[int, int]] = ()) -> bytes:
    """Return a SETTINGS frame with these settings, in their order.

    Raises:
        WireError: a setting is not two bytes, or a value not four.

    >>> settings({3: 100}).hex()
    '000006040000000000000300000064'
    """
    rows = list(values.items()) if isinstance(values, dict) else list(values)
    if not all(0 <= name < 1 << 16 and 0 <= value < 1 << 32 for name, value in rows):
        raise WireError("a setting is two bytes, its value four (RFC 9113, 6.5.1)")
    payload = b"".join(name.to_bytes(2, "big") + value.to_bytes(4, "big") for name, value in rows)
    return frame(SETTINGS, 0, 0, payload)


def pairs(payload: bytes) -> list[tuple[int, int]]:
    """Return the settings of a SETTINGS payload that are all there; never raises (RFC 9113, 6.5.1).

    >>> pairs(bytes.fromhex("000300000064ffff"))
    [(3, 100)]
    """
    starts = range(0, len(payload) - 5, 6)
    return [
        (int.from_bytes(payload[at : at + 2], "big"), int.from_bytes(payload[at + 2 : at + 6], "big")) for at in starts
    ]
