import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.parties.answer import Answer
from labkit.parties.clocks import SAMPLE_DATE
from labkit.parties.party import Ending
from labkit.parties.stream import Closed
from labkit.wire.websocket import apply_mask
from tests.parties.driving import (
    BINARY,
    CLOSE,
    CONTINUATION,
    HOST,
    LINES,
    OPENING,
    PING,
    PONG,
    TEXT,
    Served,
    asked,
    closing,
    content,
    fields,
    head,
    opening,
    status,
    statuses,
)

ANSWER_101 = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


async def shout(stream):
    async for data in stream:
        await stream.send(data.upper())


async def silent(stream):
    await stream.sleep(3600)


async def broken(stream):
    await stream.receive()
    raise ValueError("this went wrong")


# HTTP without an upgrade


def test_a_plain_request_gets_the_page():
    """A request that offers nothing gets 200 and the plain page, with its length and the lab's date."""
    answer = Served(page="A page.\n").feed(head(HOST))
    assert status(answer) == 200
    assert content(answer) == b"A page.\n"
    assert fields(answer) == {
        "Date": SAMPLE_DATE,
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": "8",
    }


def test_a_connection_is_kept_alive():
    """One connection serves one request after the other (RFC 9112, 9.3)."""
    served = Served()
    assert [status(served.feed(head(HOST))) for _ in range(3)] == [200, 200, 200]
    assert served.party.ending is Ending.NOT_YET


@pytest.mark.parametrize(
    ("start", "lines"),
    [
        ("GET / HTTP/1.1", ("Connection: close",)),
        ("GET / HTTP/1.0", ()),
        ("GET / HTTP/1.0", ("Connection: keep-alive",)),
    ],
)
def test_a_connection_is_closed_where_the_client_wants_it(start, lines):
    """`close`, and HTTP/1.0, end the connection with the answer, which says so (RFC 9112, 9.6)."""
    served = Served()
    answer = served.feed(head(HOST, *lines, start=start))
    assert status(answer) == 200
    assert fields(answer)["Connection"] == "close"
    assert served.party.ending is Ending.FIN


def test_pipelined_requests_are_answered_in_order():
    """Requests that come in one read are answered one after the other (RFC 9112, 9.3.2)."""
    said = Served().feed(head(HOST) + head(HOST, start="OPTIONS * HTTP/1.1") + head(HOST, start="PUT / HTTP/1.1"))
    assert statuses(said) == [200, 204, 405]


def test_requests_may_stand_before_the_switch():
    """A switch can follow requests on the same connection, and the bytes behind it are the new protocol's."""
    said = Served().feed(head(HOST) + opening() + asked(TEXT, b"Hi"))
    assert statuses(said) == [200, 101]
    assert said.endswith(ANSWER_101 + b"\x81\x02Hi")


def test_head_gets_no_content():
    """HEAD gets the field lines of GET, and none of its content (RFC 9110, 9.3.2)."""
    answer = Served(page="A page.\n").feed(head(HOST, start="HEAD / HTTP/1.1"))
    assert status(answer) == 200
    assert fields(answer)["Content-Length"] == "8"
    assert content(answer) == b""


@pytest.mark.parametrize("after", [b"garbage\r\n\r\n", b"\xff", b"A" * 20_000, b"GET "])
def test_what_follows_a_head_request_has_its_content_again(after):
    """That HEAD gets no content is no matter of the next request on the connection."""
    served = Served()
    served.feed(head(HOST, start="HEAD / HTTP/1.1"))
    answer = served.feed(after) or served.wait(20)
    assert status(answer) >= 400
    assert len(content(answer)) == int(fields(answer)["Content-Length"]) > 0


def test_options_tells_what_is_possible():
    """OPTIONS gets the methods and, in Upgrade, the protocols (RFC 9110, 9.3.7, 7.8)."""
    answer = Served(protocols={"chat/2": shout, "websocket": shout}).feed(head(HOST, start="OPTIONS * HTTP/1.1"))
    assert status(answer) == 204
    assert fields(answer)["Allow"] == "GET, HEAD, POST, OPTIONS"
    assert fields(answer)["Upgrade"] == "chat/2, websocket"
    assert fields(answer)["Connection"] == "Upgrade"
    assert "Content-Length" not in fields(answer)


def test_a_server_without_protocols_names_none():
    """Where there is nothing to switch to there is no Upgrade field either."""
    answer = Served(protocols={}).feed(head(HOST, start="OPTIONS * HTTP/1.1"))
    assert "Upgrade" not in fields(answer)
    assert "Connection" not in fields(answer)


CONTENTS = [
    (("Content-Length: 5",), b"hello"),
    (("Transfer-Encoding: chunked",), b"2\r\nhe\r\n3;ext=1\r\nllo\r\n0\r\nTrailer: x\r\n\r\n"),
]


@pytest.mark.parametrize(("lines", "body"), CONTENTS)
def test_content_is_read_to_its_end(lines, body):
    """Content by Content-Length, and chunked, is read, and the next request found behind it (RFC 9112, 6.3)."""
    said = Served().feed(head(HOST, *lines, start="POST / HTTP/1.1") + body + head(HOST))
    assert statuses(said) == [200, 200]
    assert b"5 bytes of content were read." in said


@pytest.mark.parametrize(("lines", "body"), CONTENTS)
def test_a_switch_comes_after_the_content(lines, body):
    """An offer with content is answered when the content is complete; what follows is the new protocol's."""
    served = Served(protocols={"shout": shout})
    offer = head(HOST, "Upgrade: shout", "Connection: Upgrade", *lines, start="POST / HTTP/1.1")
    assert served.feed(offer, body[:-1]) == b""
    answer = served.feed(body[-1:] + b"more")
    assert status(answer) == 101
    assert content(answer) == b"MORE"


def test_expect_gets_100_before_the_content():
    """`Expect: 100-continue` is answered at once, so that the client sends its content (RFC 9110, 10.1.1)."""
    served = Served()
    first = served.feed(head(HOST, "Expect: 100-continue", "Content-Length: 2", start="POST / HTTP/1.1"))
    assert first == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert status(served.feed(b"hi")) == 200


def test_100_comes_before_101():
    """An offer that expects 100 gets it before the 101 (RFC 9110, 7.8: MUST)."""
    assert statuses(Served().feed(opening("Expect: 100-continue"))) == [100, 101]


def test_http_1_0_gets_no_100():
    """An HTTP/1.0 client's expectation is not met: it would not understand (RFC 9110, 10.1.1: MUST)."""
    said = Served().feed(head("Expect: 100-continue", "Content-Length: 1", start="POST / HTTP/1.0") + b"x")
    assert statuses(said) == [200]


def test_the_last_request_of_a_connection_is_told_so():
    """After `limits.requests` the answer says close, and the connection ends."""
    served = Served(requests=2)
    assert "Connection" not in fields(served.feed(head(HOST)))
    assert fields(served.feed(head(HOST)))["Connection"] == "close"
    assert served.party.ending is Ending.FIN


# declines


@pytest.mark.parametrize("option", ["close", "Close, Upgrade"])
def test_an_answer_that_says_close_closes(option):
    """Behind a refusal with `Connection: close` nothing is served, also what came with its request (RFC 9112, 9.6)."""
    served = Served(decline=Answer(403, "no", (("Connection", option),)))
    answer = served.feed(opening() + head(HOST, start="GET /admin HTTP/1.1"))
    assert status(answer) == 403
    assert fields(answer)["Connection"] == option.replace("Close", "close")
    assert answer.count(b"HTTP/1.1") == 1
    assert served.party.ending is Ending.FIN


def test_an_upgrade_can_be_required():
    """Where an upgrade is required, 426 names the protocols in Upgrade, and Upgrade in Connection (RFC 9110, 15.5.22)."""
    served = Served(require=True, protocols={"a": shout, "b/1": shout})
    answer = served.feed(head(HOST))
    assert status(answer) == 426
    assert fields(answer)["Upgrade"] == "a, b/1"
    assert fields(answer)["Connection"] == "Upgrade"
    assert content(answer) == b"only after an upgrade to a, b/1\n"
    assert status(served.feed(opening("Upgrade: a"))) == 101


REFUSED = {
    "HTTP/2's preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "HTTP/9.9": (head(HOST, start="GET / HTTP/9.9"), 505),
    "no Host": (head(), 400),
    "two Hosts": (head(HOST, HOST), 400),
    "a Host that is none": (head("Host: a b/@"), 400),
    "two framings": (head(HOST, "Content-Length: 3", "Transfer-Encoding: chunked"), 400),
    "Transfer-Encoding in HTTP/1.0": (head(HOST, "Transfer-Encoding: chunked", start="GET / HTTP/1.0"), 400),
    "another transfer coding": (head(HOST, "Transfer-Encoding: gzip, chunked"), 501),
    "an unknown expectation": (head(HOST, "Expect: wonders"), 417),
    "a method that is not allowed": (head(HOST, start="DELETE / HTTP/1.1"), 405),
    "CONNECT": (head(HOST, start="CONNECT server.example.com:80 HTTP/1.1"), 405),
    "a method that is not known": (head(HOST, start="BREW / HTTP/1.1"), 501),
    "a target that is none": (head(HOST, start="GET server HTTP/1.1"), 400),
    "a fragment": (head(HOST, start="GET /#part HTTP/1.1"), 400),
    "a backslash in a target": (head(HOST, start="GET /\\ HTTP/1.1"), 400),
    "a quote in a target": (head(HOST, start='GET /?"a" HTTP/1.1'), 400),
    "a percent sign with no digits": (head(HOST, start="GET /%zz HTTP/1.1"), 400),
    "user information in a target": (head(HOST, start="GET http://user@server.example.com/ HTTP/1.1"), 400),
    "a URL without a host": (head(HOST, start="GET http:///chat HTTP/1.1"), 400),
    "a target that is too long": (head(HOST, start=f"GET /{'a' * 20000} HTTP/1.1"), 414),
    "a target without end": (b"GET /" + b"a" * 20000, 414),
    "a method that is too long": (head(HOST, start=f"{'G' * 20000} / HTTP/1.1"), 501),
    "an asterisk for GET": (head(HOST, start="GET * HTTP/1.1"), 400),
    "content that is too long": (head(HOST, "Content-Length: 9999999"), 413),
    "a length of very many digits": (head(HOST, "Content-Length: " + "9" * 5000), 413),
    "a length in other digits": (head(HOST, "Content-Length: \xb2"), 400),
    "a negative length": (head(HOST, "Content-Length: -1"), 400),
    "two lengths": (head(HOST, "Content-Length: 1", "Content-Length: 2"), 400),
    "a chunk size that is none": (head(HOST, "Transfer-Encoding: chunked") + b"xyz\r\n", 400),
    "space before a colon": (head(HOST, "Upgrade : websocket"), 400),
    "a folded line": (head(HOST, "X: a", " b"), 400),
    "bare LF": (head(HOST).replace(b"\r\n", b"\n"), 400),
    "a control character": (head(HOST, "X: a\x01b"), 400),
    "a NUL": (head(HOST, "X: \x00"), 400),
    "no colon": (head(HOST, "nothing"), 400),
    "garbage": (bytes(range(0x80, 0xA0)) + b"\r\n\r\n", 400),
    "a TLS hello": (bytes.fromhex("16030100750100") + b"\n\r\n", 400),
    "a head that is too long": (head(HOST, "X: " + "a" * 20000), 431),
    "too many lines": (head(HOST, *["A: b"] * 10000), 431),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_request_gets_a_clear_answer(name):
    """Each fault gets its status, a reason of one line, `close`, and the end of the connection."""
    raw, expected = REFUSED[name]
    served = Served()
    answer = served.feed(raw)
    assert status(answer) == expected
    assert fields(answer)["Connection"].startswith("close")
    assert content(answer).count(b"\n") == 1
    assert content(answer).endswith(b"\n")
    assert len(content(answer)) > 10
    assert served.party.ending is Ending.FIN
    assert served.feed(opening()) == b""  # nothing after it can be trusted


HEAD = opening()


@pytest.mark.parametrize("at", range(len(HEAD)))
def test_a_half_head_gets_408_in_the_end(at):
    """A head that stops at any byte is waited for until its time is up, then gets 408; an empty one nothing."""
    served = Served()
    assert served.feed(HEAD[:at]) == b""
    later = served.wait(60)
    assert later == b"" if at == 0 else status(later) == 408


@pytest.mark.parametrize("at", range(len(HEAD)))
def test_a_half_head_and_a_fin_get_400(at):
    """A client that closes in the middle of its head is told so; one that has said nothing is let go."""
    served = Served()
    served.feed(HEAD[:at])
    later = served.eof()
    assert later == b"" if at == 0 else status(later) == 400
    assert served.party.ending is Ending.FIN


@pytest.mark.parametrize(
    ("first", "named"), [(b"\x16", "TLS handshake"), (b"\xff", "method is not a token"), (b"\x00", "byte 0")]
)
def test_what_cannot_be_a_head_is_not_waited_for(first, named):
    """The first byte alone can tell that no HTTP is spoken here: it is answered at once."""
    answer = Served().feed(first)
    assert status(answer) == 400
    assert named in content(answer).decode()


@pytest.mark.parametrize("leading", [b"\r\n", b"\r\n\r\n", b"\n"])
def test_empty_lines_before_a_request_are_skipped(leading):
    """Empty lines before the request line are no fault (RFC 9112, 2.2: SHOULD)."""
    served = Served()
    assert served.feed(*(leading[place : place + 1] for place in range(len(leading)))) == b""
    assert served.wait(5) == b""
    assert status(served.feed(head(HOST))) == 200
    assert status(served.feed(leading + head(HOST))) == 200


def test_empty_lines_alone_have_an_end():
    """A client that sends nothing but empty lines is let go when a head's time is up, without a word."""
    served = Served(head_time=5)
    said = b""
    for _ in range(10):
        said += served.feed(b"\r\n" * 10) + served.wait(1)
    assert said == b""
    assert served.party.ending is not Ending.NOT_YET


def test_a_head_may_be_as_long_as_the_limit():
    """The limit is the longest head that is read; one byte more gets 431 (RFC 6585, 5)."""
    whole = head(HOST)
    assert status(Served(head=len(whole)).feed(whole)) == 200
    assert status(Served(head=len(whole) - 1).feed(whole)) == 431


@pytest.mark.parametrize(
    "target",
    [
        "/a//b;c=1/@:",
        "/?a=/?&b=%C3%A9",
        "http://server.example.com",
        "HTTP://[::1]:80/?",
        "http://server.example.com/@",
    ],
)
def test_targets_of_every_form_are_read(target):
    """What RFC 3986 lets stand in a path, a query and a host is no fault (RFC 9112, 3.2)."""
    assert status(Served().feed(head(HOST, start=f"GET {target} HTTP/1.1"))) == 200


@pytest.mark.parametrize("target", ["/" + "a" * 15000 + "#", "http://" + "a" * 15000 + "@", "/?" + "%a" * 7000])
def test_a_long_target_takes_no_time(target):
    """A target that is long and broken is refused as quickly as any other."""
    began = time.perf_counter()
    assert status(Served().feed(head(HOST, start=f"GET {target} HTTP/1.1"))) == 400
    assert time.perf_counter() - began < 1


def test_a_long_value_of_spaces_takes_no_time():
    """A head that is long and broken is refused as quickly as any other."""
    served = Served(head=200_000)
    began = time.perf_counter()
    assert status(served.feed(head(HOST, "X:" + " " * 190_000 + "\x01"))) == 400
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize("lines", [("Content-Length: 11",), ("Transfer-Encoding: chunked",)])
def test_content_has_a_limit(lines):
    """Content beyond the limit gets 413 (RFC 9110, 15.5.14), told by its length or found when it is read."""
    served = Served(content=10)
    chunks = b"6\r\n123456\r\n5\r\n12345\r\n0\r\n\r\n"
    assert status(served.feed(head(HOST, *lines, start="POST / HTTP/1.1") + chunks)) == 413


def test_content_as_long_as_the_limit_is_read():
    """The limit is the longest content that is read."""
    assert status(Served(content=5).feed(head(HOST, "Content-Length: 5", start="POST / HTTP/1.1") + b"hello")) == 200


def test_content_that_does_not_come_gets_408():
    """Content is waited for until its time is up (RFC 9110, 15.5.9)."""
    served = Served(content_time=3)
    served.feed(head(HOST, "Content-Length: 5", start="POST / HTTP/1.1") + b"hel")
    assert served.wait(2.9) == b""
    answer = served.wait(0.2)
    assert status(answer) == 408
    assert content(answer) == b"the request was not complete in 3 s\n"


def test_a_slow_sender_gets_408_however_busy_it_is():
    """The time for a head counts from its first byte: one byte a second does not stretch it."""
    served = Served(head_time=5)
    said = b""
    for place in range(10):
        said += served.feed(HEAD[place : place + 1]) + served.wait(1)
    assert status(said) == 408


def test_the_time_for_a_head_begins_with_its_first_byte():
    """Between two requests only the idle time counts."""
    served = Served(head_time=5, idle_time=20)
    served.feed(head(HOST))
    assert served.wait(15) == b""
    assert status(served.feed(head(HOST))) == 200
    assert served.wait(30) == b""
    assert served.party.ending is not Ending.NOT_YET


def test_a_refused_connection_is_told_to_come_again():
    """503 says when to try again (RFC 9110, 15.6.4)."""
    served = Served()
    served.party.refuse(503, "too much to do")
    answer = served.settle()
    assert status(answer) == 503
    assert fields(answer)["Retry-After"] == "1"


def test_lingering_ends():
    """After its FIN the server reads on for a while, so that its answer is not lost, and then resets."""
    served = Served(close_time=2)
    served.feed(b"garbage\r\n\r\n")
    served.feed(b"more")
    assert served.party.ending is Ending.FIN
    served.wait(2.1)
    assert served.party.ending is Ending.RESET


# the switch


def test_the_switch_is_the_rfcs_own_example():
    """The RFC's key gets the RFC's answer (RFC 6455, 1.3), and a 101 carries no Date and no content."""
    assert Served().feed(opening()) == ANSWER_101


@pytest.mark.parametrize(
    ("lines", "status_code", "named"),
    [
        (LINES, 400, "no Sec-WebSocket-Key"),
        ((*LINES, OPENING[3]), 400, "no Sec-WebSocket-Version"),
        ((*OPENING[:4], "Sec-WebSocket-Version: 8"), 426, "version 13"),
        ((*OPENING[:4], OPENING[4], OPENING[4]), 426, "version 13"),
        ((*LINES, "Sec-WebSocket-Key: AAAA", OPENING[4]), 400, "16 bytes"),
        ((*LINES, "Sec-WebSocket-Key: \xe9" + "A" * 23, OPENING[4]), 400, "16 bytes"),
        ((*OPENING, OPENING[3]), 400, "2 Sec-WebSocket-Key"),
        ((*OPENING, "Sec-WebSocket-Extensions: permessage-deflate;;"), 400, ""),
    ],
)  # fmt: skip
def test_an_offer_that_is_not_right_is_declined(lines, status_code, named):
    """A broken opening handshake gets its status and the reason (RFC 6455, 4.2.1, 4.4); HTTP goes on."""
    served = Served()
    answer = served.feed(head(*lines))
    assert status(answer) == status_code
    assert named in content(answer).decode()
    assert content(answer).count(b"\n") == 1
    assert status(served.feed(head(HOST))) == 200


def test_another_version_is_told_the_right_one():
    """426 for a wrong version says which is spoken (RFC 6455, 4.4)."""
    answer = Served().feed(head(*OPENING[:4], "Sec-WebSocket-Version: 8"))
    assert fields(answer)["Sec-WebSocket-Version"] == "13"
    assert fields(answer)["Upgrade"] == "websocket"


def test_a_handshake_is_a_get():
    """Any other method is declined, and told which one is right (RFC 6455, 4.2.1)."""
    answer = Served().feed(opening(start="POST / HTTP/1.1"))
    assert status(answer) == 405
    assert fields(answer)["Allow"] == "GET"


@pytest.mark.parametrize(
    "raw",
    [
        head(HOST, *OPENING[3:], "Upgrade: websocket"),  # no Connection field
        head(HOST, *OPENING[3:], "Upgrade: websocket", "Connection: keep-alive"),
        head(HOST, *OPENING[3:], "Connection: Upgrade"),  # nothing is offered
        opening(start="GET / HTTP/1.0"),
        head(HOST, "Upgrade: h2c, TLS/1.0", "Connection: Upgrade"),
        head(HOST, *OPENING[3:], "Upgrade: websocket/13", "Connection: Upgrade"),
    ],
)
def test_an_offer_that_is_not_for_this_server_is_ignored(raw):
    """No connection option, HTTP/1.0 or an unknown protocol: the request is answered as if it offered nothing (RFC 9110, 7.8)."""
    assert status(Served().feed(raw)) == 200


def test_names_of_protocols_are_compared_without_case():
    """`WebSocket` is websocket, whoever writes it (RFC 9110, 7.8: SHOULD)."""
    served = Served(protocols={"WebSocket": shout})
    answer = served.feed(opening().replace(b"Upgrade: websocket", b"Upgrade: WEBSOCKET"), asked(TEXT, b"hi"))
    assert answer == ANSWER_101 + b"\x81\x02HI"


@pytest.mark.parametrize(("prefer", "expected"), [("client", "b"), ("server", "a")])
def test_who_chooses_among_protocols_can_be_told(prefer, expected):
    """Of several offers the client's first, or the server's first, is taken (RFC 9110, 7.8)."""
    served = Served(protocols={"a": shout, "b": shout}, prefer=prefer)
    answer = served.feed(head(HOST, "Upgrade: x, b", "Upgrade: a", "Connection: Upgrade"))
    assert status(answer) == 101
    assert fields(answer) == {"Upgrade": expected, "Connection": "Upgrade"}


@pytest.mark.parametrize(
    ("target", "expected"),
    [("/chat", 101), ("/chat?room=1", 101), ("http://server.example.com/chat", 101), ("/", 404), ("/chat/", 404),
     ("http://server.example.com", 404)],
)  # fmt: skip
def test_paths_can_be_told(target, expected):
    """What does not exist is 404, for offers too; a target may be a path or a whole URL (RFC 9112, 3.2.2)."""
    served = Served(paths=("/chat",))
    assert status(served.feed(opening(start=f"GET {target} HTTP/1.1"))) == expected
    if expected == 404:
        assert status(served.feed(head(HOST, start=f"GET {target} HTTP/1.1"))) == 404


@pytest.mark.parametrize(("asked_for", "chosen"), [("b, a", "a"), ("c", None), ("b", "b"), (None, None)])
def test_a_subprotocol_is_chosen_by_the_servers_order(asked_for, chosen):
    """The server's best among those asked for is named; where there is none, none is (RFC 6455, 4.2.2)."""
    lines = () if asked_for is None else (f"Sec-WebSocket-Protocol: {asked_for}",)
    seen = []

    async def look(stream):
        seen.append(stream.subprotocol)

    answer = Served(subprotocols=("a", "b"), protocols={"websocket": look}).feed(opening(*lines))
    assert status(answer) == 101
    assert fields(answer).get("Sec-WebSocket-Protocol") == chosen
    assert seen == [chosen]


@pytest.mark.parametrize(
    ("origin", "expected"),
    [("https://good.example", 101), ("https://evil.example", 403), ("https://good.example.evil.example", 403),
     ("null", 403), (None, 101)],
)  # fmt: skip
def test_origins_can_be_told(origin, expected):
    """A page from elsewhere is declined; a client that is no browser sends no Origin (RFC 6455, 10.2)."""
    lines = () if origin is None else (f"Origin: {origin}",)
    assert status(Served(origins=("https://good.example",)).feed(opening(*lines))) == expected
    assert status(Served().feed(opening(*lines))) == 101


def test_a_handler_is_told_what_was_asked():
    """A stream knows its request, its path and its protocol."""
    seen = []

    async def look(stream):
        seen.append((stream.path, stream.protocol, stream.request.fields.get("X-Who")))

    Served(protocols={"look/2": look}).feed(
        head(HOST, "Upgrade: look/2", "Connection: Upgrade", "X-Who: me", start="GET /here?now HTTP/1.1")
    )
    assert seen == [("/here?now", "look/2", "me")]


# after the switch


def test_messages_are_echoed():
    """Text comes back as text, bytes as bytes, fragments as one message (RFC 6455, 5.4, 5.6)."""
    served = Served()
    served.feed(opening())
    assert served.feed(asked(TEXT, "é".encode())) == b"\x81\x02\xc3\xa9"
    assert served.feed(asked(BINARY, b"\xff\x00")) == b"\x82\x02\xff\x00"
    parts = asked(TEXT, b"a\xc3", fin=False) + asked(PING, b"?") + asked(CONTINUATION, b"\xa9", fin=False)
    assert served.feed(parts + asked(CONTINUATION, b"b")) == b"\x8a\x01?" + b"\x81\x04a\xc3\xa9b"
    assert served.feed(asked(TEXT, b"")) == b"\x81\x00"


def test_a_ping_is_answered_in_its_place():
    """A Pong carries the Ping's data, and comes after the answers to what came before the Ping (RFC 6455, 5.5.2)."""
    served = Served()
    served.feed(opening())
    assert served.feed(asked(TEXT, b"1") + asked(PING, b"p") + asked(TEXT, b"2")) == b"\x81\x011\x8a\x01p\x81\x012"
    assert served.feed(asked(PONG, b"unasked")) == b""


@pytest.mark.parametrize("code", [1000, 1001, 3000, 4999, None])
def test_a_close_is_answered_with_its_code(code):
    """The closing handshake repeats the code, after all answers; the server then ends TCP first (RFC 6455, 5.5.1, 7.1.1)."""
    served = Served()
    served.feed(opening())
    payload = b"" if code is None else code.to_bytes(2, "big")
    said = served.feed(asked(TEXT, b"1") + closing(code) + asked(TEXT, b"2"))
    assert said == b"\x81\x011\x88" + bytes([len(payload)]) + payload
    assert served.party.ending is Ending.FIN


def test_a_close_may_stand_between_fragments():
    """Control frames may be interleaved with fragments, and a Close is one (RFC 6455, 5.4)."""
    served = Served()
    served.feed(opening())
    assert served.feed(asked(TEXT, b"a", fin=False) + closing()) == b"\x88\x02\x03\xe8"


BROKEN = {
    "no mask": (b"\x81\x01a", 1002),
    "an unknown opcode": (asked(3, b""), 1002),
    "an unknown control opcode": (asked(0xB, b""), 1002),
    "a reserved bit": (asked(TEXT, b"a", rsv=4), 1002),
    "a fragmented Ping": (asked(PING, b"", fin=False), 1002),
    "a Ping that is too long": (asked(PING, b"a" * 126), 1002),
    "a continuation of nothing": (asked(CONTINUATION, b"a"), 1002),
    "a new message among fragments": (asked(TEXT, b"a", fin=False) + asked(TEXT, b"b"), 1002),
    "a Close of one byte": (asked(CLOSE, b"\x03"), 1002),
    "a Close with a code that none may send": (asked(CLOSE, b"\x03\xed"), 1002),
    "a Close with a code out of range": (asked(CLOSE, b"\xff\xff"), 1002),
    "a Close reason that is not UTF-8": (asked(CLOSE, b"\x03\xe8\xff"), 1007),
    "text that is not UTF-8": (asked(TEXT, b"\xff\xfe"), 1007),
    "text that ends inside a character": (asked(TEXT, b"\xc3"), 1007),
    "a surrogate": (asked(TEXT, b"\xed\xa0\x80"), 1007),
    "text that goes wrong in its second fragment": (asked(TEXT, b"\xe2\x82", fin=False) + asked(CONTINUATION, b"\xff", fin=False), 1007),
    "a message that is too long": (asked(TEXT, b"a" * 201), 1009),
    "fragments that are too long": (asked(TEXT, b"a" * 199, fin=False) + asked(CONTINUATION, b"bc", fin=False), 1009),
    "a length that lies": (b"\x82\xff\x7f" + b"\xff" * 7 + b"\x37\xfa\x21\x3d", 1009),
    "the highest bit of a length": (b"\x82\xff\xff" + b"\xff" * 7 + b"\x37\xfa\x21\x3d", 1009),
    "too many fragments": (asked(TEXT, b"", fin=False) + asked(CONTINUATION, b"", fin=False) * 3, 1008),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_frame_fails_the_connection(name):
    """What came before is answered, then a Close says what was wrong, and nothing after it is read (RFC 6455, 7.1.7)."""
    raw, code = BROKEN[name]
    served = Served(message=200, fragments=3)
    served.feed(opening())
    said = served.feed(asked(TEXT, b"1") + raw + asked(TEXT, b"2"))
    assert said.startswith(b"\x81\x011\x88")
    assert int.from_bytes(said[5:7], "big") == code
    assert len(said) == 3 + 2 + said[4]
    assert len(said) > 7  # with a reason
    assert served.party.ending is Ending.FIN


def test_a_message_as_long_as_the_limit_is_taken():
    """The limits are the longest message and the most fragments that are taken."""
    served = Served(message=100, fragments=3)
    served.feed(opening())
    assert served.feed(asked(TEXT, b"a" * 100))[2:] == b"a" * 100
    parts = asked(TEXT, b"a" * 50, fin=False) + asked(CONTINUATION, b"", fin=False) + asked(CONTINUATION, b"b" * 50)
    assert served.feed(parts)[2:] == b"a" * 50 + b"b" * 50
    assert served.feed(asked(TEXT, b"a" * 60, fin=False) + asked(PING, b"p" * 125)) == b"\x8a\x7d" + b"p" * 125


def test_a_fin_in_mid_frame_ends_without_a_close():
    """Where the client's bytes end inside a frame, nobody is left to talk to (RFC 6455, 7.1.5: 1006)."""
    served = Served()
    served.feed(opening(), asked(TEXT, b"1") + b"\x81\x85\x37")
    assert served.eof() == b""
    assert served.party.ending is Ending.FIN


def test_a_fin_without_a_close_ends_the_handler():
    """A client that ends without a closing handshake is let go, and its handler's loop ends."""
    ended = []

    async def watch(stream):
        async for _ in stream:
            pass
        ended.append(True)

    served = Served(protocols={"websocket": watch})
    served.feed(opening())
    assert served.eof() == b""
    assert ended == [True]
    assert served.party.ending is Ending.FIN


def test_an_idle_conversation_is_closed():
    """After the idle time the server says 1001, waits for the answer, and ends."""
    served = Served(idle_time=10, close_time=2)
    served.feed(opening())
    assert served.wait(9.9) == b""
    said = served.wait(0.2)
    assert said[4:] == b"idle for 10 s"
    assert said[2:4] == (1001).to_bytes(2, "big")
    assert served.party.ending is Ending.NOT_YET
    served.wait(2)
    assert served.party.ending is Ending.FIN


def test_what_the_server_sends_is_no_idleness():
    """A server that pushes keeps its connection, also where the client only listens."""

    async def push(stream):
        for _ in range(10):
            await stream.sleep(5)
            await stream.send("tick")

    served = Served(protocols={"websocket": push}, idle_time=8)
    served.feed(opening())
    assert served.wait(49).count(b"tick") == 9


def test_a_handler_that_ends_closes():
    """When a handler returns, the conversation ends with 1000."""

    async def once(stream):
        await stream.send("bye")

    served = Served(protocols={"websocket": once})
    assert served.feed(opening()).endswith(b"\x81\x03bye\x88\x02\x03\xe8")
    assert served.party.ending is Ending.NOT_YET  # the client's Close is to come
    assert served.feed(asked(TEXT, b"unread") + closing()) == b""
    assert served.party.ending is Ending.FIN


def test_a_handler_that_fails_says_1011():
    """An error of the handler's own ends its conversation with 1011 and its text (RFC 6455, 7.4.1)."""
    served = Served(protocols={"websocket": broken})
    served.feed(opening())
    said = served.feed(asked(TEXT, b"go"))
    assert said[2:4] == (1011).to_bytes(2, "big")
    assert said[4:] == b"the handler failed: ValueError: this went wrong"
    assert isinstance(served.party.handler_error, ValueError)


@pytest.mark.parametrize("text", ["é" * 200, "\ud800", "a\nb"])
def test_the_text_of_a_failure_always_fits(text):
    """A reason has 123 bytes of UTF-8 at the most, whatever a handler's error says (RFC 6455, 5.5)."""

    async def fail(stream):
        raise ValueError(text)

    said = Served(protocols={"websocket": fail}).feed(opening())
    assert said.removeprefix(ANSWER_101)[2:4] == (1011).to_bytes(2, "big")
    assert said.removeprefix(ANSWER_101)[4:].decode().startswith("the handler failed: ValueError: ")


@pytest.mark.parametrize("handler", [lambda _: None, lambda: None, lambda stream: 1 / 0])
def test_a_handler_that_is_no_coroutine_says_1011(handler):
    """What cannot be awaited fails its own conversation, and no more."""
    said = Served(protocols={"websocket": handler}).feed(opening())
    assert said.removeprefix(ANSWER_101)[2:4] == (1011).to_bytes(2, "big")


def test_a_close_waits_for_the_messages_before_it():
    """A Close is answered as soon as the handler has taken every message before it, and not sooner."""
    late = []

    async def slow(stream):
        async for message in stream:
            try:
                await stream.sleep(5)
                await stream.send(message)
            except Closed as error:
                late.append(str(error))

    served = Served(protocols={"websocket": slow})
    served.feed(opening())
    assert served.feed(asked(TEXT, b"1") + asked(TEXT, b"2") + closing()) == b""
    assert served.wait(4.9) == b""
    assert served.wait(6) == b"\x81\x011\x88\x02\x03\xe8"
    assert late == ["nobody is left to sleep for: the conversation is over"]


def test_a_close_does_not_wait_for_a_handler_that_never_reads():
    """Messages that nobody takes are dropped after a while, and the Close is answered."""
    served = Served(protocols={"websocket": silent})
    served.feed(opening())
    assert served.feed(asked(TEXT, b"1") + closing()) == b""
    assert served.wait(11) == b"\x88\x02\x03\xe8"
    assert served.party.ending is Ending.FIN


def test_a_server_that_stops_says_goodbye():
    """Stopping sends 1001 to whoever is connected (RFC 6455, 7.4.1)."""
    served = Served()
    served.feed(opening())
    served.party.shut()
    assert served.settle()[2:4] == (1001).to_bytes(2, "big")


# compression


def deflated(text: bytes) -> bytes:
    return b"\0" + len(text).to_bytes(2, "little") + (len(text) ^ 0xFFFF).to_bytes(2, "little") + text + b"\0"


def test_stored_compression_is_the_same_everywhere():
    """`stored` agrees to permessage-deflate and sends the RFC's own stored block (RFC 7692, 7.2.3.3)."""
    served = Served()
    answer = served.feed(opening("Sec-WebSocket-Extensions: permessage-deflate"))
    assert fields(answer)["Sec-WebSocket-Extensions"] == "permessage-deflate"
    said = served.feed(asked(TEXT, bytes.fromhex("f2 48 cd c9 c9 07 00"), rsv=4))  # 7.2.3.1
    assert said.hex(" ") == "c1 0b 00 05 00 fa ff 48 65 6c 6c 6f 00"


def test_zlib_compression_is_smaller():
    """`zlib` compresses."""
    served = Served(deflate="zlib")
    served.feed(opening("Sec-WebSocket-Extensions: permessage-deflate"))
    assert len(served.feed(asked(TEXT, deflated(b"a" * 1000), rsv=4))) < 30


def test_compression_can_be_off():
    """`off` does not take the offer; a compressed frame is then a fault (RFC 7692, 6)."""
    served = Served(deflate="off")
    answer = served.feed(opening("Sec-WebSocket-Extensions: permessage-deflate"))
    assert "Sec-WebSocket-Extensions" not in fields(answer)
    assert served.feed(asked(TEXT, deflated(b"a"), rsv=4))[2:4] == (1002).to_bytes(2, "big")


def test_a_message_that_inflates_too_far_is_refused():
    """The limit of a message counts what it inflates to (RFC 7692, 8, on bombs)."""
    served = Served(message=1000)
    served.feed(opening("Sec-WebSocket-Extensions: permessage-deflate"))
    assert served.feed(asked(TEXT, deflated(b"a" * 1000), rsv=4)).count(b"a") == 1000
    assert served.feed(asked(TEXT, deflated(b"a" * 1001), rsv=4))[2:4] == (1009).to_bytes(2, "big")


def test_bytes_that_do_not_inflate_are_refused():
    """A compressed message that is none fails the connection (RFC 7692, 7.2.2)."""
    served = Served()
    served.feed(opening("Sec-WebSocket-Extensions: permessage-deflate"))
    assert served.feed(asked(TEXT, b"\xff\xff\xff", rsv=4))[2:4] == (1002).to_bytes(2, "big")


def test_few_bytes_do_not_fill_the_memory():
    """Compressed messages are inflated no faster than the handler takes them."""
    import zlib

    packer = zlib.compressobj(9, wbits=-15)
    bomb = asked(BINARY, (packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4], rsv=4)
    bomb_again = asked(BINARY, (packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4], rsv=4)
    served = Served(protocols={"websocket": silent})
    served.feed(opening("Sec-WebSocket-Extensions: permessage-deflate"))
    served.feed(bomb + bomb_again * 200 + closing())
    assert served.party.full
    assert served.party._after._waiting < 8 << 20


def test_what_was_held_back_comes_in_the_end():
    """Compressed messages that had to wait for the handler all reach it, and the Close after them."""
    import zlib

    taken = []

    async def count(stream):
        await stream.sleep(1)
        taken.extend([len(message) async for message in stream])

    served = Served(protocols={"websocket": count})
    served.feed(opening("Sec-WebSocket-Extensions: permessage-deflate"))
    many = b""
    for _ in range(40):
        packer = zlib.compressobj(9, wbits=-15)
        many += asked(BINARY, (packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4], rsv=4)
    served.feed(many + closing())
    served.eof()
    assert served.wait(2) == b"\x88\x02\x03\xe8"
    assert taken == [1 << 20] * 40


# other protocols


def test_a_protocol_of_ones_own_is_a_few_lines():
    """A registered handler speaks plain bytes after the switch, both ways, until either side ends."""
    served = Served(protocols={"shout": shout})
    offer = head(HOST, "Upgrade: shout", "Connection: Upgrade")
    assert content(served.feed(offer + b"early")) == b"EARLY"
    assert served.feed(b"\x81\x02hi") == b"\x81\x02HI"
    assert served.eof() == b""
    assert served.party.ending is Ending.FIN


def test_a_handler_of_bytes_that_fails_just_ends():
    """Plain bytes have no close code: the connection ends, and the error is kept."""
    served = Served(protocols={"x": broken})
    served.feed(head(HOST, "Upgrade: x", "Connection: Upgrade"))
    assert served.feed(b"go") == b""
    assert served.party.ending is Ending.FIN
    assert isinstance(served.party.handler_error, ValueError)


# the same bytes, whatever the reads


STREAMS = {
    **{name: raw for name, (raw, _) in REFUSED.items() if len(raw) < 5000},
    **{name: opening() + asked(TEXT, b"1") + raw + asked(TEXT, b"2") for name, (raw, _) in BROKEN.items()},
    "plain": head(HOST) * 3,
    "leading lines": b"\r\n\r\n" + head(HOST),
    "contents": head(HOST, "Content-Length: 5", start="POST / HTTP/1.1") + b"hello" + head(HOST, *CONTENTS[1][0]) + CONTENTS[1][1] + head(HOST),
    "expect": opening("Expect: 100-continue"),
    "early frames": head(HOST) + opening() + asked(TEXT, b"1") * 5 + asked(PING, b"p") + closing(4000, "end"),
    "close in mid-message": opening() + asked(TEXT, b"1", fin=False) + closing() + asked(CONTINUATION, b"2"),
    "compressed": opening("Sec-WebSocket-Extensions: permessage-deflate") + asked(TEXT, deflated(b"Hello"), rsv=4) * 3 + closing(),
    "a bad chunk after a good one": head(HOST, "Transfer-Encoding: chunked") + b"1\r\na\r\n1\r\nbc\r\n",
    "nothing": b"",
}  # fmt: skip


def outcome(*pieces: bytes) -> tuple[bytes, Ending]:
    served = Served(message=200, fragments=3)
    served.feed(*pieces)
    served.eof()
    return served.said, served.party.ending


@pytest.mark.parametrize("name", STREAMS)
def test_bytes_one_at_a_time_get_the_same_answer(name):
    """How reads fall is chance: whole or byte by byte, the server says the same."""
    raw = STREAMS[name]
    assert outcome(*(raw[place : place + 1] for place in range(len(raw)))) == outcome(raw)


@given(st.data())
def test_any_cuts_get_the_same_answer(data):
    """Wherever the reads fall, the server says the same."""
    raw = STREAMS[data.draw(st.sampled_from(sorted(STREAMS)))]
    cuts = sorted(data.draw(st.sets(st.integers(0, len(raw)), max_size=6)))
    pieces = [raw[start:end] for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    assert outcome(*pieces) == outcome(raw)


TOKENS = [
    b"GET / HTTP/1.1\r\n", b"Host: a\r\n", b"Upgrade: websocket\r\n", b"Connection: Upgrade\r\n", b"\r\n", b"\n", b"\r",
    b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"3\r\nabc\r\n0\r\n\r\n", b"Expect: 100-continue\r\n",
    HEAD, asked(TEXT, b"hi"), asked(PING, b""), closing(), b"\x81\xfe\xff\xff", b" ", b":", b"\x00", b"\xff",
]  # fmt: skip


@given(st.lists(st.one_of(st.sampled_from(TOKENS), st.binary(max_size=20)), max_size=12))
def test_no_bytes_break_the_party(pieces):
    """Whatever comes, the party answers or waits; it never raises, and it always ends in bounded time."""
    served = Served()
    served.feed(*pieces)
    served.eof()
    served.wait(200)
    assert served.party.ending is not Ending.NOT_YET


def test_masked_frames_are_what_the_helper_says():
    """The frames of these tests carry the RFC's masking key (RFC 6455, 5.7)."""
    assert asked(TEXT, b"Hello")[2:] == bytes.fromhex("37fa213d") + apply_mask(b"Hello", bytes.fromhex("37fa213d"))


@pytest.mark.parametrize(
    ("coding", "wanted"),
    [("gzip", 400), ("chunked, gzip", 400), ("chunked, chunked", 400), ("gzip, chunked", 501)],
)
def test_a_transfer_coding_that_cannot_be_framed_is_refused(coding, wanted):
    """Where chunked is not the last coding the server must answer 400 (RFC 9112, 6.3); else 501 (6.1)."""
    assert status(Served().feed(head(HOST, f"Transfer-Encoding: {coding}"))) == wanted


def test_the_plain_page_may_be_an_answer_of_its_own():
    """A page of HTML, say, with its own field lines; what its status asks for is added (RFC 9110, 7.8)."""
    page = Answer(200, "<p>hello</p>", (("Content-Type", "text/html"),))
    said = Served(page=page).feed(head(HOST))
    assert fields(said)["Content-Type"] == "text/html"
    assert content(said) == b"<p>hello</p>\n"
    said = Served(page=Answer(426, "upgrade, please")).feed(head(HOST))
    assert (status(said), fields(said)["Upgrade"]) == (426, "websocket")
