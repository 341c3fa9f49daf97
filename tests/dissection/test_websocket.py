from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.dissection import websocket as module
from labkit.dissection.deflate import BROKEN, Deflate
from labkit.dissection.frames import FrameFault
from labkit.dissection.websocket import FramesPart, shown
from labkit.trace import Direction
from labkit.wire.websocket import (
    BINARY,
    CLOSE,
    CLOSE_CODES,
    CONTINUATION,
    PING,
    PONG,
    SAMPLE_MASK,
    TEXT,
    close_payload,
    frame,
    scan,
)


def part(data: bytes, *, to_server: bool = False, deflate: Deflate | None = None) -> FramesPart:
    way = Direction.TO_SERVER if to_server else Direction.TO_CLIENT
    return FramesPart(data, 0, len(data), scan(data), way, deflate)


def leaves(data: bytes, **options) -> list[tuple[str, bytes]]:
    return [(leaf.label, data[leaf.start : leaf.end]) for leaf in part(data, **options).span().leaves()]


def deflated(message: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return (stream.compress(message) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]


HELLO = "f248cdc9c90700"  # "Hello" (RFC 7692, 7.2.3.1)
COMPRESSED = frame(TEXT, bytes.fromhex(HELLO), rsv=4)


def test_leaves_of_a_masked_frame():
    """Two header bytes, the extended length, the masking key and the payload are told apart (RFC 6455, 5.2)."""
    payload = b"x" * 126
    data = frame(TEXT, payload, mask=SAMPLE_MASK)
    assert [(label, raw) for label, raw in leaves(data, to_server=True)][:-1] == [
        ("FIN, RSV, opcode", b"\x81"),
        ("MASK, length", b"\xfe"),
        ("extended length", b"\x00\x7e"),
        ("masking key", SAMPLE_MASK),
    ]
    assert part(data, to_server=True).payload(0) == payload


@pytest.mark.parametrize("data", [frame(TEXT, rsv=5, fin=False, mask=SAMPLE_MASK), b"\x0f\x7f", b"\xff"])
def test_bit_fields_are_the_bits_of_their_byte(data):
    """The bit fields of a header byte, joined, are its eight bits."""
    for leaf in part(data).span().leaves():
        if leaf.bits:
            assert leaf.end - leaf.start == 1
            assert "".join(field.bits for field in leaf.bits) == f"{data[leaf.start]:08b}"
    assert [len(field.bits) for field in part(data).span().leaves()[0].bits] == [1, 3, 4]


@pytest.mark.parametrize(
    ("data", "name", "label"),
    [
        (frame(TEXT), "text", "frame: text"),
        (frame(TEXT, fin=False), "text, first fragment", "frame: text, first fragment"),
        (frame(CONTINUATION, fin=False), "continuation", "frame: continuation"),
        (frame(CONTINUATION), "continuation, last fragment", "frame: continuation, last fragment"),
        (frame(CLOSE), "close", "frame: close"),
        (frame(0xB), "reserved opcode 0xb", "frame: reserved opcode 0xb"),
        (b"\x81", "text", "FIN, RSV, opcode"),  # so little is there that the frame is its one leaf
    ],
)
def test_names(data, name, label):
    """A frame is called by its opcode and its place in the message."""
    assert part(data).name(0) == name
    assert part(data).frame_span(0).label == label


@pytest.mark.parametrize(
    ("data", "label", "meaning"),
    [
        (b"\x81\x7e\x01", "extended length", "the length, cut short"),
        (b"\x81\x7f" + bytes(7), "extended length", "the length, cut short"),
        (b"\x82\x7e\x01\x00", "extended length", "256 bytes of payload"),
        (frame(TEXT, b"a", mask=SAMPLE_MASK)[:4], "masking key", "the payload is XORed with these four bytes"),
    ],
)
def test_header_cut_short(data, label, meaning):
    """Of a header that is not all there, what is there has its label."""
    last = part(data).span().leaves()[-1]
    assert (last.label, last.meaning, last.end) == (label, meaning, len(data))


@pytest.mark.parametrize(
    ("payload", "labels", "faults"),
    [
        (b"", [], []),
        (b"\x03", ["close code"], ["a Close payload is empty, or begins with two bytes of code (RFC 6455, 5.5.1)"]),
        (close_payload(1000), ["close code"], []),
        (close_payload(1001, "bye"), ["close code", "close reason"], []),
        (close_payload(4999, "é"), ["close code", "close reason"], []),
        (close_payload(1004), ["close code"], ["this code is reserved and not defined (RFC 6455, 7.4.2)"]),
        (close_payload(1000) + b"a\xff", ["close code", "close reason"],
         ["not UTF-8 from byte 1 of the reason on (RFC 6455, 8.1)"]),
        (close_payload(999), ["close code"], ["close codes go from 1000 to 4999 (RFC 6455, 7.4.2)"]),
        (close_payload(5000), ["close code"], ["close codes go from 1000 to 4999 (RFC 6455, 7.4.2)"]),
        *((close_payload(code), ["close code"], ["this code must never be sent in a Close frame (RFC 6455, 7.4.1)"])
          for code in (1005, 1006, 1015)),
    ],
)  # fmt: skip
def test_close_payload(payload, labels, faults):
    """A Close is a code and a reason in UTF-8; some codes never stand on the wire (RFC 6455, 5.5.1 and 7.4)."""
    span = part(frame(CLOSE, payload)).span()
    assert [leaf.label for leaf in span.leaves()[2:]] == labels
    assert list(span.faults()) == faults


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        (1000, "1000: normal closure"), (1004, "1004: not defined"), (2999, "2999: not defined"),
        (3000, "3000: registered with IANA"), (4000, "4000: private use"), (5000, "5000: no close code"),
    ],
)  # fmt: skip
def test_meaning_of_close_codes(code, meaning):
    """Which range a code lies in says who gave it its meaning (RFC 6455, 7.4.2)."""
    assert part(frame(CLOSE, close_payload(code))).span().leaves()[2].meaning == meaning


def test_codes_that_are_never_sent():
    """1005, 1006 and 1015 are for programs to tell each other, not for the wire (RFC 6455, 7.4.1)."""
    assert [code for code, row in CLOSE_CODES.items() if not row.on_wire] == [1005, 1006, 1015]


def test_cut_close_is_not_blamed_for_what_is_missing():
    """A Close cut inside its code or its reason has one fault: the bytes that did not come."""
    for cut in (1, 4):
        span = part(frame(CLOSE, close_payload(1000, "é"))[:-cut]).span()
        assert len(span.faults()) == 1
        assert "bytes of payload" in span.faults()[0]


BAD = "not UTF-8 from byte 1 of the message on (RFC 6455, 8.1)"


@pytest.mark.parametrize(
    ("data", "deflate", "place"),
    [
        (frame(TEXT, b"a\xff"), None, 0),
        (frame(TEXT, b"a", fin=False) + frame(CONTINUATION, b"\xff"), None, 1),
        (frame(TEXT, b"a\xff", fin=False) + frame(PING) + frame(CONTINUATION), None, 2),
        (frame(TEXT, b"a\xc3", fin=False) + frame(CONTINUATION, b"a"), None, 1),
        (frame(TEXT, deflated(b"a\xff"), rsv=4), Deflate(), 0),
        (frame(TEXT, b"a\xff"), Deflate(), 0),
    ],
)
def test_text_that_is_not_utf8(data, deflate, place):
    """A text message is UTF-8 as a whole (RFC 6455, 8.1): the fault is its last frame's, named once."""
    found = part(data, deflate=deflate)
    assert found.faults == {place: (FrameFault.BAD_TEXT,)}
    assert found.message_fault(place) == BAD
    assert found.span().faults() == (BAD,)


def test_all_faults_of_a_frame_are_shown():
    """A frame that breaks two rules of framing, and carries what breaks a third, says all three."""
    found = part(frame(TEXT, b"\xff", rsv=1), to_server=True)
    assert found.faults == {0: (FrameFault.RESERVED_BIT, FrameFault.NOT_MASKED, FrameFault.BAD_TEXT)}
    framing, text = found.span().faults()
    assert framing == f"{FrameFault.RESERVED_BIT}; {FrameFault.NOT_MASKED}"
    assert text == "not UTF-8 from byte 0 of the message on (RFC 6455, 8.1)"


def test_faults_of_a_close_are_among_the_others():
    """What is wrong with a Close payload is a fault of its frame, too (RFC 6455, 5.5.1, 7.4)."""
    found = part(frame(CLOSE, close_payload(1006) + b"\xff", mask=SAMPLE_MASK))
    assert found.faults == {0: (FrameFault.MASKED, FrameFault.NEVER_SENT, FrameFault.BAD_REASON)}


def test_an_unknown_extension_may_change_any_message():
    """What another extension than permessage-deflate made of a message is neither text nor DEFLATE (RFC 6455, 5.8)."""
    data = frame(TEXT, b"\xff", rsv=4)
    way = Direction.TO_CLIENT
    found = FramesPart(data, 0, len(data), scan(data), way, Deflate(), foreign=True)
    assert found.faults == {}
    assert found.span().faults() == ()
    assert found.span().leaves()[0].bits[1].meaning.startswith("set; what an agreed extension means")


@pytest.mark.parametrize(
    "data",
    [
        frame(TEXT, b"\xc3", fin=False) + frame(CONTINUATION, b"\xa9"),  # a character over two fragments
        frame(BINARY, b"\xff"),
        frame(PING, b"\xff"),
        frame(BINARY, b"\xff", fin=False) + frame(CONTINUATION, b"\xff"),
        frame(TEXT, b"\xff", fin=False),  # not all there: it may not be judged
    ],
)
def test_what_need_not_be_utf8(data):
    """Fragments are not judged one by one, and only text must be UTF-8 (RFC 6455, 5.6)."""
    assert part(data).span().faults() == ()


def test_compressed_message():
    """A compressed message keeps its bytes on the wire, and what is inflated is a value beside them."""
    found = part(COMPRESSED, deflate=Deflate())
    payload = found.span().leaves()[-1]
    assert (payload.meaning, payload.clause) == ('compressed; inflated: "Hello"', "RFC 7692, 7.2.2")
    assert found.payload(0) == bytes.fromhex(HELLO)
    assert found.content(0) == found.message(0) == b"Hello"
    assert not found.compressed(0)


def test_compressed_message_in_fragments():
    """Only the first fragment carries RSV1 (RFC 7692, 6.1); the message is inflated as a whole."""
    payload = bytes.fromhex(HELLO)
    data = frame(TEXT, payload[:3], rsv=4, fin=False) + frame(PING) + frame(CONTINUATION, payload[3:])
    found = part(data, deflate=Deflate())
    assert found.faults == {}
    assert found.inflated == {2: b"Hello"}
    assert [found.compressed(place) for place in range(3)] == [True, False, False]
    assert [leaf.meaning for leaf in found.span().leaves() if leaf.label == "payload"] == [
        "compressed",
        'compressed; inflated: "Hello"',
    ]


def test_compressed_message_that_is_not_all_there():
    """Nothing is inflated from a message without its end; its bytes are still called compressed."""
    for data in (COMPRESSED[:-1], frame(TEXT, b"\xff", rsv=4, fin=False)):
        found = part(data, deflate=Deflate())
        assert found.inflated == {}
        assert found.compressed(0)
        assert found.span().leaves()[-1].meaning == "compressed"
        assert found.message(0) is None


def test_message_that_does_not_inflate():
    """Bytes that are no DEFLATE are a fault; what is only out of reach afterwards is none."""
    found = part(frame(TEXT, b"\xff", rsv=4) + COMPRESSED, deflate=Deflate())
    assert found.faults == {0: (FrameFault.BROKEN,)}
    assert found.span().faults() == (BROKEN,)
    assert found.span().leaves()[-1].meaning.startswith("compressed; not inflated: an earlier message")
    assert found.message(1) is None
    assert found.content(1) == bytes.fromhex(HELLO)
    assert found.compressed(1)


def test_limit_on_what_is_inflated(monkeypatch):
    """What the lab does not inflate, because it would be too much, is said and is no fault (law 7)."""
    monkeypatch.setattr(module, "MOST_INFLATED", 4)
    found = part(COMPRESSED, deflate=Deflate())
    assert (
        found.span().leaves()[-1].meaning == "compressed; not inflated: more than 4 bytes come out (a limit of the lab)"
    )
    assert found.faults == {}


def test_without_the_extension_nothing_is_inflated():
    """RSV1 without an agreed extension is a fault, and the payload is taken as it is (RFC 6455, 5.2)."""
    found = part(COMPRESSED)
    assert list(found.faults) == [0]
    assert found.content(0) == bytes.fromhex(HELLO)
    assert not found.compressed(0)


@pytest.mark.parametrize(
    ("data", "messages"),
    [
        (frame(TEXT, b"ab"), [b"ab"]),
        (frame(TEXT, b"a", fin=False) + frame(PING, b"p") + frame(CONTINUATION, b"b"), [None, None, b"ab"]),
        (frame(CONTINUATION, b"b"), [None]),
        (frame(TEXT, b"ab")[:-1], [None]),
        (frame(0x3, b"b"), [None]),
    ],
)
def test_message_ends_with_its_last_frame(data, messages):
    """A message is at hand at its last frame, joined; control frames and broken ones carry none."""
    found = part(data)
    assert [found.message(place) for place in range(len(found.frames))] == messages


def test_meaning_of_payloads():
    """A payload is shown as text where it is one; a ping's is to come back (RFC 6455, 5.5.3)."""
    data = frame(TEXT, b"Hi") + frame(PING, b"a") + frame(PONG, b"a") + frame(BINARY, b"\x00\xff")
    meanings = [leaf.meaning for leaf in part(data).span().leaves() if leaf.label == "payload"]
    assert meanings == ['"Hi"', '"a", which the pong must repeat', '"a"', "00 ff"]


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b"", "empty"),
        (b"a\tb", '"a\\tb"'),
        ("\u202eevil".encode(), '"\\u202eevil"'),
        (b"\x1b[31m red and long enough", '"\\x1b[31m red and long enough"'),
        (b"\x00\x01\x02", "00 01 02"),
        (b"\xff" * 30, "ff " * 19 + "ff … (30 bytes)"),
        (b"a" * 61, '"' + "a" * 60 + '" … (61 bytes)'),
        ("é".encode() * 200, '"' + "é" * 60 + '" … (400 bytes)'),
        (b"a" + "é".encode() * 200, '"a' + "é" * 59 + '" … (401 bytes)'),  # 240 bytes end inside a character
        (b"a" * 250 + b"\xff", '"' + "a" * 60 + '" … (251 bytes)'),
        (b"text \xff" * 100, "74 65 78 74 20 ff " * 3 + "74 65 … (600 bytes)"),  # not UTF-8: no letter is made up
    ],
)
def test_shown(payload, text):
    """Bytes are shown as quoted text only where they are text; what could move a terminal is escaped."""
    assert shown(payload) == text


@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_shown_is_one_harmless_line(payload):
    """Whatever the bytes are, what is shown is short, printable and on one line."""
    assert shown(payload).isprintable()
    assert len(shown(payload)) < 700
