from __future__ import annotations

import random
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.dissection.deflate import BROKEN, Deflate, Inflater, deflate_of
from labkit.trace import Direction
from labkit.wire.fields import Fields


def compressed(messages, *, takeover=True, bits=15) -> list[bytes]:
    found, stream = [], zlib.compressobj(wbits=-bits)
    for message in messages:
        if not takeover:
            stream = zlib.compressobj(wbits=-bits)
        found.append((stream.compress(message) + stream.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\x00\x00\xff\xff"))
    return found


@pytest.mark.parametrize(
    ("value", "up", "down"),
    [
        ("permessage-deflate", Deflate(), Deflate()),
        ("Permessage-Deflate; server_no_context_takeover", Deflate(), Deflate(context_takeover=False)),
        ("permessage-deflate;CLIENT_no_context_takeover ;client_max_window_bits=9", Deflate(False, 9), Deflate()),
        ('x-other, permessage-deflate; server_max_window_bits="10"', Deflate(), Deflate(window_bits=10)),
        ("permessage-deflate; client_max_window_bits", Deflate(), Deflate()),
        ("permessage-deflate; client_max_window_bits=7; server_max_window_bits=16", Deflate(), Deflate()),
        ("permessage-deflate; client_max_window_bits=1\xb2; server_max_window_bits=\xb9\xb2", Deflate(), Deflate()),
        ("permessage-deflate; client_max_window_bits=10, permessage-deflate", Deflate(window_bits=10), Deflate()),
        ("x-webkit-deflate-frame", None, None),
        (";", None, None),
        ("", None, None),
    ],
)
def test_what_an_answer_agrees(value, up, down):
    """Each direction has its own parameters (RFC 7692, 7.1); what is no number of bits counts as 15."""
    answer = Fields.of([("Sec-WebSocket-Extensions", value)])
    assert deflate_of(answer, Direction.TO_SERVER) == up
    assert deflate_of(answer, Direction.TO_CLIENT) == down


@pytest.mark.parametrize(
    ("payloads", "messages"),
    [
        (["f2 48 cd c9 c9 07 00"], [b"Hello"]),  # 7.2.3.1
        (["f2 48 cd c9 c9 07 00", "f2 00 11 00 00"], [b"Hello", b"Hello"]),  # 7.2.3.2: the window goes on
        (["00 05 00 fa ff 48 65 6c 6c 6f 00"], [b"Hello"]),  # 7.2.3.3: a block without compression
        (["f3 48 cd c9 c9 07 00 00"], [b"Hello"]),  # 7.2.3.4: a final block
        (["f2 48 05 00 00 00 ff ff ca c9 c9 07 00"], [b"Hello"]),  # 7.2.3.5: two blocks
        (["f3 48 cd c9 c9 07 00 00", "f2 00 11 00 00"], [b"Hello", b"Hello"]),  # the window outlives a final block
        (["f3 48 cd c9 c9 07 00", "f2 48 cd c9 c9 07 00"], [b"Hello", b"Hello"]),  # a final block, and no empty one
        (["00"], [b""]),
    ],
)
def test_examples_of_the_standard(payloads, messages):
    """The payloads that RFC 7692 prints in 7.2.3, and what follows from them."""
    inflater = Inflater(Deflate())
    assert [inflater.message(bytes.fromhex(payload)) for payload in payloads] == messages


def test_window_outlives_a_final_block_after_many_messages():
    """After a final block a message may look back over the last 32 KiB, whatever messages they came in."""
    past = [random.Random(seed).randbytes(20_000) for seed in range(3)] + [b"end"]
    stream = zlib.compressobj(wbits=-15)
    payloads = [stream.compress(message) + stream.flush(zlib.Z_SYNC_FLUSH) for message in past[:-1]]
    payloads.append(stream.compress(past[-1]) + stream.flush(zlib.Z_FINISH) + b"\x00")
    stream = zlib.compressobj(wbits=-15, zdict=b"".join(past)[-(1 << 15) :])
    payloads.append(stream.compress(past[1][-9_000:]) + stream.flush(zlib.Z_SYNC_FLUSH))
    assert len(payloads[-1]) < 200
    inflater = Inflater(Deflate())
    found = [inflater.message(payload.removesuffix(b"\x00\x00\xff\xff")) for payload in payloads]
    assert found == [*past, past[1][-9_000:]]


@given(
    st.lists(st.binary(max_size=50) | st.text("ab", max_size=400).map(str.encode), max_size=5),
    st.booleans(),
    st.integers(9, 15),
)
def test_round_trip(messages, takeover, bits):
    """What zlib compressed for the agreed parameters comes out again."""
    inflater = Inflater(Deflate(takeover, bits))
    assert [inflater.message(payload) for payload in compressed(messages, takeover=takeover, bits=bits)] == messages


@given(st.lists(st.binary(max_size=30), max_size=4), st.booleans(), st.integers(8, 15))
def test_any_bytes_give_bytes_or_a_reason(payloads, takeover, bits):
    """Inflating never raises, and never lets out more than its limit."""
    inflater = Inflater(Deflate(takeover, bits), most=100)
    found = [inflater.message(payload) for payload in payloads]
    assert sum(len(value) for value in found if isinstance(value, bytes)) <= 100
    assert all(value for value in found if isinstance(value, str))


def test_bomb_stops_at_the_limit():
    """A limit on what comes out holds over all messages, and is said (law 7)."""
    bomb, small = compressed([bytes(200), b"ab"], takeover=False)
    inflater = Inflater(Deflate(context_takeover=False), most=201)
    assert inflater.message(bomb) == bytes(200)
    assert inflater.message(small) == "not inflated: more than 201 bytes come out (a limit of the lab)"
    assert inflater.message(bytes.fromhex("00")) == inflater.message(bomb)


def test_limit_itself_may_be_reached():
    """As many bytes as the limit says are let out; one more is not."""
    payload = compressed([bytes(200)])[0]
    assert Inflater(Deflate(), most=200).message(payload) == bytes(200)
    assert isinstance(Inflater(Deflate(), most=199).message(payload), str)


def test_endless_final_blocks_stop():
    """A message of many final blocks is given up, and that is said."""
    said = Inflater(Deflate()).message(bytes.fromhex("f348cdc9c90700") * 100)
    assert said == "not inflated: more than 16 final blocks in a message (a limit of the lab)"


def test_final_blocks_take_linear_time():
    """A final block costs the same however many messages came before it: what is quadratic takes a minute here."""
    message = bytes.fromhex("ab0000") + bytes.fromhex("0300") * 14  # "x", then fourteen blocks of nothing
    inflater = Inflater(Deflate())
    began = time.process_time()
    assert all(inflater.message(message) == b"x" for _ in range((1 << 20) // len(message)))
    assert time.process_time() - began < 30


def test_broken_message_breaks_the_context():
    """With context takeover a message cannot be read without those before it; without, it can (RFC 7692, 7.1.1)."""
    good = compressed([b"Hello"])[0]
    shared, apart = Inflater(Deflate()), Inflater(Deflate(context_takeover=False))
    assert [shared.message(b"\xff"), apart.message(b"\xff")] == [BROKEN, BROKEN]
    assert shared.message(good).startswith("not inflated: an earlier message broke the shared context")
    assert apart.message(good) == b"Hello"


def test_window_of_the_wrong_size_is_broken():
    """A message that looks back further than was agreed does not inflate (RFC 7692, 7.1.2)."""
    message = random.Random(1).randbytes(1000)
    inflater = Inflater(Deflate(window_bits=8))
    assert [inflater.message(payload) for payload in compressed([message, message])] == [message, BROKEN]
