from __future__ import annotations

import pytest

from labkit.dissection import dissect
from labkit.dissection.frames import FrameFault
from labkit.rules import check
from labkit.trace import Cut, Direction, End, How, Trace, Transfer
from labkit.wire.websocket import CLOSE, PING, PONG, SAMPLE_MASK, TEXT, close_payload, frame
from tests.rules import examples_closing, examples_frames
from tests.rules.examples_frames import AGREED, HELLO, OFFER, TEXTS, said
from tests.rules.traces import ANSWER, BYE, REQUEST, changed, masked, switched

HEADS = (Transfer(0, Direction.TO_SERVER, REQUEST), Transfer(0, Direction.TO_CLIENT, ANSWER))


def test_every_fault_of_a_frame_has_a_rule():
    """Whatever the dissection calls wrong with a frame, a rule calls wrong, too; bytes that are cut off break none."""
    shown = {FrameFault.UNDEFINED_CODE}
    for example in (*examples_frames.EXAMPLES.values(), *examples_closing.EXAMPLES.values()):
        for way in Direction:
            part = dissect(example.breaks).hops[0].frames(way)
            shown |= {fault for faults in part.faults.values() for fault in faults} if part else set()
    assert shown == set(FrameFault) - {FrameFault.SHORT_HEADER}
    assert check(said(TEXTS[:-1])).ids == ()
    assert check(said(masked(CLOSE, close_payload(1004)))).ids == ("X35",)


def test_the_sample_mask_is_worth_a_note():
    """The masking key of RFC 6455's own example (5.7) is no fault in a lab."""
    found = check(said(masked(TEXT, b"Hello", mask=SAMPLE_MASK)))
    assert (found.found, [note.rule.id for note in found.notes]) == ((), ["X01"])


def test_a_frame_may_break_several_rules():
    """A frame that hides nothing has all its faults found: no mask, a reserved bit, a reserved opcode."""
    assert {*check(said(frame(3, b"Hello", rsv=1))).ids} == {"X01", "X04", "X16"}


BAD = frame(TEXT, b"Hello")


@pytest.mark.parametrize(
    "turns",
    [
        (("c", BAD), ("s", frame(TEXT, b"another"))),  # it may have been on its way
        (("s", frame(TEXT, b"Hello")), ("c", BAD)),  # it came before
        (("c", TEXTS + BAD), ("s", frame(TEXT, b"Hello"))),  # the answer to the good one
        (("c", BAD), ("c", masked(CLOSE, BYE)), ("s", frame(CLOSE, BYE))),  # both may have begun to close
        (("c", BAD), ("s", frame(TEXT, b"Hello")), ("s", frame(CLOSE, close_payload(1002)))),
    ],
)
def test_what_does_not_prove_that_a_server_went_on(turns):
    """A server is blamed for a wrong frame only where it answered what came with it or later."""
    assert "X02" not in check(switched(*turns, ends="")).ids


def test_one_proof_is_enough():
    """However many wrong frames were taken, a recipient is told once."""
    turns = (("c", BAD + BAD), ("s", BAD + BAD))
    assert [each.rule.id for each in check(switched(*turns, ends=""))].count("X02") == 1


def test_another_extension_is_left_alone():
    """What bits and opcodes mean in an extension that is not known here cannot be judged (RFC 6455, 5.8)."""
    old, new = "permessage-deflate", "x-other"
    heads = {"request": changed(OFFER, old, new), "answer": changed(AGREED, old, new)}
    assert check(switched(("c", masked(3, b"\xff", rsv=7)), **heads)).ids == ()


PINGED = ("c", masked(PING, b"1") + masked(PING, b"2", mask=b"\x09\x08\x07\x06") + TEXTS)
BYES = examples_closing.BYES


@pytest.mark.parametrize(
    ("turns", "broken"),
    [
        ((PINGED, ("s", frame(PONG, b"2")), HELLO, *BYES), ()),
        ((PINGED, ("s", frame(PONG, b"1")), HELLO, *BYES), ("X08",)),
        ((PINGED, *BYES), ()),  # the server may have closed before it came
        ((("c", TEXTS), HELLO, ("c", BYES[0][1] + masked(PING, b"1")), BYES[1]), ()),
        ((("s", frame(PONG, b"alive")), *BYES), ()),
    ],
)
def test_pongs(turns, broken):
    """The latest Ping is answered, unless a Close came before it (RFC 6455, 5.5.2, 5.5.3)."""
    assert check(switched(*turns)).ids == broken


def test_a_recording_that_lacks_bytes_shows_no_absence():
    """Where bytes were not kept, a Close or a Pong may be among them."""
    events = (
        *HEADS, Transfer(0, Direction.TO_SERVER, masked(CLOSE, BYE)), Cut(0, Direction.TO_CLIENT, 4),
        End(0, Direction.TO_CLIENT, How.FIN), End(0, Direction.TO_SERVER, How.FIN),
    )  # fmt: skip
    assert check(Trace(events)).ids == ()
    assert check(Trace((*events[:3], *events[4:]))).ids == ("X09",)


def test_a_close_after_the_end_of_the_other_side_needs_no_answer():
    """Who has closed its direction cannot send a Close any more."""
    ends = End(0, Direction.TO_CLIENT, How.FIN), End(0, Direction.TO_SERVER, How.FIN)
    assert check(Trace((*HEADS, ends[0], Transfer(0, Direction.TO_SERVER, masked(CLOSE, BYE)), ends[1]))).ids == ()


def test_a_client_that_never_spoke_may_have_failed_the_connection():
    """Before the connection is established, a client fails it without any Close (RFC 6455, 7.1.7)."""
    wrong = changed(ANSWER, "Accept: ", "Accept: A")
    bye = ("s", frame(CLOSE, BYE))
    assert "X09" not in check(switched(bye, answer=wrong)).ids
    assert "X09" in check(switched(HELLO, ("c", TEXTS), bye)).ids


def test_a_client_need_not_wait_for_ever():
    """Where the server takes long, a client may close the TCP connection first (RFC 6455, 7.1.1)."""
    for late, broken in ((0.0, ("X33",)), (5.0, ())):
        ends = End(0, Direction.TO_SERVER, How.FIN, late), End(0, Direction.TO_CLIENT, How.FIN, late)
        closes = (
            Transfer(0, Direction.TO_SERVER, masked(CLOSE, BYE)), Transfer(0, Direction.TO_CLIENT, frame(CLOSE, BYE)),
        )  # fmt: skip
        assert check(Trace((*HEADS, *closes, *ends))).ids == broken
