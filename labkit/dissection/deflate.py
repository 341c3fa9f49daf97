"""permessage-deflate: what a 101 agrees on, and compressed messages inflated (RFC 7692).

A message is a DEFLATE stream less its last four bytes; with context takeover the window of one
message goes on into the next. What comes out is bounded: a bomb stops at the limit.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

from labkit.dissection.frames import FrameFault
from labkit.trace import Direction
from labkit.wire.fields import Fields

__all__ = ["BROKEN", "DEFLATE_CLAUSE", "MOST_INFLATED", "Deflate", "Inflater", "deflate_of", "others"]

MOST_INFLATED = 16 << 20  # bytes of inflated messages kept per direction
DEFLATE_CLAUSE = "RFC 7692, 7.2.2"
BROKEN = str(FrameFault.BROKEN)

_TAIL = b"\x00\x00\xff\xff"  # what the sender left off (RFC 7692, 7.2.1)
_WINDOW = 1 << 15  # the most that a DEFLATE stream looks back, in bytes (RFC 1951, 2)
_MOST_FINAL = 16  # final blocks followed in one message; a sender needs none or one (RFC 7692, 7.2.3.4)
_BITS = re.compile(r"[89]|1[0-5]")  # RFC 7692, 7.1.2


@dataclass(frozen=True, slots=True)
class Deflate:
    """What was agreed for one direction of permessage-deflate (RFC 7692, 7)."""

    context_takeover: bool = True
    window_bits: int = 15


def deflate_of(answer: Fields, direction: Direction) -> Deflate | None:
    """Return what a 101's Sec-WebSocket-Extensions agrees for a direction; None where nothing is compressed.

    >>> deflate_of(Fields.of([("Sec-WebSocket-Extensions", "permessage-deflate")]), Direction.TO_SERVER)
    Deflate(context_takeover=True, window_bits=15)
    """
    for element in answer.elements("Sec-WebSocket-Extensions"):
        name, *parameters = [part.strip() for part in element.split(";")]
        if name.lower() != "permessage-deflate":
            continue
        side = "client" if direction is Direction.TO_SERVER else "server"
        values = dict(_parameter(text) for text in parameters)
        bits = values.get(f"{side}_max_window_bits", "")
        return Deflate(f"{side}_no_context_takeover" not in values, int(bits) if _BITS.fullmatch(bits) else 15)
    return None


def others(answer: Fields) -> bool:
    """Tell whether a 101 agrees on another extension than permessage-deflate.

    >>> others(Fields.of([("Sec-WebSocket-Extensions", "permessage-deflate, x-other; n=1")]))
    True
    """
    names = {element.partition(";")[0].strip().lower() for element in answer.elements("Sec-WebSocket-Extensions")}
    return bool(names - {"permessage-deflate"})


def _parameter(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip().lower(), value.strip().strip('"')


class Inflater:
    """Inflates the messages of one direction, one after the other; never raises.

    Args:
        deflate: what was agreed for the direction.
        most: the most bytes to let out, all messages together.

    >>> Inflater(Deflate()).message(bytes.fromhex("f248cdc9c90700"))
    b'Hello'
    """

    def __init__(self, deflate: Deflate, most: int = MOST_INFLATED) -> None:
        self._deflate = deflate
        self._most = most
        self._room = most
        self._lost = ""  # why no later message can be inflated either
        self._past = bytearray()  # what came out last: a window at least, two at most
        self._stream = self._fresh(b"")

    def message(self, payload: bytes) -> bytes | str:
        """Return a whole message's bytes, or the reason why they are not at hand."""
        if self._lost:
            return self._lost
        if not self._deflate.context_takeover:
            self._past.clear()
            self._stream = self._fresh(b"")
        try:
            value = self._inflate(payload + _TAIL)
        except zlib.error:
            if self._deflate.context_takeover:
                self._lost = f"not inflated: an earlier message broke the shared context ({DEFLATE_CLAUSE})"
            return BROKEN
        if isinstance(value, str):
            self._lost = value
        else:
            self._room -= len(value)
        return value

    def _inflate(self, data: bytes) -> bytes | str:
        value = b""
        for _ in range(_MOST_FINAL):
            block = self._stream.decompress(data, self._room - len(value) + 1)
            value += block
            if len(value) > self._room:
                return f"not inflated: more than {self._most} bytes come out (a limit of the lab)"
            self._remember(block)
            if not self._stream.eof:
                return value
            # A final block ended the stream; what follows looks back over the same window.
            data = self._stream.unused_data
            self._stream = self._fresh(bytes(self._past[-_WINDOW:]))
            if data in (b"", _TAIL):
                return value
        return f"not inflated: more than {_MOST_FINAL} final blocks in a message (a limit of the lab)"

    def _fresh(self, window: bytes) -> zlib._Decompress:
        bits = -self._deflate.window_bits
        return zlib.decompressobj(bits, zdict=window) if window else zlib.decompressobj(bits)

    def _remember(self, block: bytes) -> None:
        """Keep what a window may look back on; it is cut once in a window's length, so a byte costs the same always."""
        self._past += block[-_WINDOW:]
        if len(self._past) > 2 * _WINDOW:
            del self._past[:-_WINDOW]
