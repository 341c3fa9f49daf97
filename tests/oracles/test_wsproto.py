"""wsproto, which shares no code with websockets, reads the same frames and compresses what comes out the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wsproto.extensions import PerMessageDeflate
from wsproto.frame_protocol import CloseReason, FrameProtocol, Opcode, ParseFailed

from labkit.dissection.deflate import deflate_of
from labkit.dissection.websocket import FramesPart
from labkit.trace import Direction
from labkit.wire.fields import Fields
from labkit.wire.websocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, close_payload, frame, scan


def part_of(data: bytes, way: Direction, extension: str = "") -> FramesPart:
    answer = Fields.of([("Sec-WebSocket-Extensions", extension)])
    return FramesPart(data, 0, len(data), scan(data), way, deflate_of(answer, way))


def read(data: bytes, *, client: bool) -> tuple[list, bool]:
    """Return the whole frames that wsproto reads, and whether it refused what came after them."""
    protocol = FrameProtocol(client=client, extensions=[])
    protocol.receive_bytes(data)
    found = []
    try:
        for each in protocol.received_frames():
            found.append(each)  # noqa: PERF402  what came before the refusal counts
    except ParseFailed:
        return found, True
    return found, False


payloads = st.one_of(
    st.just(b""),
    st.text("abc", max_size=9).map(str.encode),
    st.sampled_from(
        [close_payload(1000, "bye"), close_payload(3000), close_payload(1005), close_payload(999), b"\x03"]
    ),
    st.sampled_from([125, 126, 127, 65535, 65536]).map(bytes),
)


@st.composite
def frames(draw):
    """One frame, mostly well-formed, sometimes with a length form that is not the shortest."""
    opcode = draw(st.sampled_from([TEXT, TEXT, BINARY, CONTINUATION, PING, PONG, CLOSE, 0x3, 0xB]))
    # wsproto refuses text at its first wrong byte, labkit at the message's end: here text is text.
    payload = draw(payloads.filter(bytes.isascii) if opcode in (TEXT, CONTINUATION) else payloads)
    fin, rsv = draw(st.sampled_from([True, True, False])), draw(st.sampled_from([0] * 9 + [4, 2, 1]))
    mask = draw(st.sampled_from([b"\x00\x01\x02\xff"] * 9 + [b""]))
    if draw(st.integers(0, 9)) or len(payload) > 125:
        return frame(opcode, payload, fin=fin, rsv=rsv, mask=mask)
    length = draw(
        st.sampled_from([b"\xfe" + len(payload).to_bytes(2, "big"), b"\xff" + len(payload).to_bytes(8, "big")])
    )
    return frame(opcode, fin=fin, rsv=rsv)[:1] + length + bytes(4) + payload


@given(st.lists(frames(), min_size=1, max_size=6))
@settings(max_examples=500)
def test_verdict_on_any_row_of_frames(row):
    """Wsproto refuses a row of frames exactly where labkit names its first fault; before that, both read the same."""
    data = b"".join(row)
    theirs, refused = read(data, client=False)
    part = part_of(data, Direction.TO_SERVER)
    close = next((place for place, each in enumerate(part.frames) if each.opcode == CLOSE), len(part.frames))
    faulty = [place for place in range(len(part.frames)) if part.frame_span(place).faults()]
    first = min([place for place in faulty if place <= close], default=None)
    assert refused == (first is not None)
    for place, each in enumerate(theirs):
        ours = part.frames[place]
        assert (each.message_finished, each.opcode) == (ours.fin, message_opcode(part, place))
        if each.opcode is not Opcode.CLOSE:
            text = each.payload.encode() if isinstance(each.payload, str) else each.payload
            assert text == part.payload(place)
    if first is not None:
        assert len(theirs) == first


def message_opcode(part: FramesPart, place: int) -> int:
    """Return the opcode of the message that a frame is a fragment of: wsproto calls every fragment by it."""
    kinds = [each.opcode for each in part.frames[: place + 1]]
    data = [kind for kind in kinds if kind in (TEXT, BINARY)]
    return data[-1] if kinds[-1] == CONTINUATION else kinds[-1]


@given(st.integers(0, 65535), st.text(max_size=20))
def test_verdict_on_close_codes(code, reason):
    """A code is refused by wsproto where labkit names a fault, or where nobody has defined it yet (RFC 6455, 7.4.2)."""
    data = frame(CLOSE, close_payload(code, reason), mask=b"abcd")
    found, refused = read(data, client=False)
    faults = part_of(data, Direction.TO_SERVER).span().faults()
    undefined = 1000 <= code < 3000 and code not in set(CloseReason)
    assert refused == (bool(faults) or undefined or code == 1004)
    if not refused:
        assert found[0].payload == (code, reason)


messages = st.lists(
    st.lists(st.binary(max_size=30) | st.text("ab", max_size=3000).map(str.encode), min_size=1, max_size=3),
    min_size=1,
    max_size=4,
)


@given(messages, st.booleans(), st.integers(9, 15))
@pytest.mark.parametrize("client", [True, False])
def test_compressed_messages(client, sent, takeover, bits):
    """What wsproto compresses, whole or in fragments, inflates to the same message (RFC 7692, 7.2)."""
    side = "client" if client else "server"
    agreed = f"permessage-deflate; {side}_max_window_bits={bits}" + (
        "" if takeover else f"; {side}_no_context_takeover"
    )
    extension = PerMessageDeflate()
    extension.finalize(agreed)
    protocol = FrameProtocol(client=client, extensions=[extension])
    data = b"".join(
        protocol.send_data(part, fin=place == len(fragments) - 1)
        for fragments in sent
        for place, part in enumerate(fragments)
    )
    part = part_of(data, Direction.TO_SERVER if client else Direction.TO_CLIENT, agreed)
    assert part.faults == {}
    assert list(part.inflated.values()) == [b"".join(fragments) for fragments in sent]
