"""The short way against the core's: the same messages, answers and failures for any bytes and any cut."""

from contextlib import nullcontext
from itertools import pairwise
from unittest.mock import PropertyMock, patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.frames import Frame
from websockets.protocol import Side

from labkit.parties.core import Core
from labkit.parties.party import Driver
from labkit.parties.websocket import WebSocket
from labkit.wire.websocket import frame
from tests.parties.driving import BINARY, CONTINUATION, PING, TEXT, asked, closing

LIMIT = 300


def heard(reads, *, short):
    """Return what waits for the handler and what was answered after each read, and after the end."""
    seen = []
    with nullcontext() if short else patch.object(Core, "plain", PropertyMock(return_value=False)):
        party = WebSocket(
            Driver(lambda: 0.0, lambda coroutine: coroutine.close()), lambda: Core(Side.SERVER, LIMIT, 9), 2.0
        )
        party._running = True
        for data in [*reads, None]:
            if data is None:
                party.receive_eof()
            else:
                party.receive(data)
            queue = [
                (each.opcode, bytes(each.data), each.fin) if isinstance(each, Frame) else each for each in party._queue
            ]
            seen.append((queue, party.outgoing(), party.ending, party.failure, party.full, party.over))
    return seen


def long_form(opcode, payload, width):
    """Return a client's frame whose length takes more bytes than it needs."""
    code = {2: 126, 8: 127}[width]
    return bytes((0x80 | opcode, 0x80 | code)) + len(payload).to_bytes(width, "big") + bytes(4) + payload


FRAMES = st.one_of(
    st.builds(asked, st.sampled_from([TEXT, BINARY]), st.sampled_from([b"", b"a", "é€😀".encode(), bytes(126), bytes(LIMIT)])),
    st.sampled_from([
        asked(PING, b"p"), asked(TEXT, b"a", fin=False), asked(CONTINUATION, b"b"), asked(3), asked(TEXT, b"x", rsv=4),
        asked(TEXT, b"\xff"), asked(TEXT, "é".encode()[:1]), frame(TEXT, b"unmasked"), asked(BINARY, bytes(LIMIT + 1)),
        long_form(TEXT, b"a", 2), long_form(BINARY, b"a", 8), bytes.fromhex("82ff8000000000000000"), closing(), closing(3000, "bye"),
    ]),
    st.binary(max_size=12),
)  # fmt: skip


@given(st.lists(FRAMES, max_size=6), st.lists(st.integers(0, 1500), max_size=8))
@example([asked(BINARY, bytes(LIMIT + 1))], [4])  # too long is said as soon as the length is there, before the key
def test_both_ways_say_the_same(frames, cuts):
    """Whatever comes and however reads fall, after each of them the same is there, in the same order."""
    raw = b"".join(frames)
    places = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    reads = [raw[one:other] for one, other in pairwise(places) if one < other]
    assert heard(reads, short=True) == heard(reads, short=False)


@given(st.lists(FRAMES, max_size=3))
def test_one_byte_at_a_time(frames):
    """Read a byte at a time, both ways say the same, too."""
    reads = [bytes((each,)) for each in b"".join(frames)]
    assert heard(reads, short=True) == heard(reads, short=False)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536])
@pytest.mark.parametrize("message", ["a", b"a"])
def test_a_message_goes_out_in_the_shortest_form(size, message):
    """What the server sends the short way is the frame that the lab's own codec writes (RFC 6455, 5.2)."""
    core = Core(Side.SERVER, 1 << 20, 9)
    core.send_whole(message * size)
    assert core.writes == [frame(TEXT if message == "a" else BINARY, b"a" * size)]
    assert core.unsent == len(core.writes[0])
