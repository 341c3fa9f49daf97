from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

import labkit
from labkit.bench import load
from labkit.bench.load import course, talk
from labkit.bench.sent import event_of, numbers, texts
from labkit.bench.served import told
from labkit.bench.ways import DOING, SWITCHING, WAYS
from labkit.errors import Failed
from labkit.parties.answer import Answer
from labkit.trace import Direction, Trace

ASK, REPLY = Direction.TO_SERVER, Direction.TO_CLIENT
_SIZES = [1, 64, 70_000]


@pytest.fixture
def server() -> Iterator[labkit.UpgradeServer]:
    with labkit.UpgradeServer(told()) as running:
        yield running


def both(traces: tuple[Trace, ...], way: Direction) -> bytes:
    return b"".join(trace.stream(way) for trace in traces)


@pytest.mark.parametrize("size", _SIZES)
@pytest.mark.parametrize("way", WAYS)
def test_each_way_carries_messages_there_and_back(server: labkit.UpgradeServer, way: str, size: int) -> None:
    """In turn, three messages leave, and each comes back as it was: the times are of all of them."""
    found = talk("turns", way, server.port, size=size, connections=1, seconds=60.0, most=3)
    assert found["messages"] == len(found["times"]) == 3
    assert min(found["times"]) > 0
    if way == "websocket-text":
        assert both(server.traces, REPLY).count(texts(size)[2]) >= 1
    if way == "raw":
        assert numbers(size)[2] in both(server.traces, ASK)
    if way == "server-sent-events" and size < 1000:
        assert event_of(texts(size)[2]) in both(server.traces, REPLY)


@pytest.mark.parametrize("way", WAYS)
def test_each_way_goes_as_quickly_as_it_can_on_several_connections(server: labkit.UpgradeServer, way: str) -> None:
    """Several connections talk at the same time, and everything that left is back when the clock stops."""
    found = talk("stream", way, server.port, size=64, connections=3, seconds=0.02)
    assert found["messages"] >= 3
    assert 0 < found["seconds"] < 20
    assert found["times"] == []


@pytest.mark.parametrize("way", SWITCHING)
def test_handshakes_are_connections_of_their_own(server: labkit.UpgradeServer, way: str) -> None:
    """Each handshake is a new connection that switches, and is closed as its protocol has it."""
    found = talk("handshakes", way, server.port, size=1, connections=2, seconds=60.0, most=3)
    assert found["messages"] == len(server.traces) == 6
    for trace in server.traces:
        assert trace.stream(REPLY).startswith(b"HTTP/1.1 101 ")
        assert trace.stream(REPLY).endswith(b"\x88\x02\x03\xe8") is (way != "raw")


def test_compressed_messages_are_compressed(server: labkit.UpgradeServer) -> None:
    """With permessage-deflate less crosses than was said, each message by itself, in both directions (RFC 7692)."""
    talk("turns", "websocket-deflate", server.port, size=70_000, connections=1, seconds=60.0, most=8)
    assert b"no_context_takeover" in both(server.traces, REPLY)
    for way in Direction:
        assert len(both(server.traces, way)) < 16 * 35_000


def test_a_way_that_the_server_does_not_speak_is_an_error() -> None:
    """A server that declines is no measurement but an error, and so is one that answers another page."""
    with labkit.UpgradeServer(decline=403) as server:
        with pytest.raises(Failed, match="no switch"):
            talk("turns", "raw", server.port, size=64, connections=1, seconds=1.0, most=1)
        with pytest.raises(Failed, match="no stream of events"):
            talk("turns", "server-sent-events", server.port, size=64, connections=1, seconds=1.0, most=1)
    with labkit.UpgradeServer(told(deflate="off")) as server, pytest.raises(Failed, match="not agreed"):
        talk("turns", "websocket-deflate", server.port, size=64, connections=1, seconds=1.0, most=1)
    with labkit.UpgradeServer(pages={"/echo": Answer(503)}) as server, pytest.raises(Failed, match="no success"):
        talk("turns", "keep-alive", server.port, size=64, connections=1, seconds=1.0, most=1)


async def _backwards(stream: labkit.Stream) -> None:
    async for message in stream:
        await stream.send(message[::-1])


async def _wrong(exchange: labkit.Exchange) -> None:
    await exchange.answer(exchange.content[::-1])


@pytest.mark.parametrize("doing", ["turns", "stream"])
@pytest.mark.parametrize("way", ["new-connection", "keep-alive", "websocket-text", "websocket-deflate", "raw"])
def test_an_echo_that_is_none_is_found_out(way: str, doing: str) -> None:
    """Every byte is compared: a server that answers something else is found out in each way."""
    protocols: dict[str, Callable[..., object]] = {"websocket": _backwards, "raw": _backwards}
    settings = {"protocols": protocols, "pages": {"/echo": _wrong}, "deflate": "zlib"}
    with labkit.UpgradeServer(**settings) as server, pytest.raises(Failed, match="not what was sent"):
        talk(doing, way, server.port, size=64, connections=1, seconds=0.05)


def test_a_server_that_goes_away_is_an_error() -> None:
    """A connection that ends in the middle of a message is told."""

    async def leave(stream: labkit.Stream) -> None:
        await stream.receive()
        await stream.hang_up()

    with labkit.UpgradeServer(protocols={"raw": leave}) as server:
        for doing in ("turns", "stream"):
            with pytest.raises(Failed, match="was closed"):
                talk(doing, "raw", server.port, size=64, connections=1, seconds=0.05)


def test_a_server_that_is_silent_is_waited_for_no_longer_than_that(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait for an answer is bounded."""

    async def mute(stream: labkit.Stream) -> None:
        await stream.sleep(60)

    monkeypatch.setattr(load, "PATIENCE", 0.1)
    with labkit.UpgradeServer(protocols={"raw": mute}) as server, pytest.raises(Failed, match="nothing came"):
        talk("turns", "raw", server.port, size=64, connections=1, seconds=0.05)


def test_a_connection_that_is_closed_after_its_answer_is_made_anew() -> None:
    """Keep-alive goes on over a server, or a proxy, that closes after so many requests (RFC 9112, 9.6)."""
    limits = labkit.Limits(requests=2)
    with labkit.UpgradeServer(told(), limits=limits) as server:
        for way in ("keep-alive", "long-polling"):
            assert talk("turns", way, server.port, size=64, connections=1, seconds=60.0, most=7)["messages"] == 7


@pytest.mark.parametrize("way", ["websocket-binary", "raw"])
def test_a_course_goes_over_the_switch_on_one_connection(server: labkit.UpgradeServer, way: str) -> None:
    """Requests come before the moment 0, messages after it, all on one connection, and time goes forward."""
    found = course(way, server.port, 1024, 0.05)["course"]
    at = [moment for moment, _ in found]
    assert at == sorted(at)
    assert at[0] < 0 < at[-1]
    assert len(server.traces) == 1
    assert server.traces[0].stream(ASK).startswith(b"POST /echo ")


def test_an_order_is_over_in_its_time(server: labkit.UpgradeServer) -> None:
    """However slow the way, no more is begun once the time is up, and one message at least is made."""
    began = time.monotonic()
    for way in WAYS:
        assert talk("turns", way, server.port, size=1, connections=1, seconds=0.0)["messages"] == 1
    assert time.monotonic() - began < 10
    assert set(DOING["turns"]) == set(DOING["stream"]) == set(WAYS)
