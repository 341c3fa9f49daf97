from __future__ import annotations

import pytest

from labkit.dissection import dissect
from labkit.render.headline import description, ends, headline, missing, seam_text
from labkit.trace import Cut, End, Gap, Hop, How, Trace, Transfer
from tests.render.exchanges import ANSWER, ASK, BAD_KEY, PLAIN, REPLY, REQUEST, REQUIRED, declined, echo, talk

EMPTY = b"Content-Length: 0\r\n\r\n"


def answered(status: str, request: bytes = REQUEST) -> Trace:
    return Trace(tuple(talk(request, f"HTTP/1.1 {status}\r\n".encode() + EMPTY)))


def unanswered(*ends_: End) -> Trace:
    return Trace((Transfer(0, ASK, REQUEST), *ends_))


@pytest.mark.parametrize(
    ("trace", "words"),
    [
        (echo(b"Hello"), "Switched to websocket (101)"),
        (declined(REQUIRED), "Declined: upgrade required (426)"),
        (declined(BAD_KEY), "Declined: refused (400)"),
        (answered("200 OK"), "Declined: ignored (200)"),
        (answered("301 Moved Permanently"), "Declined: redirected (301)"),
        (answered("503 Service Unavailable"), "Declined: refused (503)"),
        (answered("200 OK", PLAIN), "No upgrade was offered (200)"),
        (Trace(tuple(talk(PLAIN, ANSWER))), "Switched to websocket (101), though nobody had asked"),
        (unanswered(End(0, REPLY, How.FIN)), "No answer: the connection was closed"),
        (unanswered(End(0, REPLY, How.RESET)), "No answer: the connection was broken off"),
        (unanswered(End(0, REPLY, How.ABANDONED)), "No answer: none had come when the recording stopped"),
        (unanswered(), "No answer: none is recorded"),
        (Trace(tuple(talk(REQUEST, b"220 mail.example ESMTP\r\n"))), "No answer: bytes that are no HTTP came back"),
        (Trace(tuple(talk(b"\x16\x03\x01\x02\x00", b""))), "No HTTP/1.1: TLS records"),
        (Trace(), "Nothing crossed"),
        (Trace(tuple(talk(REQUEST * 2, REQUIRED + ANSWER))), "Switched to websocket (101)"),
    ],
)
def test_the_title_states_how_the_offer_ended(trace, words):
    """Each end of step 3 has its words (RFC 9110, 7.8)."""
    assert headline(dissect(trace)) == words


def test_the_seam_says_what_ends():
    """HTTP/2 is still HTTP, so an h2c seam ends HTTP/1.1 only."""
    assert seam_text(dissect(echo()).hops[0]) == "from here on: websocket — the bytes are no longer HTTP"
    h2c = [part.replace(b"websocket", b"h2c") for part in (REQUEST, ANSWER)]
    assert seam_text(dissect(Trace(tuple(talk(*h2c)))).hops[0]).endswith("no longer HTTP/1.1")
    tunnel = talk(b"CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n")
    assert "a tunnel" in seam_text(dissect(Trace(tuple(tunnel))).hops[0])


@pytest.mark.parametrize(
    ("marks", "words"),
    [
        ([(REPLY, How.FIN), (ASK, How.FIN)], "server closed first (FIN), then client (FIN)"),
        ([(ASK, How.FIN), (REPLY, How.FIN)], "client closed first (FIN), then server (FIN)"),
        ([(ASK, How.FIN), (REPLY, How.RESET)], "client closed first (FIN), then server broke off (RST)"),
        ([(ASK, How.RESET)], "client broke off (RST)"),
        ([(REPLY, How.FIN)], "server closed (FIN)"),
        ([(ASK, How.ABANDONED), (REPLY, How.FIN)],
         "server closed (FIN), then client still open when the recording stopped"),
        ([(ASK, How.ABANDONED), (REPLY, How.ABANDONED)], "still open when the recording stopped"),
        ([], ""),
    ],
)  # fmt: skip
def test_ends_are_told_in_the_order_of_the_recording(marks, words):
    """Recorded order decides which end came first, and nothing else is read from it."""
    trace = Trace(tuple(End(0, way, how) for way, how in marks))
    assert ends(dissect(trace), 0) == words


def test_what_is_missing_is_said_with_its_receiver():
    """A cut is the recording limit, a gap is the capture's; an unknown length is named as such."""
    trace = Trace((Cut(0, ASK, 1234), Gap(0, REPLY, 5), Gap(0, REPLY, None)))
    assert missing(dissect(trace)) == [
        (0, "the recording limit was reached: 1,234 bytes to the server are not shown"),
        (0, "the capture misses 5 bytes to the client"),
        (0, "the capture misses an unknown number of bytes to the client"),
    ]


def test_many_missing_places_are_counted():
    """Five are told on a hop; of more the first three, and how much the others miss together."""
    assert len(missing(dissect(Trace((Gap(0, REPLY, 5),) * 5)))) == 5
    hops = (Hop("client", "proxy"), Hop("proxy", "server"))
    found = missing(dissect(Trace((*[Gap(0, REPLY, 5)] * 5000, Cut(1, ASK, 7)), hops)))
    assert [hop for hop, _ in found] == [0, 0, 0, 1, 0]
    assert found[-1][1] == "and 4,997 more places where bytes are missing, 24,985 bytes together"
    unknown = missing(dissect(Trace((*[Cut(0, REPLY, 5)] * 5, Gap(0, REPLY)))))
    assert unknown[-1][1] == "and 3 more places where bytes are missing, at least 10 bytes together"


def test_the_description_says_it_in_sentences():
    """Who asks for what, what the answer is, how it ends."""
    assert description(dissect(echo(b"Hello"))) == (
        "The client asks the server, with GET /chat, to switch to websocket. The answer is 101 Switching Protocols; "
        "from there on the connection speaks websocket, 2 frames from the client and 2 frames from the server. "
        "Server closed first (FIN), then client (FIN)."
    )
    assert "no switch, so steps 4 and 5 are not reached" in description(dissect(declined(BAD_KEY)))
    over = Trace(tuple(talk(REQUEST, ANSWER)), (Hop("client", "proxy"), Hop("proxy", "server")))
    assert "asks the server, through proxy, with" in description(dissect(over))
    assert description(dissect(Trace())) == "A sequence diagram. Nothing crossed."
