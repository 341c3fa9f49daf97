from dataclasses import replace

import pytest

from labkit.cases.outcome import CLOSING, GOT, SAW, Difference, differences, outcome
from labkit.parties.offer import Offer
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.variations.marking import SIGNS, marked
from labkit.wire.websocket import SAMPLE_MASK, TEXT, frame

WHOLE = outcome(simulate(Scenario()))


@pytest.mark.parametrize(
    ("difference", "mark"),
    [
        (Difference(SAW, "user-agent", "curl/8", ""), "added"),
        (Difference(SAW, "user-agent of head 2", "curl/8", ""), "added"),
        (Difference(SAW, "accept", "*/*", ""), "differs"),
        (Difference(GOT, "user-agent", "curl/8", ""), "differs"),
        (Difference(SAW, "sec-websocket-key", "a", "b"), "drawn anew"),
        (Difference(GOT, "sec-websocket-accept", "a", "b"), "drawn anew"),
        (Difference(GOT, "sec-websocket-accept", "", "b"), "differs"),
        (Difference(CLOSING, "who", "client", "proxy"), "left out"),
    ],
)
def test_what_the_client_does_by_itself_is_marked(difference, mark):
    """Lines that a program adds, keys that it draws and messages that it does not say speak against no prediction."""
    found = marked([difference], WHOLE, WHOLE, "curl", ("User-Agent: curl/…", "another order"), ("the messages",))
    assert [row.mark for row in found] == [mark]
    assert bool(found[0].why) == (mark != "differs")
    assert [row.mark for row in marked([difference], WHOLE, WHOLE)] == ["differs"]


def test_messages_that_a_program_cannot_say_are_left_out():
    """A client that says nothing after the switch speaks against no prediction; the lab's own would."""
    silent = replace(WHOLE, carried=(b"",) * 4)
    for client, mark in (("curl", "left out"), ("lab", "differs")):
        rows = marked(differences(silent, WHOLE), silent, WHOLE, client, (), ("the messages",))
        assert [(row.mark, row.difference.observed) for row in rows] == [(mark, "")] * 4
        assert rows[0].difference.predicted == 'text "Hello", close 1000'


def test_what_speaks_against_the_prediction_comes_first():
    """Rows stand in the order of the signs."""
    rows = [Difference(SAW, "user-agent", "curl", ""), Difference(GOT, "start-line", "a", "b")]
    assert [row.mark for row in marked(rows, WHOLE, WHOLE, "curl", ("User-Agent: x",))] == ["differs", "added"]
    assert next(iter(SIGNS)) == "differs"


def test_masks_alone_are_no_difference_of_messages():
    """The same messages under other masks are told in words, and are drawn anew."""
    sent = WHOLE.carried[0]
    other = sent.replace(frame(TEXT, b"Hello", mask=SAMPLE_MASK), frame(TEXT, b"Hello", mask=b"abcd"))
    again = replace(WHOLE, carried=(other, *WHOLE.carried[1:]))
    [row] = marked(differences(again, WHOLE), again, WHOLE, "websockets")
    assert row.mark == "drawn anew"
    assert row.difference.observed == row.difference.predicted == 'text "Hello", close 1000'


def test_other_messages_differ_in_words():
    """Messages stand in the table as messages."""
    other = outcome(simulate(Scenario(say=["Bye"])))
    rows = marked(differences(other, WHOLE), other, WHOLE)
    assert {row.mark for row in rows} == {"differs"}
    assert rows[0].difference.observed == 'text "Bye", close 1000'


def test_a_tunnel_of_another_protocol_stays_bytes():
    """What is no WebSocket is told as it was."""
    one, other = (
        replace(outcome(simulate(Scenario(Offer.plain()))), carried=(data, b"", b"", b"")) for data in (b"a", b"b")
    )
    assert marked(differences(one, other), one, other)[0].difference.observed == "b'a'"
