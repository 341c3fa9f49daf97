"""The rules of `labkit.rules.extensions`, shown."""

from __future__ import annotations

from labkit.trace import Trace
from labkit.wire.websocket import CLOSE
from tests.rules.traces import ANSWER, BYE, REQUEST, Example, changed, masked, switched

FIELD = "Sec-WebSocket-Extensions"


def agreed(offer: str, answer: str, *turns: tuple[str, bytes]) -> Trace:
    """Return a switch with these values of Sec-WebSocket-Extensions; "" where there is no such field."""
    request = changed(REQUEST, "\r\n\r\n", f"\r\n{FIELD}: {offer}\r\n\r\n") if offer else REQUEST
    head = changed(ANSWER, "\r\n\r\n", f"\r\n{FIELD}: {answer}\r\n\r\n") if answer else ANSWER
    return switched(*turns, request=request, answer=head)


CLOSES = ("c", masked(CLOSE, BYE))
PMD = "permessage-deflate"

EXAMPLES: dict[str, Example] = {
    "W35": Example(agreed('x-one; a="b", x-two', ""), agreed("x-one; a=b c", ""), "breaks its grammar"),
    "W46": Example(agreed("x-one; a=b", ""), agreed("x-one; =b", ""), "a 101 to a Sec-WebSocket-Extensions"),
    "W23": Example(agreed("x-one", "x-one"), agreed("x-one", "x-two"), "not offered"),
    "W16": Example(agreed("x-one", "x-two", CLOSES), agreed("x-one", "x-two"), "recorded after an extension"),
    "W34": Example(agreed("x-one, x-two", "x-one, x-two"), agreed("x-one, x-two", f"x-one\r\n{FIELD}: x-two"), "2 Sec"),
    "W36": Example(
        agreed(f"{PMD}; client_max_window_bits", ""), agreed(f"{PMD}; client_max_window_bits=08", ""), "from 8 to 15"
    ),
    "W37": Example(agreed(f"{PMD}; x=1, {PMD}", PMD), agreed(f"{PMD}; x=1", PMD), "must be declined"),
    "W38": Example(
        agreed(PMD, f"{PMD}; client_no_context_takeover"),
        agreed(PMD, f"{PMD}; client_no_context_takeover=1"),
        "a value for client_no_context_takeover",
    ),
    "W39": Example(
        agreed(f"{PMD}; client_max_window_bits", f"{PMD}; client_max_window_bits=10"),
        agreed(PMD, f"{PMD}; client_max_window_bits=10"),
        "which the client did not offer",
    ),
    "W40": Example(
        agreed(f"{PMD}; server_max_window_bits=10, {PMD}", PMD),
        agreed(f"{PMD}; server_max_window_bits=10", f"{PMD}; server_max_window_bits=11"),
        "above the one that was asked for",
    ),
    "W41": Example(
        agreed(f"{PMD}; server_no_context_takeover", f"{PMD}; server_no_context_takeover"),
        agreed(f"{PMD}; server_no_context_takeover", PMD),
        "not confirmed",
    ),
    "W43": Example(agreed(f"{PMD}, {PMD}", PMD), agreed(f"{PMD}, {PMD}", f"{PMD}, {PMD}"), "accepted twice"),
    "W42": Example(agreed(PMD, f"{PMD}; x", CLOSES), agreed(PMD, f"{PMD}; x"), "recorded after a parameter"),
}
