"""The rules of `labkit.rules.frames`, shown."""

from __future__ import annotations

import zlib

from labkit.trace import Trace
from labkit.wire.websocket import CLOSE, CONTINUATION, PING, PONG, TEXT, frame
from tests.rules.traces import ANSWER, BYE, REQUEST, Example, changed, masked, switched

DEFLATE = "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
OFFER, AGREED = (changed(head, "\r\n\r\n", DEFLATE) for head in (REQUEST, ANSWER))
HELLO = ("s", frame(TEXT, b"Hello"))
FAILED = ("s", frame(CLOSE, (1002).to_bytes(2, "big")))


def said(*frames: bytes, deflate: bool = False) -> Trace:
    """Return what a client says after a switch."""
    heads = {"request": OFFER, "answer": AGREED} if deflate else {}
    return switched(*(("c", one) for one in frames), **heads)


def taken(*frames: bytes, deflate: bool = False) -> Example:
    """Return an example in which a server answers a text that comes with or after a broken frame, or fails."""
    heads = {"request": OFFER, "answer": AGREED} if deflate else {}
    turn = ("c", b"".join(frames))
    return Example(switched(turn, FAILED, **heads), switched(turn, HELLO, ends="", **heads), "it went on after")


def compressed(message: bytes) -> bytes:
    """Return a message as permessage-deflate puts it (RFC 7692, 7.2.1)."""
    stream = zlib.compressobj(wbits=-15)
    return (stream.compress(message) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]


GOOD = said(masked(TEXT, b"Hello"))
TEXTS = masked(TEXT, b"Hello")
PART = masked(TEXT, b"Hel", fin=False)
FRESH = (masked(TEXT, b"a", mask=bytes([number, 2, 3, 4])) for number in (1, 2, 3))

EXAMPLES: dict[str, Example] = {
    "X01": Example(said(*FRESH), said(*[masked(TEXT, b"a")] * 3), "the same masking key on 3 frames"),
    "X02": taken(frame(TEXT, b"Hello")),
    "X03": Example(switched(HELLO), switched(("s", masked(TEXT, b"Hello"))), "a server's frame with a mask"),
    "X14": Example(
        switched(("s", masked(PING, b"here?")), ("c", masked(CLOSE, BYE))),
        switched(("s", masked(PING, b"here?")), ("c", masked(PONG, b"here?")), ends=""),
        "it went on after a server's frame with a mask",
    ),
    "X04": Example(GOOD, said(masked(TEXT, b"Hello", rsv=2)), "a reserved bit"),
    "X15": taken(masked(TEXT, b"Hello", rsv=2)),
    "X16": Example(GOOD, said(masked(3, b"Hello")), "a reserved opcode"),
    "X17": taken(masked(3), TEXTS),
    "X05": Example(GOOD, switched(("s", b"\x81\x7e\x00\x05Hello")), "a longer form"),
    "X18": Example(GOOD, switched(("s", b"\x81\x7f\x80" + bytes(7))), "its highest bit"),
    "X06": Example(said(masked(PING, bytes(125))), said(masked(PING, bytes(126))), "more than 125 bytes"),
    "X19": Example(said(masked(PING)), said(masked(PING, fin=False)), "without FIN"),
    "X20": Example(
        said(PART, masked(PING), masked(CONTINUATION, b"lo")), said(PART, masked(TEXT, b"lo")), "before the last"
    ),
    "X21": Example(said(PART, masked(CONTINUATION, b"lo")), said(TEXTS, masked(CONTINUATION, b"lo")), "no message to"),
    "X24": Example(said(masked(TEXT, b"\xc3\xa9")), said(masked(TEXT, b"\xe9")), "not UTF-8"),
    "X11": taken(masked(TEXT, b"\xe9"), TEXTS),
    "X25": Example(
        said(PART, masked(CONTINUATION, b"lo"), deflate=True),
        said(PART, masked(CONTINUATION, b"lo", rsv=4), deflate=True),
        "RSV1 on a frame that begins no message",
    ),
    "X26": taken(masked(PING, b"here?", rsv=4), TEXTS, deflate=True),
    "X27": Example(
        said(masked(TEXT, compressed(b"Hello"), rsv=4), deflate=True),
        said(masked(TEXT, b"Hello", rsv=4), deflate=True),
        "does not inflate",
    ),
}
