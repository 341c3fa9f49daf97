from __future__ import annotations

import re

import pytest

from labkit.errors import WrongUse
from labkit.parties.client_faults import CLIENT_FAULTS, check_client_faults
from labkit.parties.described import Server
from labkit.parties.offer import Offer
from labkit.rules import find
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Direction


async def greeted(stream):
    """Say the first message back; give up where none comes."""
    await stream.send(await stream.receive(1.0))


def said(faults: tuple[str, ...], fault: str) -> tuple[bytes, str]:
    """Return what a client that makes these faults says after its offer, and the note of the trace."""
    offer = Offer.websocket().wrong(*faults)
    trace = simulate(Scenario(offer, say=greeted, server=Server(faults=(fault,))))
    return trace.stream(Direction.TO_SERVER)[len(offer.to_bytes()) :], trace.note


def test_what_comes_with_the_101_can_be_lost():
    """A client that throws away what it read behind the 101 waits for the first message in vain; a right one has it."""
    assert "no message came within 1 s" in said(("loses-early",), "early-frame")[1]
    assert said((), "early-frame")[1] == "simulated"


def test_the_first_answer_can_be_taken_for_the_final_one():
    """A client that does not read on past a 103 gives up; a 101 that comes first it takes as ever."""
    assert said(("first-answer",), "interim=103") == (b"", "simulated; the server did not switch: HTTP 103")
    assert said(("first-answer",), "early-frame")[1] == "simulated"


@pytest.mark.parametrize("name", CLIENT_FAULTS)
def test_every_fault_of_a_client_names_its_rule(name):
    """A fault says what it does, and names a rule that there is."""
    fault = CLIENT_FAULTS[name]
    assert find(fault.rule).id == fault.rule
    assert fault.does[0].islower()
    assert Offer.websocket().wrong(name).to_bytes() == Offer.websocket().to_bytes()


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ("loses-early", "is a list of names"),
        (5, "is a list of names"),
        (["deaf"], "there are loses-early, first-answer"),
    ],
)
def test_faults_that_are_none(names, told):
    """Names that are none, and no list of names, are refused in one line; a name twice counts once."""
    with pytest.raises(WrongUse, match=re.escape(told)):
        Offer(faults=names)
    assert check_client_faults(["loses-early", "loses-early"]) == ("loses-early",)
