import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.parties.conversation import MOST_WAITING
from labkit.proxies.answers import Answers
from labkit.proxies.content import chunk
from labkit.proxies.model import Framing, Relay, Trouble, Turn
from labkit.wire.fields import Fields
from labkit.wire.http1 import ResponseHead
from tests.parties.driving import head
from tests.proxies.plain import Plain

CHUNKED = ResponseHead(200, "OK", Fields.of([("Transfer-Encoding", "chunked")]))


def begun(top=CHUNKED, framing=Framing.CHUNKED, **more):
    answers = Answers(Plain(""))
    answers.buffer += top.to_bytes()
    answers.begin_content("GET", answers.read_head(), Relay(Turn.FINAL, b"head ", framing, **more))
    return answers


@given(parts=st.lists(st.binary(min_size=1, max_size=9), max_size=4), size=st.integers(1, 30))
def test_chunks_are_made_anew(parts, size):
    """However chunks come, they go on as chunks of the same content, with one last chunk."""
    data = b"".join(map(chunk, parts)) + chunk(b"")
    answers, said = begun(), b""
    for at in range(0, len(data), size):
        answers.buffer += data[at : at + size]
        said += answers.read_content()
    assert answers.over
    assert answers.clean
    again = begun()
    again.buffer += said
    assert again.read_content() == (chunk(b"".join(parts)) if parts else b"") + chunk(b"")


@pytest.mark.parametrize(("framing", "said"), [(Framing.LENGTH, b"abc"), (Framing.CLOSE, b"abc"), (Framing.NONE, b"")])
def test_content_is_framed_as_the_model_says(framing, said):
    """Chunks go on without their lines, or not at all."""
    answers = begun(framing=framing)
    answers.buffer += b"3\r\nabc\r\n0\r\n\r\nmore"
    assert answers.read_content() == said
    assert answers.over
    assert not answers.clean


@pytest.mark.parametrize(("top", "last"), [(ResponseHead(200), chunk(b"")), (CHUNKED, b"")])
def test_the_end_of_a_direction(top, last):
    """It ends content without a length, and the client hears so; it breaks chunks, and nobody says that they are whole."""
    answers = begun(top)
    assert answers.end() == last
    assert answers.over is not answers.broken


def test_the_head_waits_for_the_content():
    """Where it is held, it goes with the whole content, or as soon as there is more content than that."""
    answers = begun(held=4)
    assert (answers.released(b"abc"), answers.released(b"d"), answers.released(b"e")) == (b"", b"head abcd", b"e")
    assert begun().released(b"") == b"head "
    ended = begun(ResponseHead(200), Framing.LENGTH, held=4)
    ended.buffer += b"ab"
    assert ended.released(ended.read_content()) == b""
    assert ended.released(ended.end()) == b"head ab"


def test_a_silent_upstream_loses_what_waits():
    """The head goes, and what came in chunks."""
    for top, gone in ((CHUNKED, b"head ab"), (ResponseHead(200), b"head ")):
        answers = begun(top, held=9)
        answers.released(b"ab")
        assert answers.silent() == gone


def test_content_that_cannot_be_read_loses_what_waits():
    """A chunk that is none takes the head with it."""
    answers = begun(held=9)
    answers.buffer += b"zz\r\n"
    assert answers.released(answers.read_content()) == b""
    assert answers.broken


def test_a_model_reads_lengths_in_its_own_way():
    """Where two lengths differ, say, it says which one counts."""
    two = ResponseHead(200, "", Fields.of([("Content-Length", "9"), ("Content-Length", "2")]))
    answers = begun(two, Framing.LENGTH, reads=ResponseHead(200, "", Fields.of([("Content-Length", "2")])))
    answers.buffer += b"hi"
    assert (answers.read_content(), answers.over) == (b"hi", True)


def test_heads_are_read_one_by_one():
    """Each head is found once, what is none is garbage, and so is one that does not end."""
    answers = Answers(Plain(""))
    assert answers.read_head() is None
    answers.buffer += head(start="HTTP/1.1 100 Continue") + head(start="HTTP/1.1 200 OK") + b"HT"
    assert [answers.read_head().status, answers.read_head().status] == [100, 200]
    assert answers.read_head() is None
    answers.buffer += b"!"
    assert answers.read_head() is Trouble.GARBAGE
    answers.buffer[:] = b"HTTP/1.1 200 OK\r\nX: " + b"y" * MOST_WAITING
    assert answers.read_head() is Trouble.GARBAGE


def test_content_ends_where_the_program_finds_its_end():
    """A program that reads the fields in its own way gives the head by which the content ends."""
    answers = Answers(Plain(""))
    answers.buffer += b"hello, and more"
    reads = ResponseHead(200, "", Fields.of([("Content-Length", "5")]))
    answers.begin_content("GET", CHUNKED, Relay(Turn.FINAL, framing=Framing.LENGTH, reads=reads))
    assert answers.read_content() == b"hello"
    assert answers.over


@pytest.mark.parametrize(("reads", "said"), [(None, b"head3\r\nabc\r\n"), (ResponseHead(200), b"head")])
def test_silence_lets_go_the_head_and_whole_chunks(reads, said):
    """Content that waits goes with the head where it came in chunks; any other is lost."""
    answers = Answers(Plain(""))
    answers.begin_content("GET", CHUNKED, Relay(Turn.FINAL, b"head", Framing.CHUNKED, held=99, reads=reads))
    answers.buffer += b"abc" if reads else b"3\r\nabc\r\n"
    assert answers.released(answers.read_content()) == b""
    assert answers.silent() == said
    assert answers.let_go() == b""
