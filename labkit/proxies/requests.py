"""The requests that a client sends to a proxy, read one after the other; what is no request the model answers."""

from __future__ import annotations

from labkit.proxies.content import Content, content_of_request, declared
from labkit.proxies.model import Model, Own, Request
from labkit.wire.http1 import RequestHead, ResponseHead

__all__ = ["Requests"]

_MOST_HEADS = 1 << 14  # bytes; few heads are longer


class Requests:
    """Reads requests; what waits to be read stays in `buffer`."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._head: RequestHead | None = None
        self._content: Content | None = None
        self._body = bytearray()
        self._answered = False  # before the content has come: it is read, and dropped
        self.buffer = bytearray()
        self.held = b""
        self.number = 0

    @property
    def unread(self) -> bool:
        """Whether a request was answered whose content is still to come."""
        return self._answered

    @property
    def waiting(self) -> str:
        """What is not complete yet: "head", "content", or nothing where nothing was begun."""
        if self._content is not None:
            return "content"
        return "head" if self.buffer else ""

    def read(self) -> Request | ResponseHead | Own | None:
        """Read on: a whole request, a 100 (Continue) to send at once, the answer to what is none, or None for more."""
        return self._read_head() if self._content is None else self._read_content(self._content)

    def take_rest(self) -> bytes:
        """Return, and forget, what came behind the last request, and what is held before it."""
        rest = self.held + bytes(self.buffer)
        self.held = b""
        self.buffer.clear()
        return rest

    def _read_head(self) -> Request | ResponseHead | Own | None:
        found = self._look()
        if found is None or isinstance(found, Own):
            return found
        self._head, length = found
        del self.buffer[:length]
        self.number += 1
        self._content = content_of_request(self._head)
        self._body.clear()
        if refused := self._check(0 if self._content.broken else declared(self._head.fields)):
            return refused
        if not self._content.over and self._model.answers_at_once(self._head):
            self._answered = True
            return Request(self._head, b"", self.number)
        if self._model.continues and not self._content.over and _expects_continue(self._head):
            return ResponseHead(100, "Continue")
        return self._read_content(self._content)

    def _look(self) -> tuple[RequestHead, int] | Own | None:
        """Find a head in the first bytes, or in all: of many requests that wait, each is looked at alone."""
        first = bytes(self.buffer[:_MOST_HEADS])
        found = self._model.read_head(first) if first else None
        if found is None and len(first) < len(self.buffer):
            found = self._model.read_head(bytes(self.buffer))
        return found

    def _read_content(self, content: Content) -> Request | ResponseHead | Own | None:
        assert self._head is not None
        if not content.over and self.buffer:
            self._body += content.feed(bytes(self.buffer))
            self.buffer.clear()
            self.buffer += content.left
        if self._answered:
            return self._drop_content(content)
        if content.broken:
            return self._model.broken(self._head)
        if refused := self._check(len(self._body)):
            return refused
        if not content.over:
            return None
        self._content = None
        return Request(self._head, bytes(self._body), self.number)

    def _drop_content(self, content: Content) -> Request | ResponseHead | Own | None:
        self._body.clear()
        if content.broken:
            return self._model.cut(b"")
        if not content.over:
            return None
        self._content, self._answered = None, False
        return self._read_head()

    def _check(self, length: int) -> Own | None:
        assert self._head is not None
        return self._model.too_long(self._head, length)


def _expects_continue(head: RequestHead) -> bool:
    """Whether the client waits for a 100 before it sends content; one of HTTP/1.0 cannot (RFC 9110, 10.1.1)."""
    return head.version != "HTTP/1.0" and any(each.lower() == "100-continue" for each in head.fields.elements("Expect"))
