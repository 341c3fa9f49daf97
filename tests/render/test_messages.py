from __future__ import annotations

from labkit.dissection import dissect
from labkit.render.messages import Kind, messages, units
from labkit.trace import Trace
from labkit.wire.websocket import BINARY, CLOSE, CONTINUATION, PING, TEXT, frame
from tests.render.exchanges import ASK, BAD_KEY, REPLY, REQUEST, asked, echo, switched, talk

UPGRADE = b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: own\r\nConnection: Upgrade\r\n\r\n"
AGREED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: own\r\nConnection: Upgrade\r\n\r\n"


def kinds(trace, way):
    view = dissect(trace).hops[0]
    return [str(message.kind) for message in messages(view, way)]


def pieces(body: bytes) -> list[bytes]:
    view = dissect(Trace(tuple(talk(UPGRADE + body, AGREED)))).hops[0]
    return [view.data[ASK][message.start : message.end] for message in messages(view, ASK)][1:]


def test_heads_content_and_frames_are_messages():
    """Every part is one message, and every frame of a part."""
    assert kinds(echo(b"a", b"b"), ASK) == ["request", "frame", "frame", "frame"]
    assert kinds(Trace(tuple(talk(REQUEST, BAD_KEY))), REPLY) == ["answer", "content"]


def test_bytes_that_no_exchange_explains_are_messages_too():
    """Garbage in place of an answer belongs to its exchange."""
    view = dissect(Trace(tuple(talk(REQUEST, b"what?")))).hops[0]
    only = messages(view, REPLY)[0]
    assert (only.kind, only.exchange) == (Kind.BYTES, 0)


def test_text_after_the_seam_is_cut_into_lines():
    """Printable text is cut behind each line feed; the last line may lack one."""
    assert pieces(b"one\r\ntwo\nthree") == [b"one\r\n", b"two\n", b"three"]
    assert pieces("süß\nñ\n".encode()) == ["süß\n".encode(), "ñ\n".encode()]


def test_other_bytes_after_the_seam_stay_whole():
    """A control character, or bytes that are no UTF-8, leave everything in one piece."""
    assert pieces(b"one\ntwo\x00\n") == [b"one\ntwo\x00\n"]
    assert pieces(b"one\n\xff\n") == [b"one\n\xff\n"]


def test_fragments_are_gathered_into_whole_messages():
    """A unit reaches from the first to the last fragment; a control frame between them is its own."""
    asks = (
        asked(TEXT, b"He", fin=False) + asked(PING, b"p") + asked(CONTINUATION, b"y") + asked(BINARY, b"x", fin=False)
    )
    view = dissect(switched(asks, frame(CLOSE))).hops[0]
    found = units(view, ASK, messages(view, ASK), 10)
    assert [(unit.first, unit.last, unit.opcode, unit.content) for unit in found] == [
        (12, 12, PING, b"p"), (11, 13, TEXT, b"Hey"), (14, 14, BINARY, b"x"),
    ]  # fmt: skip


def test_before_a_switch_there_are_no_units():
    """Only what follows the seam is linked as messages."""
    view = dissect(Trace(tuple(talk(REQUEST, BAD_KEY)))).hops[0]
    assert units(view, ASK, messages(view, ASK), 0) == []
