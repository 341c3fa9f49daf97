"""Which request heads nginx reads, and which it answers with an error; after its sources of 1.22.1.

nginx reads byte by byte and answers the first that is wrong, whether or not the rest has come.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from labkit.wire.fields import Fields
from labkit.wire.http1 import RequestHead

__all__ = ["FIELD", "FIELD_SO_FAR", "Heading", "Limits", "Options", "Wrong", "host_of", "lines_of", "read_request"]


class Limits(NamedTuple):
    """How long heads may be: `client_header_buffer_size`, and `large_client_header_buffers`."""

    first: int = 1024
    number: int = 4
    size: int = 8192


class Options(NamedTuple):
    """What a server lets pass in field names."""

    underscores: bool = False
    ignores_invalid: bool = True

    def takes(self, name: str) -> bool:
        """Tell whether a field of this name is taken, and not dropped for it.

        >>> Options().takes("X-Key"), Options().takes("X_Key")
        (True, False)
        """
        return not self.ignores_invalid or bool((_UNDERSCORED if self.underscores else _VALID).fullmatch(name))


class Wrong(NamedTuple):
    """Why a head is answered with an error, and what is known of the request by then.

    Args:
        status: of the answer; 494 is nginx's own for a head too long, sent as 400.
        log: what the error log says.
        method: of the request; empty where it could not be read.
        version: of the request; an answer to HTTP/0.9 has no head.
        host: which server answers; empty where none was named.
    """

    status: int
    log: str
    method: str = ""
    version: str = "HTTP/1.0"
    host: str = ""


class Heading(NamedTuple):
    """A request's head as nginx read it.

    Args:
        head: its method, target, version and all field lines.
        length: how many bytes it took.
        host: the host that chooses the server, in small letters, without the port; empty where none was named.
    """

    head: RequestHead
    length: int
    host: str


# Requests that come twice in these are answered 400 (ngx_http_headers_in).
_ONCE = frozenset({
    "authorization", "content-length", "content-range", "expect", "if-match", "if-modified-since", "if-none-match",
    "if-range", "if-unmodified-since", "transfer-encoding",
})  # fmt: skip

FIELD = re.compile(rb"([^\x00-\x20\x7f:]+)(?:: *([^\x00\r]*?) *)?\r*", re.DOTALL)
"""A field line without its LF: the name, and the value where there is a colon (ngx_http_parse_header_line)."""

FIELD_SO_FAR = re.compile(rb"\r?|[^\x00-\x20\x7f:]+(?::[^\x00\r]*)?\r*", re.DOTALL)
"""The beginning of a line that can still become one."""

_METHOD = re.compile(rb"[A-Z_\-]+")
_SCHEME = re.compile(rb"[A-Za-z][A-Za-z0-9+.\-]*")
_HOST = re.compile(rb"\[[A-Za-z0-9:\-._~!$&'()*+,;=]*\]|[A-Za-z0-9.\-]*")
_PORT = re.compile(rb"(:[0-9]*)?")
_PATH = re.compile(rb"[^\x00-\x20\x7f]*")
_SPACES = re.compile(rb" *")
_END = re.compile(rb" *\r?\n")
_SO_FAR = re.compile(rb" *\r?")
_BOTH = 'client sent "Content-Length" and "Transfer-Encoding" headers at the same time'
_BAD = "client sent invalid request while reading client request line"
_VALID = re.compile(r"[A-Za-z0-9\-]+")
_UNDERSCORED = re.compile(r"[A-Za-z0-9\-_]+")
_MOST_DIGITS = 18  # of a number that nginx can hold


@dataclass(slots=True)
class _Line:
    """A request line."""

    method: str
    target: str
    version: str
    host: str
    end: int


class _Invalid(Exception):  # noqa: N818  it never leaves this file
    def __init__(self, wrong: Wrong | None) -> None:
        self.wrong = wrong  # None: more bytes are needed


def _bad(status: int = 400, log: str = _BAD, method: str = "") -> _Invalid:
    return _Invalid(Wrong(status, log, method))


@dataclass(slots=True)
class _Cursor:
    """Goes through the bytes of a request line; where they end it asks for more."""

    data: bytes
    at: int
    method: str = ""

    def take(self, pattern: re.Pattern[bytes]) -> bytes:
        found = pattern.match(self.data, self.at)
        taken = found[0] if found else b""
        self.at += len(taken)
        return taken

    def next(self) -> bytes:
        if self.at >= len(self.data):
            raise _Invalid(None)
        return self.data[self.at : self.at + 1]

    def word(self, word: bytes) -> None:
        for byte in word:
            if self.next() != bytes([byte]):
                raise _bad(method=self.method)
            self.at += 1


def _request_line(data: bytes, start: int) -> _Line:
    cursor = _Cursor(data, start)
    cursor.method = cursor.take(_METHOD).decode("latin-1")
    if cursor.next() != b" " or not cursor.method:
        raise _bad(log="client sent invalid method while reading client request line")
    cursor.take(_SPACES)
    begin = cursor.at
    host = _authority(cursor) if cursor.next() != b"/" else b""
    if cursor.next() in b"/?":
        cursor.take(_PATH)
    target = data[begin : cursor.at].decode("latin-1")
    version = _version(cursor)
    if version == "HTTP/0.9" and cursor.method != "GET":
        wrong = "client sent invalid method in HTTP/0.9 request while reading client request line"
        raise _Invalid(Wrong(400, wrong, cursor.method, version))
    return _Line(cursor.method, target, version, host.decode("latin-1"), cursor.at)


def _authority(cursor: _Cursor) -> bytes:
    if not cursor.take(_SCHEME):
        raise _bad(method=cursor.method)
    cursor.word(b"://")
    cursor.next()
    host = cursor.take(_HOST)
    cursor.take(_PORT)
    if cursor.next() not in b"/? ":
        raise _bad(method=cursor.method)
    return host


def _version(cursor: _Cursor) -> str:
    """Read what follows the target: the version, or a line end where it is HTTP/0.9."""
    spaces = cursor.take(_SPACES)
    if cursor.next() in b"\r\n":
        _line_end(cursor)
        return "HTTP/0.9"
    if not spaces:
        raise _bad(method=cursor.method)
    begin = cursor.at
    cursor.word(b"HTTP/")
    if cursor.next() not in b"123456789":
        raise _bad(method=cursor.method)
    major = cursor.take(re.compile(rb"1(?![0-9])"))
    if not major:
        if cursor.next() == b"1" and cursor.at + 1 >= len(cursor.data):
            raise _Invalid(None)
        raise _bad(505, "client sent invalid version while reading client request line", cursor.method)
    cursor.word(b".")
    if not cursor.next().isdigit():
        raise _bad(method=cursor.method)
    minor = cursor.take(re.compile(rb"[0-9]+"))
    if int(minor[:4]) > 999:
        raise _bad(method=cursor.method)
    version = cursor.data[begin : cursor.at].decode("latin-1")
    cursor.take(_SPACES)
    _line_end(cursor)
    return version


def _line_end(cursor: _Cursor) -> None:
    if cursor.next() == b"\r":
        cursor.at += 1
    cursor.word(b"\n")


def read_request(data: bytes, limits: Limits, options: Callable[[str], Options]) -> Heading | Wrong | None:
    r"""Read the request head that `data` begins with; None where more bytes are needed.

    Args:
        data: what has come, from the first byte of the request.
        limits: how long the head may be.
        options: what the server of a host lets pass.

    >>> read_request(b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", Limits(), lambda _: Options()).status
    400
    """
    start = len(data) - len(data.lstrip(b"\r\n"))
    try:
        line = _request_line(data, start)
    except _Invalid as invalid:
        if invalid.wrong is None:
            return _too_long(data, start, limits)
        return _too_long(data[: data.find(b"\n") + 1 or len(data)], start, limits) or invalid.wrong
    if long := _too_long(data[: line.end], start, limits):
        return long
    return _Reader(data, line, options).read(limits)


def _too_long(data: bytes, start: int, limits: Limits) -> Wrong | None:
    """Answer for a request line that fills the buffers."""
    room = limits.first if len(data) <= limits.first else max(limits.first, limits.size)
    if len(data) - start > room or (len(data) - start == limits.size and b"\n" not in data):
        return Wrong(414, "client sent too long URI while reading client request line")
    return None


@dataclass(slots=True)
class _Reader:
    """Reads the field lines of a request, and checks what nginx checks before it looks for a location."""

    data: bytes
    line: _Line
    options: Callable[[str], Options]
    host: str = ""
    lines: list[tuple[str, str]] = field(default_factory=list)
    seen: dict[str, str] = field(default_factory=dict)

    def wrong(self, log: str, status: int = 400) -> Wrong:
        return Wrong(status, log, self.line.method, self.line.version, self.host)

    def read(self, limits: Limits) -> Heading | Wrong | None:
        if self.line.host:
            named = host_of(self.line.host)
            if named is None:
                return self.wrong("client sent invalid host in request line while reading client request line")
            self.host = named
        if self.line.version == "HTTP/0.9":
            return self.heading(self.line.end)
        at, buffers = self.line.end, _Buffers(limits, self.line.end)
        for begin, end in lines_of(self.data, at):
            if buffers.overflow(begin, end or len(self.data), whole=bool(end)):
                return self.wrong("client sent too long header line while reading client request headers", 494)
            found = self.field(self.data[begin : end or len(self.data)], whole=bool(end))
            if found is not False:
                return found if isinstance(found, Wrong) else self.check() or self.heading(end)
        return None

    def heading(self, length: int) -> Heading:
        line = self.line
        head = RequestHead(line.method, line.target, Fields(tuple(self.lines)), line.version)
        return Heading(head, length, self.host)

    def field(self, raw: bytes, *, whole: bool) -> Wrong | bool:
        """Take one line; tell whether it ended the head."""
        if not whole:
            return False if FIELD_SO_FAR.fullmatch(raw) or not raw else self.invalid_line(raw)
        raw = raw[:-1]
        if raw in (b"", b"\r"):
            return True
        found = FIELD.fullmatch(raw)
        if not found:
            return self.invalid_line(raw)
        name, value = found[1].decode("latin-1"), (found[2] or b"").decode("latin-1")
        self.lines.append((name, value))
        return self.note(name, value) if self.options(self.host).takes(name) else False

    def invalid_line(self, raw: bytes) -> Wrong:
        text = raw.rstrip(b"\r\n").decode("latin-1")
        return self.wrong(f'client sent invalid header line: "{text}" while reading client request headers')

    def note(self, name: str, value: str) -> Wrong | bool:
        """Take note of a field that nginx knows."""
        key = name.lower()
        if key == "host":
            if key in self.seen:
                return self.wrong(f'client sent duplicate host header: "{name}: {value}"')
            named = host_of(value)
            if named is None:
                return self.wrong("client sent invalid host header while reading client request headers")
            self.host = self.host or named
        elif key in _ONCE and key in self.seen:
            return self.wrong(f'client sent duplicate header line: "{name}: {value}"')
        self.seen.setdefault(key, value)
        return False

    def check(self) -> Wrong | None:
        """Check a whole head (ngx_http_process_request_header)."""
        length, coding = self.seen.get("content-length"), self.seen.get("transfer-encoding")
        number = length is None or (length.isascii() and length.isdigit() and len(length) <= _MOST_DIGITS)
        old, chunked = self.line.version == "HTTP/1.0", (coding or "").lower() == "chunked"
        found = (
            ("host" not in self.seen and not old, 400, 'client sent HTTP/1.1 request without "Host" header'),
            (not number, 400, 'client sent invalid "Content-Length" header'),
            (coding is not None and old, 400, 'client sent HTTP/1.0 request with "Transfer-Encoding" header'),
            (coding is not None and not chunked, 501, f'client sent unknown "Transfer-Encoding": "{coding}"'),
            (chunked and length is not None, 400, _BOTH),
            (self.line.method in ("CONNECT", "TRACE"), 405, f"client sent {self.line.method} method"),
        )
        return next((self.wrong(log, status) for wrong, status, log in found if wrong), None)


def lines_of(data: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Yield where each line begins and ends; the end is 0 where it has not come."""
    while True:
        end = data.find(b"\n", at) + 1
        yield at, end
        if not end:
            return
        at = end


@dataclass(slots=True)
class _Buffers:
    """The buffers that a head is read into: a small one, then large ones, each beginning with a whole line."""

    limits: Limits
    first_line: int
    begin: int = 0
    size: int = 0
    used: int = 0

    def __post_init__(self) -> None:
        self.size = self.limits.first
        if self.first_line > self.size:
            self.size, self.used = self.limits.size, 1

    def overflow(self, begin: int, end: int, *, whole: bool) -> bool:
        """Tell whether a line from `begin` to `end` finds no room."""
        while end > self.begin + self.size or (not whole and end == self.begin + self.size):
            if self.begin + self.size - begin >= self.limits.size or self.used >= self.limits.number:
                return True
            self.begin, self.size, self.used = begin, self.limits.size, self.used + 1
        return False


def host_of(value: str) -> str | None:
    """Return the host of a Host field as nginx takes it: in small letters, without its port; None where invalid.

    >>> host_of("Server.Example.COM:8080"), host_of("a..b"), host_of("a/b")
    ('server.example.com', None, None)
    """
    if ".." in value or any(char <= " " or char in "/\x7f" for char in value):
        return None
    literal = value[: value.find("]") + 1] if value.startswith("[") else ""
    host = (literal or value.partition(":")[0]).removesuffix(".")
    return host.lower() or None
