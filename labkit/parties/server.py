"""The server's party: requests in, answers out, and the hand-over at the 101.

    head ──▶ content ──▶ answer ──▶ head …        (HTTP/1.1, any number of requests)
                           └─ 101 ──▶ conversation (the bytes after the seam are its own)
                           └─ close ─▶ lingering   (our FIN is out; read on, so that it is not lost)

A head is tested here, strictly, and by the tables of `decide`; one that announces content is then read by
h11, which knows how the content is framed and when a 100 is waited for. What h11 alone would do:

| what h11 0.16 does                              | what is asked                               |
|-------------------------------------------------|---------------------------------------------|
| refuses an empty line before the request line   | skip at least one (RFC 9112, 2.2)           |
| takes bare LF and folded lines                  | a server may, or 400 (RFC 9112, 2.2, 5.2)   |
| takes control characters in values              | reject them (RFC 9110, 5.5)                 |
| takes a head of any size that comes in one read | a limit: 431 (RFC 6585, 5)                  |
| takes invalid Hosts, HTTP/9.9, both framings    | 400, 505, 400 (`decide.HEAD_TESTS`)         |
| bounds no content                               | 413 (RFC 9110, 15.5.14)                     |
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from http import HTTPStatus

import h11
from websockets.protocol import Side

from labkit.parties.conversation import Speaker, told
from labkit.parties.core import Core
from labkit.parties.decide import ALLOW, Decline, Switch, check_head, evaluate, named
from labkit.parties.described import Server
from labkit.parties.party import Ending, Host
from labkit.parties.raw import Raw
from labkit.parties.websocket import WebSocket
from labkit.wire.fields import Fields
from labkit.wire.http1 import Fault, RequestHead, ResponseHead, head_length, scan
from labkit.wire.upgrade import options

__all__ = ["ServerParty"]

_VISIBLE = rb"[!-~\x80-\xff]"  # RFC 9110, 5.5
_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
# A head as the grammar has it; everything else is looked at piece by piece, to name what is wrong. The
# possessive `*+` gives nothing back: a value of spaces alone would take quadratic time to be refused.
_WELL_FORMED = re.compile(
    rb"%s [!-~]+ HTTP/[0-9]\.[0-9]\r\n(?:%s:[ \t]*+(?:%s(?:[\t -~\x80-\xff]*%s)?)?[ \t]*\r\n)*+\r\n"
    % (_TOKEN, _TOKEN, _VISIBLE, _VISIBLE)
)
_EMPTY_LINES = re.compile(rb"(?:\r\n|\n)+")
_FIRST = frozenset(b"!#$%&'*+-.^_`|~\r" + string.digits.encode() + string.ascii_letters.encode())
_TLS = 0x16  # the first byte of a TLS record that holds a handshake (RFC 8446, 5.1)
_LINGER = "linger"
# A request with none of these is complete with its head (RFC 9112, 6.3), and asks for no 100 before the answer.
_OF_CONTENT = frozenset(("content-length", "transfer-encoding", "expect"))


class ServerParty(Speaker):
    """One connection of a server.

    Args:
        server: what it is told to be.
        host: the driver's clock, ways to wait and to start a coroutine.
        date: gives the value of the Date field.
    """

    def __init__(self, server: Server, host: Host, date: Callable[[], str]) -> None:
        self.server = server
        self.limits = server.limits
        self.host = host
        self.ending = Ending.NOT_YET
        self.handler_error: BaseException | None = None
        self._date = date
        self._state = "head"
        self._buffer = bytearray()
        self._writes: list[bytes] = []
        self._reader: h11.Connection | None = None
        self._head: RequestHead | None = None
        self._content = 0
        self._requests = 0
        self._seen = host.clock()
        self._due: float | None = None

    # what comes in

    def receive(self, data: bytes) -> None:
        """Take bytes from the client."""
        if self._state == _LINGER or not data:
            return
        self._seen = self.host.clock()
        if self._after is not None:
            self._after.receive(data)
        else:
            self._buffer += data
            self._read()

    def receive_eof(self) -> None:
        """Take the client's FIN."""
        if self._after is not None:
            self._after.receive_eof()
        elif self._state == "head" and not self._buffer:
            self._finish()
        elif self._state != _LINGER:
            self._decline(Decline(400, "the request ends before it is complete"))

    def refuse(self, status: int, reason: str) -> None:
        """Answer before any request is read: the server has too much to do."""
        self._decline(Decline(status, reason, (("Retry-After", "1"),)))

    def shut(self) -> None:
        """Say goodbye at once."""
        if self._after is not None:
            self._after.close(1001, "the server is stopping")
        self.ending = Ending.FIN

    def tick(self) -> None:
        """Do what is due: time limits, and whatever the conversation waits for."""
        now = self.host.clock()
        if self._after is not None:
            self._after.tick()
            if now >= self._seen + self.limits.idle_time:
                self._seen = now
                self._after.close(1001, f"idle for {self.limits.idle_time:g} s")
        if self.ending is Ending.FIN:
            if now >= self._lingers_until:
                self.ending = Ending.RESET
        elif self._due is not None and now >= self._due and not self._buffer and self._state == "head":
            self._finish()  # all that came were empty lines: there is no request to answer
        elif self._due is not None and now >= self._due:
            self._decline(Decline(408, f"the request was not complete in {self._patience:g} s"))
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
        return idle if self._due is None else min(idle, self._due)

    # what goes out

    def outgoing(self) -> bytes:
        """Return, and forget, the bytes to send."""
        if self._after is not None:
            if data := self._after.outgoing():
                self._writes.append(data)
            if self._after.ending is Ending.FIN and self.ending is Ending.NOT_YET:
                self._finish()
        writes = self._writes
        if not writes:
            return b""
        self._writes = []
        self._seen = self.host.clock()
        return writes[0] if len(writes) == 1 else b"".join(writes)

    def finished(self, error: BaseException | None) -> None:
        """Take note that the handler ended."""
        self.handler_error = error
        if self._after is not None:
            self._after.finished(error)

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
            self._due = self.host.clock() + self.limits.head_time
        if empty := _EMPTY_LINES.match(buffer):
            del buffer[: empty.end()]
            if not buffer:
                return False
        if buffer[0] not in _FIRST:  # no head can begin so, and its end may never come
            tls = "this is a TLS handshake, and plain HTTP is spoken here"
            self._decline(Decline(400, tls if buffer[0] == _TLS else f"byte 0 of the head: {Fault.BAD_METHOD}"))
            return False
        length = head_length(bytes(buffer[: self.limits.head]))
        if length is None:
            if len(buffer) > self.limits.head:
                self._decline(Decline(431, f"the head is at most {self.limits.head} bytes long here"))
            return False
        return self._take_head(bytes(buffer[:length]))

    def _take_head(self, raw: bytes) -> bool:
        self._requests += 1
        declined = _malformed(raw)
        if declined:
            self._decline(declined)
            return False
        self._head = head = _parse(raw)
        if declined := check_head(self.server, head):
            self._decline(declined)
            return False
        self._content = 0
        if not any(name.lower() in _OF_CONTENT for name, _ in head.fields):
            del self._buffer[: len(raw)]
            return self._answer()
        self._reader = h11.Connection(h11.SERVER, max_incomplete_event_size=self.limits.head)
        self._reader.receive_data(bytes(self._buffer))
        self._buffer.clear()
        self._due = self.host.clock() + self.limits.content_time
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
                elif isinstance(event, h11.EndOfMessage):
                    break
                else:  # NEED_DATA
                    return False
        except h11.RemoteProtocolError as error:
            what = str(error).partition(":")[0]  # behind the colon are bytes, as many as had come by chance
            self._decline(Decline(400, f"the request cannot be read: {what}"))
            return False
        self._buffer += reader.trailing_data[0]
        return self._answer()

    def _too_long(self) -> bool:
        self._decline(Decline(413, f"the content is at most {self.limits.content} bytes long here"))
        return False

    # answering them

    def _answer(self) -> bool:
        head = self._head
        assert head is not None
        self._due = None
        decision = evaluate(self.server, head)
        if isinstance(decision, Switch):
            self._switch(head, decision)
            return False
        if decision is None:
            decision = self._page(head)
        keep = self._keeps(head)
        self._respond(decision, close=not keep)
        self._head = None
        if not keep:
            self._finish()
            return False
        self._state = "head"
        return True

    def _page(self, head: RequestHead) -> Decline:
        if head.method == "OPTIONS":
            return Decline(204, "", (ALLOW, *named(self.server)))
        more = f"{self._content} bytes of content were read.\n" if self._content else ""
        return Decline(200, (self.server.page + more).rstrip("\n"))

    def _keeps(self, head: RequestHead) -> bool:
        asked = options(head.fields)
        return head.version != "HTTP/1.0" and "close" not in asked and self._requests < self.limits.requests

    def _respond(self, answer: Decline, *, close: bool) -> None:
        """Write a final answer; the reason, or the page, is its content, and HEAD gets none of it."""
        content = f"{answer.reason}\n".encode() if answer.reason else b""
        lines = Fields.of([("Date", self._date()), *answer.fields])
        if close:
            lines = lines.replaced("Connection", ", ".join(["close", *lines.elements("Connection")]))
        if answer.status != 204:
            lines = lines.with_line("Content-Type", "text/plain; charset=utf-8")
            lines = lines.with_line("Content-Length", str(len(content)))
        if self._head is not None and self._head.method == "HEAD":
            content = b""
        phrase = HTTPStatus(answer.status).phrase
        self._writes.append(ResponseHead(answer.status, phrase, lines).to_bytes() + content)

    def _decline(self, answer: Decline) -> None:
        """Answer a request that is not, or not yet, complete: nothing after it can be trusted."""
        self._respond(answer, close=True)
        self._finish()

    def _finish(self) -> None:
        """Send our FIN once all is written, and linger: unread bytes must not turn it into a RST."""
        self._state = _LINGER
        self._due = None
        self._buffer.clear()
        self._seen = self.host.clock()
        self.ending = Ending.FIN

    def _switch(self, head: RequestHead, switch: Switch) -> None:
        self._state = "after"
        self._writes.append(ResponseHead(101, "Switching Protocols", switch.fields).to_bytes())
        limits = self.limits
        if switch.websocket:
            core = Core(Side.SERVER, limits.message, limits.fragments, extensions=switch.extensions)
            self._after = WebSocket(self.host, core, limits.close_time)
        else:
            self._after = Raw(self.host, limits.close_time)
        handler = self.server.protocols[switch.protocol]
        self._after.begin(handler, head, switch.protocol, switch.subprotocol)
        if self._buffer:
            early, self._buffer = bytes(self._buffer), bytearray()
            self._after.receive(early)

    @property
    def _patience(self) -> float:
        return self.limits.head_time if self._state == "head" else self.limits.content_time

    @property
    def _lingers_until(self) -> float:
        return self._seen + self.limits.close_time


def _parse(raw: bytes) -> RequestHead:
    """Read a head that is known to be well-formed; quicker than the scan that keeps every byte."""
    first, *lines = raw[:-4].decode("latin-1").split("\r\n")
    method, target, version = first.split(" ")
    pairs = (line.partition(":") for line in lines)
    return RequestHead(method, target, Fields(tuple((n, v.strip(" \t")) for n, _, v in pairs)), version)


def _malformed(raw: bytes) -> Decline | None:
    """Tell what breaks the grammar of a head, as the answer to it; None where nothing does."""
    if _WELL_FORMED.fullmatch(raw):
        return None
    faults = scan(raw).faults
    return Decline(400, f"byte {faults[0][0]} of the head: {faults[0][1]}" if faults else "this is no HTTP/1.1 request")
