"""Stored exchanges of HTTP/2 that the tests draw: after a 101 to h2c, and from the first byte."""

from __future__ import annotations

from labkit.trace import Trace, Transfer
from labkit.wire.hpack import STATIC
from labkit.wire.http2 import (
    ACK,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PREFACE,
    SETTINGS,
    WINDOW_UPDATE,
    frame,
    settings,
)
from labkit.wire.huffman import huffman_bytes
from tests.render.exchanges import ASK, REPLY, closed

UPGRADE = (
    b"GET /hello HTTP/1.1\r\nHost: server.example.com\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n"
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n"
)
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
CONTENT = b"Hello from the lab over h2c\n"
OPENING = PREFACE + settings({3: 100, 4: 33554432, 2: 0})
ACKED = frame(SETTINGS, ACK)


def line(name: str, value: str) -> bytes:
    """Return a field line: of the static table where it is there, else a literal in the Huffman code."""
    names = [row[0] for row in STATIC]
    field = (name.encode(), value.encode())
    if field in STATIC:
        return bytes([0x80 | STATIC.index(field) + 1])
    coded = [bytes([0x80 | len(text)]) + text for text in map(huffman_bytes, field)]
    if field[0] in names:
        return bytes([0x40 | names.index(field[0]) + 1]) + coded[1]
    return b"\x40" + b"".join(coded)


def head(*fields: tuple[str, str], stream: int = 1, flags: int = END_HEADERS) -> bytes:
    return frame(HEADERS, flags, stream, b"".join(line(*field) for field in fields))


def asked(
    path: str = "/hello", *more: tuple[str, str], stream: int = 1, flags: int = END_HEADERS | END_STREAM
) -> bytes:
    fields = [(":method", "GET"), (":scheme", "http"), (":path", path), (":authority", "server.example.com"), *more]
    return head(*fields, stream=stream, flags=flags)


def ok(*more: tuple[str, str], stream: int = 1) -> bytes:
    return head((":status", "200"), ("content-length", "28"), ("content-type", "text/plain"), *more, stream=stream)


ANSWERED = settings({1: 4096, 3: 100, 8: 0}) + ACKED + ok() + frame(DATA, END_STREAM, 1, CONTENT)
GOODBYE = frame(GOAWAY, 0, 0, (1).to_bytes(4, "big") + bytes(4))


def h2c(asks: bytes = b"", replies: bytes = b"", title: str = "") -> Trace:
    """Return a switch to h2c, and what follows it in either direction."""
    events = [
        Transfer(0, ASK, UPGRADE),
        Transfer(0, REPLY, SWITCH),
        Transfer(0, REPLY, replies),
        Transfer(0, ASK, asks),
    ]
    return Trace((*events, *closed()), title=title)


def told() -> Trace:
    """Return what curl --http2 and a server say to each other, whole."""
    window = frame(WINDOW_UPDATE, 0, 1, (28).to_bytes(4, "big"))
    return h2c(OPENING + ACKED + window, ANSWERED + GOODBYE)


def prior(asks: bytes, replies: bytes) -> Trace:
    """Return HTTP/2 from the first byte."""
    return Trace((Transfer(0, ASK, OPENING + asks), Transfer(0, REPLY, replies), *closed()))
