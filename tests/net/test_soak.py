"""Some thousands of connections in one process: nothing grows."""

import asyncio
import gc
import random
import socket
import struct
import threading
import tracemalloc
from pathlib import Path

import pytest

from labkit.net.client import ask
from labkit.net.server import UpgradeServer
from labkit.net.tap import Tap
from labkit.net.wire import Wire
from labkit.parties.core import Core
from labkit.parties.described import Limits
from labkit.parties.offer import Offer
from labkit.parties.server import ServerParty
from labkit.parties.websocket import WebSocket
from labkit.scenario import Scenario
from labkit.simulation import simulate
from tests.parties.driving import HOST, TEXT, asked, closing, head, opening
from tests.parties.test_server import ANSWER_101

ROUND = 500  # connections
ECHOED = ANSWER_101 + b"\x81\x05Hello\x88\x02\x03\xe8"
RUDE = [b"garbage\r\n\r\n", opening()[:40], opening() + b"\x81\x85\x37", head(HOST, "X : y"), opening() + b"\xff" * 50]


async def one(port: int, number: int) -> None:
    """Make one connection: by turns a whole exchange, a decline, something rude, and one that is broken off."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    kind = number % 4
    try:
        if kind == 0:
            writer.write(opening() + asked(TEXT, b"Hello") + closing())
            assert await reader.read() == ECHOED
        elif kind == 1:
            writer.write(head(HOST, "Connection: close"))
            assert (await reader.read()).startswith(b"HTTP/1.1 200")
        elif kind == 2:
            writer.write(RUDE[number % len(RUDE)])
            writer.write_eof()
            await reader.read()
        else:
            writer.write(opening() + asked(TEXT, b"Hello") * 3)
            await reader.readexactly(20)
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    finally:
        writer.transport.abort()


async def many(port: int) -> None:
    for start in range(0, ROUND, 50):
        await asyncio.gather(*(one(port, number) for number in range(start, start + 50)))


def descriptors() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def settled(listener) -> None:
    """Wait until every connection of a listener is over."""
    for _ in range(1000):
        if not listener._engine.open:
            return
        threading.Event().wait(0.005)
    pytest.fail(f"{len(listener._engine.open)} connections are still open")


@pytest.mark.parametrize("through_tap", [False, True])
def test_nothing_grows(through_tap):
    """After thousands of connections, good and bad, there are as many threads, descriptors and bytes as before."""
    server = UpgradeServer(limits=Limits(traces=10, close_time=0.2))
    with server, Tap(server.url, traces=10) as tap:
        port = tap.port if through_tap else server.port

        def round_of_many() -> tuple[int, int, int]:
            asyncio.run(many(port))
            settled(server)
            settled(tap)
            gc.collect()
            return threading.active_count(), descriptors(), tracemalloc.get_traced_memory()[0]

        asyncio.run(many(port))  # what is made once is made here
        tracemalloc.start()
        try:
            threads, files, memory = round_of_many()
            for _ in range(2):
                last = round_of_many()
        finally:
            tracemalloc.stop()
        assert last[0] == threads
        assert last[1] <= files
        assert last[2] - memory < 100_000
        assert ask(server.url) == simulate(Scenario())


def test_a_connection_is_freed_as_it_ends():
    """What a connection is made of does not hold on to itself: no work is left to the garbage collector."""

    def left() -> int:
        return sum(type(each) in (Wire, ServerParty, WebSocket, Core) for each in gc.get_objects())

    with UpgradeServer() as server:
        ask(server.url)
        settled(server)
        gc.collect()
        gc.disable()
        try:
            before = left()
            for offer in (Offer.websocket(), Offer.websocket().without("Host"), Offer.plain()):
                ask(server.url, offer)
            settled(server)
            assert left() == before
        finally:
            gc.enable()


def test_the_client_leaves_nothing():
    """Hundreds of exchanges of the lab's own client leave no thread and no descriptor."""
    with UpgradeServer() as server:
        ask(server.url)
        settled(server)
        before = threading.active_count(), descriptors()
        for _ in range(200):
            ask(server.url)
        settled(server)
        assert (threading.active_count(), descriptors()) == before


def test_a_long_conversation_grows_nothing():
    """Ten thousand messages on one connection, beyond the recording's limit, hold no more memory than a few."""
    limits = Limits(recorded=1000)
    with UpgradeServer(limits=limits) as server, socket.create_connection(("127.0.0.1", server.port)) as client:
        batch = asked(TEXT, b"x" * 100) * 100

        def some() -> int:
            for _ in range(50):
                client.sendall(batch)
                left = 102 * 100
                while left:
                    left -= len(client.recv(left))
            gc.collect()
            return tracemalloc.get_traced_memory()[0]

        client.sendall(opening())
        client.recv(len(ANSWER_101))
        tracemalloc.start()
        try:
            first, last = some(), some()
        finally:
            tracemalloc.stop()
        assert last - first < 20_000


def test_fuzz():
    """A thousand connections of random bytes: the server answers or closes, and serves the next one."""
    draw = random.Random(101)
    pieces = [
        opening(),
        head(HOST),
        asked(TEXT, b"x"),
        closing(),
        b"\r\n",
        b"GET ",
        b"\x81",
        b"\x00" * 9,
        b"Host: a\r\n",
    ]

    async def fuzzed(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(draw.randrange(5)):
            writer.write(draw.choice([*pieces, draw.randbytes(draw.randrange(40))]))
            if draw.random() < 0.3:
                await asyncio.sleep(0)
        writer.write_eof()
        await asyncio.wait_for(reader.read(), 10)
        writer.transport.abort()

    async def all_of_them(port: int) -> None:
        for _ in range(20):
            ends = await asyncio.gather(*(fuzzed(port) for _ in range(50)), return_exceptions=True)
            assert all(end is None or isinstance(end, ConnectionError) for end in ends)  # a RST, never a silence

    with UpgradeServer(limits=Limits(close_time=0.2, traces=1000)) as server:
        asyncio.run(all_of_them(server.port))
        settled(server)
        assert all(trace.events for trace in server.traces)
        assert ask(server.url) == simulate(Scenario())
