"""The rules of `labkit.rules.closing`, shown."""

from __future__ import annotations

from labkit.wire.websocket import CLOSE, PING, PONG, TEXT, close_payload, frame
from tests.rules.traces import BYE, Example, masked, switched

PINGS = ("c", masked(PING, b"here?") + masked(TEXT, b"Hello"))
HELLO = ("s", frame(TEXT, b"Hello"))
BYES = (("c", masked(CLOSE, BYE, mask=b"\x89\xab\xcd\xef")), ("s", frame(CLOSE, BYE)))
GOOD = switched(*BYES)


def closes(payload: bytes, seen: str) -> Example:
    """Return an example in which the client's Close carries something."""
    return Example(GOOD, switched(("c", masked(CLOSE, payload)), BYES[1]), seen)


EXAMPLES: dict[str, Example] = {
    "X08": Example(
        switched(PINGS, ("s", frame(PONG, b"here?")), HELLO, *BYES), switched(PINGS, HELLO, *BYES), "never the Ping"
    ),
    "X09": Example(GOOD, switched(BYES[0]), "no Close answers"),
    "X30": Example(switched(PINGS, *BYES), switched(BYES[0], PINGS, BYES[1]), "after a Close"),
    "X33": Example(GOOD, switched(*BYES, ends="c s"), "before the server did"),
    "X34": closes(b"\x03", "one byte"),
    "X35": closes(close_payload(999), "outside of 1000 to 4999: 999"),
    "X10": closes(close_payload(1006), "no code for the wire: 1006"),
    "X36": closes(close_payload(1000) + b"\xe9", "not UTF-8"),
}
