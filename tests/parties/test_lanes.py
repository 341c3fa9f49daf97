"""Many conversations on one connection: windows, slow handlers, ends; h2's own client is the other side."""

from __future__ import annotations

import pytest

from labkit.parties.described import Limits, Server
from labkit.parties.stream import echo
from labkit.wire.websocket import BINARY, SAMPLE_MASK, frame
from tests.parties.lanes import ECHO, GOODBYE, HELLO, Peer, connect

ECHOING = Server(http2=True)
BIG = frame(BINARY, b"x" * 16000, mask=SAMPLE_MASK)


async def deaf(stream):
    await stream.sleep(3)


def test_lanes_do_not_disturb_each_other():
    """Three conversations, their bytes interleaved: each gets its own echo (RFC 9113, 5)."""
    peer = Peer(ECHOING)
    numbers = [peer.ask(connect(f"/{place}")) for place in range(3)]
    for half in (HELLO[:5], HELLO[5:]):
        for number in numbers:
            peer.say(number, half)
    assert peer.data == dict.fromkeys(numbers, ECHO)


def test_a_slow_handler_does_not_stop_the_others():
    """A lane that is not read from fills its own window, and the connection's is given back (RFC 9113, 5.2)."""
    peer = Peer(Server(http2=True, protocols={"websocket": echo, "deaf": deaf}))
    slow, quick = peer.ask(connect(protocol="deaf")), peer.ask(connect())
    while peer.core.local_flow_control_window(slow) >= len(BIG):
        peer.say(slow, BIG)
    for _ in range(10):
        peer.say(quick, BIG)
    assert len(peer.data[quick]) == 10 * len(frame(BINARY, b"x" * 16000))


def test_what_a_window_does_not_let_through_waits():
    """With no room at the client, the echo waits in the server, and so does its handler (RFC 9113, 5.2)."""
    peer = Peer(ECHOING, reads=False, INITIAL_WINDOW_SIZE=4)
    number = peer.ask(connect())
    peer.say(number, HELLO)
    assert peer.data[number] == ECHO[:4]
    peer.core.increment_flow_control_window(100, number)
    peer.go_on()
    assert peer.data[number] == ECHO


def test_who_never_reads_is_not_read_from_without_end():
    """A client that gives no room for the echoes is given none for more messages: what waits is bounded."""
    peer = Peer(ECHOING, reads=False, INITIAL_WINDOW_SIZE=0)
    number, sent = peer.ask(connect()), 0
    while peer.core.local_flow_control_window(number) >= len(BIG) and sent < 2 << 20:
        peer.say(number, BIG)
        sent += len(BIG)
    assert 1 << 15 < sent < 1 << 20


def test_a_closing_handshake_ends_both_sides_of_a_lane():
    """Behind its Close each side ends the stream, as it would end the connection (RFC 8441, 5)."""
    peer = Peer(ECHOING)
    number = peer.ask(connect())
    peer.say(number, HELLO + GOODBYE, end=True)
    assert peer.data[number] == ECHO + b"\x88\x02\x03\xe8"
    assert peer.ended == [number]
    assert not peer.server.party.ending


def test_a_reset_ends_the_handler():
    """A lane that its client breaks off is no more: its handler meets the end (RFC 8441, 5: CANCEL is a RST)."""
    seen = []

    async def telling(stream):
        seen.extend([message async for message in stream])
        seen.append("end")

    peer = Peer(Server(http2=True, protocols={"websocket": telling}))
    number = peer.ask(connect())
    peer.say(number, HELLO)
    peer.core.reset_stream(number, 8)
    peer.go_on()
    assert seen == ["Hello", "end"]
    assert not peer.server.party.problem


def test_a_handler_that_fails_ends_its_own_lane():
    """An error of one handler is Close 1011 on its lane, and told of the server; the others go on."""

    async def fails(_):
        raise ValueError("no")

    peer = Peer(Server(http2=True, protocols={"websocket": echo, "broken": fails}))
    broken, whole = peer.ask(connect(protocol="broken")), peer.ask(connect())
    peer.say(whole, HELLO)
    assert peer.ended == [broken]
    assert peer.data[whole] == ECHO
    assert peer.server.party.problem == "the server's handler failed: ValueError: no"


def test_a_lane_that_its_client_never_ends_is_broken_off():
    """The server has said its Close, and waits for the end no longer than for that of a connection."""
    peer = Peer(Server(http2=True, protocols={"websocket": deaf}, limits=Limits(close_time=1)))
    number = peer.ask(connect())
    peer.wait(10)
    assert peer.data[number] == b"\x88\x02\x03\xe8"
    assert peer.ended == [number]
    assert peer.reset == {number: 8}


def test_a_goodbye_of_the_client_ends_every_handler():
    """After a GOAWAY nothing more is done on this connection."""
    peer = Peer(ECHOING)
    peer.ask(connect())
    peer.core.close_connection()
    peer.go_on()
    assert peer.server.party.ending
    assert not peer.server._steps._all


def test_an_idle_connection_gets_close_and_goaway():
    """After its idle time the server says 1001 on each lane, and GOAWAY for the connection (RFC 9113, 6.8)."""
    peer = Peer(Server(http2=True, limits=Limits(idle_time=5)))
    number = peer.ask(connect())
    peer.wait(6)
    assert peer.data[number].startswith(b"\x88\x0e\x03\xe9idle")
    assert peer.goodbye == 0
    assert peer.server.party.ending


@pytest.mark.parametrize("size", [1, 7, 24])
def test_how_the_bytes_fall_does_not_matter(size):
    """A byte at a time or as many as come: the answer is the same, the preface's first bytes among them."""
    whole, cut = Peer(ECHOING), Peer(ECHOING)
    said = []
    for peer, piece in ((whole, 1 << 20), (cut, size)):
        peer.core.send_headers(1, connect())
        peer.core.send_data(1, HELLO)
        data = peer.core.data_to_send()
        said.append(b"".join(peer.server.feed(data[at : at + piece]) for at in range(0, len(data), piece)))
    assert said[0] == said[1]
