"""A message of zeros, deflated by hand: zlib inflates it, and websockets takes it for a message."""

from __future__ import annotations

import zlib

import pytest

import labkit
from labkit.errors import WrongUse
from labkit.parties.stream import Stream
from labkit.trace import Direction
from labkit.wire.deflate import deflated_zeros
from labkit.wire.websocket import BINARY, SAMPLE_MASK, close_payload, frame

SIZES = [1, 2, 257, 258, 259, 260, 516, 517, 5000, 10_000_000]


@pytest.mark.parametrize("size", SIZES)
def test_it_inflates_to_that_many_zeros(size: int):
    """With the four bytes that the sender left off, it is a DEFLATE stream of so many zeros (RFC 7692, 7.2.2)."""
    assert zlib.decompressobj(-15).decompress(deflated_zeros(size) + b"\0\0\xff\xff") == bytes(size)


def test_it_is_as_small_as_zlib_makes_it():
    """Ten million zeros are about as many bytes as zlib's best needs: the table is right, and the codes are short."""
    best = zlib.compressobj(9, zlib.DEFLATED, -15)
    theirs = best.compress(bytes(10_000_000)) + best.flush(zlib.Z_SYNC_FLUSH)
    assert len(deflated_zeros(10_000_000)) < 1.05 * len(theirs)


@pytest.mark.parametrize("size", [0, -1, 1.0, True, "9", 1 << 40])
def test_a_size_is_a_number_of_bytes(size: object):
    """What is no size, or far too large a one, is told so."""
    with pytest.raises(WrongUse, match="size is a whole number of bytes"):
        deflated_zeros(size)  # type: ignore[arg-type]


@pytest.mark.parametrize(("most", "code"), [(1 << 16, 1009), (16 << 20, 1000)])
def test_a_limit_holds_for_what_comes_out(most: int, code: int):
    """A server ends a message with 1009 where it grows beyond the limit as it is inflated (RFC 6455, 7.4.1, 10.4)."""
    bomb = frame(BINARY, deflated_zeros(10_000_000), rsv=4, mask=SAMPLE_MASK)
    taken: list[int] = []

    async def weigh(stream: Stream) -> None:
        taken.append(len(await stream.receive()))

    server = labkit.Server(protocols={"websocket": weigh}, limits=labkit.Limits(message=most))
    offer = labkit.Offer.websocket(deflate=True)
    trace = labkit.simulate(labkit.Scenario(offer, lambda stream: stream.send_bytes(bomb), server=server))
    assert taken == ([10_000_000] if code == 1000 else [])
    assert close_payload(code) in trace.stream(Direction.TO_CLIENT)
