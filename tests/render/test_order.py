from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.dissection import FramesPart, dissect
from labkit.render.messages import Kind, Message
from labkit.render.order import ordered
from labkit.trace import Hop, Trace, Transfer
from labkit.wire.websocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, close_payload, frame
from tests.render.exchanges import ANSWER, ASK, PLAIN, REPLY, REQUEST, asked, chain, switched, talk

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BYE = close_payload(1000)


def told(trace: Trace) -> list[str]:
    """Return the order in a few letters: the sender (c or s, a hop's number behind it) and what it sends."""
    dissection = dissect(trace)
    names = []
    for message in ordered(dissection):
        side = "c" if message.direction is ASK else "s"
        hop = str(message.hop) if len(trace.hops) > 1 else ""
        names.append(f"{side}{hop} {_name(dissection, message)}")
    return names


def _name(dissection, message: Message) -> str:
    part = message.part
    if isinstance(part, FramesPart):
        return f"{part.name(message.place)} {part.payload(message.place).decode('latin-1')}".strip()
    if message.kind is Kind.BYTES:
        return dissection.hops[message.hop].data[message.direction][message.start : message.end].decode("latin-1")
    return str(message.kind)


def after_the_switch(asks: bytes, replies: bytes) -> list[str]:
    return told(switched(asks, replies))[2:]


def texts(*contents: bytes) -> bytes:
    return b"".join(frame(TEXT, content) for content in contents)


def test_answers_follow_their_requests_one_by_one():
    """Of pipelined requests each stands directly before its answer (RFC 9112, 9.3.2)."""
    assert told(Trace(tuple(talk(PLAIN * 2, OK * 2)))) == ["c request", "s answer", "s content"] * 2


def test_content_that_waits_for_a_100_stands_behind_it():
    """With Expect: 100-continue the interim answer comes between head and content (RFC 9110, 10.1.1)."""
    ask = b"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi"
    reply = b"HTTP/1.1 100 Continue\r\n\r\n" + OK
    order = ["c request", "s interim answer", "c content", "s answer", "s content"]
    assert told(Trace(tuple(talk(ask, reply)))) == order
    unasked = told(Trace(tuple(talk(ask.replace(b"Expect: 100-continue\r\n", b""), reply))))
    assert unasked == ["c request", "c content", "s interim answer", "s answer", "s content"]


def test_every_echo_stands_directly_behind_its_message():
    """An equal opcode and content makes an echo, whichever way the reads fell."""
    asks = b"".join(asked(TEXT, text) for text in (b"0", b"1", b"2"))
    assert after_the_switch(asks, texts(b"0", b"1", b"2")) == [f"{who} text {n}" for n in range(3) for who in "cs"]


def test_an_echo_of_another_kind_is_none():
    """A binary frame with a text's bytes is not its echo; one by one they are paired all the same."""
    asks, replies = asked(TEXT, b"0") + asked(TEXT, b"1"), frame(BINARY, b"1") + frame(BINARY, b"0")
    assert after_the_switch(asks, replies) == ["c text 0", "s binary 1", "c text 1", "s binary 0"]


def test_an_echo_pulls_what_stands_before_it_in_its_own_direction():
    """What the server sent before an echo is drawn before it, and not behind the client's next message."""
    asks = asked(TEXT, b"0") + asked(TEXT, b"1")
    assert after_the_switch(asks, texts(b"news", b"0")) == ["c text 0", "s text news", "s text 0", "c text 1"]


@pytest.mark.parametrize(
    ("asks", "replies", "order"),
    [
        ("ab", "AB", "c a,s A,c b,s B"),
        ("ab", "ABC", "c a,c b,s A,s B,s C"),
        ("axb", "AxB", "c a,s A,c x,s x,c b,s B"),
        ("axb", "xB", "c a,c x,s x,c b,s B"),
        ("", "AB", "s A,s B"),
    ],
)
def test_unlinked_messages_are_paired_where_they_are_as_many(asks, replies, order):
    """Between two links n to n are paired one by one; else the client comes first."""
    asks = b"".join(asked(TEXT, letter.encode()) for letter in asks)
    replies = texts(*(letter.encode() for letter in replies))
    assert ",".join(after_the_switch(asks, replies)).replace("text ", "") == order


def test_a_pong_follows_its_ping_in_either_direction():
    """A pong repeats the data of the ping it answers (RFC 6455, 5.5.3)."""
    asks = asked(TEXT, b"hello") + asked(PONG, b"alive?") + asked(PING, b"and you?")
    replies = frame(PING, b"alive?") + frame(TEXT, b"hello") + frame(PONG, b"and you?")
    assert after_the_switch(asks, replies) == [
        "c text hello", "s ping alive?", "c pong alive?", "s text hello", "c ping and you?", "s pong and you?",
    ]  # fmt: skip


def test_the_fragments_of_an_echo_stay_together():
    """What a message causes is drawn whole before the next message of the other side."""
    asks = asked(TEXT, b"ab") + asked(TEXT, b"z")
    replies = frame(TEXT, b"a", fin=False) + frame(CONTINUATION, b"b")
    order = after_the_switch(asks, replies)
    assert order == ["c text ab", "s text, first fragment a", "s continuation, last fragment b", "c text z"]


def test_a_fragmented_message_has_one_echo():
    """The echo of a message follows its last fragment, however the echo is cut (RFC 6455, 5.4)."""
    asks = asked(TEXT, b"Hel", fin=False) + asked(PING, b"p") + asked(CONTINUATION, b"lo")
    order = after_the_switch(asks, frame(PONG, b"p") + texts(b"Hello"))
    assert order == [
        "c text, first fragment Hel", "c ping p", "s pong p", "c continuation, last fragment lo", "s text Hello",
    ]  # fmt: skip


def closes(first: bytes, second: bytes) -> list[str]:
    one, other = asked(TEXT, b"a") + asked(CLOSE, BYE), texts(b"b", b"c") + frame(CLOSE, BYE)
    halves = {ASK: one, REPLY: other}
    events = [*talk(REQUEST, ANSWER), *(Transfer(0, way, halves[way]) for way in (first, second))]
    return [name.split(" \x03")[0] for name in told(Trace(tuple(events)))[2:]]


def test_the_recording_says_which_close_came_first():
    """Recorded order decides between two Close frames, and each stands behind the other side's data."""
    assert closes(ASK, REPLY) == ["c text a", "s text b", "s text c", "c close", "s close"]
    assert closes(REPLY, ASK) == ["c text a", "s text b", "s text c", "s close", "c close"]


def test_a_close_that_nobody_answers_stands_behind_the_other_side():
    """With one Close alone everything of the other side comes before it."""
    order = after_the_switch(asked(CLOSE, BYE), texts(b"a", b"b"))
    assert [name.split(" \x03")[0] for name in order] == ["s text a", "s text b", "c close"]


def test_a_request_passes_every_hop_and_the_answer_comes_back():
    """Over three hops: a, b, c, then c, b, a; the same for a message and its echo."""
    order = [name.split(" \x03")[0] for name in told(chain("client", "one", "two", "server"))]
    hops = ["c0", "c1", "c2", "s2", "s1", "s0"]
    kinds = ["request"] * 3 + ["answer"] * 3
    assert order[:6] == [f"{hop} {kind}" for hop, kind in zip(hops, kinds, strict=True)]
    assert order[6:12] == [f"{hop} text Hello" for hop in hops]
    assert order[12:] == [f"{hop} close" for hop in hops]


def test_lines_of_an_unknown_protocol_are_messages():
    """Text after the switch is cut into lines, and questions are paired with answers."""
    ask = b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: quote\r\nConnection: Upgrade\r\n\r\nACME\nBETA\n"
    reply = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: quote\r\nConnection: Upgrade\r\n\r\n12\n34\n"
    assert told(Trace(tuple(talk(ask, reply))))[2:] == ["c ACME\n", "s 12\n", "c BETA\n", "s 34\n"]


def test_early_bytes_stand_before_the_answer_they_did_not_wait_for():
    """Frames sent before a decline are drawn before it (RFC 6455, 4.1)."""
    order = told(
        Trace(tuple(talk(REQUEST + asked(TEXT, b"early"), b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")))
    )
    assert [name.split()[0] for name in order] == ["c", "c", "s"]


PIECES = [
    REQUEST, ANSWER, PLAIN, OK, asked(TEXT, b"a"), texts(b"a"), asked(PING, b"p"), frame(PONG, b"p"),
    asked(CLOSE, BYE), frame(CLOSE, BYE), asked(TEXT, b"x", fin=False), frame(CONTINUATION, b"x"), b"\x00\xff", b"\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\n",
]  # fmt: skip
bytes_on_a_wire = st.lists(st.sampled_from(PIECES) | st.binary(max_size=6), max_size=8).map(b"".join)
hops_of_any_kind = st.sampled_from(
    [(Hop(),), (Hop("a", "b"), Hop("b", "c")), (Hop("a", "b"), Hop("b", "a")), (Hop("a", "a"), Hop("a", "a"))]
)


@settings(deadline=None)  # a busy machine is no fault
@given(hops_of_any_kind, st.lists(bytes_on_a_wire, min_size=4, max_size=4), st.booleans())
def test_whatever_the_bytes_are_every_one_is_drawn_once_and_in_order(hops, streams, begun):
    """Per hop and direction the messages, joined, are the bytes; circles of causes do not matter."""
    heads = [REQUEST, ANSWER] * 2 if begun else [b""] * 4
    keys = [(hop, way) for hop in range(len(hops)) for way in (ASK, REPLY)]
    events = [Transfer(hop, way, head + data) for (hop, way), head, data in zip(keys, heads, streams, strict=False)]
    trace = Trace(tuple(events), hops)
    places = dict.fromkeys(keys, 0)
    for message in ordered(dissect(trace)):
        key = (message.hop, message.direction)
        assert message.start == places[key]
        assert message.end > message.start
        places[key] = message.end
    assert places == {key: len(trace.stream(key[1], key[0])) for key in keys}


def test_how_reads_fall_decides_nothing():
    """Two traces that are equal are ordered alike, however their transfers are cut and interleaved."""
    one = switched(asked(TEXT, b"0") + asked(TEXT, b"1"), texts(b"0", b"1"))
    halves = [Transfer(event.hop, event.direction, half) for event in one.events if isinstance(event, Transfer)
              for half in (event.data[:9], event.data[9:])]  # fmt: skip
    orders = set()
    for way in permutations((ASK, REPLY)):
        cut = [half for side in way for half in halves if half.direction is side]
        other = Trace((*cut, *one.events[-2:]))
        assert other == one
        orders.add(tuple(told(other)))
    assert orders == {tuple(told(one))}


def test_an_answer_of_the_proxys_own_moves_no_other_exchange():
    """A request that a proxy answered is drawn whole, before the one that it relayed."""
    missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    hops = (Hop("client", "proxy"), Hop("proxy", "server"))
    relayed = (Transfer(0, ASK, REQUEST), *talk(REQUEST, ANSWER, 1), Transfer(0, REPLY, ANSWER))
    trace = Trace((*talk(PLAIN, missing), *relayed), hops)
    drawn = [(message.hop, str(message.kind)) for message in ordered(dissect(trace))]
    assert drawn == [(0, "request"), (0, "answer"), (0, "request"), (1, "request"), (1, "answer"), (0, "answer")]


def test_two_legs_behind_one_hop_are_drawn_in_their_turns():
    """Where the far side is a connection for each request, each leg stands inside its exchange."""
    yes = b"HTTP/1.1 204 No Content\r\n\r\n"
    hops = (Hop("client", "proxy"), Hop("proxy", "server"), Hop("proxy", "server"))
    first = (Transfer(0, ASK, PLAIN), *talk(PLAIN, yes, 1), Transfer(0, REPLY, yes))
    second = (Transfer(0, ASK, REQUEST), *talk(REQUEST, ANSWER, 2), Transfer(0, REPLY, ANSWER))
    drawn = [message.hop for message in ordered(dissect(Trace((*first, *second), hops)))]
    assert drawn == [0, 1, 1, 0, 0, 2, 2, 0]
