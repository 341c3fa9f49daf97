"""Rules of interim answers, of the status line, and of what a declining answer carries (RFC 9110, RFC 9112)."""

from __future__ import annotations

from collections.abc import Iterator

from labkit.rules.evidence import Asked, each_exchange
from labkit.rules.rule import Check, Level, Rule, Sighting, Who
from labkit.trace import Direction
from labkit.wire.http1 import Fault

__all__ = ["STATUSES"]


@each_exchange
def _interim_to_http_1_0(asked: Asked) -> Iterator[Sighting]:
    if asked.head.version != "HTTP/1.0":
        return
    for head in asked.interim:
        yield head.first_line(f"a {head.status} to a client of HTTP/1.0")
    if asked.answer and asked.switched and "Upgrade" not in asked.head.fields:  # else G11 says it
        yield asked.answer.first_line("a 101 to a client of HTTP/1.0")


def _in_interim(name: str) -> Check:
    """Return the check that no answer of class 1xx carries a field."""

    @each_exchange
    def check(asked: Asked) -> Iterator[Sighting]:
        for head in asked.heads:
            if head.status // 100 == 1 and name in head.fields:
                yield head.line(name, f"a {head.status} with a {name}")

    return check


@each_exchange
def _no_space_after_status(asked: Asked) -> Iterator[Sighting]:
    for head in asked.parts:
        for fault, sighting in head.faults:
            if fault is Fault.NO_SPACE:
                yield sighting


def _missing(status: int, name: str) -> Check:
    """Return the check that every answer of a status carries a field."""

    @each_exchange
    def check(asked: Asked) -> Iterator[Sighting]:
        if asked.answer and asked.status == status and name not in asked.answer.fields:
            yield asked.answer.first_line(f"a {status} without {name}")

    return check


@each_exchange
def _no_status_line(asked: Asked) -> Iterator[Sighting]:
    garbage, way = asked.exchange.garbage, Direction.TO_CLIENT
    if not asked.request or not garbage or not garbage.fault or garbage.fault == Fault.CUT_SHORT:
        return
    if asked.view.data[way].startswith(b"HTTP/", garbage.start):
        seen, note = "a status line that cannot be read", False
    else:
        seen, note = "bytes that are no HTTP; another protocol may be spoken on this port", True
    yield Sighting(asked.view.hop, way, garbage.start, garbage.end, seen, note)


STATUSES: tuple[Rule, ...] = (
    Rule(
        "G17", Who.SERVER, "RFC 9110, 15.2", Level.MUST_NOT,
        "A client of HTTP/1.0 gets no answer of class 1xx.",
        mend="send the final answer alone", switch=True, check=_interim_to_http_1_0,
    ),
    Rule(
        "G18", Who.SERVER, "RFC 9110, 15.2", Level.FACT,
        "An answer of class 1xx ends with its head: it has no content and no trailers.",
    ),
    Rule(
        "G19", Who.CLIENT, "RFC 9110, 15.2", Level.MUST,
        "A client reads any number of answers of class 1xx before the final one, expected or not.",
        reason="A client that gives up at an interim answer only closes, and may do so at any time.",
    ),
    Rule(
        "G21", Who.SERVER, "RFC 9110, 8.6", Level.MUST_NOT,
        "An answer of class 1xx carries no Content-Length.",
        mend="leave Content-Length out", switch=True, check=_in_interim("Content-Length"),
    ),
    Rule(
        "G22", Who.SERVER, "RFC 9112, 6.1", Level.MUST_NOT,
        "An answer of class 1xx carries no Transfer-Encoding.",
        mend="leave Transfer-Encoding out", switch=True, check=_in_interim("Transfer-Encoding"),
    ),
    Rule(
        "G23", Who.RECIPIENT, "RFC 9112, 6.3", Level.FACT,
        "An answer of class 1xx ends at its blank line, whatever its fields say.",
    ),
    Rule(
        "G24", Who.CLIENT, "RFC 9110, 15", Level.MUST,
        "A client takes a status code that it does not know for the x00 of its class.",
        reason="What a client takes a status code for shows in what it does next, and closing is always allowed.",
    ),
    Rule(
        "G25", Who.CLIENT, "RFC 9112, 4", Level.SHOULD,
        "A client ignores the reason phrase.",
        reason="A client that minds the phrase only closes, and may do so at any time.",
    ),
    Rule(
        "G26", Who.SERVER, "RFC 9112, 4", Level.MUST,
        "The space after the status code is sent even where no reason phrase follows.",
        mend="put one space behind the status code", switch=True, check=_no_space_after_status,
    ),
    Rule(
        "G27", Who.SERVER, "RFC 9110, 6.6.1", Level.MAY,
        "An answer of class 1xx or 5xx may carry a Date.",
    ),
    Rule(
        "G28", Who.CLIENT, "RFC 9112, 9.2", Level.MUST,
        "A client gives each answer to the oldest request that has no final one yet.",
        reason="Which request a client gives an answer to goes on inside it.",
    ),
    Rule(
        "G39", Who.SERVER, "RFC 9110, 15.5.6", Level.MUST,
        "A 405 names the methods that would do in an Allow field.",
        mend="add an Allow field", check=_missing(405, "Allow"),
    ),
    Rule(
        "G40", Who.SERVER, "RFC 9110, 15.5.2", Level.MUST,
        "A 401 says in a WWW-Authenticate field how to prove who one is.",
        mend="add a WWW-Authenticate field", check=_missing(401, "WWW-Authenticate"),
    ),
    Rule(
        "G41", Who.PROXY, "RFC 9110, 15.5.8", Level.MUST,
        "A 407 says in a Proxy-Authenticate field how to prove who one is to the proxy.",
        mend="add a Proxy-Authenticate field", check=_missing(407, "Proxy-Authenticate"),
    ),
    Rule(
        "G42", Who.SERVER, "RFC 9110, 6.6.1", Level.MUST,
        "A server with a clock puts a Date into every answer of class 2xx, 3xx and 4xx.",
        reason="Whether a server has a clock cannot be told from its bytes, and one without a clock sends no Date.",
    ),
    Rule(
        "G43", Who.SERVER, "RFC 9112, 4", Level.MUST,
        "An answer begins with a status line: HTTP/, a version, a space and a status code.",
        mend="send a status line, or ask where HTTP is spoken", switch=True, check=_no_status_line,
    ),
)  # fmt: skip
