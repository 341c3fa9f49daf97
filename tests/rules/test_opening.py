from __future__ import annotations

import pytest

from labkit.rules import check
from labkit.trace import Hop, Trace
from labkit.wire.websocket import CLOSE, TEXT, frame
from tests.rules.examples_accepting import OFFER, OLD, said
from tests.rules.examples_extensions import PMD, agreed
from tests.rules.traces import (
    ANSWER,
    BYE,
    KEY,
    REQUEST,
    SAMPLE,
    answered,
    changed,
    crossed,
    head,
    masked,
    switched,
    without,
)


def ids(trace: Trace) -> set[str]:
    """Return the W rules that a trace breaks."""
    return {name for name in check(trace).ids if name.startswith("W")}


def seen(trace: Trace, name: str) -> list[str]:
    return [each.seen for each in check(trace) if each.rule.id == name]


BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
BARE = head("GET /chat HTTP/1.1", "Host: server.example.com", "Upgrade: websocket", "Connection: Upgrade")
TWO_KEYS = changed(REQUEST, "Upgrade: websocket\r\n", f"Upgrade: websocket\r\nSec-WebSocket-Key: {KEY}\r\n")


@pytest.mark.parametrize(
    ("request_head", "broken"),
    [
        (BARE, {"W09", "W11"}),
        (changed(REQUEST, KEY, ""), {"W09"}),
        (changed(REQUEST, KEY, "AAAA"), {"W09"}),
        (TWO_KEYS, {"W26"}),
        (changed(REQUEST, "Version: 13", "Version: 13, 8"), {"W11"}),
        (changed(REQUEST, "Host: server.example.com", "Host: a\r\nHost: b"), {"W06"}),
        (changed(REQUEST, "/chat", "*"), {"W05"}),
        (changed(REQUEST, "\r\n\r\n", "\r\nSec-WebSocket-Protocol: \r\n\r\n"), {"W12"}),
        (changed(REQUEST, "\r\n\r\n", "\r\nSec-WebSocket-Protocol: a b\r\n\r\n"), {"W12"}),
        (changed(REQUEST, "\r\n\r\n", "\r\nSec-WebSocket-Protocol: a, , A\r\n\r\n"), set()),
        (changed(REQUEST, "Upgrade: websocket", "Upgrade: h2c, WebSocket"), set()),
        (changed(REQUEST, "Connection: Upgrade", "Connection: keep-alive, UPGRADE"), set()),
        (changed(REQUEST, "/chat", "HTTP://server.example.com/chat"), set()),
        (head("GET / HTTP/1.1", "Host: server.example.com", "Connection: Upgrade", "Upgrade: quote"), set()),
        (b"GET / HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: webs", set()),
    ],
)
def test_requests(request_head, broken):
    """A request that is declined breaks the rules that it breaks, and no other; one that is cut short breaks none."""
    assert ids(answered(BAD_REQUEST, request_head)) == broken


def test_the_sample_key_is_worth_a_note():
    """The key of RFC 6455's own example is no fault in a lab, and nothing to send elsewhere."""
    found = check(answered(BAD_REQUEST, SAMPLE))
    assert (found.found, [note.rule.id for note in found.notes]) == ((), ["W09"])


def test_a_request_that_is_sent_again_may_keep_its_key():
    """Whether a retry on the same connection is another attempt, RFC 6455 leaves open: nothing is said."""
    trace = crossed(("c", REQUEST), ("s", BAD_REQUEST), ("c", REQUEST), ("s", ANSWER))
    assert ids(trace) == set()


def test_the_key_of_another_connection():
    """A key is drawn for each connection (RFC 6455, 4.1 (7)); the second use is blamed."""
    hops = (Hop(), Hop("second client", "server"))
    found = check(crossed(("c", REQUEST), ("s", ANSWER), ("c1", REQUEST), ("s1", ANSWER), hops=hops))
    assert [(each.rule.id, each.party) for each in found] == [("W09", "second client")]


WRONG = without(ANSWER, "Sec-WebSocket-Accept")


@pytest.mark.parametrize(
    ("turns", "broken"),
    [
        ((("c", REQUEST), ("s", WRONG)), {"W24"}),
        ((("c", REQUEST), ("s", WRONG), ("c", masked(CLOSE, BYE))), {"W24"}),
        ((("c", REQUEST), ("s", WRONG), ("c", masked(TEXT, b"a"))), {"W24", "W15"}),
        ((("c", REQUEST + masked(TEXT, b"a")), ("s", WRONG)), {"W24"}),
        ((("c", REQUEST), ("c", masked(TEXT, b"a")), ("s", WRONG), ("c", masked(TEXT, b"b"))), {"W24"}),
        ((("c", REQUEST), ("c", masked(TEXT, b"a")), ("s", BAD_REQUEST)), set()),
    ],
)
def test_only_what_comes_after_the_answer_shows_that_the_client_took_it(turns, broken):
    """Bytes that came before the answer were sent too early, which is another fault (RFC 6455, 4.1)."""
    assert ids(crossed(*turns)) == broken


@pytest.mark.parametrize(
    ("answer", "request_head", "broken"),
    [
        (ANSWER, OLD, {"W11", "W19"}),
        (BAD_REQUEST, OLD, {"W11", "W19"}),
        (changed(BAD_REQUEST, "400 Bad Request", "404 Not Found"), OLD, {"W11"}),
        (BAD_REQUEST, changed(OLD, KEY, "AAAA"), {"W09", "W11"}),
        (BAD_REQUEST, changed(REQUEST, "Version: 13", "Version: x"), {"W11"}),
        (BAD_REQUEST, without(REQUEST, "Sec-WebSocket-Version"), {"W11"}),
        (ANSWER, without(REQUEST, "Sec-WebSocket-Version"), {"W11", "W19"}),
        (ANSWER, without(REQUEST, "Upgrade"), {"W07", "W17"}),
        (ANSWER, changed(REQUEST, "Upgrade: websocket", "Upgrade: websocket/13"), {"W07", "W17"}),
        (ANSWER, changed(REQUEST, "Version: 13", "Version: 8"), {"W11"}),
        (ANSWER, changed(OFFER, "chat, superchat", "chat, chat"), {"W12"}),
        (ANSWER, changed(OFFER, "chat, superchat", "chat room"), {"W12", "W17"}),
        (ANSWER, TWO_KEYS, {"W26", "W17"}),
        (without(ANSWER, "Upgrade"), REQUEST, {"W24"}),
        (changed(ANSWER, "Upgrade: websocket", "Upgrade: websocket, h2c"), REQUEST, {"W24"}),
        (changed(ANSWER, "Upgrade: websocket", "Upgrade: WEBSOCKET"), REQUEST, set()),
        (said("Sec-WebSocket-Protocol: chat, superchat"), OFFER, {"W30"}),
        (said("Sec-WebSocket-Protocol: Chat"), OFFER, {"W22"}),
        (said("Sec-WebSocket-Extensions: x-one"), REQUEST, {"W23"}),
    ],
)
def test_answers(answer, request_head, broken):
    """Of the rules that say the same of an answer, the most special one speaks."""
    assert ids(answered(answer, request_head)) == broken


def test_everything_that_a_101_lacks_is_named():
    """A 101 without its three field lines lacks three (RFC 6455, 4.2.2, step 5)."""
    assert len(seen(answered(head("HTTP/1.1 101 Switching Protocols")), "W24")) == 3


def test_subprotocols_and_targets_are_not_quoted():
    """What may hold a secret is not told in a finding."""
    request = changed(REQUEST, "/chat", "ws://server.example.com/s3cret")
    trace = answered(said("Sec-WebSocket-Protocol: s3cret"), request)
    assert {"W05", "W22"} <= {each.rule.id for each in check(trace)}
    assert not any("s3cret" in each.seen for each in check(trace))


@pytest.mark.parametrize(
    ("offer", "answer", "broken"),
    [
        (PMD, f"{PMD}; server_no_context_takeover; server_max_window_bits=9", set()),
        (f"{PMD}; client_max_window_bits=10", f"{PMD}; client_max_window_bits=15", set()),
        (f'{PMD}; server_max_window_bits="10"', f"{PMD}; server_max_window_bits=8", set()),
        (f"{PMD}; server_max_window_bits=10", PMD, {"W40", "W42"}),
        (f"{PMD}; client_max_window_bits", f"{PMD}; client_max_window_bits", {"W38", "W42"}),
        (PMD, f"{PMD}; server_max_window_bits=7", {"W38", "W42"}),
        (PMD, f"{PMD}; server_no_context_takeover; server_no_context_takeover", {"W38", "W42"}),
        (f"{PMD}; server_max_window_bits", "", {"W36"}),
        (f"{PMD}; client_no_context_takeover=1", "", {"W36"}),
        ("", PMD, {"W23", "W16"}),
        (", ", "", {"W35", "W46"}),
        ('x; a="b c"', "", {"W35", "W46"}),
        ('x; a="b\\c" ; d', "", set()),
    ],
)
def test_extensions(offer, answer, broken):
    """What may be agreed on, and what may not, where the client goes on in either case (RFC 6455, 9.1; RFC 7692, 7)."""
    assert ids(agreed(offer, answer)) == broken


def test_frames_after_another_protocol_that_was_asked_for():
    """A 101 to another protocol of the client's list is none of WebSocket's (RFC 9110, 7.8)."""
    request = changed(REQUEST, "Upgrade: websocket", "Upgrade: websocket, quote")
    answer = head("HTTP/1.1 101 Switching Protocols", "Upgrade: quote", "Connection: Upgrade")
    trace = switched(("c", b"quote\n"), ("s", frame(TEXT, b"Hello")), request=request, answer=answer)
    assert not ids(trace) - {"W28", "W15"}
