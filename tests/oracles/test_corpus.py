"""The corpus against a server of another make: websockets' own, on asyncio."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from time import monotonic

import pytest
from websockets.asyncio.server import ServerConnection, serve

from labkit.cases.corpus import PLAIN, Report, Standing, cases
from labkit.net.corpus import run_corpus

QUICK = [case for case in cases() if case.wait is None]


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def work(started: Future[tuple[int, asyncio.Event, asyncio.AbstractEventLoop]]) -> None:
    quiet = logging.getLogger("a server that is asked odd things")
    quiet.setLevel(logging.CRITICAL + 1)
    over = asyncio.Event()
    async with serve(echo, "127.0.0.1", 0, logger=quiet) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        started.set_result((port, over, asyncio.get_running_loop()))
        await over.wait()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    started: Future[tuple[int, asyncio.Event, asyncio.AbstractEventLoop]] = Future()
    thread = threading.Thread(target=lambda: asyncio.run(work(started)), daemon=True)
    thread.start()
    port, over, loop = started.result(10)
    yield f"127.0.0.1:{port}"
    loop.call_soon_threadsafe(over.set)
    thread.join(10)


@pytest.fixture(scope="module")
def found(server: str) -> Report:
    began = monotonic()
    report = run_corpus(server, only=QUICK, patience=0.5)
    assert monotonic() - began < 10
    return report


def test_websockets_takes_the_plain_offer(found: Report):
    """The run is whole, and the plain offer gets a handshake within the RFCs."""
    by_id = {row.case.id: row for row in found}
    assert (len(found), found.whole, found.note) == (len(QUICK), True, "")
    assert (str(by_id[PLAIN].outcome), by_id[PLAIN].standing) == ("101", Standing.WITHIN)


def test_most_of_what_websockets_does_is_within(found: Report):
    """The corpus does not blame a server that is well kept for most of what it does."""
    assert len(found.of(Standing.WITHIN)) > len(found) // 2


@pytest.mark.parametrize(
    ("name", "outcome", "note"),
    [
        ("ws-version-12", "400", "the 400 has no Sec-WebSocket-Version"),  # RFC 6455, 4.4
        ("host-absent", "101", ""),  # RFC 9112, 3.2
        ("host-twice-different", "101", ""),  # RFC 9112, 3.2
    ],
)
def test_websockets_is_outside(found: Report, name: str, outcome: str, note: str):
    """It names no version that it speaks (RFC 6455, 4.4), and takes any Host, or none (RFC 9112, 3.2)."""
    [row] = [row for row in found if row.case.id == name]
    assert (str(row.outcome), row.note, row.standing) == (outcome, note, Standing.OUTSIDE)
