from __future__ import annotations

import pytest

from labkit.proxies.apache.heads import Wrong, read_answer, read_request, stopped
from labkit.proxies.apache.settings import Settings
from labkit.proxies.directive import Directive
from labkit.proxies.model import Trouble

LINE = b"GET /ws/x HTTP/1.1\r\n"
HOST = b"Host: server.example.com\r\n"
# Measured on 2.4.71: what a request head is answered with; 0 where it is taken.
REQUESTS = [
    (LINE + HOST, 0),
    (b"GET /ws/x HTTP/1.1\nHost: a\n", 400),
    (b"\r\n\r\n" + LINE + HOST, 0),
    (b"\n" + LINE + HOST, 400),
    (LINE + b"Host : a\r\n", 400),
    (LINE, 400),
    (b"GET /ws/x HTTP/1.0\r\n", 0),
    (b"GET  /ws/x HTTP/1.1\r\n" + HOST, 400),
    (b"GET /ws/x HTTP/2.0\r\n" + HOST, 0),
    (b"GET /ws/x HTTP/1.10\r\n" + HOST, 400),
    (b"GET /ws/x HTTP/0.9\r\n" + HOST, 400),
    (b"GET /ws/x http/1.1\r\n" + HOST, 400),
    (b"get /ws/x HTTP/1.1\r\n" + HOST, 0),
    (b"G(T /ws/x HTTP/1.1\r\n" + HOST, 400),
    (b"GET /ws/\xe9 HTTP/1.1\r\n" + HOST, 0),
    (b"GET ws/x HTTP/1.1\r\n" + HOST, 400),
    (b"GET http://other.example/ws/x HTTP/1.1\r\n" + HOST, 0),
    (b"GET ws://other.example/ws/x HTTP/1.1\r\n" + HOST, 400),
    (b"GET * HTTP/1.1\r\n" + HOST, 400),
    (b"OPTIONS * HTTP/1.1\r\n" + HOST, 0),
    (b"CONNECT a:80 HTTP/1.1\r\n" + HOST, 0),
    (b"CONNECT /ws/x HTTP/1.1\r\n" + HOST, 400),
    (b"GET /ws/x#f HTTP/1.1\r\n" + HOST, 400),
    (LINE + HOST + HOST, 400),
    (LINE + b"Host: a b\r\n", 400),
    (LINE + b"Host:\r\n", 400),
    (LINE + b"Host: 12\r\n", 400),
    (LINE + b"Host: 1.2.3\r\n", 400),
    (LINE + b"Host: a..b\r\n", 400),
    (LINE + b"Host: a:b\r\n", 400),
    (LINE + b"Host: a:99999\r\n", 400),
    (LINE + b"Host: a_b:99\r\n", 0),
    (LINE + b"Host: [::1]:9\r\n", 0),
    (LINE + HOST + b"X: a\r\n b\r\n", 0),
    (LINE + b" X: a\r\n" + HOST, 400),
    (LINE + HOST + b"X\r\n", 400),
    (LINE + HOST + b"X: \x01\r\n", 400),
    (LINE + HOST + b"X(: y\r\n", 400),
    (LINE + HOST + b"Expect: foo\r\n", 417),
    (LINE + HOST + b"Content-Length: 5, 5\r\n", 400),
    (LINE + HOST + b"Content-Length: x\r\n", 400),
    (LINE + HOST + b"Transfer-Encoding: gzip\r\n", 400),
    (b"GET /" + b"x" * 8200 + b" HTTP/1.1\r\n" + HOST, 414),
    (LINE + HOST + b"X: " + b"x" * 8200 + b"\r\n", 400),
    (LINE + HOST + b"X: 1\r\n" * 101, 400),
]


@pytest.mark.parametrize(("head", "status"), REQUESTS)
def test_a_request_is_read_or_refused_as_measured(head, status):
    """HttpProtocolOptions Strict, the default."""
    found = read_request(head + b"\r\n", Settings())
    assert found is not None
    assert (found.status if isinstance(found, Wrong) else 0) == status


@pytest.mark.parametrize("cut", range(0, len(LINE + HOST) + 1, 7))
def test_more_is_waited_for(cut):
    """A head that goes on well is not answered before its end."""
    assert read_request((LINE + HOST)[:cut], Settings()) is None


def test_lines_of_one_name_are_joined_into_the_first():
    """A folded line is joined by a space."""
    head, _ = read_request(LINE + HOST + b"X: 1\r\nY: a\r\n b\r\nx: 2\r\n\r\n", Settings())
    assert list(head.fields)[1:] == [("X", "1, 2"), ("Y", "a b")]


def test_a_request_of_http_0_9_is_a_line():
    """Nothing behind it is read."""
    head, length = read_request(b"GET /ws/x\r\nHost: a\r\n\r\n", Settings())
    assert (head.version, length) == ("HTTP/0.9", 11)


def test_limits_can_be_set():
    """By the directives of the main server."""
    limited = Settings.of([Directive("LimitRequestLine", ("20",)), Directive("LimitRequestFields", ("1",))])
    assert read_request(b"GET /ws/x/y/z HTTP/1.1\r\n", limited).status == 414
    assert read_request(LINE + HOST + b"X: 1\r\n\r\n", limited).status == 400


# Measured: the status of an answer as mod_proxy_http reads it, or what is wrong with it; None where it waits for more.
ANSWERS = [
    (b"HTTP/1.1 200 OK\r\nX: a\r\n\r\n", 200),
    (b"HTTP/1.1 200 OK\nX: a\n\n", 200),
    (b"HTTP/1.1 200\r\n\r\n", 200),
    (b"\r\nHTTP/1.1 200 OK\r\n\r\n", 200),
    (b"\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", Trouble.CLOSED),
    (b"HTTP/1.1 200 OK\r\nbogus\r\n\r\n", Trouble.GARBAGE),
    (b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n", Trouble.GARBAGE),
    (b"HTTP/2.0 200 OK\r\n", 502),
    (b"220 mail\r\n", 200),
    (b"220 mail", None),
    (b"HTTP/1.1 200 OK\r\nX: a\r\n", None),
]


@pytest.mark.parametrize(("data", "expected"), ANSWERS)
def test_an_answer_is_read_as_measured(data, expected):
    """More is taken than the grammar has."""
    found = read_answer(data)
    assert (found[0].status if isinstance(found, tuple) else found) == expected


def test_white_space_before_a_colon_stays_in_the_name():
    """It is then no name, and the answer becomes a 500."""
    head, _ = read_answer(b"HTTP/1.1 200 OK\r\nX : a\r\n b\r\n\r\n")
    assert list(head.fields) == [("X ", "a b")]


def test_where_a_backend_stops_tells_what_it_is():
    """Behind the status line it is a broken head."""
    assert stopped(b"HTTP/1.1 2", Trouble.CLOSED) is Trouble.CLOSED
    assert stopped(b"HTTP/1.1 200 OK\r\nX", Trouble.CLOSED) is Trouble.GARBAGE
