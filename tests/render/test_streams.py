from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.dissection import dissect
from labkit.render.messages import Kind
from labkit.render.order import ordered
from labkit.render.streams import causes, says_goodbye
from labkit.trace import Hop, Trace, Transfer
from labkit.wire.http2 import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    PREFACE,
    PUSH_PROMISE,
    WINDOW_UPDATE,
    frame,
    settings,
)
from tests.render.exchanges import ASK, REPLY
from tests.render.http2_exchanges import ACKED, CONTENT, GOODBYE, OPENING, asked, h2c, head, ok, prior, told

FIRST = ["c HTTP/2 preface", "c SETTINGS 3 settings", "s SETTINGS 0 settings"]


def names(trace: Trace) -> list[str]:
    """Return what is drawn, in order: the sender's letter, and a hop's number where there are several."""
    views = dissect(trace).hops
    found = []
    for message in ordered(dissect(trace)):
        side = "c" if message.direction is ASK else "s"
        hop = str(message.hop) if len(trace.hops) > 1 else ""
        name = (
            views[message.hop].http2(message.direction).name(message.place)
            if message.kind is Kind.FRAME
            else message.kind
        )
        found.append(f"{side}{hop} {name}".replace(", end of head", ""))
    return found


def behind_settings(asks: bytes, replies: bytes) -> list[str]:
    return [name for name in names(prior(asks, settings() + replies)) if name not in FIRST]


def data(size: int, stream: int = 1, flags: int = 0) -> bytes:
    return frame(DATA, flags, stream, bytes(size))


def update(size: int, stream: int = 0) -> bytes:
    return frame(WINDOW_UPDATE, 0, stream, size.to_bytes(4, "big"))


def test_an_upgrade_to_h2c_in_order():
    """What curl --http2 and a server say: every ack behind its SETTINGS, a window behind its DATA, GOAWAY last."""
    assert names(told()) == [
        "c request", "s answer", "c HTTP/2 preface", "c SETTINGS 3 settings", "s SETTINGS 3 settings",
        "c SETTINGS ack", "s SETTINGS ack", "s HEADERS stream 1", "s DATA stream 1, 28 bytes, end of stream",
        "c WINDOW_UPDATE stream 1 +28 bytes", "s GOAWAY NO_ERROR",
    ]  # fmt: skip


def test_an_answer_stands_behind_the_end_of_its_request():
    """Streams are answered in any order, each behind its request (RFC 9113, 8.1)."""
    asks = asked("/a") + asked("/b", stream=3)
    order = behind_settings(asks, ok(stream=3) + data(1, 3, END_STREAM) + ok() + data(1, 1, END_STREAM))
    assert [name.split(",")[0] for name in order] == [
        "c HEADERS stream 1", "c HEADERS stream 3", "s HEADERS stream 3", "s DATA stream 3",
        "s HEADERS stream 1", "s DATA stream 1",
    ]  # fmt: skip


def test_content_comes_before_the_answer():
    """A request ends with its last DATA, or with the last piece of its head."""
    asks = asked(flags=END_HEADERS) + data(3) + data(4, flags=END_STREAM)
    assert behind_settings(asks, ok())[-1] == "s HEADERS stream 1"
    pieces = frame(HEADERS, END_STREAM, 1, b"\x82\x86") + frame(CONTINUATION, END_HEADERS, 1, b"\x84")
    assert behind_settings(pieces, ok())[-2:] == ["c CONTINUATION stream 1", "s HEADERS stream 1"]


def test_content_that_waits_for_a_100_stands_behind_it():
    """An interim answer follows the head; with expect: 100-continue the content follows it (RFC 9110, 10.1.1)."""
    interim, content = head((":status", "100")), data(1, flags=END_STREAM)
    kinds = {}
    for fields in ((), (("expect", "100-continue"),)):
        got = behind_settings(asked("/", *fields, flags=END_HEADERS) + content, interim + ok())
        kinds[bool(fields)] = [name.split(" stream")[0] for name in got]
    assert kinds[True] == ["c HEADERS", "s HEADERS", "c DATA", "s HEADERS"]
    assert kinds[False].index("c HEADERS") < kinds[False].index("s HEADERS")


def test_a_connect_is_answered_before_its_end():
    """A tunnel's answer comes behind the head: its stream ends when the tunnel does (RFC 9113, 8.5)."""
    asks = head((":method", "CONNECT"), (":authority", "h:1")) + data(1, flags=END_STREAM)
    order = behind_settings(asks, head((":status", "200")))
    assert order.index("s HEADERS stream 1") > order.index("c HEADERS stream 1")


def test_pings_and_their_acks():
    """An ack repeats the data of its PING, in either direction (RFC 9113, 6.7)."""
    one, other = b"--one---", b"--other-"
    asks = frame(PING, ACK, 0, other) + frame(PING, 0, 0, one)
    assert behind_settings(asks, frame(PING, 0, 0, other) + frame(PING, ACK, 0, one)) == [
        "s PING", "c PING ack", "c PING", "s PING ack",
    ]  # fmt: skip


def test_windows_follow_the_data_they_give_back():
    """A WINDOW_UPDATE of just as many bytes stands behind the DATA, on its stream and on the connection."""
    replies = ok() + data(10) + data(20) + data(5, flags=END_STREAM)
    order = behind_settings(asked() + update(10, 1) + update(30) + update(25, 1), replies)
    assert [name.partition(" ")[2].split(",")[0] for name in order[2:]] == [
        "DATA stream 1", "WINDOW_UPDATE stream 1 +10 bytes", "DATA stream 1", "WINDOW_UPDATE +30 bytes",
        "DATA stream 1", "WINDOW_UPDATE stream 1 +25 bytes",
    ]  # fmt: skip


def test_a_window_opened_at_the_start_waits_for_nothing():
    """What is not given back but given stands where its sender put it."""
    assert behind_settings(update(1 << 25) + asked(), ok())[0] == "c WINDOW_UPDATE +33,554,432 bytes"


@pytest.mark.parametrize(("flags", "before", "after"), [(0, b"", b""), (PADDED, b"\3", bytes(3))])
def test_a_promise_stands_before_what_the_client_says_of_it(flags, before, after):
    """A pushed stream is known to the client from its promise on, padded or not (RFC 9113, 6.6, 8.4)."""
    payload = before + (2).to_bytes(4, "big") + b"\x82\x86\x84" + after
    promise = frame(PUSH_PROMISE, END_HEADERS | flags, 1, payload)
    order = behind_settings(asked() + frame(3, 0, 2, (8).to_bytes(4, "big")), ok() + promise)
    assert order.index("c RST_STREAM stream 2 CANCEL") > order.index("s PUSH_PROMISE stream 1 promises stream 2")


def test_a_goaway_at_the_end_is_the_last_word():
    """It follows what the other side said; of two, the recording tells which came first."""
    order = behind_settings(asked() + GOODBYE, ok() + data(1, flags=END_STREAM))
    assert order[-1] == "c GOAWAY NO_ERROR"
    early = behind_settings(asked(), frame(GOAWAY, 0, 0, bytes(8)) + ok())
    assert early[-1] == "s HEADERS stream 1"


def test_frames_pass_every_hop():
    """Through a proxy that hands on the bytes, each frame's copy follows it, and the answer comes back."""
    one = told()
    hops = (Hop("client", "proxy"), Hop("proxy", "server"))
    events = [Transfer(hop, way, one.stream(way)) for way in (ASK, REPLY) for hop in (0, 1)]
    order = names(Trace(tuple(events), hops))
    assert order.index("c0 HTTP/2 preface") + 1 == order.index("c1 HTTP/2 preface")
    assert order.index("s1 HEADERS stream 1") < order.index("s0 HEADERS stream 1")
    assert order.index("c0 WINDOW_UPDATE stream 1 +28 bytes") < order.index("c1 WINDOW_UPDATE stream 1 +28 bytes")


pieces = st.sampled_from([
    PREFACE, OPENING, settings(), ACKED, asked(), asked(stream=3, flags=END_HEADERS), ok(), ok(stream=3), GOODBYE,
    data(1), data(1, 3, END_STREAM), update(1), update(1, 1), frame(PING, 0, 0, bytes(8)), frame(PING, ACK, 0, bytes(8)),
    frame(DATA, END_STREAM, 1, CONTENT), frame(PUSH_PROMISE, 4, 1, bytes(4)),
]) | st.binary(max_size=6)  # fmt: skip


@given(st.lists(pieces, max_size=7).map(b"".join), st.lists(pieces, max_size=7).map(b"".join), st.booleans())
def test_every_frame_is_drawn_once_and_in_order(asks, replies, upgraded):
    """Per direction the messages, joined, are the bytes; circles of causes do not matter."""
    trace = h2c(asks, replies) if upgraded else prior(asks, replies)
    places = dict.fromkeys((ASK, REPLY), 0)
    for message in ordered(dissect(trace)):
        assert message.start == places[message.direction]
        places[message.direction] = message.end
    assert places == {way: len(trace.stream(way)) for way in places}


def linked(asks: bytes, replies: bytes) -> set[tuple[str, str]]:
    """Return each cause and its effect by their names, of what stands behind the first SETTINGS of either side."""
    view = dissect(prior(asks, settings() + replies)).hops[0]
    parts = {way: view.http2(way) for way in (ASK, REPLY)}
    letters = {ASK: "c", REPLY: "s"}
    pairs = [
        tuple(f"{letters[way]} {parts[way].name(place)}" for way, place in pair) for pair in causes(*parts.values())
    ]
    return {(cause.partition(",")[0], effect.partition(",")[0]) for cause, effect in pairs}


POSTED = [(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "a")]
INTERIM = head((":status", "100"))


def test_the_end_of_a_request_is_a_cause_of_its_answer():
    """An answer waits for the end of its request, which may be content (RFC 9113, 8.1)."""
    pairs = linked(head(*POSTED) + data(5, 1, END_STREAM), ok())
    assert ("c DATA stream 1", "s HEADERS stream 1") in pairs


def test_the_end_of_a_tunnel_is_a_cause_of_nothing():
    """A CONNECT is answered while it goes on (RFC 9113, 8.5)."""
    pairs = linked(head((":method", "CONNECT"), (":authority", "a:80")) + data(5, 1, END_STREAM), ok())
    assert ("c HEADERS stream 1", "s HEADERS stream 1") in pairs
    assert ("c DATA stream 1", "s HEADERS stream 1") not in pairs


@pytest.mark.parametrize(("fields", "waits"), [([("expect", "100-continue")], True), ([], False)])
def test_only_content_that_waits_has_a_100_for_its_cause(fields, waits):
    """Content is sent behind a 100 where the request said that it waits for one (RFC 9110, 10.1.1)."""
    pairs = linked(head(*POSTED, *fields) + data(5, 1, END_STREAM), INTERIM + ok())
    assert (("s HEADERS stream 1", "c DATA stream 1") in pairs) is waits


def test_a_head_in_two_frames_is_whole_with_the_second():
    """What answers a head stands behind its CONTINUATION (RFC 9113, 6.10); its trailers are no part of it."""
    rest = frame(CONTINUATION, END_HEADERS, 1, b"")
    assert ("c CONTINUATION stream 1", "s HEADERS stream 1") in linked(head(*POSTED, flags=0) + rest, INTERIM)
    trailers = head(("x", "y"), flags=END_STREAM) + rest
    pairs = linked(head(*POSTED) + data(5) + trailers, INTERIM + ok())
    assert ("c CONTINUATION stream 1", "s HEADERS stream 1") in pairs
    assert ("c HEADERS stream 1", "s HEADERS stream 1") in pairs


@pytest.mark.parametrize(("behind", "last"), [(b"", True), (frame(PING, 0, 0, bytes(8)), False)])
def test_only_the_last_goaway_says_goodbye(behind, last):
    """A GOAWAY behind which more follows is a warning, not the end (RFC 9113, 6.8)."""
    part = dissect(prior(GOODBYE + behind, settings())).hops[0].http2(ASK)
    place = next(at for at, each in enumerate(part.frames) if each.type == GOAWAY)
    assert says_goodbye(part, place) is last
    assert not says_goodbye(part, 0)
