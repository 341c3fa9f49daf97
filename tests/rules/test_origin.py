from __future__ import annotations

import pytest

from labkit.rules import check
from labkit.trace import Hop
from labkit.wire.websocket import PING, PONG, TEXT, frame
from tests.rules.traces import ANSWER, REQUEST, changed, crossed, masked, without

PROXY = (Hop("client", "proxy"), Hop("proxy", "server"))
BAD = changed(REQUEST, "Version: 13", "Version: 8")
WRONG = changed(ANSWER, "Accept: ", "Accept: A")
SWITCH = (("c", REQUEST), ("c1", REQUEST), ("s1", ANSWER), ("s", ANSWER))
BARE = frame(TEXT, b"Hello")

RELAYED = [
    # the rule, what was recorded, the hop that is blamed, the party
    ("W11", (("c", BAD), ("c1", BAD), ("s1", ANSWER), ("s", ANSWER)), 0, "client"),
    ("W11", (("c", REQUEST), ("c1", BAD), ("s1", ANSWER), ("s", ANSWER)), 1, "proxy"),
    ("W31", (("c", REQUEST), ("c1", REQUEST), ("s1", WRONG), ("s", WRONG)), 1, "server"),
    ("W31", (("c", REQUEST), ("c1", REQUEST), ("s1", ANSWER), ("s", WRONG)), 0, "proxy"),
    ("X01", (*SWITCH, ("c", BARE), ("c1", BARE)), 0, "client"),
    ("X01", (*SWITCH, ("c", masked(TEXT, b"Hello")), ("c1", BARE)), 1, "proxy"),
    ("X02", (*SWITCH, ("c", BARE), ("c1", BARE), ("s1", BARE), ("s", BARE)), 1, "server"),
    (
        "X14",
        (
            *SWITCH,
            ("s1", masked(PING, b"?")),
            ("s", masked(PING, b"?")),
            ("c", masked(PONG, b"?")),
            ("c1", masked(PONG, b"?")),
        ),
        0,
        "client",
    ),
]


@pytest.mark.parametrize(("name", "turns", "hop", "party"), RELAYED)
def test_who_made_a_mistake_is_blamed(name, turns, hop, party):
    """Of the same bytes on two hops, those of the party that made them are found, and no copy."""
    found = [each for each in check(crossed(*turns, hops=PROXY, ends="")) if each.rule.id == name]
    assert [(each.hop, each.party) for each in found] == [(hop, party)]


def test_what_a_proxy_has_to_take_out_is_not_missed():
    """Upgrade and Connection are for the next party alone: behind a proxy they may be gone (RFC 9110, 7.6.1)."""
    bare = without(without(REQUEST, "Upgrade"), "Connection")
    declined = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
    found = check(crossed(("c", REQUEST), ("c1", bare), ("s1", declined), ("s", declined), hops=PROXY))
    assert not {"W07", "W08"} & {*found.ids}


def test_a_key_that_is_passed_on_is_no_second_use():
    """The same key on two hops of one way is one handshake (RFC 6455, 4.1 (7))."""
    assert "W09" not in check(crossed(*SWITCH, hops=PROXY)).ids
