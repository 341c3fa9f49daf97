"""What was posted and cannot leave yet: bounded, and with a policy for when it is full.

    stream.hold("drop oldest", messages=100)
    stream.post("never waits")

| policy      | what a full outbox does with one message more                       | fits                      |
|-------------|---------------------------------------------------------------------|---------------------------|
| drop oldest | lets go of those that wait longest, until it fits                   | what is new counts: a feed |
| drop newest | does not take it                                                    | what came first counts     |
| disconnect  | lets go of all, and ends the conversation; in WebSocket, Close 1008 | no gaps: a chat            |

1008 is the code for a breach of the server's policy, and the generic one "when there is no other more suitable
status code" (RFC 6455, 7.4.1). 1013, try again later, is not more suitable: by its registration it is the service
that is overloaded, and here the service is well; it is one client that does not read.
"""

from __future__ import annotations

from collections import deque

from labkit.errors import WrongUse
from labkit.parties.stream import Message

__all__ = ["FELL_BEHIND", "POLICIES", "Outbox"]

POLICIES = ("drop oldest", "drop newest", "disconnect")
"""What a full outbox can do, by name."""

FELL_BEHIND = 1008
"""The code of the Close for whoever fell too far behind."""


class Outbox:
    """Messages in the order in which they were posted; never more of them, nor of their bytes, than it may hold.

    Args:
        when_full: what to do with one more, see `POLICIES`.
        messages: how many it holds.
        size: how many bytes they have together; text counts as the UTF-8 that it is on the wire.

    Raises:
        WrongUse: no policy is called so, or a bound is not a whole number above 0.

    >>> outbox = Outbox("drop oldest", messages=2)
    >>> [outbox.add(each, 1) for each in "abc"], outbox.take(), len(outbox), outbox.dropped
    ([True, True, True], 'b', 1, 1)
    """

    __slots__ = ("_bytes", "_most", "_size", "_waiting", "_when_full", "dropped")

    def __init__(self, when_full: str = "drop oldest", messages: int = 100, size: int = 1 << 18) -> None:
        self._waiting: deque[tuple[Message, int]] = deque()
        self._bytes = 0
        self.dropped = 0
        """How many were let go of, or not taken."""
        self.hold(when_full, messages, size)

    def hold(self, when_full: str, messages: int, size: int) -> None:
        """Set the policy and the bounds, from the next message on."""
        if when_full not in POLICIES:
            raise WrongUse(f"a full outbox can {', '.join(POLICIES)}, not {when_full!r}")
        for name, value in (("messages", messages), ("size", size)):
            if type(value) is not int or value < 1:
                raise WrongUse(f"{name} must be a whole number above 0, not {value!r}")
        self._when_full, self._most, self._size = when_full, messages, size

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def size(self) -> int:
        """How many bytes wait."""
        return self._bytes

    @property
    def disconnects(self) -> bool:
        """Whether the conversation is to end where a message is not taken."""
        return self._when_full == "disconnect"

    def add(self, message: Message, size: int) -> bool:
        """Take one more message of that many bytes; tell whether it waits now."""
        if not self._fits(size):
            if self._when_full != "drop oldest" or size > self._size:  # which no room could be made for
                self.dropped += 1
                return False
            while not self._fits(size):
                self.take()
                self.dropped += 1
        self._waiting.append((message, size))
        self._bytes += size
        return True

    def _fits(self, size: int) -> bool:
        return len(self._waiting) < self._most and self._bytes + size <= self._size

    def take(self) -> Message:
        """Return, and forget, the message that waits longest."""
        message, size = self._waiting.popleft()
        self._bytes -= size
        return message

    def clear(self) -> None:
        """Let go of all that wait: they will not be sent."""
        self.dropped += len(self._waiting)
        self._waiting.clear()
        self._bytes = 0
