import asyncio
import threading
import time

import pytest

from labkit.errors import Failed
from labkit.net.loop import LoopThread


async def forty_two():
    return 42


def test_a_coroutine_runs_in_the_thread():
    """What is run runs on the thread's loop, and its result comes back."""
    thread = LoopThread("labkit test")
    thread.start()
    assert thread.run(forty_two()) == 42
    assert thread.run(_name()) == "labkit test"
    thread.stop()
    thread.stop()


async def _name():
    return threading.current_thread().name


def test_an_error_comes_back():
    """An error of the coroutine is raised where it was asked for."""

    async def wrong():
        raise ValueError("x")

    thread = LoopThread("labkit test")
    thread.start()
    with pytest.raises(ValueError, match="x"):
        thread.run(wrong())
    thread.stop()


def test_a_time_limit_ends_the_waiting():
    """A coroutine that takes too long is cancelled."""
    ended = threading.Event()

    async def long():
        try:
            await asyncio.sleep(100)
        finally:
            ended.set()

    thread = LoopThread("labkit test")
    thread.start()
    with pytest.raises(TimeoutError):
        thread.run(long(), 0.05)
    assert ended.wait(2)
    thread.stop()


def test_stopping_ends_everything():
    """Tasks are cancelled, generators closed, the executor's threads ended, and `at_end` runs first."""
    seen = []

    async def at_end():
        seen.append("at_end")

    async def generate():
        try:
            yield 1
            await asyncio.sleep(100)
        finally:
            seen.append("generator")

    async def begin():
        asyncio.get_running_loop().create_task(task())
        await asyncio.to_thread(int)
        seen.append(await anext(generator))

    async def task():
        try:
            await asyncio.sleep(100)
        finally:
            seen.append("task")

    generator = generate()
    before = threading.active_count()
    thread = LoopThread("labkit test", at_end)
    thread.start()
    thread.run(begin())
    thread.stop()
    assert seen == [1, "at_end", "task", "generator"]
    assert threading.active_count() == before


def test_after_the_end_nothing_runs():
    """What is asked of a stopped thread is refused, and its coroutine is not left unawaited."""
    thread = LoopThread("labkit test")
    with pytest.raises(Failed, match="not running"):
        thread.run(forty_two())
    thread.start()
    thread.stop()
    with pytest.raises(Failed, match="not running"):
        thread.run(forty_two())


def test_a_stop_from_inside_does_not_wait_for_itself():
    """The thread may be told to stop by what runs in it."""

    async def stop():
        thread.stop()

    thread = LoopThread("labkit test")
    thread.start()
    inner = thread._thread
    thread.loop.call_soon_threadsafe(thread.loop.create_task, stop())
    inner.join(5)
    assert not inner.is_alive()


def test_starting_takes_no_time():
    """A loop is there in a few milliseconds."""
    began = time.perf_counter()
    for _ in range(20):
        thread = LoopThread("labkit test")
        thread.start()
        thread.stop()
    assert time.perf_counter() - began < 4
