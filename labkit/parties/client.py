"""The client's party: an offer out, the answer in, and what it says after the switch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator

import h11
from websockets.exceptions import InvalidHandshake

from labkit.errors import Failed, LabError, WrongUse
from labkit.parties.answered import conversation
from labkit.parties.conversation import Speaker, told
from labkit.parties.lanes_client import ClientLanes
from labkit.parties.offer import Offer
from labkit.parties.party import Driver, Ending
from labkit.parties.raw import Raw
from labkit.parties.stream import Closed, Fragments, Handler, Message, Stream
from labkit.wire.fields import Fields
from labkit.wire.upgrade import Protocol, offered, options

__all__ = ["ClientParty", "Say", "talk"]

Say = Iterable[Message | Fragments] | Callable[[Stream], Awaitable[None]]
_BETWEEN_SEGMENTS = 0.02  # seconds; enough for the other side to read one before the next comes


def talk(say: Say, patience: float = 5.0) -> Handler:
    """Return the handler for what a client says: one of your own, or messages, each answered before the next.

    Args:
        say: the handler, or the messages.
        patience: the most seconds to wait for each answer; after them the handler closes, and fails.

    Raises:
        WrongUse: it is neither.
    """
    if callable(say):
        return say
    if isinstance(say, (str, bytes)):
        raise WrongUse(f"say is a list of messages, not one message: write [{say!r}]")
    messages = list(say)

    async def in_turn(stream: Stream) -> None:
        for number, message in enumerate(messages, 1):
            try:
                await stream.send(message)
                await stream.receive(patience)
            except Closed:
                return
            except TimeoutError:
                await stream.close()
                raise Failed(f"message {number} was not answered within {patience:g} s") from None

    return in_turn


class ClientParty(Speaker):
    """One connection of the lab's own client.

    `problem` says in a few words why the exchange failed; it is empty where the answer could be read
    and, for a 101, was right. `status` is the final answer's status code.

    Args:
        offer: what is sent.
        say: what is said after the switch: messages, or a handler.
        driver: its clock, ways to wait and to start a coroutine.
        masks: masking keys.
        patience: the most seconds to wait for the answer, and for each step of the closing.
    """

    def __init__(
        self, offer: Offer, say: Say, driver: Driver, masks: Iterator[bytes], *, patience: float = 5.0
    ) -> None:
        self.offer = offer
        self.driver = driver
        self.ending = Ending.NOT_YET
        self.status: int | None = None
        self.problem = ""
        self._handler = talk(say, patience)
        self._masks = masks
        self._patience = patience
        self._segments = offer.segments()
        self._next_segment: float | None = driver.clock()
        self._reader = _reader(offer)
        self._answered = False
        self._heard = False
        self._waits_for_fin = False
        self._eof = False
        self._give_up = driver.clock() + patience
        if offer.http2:
            self._begin_http2()

    def _begin_http2(self) -> None:
        """Speak HTTP/2 from the first byte on: each lane has its own offer and answer."""
        self._answered = True
        self._segments.clear()
        self._after = ClientLanes(
            self.offer, self._handler, self.driver, self._masks, self._patience, self._note_failure
        )
        self._after.begin()

    def receive(self, data: bytes) -> None:
        """Take bytes from the server."""
        if self._after is not None:
            self._after.receive(data)
        elif data and not self._answered:
            self._give_up = self.driver.clock() + self._patience
            self._heard = True
            self._reader.receive_data(data)
            self._read()

    def receive_eof(self) -> None:
        """Take the server's FIN."""
        self._eof = True
        if self._after is not None:
            self._after.receive_eof()
            if isinstance(self._after, Raw):
                return
            self._note_lanes()
        elif not self._answered:
            if self.status is None:
                self._fail(f"the server closed {'in the middle of' if self._heard else 'without'} an answer")
            else:
                self._reader.receive_data(b"")
                self._read()
        self._end()

    def tick(self) -> None:
        """Do what is due."""
        now = self.driver.clock()
        if self._after is not None:
            self._after.tick()
        if now < self._give_up:
            return
        if self.ending is Ending.FIN:
            self.ending = Ending.RESET
        elif self._after is None:
            if not self._answered:
                self._fail(f"no answer came in {self._patience:g} s")
            self._end()

    @property
    def deadline(self) -> float | None:
        """When `tick` is due."""
        if self._after is not None and self.ending is Ending.NOT_YET:
            return self._after.deadline
        if self._segments and self._next_segment is not None:
            return min(self._next_segment, self._give_up)
        return self._give_up

    def outgoing(self) -> bytes:
        """Return, and forget, the bytes to send."""
        now = self.driver.clock()
        data = b""
        if self._segments and self._next_segment is not None and now >= self._next_segment:
            data = self._segments.pop(0)
            self._next_segment = now + _BETWEEN_SEGMENTS
        if self._after is not None:
            data += self._after.outgoing()
            self._note_lanes()
            if self._after.ending is Ending.FIN:
                self._end()
        return data

    def finished(self, error: BaseException | None) -> None:
        """Take note that the handler ended."""
        if error is not None:
            self._note_failure(error)
        if self._after is not None:
            self._after.finished(error)
            self.problem = self.problem or self._after.failure

    def _note_failure(self, error: BaseException) -> None:
        own = isinstance(error, LabError)
        text = str(error) if own else f"what the client says failed: {told(error)}"
        self.problem = self.problem or text

    def _note_lanes(self) -> None:
        """Take over what the lanes know of the answers."""
        if isinstance(self._after, ClientLanes):
            self.status = self._after.status
            self.problem = self.problem or self._after.failure

    def shut(self) -> None:
        """Say goodbye at once."""
        if self._after is not None:
            self._after.close(1001, "")
        self._end()

    def _end(self) -> None:
        if self.ending is Ending.NOT_YET:
            self.ending = Ending.FIN
            self._segments.clear()  # behind the FIN nothing can be sent
            self._give_up = self.driver.clock() + self._patience

    # reading the answer

    def _read(self) -> None:
        try:
            while not self._answered:
                event = self._reader.next_event()
                if isinstance(event, h11.InformationalResponse) and event.status_code == 101:
                    self._switch(_fields(event))
                elif isinstance(event, h11.InformationalResponse) and "first-answer" in self.offer.faults:
                    self.status = event.status_code
                    self._fail(f"the server did not switch: HTTP {self.status}")
                    self._end()
                elif isinstance(event, h11.Response):
                    self.status = event.status_code
                    # what was sent behind the request may get an answer, too
                    self._waits_for_fin = "close" in options(_fields(event)) or bool(self.offer.early)
                elif isinstance(event, h11.EndOfMessage):
                    self._done()
                elif not isinstance(event, (h11.Data, h11.InformationalResponse)):
                    return  # more bytes are needed, or none will come
        except h11.RemoteProtocolError as error:
            self._fail(f"the answer cannot be read: {error}")
            self._end()

    def _done(self) -> None:
        self._answered = True
        self._give_up = self.driver.clock() + self._patience
        if not self._waits_for_fin or self._eof:
            self._end()

    def _fail(self, problem: str) -> None:
        self._answered = True
        self.problem = self.problem or problem
        self._give_up = self.driver.clock() + self._patience

    def _switch(self, answer: Fields) -> None:
        self._answered = True
        self.status = 101
        rest = b"" if "loses-early" in self.offer.faults else self._reader.trailing_data[0]
        wanted = [Protocol.parse(name) for name in self.offer.protocols]
        named = offered(answer)
        if not named or not all(any(p.same(w) for w in wanted) for p in named):
            self._fail("the 101 does not name a protocol that was offered")
            self._end()
            return
        protocol = str(named[0])
        try:
            after = conversation(protocol, self.offer.head.fields, answer, self.driver, self._masks, self._patience)
        except InvalidHandshake as error:
            self._fail(f"the 101 is not right: {error}")
            self._end()
            return
        self._after = after
        after.begin(self._handler, self.offer.head, protocol, answer.get("Sec-WebSocket-Protocol"))
        if rest:
            after.receive(rest)


def _fields(event: h11.Response | h11.InformationalResponse) -> Fields:
    return Fields(tuple((n.decode("latin-1"), v.decode("latin-1")) for n, v in event.headers.raw_items()))


def _reader(offer: Offer) -> h11.Connection:
    """Return an h11 client that was told of a request; its bytes are dropped, the offer's own are sent."""
    reader = h11.Connection(h11.CLIENT)
    method = "HEAD" if offer.head.method == "HEAD" else "GET"  # only HEAD changes how an answer is read
    lines = [("Host", "a"), ("Connection", "Upgrade"), ("Upgrade", "any")]
    reader.send(h11.Request(method=method, target="/", headers=lines))
    reader.send(h11.EndOfMessage())
    return reader
