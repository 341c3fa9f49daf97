from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.proxies.content import chunk, content_of_answer, content_of_request, declared
from labkit.wire.fields import Fields
from labkit.wire.http1 import RequestHead, ResponseHead

CHUNKED = Fields.of([("Transfer-Encoding", "chunked")])


def length(size) -> Fields:
    return Fields.of([("content-length", str(size))])


def fed(content, data, cuts):
    """Feed data in pieces; return the content, and what came behind it."""
    edges = sorted({0, *(cut for cut in cuts if cut < len(data)), len(data)})
    found = left = b""
    for start, stop in pairwise(edges):
        if content.over:
            left += data[start:stop]
        else:
            found += content.feed(data[start:stop])
            left += content.left
    return found, left


cuts = st.lists(st.integers(0, 120), max_size=6)
parts = st.lists(st.binary(min_size=1, max_size=20), max_size=4)


@given(parts=parts, rest=st.binary(max_size=9), cuts=cuts, trailer=st.sampled_from([b"", b"A: b\r\n", b"A: b\r\nC: d\r\n"]))  # fmt: skip
def test_chunks_may_fall_anyhow(parts, rest, cuts, trailer):
    """However reads fall, chunks give the same content, and what is behind the last one is left."""
    data = b"".join(chunk(part) for part in parts) + b"0\r\n" + trailer + b"\r\n" + rest
    for content in (
        content_of_request(RequestHead("POST", "/", CHUNKED)),
        content_of_answer("GET", ResponseHead(200, "", CHUNKED)),
    ):
        assert fed(content, data, cuts) == (b"".join(parts), rest)
        assert content.over


@given(body=st.binary(max_size=60), rest=st.binary(max_size=9), cuts=cuts)
def test_a_length_may_fall_anyhow(body, rest, cuts):
    """However reads fall, so many bytes are the content, and the others are left."""
    for content in (
        content_of_request(RequestHead("POST", "/", length(len(body)))),
        content_of_answer("GET", ResponseHead(200, "", length(len(body)))),
    ):
        assert fed(content, body + rest, cuts) == (body, rest)
        assert content.over


@given(data=st.binary(max_size=60), cuts=cuts)
def test_garbage_is_told_and_nothing_raises(data, cuts):
    """Whatever comes as chunks is content, or broken in one way however reads fall."""
    whole, pieces = (content_of_answer("GET", ResponseHead(200, "", CHUNKED)) for _ in range(2))
    one, other = fed(whole, data, []), fed(pieces, data, cuts)
    for content in (whole, pieces):
        content.end()
        assert content.over or content.broken
    assert whole.over == pieces.over
    if whole.over:
        assert one == other


def test_a_request_without_framing_has_no_content():
    """A request that announces none is over with its head (RFC 9112, 6.3)."""
    assert content_of_request(RequestHead("POST", "/")).over


def test_an_answer_without_framing_ends_with_its_direction():
    """Content without a length goes on to the FIN, which ends it well."""
    content = content_of_answer("GET", ResponseHead(200))
    assert content.feed(b"any") + content.feed(b"thing") == b"anything"
    assert not content.over
    content.end()
    assert content.over
    assert not content.broken


@pytest.mark.parametrize("fields", [length(5), CHUNKED])
def test_content_that_is_cut_short_is_broken(fields):
    """A FIN before the end breaks what has a length, and chunks; then no more is read."""
    content = content_of_answer("GET", ResponseHead(200, "", fields))
    content.feed(b"3\r\n")
    content.end()
    assert content.broken
    assert not content.over
    assert content.feed(b"more") == b""


@pytest.mark.parametrize(
    ("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304), ("GET", 101), ("GET", 100), ("HEAD", 404)]
)
@pytest.mark.parametrize("fields", [length(5), CHUNKED, Fields()])
def test_some_answers_never_have_content(method, status, fields):
    """HEAD, 1xx, 204 and 304 are over with their heads, whatever these say (RFC 9112, 6.3)."""
    content = content_of_answer(method, ResponseHead(status, "", fields))
    assert content.over
    assert content.left == b""


@pytest.mark.parametrize("status", [200, 299, 426, 599, 600, 999])
def test_every_other_status_may_have_content(status):
    """Statuses that nobody knows are framed like all others."""
    content = content_of_answer("GET", ResponseHead(status, "", length(2)))
    assert content.feed(b"hi") == b"hi"
    assert content.over


BAD = ["five", "-1", "5, 6", "", "9" * 5000, "\x00", "²"]


@pytest.mark.parametrize("value", BAD)
def test_a_length_that_is_none_is_broken_from_the_start(value):
    """A length that cannot be read is told before any content comes, and declares nothing."""
    assert content_of_request(RequestHead("POST", "/", length(value))).broken
    assert content_of_answer("GET", ResponseHead(200, "", length(value))).broken
    assert declared(length(value)) == 0


def test_a_length_that_is_declared():
    """The length is that of the field, in whatever letters its name is written; without one it is 0."""
    assert declared(length(1 << 40)) == 1 << 40
    assert declared(Fields()) == 0
