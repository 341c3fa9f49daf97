"""A container behind a switch to tcp: which stream an answer is on, and its length."""

from __future__ import annotations

from labkit.lessons.containers import STDERR, STDOUT, container
from labkit.parties.described import Server
from labkit.parties.offer import Offer
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Direction

OFFER = Offer.custom("tcp", "/containers/web/attach?stream=1&stdout=1&stderr=1").but(method="POST")


def heard(*said: bytes) -> bytes:
    trace = simulate(Scenario(OFFER, say=said, server=Server(protocols={"tcp": container})))
    return trace.stream(Direction.TO_CLIENT).partition(b"\r\n\r\n")[2]


def test_output_and_errors_are_told_apart():
    """Each answer is a frame: its stream, three zeros, its length, its bytes (Docker Engine API)."""
    out = bytes((STDOUT, 0, 0, 0, 0, 0, 0, 3)) + b"hi\n"
    assert heard(b"echo hi\n") == out
    assert heard(b"ls\necho hi\n") == bytes((STDERR, 0, 0, 0, 0, 0, 0, 18)) + b"sh: ls: not found\n" + out


def test_how_the_bytes_fall_does_not_matter():
    """Half a line waits for the other half."""

    async def halves(stream):
        await stream.send(b"ec")
        await stream.send(b"ho hi\n")
        await stream.receive(5)

    trace = simulate(Scenario(OFFER, say=halves, server=Server(protocols={"tcp": container})))
    assert trace.stream(Direction.TO_CLIENT).endswith(b"\3hi\n")


def test_a_line_without_an_end_is_ended():
    """What it keeps is bounded."""
    trace = simulate(Scenario(OFFER, say=[b"x" * 5000], server=Server(protocols={"tcp": container})))
    assert "at most 4096 bytes" in trace.note
