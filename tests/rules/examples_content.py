"""The rules of `labkit.rules.content`, shown."""

from __future__ import annotations

from labkit.trace import Trace
from tests.rules.examples_http import OK
from tests.rules.traces import Example, answered, changed, crossed, head

POST = head("POST / HTTP/1.1", "Host: server.example.com", "Content-Length: 5") + b"Hello"
CHUNKS = head("POST / HTTP/1.1", "Host: server.example.com", "Transfer-Encoding: chunked") + b"5\r\nHello\r\n0\r\n\r\n"
REFUSED = head("HTTP/1.1 400 Bad Request", "Content-Length: 0", "Connection: close")
EMPTY = head("HTTP/1.1 204 No Content", "Server: lab")
CONNECT = head("CONNECT server.example.com:80 HTTP/1.1", "Host: server.example.com:80")
TUNNEL = head("HTTP/1.1 200 OK", "Server: lab")
DOUBTFUL = changed(POST, "Length: 5", "Length: five")
OPEN = changed(CHUNKS, "chunked", "gzip")
FOUND = head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + b"0\r\n\r\n"
LENGTH = "Content-Length: 0"


def _asked(request: bytes, old: str, new: str, seen: str) -> Example:
    """Return a request, and one with a piece changed; both are refused."""
    return Example(answered(REFUSED, request), answered(REFUSED, changed(request, old, new)), seen)


def _without_expect(request: bytes) -> Trace:
    return answered(OK, changed(request, "Content", "Expect: 100-continue\r\nContent"))


EXAMPLES: dict[str, Example] = {
    "G63": Example(_without_expect(POST), _without_expect(changed(POST[:-5], "Length: 5", "Length: 0")), "a 100"),
    "G64": _asked(CHUNKS, "Transfer", "Content-Length: 5\r\nTransfer", "beside Transfer-Encoding"),
    "G65": _asked(POST, "Length: 5", "Length: five", "no number"),
    "G66": Example(answered(REFUSED, DOUBTFUL), answered(OK, DOUBTFUL), "cannot be read"),
    "G67": _asked(CHUNKS, "chunked", "gzip", "not chunked"),
    "G68": Example(answered(REFUSED, OPEN), answered(OK, OPEN), "whose end cannot be known"),
    "G69": _asked(CHUNKS, "5\r\n", "five\r\n", "chunk"),
    "G70": Example(answered(OK, POST), crossed(("c", POST[:-2]), ends="c"), "3 of 5 bytes"),
    "G71": Example(answered(EMPTY, POST), answered(changed(EMPTY, "Server: lab", LENGTH), POST), "a 204"),
    "G72": Example(answered(TUNNEL, CONNECT), answered(changed(TUNNEL, "Server: lab", LENGTH), CONNECT), "a 200"),
    "G73": Example(answered(FOUND, POST), answered(FOUND, changed(POST, "/1.1", "/1.0")), "HTTP/1.0"),
}
