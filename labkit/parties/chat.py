"""A chat after the switch: a room for each path, a name for each guest, and nobody waits for the slowest.

    Server(protocols={"websocket": Chat()})

    ws://127.0.0.1:8101/tea?name=Ada        ◀── * Ada came in
                                            ──▶ hello
    every guest of the room /tea            ◀── Ada: hello

A guest without a name in the query is asked for one: the first message is it. What is told is plain text, one line
of the chat a message. Nothing in it is escaped, and no control character gets into it: a page must show it as text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import parse_qs

from labkit.errors import WrongUse
from labkit.parties.outbox import Outbox
from labkit.parties.stream import Closed, Message, Stream
from labkit.wire.uri import path_and_query

__all__ = ["Chat"]

_LONGEST_NAME = 24  # characters
_MOST_TRIES = 5  # names that one guest may propose
_AT_ONCE = 10  # messages of a guest before `rate` is looked at
# Controls, line and paragraph separators, and what turns the direction of the text around it.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class Chat:
    r"""A chat, as a handler: give one to a server, and every path is a room.

    What a guest says is told to all in the room, in one order, by `Stream.post`: no guest waits for another. Who talks
    faster than `rate` is read more slowly, so that TCP holds them back; nothing is lost.

    One chat is for one server: its rooms live in the thread that runs that server's handlers.

    Args:
        when_full: what happens to a guest who does not read: "disconnect", so that no chat has gaps, "drop oldest" or
            "drop newest"; see `Stream.hold`.
        held: messages that wait for a slow guest before that.
        longest: characters of a message; a longer one is not passed on, and its guest is told so.
        rate: messages a second that are read from one guest, after a first ten at once.
        guests: in one room; the next one gets a Close with 1013, try again later.
        heartbeat: seconds without a message from a guest until a Ping is sent, so that nobody on the way, and not
            the server's own `idle_time` either, takes the connection for dead.

    Raises:
        WrongUse: a bound that is not a number above 0, or a policy that nobody knows.

    >>> import labkit
    >>> chat = labkit.Server(protocols={"websocket": Chat()})
    >>> trace = labkit.simulate(labkit.Scenario(labkit.Offer.websocket("/?name=Ada"), say=["hello"], server=chat))
    >>> trace.stream(labkit.Direction.TO_CLIENT)[129:]
    b'\x81\r* Ada came in\x81\nAda: hello\x88\x02\x03\xe8'
    """

    def __init__(
        self,
        when_full: str = "disconnect",
        *,
        held: int = 100,
        longest: int = 1000,
        rate: float = 5.0,
        guests: int = 200,
        heartbeat: float = 20.0,
    ) -> None:
        Outbox(when_full, held)  # the same bounds
        for name, value in {"longest": longest, "rate": rate, "guests": guests, "heartbeat": heartbeat}.items():
            if type(value) not in (int, float) or not value > 0:
                raise WrongUse(f"{name} must be a number above 0, not {value!r}")
        self.when_full, self.held, self.longest = when_full, held, longest
        self.rate, self.guests, self.heartbeat = rate, guests, heartbeat
        self.dropped = 0
        """Messages that guests who have left were not told, because they did not read."""
        self._rooms: dict[str, dict[str, Stream]] = {}

    async def __call__(self, stream: Stream) -> None:
        """Let a guest in, pass on what they say, and tell the others when they leave."""
        stream.hold(self.when_full, messages=self.held)
        room, query = path_and_query(stream.path)
        name = await self._named(stream, room, query)
        guests = self._rooms.setdefault(room, {})
        guests[name] = stream
        self._tell(room, f"* {name} came in")
        try:
            async for text in _Paced(stream, self.rate, self.heartbeat):
                if problem := self._unfit(text):
                    stream.post(f"* not passed on: {problem}")
                else:
                    self._tell(room, f"{name}: {text!s}")
        finally:
            del guests[name]
            self.dropped += stream.dropped
            self._tell(room, f"* {name} left")

    def _tell(self, room: str, line: str) -> None:
        """Tell a line to everybody in a room; a room without guests is no more."""
        guests = self._rooms[room]
        for guest in guests.values():
            guest.post(line)
        if not guests:
            del self._rooms[room]

    @property
    def rooms(self) -> Mapping[str, tuple[str, ...]]:
        """Who is where now: the names of the guests in each room."""
        return MappingProxyType({room: tuple(guests) for room, guests in list(self._rooms.items())})

    async def _named(self, stream: Stream, room: str, query: str) -> str:
        """Return a name that nobody in the room has: that of the query, or else the guest is asked."""
        wanted = next(iter(parse_qs(query).get("name", ())), None)
        if wanted is None:
            stream.post("* who are you? your first message is your name")
        for _ in range(_MOST_TRIES):
            name = _clean(await stream.receive() if wanted is None else wanted)
            guests = self._rooms.get(room, {})
            if len(guests) >= self.guests:
                await stream.close(1013, f"the room is full: {self.guests} are in it; try again later")
                raise Closed("the room is full")
            problem = _no_name(name)
            if not problem and name.casefold() not in map(str.casefold, guests):
                if guests:
                    stream.post(f"* here: {', '.join(guests)}")
                return name
            stream.post(f"* {problem or 'somebody here has that name'}; say another")
            wanted = None
        await stream.close(1008, f"no name in {_MOST_TRIES} messages")
        raise Closed("the guest has no name")

    def _unfit(self, text: Message) -> str:
        """Return why a message cannot be passed on; empty where it can."""
        if not isinstance(text, str):
            return "only text is"
        if len(text) > self.longest:
            return f"{len(text)} characters; {self.longest} are the most"
        if not text or text.isspace():
            return "there is nothing in it"
        control = _CONTROL.search(text)
        return f"it has the control character U+{ord(control[0]):04X}" if control else ""


class _Paced:
    """What a guest says: no faster than so many messages a second, and a Ping for each time without one."""

    def __init__(self, stream: Stream, rate: float, heartbeat: float) -> None:
        self._stream = stream
        self._between = 1 / rate
        self._heartbeat = heartbeat
        self._earned = 0.0  # when all that was said so far is paid for, at one message each `_between` seconds

    def __aiter__(self) -> _Paced:
        return self

    async def __anext__(self) -> Message:
        stream = self._stream
        try:
            early = self._earned - stream.clock() - (_AT_ONCE - 1) * self._between
            if early > 0:
                await stream.sleep(early)
            message = await self._next()
        except Closed:
            raise StopAsyncIteration from None
        self._earned = max(self._earned, stream.clock()) + self._between
        return message

    async def _next(self) -> Message:
        while True:
            try:
                return await self._stream.receive(self._heartbeat)
            except TimeoutError:
                await self._stream.ping()


def _clean(said: Message) -> str:
    """Return a name as it is compared and shown; bytes are none."""
    return unicodedata.normalize("NFC", said).strip() if isinstance(said, str) else ""


def _no_name(name: str) -> str:
    """Return why something is no name; empty where it is one."""
    if not 1 <= len(name) <= _LONGEST_NAME:
        return f"a name has 1 to {_LONGEST_NAME} characters"
    if not name.isprintable() or {":", "*", ","} & set(name):
        return "a name has no control characters, and no : * or ,"
    return ""
