"""The server's side of HTTP/2 from the first byte on: requests are answered, an extended CONNECT is taken up.

    SETTINGS  ENABLE_CONNECT_PROTOCOL 1      before anybody may ask so (RFC 8441, 3)
    HEADERS   :method CONNECT, :protocol     decided by the very tables of the Upgrade, see `decide`
    HEADERS   :status 200                    there is no 101; DATA carries what would follow it

What an HTTP/1.1 answer says in Connection and Upgrade has no place in HTTP/2 (RFC 9113, 8.2.2), so a 426,
which has to name a protocol there, is a 400 here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labkit.parties.answer import Answer, final_head, started
from labkit.parties.decide import Switch, decide, page, page_handler
from labkit.parties.described import Server
from labkit.parties.lanes import CONNECT_PROTOCOL, Lane, Lanes, head_of
from labkit.parties.party import Driver
from labkit.parties.switched import begun
from labkit.wire.fields import Fields
from labkit.wire.http1 import RequestHead
from labkit.wire.upgrade import SAMPLE_KEY

__all__ = ["ServerLanes", "as_upgrade"]

_MOST_LANES = 100  # at once
_MAX_STREAMS = 0x3  # SETTINGS_MAX_CONCURRENT_STREAMS (RFC 9113, 6.5.2)
_NOT_IN_HTTP_2 = frozenset(("connection", "upgrade", "sec-websocket-accept"))


class ServerLanes(Lanes):
    """The server's side of one connection.

    Args:
        server: what it is told to be.
        driver: its clock, ways to wait and to start a coroutine.
        date: gives the value of the Date field.
        failed: takes the error of each handler that raised one.
    """

    def __init__(
        self, server: Server, driver: Driver, date: Callable[[], str], failed: Callable[[BaseException], None]
    ) -> None:
        super().__init__(driver, server.limits.close_time, failed, client=False)
        self.server = server
        self._date = date
        self._requests = 0

    def begin(self) -> None:
        """Say what this server takes: so many streams at once, and extended CONNECT where it has a protocol for it."""
        self._begin({_MAX_STREAMS: _MOST_LANES, **({CONNECT_PROTOCOL: 1} if self.server.protocols else {})})
        self.core.decoder.max_header_list_size = self.server.limits.head

    def note(self, kind: str, event: Any) -> None:
        """Do what an event of h2 asks for."""
        lane = self.lanes.get(getattr(event, "stream_id", None) or 0)
        if kind == "RequestReceived":
            self._asked(Lane(event.stream_id, head_of(event.headers)))
        elif kind == "DataReceived":
            self.heard(lane, event)
            self._count(lane, event.flow_controlled_length)
        elif kind == "StreamEnded":
            self.heard_end(lane)
            if lane is not None and lane.talk is None and not lane.last:
                self._answer(lane, self._decided(lane.head, lane.content))
        elif kind == "StreamReset":
            self.broken(lane)
        elif kind == "ConnectionTerminated":
            self.over = True  # h2 says nothing more after a GOAWAY

    def _asked(self, lane: Lane) -> None:
        """Take a request: an extended CONNECT is decided at once, any other when it is complete."""
        self._requests += 1
        self.lanes[lane.number] = lane
        if len(self.lanes) > _MOST_LANES or self._requests > self.server.limits.requests:
            self.break_off(lane, "REFUSED_STREAM")
        elif lane.head.method == "CONNECT":
            decision = self._decided(lane.head)
            if isinstance(decision, Switch):
                self._take_up(lane, decision)
            else:
                self._answer(lane, decision)

    def _decided(self, head: RequestHead, content: int = 0) -> Switch | Answer:
        asked = as_upgrade(head)
        made = decide(self.server, asked)
        if head.method == "CONNECT":
            wanted = head.fields.get(":protocol") or "a tunnel"
            return made or Answer(501, f"{wanted} is not spoken here")  # as RFC 9220, 3 says for HTTP/3
        if made is None and page_handler(self.server, asked):
            return Answer(501, "this page has a handler, which answers in HTTP/1.1 alone")
        return made or page(self.server, asked, content)

    def _take_up(self, lane: Lane, switch: Switch) -> None:
        self._say_head(lane, 200, started(Answer(200, "", tuple(switch.fields)), self._date(), close=False))
        self.open(lane, begun(self.server, switch, lane.head, self.driver_of(lane)))

    def _answer(self, lane: Lane, answer: Switch | Answer) -> None:
        """Answer a request that opens nothing; what more comes of it is dropped."""
        if isinstance(answer, Switch):  # only an extended CONNECT is decided like an Upgrade
            answer = page(self.server, lane.head)
        if answer.status == 426:
            answer = answer._replace(status=400)
        head, content = final_head(answer, self._date(), close=False, asked=lane.head)
        lane.last = True
        lane.left += content
        lane.sent_end = not content
        self._say_head(lane, head.status, head.fields, end=lane.sent_end)

    def _say_head(self, lane: Lane, status: int, fields: Fields, *, end: bool = False) -> None:
        lines = [(name.lower(), value) for name, value in fields if name.lower() not in _NOT_IN_HTTP_2]
        self.core.send_headers(lane.number, [(":status", str(status)), *lines], end_stream=end)

    def _count(self, lane: Lane | None, size: int) -> None:
        """Bound the content of a request that opens nothing."""
        if lane is None or lane.talk is not None or lane.heard_end:
            return
        lane.content += size
        most = self.server.limits.content
        if lane.content > most and not lane.last:
            lane.deaf = True
            self._answer(lane, Answer(413, f"the content is at most {most} bytes long here"))


def as_upgrade(head: RequestHead) -> RequestHead:
    """Return an extended CONNECT as the Upgrade that asks for the same in HTTP/1.1; any other head without `:` fields.

    The key is no part of it in HTTP/2 (RFC 8441, 5), so the RFC's own stands for it.

    >>> lines = Fields.of([(":protocol", "websocket"), ("sec-websocket-version", "13")])
    >>> [name for name, _ in as_upgrade(RequestHead("CONNECT", "/", lines, "HTTP/2")).fields]
    ['sec-websocket-version', 'Upgrade', 'Connection', 'Sec-WebSocket-Key']
    """
    lines = Fields.of(line for line in head.fields if not line[0].startswith(":"))
    protocol = head.fields.get(":protocol")
    if head.method != "CONNECT" or protocol is None:
        return RequestHead(head.method, head.target, lines)
    for name, value in (("Upgrade", protocol), ("Connection", "Upgrade"), ("Sec-WebSocket-Key", SAMPLE_KEY)):
        lines = lines.replaced(name, value)
    return RequestHead("GET", head.target, lines)
