"""The client's side of HTTP/2 from the first byte on: an offer a lane, each with the same to say.

It waits for the server's SETTINGS: without ENABLE_CONNECT_PROTOCOL nobody may send :protocol (RFC 8441, 3).
When the last lane has ended, it says goodbye.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from websockets.exceptions import InvalidHandshake

from labkit.parties.answered import conversation
from labkit.parties.lanes import CONNECT_PROTOCOL, Lane, Lanes
from labkit.parties.offer import CLIENT_SETTINGS, Offer
from labkit.parties.party import Driver
from labkit.parties.stream import Handler
from labkit.wire.fields import Fields
from labkit.wire.upgrade import SAMPLE_KEY, accept_key

__all__ = ["ClientLanes", "as_switch"]

_STATUS = re.compile("[1-9][0-9]{2}")  # RFC 9110, 15


class ClientLanes(Lanes):
    """The client's side of one connection.

    Args:
        offer: what is asked for, with the offers beside it.
        handler: what is said on each lane that the server opened.
        driver: its clock, ways to wait and to start a coroutine.
        masks: masking keys.
        patience: the most seconds to wait for all answers, and for each step of a closing.
        failed: takes the error of each handler that raised one.
    """

    def __init__(
        self,
        offer: Offer,
        handler: Handler,
        driver: Driver,
        masks: Iterator[bytes],
        patience: float,
        failed: Callable[[BaseException], None],
    ) -> None:
        super().__init__(driver, patience, failed, client=True)
        config = self.core.config  # an offer may be wrong on purpose
        config.validate_outbound_headers = config.normalize_outbound_headers = False
        self.status: int | None = None
        self._offers = (offer, *offer.beside)
        self._handler, self._masks, self._patience = handler, masks, patience
        self._asked: dict[int, Offer] = {}
        self._unanswered: set[int] | None = None  # before anything was asked
        self._until = driver.clock() + patience

    def begin(self) -> None:
        """Say the preface and the SETTINGS, as the offer has them."""
        self._begin(CLIENT_SETTINGS)

    def receive_eof(self) -> None:
        """Take the server's FIN."""
        if self._unanswered or self._unanswered is None:
            self.problem = self.problem or "the server closed without an answer"
        super().receive_eof()

    def tick(self) -> None:
        """Do what is due; give up where the answers do not come."""
        super().tick()
        if not self.over and self.driver.clock() >= self._until and self._unanswered != set():
            self._give_up(f"no answer came in {self._patience:g} s")

    @property
    def deadline(self) -> float | None:
        """When `tick` is due."""
        due = super().deadline
        if self._unanswered == set():
            return due
        return self._until if due is None else min(due, self._until)

    def note(self, kind: str, event: Any) -> None:
        """Do what an event of h2 asks for."""
        lane = self.lanes.get(getattr(event, "stream_id", None) or 0)
        if kind == "RemoteSettingsChanged" and self._unanswered is None:
            self._ask_all()
        elif kind == "ResponseReceived" and lane is not None:
            self._answered(lane, Fields.of(event.headers))
        elif kind == "DataReceived":
            self.heard(lane, event)
        elif kind == "StreamEnded":
            self.heard_end(lane)
        elif kind == "StreamReset" and lane is not None:
            self._reset(lane, event.error_code)
        elif kind == "ConnectionTerminated":
            if self._unanswered != set():
                self.problem = self.problem or f"the server said goodbye with error {int(event.error_code)}"
            self.over = True

    def _ask_all(self) -> None:
        if any(offer.method == "CONNECT" for offer in self._offers) and not self._may_connect():
            self._give_up("the server's SETTINGS have no ENABLE_CONNECT_PROTOCOL: it takes no extended CONNECT")
            return
        self._unanswered = set()
        for offer in self._offers:
            number = self.core.get_next_available_stream_id()
            try:
                self._ask(number, offer)
            except self._h2.exceptions.ProtocolError as error:
                self.problem = self.problem or f"the offer cannot be sent: {error}"
                break

    def _may_connect(self) -> bool:
        return bool(self.core.remote_settings.get(CONNECT_PROTOCOL, 0))

    def _ask(self, number: int, offer: Offer) -> None:
        assert self._unanswered is not None
        lane = Lane(number, offer.head)
        lane.last = offer.method != "CONNECT"
        lane.left += offer.content
        lane.sent_end = lane.last and not offer.content
        self.core.send_headers(number, list(offer.field_block), end_stream=lane.sent_end)
        self.lanes[number], self._asked[number] = lane, offer
        self._unanswered.add(number)

    def _answered(self, lane: Lane, answer: Fields) -> None:
        assert self._unanswered is not None
        self._unanswered.discard(lane.number)
        said = answer.get(":status") or ""
        if not _STATUS.fullmatch(said):
            self.problem = self.problem or f"the answer has no status: {said!r}"
            self.break_off(lane, "PROTOCOL_ERROR")
            return
        status = int(said)
        self.status = self.status or status
        if lane.head.method != "CONNECT":
            return
        if status // 100 != 2:
            self.problem = self.problem or f"the server did not take the CONNECT up: HTTP {status}"
            lane.last = True
            return
        offer = self._asked[lane.number]
        protocol = offer.protocols[0] if offer.protocols else "tunnel"
        lines = as_switch(offer.head.fields, answer)
        try:
            talk = conversation(protocol, *lines, self.driver_of(lane), self._masks, self._patience)
        except InvalidHandshake as error:
            self.problem = self.problem or f"the answer is not right: {error}"
            self.break_off(lane, "CANCEL")
            return
        talk.begin(self._handler, offer.head, protocol, answer.get("sec-websocket-protocol"))
        self.open(lane, talk)

    def _reset(self, lane: Lane, code: int) -> None:
        assert self._unanswered is not None
        if lane.number in self._unanswered:
            self._unanswered.discard(lane.number)
            self.problem = self.problem or f"the server broke stream {lane.number} off with error {int(code)}"
        self.broken(lane)

    def moved(self) -> None:
        """Say goodbye where every lane has ended."""
        if self._unanswered == set() and not self.lanes:
            self.end()

    def _give_up(self, problem: str) -> None:
        self.problem = self.problem or problem
        self._unanswered = set()
        self.end()


def as_switch(asked: Fields, answer: Fields) -> tuple[Fields, Fields]:
    """Return a CONNECT's fields and those of its 200 as the request and 101 that would say the same in HTTP/1.1.

    Key and Accept have no part in HTTP/2 (RFC 8441, 5), so the RFC's own stand for them.

    >>> [name for name, _ in as_switch(Fields(), Fields.of([(":status", "200"), ("date", "now")]))[1]]
    ['date', 'Upgrade', 'Connection', 'Sec-WebSocket-Accept']
    """
    plain = [Fields.of(line for line in lines if not line[0].startswith(":")) for lines in (asked, answer)]
    lines = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept_key(SAMPLE_KEY))]
    return plain[0].with_line("Sec-WebSocket-Key", SAMPLE_KEY), Fields.of([*plain[1], *lines])
