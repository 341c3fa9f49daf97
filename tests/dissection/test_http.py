from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.dissection.http import ContentPart, HeadPart, chunked_end, content_length
from labkit.wire.fields import Fields
from labkit.wire.http1 import scan
from labkit.wire.upgrade import SAMPLE_KEY

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n folded\r\n\r\n"
ANSWER = b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: no\r\n\r\n"


def head(data: bytes, role: str, other: Fields = Fields()) -> HeadPart:  # noqa: B008  Fields are frozen
    return HeadPart(scan(data), role, 0, len(data), other)


def chunks(data: bytes):
    return ContentPart("chunked", 0, len(data), data).span()


def test_head_is_lines_of_pieces():
    """A head's span has a part per line; the leaves are the pieces, each with its meaning and clause."""
    span = head(REQUEST, "request").span()
    assert (span.label, span.meaning) == ("head of the request", "GET / HTTP/1.1")
    assert [part.label for part in span.parts] == [
        "request line", "field line Host", "field line Upgrade", "folded line", "end of head",
    ]  # fmt: skip
    method = span.leaves()[0]
    assert (method.label, method.meaning, method.clause) == ("method", "what to do", "RFC 9110, 9.1")


def test_status_line_says_what_the_status_means():
    """What a status means hangs on whether an upgrade was asked for (RFC 9110, 7.8)."""
    plain = b"HTTP/1.1 200 OK\r\n\r\n"
    asked = Fields.of([("Upgrade", "websocket")])
    assert head(plain, "answer").span().parts[0].meaning == "a plain answer"
    assert head(plain, "answer", asked).span().parts[0].meaning.startswith("a plain answer: the offer was ignored")


def test_last_bytes_of_http():
    """The blank line of a 101 is the last of HTTP on the connection (RFC 9110, 15.2.2)."""
    assert "the last bytes of HTTP" in head(ANSWER, "answer").span().leaves()[-1].meaning
    assert "the head ends here" in head(REQUEST, "request").span().leaves()[-1].meaning


def test_fault_of_a_value_stands_at_the_value():
    """A wrong Accept is a fault of the field value's bytes, and of no other leaf."""
    other = Fields.of([("Sec-WebSocket-Key", SAMPLE_KEY)])
    faulty = [leaf for leaf in head(ANSWER, "answer", other).span().leaves() if leaf.fault]
    assert [(leaf.label, ANSWER[leaf.start : leaf.end]) for leaf in faulty] == [("field value", b"no")]


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (REQUEST, "GET / HTTP/1.1"),
        (ANSWER, "HTTP/1.1 101 Switching Protocols"),
        (b"\x81", "bytes that are no start-line"),
    ],
)
def test_name_of_a_head(data, name):
    """A head is called by its start-line, or by the lack of one."""
    assert head(data, "request").name == name


def test_status_that_cannot_be_read():
    """A status line with a broken code is still a status line."""
    line = head(b"HTTP/1.1 2x0 OK\r\n\r\n", "answer").span().parts[0]
    assert (line.label, line.meaning) == ("status line", "no status code that can be read")


@pytest.mark.parametrize(
    ("values", "length"),
    [
        ([], None), (["0"], 0), (["5"], 5), (["5, 5"], 5), (["5", "5"], 5), (["5", "6"], None), (["+5"], None),
        (["-5"], None), ([""], None), (["5\xb2"], None), (["\xb2"], None), (["9" * 18], int("9" * 18)), (["9" * 19], None),
    ],
)  # fmt: skip
def test_content_length(values, length):
    """Repeated equal lengths are one; different ones, or no digits, are none (RFC 9110, 8.6)."""
    assert content_length(Fields.of(("Content-Length", value) for value in values)) == length


def test_content_by_length():
    """Content that is shorter than stated says so (RFC 9112, 8)."""
    assert ContentPart("length", 0, 3, b"abc", 3).span().fault == ""
    assert ContentPart("length", 0, 3, b"abc", 5).span().fault == "Content-Length says 5 bytes, 3 came (RFC 9112, 8)"


@pytest.mark.parametrize(
    ("framing", "meaning", "clause"),
    [
        ("length", "its length is stated", "RFC 9112, 6.2"),
        ("until the end", "it ends where the connection does", "RFC 9112, 6.3"),
    ],
)
def test_content_says_how_it_is_framed(framing, meaning, clause):
    """What tells where the content ends stands beside it, with its clause."""
    part = ContentPart(framing, 2, 5, b"xxabc")
    assert (part.name, part.span().start, part.span().end) == ("content, 3 bytes", 2, 5)
    assert (part.span().meaning, part.span().clause) == (meaning, clause)


def test_chunks_have_their_framing_as_leaves():
    """Size, extension, line end, data, trailers and the last empty line are told apart (RFC 9112, 7.1)."""
    data = b'5;a="b"\r\nHello\r\n0000\r\nX: y\r\n\r\n'
    span = chunks(data)
    assert [(leaf.label, data[leaf.start : leaf.end]) for leaf in span.leaves()] == [
        ("chunk-size", b"5"), ("chunk-ext", b';a="b"'), ("line end", b"\r\n"),
        ("chunk-data", b"Hello"), ("line end", b"\r\n"),
        ("chunk-size", b"0000"), ("line end", b"\r\n"),
        ("trailer field", b"X: y\r\n"), ("end of content", b"\r\n"),
    ]  # fmt: skip
    assert [leaf.meaning for leaf in span.leaves() if leaf.label == "chunk-size"] == [
        "5 bytes follow",
        "the last chunk",
    ]
    assert span.faults() == ()


NO_SIZE = "no chunk-size, in hexadecimal, stands here (RFC 9112, 7.1)"
AFTER_SIZE = "after a chunk-size stands a chunk-ext or CR LF (RFC 9112, 7.1)"
AFTER_DATA = "no CR LF ends the chunk (RFC 9112, 7.1)"
BARE_LF = "LF alone; CR LF must stand here (RFC 9112, 7.1)"
CUT = "the bytes end before the content does (RFC 9112, 8)"


@pytest.mark.parametrize(
    ("data", "faults"),
    [
        (b"x\r\n", (NO_SIZE,)),
        (b"1\r\na\r\n\r\n", (NO_SIZE,)),
        (b"5 \r\nHello\r\n0\r\n\r\n", (AFTER_SIZE,)),
        (b"5\rHello\r\n0\r\n\r\n", (AFTER_SIZE,)),
        (b"1" * 17 + b"\r\n", (AFTER_SIZE,)),
        (b"1\r\nab0\r\n\r\n", (AFTER_DATA,)),
        (b"1\na\n0\n\n", (BARE_LF, BARE_LF, BARE_LF)),
        (b"f" * 16 + b"\r\na", (CUT,)),
    ],
)
def test_faults_of_chunks(data, faults):
    """What breaks the framing is named; from where no next chunk can be found, all the rest is one leaf."""
    span = chunks(data)
    assert span.faults() == faults
    assert span.leaves()[-1].end == chunked_end(data, 0) == len(data)


def test_chunks_cut_anywhere():
    """Cut at any byte, the content is cut short, and nothing else is wrong with it."""
    data = b"5;a\r\nHello\r\n1\r\na\r\n0\r\nX: y\r\n\r\n"
    for cut in range(1, len(data)):
        span = chunks(data[:cut])
        assert span.faults() == (CUT,)
        assert b"".join(data[leaf.start : leaf.end] for leaf in span.leaves()) == data[:cut]


@given(st.lists(st.binary(min_size=1, max_size=20), max_size=4), st.binary(max_size=5))
def test_chunks_end_where_they_end(parts, more):
    """What follows the last chunk's empty line is the next message's."""
    data = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    assert chunked_end(data + more, 0) == len(data)
    found = [data[leaf.start : leaf.end] for leaf in chunks(data).leaves() if leaf.label == "chunk-data"]
    assert found == parts


@given(st.binary(max_size=40) | st.text("0af;\r\n \t", max_size=40).map(str.encode))
def test_chunks_partition_any_bytes(data):
    """Whatever the bytes are, the leaves lie side by side up to where the content ends."""
    span = ContentPart("chunked", 0, chunked_end(data, 0), data).span()
    at = 0
    for leaf in span.leaves() if data else ():
        assert leaf.start == at < leaf.end
        at = leaf.end
    assert at == chunked_end(data, 0) <= len(data)
