"""The core against the one it completes: where websockets is right, both say the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Opcode
from websockets.protocol import Protocol, Side

from labkit.parties.clocks import lab_masks
from labkit.parties.core import Core
from labkit.wire.websocket import frame
from tests.parties.driving import BINARY, CONTINUATION, PING, TEXT, asked, closing


def ours(*reads: bytes) -> bytes:
    core, said = Core(Side.SERVER, 1 << 20, 100), b""
    for data in reads:
        core.receive_data(data)
        for event in core.events_received():
            if isinstance(event, tuple) or event.opcode in (Opcode.PING, Opcode.CLOSE):
                core.answer(event)
        said += b"".join(core.data_to_send())
    return said


def theirs(*reads: bytes) -> bytes:
    core, said = Protocol(Side.SERVER, max_size=1 << 20), b""
    for data in reads:
        core.receive_data(data)
        said += b"".join(core.data_to_send())
    return said


FRAMES = [
    asked(TEXT, b"a"), asked(BINARY, bytes(200)), asked(PING, b"p"), asked(TEXT, b"b", fin=False),
    asked(CONTINUATION, b"c"), asked(3), asked(TEXT, b"x", rsv=2), b"\x81\x01a", asked(PING, fin=False),
]  # fmt: skip


@given(st.lists(st.sampled_from(FRAMES), max_size=8), st.sampled_from([b"", closing(), closing(3000, "bye")]))
def test_frames_are_answered_as_websockets_does(frames, end):
    """Pings, Closes and broken frames get the very bytes that websockets' own core answers."""
    if sum(each in FRAMES[3:5] for each in frames) and end:
        end = b""  # a Close inside a message is what they differ on
    raw = b"".join(frames) + end
    assert ours(raw) == theirs(raw)
    assert ours(*(raw[place : place + 1] for place in range(len(raw)))) == ours(raw)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 100_000])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_masking_keys_come_from_the_caller(size, opcode):
    """A client's frames carry the keys it was given, and every length form is right (RFC 6455, 5.2, 5.3)."""
    core = Core(Side.CLIENT, 1 << 20, 100, lab_masks())
    (core.send_text if opcode == TEXT else core.send_binary)(b"a" * size)
    assert core.writes == [frame(opcode, b"a" * size, mask=next(lab_masks()))]
    assert core.unsent == len(core.writes[0])


@pytest.mark.parametrize("reads", [1, 7, 10_000])
def test_what_follows_a_failure_is_not_read(reads):
    """After a failure nothing more is understood, however it comes (RFC 6455, 7.1.7)."""
    raw = asked(TEXT, b"a" * 20) + asked(PING, b"p") * 3
    core = Core(Side.SERVER, 10, 100)
    for at in range(0, len(raw), reads):
        core.receive_data(raw[at : at + reads])
    assert core.events == [(1009, "a message is at most 10 bytes long here")]
