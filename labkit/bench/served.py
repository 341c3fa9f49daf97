"""The server that the ways are measured on: the lab's own, with a page for every way that needs one.

    POST /echo          comes back
    POST /send?BOX      goes into a box
    GET /poll?BOX       is answered with the next message of a box, when there is one
    GET /events?BOX     is a stream of events, one for each message of a box
    POST /end?BOX       ends what waits for a box
    Upgrade             to websocket, or to raw: an echo of bytes as they come

As a process it says where it listens as `labkit serve` does, and ends with its input.
"""

# ruff: noqa: T201  its output is how it is talked to

from __future__ import annotations

import asyncio
import sys
from collections import OrderedDict

from labkit.net.server import UpgradeServer
from labkit.parties.described import Limits, Server
from labkit.parties.pages import Exchange
from labkit.parties.stream import echo
from labkit.wire.events import event

__all__ = ["Boxes", "main", "told"]

_MOST_BOXES = 1000
_MOST_HELD = 1000  # messages of a box
_POLL_TIME = 20.0  # seconds

_LIMITS = Limits(requests=1 << 40, message=1 << 20, content=1 << 20, recorded=1 << 23)


class Boxes:
    """What was sent, and waits to be fetched: a box for each name; the oldest goes where there are too many."""

    def __init__(self) -> None:
        self._boxes: OrderedDict[str, asyncio.Queue[str | None]] = OrderedDict()

    def of(self, target: str) -> asyncio.Queue[str | None]:
        """Return the box that a request-target names."""
        name = target.partition("?")[2]
        if name not in self._boxes:
            self._boxes[name] = asyncio.Queue(_MOST_HELD)
            if len(self._boxes) > _MOST_BOXES:
                self._boxes.popitem(last=False)
        return self._boxes[name]

    async def send(self, exchange: Exchange) -> None:
        """Put a message into its box."""
        await self.of(exchange.path).put(exchange.content.decode())
        await exchange.answer(status=204)

    async def end(self, exchange: Exchange) -> None:
        """Let whoever waits for a box wait no longer."""
        await self.of(exchange.path).put(None)
        await exchange.answer(status=204)

    async def poll(self, exchange: Exchange) -> None:
        """Answer with the next message, or with none after a while."""
        try:
            text = await _soon(self.of(exchange.path))
        except TimeoutError:
            text = None
        if text is None:
            await exchange.answer(status=204)
        else:
            await exchange.answer(text)

    async def events(self, exchange: Exchange) -> None:
        """Send each message as an event."""
        await exchange.begin("text/event-stream", fields=(("Cache-Control", "no-store"),))
        box = self.of(exchange.path)
        while (text := await box.get()) is not None:
            await exchange.send(event(text))


async def _soon(box: asyncio.Queue[str | None]) -> str | None:
    if not box.empty():  # also where there is no event loop: in memory
        return box.get_nowait()
    async with asyncio.timeout(_POLL_TIME):
        return await box.get()


async def _back(exchange: Exchange) -> None:
    await exchange.answer(exchange.content)


def told(boxes: Boxes | None = None, *, deflate: str = "zlib") -> Server:
    """Return what the server is told to be."""
    boxes = boxes or Boxes()
    pages = {"/echo": _back, "/send": boxes.send, "/end": boxes.end, "/poll": boxes.poll, "/events": boxes.events}
    return Server(protocols={"websocket": echo, "raw": echo}, pages=pages, deflate=deflate, limits=_LIMITS)


def main() -> None:
    """Serve until the input ends."""
    with UpgradeServer(told(), record="--trace" in sys.argv) as server:
        print(f"listening on {server.url.rstrip('/')}", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
