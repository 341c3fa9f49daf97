"""The rules of `labkit.rules.relay`, shown."""

from __future__ import annotations

from labkit.trace import Hop, Trace
from tests.rules.examples_content import CHUNKS
from tests.rules.examples_http import ASK, PLAIN, YES
from tests.rules.traces import Example, answered, changed, crossed, head

HOPS = (Hop("client", "proxy"), Hop("proxy", "server"))
OK = head("HTTP/1.1 200 OK", "Server: lab", "Content-Length: 0")
HINTS = head("HTTP/1.1 103 Early Hints", "Link: </style.css>; rel=preload; as=style")
GONE = changed(PLAIN, "Host", "Via: 1.1 proxy\r\nHost")
OFFER_GONE = changed(ASK, "Host", "Via: 1.1 proxy\r\nHost")
URL = changed(PLAIN, "GET /", "GET http://www.example.com/")
URL_GONE = changed(GONE, "server.", "www.")


def with_line(head_: bytes, *lines: str) -> bytes:
    """Return a head with more lines behind its start-line."""
    start, end, rest = head_.partition(b"\r\n")
    return start + end + b"".join(line.encode() + end for line in lines) + rest


def relayed(came: bytes, went: bytes, answer: bytes = OK, forwarded: bytes = b"") -> Trace:
    """Return a request that a proxy took in and what it made of it; the answer likewise."""
    return crossed(("c", came), ("c1", went), ("s1", answer), ("s", forwarded or answer), ends="", hops=HOPS)


def _request(*lines: str, forwarded: tuple[str, ...], seen: str, request: bytes = PLAIN, gone: bytes = GONE) -> Example:
    """Return a request with these lines that are taken out, and one where some are forwarded."""
    came = with_line(request, *lines)
    return Example(relayed(came, gone), relayed(came, with_line(gone, *forwarded)), seen)


def _sent(*lines: str, without: str, seen: str) -> Example:
    """Return a request with these lines, and one without a piece of them."""
    request = with_line(PLAIN, *lines)
    return Example(answered(OK, request), answered(OK, changed(request, without, "")), seen)


ODD = changed(PLAIN, "HTTP/1.1", "HTTP/1.7")
SPACED = changed(OK, "Server:", "Server :")

EXAMPLES: dict[str, Example] = {
    "G20": Example(relayed(URL, URL_GONE, HINTS + OK), relayed(URL, URL_GONE, HINTS + OK, OK), "a 103"),
    "I02": _request("Connection: X-Lab", "X-Lab: 1", forwarded=("X-Lab: 1",), seen="a field `x-lab`"),
    "I03": _request("Proxy-Connection: keep-alive", forwarded=("Proxy-Connection: keep-alive",), seen="a field Proxy-Connection"),
    "I04": Example(
        answered(OK, with_line(PLAIN, "Connection: close")), answered(OK, with_line(PLAIN, "Connection: cookie")), "`cookie`"
    ),
    "I05": _sent("TE: trailers", "Connection: close, TE", without=", TE", seen="a TE field"),
    "I07": Example(relayed(PLAIN, GONE), relayed(PLAIN, with_line(PLAIN, "X-Lab: 1")), "own Via"),
    "I08": Example(relayed(ODD, GONE), relayed(ODD, changed(GONE, "HTTP/1.1", "HTTP/1.7")), "a version"),
    "I16": _request("X-Lab: a\x00b", forwarded=("X-Lab: a\x00b",), seen="a NUL"),
    "I17": _request("X-Lab: a", "X-Fold: a\r\n b", forwarded=("X-Lab: a", "X-Fold: a\r\n b"), seen="a folded line"),
    "I18": Example(relayed(PLAIN, GONE, SPACED, OK), relayed(PLAIN, GONE, SPACED), "before the colon"),
    "I19": _request("Content-Length: 5", forwarded=("Content-Length: 5",), seen="the Content-Length",
                    request=CHUNKS, gone=with_line(CHUNKS, "Via: 1.1 proxy")),
    "I20": Example(relayed(URL, URL_GONE), relayed(URL, GONE), "not that of the URL"),
}  # fmt: skip
SWITCHED = relayed(ASK, OFFER_GONE, YES)
"""An offer that a gateway passes on, and its 101: the gateway may make Upgrade and Connection of its own."""
