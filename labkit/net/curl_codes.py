"""What curl's exit codes mean, alone and after what crossed the wire: 28 after a 101 is no failure."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

__all__ = ["CODES", "Seen", "meaning"]

CODES: dict[int, str] = {
    0: "curl did what it was told",
    1: "this curl does not speak that protocol",
    2: "curl could not begin: an option that it does not know, or cannot use here",
    3: "the URL is not one",
    4: "this curl was built without something that is needed here",
    5: "no proxy has that name",
    6: "no host has that name",
    7: "no connection could be made: nothing listens there",
    8: "the server's answer cannot be read",
    16: "something is wrong in the frames of HTTP/2",
    18: "the connection ended before the content was whole",
    22: "the answer's status is 400 or above, and --fail makes that an error",
    23: "curl could not write what it got",
    26: "curl could not read what it was to send",
    27: "curl had no memory left",
    28: "the time was over",
    33: "the server does not do ranges",
    35: "the TLS handshake failed",
    43: "curl called itself wrongly",
    47: "too many redirects, one after the other",
    48: "an option that libcurl does not know",
    52: "the server ended the connection without an answer",
    55: "sending failed: the connection was broken off",
    56: "reading failed: the connection was broken off, or what came is no HTTP",
    60: "the server's certificate is not trusted",
    61: "the content has a coding that this curl cannot undo",
    63: "the content is longer than was allowed",
    65: "curl would have to send its content again, and cannot",
    67: "the server did not take the user name or the password",
    92: "something is wrong in a stream of HTTP/2",
    95: "something is wrong in HTTP/3",
    96: "something is wrong in QUIC",
}
"""curl(1), EXIT CODES: those that HTTP and WebSocket can lead to."""


class Seen(NamedTuple):
    """What is known beside the exit code.

    Args:
        status: of the answer that crossed the wire; None where there was none.
        scheme: of the URL.
        options: the long names of the options that were given.
        version: of curl.
        heard: whether the server said anything.
    """

    status: int | None
    scheme: str = "http"
    options: frozenset[str] = frozenset()
    version: str = ""
    heard: bool = False


def _switched(seen: Seen) -> bool:
    return seen.status == 101


def _answered(seen: Seen) -> bool:
    return seen.status is not None


def _websocket(seen: Seen) -> bool:
    return seen.scheme in ("ws", "wss")


def _prior(seen: Seen) -> bool:
    return "http2-prior-knowledge" in seen.options


def _http2(seen: Seen) -> bool:
    return "http2" in seen.options and _switched(seen)


def _redirected(seen: Seen) -> bool:
    return seen.status is not None and 300 <= seen.status < 400


def _heard(seen: Seen) -> bool:
    return seen.heard


def _always(_: Seen) -> bool:
    return True


_WAITED = "the switch happened (101); curl then waited for more until its time was over: here that is success"
_PRIOR = (
    "HTTP/2 without asking first, and this server speaks HTTP/1.1; besides, in HTTP/2 there is no Upgrade and no 101 "
    "(RFC 9113, 8.6), and curl left the offer out"
)
_IN_CONTEXT: tuple[tuple[frozenset[int], Callable[[Seen], bool], str], ...] = (
    (frozenset((0,)), _http2, "the switch to HTTP/2 happened (101), and the answer came in HTTP/2"),
    (frozenset((0,)), _switched, "the switch happened (101), and the server ended the connection afterwards"),
    (frozenset((0,)), _answered, "curl got a whole answer, {status}; 0 does not say that it was the one you wanted"),
    (frozenset((0,)), _heard, "the answer broke off inside its head"),
    (frozenset((1,)), _websocket, "this curl, {version}, does not speak {scheme}://; offer the upgrade to http://"),
    (frozenset((1,)), _redirected, "the answer {status} points to a protocol that curl does not speak, or may not use"),
    (frozenset((1, 8)), _heard, "what the server sent is no answer of HTTP/1.1"),
    (frozenset((16, 18, 52, 56)), _prior, _PRIOR),
    (frozenset((22,)), _websocket, "the server declined the upgrade with {status}"),
    (frozenset((22,)), _answered, "the answer was {status}, and --fail makes 400 and above an error"),
    (frozenset((23,)), _switched, "the switch happened (101); curl ended because what it got could not be written"),
    (frozenset((28,)), _switched, _WAITED),
    (frozenset((28,)), _answered, "the answer {status} was not whole when the time was over"),
    (frozenset((28,)), _always, "no answer came before the time was over"),
    (frozenset((52,)), _switched, "the switch happened (101), and nothing came after it before the connection ended"),
    (frozenset((55, 56)), _switched, "the switch happened (101), and the connection was broken off afterwards"),
)  # fmt: skip


def meaning(code: int, seen: Seen) -> str:
    """Return what an exit code means here, in a sentence.

    >>> meaning(28, Seen(101))
    'the switch happened (101); curl then waited for more until its time was over: here that is success'
    >>> meaning(28, Seen(None))
    'no answer came before the time was over'
    """
    for codes, true, text in _IN_CONTEXT:
        if code in codes and true(seen):
            return text.format(status=seen.status, scheme=seen.scheme, version=seen.version)
    if code < 0:
        return f"curl died of signal {-code}"
    return CODES.get(code, f"see EXIT CODES in curl's manual for {code}")
