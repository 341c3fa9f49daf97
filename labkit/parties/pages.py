"""Pages that a server answers for without an upgrade: a request comes in whole, and a handler answers it.

    async def shout(exchange):
        await exchange.answer(exchange.content.upper(), kind="application/octet-stream")

    async def count(exchange):                         # server-sent events, one a second
        await exchange.begin("text/event-stream")
        for number in range(10):
            await exchange.send(event(str(number)))
            await exchange.sleep(1)

As a protocol's handler it is plain coroutine code: stepped in memory, a task on sockets. The server reads no
further request of this connection until it has ended.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum

from labkit.errors import WrongUse
from labkit.parties.answer import NO_CONTENT, Answer, checked, final_head, phrase, started
from labkit.parties.conversation import MOST_UNSENT, Waiting, follow
from labkit.parties.party import Driver
from labkit.parties.stream import Closed
from labkit.wire.http1 import RequestHead, ResponseHead

__all__ = ["Exchange", "Left", "PageHandler", "Visit"]

_TEXT = "text/plain; charset=utf-8"
_LAST = b"0\r\n\r\n"  # the last chunk, and no trailers (RFC 9112, 7.1)


class Left(StrEnum):
    """What a handler left when it ended."""

    NOTHING = "no answer"
    WHOLE = "a whole answer"
    BROKEN = "an answer that cannot be told from a whole one by its framing"
    CUT = "an answer without its last chunk"


class Exchange:
    """One request at a page, and the answer that its handler gives: whole, or piece by piece.

    `request` is the head, `content` the bytes of the content.
    """

    def __init__(self, visit: Visit, content: bytes) -> None:
        self._visit = visit
        self.request = visit.head
        self.content = content

    def __repr__(self) -> str:
        return f"<Exchange {self.request.method} {self.path}>"

    @property
    def path(self) -> str:
        """The request-target that was asked for."""
        return self.request.target

    def clock(self) -> float:
        """Return the time in seconds, of the clock that this exchange runs by; only differences count."""
        return self._visit.driver.clock()

    async def answer(
        self,
        content: str | bytes = b"",
        *,
        kind: str = _TEXT,
        status: int = 200,
        fields: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Give the whole answer, with its Content-Length; text goes out as UTF-8.

        Args:
            content: the content.
            kind: its Content-Type.
            status: 200 to 599.
            fields: more field lines.

        Raises:
            Closed: the client is gone.
            WrongUse: it was answered before, or this could not be sent.
        """
        self._visit.answer(_described(kind, status, fields), _bytes(content))

    async def begin(self, kind: str = _TEXT, *, status: int = 200, fields: tuple[tuple[str, str], ...] = ()) -> None:
        """Begin an answer whose pieces are sent one by one, in chunks (RFC 9112, 7.1); it ends with the handler.

        Raises:
            Closed: the client is gone.
            WrongUse: it was answered before, or this could not be sent.
        """
        self._visit.open(_described(kind, status, fields))

    async def send(self, piece: str | bytes) -> None:
        """Send a piece of the answer that was begun, as one chunk; waits while the client takes no more.

        Raises:
            Closed: the client is gone.
            WrongUse: no answer was begun.
        """
        visit = self._visit
        while visit.blocked and not visit.over:
            await self._wait()
        visit.say(_bytes(piece))

    async def sleep(self, seconds: float) -> None:
        """Wait, by the clock of whoever drives this party: in memory no time passes.

        Raises:
            Closed: the client is gone, or goes in the meantime.
        """
        until = self.clock() + seconds
        while not self._visit.over:
            await self._wait(until)  # once at least, so that others get their turn
            if self.clock() >= until:
                return
        raise Closed("nobody is left to sleep for: the client is gone")

    async def _wait(self, until: float | None = None) -> None:
        visit = self._visit
        park = visit.driver.park()
        visit.parked(park, until)
        visit.driver.rest()
        try:
            await park
        finally:
            visit.unparked(park, until)


PageHandler = Callable[[Exchange], Awaitable[None]]
"""What answers at a page: `async def handler(exchange)`."""


class Visit(Waiting):
    """What stands behind an exchange: what is written, and how it ends.

    Args:
        driver: its clock, ways to wait and to start a coroutine.
        head: the head of the request.
        date: the value of the Date field.
        close: whether the connection ends with this answer.
        choked: whether the other side takes no more for now.
    """

    def __init__(self, driver: Driver, head: RequestHead, date: str, *, close: bool, choked: bool = False) -> None:
        super().__init__(driver)
        self.head = head
        self.close = close
        self.over = False
        self.blocked = self._choked = choked
        self._date = date
        self._left = Left.NOTHING
        self._writes: list[bytes] = []
        self._unsent = 0

    def begin(self, handler: PageHandler, content: bytes) -> None:
        """Start a handler on the request."""
        self.driver.start(follow(handler, Exchange(self, content)))

    def answer(self, answer: Answer, content: bytes) -> None:
        """Give the whole answer."""
        self._first()
        head, rest = final_head(answer, self._date, close=self.close, content=content, asked=self.head)
        self._left = Left.WHOLE
        self._write(head.to_bytes() + rest)

    def open(self, answer: Answer) -> None:
        """Begin an answer without a length: in chunks or, for HTTP/1.0 that knows none, up to the end."""
        self._first()
        if answer.status in NO_CONTENT or answer.status == 205:
            raise WrongUse(f"an answer {answer.status} has no content that could be sent in pieces")
        chunked = self.head.version != "HTTP/1.0"
        self.close = self.close or not chunked
        lines = started(answer, self._date, close=self.close)
        if chunked:
            lines = lines.with_line("Transfer-Encoding", "chunked")
        self._left = Left.CUT if chunked else Left.BROKEN
        self._write(ResponseHead(answer.status, phrase(answer.status), lines).to_bytes())

    def say(self, piece: bytes) -> None:
        """Send a piece of the answer that was begun."""
        self._still()
        if self._left not in (Left.CUT, Left.BROKEN):
            raise WrongUse("no answer was begun: call begin(…) before send(…), or answer(…) alone")
        if piece and self.head.method != "HEAD":
            self._write(b"%x\r\n%b\r\n" % (len(piece), piece) if self._left is Left.CUT else piece)

    def finish(self, error: BaseException | None) -> Left:
        """End what the handler began, now that it has ended; tell what it left."""
        if error is None and self._left in (Left.CUT, Left.BROKEN) and not self.over:
            if self._left is Left.CUT and self.head.method != "HEAD":
                self._writes.append(_LAST)
            self._left = Left.WHOLE
        return self._left

    def end(self) -> None:
        """Take note that the client is gone, or that nobody waits any longer."""
        self.over = True
        self.wake()

    def outgoing(self) -> bytes:
        """Return, and forget, the bytes to send."""
        writes, self._writes = self._writes, []
        self._unsent = 0
        return b"".join(writes)

    def _first(self) -> None:
        self._still()
        if self._left is not Left.NOTHING:
            raise WrongUse("this request was answered before: one request gets one answer")

    def _still(self) -> None:
        if self.over:
            raise Closed("nothing can be answered: the client is gone")

    def _write(self, data: bytes) -> None:
        self._writes.append(data)
        self._unsent += len(data)
        if self._unsent > MOST_UNSENT:
            self.blocked = True
        self.driver.wrote()


def _described(kind: str, status: int, fields: tuple[tuple[str, str], ...]) -> Answer:
    return checked(Answer(status, "", (("Content-Type", kind), *fields)))


def _bytes(content: str | bytes) -> bytes:
    if isinstance(content, str):
        return content.encode()
    if not isinstance(content, (bytes, bytearray, memoryview)):
        raise WrongUse(f"the content of an answer is text or bytes, not {type(content).__name__}")
    return bytes(content)
