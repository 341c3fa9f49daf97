"""A thread with an event loop of its own: blocking code in a notebook's cell never stops it."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from labkit.errors import Absent, Failed
from labkit.net.machine import for_real

__all__ = ["LoopThread", "new_loop"]

T = TypeVar("T")
_PATIENCE = 5.0  # seconds for a loop to start, and to end what still runs on it


def new_loop(*, uvloop: bool = False) -> asyncio.AbstractEventLoop:
    """Return an event loop: asyncio's own, or uvloop's, which does the same in less time.

    Raises:
        Absent: uvloop is asked for and not here.
    """
    if not uvloop:
        return asyncio.new_event_loop()
    try:
        import uvloop as library  # noqa: PLC0415  optional
    except ImportError:
        raise Absent("uvloop is not on this machine (Windows has none); install it: pip install uvloop") from None
    loop: asyncio.AbstractEventLoop = library.new_event_loop()
    return loop


async def _nothing() -> None:
    pass


class LoopThread:
    """An event loop in a daemon thread, from `start` to `stop`.

    Args:
        name: of the thread.
        at_end: run on the loop before it ends.
        uvloop: whether the loop is uvloop's.
    """

    def __init__(self, name: str, at_end: Callable[[], Awaitable[None]] = _nothing, *, uvloop: bool = False) -> None:
        self._name = name
        self._uvloop = uvloop
        self._at_end = at_end
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None
        self.loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Start the thread and wait until its loop runs.

        Raises:
            Absent: this Python has no threads: it runs in a browser; or uvloop is asked for and not here.
        """
        for_real()
        self.loop = new_loop(uvloop=self._uvloop)
        self._thread = threading.Thread(target=self._main, name=self._name, daemon=True)
        self._thread.start()
        if not self._ready.wait(_PATIENCE):
            raise Failed(f"the thread {self._name} did not start within {_PATIENCE:g} s")

    def _main(self) -> None:
        loop = self.loop
        assert loop is not None
        loop.set_exception_handler(_exception)
        loop.call_soon(self._ready.set)
        try:
            loop.run_forever()
            loop.run_until_complete(self._end())
        finally:
            loop.close()

    async def _end(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._at_end(), _PATIENCE)
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_PATIENCE)
        loop = asyncio.get_running_loop()
        await loop.shutdown_asyncgens()
        await loop.shutdown_default_executor()

    def run(self, coro: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """Run a coroutine on the loop and return its result.

        Raises:
            TimeoutError: it took longer than `timeout` seconds.
        """
        loop = self.loop
        if loop is None or loop.is_closed():
            coro.close()
            raise Failed("this server is not running: start it first")
        future = asyncio.run_coroutine_threadsafe(coro, loop)
        try:
            return future.result(timeout)
        except BaseException:
            future.cancel()
            raise

    def stop(self) -> None:
        """End the loop and its thread; whatever still runs is cancelled."""
        loop, thread = self.loop, self._thread
        if loop is None or thread is None:
            return
        with contextlib.suppress(RuntimeError):  # it is closed already
            loop.call_soon_threadsafe(loop.stop)
        if thread is not threading.current_thread():  # a handler may stop its own server; the collector runs anywhere
            thread.join(2 * _PATIENCE)
        self._thread = None


def _exception(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Keep quiet where there are no descriptors left to accept with: asyncio tries again by itself."""
    error = context.get("exception")
    if not (isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE)):
        loop.default_exception_handler(context)
