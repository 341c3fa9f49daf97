"""WebSocket after the switch, by the categories of Autobahn|Testsuite: the same questions, in memory and in seconds.

What that suite itself says to the server stands in docs/autobahn.md. Its categories 3, 4 and most of 7 are asked in
`test_server.py`, frame by frame (`BROKEN`); here is what it asks beside them.
"""

from __future__ import annotations

import zlib

import pytest

from labkit.parties.core import Core
from labkit.parties.party import Ending
from tests.parties.driving import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Served, asked, fields, opening

LONG = 10.0
"""Seconds of the logical clock: an answer that needs them came too late."""


def switched(*lines: str, **settings) -> Served:
    served = Served(**settings)
    served.agreed = fields(served.feed(opening(*lines))).get("Sec-WebSocket-Extensions")
    return served


def code(said: bytes) -> int:
    """Return the code of the Close that is all that was said."""
    assert said[0] == 0x88
    assert len(said) == 2 + said[1]
    return int.from_bytes(said[2:4], "big")


def echoed(opcode: int, payload: bytes) -> bytes:
    """Return the one frame that carries this back."""
    size = len(payload)
    length = (
        bytes([size])
        if size < 126
        else b"\x7e" + size.to_bytes(2, "big")
        if size < 1 << 16
        else b"\x7f" + size.to_bytes(8, "big")
    )
    return bytes([0x80 | opcode]) + length + payload


# 1 framing


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("size", [0, 125, 126, 127, 128, 65535, 65536])
def test_every_length_form_comes_back(size, opcode):
    """Each side of both seams between the length forms is echoed whole (RFC 6455, 5.2)."""
    assert switched().feed(asked(opcode, b"*" * size)) == echoed(opcode, b"*" * size)


@pytest.mark.parametrize("chop", [1, 997])
def test_a_message_may_come_in_any_pieces(chop):
    """A message of 65,536 bytes is the same one byte by byte (RFC 6455, 5.4: frames have no edges in TCP)."""
    raw = asked(TEXT, b"*" * 65536)
    assert switched().feed(*(raw[at : at + chop] for at in range(0, len(raw), chop))) == echoed(TEXT, b"*" * 65536)


# 2 Pings and Pongs


@pytest.mark.parametrize("payload", [b"", b"Hello", b"\x00\xff\xfe\xfd", b"\xfe" * 125])
def test_a_pong_carries_what_the_ping_did(payload):
    """A Ping's data, of any bytes and up to 125, comes back in the Pong (RFC 6455, 5.5.3)."""
    assert switched().feed(asked(PING, payload)) == echoed(PONG, payload)


def test_every_ping_of_many_is_answered():
    """Ten Pings get ten Pongs in their order; a Pong that nobody asked for gets nothing (RFC 6455, 5.5.3)."""
    said = switched().feed(asked(PONG, b"?") + b"".join(asked(PING, b"%d" % n) for n in range(10)))
    assert said == b"".join(echoed(PONG, b"%d" % n) for n in range(10))


# 3 reserved bits, 4 opcodes


@pytest.mark.parametrize("rsv", range(1, 8))
@pytest.mark.parametrize("opcode", [TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG])
def test_no_reserved_bit_goes_without_an_extension(opcode, rsv):
    """Any reserved bit in any frame fails the connection where no extension gave it a meaning (RFC 6455, 5.2)."""
    begun = asked(TEXT, b"a", fin=False) if opcode == CONTINUATION else b""
    assert code(switched().feed(begun + asked(opcode, b"", rsv=rsv))) == 1002


@pytest.mark.parametrize("rsv", [1, 2, 3, 5, 6, 7])
def test_permessage_deflate_takes_one_reserved_bit(rsv):
    """With permessage-deflate RSV1 has a meaning, and RSV2 and RSV3 have none (RFC 7692, 6)."""
    assert code(switched("Sec-WebSocket-Extensions: permessage-deflate").feed(asked(TEXT, b"\0", rsv=rsv))) == 1002


@pytest.mark.parametrize(("opcode", "fin"), [(PING, True), (CLOSE, True), (CONTINUATION, False), (CONTINUATION, True)])
def test_only_the_first_fragment_says_that_it_is_compressed(opcode, fin):
    """RSV1 in a control frame or a later fragment fails the connection (RFC 7692, 6.1)."""
    served = switched("Sec-WebSocket-Extensions: permessage-deflate")
    assert served.feed(asked(TEXT, packed(b"ab")[:1], fin=False, rsv=4)) == b""
    assert code(served.feed(asked(opcode, packed(b"ab")[1:], fin=fin, rsv=4))) == 1002


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF])
@pytest.mark.parametrize("payload", [b"", b"Hello"])
def test_no_opcode_goes_without_a_meaning(opcode, payload):
    """A reserved opcode fails the connection (RFC 6455, 5.2)."""
    assert code(switched().feed(asked(opcode, payload))) == 1002


# 5 fragments


@pytest.mark.parametrize("count", [2, 3, 1000, 65_536])
def test_a_message_has_many_fragments(count):
    """As many fragments as are allowed are one message, with a Ping answered in between (RFC 6455, 5.4)."""
    middle = asked(CONTINUATION, b"*", fin=False) * (count - 2)
    said = switched().feed(asked(TEXT, b"*", fin=False) + asked(PING, b"p") + middle + asked(CONTINUATION, b"*"))
    assert said == echoed(PONG, b"p") + echoed(TEXT, b"*" * count)


@pytest.mark.parametrize("size", [0, 16])
def test_a_fragment_too_many_is_refused(size):
    """Fragments are counted, also where nothing is in them; one more than 65,536 is refused (RFC 6455, 10.4)."""
    said = switched().feed(asked(BINARY, b"", fin=False), asked(CONTINUATION, bytes(size), fin=False) * 65_536)
    assert code(said) == 1008


def test_another_message_begins_when_one_has_ended():
    """After the last fragment a continuation continues nothing (RFC 6455, 5.4)."""
    served = switched()
    whole = asked(TEXT, b"a", fin=False) + asked(CONTINUATION, b"b")
    assert served.feed(whole + whole) == echoed(TEXT, b"ab") * 2
    assert code(served.feed(asked(CONTINUATION, b"c"))) == 1002


# 6 UTF-8

WORD = "Hello-µ@ßöäüàá-水𐀀￿"
GOOD = ["κόσμε", "\x00", "\x7f", "\x80", "߿", "ࠀ", "퟿", "", "￿", "𐀀", "\U0010ffff", WORD]
BAD = {
    "80": 0, "bf": 0, "c0 80": 0, "c1 bf": 0, "e0 80": 1, "e0 9f": 1, "ed a0": 1, "ed bf": 1, "f0 80": 1, "f0 8f": 1,
    "f4 90": 1, "f5": 0, "f7": 0, "f8": 0, "fc": 0, "fe": 0, "ff": 0, "c3 28": 1, "e2 82 28": 2, "e2 28": 1, "f0 9f 92 28": 3,
}  # fmt: skip
"""Bytes that begin no character, and the place of the first one after which nothing can make them right (RFC 3629, 4)."""


@pytest.mark.parametrize("text", GOOD)
@pytest.mark.parametrize("cut", ["whole", "a fragment a byte", "a read a byte"])
def test_every_character_goes_through(text, cut):
    """The edges of UTF-8, and what is no character though its bytes are well formed, are text (RFC 3629, 4)."""
    raw = text.encode()
    if cut == "a fragment a byte":
        reads = [
            asked(TEXT, b"", fin=False),
            *(asked(CONTINUATION, raw[at : at + 1], fin=False) for at in range(len(raw))),
        ]
        reads.append(asked(CONTINUATION))
    elif cut == "whole":
        reads = [asked(TEXT, raw)]
    else:
        whole = asked(TEXT, raw)
        reads = [whole[at : at + 1] for at in range(len(whole))]
    assert switched().feed(*reads) == echoed(TEXT, raw)


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_byte_fails_at_once(bad):
    """The byte after which no text is possible ends it: not one read later, wherever it stands (RFC 6455, 8.1)."""
    for before in range(len(WORD) + 1):
        good = WORD[:before].encode()
        whole = asked(TEXT, good + bytes.fromhex(bad) + b"and what nobody reads")
        head, place = 6, 6 + len(good) + BAD[bad]
        served = switched()
        assert served.feed(*(whole[at : at + 1] for at in range(head)), whole[head:place]) == b""
        assert code(served.feed(whole[place : place + 1])) == 1007
        assert served.party.ending is Ending.FIN


@pytest.mark.parametrize("bad", BAD)
def test_how_a_bad_text_comes_makes_no_difference(bad):
    """Whole, by reads or by fragments, the same bad byte is told, by where it stands in the message."""
    raw = "ab水".encode() + bytes.fromhex(bad) + b"c"
    whole = asked(TEXT, raw)
    told = switched().feed(whole)
    assert code(told) == 1007
    assert switched().feed(*(whole[at : at + 1] for at in range(len(whole)))) == told
    for cut in range(len(raw)):
        first, rest = asked(TEXT, raw[:cut], fin=False), asked(CONTINUATION, raw[cut:])
        assert switched().feed(first, rest) == told
        assert switched().feed(first, *(rest[at : at + 1] for at in range(len(rest)))) == told


def test_bytes_may_be_any():
    """What is no text is not read as text, whatever is in it, and however it comes (RFC 6455, 5.6)."""
    raw = asked(BINARY, b"\xff\xfe", fin=False) + asked(CONTINUATION, b"\xfd")
    assert switched().feed(*(raw[at : at + 1] for at in range(len(raw)))) == echoed(BINARY, b"\xff\xfe\xfd")


# 7 closing


@pytest.mark.parametrize("sent", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999])
def test_a_code_that_may_be_sent_comes_back(sent):
    """A Close of any code that may stand on the wire is answered with it (RFC 6455, 5.5.1, 7.4)."""
    assert code(switched().feed(asked(CLOSE, sent.to_bytes(2, "big") + b"*" * 123))) == sent


@pytest.mark.parametrize("sent", [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535])
def test_a_code_that_none_may_send_is_refused(sent):
    """A Close with any other code is a broken frame (RFC 6455, 7.4)."""
    assert code(switched().feed(asked(CLOSE, sent.to_bytes(2, "big")))) == 1002


@pytest.mark.parametrize("after", [asked(TEXT, b"late"), asked(PING, b"late"), asked(CLOSE, b"\x03\xe8"), asked(3)])
def test_nothing_is_read_behind_a_close(after):
    """Whatever follows a Close is dropped (RFC 6455, 5.5.1)."""
    served = switched()
    assert code(served.feed(asked(CLOSE, b"\x03\xe8") + after)) == 1000
    assert served.feed(after) == b""


def test_a_close_ends_a_message_that_is_not_whole():
    """A Close between fragments, and the fragments behind it, leave nothing to echo (RFC 6455, 5.4, 5.5.1)."""
    served = switched()
    said = served.feed(asked(TEXT, b"a", fin=False) + asked(CLOSE, b"\x03\xe8") + asked(CONTINUATION, b"b"))
    assert code(said) == 1000
    assert served.wait(LONG) == b""


# 9 sizes


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("fragment", [64, 256, 1 << 12, 1 << 20])
def test_a_long_message_comes_back_whole(fragment, opcode):
    """A mebibyte in fragments of any size comes back as one message (RFC 6455, 5.4)."""
    size = 1 << 20
    frames = [asked(CONTINUATION, b"*" * fragment, fin=False)] * (size // fragment - 2)
    frames = [asked(opcode, b"*" * fragment, fin=False), *frames, asked(CONTINUATION, b"*" * fragment)]
    raw = b"".join(frames) if fragment < size else asked(opcode, b"*" * size)
    assert switched().feed(*(raw[at : at + 65_536] for at in range(0, len(raw), 65_536))) == echoed(opcode, b"*" * size)


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_a_size_is_refused_by_its_header(opcode):
    """A message that is too long is refused as soon as a header says so, not when its last byte is there (RFC 6455, 10.4)."""
    served = switched(message=100)
    assert code(served.feed(asked(opcode, b"a" * 101)[:7])) == 1009
    served = switched(message=100)
    assert code(served.feed(asked(opcode, b"a" * 60, fin=False), asked(CONTINUATION, b"a" * 41)[:7])) == 1009


# 12, 13 compression


def packed(text: bytes, bits: int = 15, size: int | None = None) -> bytes:
    """Return a message's compressed payload (RFC 7692, 7.2.1), for a window of this many bits."""
    maker = zlib.compressobj(wbits=-bits)
    return (maker.compress(text) + maker.flush(zlib.Z_SYNC_FLUSH))[:-4][:size]


def unpacked(said: bytes, reader) -> bytes:
    """Return the message in one frame of less than 65,536 bytes."""
    assert said[0] & 0x70 == 0x40
    start = 2 if said[1] < 126 else 4
    return reader.decompress(said[start:] + b"\0\0\xff\xff")


OFFERED = {
    "": "permessage-deflate",
    "server_no_context_takeover": "permessage-deflate; server_no_context_takeover",
    "client_no_context_takeover": "permessage-deflate; client_no_context_takeover",
    "server_max_window_bits=9": "permessage-deflate; server_max_window_bits=9",
    "server_max_window_bits=15": "permessage-deflate; server_max_window_bits=15",
    "client_max_window_bits": "permessage-deflate",
    "client_max_window_bits=8": "permessage-deflate; client_max_window_bits=8",
    "client_max_window_bits=15": "permessage-deflate; client_max_window_bits=15",
    "server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=11":
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; "
        "client_max_window_bits=11",
    # what is not written as the RFC has it declines the offer (RFC 7692, 7.1)
    "server_max_window_bits": None, "server_max_window_bits=7": None, "server_max_window_bits=16": None,
    "server_max_window_bits=08": None, "client_max_window_bits=7": None, "client_max_window_bits=+9": None,
    "server_no_context_takeover=1": None, "client_no_context_takeover=true": None, "unknown": None,
    "server_no_context_takeover; server_no_context_takeover": None,
}  # fmt: skip
PARAMETERS = [each for each, answer in OFFERED.items() if answer]


@pytest.mark.parametrize("deflate", ["stored", "zlib"])
@pytest.mark.parametrize("asked_for", OFFERED)
def test_every_parameter_is_agreed_on_or_declines(asked_for, deflate):
    """A parameter that is understood is in the answer, one that is not declines the offer (RFC 7692, 5.1, 7.1)."""
    served = switched(f"Sec-WebSocket-Extensions: permessage-deflate; {asked_for}".rstrip("; "), deflate=deflate)
    assert served.agreed == OFFERED[asked_for]


def test_the_first_offer_that_is_understood_is_taken():
    """Of several offers in one field the first right one counts (RFC 7692, 5.2)."""
    offers = "permessage-deflate; server_max_window_bits=7, x-other, permessage-deflate; client_no_context_takeover"
    assert switched(f"Sec-WebSocket-Extensions: {offers}").agreed == "permessage-deflate; client_no_context_takeover"


def test_only_stored_blocks_keep_to_the_smallest_window():
    """A window of 8 bits is agreed to by a server that looks back at nothing; zlib has none so small (RFC 7692, 7.1.2.1)."""
    line = "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=8"
    assert switched(line).agreed == "permessage-deflate; server_max_window_bits=8"
    assert switched(line, deflate="zlib").agreed is None


@pytest.mark.parametrize("deflate", ["stored", "zlib"])
@pytest.mark.parametrize("parameters", PARAMETERS)
def test_what_was_agreed_on_is_kept(parameters, deflate):
    """Messages come back inside the agreed window, alone where no context is taken over (RFC 7692, 7.1)."""
    served = switched(f"Sec-WebSocket-Extensions: permessage-deflate; {parameters}".rstrip("; "), deflate=deflate)
    ours = int(parameters.partition("client_max_window_bits=")[2] or 15)
    theirs = int(parameters.partition("server_max_window_bits=")[2].partition(";")[0] or 15)
    maker, reader = zlib.compressobj(wbits=-max(ours, 9)), zlib.decompressobj(wbits=-theirs)
    for size in (0, 5, 1000, 20_000, 1000):
        if "client_no" in parameters or ours == 8:
            maker = zlib.compressobj(wbits=-max(ours, 9))
        if "server_no" in parameters:
            reader = zlib.decompressobj(wbits=-theirs)
        text = bytes(at * at % 251 % 128 for at in range(size if ours > 8 else min(size, 200)))
        raw = (maker.compress(text) + maker.flush(zlib.Z_SYNC_FLUSH))[:-4]
        assert unpacked(served.feed(asked(TEXT, raw, rsv=4)), reader) == text


@pytest.mark.parametrize("cut", range(1, 8))
def test_a_compressed_message_has_fragments_anywhere(cut):
    """Fragments cut the compressed bytes wherever they like: RFC 7692's own example (7.2.3.1, 7.2.3.2)."""
    raw = bytes.fromhex("f2 48 cd c9 c9 07 00")
    served = switched("Sec-WebSocket-Extensions: permessage-deflate")
    reads = asked(TEXT, raw[:cut], fin=False, rsv=4) + asked(PING) + asked(CONTINUATION, raw[cut:])
    assert served.feed(reads).hex(" ") == "8a 00 c1 0b 00 05 00 fa ff 48 65 6c 6c 6f 00"


def test_a_message_need_not_be_compressed():
    """With permessage-deflate agreed, a message without RSV1 is read as it is, and its text looked into (RFC 7692, 6)."""
    served = switched("Sec-WebSocket-Extensions: permessage-deflate")
    assert served.feed(asked(TEXT, b"Hello"))[2:] == bytes.fromhex("00 05 00 fa ff 48 65 6c 6c 6f 00")
    assert code(served.feed(asked(TEXT, b"ab\xffcd")[:9])) == 1007


@pytest.mark.parametrize(
    "example", ["f3 48 cd c9 c9 07 00 00", "00 05 00 fa ff 48 65 6c 6c 6f 00", "f2 48 05 00 00 00 ff ff ca c9 c9 07 00"]
)
def test_every_kind_of_block_is_read(example):
    """A block with BFINAL set, a stored one, two blocks: the examples of RFC 7692, 7.2.3.3 to 7.2.3.5."""
    served = switched("Sec-WebSocket-Extensions: permessage-deflate")
    assert served.feed(asked(TEXT, bytes.fromhex(example), rsv=4))[2:] == bytes.fromhex(
        "00 05 00 fa ff 48 65 6c 6c 6f 00"
    )


def test_compressed_text_has_to_be_utf_8():
    """What a message inflates to is text as any other (RFC 6455, 8.1), looked into fragment by fragment."""
    served = switched("Sec-WebSocket-Extensions: permessage-deflate")
    maker = zlib.compressobj(wbits=-15)
    first = maker.compress(b"ab\xff") + maker.flush(zlib.Z_SYNC_FLUSH)
    assert code(served.feed(asked(TEXT, first, fin=False, rsv=4))) == 1007


# the core, from the client's side


def test_a_client_looks_into_text_as_well():
    """A server's bad byte fails a client's connection at once, too; its frames have no mask (RFC 6455, 8.1)."""
    from websockets.protocol import Side

    core = Core(Side.CLIENT, 1 << 20, 100, iter([b"mask"] * 3))
    core.receive_data(b"\x81\x7e\x01\x00ab\xff")
    assert core.events == [(1007, "invalid start byte at position 2")]
