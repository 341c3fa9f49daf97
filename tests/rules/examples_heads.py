"""The rules of `labkit.rules.heads`, shown."""

from __future__ import annotations

from tests.rules.examples_http import ASK, YES
from tests.rules.traces import Example, answered, changed, head, without

REFUSED = head("HTTP/1.1 400 Bad Request", "Content-Length: 0")
HOST = "Host: server.example.com"
TWICE = changed(ASK, HOST, f"{HOST}\r\n{HOST}")
LOOSE = changed(ASK, "Upgrade: quote", "Upgrade : quote")


def _asked(old: str, new: str, seen: str) -> Example:
    """Return a request, and one with a piece changed; both are refused."""
    return Example(answered(REFUSED, ASK), answered(REFUSED, changed(ASK, old, new)), seen)


def _told(old: str, new: str, seen: str) -> Example:
    """Return an answer, and one with a piece changed."""
    return Example(answered(YES, ASK), answered(changed(YES, old, new), ASK), seen)


EXAMPLES: dict[str, Example] = {
    "G29": Example(answered(REFUSED, TWICE), answered(YES, TWICE), "2 Host field lines"),
    "G30": Example(answered(REFUSED, LOOSE), answered(YES, LOOSE), "white space before a colon"),
    "G31": _told("1.0\r\n", "1.0\n", "LF alone"),
    "G44": Example(answered(REFUSED, ASK), answered(REFUSED, without(ASK, "Host")), "no Host field line"),
    "G45": Example(answered(REFUSED, ASK), answered(REFUSED, TWICE), "2 Host field lines"),
    "G46": _asked("Host: ", "Host: http://", "no host and port"),
    "G47": _asked("Upgrade: quote", "Upgrade:\r\n quote", "a folded line"),
    "G48": Example(answered(REFUSED, ASK), answered(REFUSED, LOOSE), "before the colon"),
    "G49": _asked("Host", " Host", "white space between the start-line and the first field line"),
    "G50": _asked("GET", "\r\nGET", "an empty line"),
    "G51": _asked("GET", "G(T", "the method"),
    "G52": _asked("GET /", "GET there", "neither a path nor a URL"),
    "G53": _asked("GET /", "GET  /", "white space other than"),
    "G54": _asked("HTTP/1.1", "HTTP/1.1.1", "the version"),
    "G55": _told("101", "600", "outside 100 to 599"),
    "G56": _told("Protocols", "Pro\x07tocols", "the reason phrase"),
    "G57": _asked("GET / HTTP/1.1", "Hello", "no start-line"),
    "G58": _asked("Host:", "Host", "without a colon"),
    "G59": _asked("Upgrade:", "Up grade:", "the field name"),
    "G60": _asked("Connection:", "X-Lab: a\x00b\r\nConnection:", "a control character"),
    "G81": Example(
        answered(YES, changed(ASK, "GET /", "GET http://server.example.com/")),
        answered(YES, changed(ASK, "GET /", "GET http://www.example.com/")),
        "other than the host",
    ),
    "G61": Example(answered(REFUSED, changed(ASK, "GET", "G(T")), answered(YES, changed(ASK, "GET", "G(T")), "a 101"),
}
