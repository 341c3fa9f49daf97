"""How a server reads a request's head: strictly by the grammar, then by the table HEAD_TESTS.

HEAD_TESTS are made of every request, before its content is read. All of a head that can be sent is
looked at here; what an offer asks for is for `decide`.
"""

from __future__ import annotations

import re
import string

from labkit.parties.answer import ALLOW, Answer
from labkit.parties.described import Server
from labkit.parties.testing import Made, Test, first, lines
from labkit.wire.fields import Fields
from labkit.wire.http1 import TOKEN, Fault, RequestHead, head_length, scan
from labkit.wire.uri import ABSOLUTE, HOST, ORIGIN

__all__ = ["HEAD_TESTS", "check_head", "cut_head", "empty_lines", "read_head"]

_VISIBLE = rb"[!-~\x80-\xff]"  # RFC 9110, 5.5
# A head as the grammar has it; everything else is looked at piece by piece, to name what is wrong. The
# possessive `*+` gives nothing back: a value of spaces alone would take quadratic time to be refused.
_WELL_FORMED = re.compile(
    rb"%s [!-~]+ HTTP/[0-9]\.[0-9]\r\n(?:%s:[ \t]*+(?:%s(?:[\t -~\x80-\xff]*%s)?)?[ \t]*\r\n)*+\r\n"
    % (TOKEN, TOKEN, _VISIBLE, _VISIBLE)
)
_EMPTY_LINES = re.compile(rb"(?:\r\n|\n)+")
_FIRST = frozenset(b"!#$%&'*+-.^_`|~\r" + string.digits.encode() + string.ascii_letters.encode())
_TLS = 0x16  # the first byte of a TLS record that holds a handshake (RFC 8446, 5.1)


def empty_lines(data: bytes | bytearray) -> int:
    """Return the length of the empty lines before a request line; a server skips them (RFC 9112, 2.2)."""
    found = _EMPTY_LINES.match(data)
    return found.end() if found else 0


def cut_head(data: bytes | bytearray, limit: int) -> bytes | Answer | None:
    """Return the bytes of the head that `data`, of at least one byte, begins with.

    Args:
        data: what has come.
        limit: the most bytes of a head.

    Returns:
        The bytes up to the blank line and with it; the answer to what can be no head; None where more must come.
    """
    if data[0] not in _FIRST:  # no head can begin so, and its end may never come
        tls = "this is a TLS handshake, and plain HTTP is spoken here"
        return Answer(400, tls if data[0] == _TLS else f"byte 0 of the head: {Fault.BAD_METHOD}")
    begun = bytes(data[:limit])
    length = head_length(begun)
    if length is None:
        return _too_long(begun) if len(data) > limit else None
    return begun[:length]


def read_head(raw: bytes) -> RequestHead | Answer:
    """Read a head, given its bytes; return the answer to one that breaks the grammar."""
    return _malformed(raw) or _parse(raw)


def _too_long(begun: bytes) -> Answer:
    """Tell which part of a head is too long: the method, the request-target, or all of it (RFC 9112, 3)."""
    limit = len(begun)
    if b"\n" in begun:
        return Answer(431, f"the head is at most {limit} bytes long here")
    if b" " in begun:
        return Answer(414, f"the request line, with all of the head, is at most {limit} bytes long here")
    return Answer(501, "this method is longer than any that is known here")


def _parse(raw: bytes) -> RequestHead:
    """Read a head that is known to be well-formed; quicker than the scan that keeps every byte."""
    first, *lines = raw[:-4].decode("latin-1").split("\r\n")
    method, target, version = first.split(" ")
    pairs = (line.partition(":") for line in lines)
    return RequestHead(method, target, Fields(tuple((n, v.strip(" \t")) for n, _, v in pairs)), version)


def _malformed(raw: bytes) -> Answer | None:
    """Tell what breaks the grammar of a head, as the answer to it; None where nothing does."""
    if _WELL_FORMED.fullmatch(raw):
        return None
    faults = scan(raw).faults
    return Answer(400, f"byte {faults[0][0]} of the head: {faults[0][1]}" if faults else "this is no HTTP/1.1 request")


_METHODS = {"GET", "HEAD", "POST", "OPTIONS"}
_KNOWN = {*_METHODS, "PUT", "DELETE", "PATCH", "TRACE", "CONNECT"}


def _version(_: Server, head: RequestHead) -> Answer | None:
    if not head.version.startswith("HTTP/1."):
        return Answer(505, f"{head.version} is not spoken here; HTTP/1.1 is")
    return None


def _host(_: Server, head: RequestHead) -> Answer | None:
    hosts = head.fields.all("Host")
    if len(hosts) > 1:
        return Answer(400, f"{len(hosts)} Host field lines; there must be one")
    if not hosts:
        return None if head.version == "HTTP/1.0" else Answer(400, "no Host field line; there must be one")
    if not HOST.fullmatch(hosts[0]):
        return Answer(400, "the Host field is not a host and a port")
    return None


def _framing(_: Server, head: RequestHead) -> Answer | None:
    codings = [coding.lower() for coding in head.fields.elements("Transfer-Encoding")]
    if not codings:
        return None
    if head.version == "HTTP/1.0":
        return Answer(400, "Transfer-Encoding in HTTP/1.0, which does not know it")
    if "Content-Length" in head.fields:
        return Answer(400, "both Transfer-Encoding and Content-Length: the content could be read in two ways")
    if codings[-1] != "chunked" or codings.count("chunked") > 1:
        return Answer(400, "chunked must be the last transfer coding, and only once: else the end is unclear")
    return None if len(codings) == 1 else Answer(501, "a transfer coding other than chunked")


def _expect(_: Server, head: RequestHead) -> Answer | None:
    wanted = [element.lower() for element in head.fields.elements("Expect")]
    return Answer(417, "the only expectation known here is 100-continue") if set(wanted) - {"100-continue"} else None


def _method(_: Server, head: RequestHead) -> Answer | None:
    if head.method in _METHODS:
        return None
    if head.method in _KNOWN:
        return Answer(405, f"{head.method} is not allowed here", (ALLOW,))
    return Answer(501, "this method is not known here")


def _target(_: Server, head: RequestHead) -> Answer | None:
    if head.target == "*":
        return None if head.method == "OPTIONS" else Answer(400, "the target * is for OPTIONS alone")
    if ORIGIN.fullmatch(head.target) or ABSOLUTE.fullmatch(head.target):
        return None
    return Answer(400, "the request-target is neither a path nor a URL, both less any fragment, and in ASCII")


def _length(server: Server, head: RequestHead) -> Answer | None:
    values = head.fields.elements("Content-Length")
    digits = values[0].lstrip("0") if values and values[0].isdecimal() else ""
    if len(digits) > 18 or int(digits or "0") > server.limits.content:
        return Answer(413, f"the content is at most {server.limits.content} bytes long here")
    return None


HEAD_TESTS: tuple[Test, ...] = (
    Test("the version is HTTP/1.x", "RFC 9110, 15.6.6", _version, lambda _, head: head.version),
    Test("there is one Host, and it is a host", "RFC 9112, 3.2", _host, lines("Host")),
    Test(
        "the content is framed in one way",
        "RFC 9112, 6.1", _framing, lines("Transfer-Encoding", "Content-Length"),
    ),
    Test("the expectation is known", "RFC 9110, 10.1.1", _expect, lines("Expect")),
    Test("the method is known and allowed", "RFC 9110, 9.1", _method, lambda _, head: head.method),
    Test(
        "the request-target has a form that the method knows",
        "RFC 9112, 3.2", _target, lambda _, head: head.target,
    ),
    Test("the content is not too long", "RFC 9110, 15.5.14", _length, lines("Content-Length")),
)  # fmt: skip


def check_head(server: Server, head: RequestHead, made: Made | None = None) -> Answer | None:
    """Make the tests of every request; return the answer to one that fails, or None.

    Args:
        server: what the server is told to be.
        head: the request's head.
        made: takes every test that is made, with its result.
    """
    result = first(HEAD_TESTS, server, head, made)
    return result if isinstance(result, Answer) else None
