from __future__ import annotations

import json
import zlib

import pytest

from labkit.bench.sent import DIFFERENT, deflated, framed, numbers, texts
from labkit.dissection import dissect
from labkit.trace import Direction, Trace, Transfer


@pytest.mark.parametrize("size", [1, 19, 20, 64, 1024, 1 << 20])
def test_messages_are_of_their_size_and_differ(size: int) -> None:
    """Each message has exactly the size that was asked for, and no two that take turns are the same."""
    for made in (texts(size), numbers(size)):
        assert {len(each) for each in made} == {size}
        assert len(set(made)) == DIFFERENT
    if size >= 64:
        assert [json.loads(each)["n"] for each in texts(size)] == list(range(DIFFERENT))


def test_texts_can_be_compressed_and_numbers_cannot() -> None:
    """What compression brings depends on what is sent: both kinds are there."""
    assert len(zlib.compress(texts(16384)[0])) < 8192
    assert len(zlib.compress(numbers(16384)[0])) > 16384


@pytest.mark.parametrize(
    "made", [framed(64, text=True, masked=True), framed(64, text=False, masked=True), deflated(64)]
)
def test_frames_of_the_client_are_right(made: tuple[bytes, ...]) -> None:
    """The lab's own dissector finds whole masked frames, one a message."""
    begun = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    answer = b"HTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    ask, reply = Direction.TO_SERVER, Direction.TO_CLIENT
    trace = Trace((Transfer(0, ask, begun), Transfer(0, reply, answer), Transfer(0, ask, b"".join(made))))
    part = dissect(trace).hops[0].frames(ask)
    assert part is not None
    assert len(part.frames) == DIFFERENT
