"""What a server evaluates when it is asked: every test it makes of a request, what it found, and the decision.

The rows come from the very functions that the party calls, with their tests noted on the way; so they
cannot say anything else than what it does.
"""

from __future__ import annotations

from typing import NamedTuple

from labkit.dissection import dissect
from labkit.dissection.secrets import masked_bytes, masked_words
from labkit.errors import WrongUse
from labkit.parties.answer import Answer, phrase
from labkit.parties.decide import (
    CHOICE_TESTS,
    KNOWN,
    OFFER_TESTS,
    PLAIN_TESTS,
    REST,
    TESTS_OF,
    TOLD,
    Switch,
    choose,
    decide,
    page,
)
from labkit.parties.described import Server
from labkit.parties.heads import HEAD_TESTS, check_head, cut_head, empty_lines, read_head
from labkit.parties.offer import Offer
from labkit.parties.testing import IGNORED, Made, Result, Test
from labkit.trace import Direction, Trace
from labkit.wire.http1 import RequestHead

__all__ = ["Row", "asked", "evaluated"]

_NOT_REACHED = "not reached"
_LONGEST = 80  # characters of what was found
_GRAMMAR = ("the head follows the grammar", "RFC 9112, 2.1")
_BEFORE = (*HEAD_TESTS, *CHOICE_TESTS, KNOWN, TOLD, *OFFER_TESTS)


class Row(NamedTuple):
    """One test: what it asks, the clause, what was found in the request, and the result."""

    test: str
    clause: str
    found: str
    result: str


def asked(offer: object) -> bytes:
    """Return the bytes of a request that is given as an offer, as bytes, or as a trace that holds it.

    Raises:
        WrongUse: it is none of these, or a trace without a request.
    """
    if isinstance(offer, Offer):
        if offer.http2:
            raise WrongUse(
                "the tests are shown of a request in HTTP/1.1: evaluate the offer that asks for the same there"
            )
        return offer.to_bytes()
    if isinstance(offer, bytes):
        return offer
    if not isinstance(offer, Trace):
        raise WrongUse(f"what is asked is an Offer, bytes or a Trace, not {offer!r}")
    view = dissect(offer).hops[-1]
    request = view.exchange.request if view.exchange else None
    if request is None:
        raise WrongUse("this trace holds no request")
    return view.data[Direction.TO_SERVER][request.start : request.end]


def evaluated(server: Server, data: bytes) -> tuple[tuple[Row, ...], Switch | Answer | None]:
    """Return what a server tests in the first request of `data`, in order, and what it decides.

    The content is taken to be there, and within the limit. Where no request begins, nothing is decided.
    """
    data = data[empty_lines(data) :]
    found = _read(server, data) if data else None
    if isinstance(found, RequestHead):
        head, made = found, list[tuple[Test, Result]]()
        decision = _decided(server, head, made)
        shown = _shown(server, data)
        grammar = Row(*_GRAMMAR, _request_line(shown), "passes")
        return (grammar, *_rows(server, head, shown, made), *_ending(server, decision, shown)), decision
    if found is None and data:
        found = Answer(408, f"the head is not complete, and is waited for {server.limits.head_time:g} s")
    wrong = Row(*_GRAMMAR, found.reason if found else "nothing", _said(found) if found else "waits")
    rest = [Row(test.name, test.clause, "", _NOT_REACHED) for test in _BEFORE]
    return (wrong, *rest, *(_ending(server, found) if found else ())), found


def _read(server: Server, data: bytes) -> RequestHead | Answer | None:
    raw = cut_head(data, server.limits.head)
    return read_head(raw) if isinstance(raw, bytes) else raw


def _decided(server: Server, head: RequestHead, made: Made | None = None) -> Switch | Answer:
    return check_head(server, head, made) or decide(server, head, made) or page(server, head)


def _shown(server: Server, data: bytes) -> RequestHead:
    """Return the head as it is shown, with its secrets starred out; the tests are made of the real one."""
    found = _read(server, masked_bytes(data))
    return found if isinstance(found, RequestHead) else RequestHead("", "")


def _request_line(head: RequestHead) -> str:
    """Return the request line, and how many field lines follow it."""
    count = len(head.fields)
    return _short(f"{head.start_line}, and {count} field line{'s' * (count != 1)}")


def _rows(server: Server, head: RequestHead, shown: RequestHead, made: Made) -> list[Row]:
    """Return a row for each test that was made, and for each that could have come after one that was not passed."""
    results = dict(made)
    ignored = IGNORED in results.values()
    table: tuple[Test, ...] = (*HEAD_TESTS, *CHOICE_TESTS, KNOWN, TOLD)
    if ignored:
        table = (*table, *(test for test in PLAIN_TESTS if test in results))
    else:
        kind = (choose(server, head) or "").lower()
        rest = (REST,) if kind == "websocket" else ()
        table = (*table, *OFFER_TESTS, *TESTS_OF.get(kind, ()), *rest)
    return [
        Row(test.name, test.clause, _short(test.look(server, shown)), _said(results[test]))
        if test in results
        else Row(test.name, test.clause, "", _NOT_REACHED)
        for test in table
    ]


def _said(result: Result) -> str:
    if result is None:
        return "passes"
    return IGNORED if result == IGNORED else f"declined: {_status(result)}"


def _status(answer: Answer) -> str:
    return f"{answer.status} {phrase(answer.status)}".rstrip()


def _ending(server: Server, decision: Switch | Answer, shown: RequestHead | None = None) -> list[Row]:
    if isinstance(decision, Answer) and shown is not None:  # the reason may quote the request
        again = _decided(server, shown)
        decision = decision._replace(reason=again.reason if isinstance(again, Answer) else "")
    if isinstance(decision, Switch):
        row = Row("the decision", "RFC 9110, 15.2.2", f"switch to {decision.protocol}", "101 Switching Protocols")
    else:
        row = Row("the decision", "RFC 9110, 15", _short(decision.reason.partition("\n")[0]), _status(decision))
    spoilt = Row("the faults asked for", "", ", ".join(server.faults), "made in the answer")
    return [row, spoilt] if server.faults else [row]


def _short(text: str) -> str:
    shown = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in masked_words(text))
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
