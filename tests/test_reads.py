"""How the reads of an answer fall, and what a reader makes of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import labkit
from labkit.errors import WrongUse
from labkit.reads import Kind, Seam, mended, naive

GREETING = labkit.simulate(labkit.Scenario(say=[], server=labkit.Server(faults=["early-frame"])))
SEAM = Seam.of(GREETING)
PLACES = st.lists(st.sampled_from(SEAM.places))


def test_the_seam_is_behind_the_blank_line():
    """The bytes of the new protocol begin right behind the empty line of the 101 (RFC 9110, 15.2.2)."""
    assert SEAM.head.endswith(b"\r\n\r\n")
    assert SEAM.frame == b"\x81\x05early"


@given(PLACES)
def test_the_reads_are_the_bytes(places: list[int]):
    """Wherever it is cut, the reads joined are the bytes, and none of them is empty."""
    reads = SEAM.cut(*places)
    assert b"".join(reads) == SEAM.data
    assert all(reads)
    assert len(reads) <= len(set(places)) + 1


@given(PLACES)
def test_the_mended_reader_loses_nothing(places: list[int]):
    """What stands behind the seam is handed on whole, however the reads fall."""
    assert SEAM.read(mended, *places).kind is Kind.ALL


def test_the_naive_reader_is_right_at_one_place():
    """It hands on the frame where the first read ends at the seam, and nowhere else."""
    every = SEAM.every(naive)
    assert [place for place, reading in zip(SEAM.places, every, strict=True) if reading.kind is Kind.ALL] == [SEAM.at]
    torn = [place for place, reading in zip(SEAM.places, every, strict=True) if reading.kind is Kind.TORN]
    assert torn == list(range(SEAM.at + 1, len(SEAM.data)))


@pytest.mark.parametrize(
    ("reader", "words"),
    [
        (lambda recv: "text", "it returned str, not bytes"),
        (lambda recv: 1 / 0, "ZeroDivisionError"),
        (lambda recv: [recv() for _ in iter(int, 1)], "EOFError: it read 100 times behind the end"),
    ],
)
def test_a_reader_that_fails_is_told(reader: object, words: str):
    """Whatever a reader raises is told in a line; one that reads on for ever is stopped."""
    reading = SEAM.read(reader, 5)
    assert reading.kind is Kind.FAILED
    assert words in reading.problem


def test_other_bytes_are_wrong():
    """Bytes that do not stand behind the seam are no frame that was lost in part."""
    assert SEAM.read(lambda recv: b"xyz", 5).kind is Kind.WRONG


@pytest.mark.parametrize("place", [0, -1, 137, "5", True, 1.0])
def test_a_place_that_is_none_is_refused(place: object):
    """A cut lies within the bytes, or at their end."""
    with pytest.raises(WrongUse, match="1 to 136"):
        SEAM.cut(place)


@pytest.mark.parametrize("trace", [labkit.Trace(), labkit.simulate(labkit.Scenario(labkit.Offer.bare())), "x"])
def test_a_trace_without_a_frame_has_no_seam(trace: object):
    """Where no frame stands behind a 101 it is said what to do."""
    with pytest.raises(WrongUse, match="trace"):
        Seam.of(trace)
