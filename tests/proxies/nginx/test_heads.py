import pytest

from labkit.parties.offer import Offer
from labkit.proxies.nginx.answer_heads import NO_HEAD, read_answer
from labkit.proxies.nginx.heads import Heading, Limits, Options, Wrong, host_of, read_request
from tests.proxies.nginx.model_runs import FULL, HOST, answer, got, run, seen, site

LINE = "GET /ws/x HTTP/1.1\n"
FIELDS = HOST.replace("\r", "")


@pytest.mark.parametrize(
    ("head", "status"),
    [  # as nginx 1.22.1 answered them; 0: it passed the request on
        ("GET /ws/x HTTP/1.2\n" + FIELDS, 0),
        ("GET /ws/x HTTP/1.10\n" + FIELDS, 0),
        ("GET /ws/x HTTP/2.0\n" + FIELDS, 505),
        ("GET /ws/x HTTP/0.9\n" + FIELDS, 400),
        ("GET /ws/x HTTP/x\n" + FIELDS, 400),
        ("PRI * HTTP/2.0\n" + FIELDS, 400),
        ("get /ws/x HTTP/1.1\n" + FIELDS, 400),
        ("FOO /ws/x HTTP/1.1\n" + FIELDS, 0),
        ("GET   /ws/x   HTTP/1.1  \n" + FIELDS, 0),
        ("GET /ws/a b HTTP/1.1\n" + FIELDS, 400),
        ("\n\n" + LINE + FIELDS, 0),
        (LINE + "X: y\n", 400),
        ("GET /ws/x HTTP/1.0\nX: y\n", 0),
        (LINE + FIELDS + FIELDS, 400),
        (LINE + "Host:\n", 400),
        (LINE + "Host: a/b\n", 400),
        (LINE + "Host: a..b\n", 400),
        (LINE + "Host: a b\n", 400),
        (LINE + "Host: u@h\n", 0),
        (LINE + "Host: [::1]:80\n", 0),
        (LINE + FIELDS + "X : y\n", 400),
        (LINE + FIELDS + "X: y\n z\n", 400),
        (LINE + FIELDS + "Xyz\n", 0),
        (LINE + FIELDS + ": y\n", 400),
        (LINE + FIELDS + "X: a\0b\n", 400),
        (LINE + FIELDS + "X: a\rb\n", 400),
        (LINE + FIELDS + "X: a\x01b\n", 0),
        (LINE + FIELDS + "Content-Length: x\n", 400),
        (LINE + FIELDS + "Content-Length: +2\n", 400),
        (LINE + FIELDS + "Content-Length: 0\nContent-Length: 0\n", 400),
        (LINE + FIELDS + "Authorization: a\nAuthorization: b\n", 400),
        (LINE + FIELDS + "Transfer-Encoding: gzip\n", 501),
        (LINE + FIELDS + "Transfer-Encoding: gzip, chunked\n", 501),
        (LINE + FIELDS + "Transfer-Encoding: chunked\nContent-Length: 3\n", 400),
        ("POST /ws/x HTTP/1.0\n" + FIELDS + "Transfer-Encoding: chunked\n", 400),
        ("CONNECT a:80 HTTP/1.1\n" + FIELDS, 400),
        ("CONNECT /ws/x HTTP/1.1\n" + FIELDS, 405),
        ("TRACE /ws/x HTTP/1.1\n" + FIELDS, 405),
        ("OPTIONS * HTTP/1.1\n" + FIELDS, 400),
        ("GET ftp://x/ws/x HTTP/1.1\n" + FIELDS, 0),
        ("GET http://a..b/ws/x HTTP/1.1\n" + FIELDS, 400),
        ("GET /ws/" + "a" * 9000 + " HTTP/1.1\n" + FIELDS, 414),
        ("GET /ws/" + "a" * 8160 + " HTTP/1.1\n" + FIELDS, 0),
        (LINE + FIELDS + "X: " + "a" * 9000 + "\n", 400),
        (LINE + FIELDS + "".join(f"X-{n}: {'a' * 1000}\n" for n in range(40)), 400),
        (LINE + FIELDS + "".join(f"X-{n}: {'a' * 1000}\n" for n in range(20)), 0),
        ("\x16\x03\x01\x02\n", 400),
    ],
)
def test_what_is_read_and_what_is_refused(head, status):
    """Nginx is lenient with line ends and spaces, and strict with names, lengths and hosts."""
    trace = run(site(), head + "\n")
    assert (answer(trace).status if status else 0) == status
    assert (seen(trace) is None) == bool(status)
    if status:
        assert answer(trace).fields.get("Connection") == "close"


def test_the_first_wrong_byte_is_answered():
    """No line has to end for an answer; and half a line is none."""
    assert read_request(b"get", Limits(), lambda _: Options()).status == 400
    assert read_request(b"GE", Limits(), lambda _: Options()) is None
    assert read_request(b"GET / HTTP/1.1\r\nX Y", Limits(), lambda _: Options()).status == 400
    for part in (b"GET / HT", b"GET / HTTP/1", b"GET / HTTP/1.1\r", b"GET / HTTP/1.1\r\nHost: a\r", b"GET http:/"):
        assert read_request(part, Limits(), lambda _: Options()) is None


def test_http_0_9_has_no_head():
    """A request line without a version is answered without a head; only GET has one."""
    assert got(run(site(), "GET /ws/\n")).startswith(b"A plain page")
    assert got(run(site(), "GET /nope\n")).startswith(b"<html>")
    assert got(run(site(), "POST /ws/\n")).startswith(b"<html>\r\n<head><title>400")


def test_lines_that_end_in_lf_alone():
    """Line ends of LF alone are read, and written as CR LF."""
    trace = run(site(), Offer.of_bytes(FULL.to_bytes().replace(b"\r\n", b"\n")))
    assert answer(trace).status == 101
    assert seen(trace).fields.get("Upgrade") == "websocket"


def test_names_that_are_dropped():
    """A field with an underscore, or any other odd name, is dropped without a word, unless told otherwise."""
    odd = FULL.with_field("X_Y", "1").with_field("X(Y", "2")
    assert [name for name in ("X_Y", "X(Y") if name in seen(run(site(), odd)).fields] == []
    assert "X_Y" in seen(run(site("", "underscores_in_headers on;"), odd)).fields
    assert "X(Y" in seen(run(site("", "ignore_invalid_headers off;"), odd)).fields


def test_what_a_host_is():
    """It is taken in small letters, without its port and its last dot."""
    assert [host_of(each) for each in ("A.b:1", "[::1]:80", "a.", ".", "", "a\x7f")] == [
        "a.b",
        "[::1]",
        "a",
        None,
        None,
        None,
    ]


def test_a_head_is_kept_as_it_came():
    """The target and the fields stay as they were written, less the spaces round values."""
    found = read_request(b"GET http://A/x HTTP/1.1\r\nHost:  b  \r\nX:\ty\r\n\r\nmore", Limits(), lambda _: Options())
    assert isinstance(found, Heading)
    assert (found.head.target, found.host, found.length) == ("http://A/x", "a", 45)
    assert list(found.head.fields) == [("Host", "b"), ("X", "\ty")]


@pytest.mark.parametrize(
    ("data", "status", "said"),
    [
        (b"HTTP/1.1 101\r\n\r\n", 101, "101"),
        (b"HTTP/1.1 101 \r\n\r\n", 101, "101 "),
        (b"HTTP/1.1  200  OK  fine \r\n\r\n", 200, "200  OK  fine "),
        (b"HTTP/1.1 403.1 no\r\n\r\n", 403, "403.1 no"),
        (b"HTTP/2.0 200 OK\n\n", 200, "200 OK"),
        (b"HTTP/1.1 200 OK\r\nHTTP/1.1 200 OK\r\n\r\n", 200, "200 OK"),
    ],
)
def test_answers_that_are_read(data, status, said):
    """A status line is taken with its text as it stands; a second one is passed over."""
    head, length = read_answer(data, 4096)
    assert (head.status, head.said, length) == (status, said, len(data))


@pytest.mark.parametrize(
    "data", [b"220 mail", b"http/1.1 200", b"HTTP/0.9 2", b"HTTP/1.1 20x", b"\r\nHTTP/1.1 200", b"HTP"]
)
def test_what_is_no_answer_is_one_of_http_0_9(data):
    """Bytes that begin with no status line are all content."""
    assert read_answer(data, 4096) == (NO_HEAD, 0)


@pytest.mark.parametrize(
    "data", [b"X y: z\r\n\r\n", b"X : z\r\n\r\n", b" x\r\n\r\n", b"X: a\0b\r\n\r\n", b"X: " + b"a" * 4096]
)
def test_heads_of_answers_that_are_given_up(data):
    """A name with a space, a folded line, a NUL, or too many bytes: a 502."""
    assert isinstance(read_answer(b"HTTP/1.1 200 OK\r\n" + data, 4096), str)


def test_half_an_answer_is_none():
    """Whatever can still become an answer waits for more."""
    whole = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
    assert [read_answer(whole[:size], 4096) for size in range(1, len(whole))] == [None] * (len(whole) - 1)


def test_a_refusal_says_why():
    """What the error log would say comes with it."""
    wrong = read_request(b"GET / HTTP/1.1\r\n\r\n", Limits(), lambda _: Options())
    assert wrong == Wrong(400, 'client sent HTTP/1.1 request without "Host" header', "GET", "HTTP/1.1", "")
