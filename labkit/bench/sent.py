"""What is sent: a few different messages of each size, the same in every run, and what they look like on the wire."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from functools import cache

from labkit.wire.websocket import BINARY, SAMPLE_MASK, TEXT, frame

__all__ = ["DIFFERENT", "deflated", "event_of", "framed", "inflated", "numbers", "texts"]

DIFFERENT = 8
"""How many messages there are of a size; they take turns, so that one that is lost or doubled is found."""

_WORDS = (
    "the", "server", "sends", "what", "the", "client", "asked", "for", "and", "the", "client", "reads", "it", "as", "a",
    "message", "of", "one", "frame",
)  # fmt: skip
_TAIL = b"\0\0\xff\xff"  # what RFC 7692, 7.2.1 takes off


@cache
def texts(size: int) -> tuple[bytes, ...]:
    """Return messages of `size` bytes as a program would send them: JSON, in ASCII, that can be compressed.

    >>> texts(24)[1]
    b'{"n": 1, "text": "mess"}'
    """
    return tuple(_text(number, size) for number in range(DIFFERENT))


def _text(number: int, size: int) -> bytes:
    if size < len('{"n": 1, "text": ""}'):
        return (str(number) * size).encode()
    chosen = hashlib.shake_256(bytes([number])).digest(size // 4 + 8)
    words = " ".join(_WORDS[each % len(_WORDS)] for each in chosen)
    return f'{{"n": {number}, "text": "{words}'[: size - 2].encode() + b'"}'


@cache
def numbers(size: int) -> tuple[bytes, ...]:
    """Return messages of `size` bytes that cannot be compressed, such as a picture is."""
    return tuple(hashlib.shake_128(b"%d" % number).digest(size) for number in range(DIFFERENT))


@cache
def framed(size: int, *, text: bool, masked: bool) -> tuple[bytes, ...]:
    """Return the messages as WebSocket frames: masked from the client, as they are from the server."""
    mask, opcode = (SAMPLE_MASK if masked else b""), TEXT if text else BINARY
    return tuple(frame(opcode, each, mask=mask) for each in (texts if text else numbers)(size))


@cache
def deflated(size: int) -> tuple[bytes, ...]:
    """Return the texts as a client's frames under permessage-deflate, each compressed by itself (RFC 7692, 7.2.1)."""
    return tuple(frame(TEXT, _deflate(each), rsv=4, mask=SAMPLE_MASK) for each in texts(size))


def _deflate(data: bytes) -> bytes:
    squeeze = zlib.compressobj(wbits=-15)
    return (squeeze.compress(data) + squeeze.flush(zlib.Z_SYNC_FLUSH)).removesuffix(_TAIL)


def inflated(payload: bytes) -> bytes:
    """Return the message of a compressed payload (RFC 7692, 7.2.2)."""
    return zlib.decompressobj(wbits=-15).decompress(payload + _TAIL)


def event_of(text: bytes) -> bytes:
    """Return a text of one line as a server-sent event."""
    return b"data: %b\n\n" % text


Messages = Callable[[int], tuple[bytes, ...]]
