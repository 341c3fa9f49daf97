"""The rules of `labkit.rules.statuses`, shown."""

from __future__ import annotations

from tests.rules.examples_http import ASK, OK, YES
from tests.rules.traces import Example, answered, changed, head

HINTS = head("HTTP/1.1 103 Early Hints", "Link: </style.css>; rel=preload; as=style")
OLD = changed(ASK, "HTTP/1.1", "HTTP/1.0")


def _declined(status: str, field: str) -> Example:
    answer = head(f"HTTP/1.1 {status}", field, "Content-Length: 0")
    name = field.partition(":")[0]
    return Example(answered(answer, ASK), answered(changed(answer, f"{field}\r\n", ""), ASK), f"without {name}")


EXAMPLES: dict[str, Example] = {
    "G17": Example(answered(HINTS + OK, ASK), answered(HINTS + OK, OLD), "a 103"),
    "G21": Example(answered(YES, ASK), answered(changed(YES, "Upgrade:", "Content-Length: 5\r\nUpgrade:"), ASK),
                   "a 101 with a Content-Length"),
    "G22": Example(answered(YES, ASK), answered(changed(YES, "Upgrade:", "Transfer-Encoding: chunked\r\nUpgrade:"), ASK),
                   "a 101 with a Transfer-Encoding"),
    "G26": Example(
        answered(changed(YES, " Switching Protocols", " "), ASK), answered(changed(YES, " Switching Protocols", ""), ASK),
        "the space after the status code",
    ),
    "G39": _declined("405 Method Not Allowed", "Allow: GET"),
    "G40": _declined("401 Unauthorized", 'WWW-Authenticate: Basic realm="lab"'),
    "G41": _declined("407 Proxy Authentication Required", 'Proxy-Authenticate: Basic realm="lab"'),
    "G43": Example(answered(OK, ASK), answered(changed(OK, "200", "2000"), ASK), "a status line that"),
}  # fmt: skip
