"""The heads and pages that nginx writes itself, byte for byte (ngx_http_header_filter, ngx_http_special_response)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from labkit.wire.fields import Pair, text_bytes

__all__ = ["REDIRECTS", "Out", "page", "status_line", "type_of"]

REDIRECTS = frozenset({301, 302, 303, 307, 308})

STATUS: dict[int, str] = {  # ngx_http_status_lines; nginx says no more than the number for others
    200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 206: "Partial Content",
    301: "Moved Permanently", 302: "Moved Temporarily", 303: "See Other", 304: "Not Modified",
    307: "Temporary Redirect", 308: "Permanent Redirect",
    400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
    405: "Not Allowed", 406: "Not Acceptable", 408: "Request Time-out", 409: "Conflict", 410: "Gone",
    411: "Length Required", 412: "Precondition Failed", 413: "Request Entity Too Large",
    414: "Request-URI Too Large", 415: "Unsupported Media Type", 416: "Requested Range Not Satisfiable",
    421: "Misdirected Request", 429: "Too Many Requests",
    500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Temporarily Unavailable",
    504: "Gateway Time-out", 505: "HTTP Version Not Supported", 507: "Insufficient Storage",
}  # fmt: skip

_TITLES = {  # where the page says something else than the status line
    302: "302 Found", 401: "401 Authorization Required",
    494: "400 Request Header Or Cookie Too Large",
}  # fmt: skip
_NO_PAGE = frozenset({304})
_LAST_OF_CLASS = ((300, 309), (400, 430), (500, 508))  # beyond these nginx has no page at all
_TYPES = {"html": "text/html", "gif": "image/gif", "jpg": "image/jpeg"}  # where the text has no `types`


def status_line(status: int) -> str:
    """Return what stands behind the version in a status line.

    >>> status_line(302), status_line(426)
    ('302 Moved Temporarily', '426 ')
    """
    return f"{status:03} {STATUS.get(status, '')}"


def page(status: int, signature: str) -> bytes:
    """Return the page that nginx shows for a status, its own 494 among them; empty where it has none.

    Args:
        status: why.
        signature: what it calls itself at the foot, such as "nginx/1.22.1".
    """
    listed = any(first <= status < last for first, last in _LAST_OF_CLASS) and status in STATUS
    if (not listed or status in _NO_PAGE) and status not in _TITLES:
        return b""
    title = _TITLES.get(status) or status_line(status)
    heading = "400 Bad Request" if status == 494 else title
    more = "<center>Request Header Or Cookie Too Large</center>\r\n" if status == 494 else ""
    return text_bytes(
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{heading}</h1></center>\r\n"
        f"{more}<hr><center>{signature}</center>\r\n</body>\r\n</html>\r\n"
    )


def type_of(uri: str, types: dict[str, str] | None, default: str) -> str:
    """Return the type of a content that nginx gives for a path (ngx_http_set_content_type)."""
    name = uri.rpartition("/")[2]
    ending = name.rpartition(".")[2].lower() if "." in name[1:] else ""
    return (_TYPES if types is None else types).get(ending, default)


@dataclass(slots=True)
class Out:
    """The head of an answer, in the order in which nginx writes it.

    Args:
        said: the status line behind the version.
        server: its Server; None where a line of `lines` has it, or nothing.
        date: its Date, likewise.
        content_type: empty where there is none.
        length: of the content; None where it is not told.
        location: an absolute Location; empty where there is none.
        chunked: whether the content goes in chunks.
        connection: "upgrade", "keep-alive" or "close".
        keep_alive: seconds of a Keep-Alive field; 0 for none.
        lines: all other field lines.
    """

    said: str
    server: str | None
    date: str | None
    content_type: str = ""
    length: int | None = None
    location: str = ""
    chunked: bool = False
    connection: str = "close"
    keep_alive: int = 0
    lines: Iterable[Pair] = ()

    def fields(self) -> list[Pair]:
        """Return its field lines."""
        kept = self.connection == "keep-alive"
        named = [
            ("Server", self.server), ("Date", self.date), ("Content-Type", self.content_type or None),
            ("Content-Length", None if self.length is None else str(self.length)),
            ("Location", self.location or None), ("Transfer-Encoding", "chunked" if self.chunked else None),
            ("Connection", self.connection),
            ("Keep-Alive", f"timeout={self.keep_alive}" if self.keep_alive and kept else None),
        ]  # fmt: skip
        return [*((name, value) for name, value in named if value is not None), *self.lines]

    def to_bytes(self) -> bytes:
        """Return the head as it goes to the client."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in self.fields())
        return text_bytes(f"HTTP/1.1 {self.said}\r\n{lines}\r\n")
