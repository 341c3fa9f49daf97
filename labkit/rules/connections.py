"""Rules of what comes after an answer on the same connection, and of CONNECT (RFC 9110, RFC 9112)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from labkit.rules.evidence import Asked, Evidence, HeadSeen, each_exchange
from labkit.rules.rule import Level, Rule, Sighting, Who
from labkit.wire.upgrade import options

__all__ = ["CONNECTIONS"]

_AUTHORITY = re.compile(r"(\[[^\[\]@/]+\]|[^:@/\[\]]+):([0-9]+)")


def _successive(evidence: Evidence) -> Iterator[tuple[Asked, Asked]]:
    """Yield each exchange with the one after it on the same connection."""
    for first, second in pairwise(evidence.exchanges):
        if first.view is second.view:
            yield first, second


def _closes(head: HeadSeen | None) -> bool:
    return head is not None and "close" in options(head.fields)


def _request_after_close(evidence: Evidence) -> Iterator[Sighting]:
    for first, second in _successive(evidence):
        if _closes(first.request) and second.request:
            yield second.request.first_line("a request behind one that says `Connection: close`")


def _answer_after_close(evidence: Evidence) -> Iterator[Sighting]:
    for first, second in _successive(evidence):
        if not (first.answer and second.request and second.answer and second.taken):
            continue
        if _closes(first.request) or _closes(first.answer):
            yield second.answer.first_line("a request is served after one side said `Connection: close`")


def _goes_on_after_doubt(evidence: Evidence) -> Iterator[Sighting]:
    for first, second in _successive(evidence):
        fields = first.head.fields
        doubtful = "Content-Length" in fields or first.head.version == "HTTP/1.0"
        if "Transfer-Encoding" in fields and doubtful and first.answer and second.request and second.answer:
            yield second.answer.first_line("the connection goes on after a request with doubtful framing")
    for asked in evidence.exchanges:
        both = "Transfer-Encoding" in asked.head.fields and "Content-Length" in asked.head.fields
        if both and asked.answer and asked.switched and asked.head.version != "HTTP/1.0":  # else G11 says it
            yield asked.answer.first_line("a 101 to a request with doubtful framing")


@each_exchange
def _connect_target(asked: Asked) -> Iterator[Sighting]:
    if asked.request and asked.head.method == "CONNECT" and not _AUTHORITY.fullmatch(asked.head.target):
        yield asked.request.first_line("a CONNECT whose target is no host and port")


@each_exchange
def _connect_taken(asked: Asked) -> Iterator[Sighting]:
    if not (asked.request and asked.answer and asked.head.method == "CONNECT" and asked.status):
        return
    parts = _AUTHORITY.fullmatch(asked.head.target)
    if asked.status // 100 == 2 and not (parts and 0 < int(parts[2].lstrip("0")[:9] or "0") < 1 << 16):
        yield asked.answer.first_line(f"a {asked.status} to a CONNECT without a good port")


CONNECTIONS: tuple[Rule, ...] = (
    Rule(
        "G74", Who.CLIENT, "RFC 9112, 9.6", Level.MUST_NOT,
        "A client sends no request behind one in which it said `Connection: close`.",
        mend="open another connection", check=_request_after_close,
    ),
    Rule(
        "G75", Who.CLIENT, "RFC 9112, 9.6", Level.MUST,
        "A client that reads `Connection: close` sends no more requests and closes.",
        reason="Whether a request was on its way before the answer was read does not show.",
    ),
    Rule(
        "G76", Who.SERVER, "RFC 9112, 9.6", Level.MUST_NOT,
        "A server serves no further request once either side has said `Connection: close`.",
        mend="close after the answer", check=_answer_after_close,
    ),
    Rule(
        "G77", Who.SERVER, "RFC 9112, 9.6", Level.MUST,
        "A server closes after the answer to a `Connection: close`, and after its own.",
        reason="How long a server may take to close is not said, and the end of a recording is no proof.",
    ),
    Rule(
        "G78", Who.SERVER, "RFC 9112, 6.1", Level.MUST,
        "A server closes after its answer to Transfer-Encoding beside Content-Length, or in HTTP/1.0.",
        mend="close after the answer", check=_goes_on_after_doubt,
    ),
    Rule(
        "G79", Who.CLIENT, "RFC 9112, 3.2.3; RFC 9110, 9.3.6", Level.MUST,
        "The target of a CONNECT is a host and a port, and nothing else.",
        mend="send `host:port`", check=_connect_target,
    ),
    Rule(
        "G80", Who.SERVER, "RFC 9110, 9.3.6", Level.MUST,
        "A server refuses a CONNECT whose port is missing or no port.",
        mend="answer 400", check=_connect_taken,
    ),
)  # fmt: skip
