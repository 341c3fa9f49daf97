from __future__ import annotations

import pytest

from labkit.cases.seen import CUT, WORKS, Seen, close_code, heard, unmet
from labkit.dissection import dissect
from labkit.parties.described import Server
from labkit.parties.offer import Offer
from labkit.parties.stream import echo
from labkit.scenario import Scenario
from labkit.simulation import simulate


async def closes_without_a_code(stream):
    await stream.close(None)


async def hangs_up(stream):
    await stream.hang_up()


def served(handler) -> Scenario:
    return Scenario(server=Server(protocols={"websocket": handler}))


def test_a_right_exchange_works():
    """The switch, the echo and a closing in good order are what it is to work."""
    assert unmet(WORKS, simulate(Scenario())) == ()


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (Seen(426), "the answer is 101, not 426"),
        (Seen(None), "the answer is 101, not none"),
        (Seen(101, ()), "the client hears 'Hello', not nothing"),
        (Seen(101, ("a", "b")), "the client hears 'Hello', not 'a', 'b'"),
        (Seen(101, closes=1001), "the close code is 1000, not 1001"),
        (Seen(101, rules=("W24",)), "W24 is not found: A server that accepts"),
        (Seen(101, spared=("W09",)), "W09 is found: "),
    ],
)
def test_what_is_not_seen_is_told(seen, told):
    """Each thing that a trace does not show is told in words."""
    (text,) = unmet(seen, simulate(Scenario()))
    assert text.startswith(told)


def test_what_must_be_seen_is_told():
    """What must be seen reads as a sentence."""
    assert str(WORKS) == "the answer is 101; the client hears 'Hello'; the close code is 1000"
    assert str(Seen(None, rules=("G43",))) == "there is no answer; G43 is found"


@pytest.mark.parametrize(
    ("scenario", "code"),
    [
        (Scenario(), 1000),
        (served(closes_without_a_code), 1005),
        (served(hangs_up), CUT),
        (Scenario(server=Server(decline=403)), None),
        (Scenario(Offer.custom("quote"), server=Server(protocols={"quote": echo})), None),
    ],
)
def test_close_codes(scenario, code):
    """The code is that of the server's Close; 1005 and 1006 are what a program is told where there is none."""
    assert close_code(dissect(simulate(scenario)).hops[0]) == code


def test_what_other_protocols_say_is_one_text():
    """Where there are no frames, all that came behind the 101 is one text; without a 101 there is none."""
    trace = simulate(Scenario(Offer.custom("quote"), ["a", "b"], server=Server(protocols={"quote": echo})))
    assert heard(dissect(trace).hops[0]) == ("ab",)
    assert heard(dissect(simulate(Scenario(server=Server(decline=403)))).hops[0]) == ()
