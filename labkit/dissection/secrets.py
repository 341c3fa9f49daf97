"""Secrets starred out, byte for byte, so that every offset holds: `masked(trace)`.

What counts as a secret stands in the tables below. Names, schemes and parameter names stay readable,
line ends stay where they are. WebSocket frames are not looked into: messages are the parties' own.
Every pattern takes time in proportion to the bytes, whatever they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from labkit.dissection import Dissection, dissect
from labkit.trace import Direction, Event, Trace, Transfer

__all__ = ["FIELDS", "PARAMETERS", "masked"]


class _Rule(NamedTuple):
    """A row of the table: which field names (a pattern), and which bytes of their value are secret."""

    names: str
    secret: str


_ALL = r"(\S[^\r\n]*)"
FIELDS: tuple[_Rule, ...] = (
    _Rule("(?:proxy-)?authorization", r"(?:\A[!#$%&'*+.^_`|~0-9a-z-]+[ \t]+)?(\S[^\r\n]*)"),  # the scheme stays
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
_URL = re.compile(
    r"(?im)(?:^|[?&;#])(?:" + "|".join(PARAMETERS) + r")=([^&;#\s\"'<>]+)"  # ?token=…
    r"|//[^/@\s:\"'<>]*:([^/@\s\"'<>]+)@"  # //user:password@
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
            data = view.data[way]
            frames = view.frames(way)
            spots = list(_secrets(data[: frames.start] if frames else data))
            if spots and (starred := _starred(data, spots)) != data:
                found[view.hop, way] = starred
    trace = _masked_words(trace)
    return replace(trace, events=tuple(_cut_again(trace, found))) if found else trace


def _masked_words(trace: Trace) -> Trace:
    """Star out what stands in a URL of the title or the note."""
    title, note = (_URL.sub(_stars, words) for words in (trace.title, trace.note))
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
