"""Secrets starred out, byte for byte, so that every offset holds: `masked(trace)`.

What counts as a secret stands in the tables below. Names, schemes and parameter names stay readable,
line ends stay where they are. WebSocket frames are not looked into: messages are the parties' own. Those of
HTTP/2 are: their field blocks and content are heads and content of HTTP.
Every pattern takes time in proportion to the bytes, whatever they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from labkit.dissection import Dissection, FramesPart, HopView, dissect
from labkit.dissection.http2_secrets import starred_http2
from labkit.trace import Direction, Event, Trace, Transfer

__all__ = ["FIELDS", "PARAMETERS", "masked", "masked_bytes", "masked_configuration", "masked_words"]


class _Rule(NamedTuple):
    """A row of the table: which field names (a pattern), and which bytes of their value are secret."""

    names: str
    secret: str


_ALL = r"(\S[^\r\n]*)"
FIELDS: tuple[_Rule, ...] = (
    _Rule("(?:proxy-)?authorization", r"(?:\A[!#$%&'*+.^_`|~0-9a-z-]+[ \t]+)?(\S[^\r\n]*)"),  # the scheme stays
    _Rule("(?:x-forwarded-)?host", r"\A[^:\s]*:(\S+)@"),  # user:password@host, as in a URL
    _Rule("cookie", r"(?:^|;)[ \t]*(?:[^=;\r\n]*=)?([^;\r\n]*)"),  # the cookies' names stay
    _Rule("set-cookie", r"\A[ \t]*(?:[^=;\r\n]*=)?([^;\r\n]*)"),  # its attributes stay as well
    # The name's letters are looked at first: after that any of the words ends the search.
    _Rule(r"x-(?=[a-z0-9-]*\Z)[a-z0-9-]*?(?:key|token|secret|auth|session|password)[a-z0-9-]*", _ALL),
    _Rule("(?:[a-z0-9-]+-)?(?:api-?key|auth-?token|access-?token|private-token|csrf-?token)", _ALL),
    _Rule("sec-websocket-protocol", r"\bbase64url\.bearer\.authorization\.k8s\.io\.([^ \t,\r\n]+)"),
)
"""Field lines whose values are secret; the first group of each pattern is starred out."""

PARAMETERS = (
    "token", "access_token", "refresh_token", "id_token", "auth_token", "jwt", "ticket", "key", "api_key", "apikey",
    "secret", "client_secret", "password", "passwd", "pwd", "pass", "sig", "signature", "auth", "session",
    "session_id", "sessionid", "sid",
)  # fmt: skip
"""Names of parameters whose values are secret, in a URL wherever it stands, and in a form's content."""

_LINE = re.compile(rb"(?im)^([!#$%&'*+.^_`|~0-9a-z-]+)[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)")
_HEAD = re.compile(rb"[A-Za-z0-9-]+(?:[ \t]*:| [!-~]+ HTTP/)")  # a field line or a request line begins here; no frame
_URL = re.compile(
    r"(?im)(?:^|[?&;#])(?:" + "|".join(PARAMETERS) + r")=([^&;#\s\"'<>]+)"  # ?token=…
    r"|//[^/@\s:\"'<>]*:([^/@\s\"'<>]+)@"  # //user:password@
    r"|^CONNECT [^/@\s:]*:([^/@\s]+)@"
)
_URL_BYTES = re.compile(_URL.pattern.encode())
_RULES = [
    (re.compile(f"(?i){rule.names}".encode()), re.compile(f"(?im){rule.secret}".encode()))
    for rule in FIELDS
]  # fmt: skip


def masked(trace: Trace, dissection: Dissection | None = None) -> Trace:
    r"""Return the trace with its secrets starred out; the same trace where there are none.

    Args:
        trace: what crossed.
        dissection: the trace taken apart, where that is at hand already.

    >>> ask = b"GET /?token=abc HTTP/1.1\r\nCookie: id=7\r\n\r\n"
    >>> masked(Trace((Transfer(0, Direction.TO_SERVER, ask),))).stream(Direction.TO_SERVER)
    b'GET /?token=*** HTTP/1.1\r\nCookie: id=*\r\n\r\n'
    """
    found: dict[tuple[int, Direction], bytes] = {}
    for view in (dissection or dissect(trace)).hops:
        for way in Direction:
            starred = _starred_way(view, way)
            if starred != view.data[way]:
                found[view.hop, way] = starred
    trace = _masked_title(trace)
    return replace(trace, events=tuple(_cut_again(trace, found))) if found else trace


def _starred_way(view: HopView, way: Direction) -> bytes:
    data, part = view.data[way], view.http2(way)
    if part:
        return masked_bytes(data[: part.start]) + starred_http2(part, _secrets) + masked_bytes(data[part.end :])
    end = _end_of_text(data, view.frames(way))
    return masked_bytes(data[:end]) + data[end:]


def _end_of_text(data: bytes, frames: FramesPart | None) -> int:
    """Return where the text ends: where frames begin, unless a head that ended too early goes on in their place."""
    return len(data) if frames is None or _HEAD.match(data, frames.start) else frames.start


def masked_bytes(data: bytes) -> bytes:
    r"""Return bytes of HTTP with their secrets starred out.

    >>> masked_bytes(b"Host: user:pass@h\r\n")
    b'Host: user:****@h\r\n'
    """
    spots = list(_secrets(data))
    return _starred(data, spots) if spots else data


def masked_words(words: str) -> str:
    """Return a text with what is secret in its URLs starred out.

    >>> masked_words("see /?token=abc")
    'see /?token=***'
    """
    return _URL.sub(_stars, words)


_SETS = re.compile(  # a directive of nginx or Apache that gives a field a value
    r"(?im)(?P<before>\b(?:proxy_set_header|add_header|(?:Request)?Header\s+(?:always\s+)?(?:set|add|append|merge)"
    r"(?:ifempty)?)\s+[\"']?(?P<name>[!#$%&'*+.^_`|~0-9a-z-]+?)[\"']?\s+[\"']?)"
    r"(?P<value>(?<=[\"'])[^\"'\r\n]*|[^;\"'\r\n]*)"
)


def masked_configuration(text: str) -> str:
    """Return the text of a proxy's configuration with the secrets starred out that it writes into fields and URLs.

    What the proxy fills in, `$http_cookie` or `%{…}e`, is no secret of the text.

    >>> masked_configuration("proxy_set_header Authorization 'Bearer abc';")
    "proxy_set_header Authorization 'Bearer ***';"
    """
    return masked_words(_SETS.sub(_starred_value, text))


def _starred_value(match: re.Match[str]) -> str:
    before, name, value = match["before"], match["name"], match["value"]
    if "$" in value or "%{" in value or not value.isascii():
        return match.group()
    line = masked_bytes(f"{name}: {value}".encode()).decode()
    return before + line[len(name) + 2 :]


def _masked_title(trace: Trace) -> Trace:
    """Star out what stands in a URL of the title or the note."""
    title, note = masked_words(trace.title), masked_words(trace.note)
    return trace if (title, note) == (trace.title, trace.note) else replace(trace, title=title, note=note)


def _stars(match: re.Match[str]) -> str:
    start, end = match.span(match.lastindex or 0)
    whole = match.group()
    return whole[: start - match.start()] + "*" * (end - start) + whole[end - match.start() :]


def _secrets(data: bytes) -> Iterator[tuple[int, int]]:
    """Find the spots that are secret, as offsets; they may overlap."""
    for match in _URL_BYTES.finditer(data):
        yield match.span(match.lastindex or 0)
    for line in _LINE.finditer(data):
        for names, secret in _RULES:
            if names.fullmatch(line[1]):
                value = line[2].lstrip(b" \t")
                at = line.end(2) - len(value)
                yield from ((at + spot.start(1), at + spot.end(1)) for spot in secret.finditer(value) if spot[1])


_KEPT = re.compile(rb"[^\r\n]+")


def _starred(data: bytes, spots: list[tuple[int, int]]) -> bytes:
    out = bytearray(data)
    for start, end in spots:
        for run in _KEPT.finditer(data, start, end):
            out[run.start() : run.end()] = b"*" * (run.end() - run.start())
    return bytes(out)


def _cut_again(trace: Trace, found: dict[tuple[int, Direction], bytes]) -> Iterator[Event]:
    """Hand out the starred bytes in the transfers they came in."""
    at: dict[tuple[int, Direction], int] = {}
    for event in trace.events:
        key = (event.hop, event.direction)
        if isinstance(event, Transfer) and key in found:
            start = at.get(key, 0)
            at[key] = start + len(event.data)
            yield replace(event, data=found[key][start : at[key]])
        else:
            yield event
