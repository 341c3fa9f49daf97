"""Drives one party over one connection: bytes, deadlines, back-pressure, the end, and the recording."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, cast

from labkit.errors import Unmodelled
from labkit.parties.party import Dial, Driver, Ended, Ending, Park, Party
from labkit.recording import Recording
from labkit.trace import Direction, How

__all__ = ["Wire", "break_off"]

_GRACE = 2.0  # seconds a handler has to end once its connection is gone
_LINGER = "hh" if os.name == "nt" else "ii"  # the sizes in C's struct linger
_MOST_UNSENT = 1 << 20  # bytes; whoever asks on and does not read the answers is read from no more
_SLACK = 0.005  # seconds by which a timer may be late


class Wire(asyncio.Protocol):
    """One connection of one party.

    Args:
        make: makes the party, given its driver.
        direction: which way this party's bytes go.
        recording: where they are recorded; None to record nothing.
        ended: called when the connection is gone and its handler has ended.
        dial: opens a connection for the party of a proxy, see `Driver`.
    """

    def __init__(
        self,
        make: Callable[[Driver], Party],
        direction: Direction,
        recording: Recording | None,
        ended: Callable[[Wire], None] = lambda _: None,
        dial: Dial | None = None,
    ) -> None:
        self._make = make
        self._out = direction
        self._in = direction.other
        self.recording = recording
        self._ended = ended
        self._dial = dial
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._scheduled = False
        self._finished = False
        self._finished_other = False
        self._paused = False
        self._choked = False
        self._lost = False
        self._over = False
        self._tls = False
        self.transport: asyncio.Transport
        self.driver: Driver
        self.party: Party

    # from asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Make the party; a client's has something to say at once."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name
        self._tls = transport.get_extra_info("sslcontext") is not None
        self.driver = Driver(
            self._loop.time, self._start, self._park, self._wrote, self.flush, self._dial, soon=self._soon
        )
        self.party = self._make(self.driver)
        del self._make
        self.flush()

    def data_received(self, data: bytes) -> None:
        """Take bytes from the other side."""
        if self.recording is not None:
            self.recording.add(self._in, data)
        self._scheduled = True  # what is written meanwhile leaves with the flush below
        try:
            self.party.receive(data)
        except Unmodelled as error:  # of this request; what came before it is told
            if self.recording is not None:
                self.recording.note = str(error)
            self.transport.abort()
        self._scheduled = False
        self.flush()

    def eof_received(self) -> bool:
        """Take the other side's FIN; this side stays open until its party ends it."""
        if self.recording is not None:
            self.recording.end(self._in, How.FIN)
        self._finished_other = True
        self.party.receive_eof()
        self.flush()
        self._close_if_over()
        return not self._tls  # TLS knows no half-close

    def connection_lost(self, exc: Exception | None) -> None:
        """Note how it ended, and let the handler see it."""
        self._lost = True
        if exc is not None:
            self._record_reset()
        elif self._tls and self._finished and self.recording is not None:  # the answer to our closing alert
            self.recording.end(self._in, How.FIN)
        self.party.gone()
        self.party.receive_eof()
        self.party.outgoing()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._tasks:
            self._end_all()
        else:
            self._timer = self._loop.call_later(_GRACE, self._cancel)

    def pause_writing(self) -> None:
        """Hold back: the other side takes no more for now."""
        self._choked = True
        self.party.writable(False)

    def resume_writing(self) -> None:
        """Go on: the other side takes more again."""
        self._choked = False
        self.party.writable(True)
        self.flush()

    # for the party

    def _start(self, coro: Coroutine[Any, Any, None], ended: Ended | None = None, /) -> None:
        task = self._loop.create_task(coro)
        self._tasks.add(task)
        task.add_done_callback(partial(self._handler_done, ended))

    def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()

    def _park(self) -> Park:
        return self._loop.create_future()

    def _soon(self, action: Callable[[], object]) -> None:
        """Have something done in the loop's thread; nothing happens where the loop is over."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(action)

    def _wrote(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush_later)

    def _flush_later(self) -> None:
        self._scheduled = False
        if not self._over:
            self.flush()
            self.party.drained()

    def _handler_done(self, ended: Ended | None, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        (ended or self.party.finished)(error)
        self.flush()
        if self._lost and not self._tasks:
            if self._timer is not None:
                self._timer.cancel()
            self._end_all()

    def _end_all(self) -> None:
        """Say that the connection and its handler are over; let go of the party, which holds on to this wire.

        What holds on to itself is freed by the collector alone, which takes its time from other connections.
        """
        self._over = True
        self._ended(self)
        del self.party, self.driver

    # out

    def flush(self) -> None:
        """Send what the party wrote, in one write; end, pause and set the timer as it asks."""
        if self._lost:
            return
        party = self.party
        data = party.outgoing()
        if data and not self._finished:
            if self.recording is not None:
                self.recording.add(self._out, data)
            self.transport.write(data)
        if party.ending:
            self._end(party.ending)
        full = party.full or (self._choked and self.transport.get_write_buffer_size() > _MOST_UNSENT)
        if full is not self._paused:
            self._paused = not self._paused
            if self._paused:
                self.transport.pause_reading()
            else:
                self.transport.resume_reading()
        deadline = party.deadline
        if deadline is not None and (self._timer is None or deadline < self._timer_at - _SLACK):
            self._set_timer(deadline)

    def _end(self, ending: Ending) -> None:
        if ending is Ending.RESET:
            self._record_reset()
            break_off(self.transport)
        elif not self._finished:
            self._finished = True
            if self.recording is not None:
                self.recording.end(self._out, How.FIN)
            if self.transport.can_write_eof():
                with contextlib.suppress(OSError):  # the other side is gone already
                    self.transport.write_eof()
            else:  # TLS knows no half-close
                self.transport.close()
            self._close_if_over()

    def _close_if_over(self) -> None:
        if self._finished and self._finished_other:
            self.transport.close()

    def _record_reset(self) -> None:
        if self.recording is not None:
            for direction in Direction:
                self.recording.end(direction, How.RESET)

    def _set_timer(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        self._timer = self._loop.call_at(at, self._due)

    def _due(self) -> None:
        self._timer = None
        self.party.tick()
        self.flush()

    def shut(self) -> None:
        """Let the party say goodbye, and end the connection without waiting for the other side."""
        if not self._lost:
            self.party.shut()
            self.flush()
            self.transport.close()

    def abort(self) -> None:
        """End the connection and its handler at once."""
        if not self._lost:  # a TLS transport of Python 3.11.2 cannot be aborted once it has ended
            self.transport.abort()
        self._cancel()


def break_off(transport: asyncio.Transport) -> None:
    """End a connection with a RST, not a FIN: a linger time of 0 seconds asks the kernel for it."""
    raw = transport.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(_LINGER, 1, 0))
    transport.abort()
