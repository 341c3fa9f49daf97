"""The content of a request or an answer as it passes a proxy: where it ends is h11's to tell."""

from __future__ import annotations

import h11

from labkit.wire.fields import Fields
from labkit.wire.http1 import RequestHead, ResponseHead

__all__ = ["Content", "chunk", "content_of_answer", "content_of_request", "declared"]

_FRAMING = ("Content-Length", "Transfer-Encoding")
_MOST = 1 << 16  # bytes of a chunk's own line, or of a trailer
_MOST_DIGITS = 20  # h11 reads no longer numbers


class Content:
    r"""Reads the content behind a head, piece by piece; `over` once it has ended.

    >>> content = content_of_request(RequestHead("POST", "/", Fields.of([("Content-Length", "5")])))
    >>> content.feed(b"hello, and more"), content.over, content.left
    (b'hello', True, b', and more')
    """

    def __init__(self, reader: h11.Connection) -> None:
        self._reader = reader
        self.over = False
        self.broken = ""
        """Why what came is no content, in h11's words; empty where it is."""
        self._take()

    def feed(self, data: bytes) -> bytes:
        """Take bytes; return the content in them."""
        if not data or self.over or self.broken:
            return b""
        self._reader.receive_data(data)
        return self._take()

    def end(self) -> None:
        """Take the end of the direction: content until then is over, any other is broken."""
        if not self.over and not self.broken:
            self._reader.receive_data(b"")
            self._take()

    def _take(self) -> bytes:
        found = bytearray()
        try:
            while not self.over:
                event = self._reader.next_event()
                if isinstance(event, h11.Data):
                    found += event.data
                elif isinstance(event, h11.EndOfMessage):
                    self.over = True
                elif not isinstance(event, (h11.Request, h11.Response)):
                    break
        except h11.RemoteProtocolError as error:
            self.broken = str(error)
        return bytes(found)

    @property
    def left(self) -> bytes:
        """What came behind the content; empty until it is over."""
        return bytes(self._reader.trailing_data[0]) if self.over else b""


def content_of_request(head: RequestHead) -> Content:
    """Return the reader of what follows a request's head (RFC 9112, 6.3)."""
    reader = h11.Connection(h11.SERVER, max_incomplete_event_size=_MOST)
    reader.receive_data(RequestHead("POST", "/", _framing(head.fields, ("Host", "a"))).to_bytes())
    return Content(reader)


def content_of_answer(method: str, head: ResponseHead) -> Content:
    """Return the reader of what follows the head of a final answer (RFC 9112, 6.3)."""
    reader = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST)
    reader.send(h11.Request(method="HEAD" if method == "HEAD" else "GET", target="/", headers=[("Host", "a")]))
    reader.send(h11.EndOfMessage())
    status = 204 if head.status < 200 or head.status in (204, 304) else 200  # all others are framed alike
    reader.receive_data(ResponseHead(status, "", _framing(head.fields)).to_bytes())
    return Content(reader)


def declared(fields: Fields) -> int:
    """Return how long content is said to be; 0 where that is not said, or is no number."""
    length = fields.get("Content-Length") or ""
    return int(length) if length.isdecimal() and len(length) < _MOST_DIGITS else 0


def _framing(fields: Fields, *more: tuple[str, str]) -> Fields:
    """Return the field lines that tell where content ends; h11 reads no others here."""
    wanted = {name.lower() for name in _FRAMING}
    return Fields((*more, *(line for line in fields if line[0].lower() in wanted)))


def chunk(data: bytes) -> bytes:
    r"""Return a chunk; the last one where there is no data (RFC 9112, 7.1).

    >>> chunk(b"hello"), chunk(b"")
    (b'5\r\nhello\r\n', b'0\r\n\r\n')
    """
    return b"%x\r\n%b\r\n" % (len(data), data)
