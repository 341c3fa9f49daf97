"""Which heads httpd 2.4.71 reads, and which it refuses: of requests (HttpProtocolOptions Strict) and of answers."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple

from labkit.proxies.apache.settings import Settings
from labkit.proxies.model import Trouble
from labkit.wire.fields import Fields
from labkit.wire.http1 import Fault, RequestHead, ResponseHead, head_length, scan
from labkit.wire.lines import Line

__all__ = ["REQUESTS", "Wrong", "read_answer", "read_request", "stopped"]

_LIMIT = 8190
_BLANK_LINES = 10
_EMPTY = re.compile(rb"(?:\r\n)*")
_SIMPLE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([!-\xff]+)\r\n")
_TARGET = re.compile(r"[!-~\x80-\xff]+")
_VERSION = re.compile(r"HTTP/[1-9]\.[0-9]")
_LENGTH = re.compile("[0-9]{1,18}")
_NAMED = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?")
_PORT = re.compile(r":([1-9][0-9]{0,4})$")

REQUESTS: dict[Fault, str] = {
    Fault.BARE_LF: "AP_GETLINE_CRLF in read_request_line and ap_get_mime_headers_core",
    Fault.BARE_CR: "AH02427: Request header value is malformed",
    Fault.BAD_METHOD: "AH03445: Invalid method token",
    Fault.MORE_SPACE: "AH03448: Excess whitespace (disallowed by HttpProtocolOptions Strict)",
    Fault.BAD_START: "AH02418: Unrecognized protocol, or AH03446: Missing URI",
    Fault.NO_COLON: "AH02426: Request header field name is malformed",
    Fault.SPACE_BEFORE_COLON: "AH02426: Request header field name is malformed",
    Fault.SPACE_FIRST: "AH03442: Line folding encountered before first header line",
    Fault.BAD_NAME: "AH02426: Request header field name is malformed",
    Fault.BAD_VALUE: "AH02427: Request header value is malformed",
}
"""What httpd answers with 400, and where its source or its log says so; the other faults it takes."""


class Wrong(NamedTuple):
    """A head that is answered at once.

    Args:
        status: of the answer.
        log: what the error log says.
        notes: what the page adds.
        head: as far as it can be read.
        closes: whether the answer says so; the connection is closed in any case.
        bare: whether the answer has no Content-Length.
    """

    status: int
    log: str = ""
    notes: str = ""
    head: RequestHead = RequestHead("GET", "/")
    closes: bool = True
    bare: bool = False


def read_request(data: bytes, settings: Settings) -> tuple[RequestHead, int] | Wrong | None:
    r"""Read the request head that `data` begins with: it and its length, the refusal, or None for more.

    >>> read_request(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", Settings())[1]
    27
    """
    begun = _EMPTY.match(data)
    start = begun.end() if begun else 0
    line = data.find(b"\n", start)
    if refused := _begins(data, start, line, settings.number("LimitRequestLine", _LIMIT)):
        return refused
    if line < 0:
        return None
    if (simple := _SIMPLE.fullmatch(data, start, line + 1)) and b"HTTP/" not in simple[2][:5]:
        return _oldest(simple, line + 1)
    length = head_length(data, start)
    found = scan(data[: length if length is not None else data.rfind(b"\n") + 1], start)
    refused = _fault(found.lines, settings) or _request_line(found.value)
    if refused or length is None or not isinstance(found.value, RequestHead):
        return refused
    head = RequestHead(found.value.method, found.value.target, _joined(found.value.fields), found.value.version)
    return _checked(head) or (head, length)


def _begins(data: bytes, start: int, line: int, most: int) -> Wrong | None:
    """Refuse what cannot begin a request: too many empty lines, one that ends in LF alone, a line too long."""
    if start > 2 * _BLANK_LINES or data.startswith(b"\n", start):
        return Wrong(400, REQUESTS[Fault.BARE_LF])
    if (line if line >= 0 else len(data)) - start > most + 1:
        return Wrong(414, f"AH00565: request failed: client's request-line exceeds LimitRequestLine ({most})")
    return None


def _oldest(simple: re.Match[bytes], end: int) -> tuple[RequestHead, int] | Wrong:
    """Read a request of HTTP/0.9, which httpd still answers, without a head: a line and no more."""
    method, target = simple[1].decode("latin-1"), simple[2].decode("latin-1")
    if method != "GET" or not target.startswith("/"):
        return Wrong(400, "AH03444: Invalid method token (only GET is allowed for HTTP/0.9 requests)")
    return RequestHead(method, target, version="HTTP/0.9"), end


def _fault(lines: tuple[Line, ...], settings: Settings) -> Wrong | None:
    most = settings.number("LimitRequestFields", 100)
    longest = settings.number("LimitRequestFieldSize", _LIMIT)
    fields = 0
    for line in lines:
        for piece in line.pieces:
            if piece.fault in REQUESTS:
                return Wrong(400, REQUESTS[piece.fault])
        fields += bool(line.name)
        if line.folded and not line.value:
            return Wrong(400, "AH03443: Empty folded line encountered")
        if line.name and line.pieces[-1].end - line.pieces[0].start > longest + 2:
            return Wrong(
                400, f"AH00561: Request header exceeds LimitRequestFieldSize: {line.name}",
                "Size of a request header field exceeds server limit.",
            )  # fmt: skip
    if most and fields > most:
        return Wrong(
            400, "AH00563: Number of request headers exceeds LimitRequestFields",
            "The number of request header fields exceeds this server's limit.",
        )  # fmt: skip
    return None


def _request_line(value: RequestHead | ResponseHead | None) -> Wrong | None:
    if not isinstance(value, RequestHead) or not _TARGET.fullmatch(value.target):
        return Wrong(400, "AH03454: URI incorrectly encoded" if value else REQUESTS[Fault.BAD_START])
    if not _VERSION.fullmatch(value.version):
        return Wrong(400, f"AH02418: HTTP Request Line; Unrecognized protocol '{value.version}'")
    target, method = value.target, value.method
    if method == "CONNECT":
        fits = re.fullmatch(r"(\[[^\]/]*\]|[^:/]+):[0-9]+", target)
    else:
        fits = re.fullmatch(r"/.*|[Hh][Tt][Tt][Pp]://[^/?#].*", target, re.DOTALL)
    if (not fits and (method, target) != ("OPTIONS", "*")) or "#" in target or _user(target):
        return Wrong(400, f"AH03450: HTTP Request Line; Unable to parse URI: '{target}'", head=value)
    return None


def _user(target: str) -> bool:
    return not target.startswith("/") and "@" in target.partition("://")[2].partition("/")[0]


def _joined(fields: Fields) -> Fields:
    """Join the lines of one name into the first of them, as `apr_table_compress` does."""
    found: dict[str, tuple[str, str]] = {}
    for name, value in fields:
        key = name.lower()
        found[key] = (found[key][0], f"{found[key][1]}, {value}") if key in found else (name, value)
    return Fields(tuple(found.values()))


def _checked(head: RequestHead) -> Wrong | None:
    """Look at what httpd looks at once all lines are read, in its order."""
    length, coding = head.fields.get("Content-Length"), head.fields.get("Transfer-Encoding")
    if length is not None and not _LENGTH.fullmatch(length):
        return Wrong(400, f"AH10242: client sent invalid Content-Length ({length})", head=head)
    if coding is not None and coding.lower().rpartition(",")[2].strip() != "chunked":
        return Wrong(400, f"AH02539: client sent unknown Transfer-Encoding ({coding})", head=head)
    host = head.fields.get("Host")
    if host is not None and not _is_host(host):
        return Wrong(400, f"AH00550: Client sent malformed Host header: {host}", head=head)
    if not host and head.version != "HTTP/1.0" and (host is None or head.target.startswith("/")):
        return Wrong(400, "AH00569: client sent HTTP/1.1 request without hostname", head=head)
    expect = head.fields.get("Expect")
    if expect and expect.lower() != "100-continue":
        log = f"AH00570: client sent an unrecognized expectation value of Expect: {expect}"
        return Wrong(417, log, head=head, closes=False)
    return None


def _is_host(text: str) -> bool:
    """Tell whether a Host field is one for `fix_hostname`, in strict mode."""
    found = _PORT.search(text)
    name = text[: found.start()] if found else text
    if not name:
        return not text
    if found and int(found[1]) > 65535:
        return False
    if name.startswith("["):
        return _is_address(name[1:-1], 6) and name.endswith("]")
    dotted = name.rstrip(".").replace(".", "")
    return bool(_NAMED.fullmatch(name)) and (not dotted.isdecimal() or _is_address(name.rstrip("."), 4))


def _is_address(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False


# answers of a backend


def read_answer(data: bytes) -> tuple[ResponseHead, int] | Trouble | None:
    r"""Read the answer's head that `data` begins with, as mod_proxy_http does.

    A line that is no status line makes it an answer of HTTP/0.9: all that comes is content, and the line is kept
    in the place of a reason phrase. A field name keeps white space before its colon: httpd takes it for part of it.

    >>> read_answer(b"220 mail\r\n")
    (ResponseHead(status=200, reason='220 mail', fields=Fields(lines=()), version='HTTP/0.9'), 10)
    """
    start = next((len(end) for end in (b"\r\n", b"\n") if data.startswith(end)), 0)
    line = data.find(b"\n", start)
    if line < 0:
        return Trouble.GARBAGE if len(data) > _LIMIT else None
    first = data[start:line].removesuffix(b"\r")
    if not first or b"\0" in first:
        return Trouble.CLOSED
    if not re.match(rb"HTTP/[0-9]\.[0-9] [0-9]{3}", first):
        return ResponseHead(200, first.decode("latin-1"), version="HTTP/0.9"), line + 1
    if not first.startswith(b"HTTP/1."):
        return ResponseHead(502, first.decode("latin-1"), version=first[:8].decode()), line + 1
    return _fields_of_answer(data, start, line + 1, first.decode("latin-1"))


def _fields_of_answer(data: bytes, start: int, begin: int, first: str) -> tuple[ResponseHead, int] | Trouble | None:
    blank = next((begin + len(end) for end in (b"\r\n", b"\n") if data.startswith(end, begin)), None)
    length = blank if blank is not None else head_length(data, start)
    end = length if length is not None else data.rfind(b"\n") + 1
    lines = scan(b"HTTP/1.1 200 OK\r\n" + data[begin:end]).lines[1:]
    if any(map(_breaks, lines)) or b"\0" in data[begin:end]:
        return Trouble.GARBAGE
    if length is None:
        return None
    fields: list[tuple[str, str]] = []
    for one in lines:
        if one.folded and fields:
            fields[-1] = (fields[-1][0], f"{fields[-1][1]} {one.value}".rstrip())
        elif one.name:
            spaced = any(piece.fault is Fault.SPACE_BEFORE_COLON for piece in one.pieces)
            fields.append((one.name + " " * spaced, one.value))
    return ResponseHead(int(first[9:12]), first[13:], Fields(tuple(fields)), first[:8]), length


def _breaks(line: Line) -> bool:
    """Tell whether a line ends the reading: it has no colon (AH01106), or it is too long."""
    size = line.pieces[-1].end - line.pieces[0].start if line.pieces else 0
    return size > _LIMIT or any(piece.fault is Fault.NO_COLON for piece in line.pieces)


def stopped(data: bytes, trouble: Trouble) -> Trouble:
    """Tell what it is when a backend stops in the middle of a head: behind the status line, a broken one."""
    first = data.lstrip(b"\r\n")
    return Trouble.GARBAGE if b"\n" in first else trouble
