"""The rules of `labkit.rules.opening`, shown."""

from __future__ import annotations

from labkit.trace import Hop
from labkit.wire.websocket import CLOSE, TEXT
from tests.rules.traces import ANSWER, BYE, KEY, REQUEST, Example, answered, changed, crossed, masked, switched, without

GOOD = switched()
HOPS = (Hop(), Hop("other client", "server"))
SECOND = changed(REQUEST, KEY, "UIzVv3hsWbXFhVxdlD5mvA==")
DECLINED = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
CLOSES = (("c", masked(CLOSE, BYE)),)  # a client that only closes has not gone on


def asks(old: str, new: str, seen: str) -> Example:
    """Return an example in which one piece of the request is another."""
    return Example(GOOD, switched(request=changed(REQUEST, old, new)), seen)


def takes(answer: bytes, seen: str) -> Example:
    """Return an example in which the client goes on after a wrong 101; closing at once keeps the rule."""
    return Example(switched(*CLOSES, answer=answer), switched(answer=answer), seen)


EXAMPLES: dict[str, Example] = {
    "W01": asks("/chat", "/chat#here", "a # in the request-target"),
    "W04": asks("GET", "POST", "other than GET"),
    "W25": asks("HTTP/1.1", "HTTP/1.0", "HTTP/1.0"),
    "W05": Example(
        switched(request=changed(REQUEST, "/chat", "http://server.example.com/chat")),
        switched(request=changed(REQUEST, "/chat", "ws://server.example.com/chat")),
        "neither a path nor an http URL",
    ),
    "W06": Example(GOOD, switched(request=without(REQUEST, "Host")), "no Host field"),
    "W07": Example(GOOD, switched(request=without(REQUEST, "Upgrade")), "a handshake of WebSocket"),
    "W08": asks("Connection: Upgrade", "Connection: keep-alive", "no connection option"),
    "W09": Example(
        crossed(("c", REQUEST), ("s", ANSWER), ("c1", SECOND), hops=HOPS),
        crossed(("c", REQUEST), ("s", ANSWER), ("c1", REQUEST), hops=HOPS),
        "the key of another connection",
    ),
    "W26": asks("Sec-WebSocket-Version", f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version", "2 Sec-WebSocket-Key"),
    "W11": asks("Version: 13", "Version: 8", "other than 13"),
    "W27": asks("Version: 13", "Version: 13\r\nSec-WebSocket-Version: 13", "2 Sec-WebSocket-Version"),
    "W12": Example(
        answered(DECLINED, changed(REQUEST, "\r\n\r\n", "\r\nSec-WebSocket-Protocol: chat, superchat\r\n\r\n")),
        answered(DECLINED, changed(REQUEST, "\r\n\r\n", "\r\nSec-WebSocket-Protocol: chat, chat\r\n\r\n")),
        "named twice",
    ),
    "W13": Example(
        crossed(("c", REQUEST), ("s", DECLINED)),
        crossed(("c", REQUEST), ("s", DECLINED), ("c", masked(TEXT, b"Hello"))),
        "recorded after a 400",
    ),
    "W14": takes(without(ANSWER, "Upgrade"), "a 101 without Upgrade"),
    "W28": takes(without(ANSWER, "Connection"), "Connection has no"),
    "W15": Example(
        crossed(("c", REQUEST), ("c", masked(TEXT, b"Hello")), ("s", without(ANSWER, "Sec-WebSocket-Accept"))),
        crossed(("c", REQUEST), ("s", without(ANSWER, "Sec-WebSocket-Accept")), ("c", masked(TEXT, b"Hello"))),
        "a 101 without Sec-WebSocket-Accept",
    ),
    "W29": takes(changed(ANSWER, "\r\n\r\n", "\r\nSec-WebSocket-Protocol: chat\r\n\r\n"), "a subprotocol"),
}
