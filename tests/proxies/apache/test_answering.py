from __future__ import annotations

import pytest

from labkit.parties.offer import Offer
from labkit.trace import Direction
from tests.proxies.apache.through import FULL, HTTP, UPGRADE, raw, through

# Measured on 2.4.71: methods on a path that no backend has.
METHODS = [
    ("GET", 404),
    ("POST", 404),
    ("OPTIONS", 200),
    ("TRACE", 200),
    ("PUT", 405),
    ("DELETE", 405),
    ("FOO", 501),
    ("get", 501),
]


@pytest.mark.parametrize(("method", "status"), METHODS)
def test_a_path_without_a_backend(method, status):
    """There is no content, so nothing is found."""
    assert through(UPGRADE, raw("/nope", "Host: a", method=method), modules=HTTP).statuses == (status,)


def test_trace_can_be_switched_off():
    """Debian's own configuration does so."""
    off = f"TraceEnable Off\n{UPGRADE}"
    came = through(off, raw("/nope", "Host: a", method="TRACE"), modules=HTTP)
    assert (came.statuses, came.fields["allow"]) == ((405,), "")
    assert through(off, raw("/ws/x", "Host: a", method="TRACE"), modules=HTTP).statuses == (405,)
    assert "TRACE" not in through(off, raw("/nope", "Host: a", method="OPTIONS"), modules=HTTP).fields["allow"]


def test_trace_gives_the_request_back():
    """As it came."""
    came = through(UPGRADE, raw("/nope", "Host: a", "X: 1", method="TRACE"), modules=HTTP)
    assert came.fields["content-type"] == "message/http"
    assert b"27\r\nTRACE /nope HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n\r\n" in came.trace.stream(Direction.TO_CLIENT)


@pytest.mark.parametrize(
    ("lines", "method", "status"),
    [
        (("Max-Forwards: 0",), "GET", 400),
        (("Max-Forwards: x",), "GET", 400),
        (("Max-Forwards: 0",), "OPTIONS", 200),
        (("Max-Forwards: 0",), "TRACE", 200),
    ],
)
def test_a_request_may_go_no_further(lines, method, status):
    """RFC 9110, 7.6.2."""
    came = through(UPGRADE, raw("/ws/x", "Host: a", *lines, method=method), modules=HTTP)
    assert (came.statuses, came.seen) == ((status,), ())


def test_options_and_connect_of_the_server_are_answered_here():
    """A reverse proxy knows no CONNECT."""
    assert through(UPGRADE, Offer.tls(), modules=HTTP).statuses == (200,)
    assert through(UPGRADE, raw("a:80", "Host: a", method="CONNECT"), modules=HTTP).statuses == (405,)


# Measured: what Connection and Keep-Alive say, and whether the connection is kept.
KEPT = [
    ((), "HTTP/1.1", "", None, None),
    (("Connection: keep-alive",), "HTTP/1.1", "", "Keep-Alive", "timeout=5, max=100"),
    (("Connection: close",), "HTTP/1.1", "", "close", None),
    ((), "HTTP/1.0", "", "close", None),
    ((), "HTTP/1.1", "KeepAlive Off", "close", None),
    (("Connection: keep-alive",), "HTTP/1.1", "KeepAliveTimeout 2\nMaxKeepAliveRequests 0", "Keep-Alive", "timeout=2"),
]


@pytest.mark.parametrize(("own", "version", "lines", "connection", "keep_alive"), KEPT)
def test_what_is_said_of_the_connection(own, version, lines, connection, keep_alive):
    """The same for Apache's own answers and for those that it passes on."""
    for target in ("/ws/x", "/nope"):
        came = through(f"{lines}\n{UPGRADE}", raw(target, "Host: a", *own, version=version), modules=HTTP)
        assert (came.fields.get("connection"), came.fields.get("keep-alive")) == (connection, keep_alive)


def test_header_always_is_of_its_own_answers_too():
    """Header alone is not; and neither is of a 101."""
    text = f"Header always set X always\nHeader set Y set\n{UPGRADE}"
    found = through(text, raw("/nope", "Host: a"), modules=HTTP).fields
    assert (found.get("x"), found.get("y")) == ("always", None)
    found = through(text, raw("/ws/x", "Host: a"), modules=HTTP).fields
    assert (found.get("x"), found.get("y")) == ("always", "set")
    found = through(text, FULL, modules=HTTP).fields
    assert (found.get("x"), found.get("y")) == (None, None)


def test_a_request_of_http_0_9_gets_no_head():
    """Only the page."""
    data = through(UPGRADE, Offer.of_bytes(b"GET /nope\r\n"), modules=HTTP).trace.stream(Direction.TO_CLIENT)
    assert data.startswith(b"<!DOCTYPE HTML")


@pytest.mark.parametrize("data", [b"GET /ws", b"", b"\r\n"])
def test_what_has_no_request_line_gets_no_answer(data):
    """The connection is closed."""
    assert through(UPGRADE, Offer.of_bytes(data), modules=HTTP).trace.stream(Direction.TO_CLIENT) == b""


def test_half_a_request_is_400():
    """Where the client closes in its middle."""
    for data in (
        b"GET /ws/x HTTP/1.1\r\nHost: a\r\n",
        b"POST /ws/x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhello",
    ):
        assert through(UPGRADE, Offer.of_bytes(data), modules=HTTP).statuses == (400,)


def test_a_client_that_is_too_slow_is_told_so():
    """408 behind a request line; nothing before it."""
    slow = f"Timeout 1\n{UPGRADE}"
    assert through(slow, Offer.of_bytes(b"GET /ws/x HTTP/1.1\r\n"), modules=HTTP).statuses == (408,)
    assert through(slow, Offer.of_bytes(b"GET /ws"), modules=HTTP).statuses == ()
