"""The rules of `labkit.rules.accepting`, shown."""

from __future__ import annotations

from labkit.wire.upgrade import accept_key
from tests.rules.traces import ANSWER, KEY, REQUEST, Example, answered, changed, without

GOOD = answered(ANSWER)
OFFER = changed(REQUEST, "\r\n\r\n", "\r\nSec-WebSocket-Protocol: chat, superchat\r\n\r\n")
OLD = changed(REQUEST, "Version: 13", "Version: 12")
UPGRADE = "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 0\r\n"


def said(*lines: str) -> bytes:
    """Return the 101 with more field lines."""
    return changed(ANSWER, "\r\n\r\n", "\r\n" + "\r\n".join(lines) + "\r\n\r\n")


ACCEPT = f"Sec-WebSocket-Accept: {accept_key(KEY)}"
CHAT = "Sec-WebSocket-Protocol: chat"

EXAMPLES: dict[str, Example] = {
    "W17": Example(GOOD, answered(ANSWER, changed(REQUEST, "GET", "POST")), "a 101 to a request that is no GET"),
    "W18": Example(GOOD, answered(ANSWER, changed(REQUEST, KEY, "AAAA")), "not 16 bytes"),
    "W19": Example(
        answered(f"{UPGRADE}Sec-WebSocket-Version: 13\r\n\r\n".encode(), OLD),
        answered(f"{UPGRADE}\r\n".encode(), OLD),
        "no Sec-WebSocket-Version in it",
    ),
    "W24": Example(GOOD, answered(without(ANSWER, "Connection")), "without the connection option"),
    "W31": Example(
        GOOD, answered(changed(ANSWER, accept_key(KEY), accept_key(""))), "of the empty key: the key was lost"
    ),
    "W32": Example(GOOD, answered(said(ACCEPT)), "2 Sec-WebSocket-Accept"),
    "W22": Example(answered(said(CHAT), OFFER), answered(said(CHAT)), "did not ask for"),
    "W30": Example(answered(said(CHAT), OFFER), answered(said("Sec-WebSocket-Protocol: "), OFFER), "an empty"),
    "W33": Example(answered(said(CHAT), OFFER), answered(said(CHAT, CHAT), OFFER), "2 Sec-WebSocket-Protocol"),
}
