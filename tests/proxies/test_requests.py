from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from labkit.proxies.model import Own, Request
from labkit.proxies.requests import Requests
from labkit.wire.http1 import ResponseHead
from tests.parties.driving import HOST, head
from tests.proxies.plain import Plain

CHUNKS = head(HOST, "Transfer-Encoding: chunked", start="POST /b HTTP/1.1") + b"3\r\nabc\r\n0\r\n\r\n"
LENGTH = head(HOST, "Content-Length: 2", start="POST /c HTTP/1.1") + b"hi"
GET = head(HOST, start="GET /a HTTP/1.1")


def read(requests, *pieces):
    found = []
    for piece in pieces:
        requests.buffer += piece
        while (one := requests.read()) is not None:
            found.append(one)
            if isinstance(one, Own):
                return found
    return found


@given(st.lists(st.sampled_from([GET, CHUNKS, LENGTH]), max_size=4), st.lists(st.integers(0, 400), max_size=5))
def test_requests_may_fall_anyhow(asked, cuts):
    """However reads fall, the same requests are found, numbered, and nothing is left."""
    data = b"".join(asked)
    edges = sorted({0, *(cut for cut in cuts if cut < len(data)), len(data)})
    requests = Requests(Plain(""))
    found = read(requests, *(data[start:stop] for start, stop in pairwise(edges)))
    wanted = {GET: ("/a", b""), CHUNKS: ("/b", b"abc"), LENGTH: ("/c", b"hi")}
    assert [(each.head.target, each.content) for each in found] == [wanted[each] for each in asked]
    assert [each.number for each in found] == list(range(1, len(asked) + 1))
    assert requests.waiting == ""


def test_what_is_waited_for_has_a_name():
    """It is a head from its first byte, content from the end of the head, and nothing in between."""
    requests = Requests(Plain(""))
    assert requests.waiting == ""
    assert read(requests, LENGTH[:9]) == []
    assert requests.waiting == "head"
    assert read(requests, LENGTH[9:-1]) == []
    assert requests.waiting == "content"
    assert isinstance(read(requests, LENGTH[-1:])[0], Request)
    assert requests.waiting == ""


def test_a_100_is_found_before_the_content():
    """Whoever waits for a 100 gets it when the head is read, and the request follows with its content."""
    asked = head(HOST, "Expect: 100-Continue", "Content-Length: 2") + b"hi"
    first, second = read(Requests(Plain("")), asked)
    assert isinstance(first, ResponseHead)
    assert second.content == b"hi"


def test_the_rest_is_taken_once():
    """What came behind the last request is given away, and forgotten."""
    requests = Requests(Plain(""))
    read(requests, GET + b"\x81")
    assert (requests.take_rest(), requests.take_rest()) == (b"\x81", b"")


def test_a_long_head_is_found_in_all_that_came():
    """A head that is longer than most is read as any other."""
    requests = Requests(Plain(""))
    [found] = read(requests, head(HOST, "X: " + "y" * 50_000) + GET[:9])
    assert len(found.head.fields.get("X")) == 50_000
    assert requests.buffer == GET[:9]


class Hasty(Plain):
    """A plain model that answers some requests before their content has come."""

    def answers_at_once(self, head):
        return head.target == "/c"


def test_content_of_what_is_answered_at_once_is_dropped():
    """The request is there without its content, which is read before the next one."""
    requests = Requests(Hasty(""))
    (found,) = read(requests, LENGTH[:-2])
    assert (found.head.target, found.content, requests.unread) == ("/c", b"", True)
    assert read(requests, b"h") == []
    (found,) = read(requests, b"i" + GET)
    assert (found.head.target, found.number, requests.unread) == ("/a", 2, False)


def test_content_that_breaks_behind_an_answer():
    """Nothing is said of it any more: the client is left."""
    requests = Requests(Hasty(""))
    broken = head(HOST, "Transfer-Encoding: chunked", start="POST /c HTTP/1.1")
    found = read(requests, broken, b"zz\r\n")
    assert [type(each) for each in found] == [Request, Own]
