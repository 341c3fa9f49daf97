"""Many conversations on one HTTP/2 connection: what the two sides have in common.

    bytes ─▶ h2 ─▶ events ─▶ lane 1: a conversation, as after a 101 ─▶ DATA ─▶ h2 ─▶ bytes
                         └─▶ lane 3: another one …

HTTP/2 calls a lane a stream, and so does a handler what it is given; here a lane is the former. A
conversation knows nothing of lanes: where the window of its lane is used up it is told that the other
side takes no more, as it is when a socket is full. What a lane may send is given back when its
conversation has room (RFC 9113, 5.2), and what the connection may send at once, so that a lane whose
handler is slow does not stop the others.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from labkit.parties.conversation import Conversation
from labkit.parties.http2_core import Http2Side
from labkit.parties.party import Driver, Ended, Ending
from labkit.wire.fields import Fields
from labkit.wire.http1 import RequestHead
from labkit.wire.http2 import PREFACE, settings

__all__ = ["CONNECT_PROTOCOL", "Lane", "Lanes", "head_of"]

CONNECT_PROTOCOL = 0x8
"""SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 8441, 3)."""

_ENOUGH = 1 << 15  # bytes of a window that are given back together: half of what it is at first


class Lane:
    """One stream of HTTP/2, and what is said on it."""

    def __init__(self, number: int, head: RequestHead) -> None:
        self.number = number
        self.head = head
        self.talk: Conversation | None = None
        self.left = bytearray()  # what waits for the window
        self.last = False  # whether nothing follows `left`
        self.sent_end = self.heard_end = self.dead = self.running = self.deaf = False
        self.until: float | None = None  # when it is broken off, unless the other side ends it before
        self.owed = 0
        self.content = 0
        self.choked = False

    @property
    def over(self) -> bool:
        """Whether both sides ended it, or one broke it off, and no handler works for it any more."""
        return (self.dead or (self.sent_end and self.heard_end)) and not self.running


class Lanes(Http2Side):
    """One side of a connection with a conversation per lane; after the preface a party is little else.

    Args:
        driver: the clock of the connection, and ways to wait and to start a coroutine.
        close_time: how long to wait for the other side's end of a lane, in seconds.
        failed: takes the error of each handler that raised one.
        client: whether it is the client's side.
    """

    def __init__(
        self, driver: Driver, close_time: float, failed: Callable[[BaseException], None], *, client: bool
    ) -> None:
        super().__init__(client=client)
        self.driver = driver
        self._close_time = close_time
        self.ending = Ending.NOT_YET
        self.lanes: dict[int, Lane] = {}
        self._failed = failed
        self._out = bytearray()
        self._owed = 0
        self._choked = False

    @property
    def failure(self) -> str:
        """Why the connection, or a conversation on it, was broken off; empty where none was."""
        talks = [lane.talk.failure for lane in self.lanes.values() if lane.talk]
        return self.problem or next(filter(None, talks), "")

    # what a party asks of a conversation, asked of all of them

    def receive(self, data: bytes) -> None:
        """Take bytes from the other side."""
        if self.over:
            return
        self._out += self.take(data)
        if self.over:  # it cannot be read, or said goodbye
            self.receive_eof()
        self._pump()

    def receive_eof(self) -> None:
        """Take the other side's FIN, or what is as good as one."""
        for lane in self.lanes.values():
            if lane.talk is not None:
                lane.talk.receive_eof()
        self._pump()
        self.over = True
        self.ending = Ending.FIN

    def finished(self, error: BaseException | None) -> None:
        """Do nothing: every handler here tells its own lane."""

    def close(self, code: int | None, reason: str) -> None:
        """Say goodbye on every lane, and for the connection (RFC 9113, 6.8)."""
        if self.over:
            return
        for lane in self.lanes.values():
            if lane.talk is not None:
                lane.talk.close(code, reason)
        self._pump()
        self.end()

    def end(self) -> None:
        """Say goodbye for the connection: nothing more is sent on any lane."""
        if not self.over:
            self.over = True
            self.core.close_connection()
            self._out += self.written()
        self.ending = Ending.FIN

    def outgoing(self) -> bytes:
        """Return, and forget, the bytes to send."""
        self._pump()
        out = bytes(self._out)
        self._out.clear()
        return out

    def tick(self) -> None:
        """Do what is due on any lane."""
        now = self.driver.clock()
        for lane in list(self.lanes.values()):
            if lane.talk is not None:
                lane.talk.tick()
            if lane.until is not None and now >= lane.until and not (self.over or lane.dead or lane.heard_end):
                self.break_off(lane, "CANCEL")

    @property
    def deadline(self) -> float | None:
        """When `tick` is due."""
        lanes = [lane for lane in self.lanes.values() if not lane.dead]
        times = [lane.talk.deadline for lane in lanes if lane.talk and not lane.sent_end]
        times += [lane.until for lane in lanes if not lane.heard_end]
        return min((time for time in times if time is not None), default=None)

    @property
    def full(self) -> bool:
        """Whether no more bytes should be read: never, for the windows bound what comes."""
        return False

    def writable(self, ready: bool) -> None:  # noqa: FBT001
        """Take note whether the other side takes more."""
        self._choked = not ready
        for lane in self.lanes.values():
            self._hold(lane)

    def drained(self) -> None:
        """Take note that what was written has left."""
        for lane in self.lanes.values():
            if lane.talk is not None:
                lane.talk.drained()

    # lanes

    def open(self, lane: Lane, talk: Conversation) -> None:
        """Give a lane what is spoken on it."""
        lane.talk, lane.running = talk, True

    def driver_of(self, lane: Lane) -> Driver:
        """Return what drives the conversation of a lane: the connection's driver, which tells the lane of its end."""
        own = self.driver

        def start(coro: Coroutine[Any, Any, None], _: Ended | None = None, /) -> None:
            own.start(coro, partial(self._done, lane))

        return Driver(own.clock, start, own.park, own.wrote, own.rest, soon=own.soon)

    def _done(self, lane: Lane, error: BaseException | None) -> None:
        lane.running = False
        if error is not None:
            self._failed(error)
        if lane.talk is not None:
            lane.talk.finished(error)
        self._forget(lane)

    def _forget(self, lane: Lane) -> None:
        if lane.over:
            self.lanes.pop(lane.number, None)

    def heard(self, lane: Lane | None, event: Any) -> None:
        """Take DATA; give its room back: the connection's soon, the lane's once its handler follows."""
        size = event.flow_controlled_length
        self._owed += size
        if self._owed >= _ENOUGH:
            self.core.increment_flow_control_window(self._owed)
            self._owed = 0
        if lane is None or lane.dead:
            return
        lane.owed += size
        if lane.talk is not None:
            lane.talk.receive(event.data)
        elif lane.until is not None:
            lane.until = self.driver.clock() + self._close_time

    def heard_end(self, lane: Lane | None) -> None:
        """Take the end of what the other side has to say on a lane."""
        if lane is not None:
            lane.heard_end = True
            if lane.talk is not None:
                lane.talk.receive_eof()

    def broken(self, lane: Lane | None) -> None:
        """Take note that the other side broke a lane off: its handler cannot send any more."""
        if lane is None:
            return
        lane.dead = True
        lane.left.clear()
        if lane.talk is not None:
            lane.talk.receive_eof()
            if not lane.talk.shut:
                lane.talk.hang_up()
            lane.talk.outgoing()
        self._forget(lane)

    def break_off(self, lane: Lane, code: str) -> None:
        """Break a lane off (RFC 9113, 6.4)."""
        self.core.reset_stream(lane.number, int(self._h2.errors.ErrorCodes[code]))
        self.broken(lane)

    def _pump(self) -> None:
        """Move what the conversations wrote into DATA, as far as the windows allow."""
        if self.over:
            return
        for lane in list(self.lanes.values()):
            if not lane.dead:
                self._move(lane)
            self._forget(lane)
        self._out += self.written()
        self.moved()

    def moved(self) -> None:
        """Do what is due once all that can be sent was sent."""

    def _move(self, lane: Lane) -> None:
        talk = lane.talk
        while not lane.sent_end:
            if talk is not None and not lane.left:
                lane.left += talk.outgoing()
                lane.last = talk.ending is not Ending.NOT_YET
            if not self._send(lane):
                break
        if lane.sent_end and lane.until is None:
            lane.until = self.driver.clock() + self._close_time
        self._hold(lane)
        deaf = lane.deaf or lane.heard_end or (talk is not None and (lane.sent_end or talk.full))
        if lane.owed >= _ENOUGH and not lane.left and not deaf:
            self.core.increment_flow_control_window(lane.owed, lane.number)
            lane.owed = 0

    def _send(self, lane: Lane) -> bool:
        """Send one DATA frame of what is left; tell whether there may be more to do."""
        number, size = lane.number, len(lane.left)
        if not size and not lane.last:
            return False
        room = min(self.core.local_flow_control_window(number), self.core.max_outbound_frame_size)
        if size and room <= 0:
            return False
        piece = bytes(lane.left[:room]) if size else b""
        del lane.left[: len(piece)]
        lane.sent_end = lane.last and not lane.left
        self.core.send_data(number, piece, end_stream=lane.sent_end)
        return True

    def _hold(self, lane: Lane) -> None:
        choked = self._choked or bool(lane.left)
        if lane.talk is not None and choked is not lane.choked:
            lane.choked = choked
            lane.talk.writable(not choked)

    @abstractmethod
    def begin(self) -> None:
        """Say what this side says first."""

    def _begin(self, told: dict[int, int]) -> None:
        """Begin with these settings, and with the preface where this is the client; h2 would name its defaults, too."""
        client = self.core.config.client_side
        self.core.local_settings = self._h2.settings.Settings(client=client, initial_values=told)
        self.core.initiate_connection()
        self.core.data_to_send()
        self._out += (PREFACE if client else b"") + settings(told)


def head_of(lines: list[tuple[str, str]]) -> RequestHead:
    """Return a request's field block as a head: the method, the path, and all other lines.

    >>> head_of([(":method", "GET"), (":path", "/chat"), (":authority", "a")])
    RequestHead(method='GET', target='/chat', fields=Fields(lines=((':authority', 'a'),)), version='HTTP/2')
    """
    known = dict(lines)
    rest = Fields.of(line for line in lines if line[0] not in (":method", ":path"))
    return RequestHead(known.get(":method", "GET"), known.get(":path", "*"), rest, "HTTP/2")
