"""The server's party: requests in, answers out, and the hand-over at the 101.

    head ──▶ content ──▶ answer ──▶ head …        (HTTP/1.1, any number of requests)
                           ├─ page ─▶ a handler answers, whole or in pieces; see `pages`
                           └─ 101 ──▶ conversation (the bytes after the seam are its own)
                           └─ close ─▶ lingering   (our FIN is out; read on, so that it is not lost)

A head is tested strictly, by the tables of `heads` and `decide`, and then read by h11, which knows how content
is framed and when a 100 is waited for; one that repeats a known offer is looked up, see `repeats`. What h11
alone would do:

| what h11 0.16 does                              | what is asked                               |
|-------------------------------------------------|---------------------------------------------|
| refuses an empty line before the request line   | skip at least one (RFC 9112, 2.2)           |
| takes bare LF and folded lines                  | a server may, or 400 (RFC 9112, 2.2, 5.2)   |
| takes control characters in values              | reject them (RFC 9110, 5.5)                 |
| takes a head of any size that comes in one read | a limit: 431 (RFC 6585, 5)                  |
| takes invalid Hosts, HTTP/9.9, both framings    | 400, 505, 400 (`heads.HEAD_TESTS`)          |
| bounds no content                               | 413 (RFC 9110, 15.5.14)                     |
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import h11

from labkit.parties.answer import Answer, final_head
from labkit.parties.conversation import MOST_WAITING, After, Speaker, told
from labkit.parties.decide import Switch, decide, page, page_handler
from labkit.parties.described import Server
from labkit.parties.faults import spoil
from labkit.parties.heads import check_head, cut_head, empty_lines, read_head
from labkit.parties.lanes_server import ServerLanes
from labkit.parties.pages import Left, PageHandler, Visit
from labkit.parties.party import Driver, Ending
from labkit.parties.repeats import Repeats
from labkit.parties.switched import begun
from labkit.wire.http1 import RequestHead, ResponseHead
from labkit.wire.http2 import PREFACE
from labkit.wire.upgrade import offered, options

__all__ = ["ServerParty"]

_PAGE = "page"  # a page's handler is at it
_LATE = "late"  # an answer waits for its time: a fault, see `faults`
_LINGER = "linger"


class ServerParty(Speaker):
    """One connection of a server.

    Args:
        server: what it is told to be.
        driver: its clock, ways to wait and to start a coroutine.
        date: gives the value of the Date field.
        repeats: the offers that this server has switched for, on any connection.
    """

    def __init__(self, server: Server, driver: Driver, date: Callable[[], str], repeats: Repeats | None = None) -> None:
        self.server = server
        self.limits = server.limits
        self.driver = driver
        self.ending = Ending.NOT_YET
        self.handler_error: BaseException | None = None
        self._date = date
        self._repeats = Repeats() if repeats is None else repeats
        self._state = "head"
        self._buffer = bytearray()
        self._writes: list[bytes] = []
        self._reader: h11.Connection | None = None
        self._raw = b""
        self._head: RequestHead | None = None
        self._content = 0
        self._pieces: list[bytes] = []
        self._visit: Visit | None = None
        self._choked = self._eof = False
        self._requests = 0
        self._seen = driver.clock()
        self._due: float | None = None
        self._later: Callable[[], None]

    # what comes in

    def receive(self, data: bytes) -> None:
        """Take bytes from the client."""
        if self._state == _LINGER or not data:
            return
        self._seen = self.driver.clock()
        if self._after is not None:
            self._after.receive(data)
        else:
            self._buffer += data
            self._read()

    def receive_eof(self) -> None:
        """Take the client's FIN."""
        self._eof = True
        if self._after is not None:
            self._after.receive_eof()
        elif self._state == _PAGE:  # it may have ended its own direction alone: an answer that comes soon is for it
            self._due = self.driver.clock() + self.limits.close_time
        elif self._state == _LATE or (self._state == "head" and not self._buffer):
            self._finish()  # nobody waits for an answer, or none is owed
        elif self._state != _LINGER:
            self._decline(Answer(400, "the request ends before it is complete"))

    def gone(self) -> None:
        """Take note that the connection is no more: a page's handler has nobody to answer."""
        if self._visit is not None:
            self._visit.end()

    def refuse(self, status: int, reason: str) -> None:
        """Answer before any request is read: the server has too much to do."""
        self._decline(Answer(status, reason, (("Retry-After", "1"),)))

    def shut(self) -> None:
        """Say goodbye at once."""
        if self._after is not None:
            self._after.close(1001, "the server is stopping")
        self.gone()
        self.ending = Ending.FIN

    def tick(self) -> None:
        """Do what is due: time limits, and whatever the conversation waits for."""
        now = self.driver.clock()
        if self._after is not None:
            self._after.tick()
            if now >= self._seen + self.limits.idle_time:
                self._seen = now
                self._after.close(1001, f"idle for {self.limits.idle_time:g} s")
        elif self._visit is not None:
            self._visit.tick()
        if self.ending is Ending.FIN:
            if now >= self._lingers_until:
                self.ending = Ending.RESET
        elif self._due is not None and now >= self._due:
            self._overdue()
        elif self._after is None and now >= self._seen + self.limits.idle_time:
            self._finish()

    @property
    def deadline(self) -> float | None:
        """When `tick` is due."""
        if self.ending is Ending.FIN:
            return self._lingers_until
        idle = self._seen + self.limits.idle_time
        if self._after is not None:
            due = self._after.deadline
            return idle if due is None else min(idle, due)
        if self._visit is not None and (due := self._visit.deadline) is not None:
            idle = min(idle, due)
        return idle if self._due is None else min(idle, self._due)

    @property
    def full(self) -> bool:
        """Whether no more bytes should be read for now."""
        if self._after is not None:
            return self._after.full
        return self._state in (_LATE, _PAGE) and len(self._buffer) > MOST_WAITING

    def writable(self, ready: bool) -> None:  # noqa: FBT001
        """Take note whether the other side takes more."""
        self._choked = not ready
        super().writable(ready)
        if self._visit is not None:
            self._visit.writable(ready)

    def drained(self) -> None:
        """Take note that what was written has left."""
        super().drained()
        if self._visit is not None:
            self._visit.drained()

    # what goes out

    def outgoing(self) -> bytes:
        """Return, and forget, the bytes to send."""
        if self._after is not None:
            if data := self._after.outgoing():
                self._writes.append(data)
            if self._after.ending is Ending.FIN and self.ending is Ending.NOT_YET:
                self._finish()
        elif self._visit is not None and (data := self._visit.outgoing()):
            self._writes.append(data)
        writes = self._writes
        if not writes:
            return b""
        self._writes = []
        self._seen = self.driver.clock()
        return writes[0] if len(writes) == 1 else b"".join(writes)

    def finished(self, error: BaseException | None) -> None:
        """Take note that the handler ended."""
        self.handler_error = error or self.handler_error
        if self._after is not None:
            self._after.finished(error)
        elif self._visit is not None:
            self._visited(self._visit, error)

    def _note_error(self, error: BaseException) -> None:
        """Take note of a handler that failed on one of many lanes."""
        self.handler_error = self.handler_error or error

    @property
    def problem(self) -> str:
        """What went wrong in this party's own handler, in a few words; empty where nothing did."""
        error = self.handler_error
        return f"the server's handler failed: {told(error)}" if error is not None else ""

    # reading requests

    def _read(self) -> None:
        while self._state in ("head", "content"):
            if not (self._read_head() if self._state == "head" else self._read_content()):
                return

    def _read_head(self) -> bool:
        buffer = self._buffer
        if not buffer:
            return False
        if self._due is None:  # empty lines count too: else a client could send them for ever
            self._due = self.driver.clock() + self.limits.head_time
        if self.server.http2 and not self._requests and self._begin_http2():
            return False
        if empty := empty_lines(buffer):
            del buffer[:empty]
            if not buffer:
                return False
        found = cut_head(buffer, self.limits.head)
        if isinstance(found, bytes):
            return self._take_head(found)
        if found is not None:
            self._decline(found)
        return False

    def _take_head(self, raw: bytes) -> bool:
        if known := self._repeats.find(raw):
            del self._buffer[: len(raw)]
            self._due, self._head = None, known.head
            self._go_on(known.answer, known.switch, close=False)
            return False
        head = read_head(raw)
        if isinstance(head, Answer):
            self._decline(head)
            return False
        self._requests += 1
        self._head = head
        if declined := check_head(self.server, head):
            self._decline(declined)
            return False
        self._content = 0
        self._pieces.clear()
        if "content-unread" in self.server.faults and offered(head.fields):
            del self._buffer[: len(raw)]
            return self._answer(self._decided(head))
        self._raw = raw
        self._reader = h11.Connection(h11.SERVER, max_incomplete_event_size=self.limits.head)
        self._reader.receive_data(bytes(self._buffer))
        self._buffer.clear()
        self._due = self.driver.clock() + self.limits.content_time
        self._state = "content"
        return True

    def _read_content(self) -> bool:
        reader = self._reader
        assert reader is not None
        if self._buffer:
            reader.receive_data(bytes(self._buffer))
            self._buffer.clear()
        try:
            while True:
                event = reader.next_event()
                if isinstance(event, h11.Request):
                    if reader.they_are_waiting_for_100_continue:
                        self._writes.append(ResponseHead(100, "Continue").to_bytes())
                elif isinstance(event, h11.Data):
                    self._content += len(event.data)
                    if self._content > self.limits.content:
                        return self._too_long()
                    self._pieces.append(event.data)
                elif isinstance(event, h11.EndOfMessage):
                    break
                else:  # NEED_DATA
                    return False
        except h11.RemoteProtocolError as error:
            what = str(error).partition(":")[0]  # behind the colon are bytes, as many as had come by chance
            self._decline(Answer(400, f"the request cannot be read: {what}"))
            return False
        self._buffer += reader.trailing_data[0]
        return self._take_request()

    def _take_request(self) -> bool:
        """Answer a request whose content is complete, or let a page's handler do it."""
        assert self._head is not None
        decision = decide(self.server, self._head)
        if decision is None and (handler := page_handler(self.server, self._head)):
            return self._begin_visit(handler)
        decision = decision or page(self.server, self._head, self._content)
        if isinstance(decision, Switch) and not self.server.faults:
            self._repeats.keep(self._raw, self._head, decision)
        return self._answer(decision)

    def _too_long(self) -> bool:
        self._decline(Answer(413, f"the content is at most {self.limits.content} bytes long here"))
        return False

    # answering them

    def _decided(self, head: RequestHead) -> Switch | Answer:
        return decide(self.server, head) or page(self.server, head, self._content)

    def _begin_visit(self, handler: PageHandler) -> bool:
        """Let a page's handler answer a request that is complete."""
        assert self._head is not None
        content, self._due = b"".join(self._pieces), None
        self._pieces.clear()
        self._state = _PAGE
        self._visit = Visit(self.driver, self._head, self._date(), close=not self._keeps(), choked=self._choked)
        self._visit.begin(handler, content)
        return False

    def _visited(self, visit: Visit, error: BaseException | None) -> None:
        """Go on where a page's handler has ended, unless the connection has, too."""
        self._visit = None
        if self._state != _PAGE:
            return
        self._due = None
        self._go_on_after(visit, visit.finish(error))
        if self._state == "head":
            self._read()
            if self._eof:
                self.receive_eof()

    def _go_on_after(self, visit: Visit, left: Left) -> None:
        if left is Left.NOTHING:
            why = "failed" if self.handler_error else "gave no answer"
            self._decline(Answer(500, f"the handler of this page {why}"))
            return
        self._go_on(visit.outgoing(), None, close=visit.close or left is not Left.WHOLE)
        if left is Left.BROKEN:
            self.ending = Ending.RESET  # nothing else would tell the client that this is not all

    def _answer(self, decision: Switch | Answer) -> bool:
        """Answer a request that is complete."""
        self._due = None
        self._conclude(decision, close=isinstance(decision, Answer) and (decision.closes or not self._keeps()))
        return self._state == "head"

    def _keeps(self) -> bool:
        head = self._head
        assert head is not None
        asked = options(head.fields)
        return head.version != "HTTP/1.0" and "close" not in asked and self._requests < self.limits.requests

    def _decline(self, answer: Answer) -> None:
        """Answer a request that is not, or not yet, complete: nothing after it can be trusted."""
        self._conclude(answer, close=True)

    def _conclude(self, decision: Switch | Answer, *, close: bool) -> None:
        """Write the answer, with the faults that are asked for, and go on."""
        if isinstance(decision, Switch):
            head, content = decision.head, b""
        else:
            head, content = final_head(decision, self._date(), close=close, asked=self._head)
        if not self.server.faults or self._head is None:
            self._go_on(head.to_bytes() + content, decision, close=close)
            return
        said = spoil(self.server.faults, self._head, head, content, websocket=_is_websocket(decision))
        later = partial(self._go_on, said.to_bytes(), decision, close=close or said.closes)
        if said.late:
            self._state, self._later = _LATE, later
            self._due = self.driver.clock() + said.late
        else:
            later()

    def _go_on(self, data: bytes, decision: Switch | Answer | None, *, close: bool) -> None:
        """Send an answer and go on: with the end, the other protocol, or the next request."""
        if data:
            self._writes.append(data)
        if close:
            self._finish()
        elif isinstance(decision, Switch):
            self._switch(decision)
        else:
            self._state, self._head = "head", None

    def _overdue(self) -> None:
        """Do what this party gave itself a time for."""
        if self._state == _LATE:
            self._due = None
            self._later()
            self._read()
        elif self._state == _PAGE:
            self._finish()  # the client has left, as far as can be told
        elif self._state == "head" and not self._buffer:
            self._finish()  # all that came were empty lines: there is no request to answer
        else:
            self._decline(Answer(408, f"the request was not complete in {self._patience:g} s"))

    def _finish(self) -> None:
        """Send our FIN once all is written, and linger: unread bytes must not turn it into a RST."""
        self._state = _LINGER
        self._due = None
        self.gone()
        self._buffer.clear()
        self._seen = self.driver.clock()
        self.ending = Ending.FIN

    def _switch(self, switch: Switch) -> None:
        self._state = "after"
        assert self._head is not None
        self._after = begun(self.server, switch, self._head, self.driver)
        self._hand_over(self._after)

    def _begin_http2(self) -> bool:
        """Speak HTTP/2 where the client begins with its preface (RFC 9113, 3.4); tell whether it did, or may."""
        first = bytes(self._buffer[: len(PREFACE)])
        if not PREFACE.startswith(first):
            return False
        if first == PREFACE:
            self._state, self._due = "after", None
            self._after = ServerLanes(self.server, self.driver, self._date, self._note_error)
            self._after.begin()
            self._hand_over(self._after)
        return True

    def _hand_over(self, after: After) -> None:
        """Give what has come already to what is spoken from here on."""
        if self._buffer:
            early, self._buffer = bytes(self._buffer), bytearray()
            after.receive(early)

    @property
    def _patience(self) -> float:
        return self.limits.head_time if self._state == "head" else self.limits.content_time

    @property
    def _lingers_until(self) -> float:
        return self._seen + self.limits.close_time


def _is_websocket(decision: Switch | Answer) -> bool:
    return isinstance(decision, Switch) and decision.websocket
