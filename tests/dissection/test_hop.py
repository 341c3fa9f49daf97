from __future__ import annotations

import pytest

from labkit.dissection import ContentPart, FramesPart, HeadPart, Http2Part, OpaquePart
from labkit.dissection.hop import HopView, dissect_hop
from labkit.trace import Direction
from labkit.wire.websocket import CLOSE, SAMPLE_MASK, TEXT, frame

UP, DOWN = Direction.TO_SERVER, Direction.TO_CLIENT

GET = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
OFFER = b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
ASK = frame(TEXT, b"Hello", mask=SAMPLE_MASK)
SAY = frame(TEXT, b"Hello")


def offer(protocol: str) -> bytes:
    return OFFER.replace(b"websocket", protocol.encode())


def switch(protocol: str) -> bytes:
    return SWITCH.replace(b"websocket", protocol.encode())


def status(code: int, *lines: str, content: str = "") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {code:03} Words", *lines, "", content]).encode()


def told(view: HopView, way: Direction) -> list[str]:
    """Return a word for each part of a direction, and how long it is."""
    words = []
    for part in view.parts[way]:
        match part:
            case HeadPart():
                words.append(f"{part.role} {part.value.start_line if part.value else '?'}")
            case ContentPart():
                words.append(f"content {part.framing} {part.end - part.start}")
            case FramesPart():
                words.append(f"frames {len(part.frames)}")
            case Http2Part():
                words.append(f"HTTP/2 {part.end - part.start}")
            case OpaquePart():
                words.append(f"{part.label} {part.end - part.start}")
    return words


def outcomes(view: HopView) -> list[str]:
    return [exchange.outcome for exchange in view.exchanges]


def test_pipelined_requests_get_their_answers_in_order():
    """Answers come in the order of the requests (RFC 9112, 9.3.2)."""
    view = dissect_hop(0, GET + GET.replace(b"/a", b"/b") + OFFER, OK + status(204) + SWITCH)
    pairs = [(exchange.request.value.target, exchange.status) for exchange in view.exchanges]
    assert pairs == [("/a", 200), ("/b", 204), ("/ws", 101)]
    assert outcomes(view) == ["plain", "plain", "switched"]
    assert [exchange.request.other.get("Upgrade") for exchange in view.exchanges] == [None, None, "websocket"]


@pytest.mark.parametrize(
    ("request_", "answer", "parts"),
    [
        (GET, OK + OK, ["content length 2", "answer HTTP/1.1 200 OK", "content length 2"]),
        (GET.replace(b"GET", b"HEAD"), status(200, "Content-Length: 9") + OK, ["answer HTTP/1.1 200 OK", "content length 2"]),
        (GET, status(204, "Content-Length: 9") + OK, ["answer HTTP/1.1 200 OK", "content length 2"]),
        (GET, status(304, "Transfer-Encoding: chunked") + OK, ["answer HTTP/1.1 200 OK", "content length 2"]),
        (GET, status(200, "Content-Length: 0") + OK, ["answer HTTP/1.1 200 OK", "content length 2"]),
        (GET, status(200, "Transfer-Encoding: chunked", content="1\r\na\r\n0\r\n\r\n") + OK,
         ["content chunked 11", "answer HTTP/1.1 200 OK", "content length 2"]),
        (GET, status(200, "Transfer-Encoding: gzip, Chunked", "Content-Length: 1", content="0\r\n\r\n") + OK,
         ["content chunked 5", "answer HTTP/1.1 200 OK", "content length 2"]),
        (GET, status(200) + OK, ["content until the end 40"]),
        (GET, status(200, "Content-Length: 1", "Content-Length: 2") + OK, ["content until the end 40"]),
        (GET, status(200, "Transfer-Encoding: chunked, gzip", "Content-Length: 1") + OK, ["content until the end 40"]),
        (GET, status(200, "Content-Length: 100") + OK, ["content length 40"]),
    ],
)  # fmt: skip
def test_content_of_answers(request_, answer, parts):
    """Whether an answer has content, and where it ends, hangs on its fields and its request (RFC 9112, 6.3)."""
    view = dissect_hop(0, request_ + GET, answer)
    assert len(OK) == 40
    assert told(view, DOWN)[1:] == parts


@pytest.mark.parametrize(
    ("lines", "content", "parts"),
    [
        ("Content-Length: 3\r\n", b"abc", ["content length 3", "request GET /a HTTP/1.1"]),
        ("Transfer-Encoding: chunked\r\n", b"1\r\na\r\n0\r\n\r\n", ["content chunked 11", "request GET /a HTTP/1.1"]),
        ("", b"", ["request GET /a HTTP/1.1"]),
        ("Transfer-Encoding: gzip\r\n", b"", [f"content until the end {len(GET)}"]),
    ],
)
def test_content_of_requests(lines, content, parts):
    """A request without a length has no content; an unknown coding leaves its end unknown (RFC 9112, 6.3)."""
    post = f"POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n".encode()
    view = dissect_hop(0, post + content + GET, OK)
    assert told(view, UP) == ["request POST / HTTP/1.1", *parts]


def test_content_shorter_than_stated():
    """Content that did not come at all is told of in the exchange; it has no bytes and so no part."""
    view = dissect_hop(0, GET, OK[:-2])
    assert told(view, DOWN) == ["answer HTTP/1.1 200 OK"]
    assert view.exchanges[0].answer_content.span().fault == "Content-Length says 2 bytes, 0 came (RFC 9112, 8)"


def test_interim_answers_come_before_the_switch():
    """A client reads any number of interim answers before the final one (RFC 9110, 15.2); 101 is final here."""
    view = dissect_hop(0, OFFER, status(100) + status(103, "Link: </a>") + SWITCH + SAY)
    assert [part.value.status for part in view.exchanges[0].interim] == [100, 103]
    assert told(view, DOWN)[:2] == ["interim answer HTTP/1.1 100 Words", "interim answer HTTP/1.1 103 Words"]
    assert (outcomes(view), view.frames(DOWN).start) == (
        ["switched"],
        len(status(100) + status(103, "Link: </a>") + SWITCH),
    )


def test_interim_answer_alone_is_no_answer():
    """An exchange that got a 100 and nothing else has no answer yet."""
    view = dissect_hop(0, OFFER, status(100))
    assert (outcomes(view), view.exchanges[0].status) == (["no answer"], None)


def test_seam_in_both_directions():
    """Bytes after the blank line of the 101 are the new protocol's, in whatever read they came (law 3)."""
    view = dissect_hop(0, OFFER + ASK, SWITCH + SAY + frame(CLOSE))
    assert view.protocol == "websocket"
    assert view.seam == {UP: len(OFFER), DOWN: len(SWITCH)}
    assert [view.frames(way).start for way in Direction] == [len(OFFER), len(SWITCH)]
    assert [len(view.frames(way).frames) for way in Direction] == [1, 2]


def test_seam_without_bytes_after_it():
    """A switch after which nobody spoke has a seam, and no frames."""
    view = dissect_hop(0, OFFER, SWITCH)
    assert view.seam == {UP: len(OFFER), DOWN: len(SWITCH)}
    assert view.frames(UP) is view.frames(DOWN) is None


def test_seam_is_behind_the_content_of_the_request():
    """The request is sent to its end before anything else (RFC 9110, 7.8)."""
    post = OFFER.replace(b"GET", b"POST").replace(b"Host", b"Content-Length: 3\r\nHost") + b"abc"
    view = dissect_hop(0, post + ASK, SWITCH)
    assert view.seam[UP] == len(post)
    assert told(view, UP)[1:] == ["content length 3", "frames 1"]


def test_extension_that_the_answer_agrees_on():
    """permessage-deflate holds for the frames if the 101 says so, not if only the offer does (RFC 7692, 5)."""
    line = b"Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover\r\n\r\n"
    agreed = dissect_hop(0, OFFER + ASK, SWITCH[:-2] + line + SAY)
    assert agreed.frames(UP).deflate.context_takeover is False
    assert agreed.frames(DOWN).deflate.context_takeover is True
    assert dissect_hop(0, OFFER[:-2] + line + ASK, SWITCH).frames(UP).deflate is None


def test_unasked_switch():
    """A 101 that nobody asked for still ends HTTP on the connection; what follows is named by its Upgrade."""
    view = dissect_hop(0, GET + ASK, SWITCH + SAY)
    assert (outcomes(view), view.protocol, view.exchanges[0].offer) == (["switched"], "websocket", ())
    view = dissect_hop(0, GET + b"abc", status(101) + b"defg")
    assert (view.protocol, told(view, UP)[-1], told(view, DOWN)[-1]) == (
        "unnamed",
        "bytes of unnamed 3",
        "bytes of unnamed 4",
    )


def test_switch_without_upgrade_is_to_what_was_offered():
    """A 101 that does not say to what is read as the first protocol of the offer."""
    assert dissect_hop(0, OFFER, status(101)).protocol == "websocket"


@pytest.mark.parametrize(
    ("protocol", "label", "clause"),
    [
        ("TLS/1.0, HTTP/1.1", "bytes of TLS/1.0", "RFC 2817, 3"),
        ("quote/1.0", "bytes of quote/1.0", ""),
    ],
)
def test_other_protocols_are_kept_whole(protocol, label, clause):
    """After a switch to another protocol its bytes are one part per direction, named by it."""
    view = dissect_hop(0, offer(protocol) + b"ask\n", switch(protocol) + b"say\n")
    parts = [view.parts[way][-1] for way in Direction]
    assert [(part.label, part.clause, part.fault) for part in parts] == [(label, clause, "")] * 2
    assert view.protocol == label.removeprefix("bytes of ")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (OK, "ignored"), (status(204), "ignored"), (status(302), "redirected"), (status(426), "required"),
        (status(400), "refused"), (status(403), "refused"), (status(503), "refused"), (status(999), "refused"),
        (status(0), "refused"), (b"", "no answer"), (b"garbage", "no answer"), (SWITCH, "switched"), (status(100), "no answer"),
    ],
)  # fmt: skip
def test_outcomes_of_an_offer(answer, outcome):
    """How step 3 can end: switched, ignored, redirected, required, refused, no answer (RFC 9110, 7.8)."""
    assert outcomes(dissect_hop(0, OFFER, answer)) == [outcome]


@pytest.mark.parametrize(
    ("answer", "outcome"), [(OK, "plain"), (status(426), "plain"), (status(0), "plain"), (b"", "no answer")]
)
def test_outcomes_without_an_offer(answer, outcome):
    """Where no upgrade was asked for, an answer is a plain one."""
    assert outcomes(dissect_hop(0, GET, answer)) == [outcome]


EARLY_FAULTS = {
    "websocket": "the client must wait for the answer (RFC 6455, 4.1)",
    "quote": "these bytes are no HTTP, and no other protocol was switched to (RFC 9110, 7.8)",
}


@pytest.mark.parametrize(("protocol", "fault"), EARLY_FAULTS.items())
@pytest.mark.parametrize("answer", [b"", status(400), OK], ids=["unanswered", "refused", "ignored"])
def test_early_bytes(answer, protocol, fault):
    """Bytes of a protocol that was not switched to are the client's fault, not a request (RFC 6455, 4.1)."""
    view = dissect_hop(0, offer(protocol) + ASK * 2, answer)
    early = view.parts[UP][-1]
    assert (early.label, early.start, early.end) == (
        "early bytes",
        len(offer(protocol)),
        len(offer(protocol) + ASK * 2),
    )
    assert early.fault == fault
    assert len(view.exchanges) == 1


def test_early_bytes_that_a_server_read_as_http():
    """A server that takes early bytes for a request answers once more; that answer has no request."""
    view = dissect_hop(0, OFFER + ASK, OK + status(400))
    assert [(exchange.request is not None, exchange.status) for exchange in view.exchanges] == [
        (True, 200),
        (False, 400),
    ]


def test_request_after_a_declined_offer_is_a_request():
    """After a decline the connection goes on in HTTP: the next request, even half of it, is nothing early."""
    assert outcomes(dissect_hop(0, OFFER + GET, OK + OK)) == ["ignored", "plain"]
    for cut in range(1, len(GET)):
        assert told(dissect_hop(0, OFFER + GET[:cut], OK), UP)[1].startswith("request ")


def test_connect_opens_a_tunnel():
    """After a 2xx to CONNECT the bytes are whatever the ends speak; the answer has no content (RFC 9110, 9.3.6)."""
    connect = b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"
    view = dissect_hop(0, connect + b"\x16\x03\x01", status(200, "Content-Length: 5") + b"\x16\x03\x03")
    assert (view.protocol, view.seam[UP]) == ("tunnel", len(connect))
    assert [told(view, way)[1:] for way in Direction] == [["bytes of tunnel 3"], ["bytes of tunnel 3"]]
    refused = dissect_hop(0, connect + GET, status(407, "Content-Length: 0") + OK)
    assert (refused.protocol, len(refused.exchanges)) == ("", 2)


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


@pytest.mark.parametrize(("first", "label"), [(b"\x16\x03\x01\x00\xa5hello", "TLS records"), (PREFACE, "HTTP/2")])
def test_connections_that_are_no_http1(first, label):
    """TLS and HTTP/2 are known by their first bytes (RFC 8446, 5; RFC 9113, 3.4); a server may answer in HTTP/1.1."""
    view = dissect_hop(0, first, b"\x00\x00\x00\x04")
    assert [told(view, way) for way in Direction] == [[f"{label} {len(first)}"], [f"{label} 4"]]
    assert view.exchanges == ()
    view = dissect_hop(0, first, status(400, "Content-Length: 2", content="no"))
    assert told(view, DOWN) == ["answer HTTP/1.1 400 Words", "content length 2"]
    assert [exchange.status for exchange in view.exchanges] == [400]


def test_tls_of_the_server_alone():
    """Where only the server's bytes are recorded, theirs tell what it is."""
    assert told(dissect_hop(0, b"", b"\x16\x03\x03\x00\x02"), DOWN) == ["TLS records 5"]


@pytest.mark.parametrize(
    ("answer", "label", "fault"),
    [
        (b"SSH-2.0-x\r\n", "bytes that are no answer", "an answer begins with HTTP/ and a status code (RFC 9112, 4)"),
        (GET, "bytes that are no answer", "an answer begins with HTTP/ and a status code (RFC 9112, 4)"),
        (
            b"HTTP/1.1 2x0 OK\r\n\r\n",
            "bytes that are no answer",
            "an answer begins with HTTP/ and a status code (RFC 9112, 4)",
        ),
        (b"\x15\x03\x01\x00\x02\x02\x46", "TLS records", "an answer begins with HTTP/ and a status code (RFC 9112, 4)"),
        (b"HTTP/1.1 1", "the start of an answer", "the bytes end before the head does (RFC 9112, 2.1)"),
        (b"GET /a", "bytes that are no answer", "an answer begins with HTTP/ and a status code (RFC 9112, 4)"),
        (b"\r", "the start of an answer", "the bytes end before the head does (RFC 9112, 2.1)"),
    ],
)
def test_answers_that_are_none(answer, label, fault):
    """What is no answer is one part, kept with the exchange that waited for one."""
    view = dissect_hop(0, OFFER, answer)
    assert view.parts[DOWN] == (view.exchanges[0].garbage,)
    assert (view.exchanges[0].garbage.label, view.exchanges[0].garbage.fault) == (label, fault)


def test_broken_start_line_ends_the_requests():
    """After a start-line that cannot be read nobody can tell where the next message begins."""
    view = dissect_hop(0, b"\x00\x01\r\n\r\n" + GET, status(400))
    assert told(view, UP) == ["request ?", f"bytes after a broken start-line {len(GET)}"]
    assert [exchange.status for exchange in view.exchanges] == [400]


def test_broken_field_lines_do_not():
    """A head with broken field lines still ends at its blank line, and the next request begins there."""
    view = dissect_hop(0, b"GET / HTTP/1.1\r\nHost : a\r\nx\r\n\r\n" + GET, OK + OK)
    assert len(view.exchanges) == 2


def test_answer_without_a_request():
    """Bytes of the server alone are answers to requests that were not recorded."""
    view = dissect_hop(0, b"", status(408))
    assert [(exchange.request, exchange.status, exchange.outcome) for exchange in view.exchanges] == [
        (None, 408, "plain")
    ]


def test_nothing_at_all():
    """A hop on which nothing crossed has no parts and no exchanges."""
    view = dissect_hop(0, b"", b"")
    assert (view.parts, view.exchanges, view.seam, view.protocol) == ({UP: (), DOWN: ()}, (), {}, "")


def test_bytes_behind_a_hole():
    """What comes after missing bytes is not guessed at: it is one part that says so."""
    data = SWITCH + SAY + SAY
    view = dissect_hop(0, OFFER, data, holes={DOWN: len(SWITCH) + 3})
    assert told(view, DOWN)[1:] == ["frames 1", f"bytes after a hole {2 * len(SAY) - 3}"]
    assert view.spans(DOWN)[-1].fault == ""
