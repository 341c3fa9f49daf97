import asyncio
import gc
import hashlib
import subprocess
import sys
import time
import warnings

import pytest

from labkit.dissection import dissect
from labkit.errors import WrongUse
from labkit.parties.described import Limits, Server
from labkit.parties.offer import Offer
from labkit.parties.stream import echo
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Cut, Direction, How
from tests.net.scenarios import ALL, listen
from tests.parties.driving import opening

ASK, REPLY = Direction.TO_SERVER, Direction.TO_CLIENT


def served_by(handler, say=listen) -> Scenario:
    return Scenario(say=say, server=Server(protocols={"websocket": handler}))


def digest() -> str:
    """Sum up the bytes of every scenario."""
    whole = hashlib.sha256()
    for name in sorted(ALL):
        for way in Direction:
            whole.update(simulate(ALL[name]).stream(way) + b"\n")
    return whole.hexdigest()


def test_a_simulation_is_the_same_each_time():
    """The same scenario gives the same bytes, in this process and in another one with another hash seed."""
    script = "from tests.test_simulation import digest; print(digest())"
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert other.stdout.strip() == digest() == digest()


def test_no_time_passes():
    """Waits are made on a logical clock: an hour takes no time."""

    async def slow(stream):
        for _ in range(10):
            await stream.sleep(50)
            await stream.send("tick")

    began = time.perf_counter()
    trace = simulate(served_by(slow))
    assert time.perf_counter() - began < 1
    assert trace.stream(REPLY).count(b"tick") == 10
    assert trace.events[-1].time >= 500


def test_every_trace_says_what_it_is():
    """A simulated trace carries the scenario's title, and that it was simulated."""
    trace = simulate(Scenario(title="One echo"))
    assert (trace.title, trace.note) == ("One echo", "simulated")


async def sleeps(stream):
    await asyncio.sleep(1)


async def sleeps_not(stream):
    await asyncio.sleep(0)


async def queues(stream):
    await asyncio.Queue().get()


async def has_a_timeout(stream):
    async with asyncio.timeout(1):
        await stream.receive()


async def waits_for(stream):
    await asyncio.wait_for(stream.receive(), 1)


async def gathers(stream):
    await asyncio.gather(asyncio.to_thread(int))


async def groups(stream):
    async with asyncio.TaskGroup():
        pass


async def threads(stream):
    await asyncio.to_thread(int)


async def asks_for_the_loop(stream):
    asyncio.get_running_loop()


async def locks(stream):
    lock = asyncio.Lock()
    await lock.acquire()
    await lock.acquire()


FOREIGN = {
    sleeps: "asyncio.sleep", sleeps_not: "asyncio.sleep", queues: "asyncio.Queue.get", has_a_timeout: "asyncio.timeout",
    waits_for: "asyncio.wait_for", groups: "asyncio.TaskGroup", threads: "asyncio.to_thread",
    asks_for_the_loop: "asyncio", locks: "asyncio.Lock.acquire",
}  # fmt: skip


@pytest.mark.parametrize("handler", FOREIGN, ids=lambda handler: handler.__name__)
@pytest.mark.parametrize("side", ["server", "client"])
def test_what_needs_a_loop_is_named(handler, side):
    """A handler that awaits asyncio's own things is told which, and what to do; also inside a running loop."""
    scenario = served_by(handler) if side == "server" else Scenario(say=handler)

    async def in_a_notebook():
        before = asyncio.all_tasks()
        with pytest.raises(WrongUse) as caught:
            simulate(scenario)
        assert asyncio.all_tasks() == before
        assert asyncio.get_running_loop()
        return str(caught.value)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a coroutine that asyncio was given, and never took up
        with pytest.raises(WrongUse) as caught:
            simulate(scenario)
        assert asyncio.run(in_a_notebook()) == str(caught.value)
        gc.collect()  # now, while it may be said
    assert str(caught.value).startswith(f"the handler uses {FOREIGN[handler]}")
    assert "run" in str(caught.value)


def test_what_was_begun_on_a_notebooks_loop_is_taken_back():
    """`gather` finds the loop of the thread by itself: what it began there is cancelled, and nothing is logged."""

    async def in_a_notebook():
        with pytest.raises(WrongUse, match="needs a real event loop"):
            simulate(served_by(gathers))
        await asyncio.sleep(0.01)
        return len(asyncio.all_tasks())

    assert asyncio.run(in_a_notebook()) == 1


def test_a_handlers_own_error_is_no_wrong_use():
    """A RuntimeError of the handler's own ends its conversation, not the simulation."""

    async def wrong(stream):
        raise RuntimeError("my own")

    assert b"RuntimeError: my own" in simulate(served_by(wrong)).stream(REPLY)


def test_ctrl_c_ends_a_simulation():
    """An interrupt while a handler runs is the user's, and goes through."""

    async def interrupted(stream):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(served_by(interrupted))


def test_a_handler_that_waits_while_it_is_closed():
    """A handler that sleeps in its `finally` is dropped without a word."""

    async def clinging(stream):
        try:
            await stream.sleep(10_000)
        finally:
            await stream.sleep(10_000)

    async def idle(stream):
        await stream.sleep(10_000)

    assert dissect(simulate(served_by(clinging, say=idle))).outcome == "switched"


def test_two_that_wait_for_each_other_come_to_an_end():
    """Where neither side speaks the idle time ends it, as it would for real."""

    async def wait(stream):
        await stream.receive()

    trace = simulate(served_by(wait, say=wait))
    assert b"idle for 60 s" in trace.stream(REPLY)
    assert {trace.end(way) for way in Direction} == {How.FIN}


def test_a_flood_is_cut_off():
    """A handler that sends without end is stopped; the trace keeps its limit and tells what it did not keep."""

    async def flood(stream):
        while True:
            await stream.send("x" * 10_000)

    began = time.perf_counter()
    trace = simulate(served_by(flood))
    assert time.perf_counter() - began < 20
    assert len(trace.stream(REPLY)) < 1 << 21
    assert any(isinstance(event, Cut) for event in trace.events)


def test_what_went_wrong_is_in_the_note():
    """A simulation that had to be stopped, and a handler that failed, are told beside the trace."""

    async def flood(stream):
        while True:
            await stream.send("x" * 100_000)

    async def wrong(stream):
        raise ValueError("my own")

    assert simulate(served_by(flood)).note == "simulated; stopped after 64 MiB"
    assert simulate(served_by(wrong)).note == "simulated; the server's handler failed: ValueError: my own"


def test_a_sleep_of_nothing_gives_others_their_turn():
    """A handler that sleeps for no time in an endless loop does not hold up the other side."""

    async def spin(stream):
        while True:
            await stream.sleep(0)
            await stream.send("x")

    async def leave(stream):
        await stream.receive()

    assert simulate(served_by(spin, say=leave)).end(ASK) is How.FIN


def test_a_flood_to_one_who_does_not_read_stands_still():
    """Where the client takes nothing the sender waits, and the idle time ends it."""

    async def flood(stream):
        while True:
            await stream.send("x" * 10_000)

    async def deaf(stream):
        await stream.sleep(3000)

    trace = simulate(served_by(flood, say=deaf))
    sent = sum(event.length for event in trace.events if isinstance(event, Cut)) + len(trace.stream(REPLY))
    assert sent < 40 << 20


def test_a_client_that_gives_up_is_seen():
    """A client whose offer is never completed gives up; both ends are in the trace."""
    trace = simulate(Scenario(Offer.of_bytes(opening()[:50])))
    assert trace.stream(REPLY).startswith(b"HTTP/1.1 400")
    assert {trace.end(way) for way in Direction} == {How.FIN}


def test_the_server_breaks_off_in_the_end():
    """A client that will not close is broken off after the closing time: a reset, in memory too."""

    async def stubborn(stream):
        await stream.sleep(100)

    async def leave(stream):
        pass

    scenario = Scenario(
        Offer.custom("x"),
        stubborn,
        server=Server(protocols={"x": leave, "websocket": echo}, limits=Limits(close_time=1)),
    )
    trace = simulate(scenario)
    assert trace.end(REPLY) is How.FIN
    assert trace.end(ASK) is How.RESET


@pytest.mark.parametrize("name", ALL)
def test_every_trace_has_its_ends(name):
    """Each simulated exchange ends in both directions."""
    assert {type(simulate(ALL[name]).end(way)) for way in Direction} == {How}
