from __future__ import annotations

import re

import pytest

from labkit.cases.clients import MUST, AnswerCase, answers, keeps, spoke
from labkit.errors import WrongUse
from labkit.parties.offer import Offer
from labkit.parties.party import Ending
from labkit.trace import Direction, End, How, Trace, Transfer
from labkit.wire.upgrade import SAMPLE_KEY, accept_key
from tests.parties.driving import Asking

CASES = answers()


def case(**parts) -> AnswerCase:
    given = {"group": "any", "id": "any", "answer": "", "must": "open", "level": "MUST", "clause": "", "why": ""}
    return AnswerCase(**{**given, **parts})


def said(more: bytes = b"", *, closed: bool = False) -> Trace:
    sent = Transfer(0, Direction.TO_SERVER, Offer.websocket().to_bytes() + more)
    return Trace((sent, *([End(0, Direction.TO_SERVER, How.FIN)] if closed else [])))


def test_size():
    """The corpus for clients has at least 40 answers."""
    assert len(CASES) >= 40


def test_ids():
    """Each case has a name of its own, in kebab-case."""
    ids = [each.id for each in CASES]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", each) for each in ids)


@pytest.mark.parametrize("each", CASES, ids=lambda each: each.id)
def test_every_case_is_whole(each):
    """Every case says what a client must do, which clause decides, and why."""
    assert each.must in MUST
    assert each.level in ("MUST", "SHOULD", "choice")
    assert (each.must == "either") <= (each.level == "choice")
    assert re.match(r"RFC \d{4}, \d+(\.\d+)*( \(\d+\))?$", each.clause)
    assert each.why.endswith(".")
    assert each.asked.protocols == ("websocket",)
    assert b"{accept" not in each.to_bytes()


def test_accept():
    """The answer holds the Accept of the key that was sent."""
    assert accept_key("other").encode() in case(answer="{accept}").to_bytes("other")
    assert case(answer="{accept-swapped}").to_bytes() == accept_key(SAMPLE_KEY).swapcase().encode()


def test_unknown_offer():
    """An offer that there is not is refused by name."""
    with pytest.raises(WrongUse, match="'tea' is no offer"):
        _ = case(offer="tea").asked


@pytest.mark.parametrize(
    ("must", "frame", "closed", "kept"),
    [
        ("open", True, False, True),
        ("open", False, True, False),
        ("fail", False, True, True),
        ("fail", False, False, False),
        ("fail", True, True, False),
        ("decline", False, False, True),
        ("decline", True, False, False),
        ("either", True, True, True),
    ],
)
def test_verdict(must, frame, closed, kept):
    """Open asks for a frame, fail for none and a close, decline for none; either takes both."""
    trace = said(b"\x81\x80\x00\x00\x00\x00" if frame else b"", closed=closed)
    assert keeps(case(must=must), trace) is kept
    assert spoke(trace, Offer.websocket()) is frame


@pytest.mark.parametrize("each", CASES, ids=lambda each: each.id)
def test_the_client_keeps_it(each):
    """The lab's own client does with every answer what it must."""
    client = Asking(each.asked)
    client.feed(each.to_bytes())
    if each.end:
        client.eof()
    ended = () if client.party.ending is Ending.NOT_YET else (End(0, Direction.TO_SERVER, How.FIN),)
    assert keeps(each, Trace((Transfer(0, Direction.TO_SERVER, client.said), *ended)))
