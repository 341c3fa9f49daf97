"""A wire between a transport that only notes what is done to it, and a party that only does what it is told."""

import asyncio

import pytest

from labkit.net.wire import Wire
from labkit.parties.party import Ending
from labkit.recording import Recording
from labkit.trace import Direction, How

ASK, REPLY = Direction.TO_SERVER, Direction.TO_CLIENT


class Noted(asyncio.Transport):
    def __init__(self):
        super().__init__()
        self.done = []
        self.unsent = 0

    def get_write_buffer_size(self):
        return self.unsent

    def write(self, data):
        self.done.append(bytes(data))

    def write_eof(self):
        self.done.append("fin")

    def can_write_eof(self):
        return True

    def close(self):
        self.done.append("close")

    def abort(self):
        self.done.append("abort")

    def pause_reading(self):
        self.done.append("pause")

    def resume_reading(self):
        self.done.append("resume")


class Told:
    def __init__(self, driver):
        self.driver = driver
        self.ending = Ending.NOT_YET
        self.deadline = None
        self.full = False
        self.out = b""
        self.got = []

    def receive(self, data):
        self.got.append(data)

    def receive_eof(self):
        self.got.append("fin")

    def gone(self):
        self.got.append("gone")

    def tick(self):
        self.got.append("tick")
        self.deadline = None

    def outgoing(self):
        data, self.out = self.out, b""
        return data

    def finished(self, error):
        self.got.append(error)

    def writable(self, ready):
        self.got.append(ready)

    def drained(self):
        self.got.append("drained")

    def shut(self):
        self.out = b"bye"
        self.ending = Ending.FIN


def wired(test):
    """Run a test with a wire in place: it gets the wire, its party, its transport, and what ended."""

    def run():
        async def inside():
            ended = []
            wire = Wire(Told, REPLY, Recording(lambda: 0.0), ended.append)
            transport = Noted()
            wire.connection_made(transport)
            await test(wire, wire.party, transport, ended)

        asyncio.run(inside())

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


@wired
async def test_the_writes_of_one_turn_leave_in_one(wire, party, transport, ended):
    """What handlers write by themselves in one turn of the loop goes out in one write."""
    for piece in (b"a", b"b", b"c"):
        party.out += piece
        party.driver.wrote()
    assert transport.done == []
    await asyncio.sleep(0)
    assert transport.done == [b"abc"]
    assert wire.recording.trace().stream(REPLY) == b"abc"
    assert party.got == ["drained"]


@wired
async def test_bytes_are_recorded_and_given_on(wire, party, transport, ended):
    """What comes in is recorded before the party sees it, and what it answers goes out at once."""
    party.out = b"answer"
    wire.data_received(b"ask")
    assert party.got == [b"ask"]
    assert transport.done == [b"answer"]
    assert [event.direction for event in wire.recording.trace().events[:2]] == [ASK, REPLY]


@wired
async def test_both_fins_close(wire, party, transport, ended):
    """A side that has ended stays open for the other; when both have, the connection is closed."""
    party.ending = Ending.FIN
    wire.flush()
    wire.flush()
    assert transport.done == ["fin"]
    assert wire.eof_received() is True
    assert transport.done == ["fin", "close"]
    wire.connection_lost(None)
    assert ended == [wire]
    trace = wire.recording.trace()
    assert trace.end(ASK) is trace.end(REPLY) is How.FIN


@wired
async def test_nothing_is_written_after_the_fin(wire, party, transport, ended):
    """Once this side has ended, what the party still has is dropped."""
    party.ending = Ending.FIN
    wire.flush()
    party.out = b"late"
    wire.flush()
    assert transport.done == ["fin"]


@wired
async def test_a_reset_is_recorded(wire, party, transport, ended):
    """A connection that breaks off is a reset in both directions, and the party sees the end."""
    wire.connection_lost(ConnectionResetError())
    assert party.got == ["gone", "fin"]
    assert ended == [wire]
    assert {wire.recording.trace().end(way) for way in Direction} == {How.RESET}
    wire.flush()
    assert transport.done == []


@wired
async def test_a_party_may_break_off(wire, party, transport, ended):
    """A party that wants a reset gets one."""
    party.ending = Ending.RESET
    wire.flush()
    assert transport.done == ["abort"]
    assert wire.recording.trace().end(REPLY) is How.RESET


@wired
async def test_reading_pauses_while_the_party_is_full(wire, party, transport, ended):
    """A full party is given no more, until it has room again."""
    party.full = True
    wire.data_received(b"a")
    wire.flush()
    party.full = False
    wire.flush()
    assert transport.done == ["pause", "resume"]


@wired
async def test_the_party_hears_of_back_pressure(wire, party, transport, ended):
    """Whether the other side takes more is passed on."""
    wire.pause_writing()
    wire.resume_writing()
    assert party.got == [False, True]


@wired
async def test_reading_pauses_while_answers_pile_up(wire, party, transport, ended):
    """Where much is unsent, because the other side does not read, no more is read from it either."""
    wire.pause_writing()
    wire.flush()
    assert transport.done == []
    transport.unsent = 2 << 20
    wire.flush()
    wire.resume_writing()
    assert transport.done == ["pause", "resume"]


@wired
async def test_one_timer_serves_all_deadlines(wire, party, transport, ended):
    """A deadline that comes nearer moves the timer; one that moves away does not, until it has run out."""
    loop = asyncio.get_running_loop()
    party.deadline = loop.time() + 100
    wire.flush()
    first = wire._timer
    party.deadline = loop.time() + 200
    wire.flush()
    assert wire._timer is first
    party.deadline = loop.time() + 0.01
    wire.flush()
    assert first.cancelled()
    await asyncio.sleep(0.03)
    assert party.got == ["tick"]
    assert wire._timer is None


@wired
async def test_a_handlers_end_is_told(wire, party, transport, ended):
    """The party hears how its handler ended; the wire is over when both it and the connection are."""

    async def wrong():
        await asyncio.sleep(0.01)
        raise ValueError

    party.driver.start(wrong())
    wire.connection_lost(None)
    assert ended == []
    await asyncio.sleep(0.03)
    assert isinstance(party.got[-1], ValueError)
    assert ended == [wire]


@wired
async def test_a_handler_that_does_not_end_is_cancelled(wire, party, transport, ended):
    """Some time after its connection is gone, a handler that hangs is ended."""
    from labkit.net import wire as module

    before, module._GRACE = module._GRACE, 0.01
    try:
        party.driver.start(asyncio.sleep(100))
        wire.connection_lost(None)
        await asyncio.sleep(0.05)
    finally:
        module._GRACE = before
    assert ended == [wire]
    assert party.got[-1] is None


@wired
async def test_shutting_says_goodbye(wire, party, transport, ended):
    """`shut` lets the party speak, and closes without waiting."""
    wire.shut()
    assert transport.done == [b"bye", "fin", "close"]


@wired
async def test_aborting_ends_the_handler_too(wire, party, transport, ended):
    """`abort` ends connection and handler at once."""
    task = None

    async def hang():
        nonlocal task
        task = asyncio.current_task()
        await asyncio.sleep(100)

    party.driver.start(hang())
    await asyncio.sleep(0)
    wire.abort()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert transport.done == ["abort"]
