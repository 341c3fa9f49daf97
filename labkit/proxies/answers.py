"""What an upstream answers to one request: its heads, and the content of the final one, framed anew for the client."""

from __future__ import annotations

from labkit.parties.conversation import MOST_WAITING
from labkit.proxies.content import Content, chunk, content_of_answer
from labkit.proxies.model import Framing, Model, Relay, Trouble
from labkit.wire.http1 import ResponseHead

__all__ = ["Answers"]


class Answers:
    """Reads answers; what waits to be read stays in `buffer`."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._content: Content | None = None
        self._framing = Framing.NONE
        self._head = b""
        self._held = bytearray()
        self._most_held = 0
        self._in_chunks = self._ended = False
        self.buffer = bytearray()

    def read_head(self) -> ResponseHead | Trouble | None:
        """Return the next head, what is wrong with it, or None for more."""
        found = self._model.read_answer(bytes(self.buffer)) if self.buffer else None
        if found is None:
            return Trouble.GARBAGE if len(self.buffer) > MOST_WAITING else None
        if isinstance(found, Trouble):
            return found
        head, length = found
        del self.buffer[:length]
        return head

    def stopped(self, trouble: Trouble) -> Trouble:
        """Tell what it is that no more comes of a head."""
        return self._model.stopped(bytes(self.buffer), trouble)

    def begin_content(self, method: str, head: ResponseHead, made: Relay) -> None:
        """Go on to the content behind a final head; `method` is the request's."""
        reads = head if made.reads is None else made.reads
        self._content, self._framing = content_of_answer(method, reads), made.framing
        self._head, self._most_held = made.data, made.held
        self._in_chunks, self._ended = "Transfer-Encoding" in reads.fields, False
        self._held.clear()

    def released(self, data: bytes) -> bytes:
        """Return what goes to the client now that these bytes have come, the head before them; the rest waits."""
        self._held += data
        if len(self._held) < self._most_held and not self.over and not self._ended:
            return b""
        return self.let_go()

    def silent(self) -> bytes:
        """Return what goes to the client of what waits, where the upstream is silent: the head, and whole chunks."""
        if not self._in_chunks:
            self._held.clear()
        return self.let_go()

    def let_go(self) -> bytes:
        """Return, and forget, all that waits to go to the client."""
        gone = self._head + bytes(self._held)
        self._held.clear()
        self._head, self._most_held = b"", 0
        return gone

    def read_content(self) -> bytes:
        """Return the content that has come, as it goes to the client."""
        assert self._content is not None
        found = self._content.feed(self.take_rest())
        if self._framing is Framing.NONE:
            return b""
        if self._framing is not Framing.CHUNKED:
            return found
        return (chunk(found) if found else b"") + (chunk(b"") if self.over else b"")

    def end(self) -> bytes:
        """Take the end of the direction: content that it ends is over, any other is cut short."""
        assert self._content is not None
        self._ended = True
        self._content.end()
        return chunk(b"") if self.over and self._framing is Framing.CHUNKED else b""

    @property
    def over(self) -> bool:
        """Whether the content is whole."""
        return self._content is not None and self._content.over

    @property
    def broken(self) -> bool:
        """Whether the content was cut short, or cannot be read."""
        return self._content is not None and bool(self._content.broken)

    @property
    def clean(self) -> bool:
        """Whether nothing came behind the content: what follows belongs to the next request."""
        return self._content is not None and not self._content.left

    def take_rest(self) -> bytes:
        """Return, and forget, what waits to be read."""
        rest = bytes(self.buffer)
        self.buffer.clear()
        return rest
