"""The rules of HTTP on whole traffic: what is legal is left alone, and who made a mistake is blamed for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.parties.described import Server
from labkit.parties.offer import Offer
from labkit.parties.stream import echo
from labkit.rules import check
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Hop, Trace
from tests.rules.examples_h2c import ASK as H2C
from tests.rules.examples_http import ASK, OK, PLAIN, TLS, TLS_YES, UDP, UDP_YES, YES
from tests.rules.examples_relay import GONE, HINTS, HOPS, OFFER_GONE, SWITCHED, URL, URL_GONE, relayed, with_line
from tests.rules.traces import ANSWER, REQUEST, answered, changed, crossed, head, masked, switched, without

QUOTE = Offer.custom("quote/1.0")
POST = QUOTE.but(method="POST", content=b"hi").with_field("Content-Length", "2")
WEBSOCKET = Offer.websocket()
SPEAKS = Server(protocols={"quote/1.0": echo})
TELLING = [*[Server(decline=status) for status in (200, 204, 304, 401, 403, 405, 407, 426, 503)],
           Server(ignore=True), Server(redirect="/there"), Server(require=True), Server()]  # fmt: skip


def ours(trace: Trace) -> list[str]:
    """Return the findings and notes of the rules of HTTP, less those of WebSocket."""
    found = check(trace)
    return [str(each) for each in (*found.found, *found.notes) if each.rule.id[0] in "GHIO"]


@pytest.mark.parametrize("server", TELLING, ids=repr)
@pytest.mark.parametrize("offer", [WEBSOCKET, QUOTE, Offer.plain(), Offer.h2c(), Offer.tls()], ids=repr)
def test_declines_break_nothing(server, offer):
    """Whatever the server is told to do with an offer, it does as RFC 9110 and RFC 9112 ask."""
    assert ours(simulate(Scenario(offer, server=server))) == []


@pytest.mark.parametrize(
    "offer",
    [
        QUOTE, POST, POST.with_field("Expect", "100-continue"), QUOTE.with_field("Connection", "keep-alive, UPGRADE"),
        Offer.custom("QUOTE/1.0"), QUOTE.but(version="HTTP/1.0"), QUOTE.but(target="http://server.example.com/"),
        Offer.plain().without("Host").but(version="HTTP/1.0"), Offer.plain().but(method="HEAD"),
        Offer.of_bytes(Offer.plain().to_bytes() + QUOTE.to_bytes()), QUOTE.cut(9, 40), QUOTE.but(early=b"\x00early"),
    ],
    ids=repr,
)  # fmt: skip
def test_offers_that_are_right_break_nothing(offer):
    """Lists, cases, versions, content, a 100, pipelining and segments are legal (RFC 9110, 7.8)."""
    assert ours(simulate(Scenario(offer, server=SPEAKS))) == []


LEGAL = {
    "TLS with the layer above it (RFC 2817, 3.3)": answered(TLS_YES, TLS),
    "connect-udp (RFC 9298, 3.2)": crossed(("c", UDP), ("s", UDP_YES), ("c", b"\x00\x01\x00")),
    "h2c, ignored (RFC 7540, 3.2)": answered(OK, H2C),
    "a gateway that makes Upgrade and Connection of its own": SWITCHED,
    "HTTP/1.0 to the server (RFC 9112, 2.3)": relayed(PLAIN, changed(GONE, "HTTP/1.1", "HTTP/1.0")),
    "a 100 that the proxy asked for (RFC 9110, 15.2)": relayed(
        with_line(changed(PLAIN, "GET", "POST"), "Content-Length: 2") + b"hi",
        with_line(changed(GONE, "GET", "POST"), "Expect: 100-continue", "Content-Length: 2") + b"hi",
        head("HTTP/1.1 100 Continue") + OK,
        OK,
    ),
    "a proxy's own Keep-Alive": relayed(
        PLAIN, GONE, with_line(OK, "Connection: keep-alive", "Keep-Alive: timeout=5"),
    ),
    "a tunnel": relayed(ASK, ASK, YES),
    "a tap on a request with a named field": relayed(
        with_line(PLAIN, "Connection: X-Lab", "X-Lab: 1"), with_line(PLAIN, "Connection: X-Lab", "X-Lab: 1")
    ),
    "431 may win over 400": answered(changed(OK, "200 OK", "431 Too Large"), ASK),
    "an advertisement (RFC 9110, 7.8)": answered(with_line(OK, "Upgrade: quote/1.0", "Connection: Upgrade"), PLAIN),
}  # fmt: skip


@pytest.mark.parametrize("trace", LEGAL.values(), ids=LEGAL)
def test_legal_traffic_is_left_alone(trace):
    """What the RFCs allow is no finding and no note."""
    assert ours(trace) == []


@pytest.mark.parametrize("name", ["Upgrade", "Connection"])
def test_the_websocket_rules_speak_first(name):
    """G02, G04 and G06 are silent where a rule of the opening handshake says the same (RFC 6455, 4.1 and 4.2)."""
    assert ours(switched(request=without(REQUEST, name), answer=without(ANSWER, name))) == []


def test_whoever_forwards_the_same_bytes_is_not_blamed():
    """A mistake in a request is its client's, one in an answer the server's, on however many hops it is seen."""
    request, answer = without(ASK, "Connection"), without(YES, "Connection")
    found = check(crossed(("c", request), ("c1", request), ("s1", answer), ("s", answer), ends="", hops=HOPS))
    assert [(finding.rule.id, finding.party) for finding in found] == [("G02", "client"), ("G02", "server")]


def test_a_proxy_is_blamed_for_its_own_mistake():
    """The proxy that takes Connection away and leaves Upgrade has made the request that breaks RFC 9110, 7.8."""
    found = check(relayed(ASK, without(OFFER_GONE, "Connection"), OK))
    assert [(finding.rule.id, finding.party) for finding in found] == [("G02", "proxy")]


def test_each_of_two_proxies_is_bound():
    """That the proxy before has forwarded a field of its hop alone is no excuse (RFC 9110, 7.6.1)."""
    hops = (Hop("client", "first"), Hop("first", "second"), Hop("second", "server"))
    lines = [with_line(PLAIN, "Connection: X-Lab", "X-Lab: 1", *(f"Via: 1.1 {name}" for name in names))
             for names in ((), ("first",), ("first", "second"))]  # fmt: skip
    asks = [(f"c{number}", line) for number, line in enumerate(lines)]
    answers = [(f"s{number}", OK) for number in (2, 1, 0)]
    found = check(crossed(*asks, *answers, ends="", hops=hops))
    assert [(finding.rule.id, finding.party) for finding in found] == [("I02", "first"), ("I02", "second")]


def test_a_gateway_that_drops_an_interim_answer_gets_a_note():
    """Only a proxy that the client has chosen must forward it (RFC 9110, 15.2)."""
    found = check(relayed(PLAIN, GONE, HINTS + OK, OK))
    assert (found.ids, [note.rule.id for note in found.notes]) == ((), ["G20"])


def test_what_came_after_the_answer_was_recorded_is_not_early():
    """Bytes recorded behind the 101 may have been sent upon it (RFC 6455, 4.1)."""
    frame = masked(1, b"Hello")
    late = crossed(("c", REQUEST), ("s", ANSWER), ("c", frame))
    early = crossed(("c", REQUEST + frame), ("s", ANSWER))
    assert ("O01" in check(late).ids, "O01" in check(early).ids) == (False, True)


def test_many_faults_of_a_kind_are_one_finding():
    """A head whose lines all end in LF alone is told once."""
    found = check(answered(OK, ASK.replace(b"\r\n", b"\n")))
    assert [finding.seen for finding in found] == ["a line ends in LF alone, 5 times"]


def test_secrets_and_targets_are_not_quoted():
    """What is seen never repeats a request-target or the value of a field that may be secret."""
    request = head(
        "GET secret HTTP/1.1", "Host: a b", "Authorization: secret", "Authorization: secret", "Cookie: sec\x00ret"
    )
    found = check(answered(OK, request))
    assert {"G45", "G46", "G52", "G60"} <= set(found.ids)
    assert not any("secret" in str(finding) for finding in found)


@given(st.binary(max_size=200), st.binary(max_size=200), st.sampled_from([ASK, PLAIN, URL, H2C]))
def test_two_hops_never_raise(ask, reply, request):
    """Whatever the bytes on two hops are, the check ends without an error."""
    for answer in (YES, OK, b""):
        turns = [("c", request + ask), ("c1", GONE + ask), ("s1", answer + reply), ("s", answer + reply)]
        trace = crossed(*turns, ends="s c", hops=HOPS)
        assert check(trace).ids == check(trace).ids


def test_a_proxy_may_forward_what_is_merely_invalid():
    """CR, LF and NUL must not go on; other control characters may (RFC 9110, 5.5)."""
    found = {
        char: "I16" in check(relayed(with_line(PLAIN, f"X-Lab: a{char}b"), with_line(GONE, f"X-Lab: a{char}b"))).ids
        for char in "\x00\r\x01\x7f"
    }
    assert found == {"\x00": True, "\r": True, "\x01": False, "\x7f": False}


def test_a_proxy_that_leaves_upgrade_to_a_websocket_offer_is_blamed():
    """It took Connection away and not the field that Connection named (RFC 9110, 7.6.1)."""
    went = with_line(without(REQUEST, "Connection"), "Via: 1.1 proxy")
    found = check(relayed(REQUEST, went, OK))
    assert [(finding.rule.id, finding.party) for finding in found] == [("I02", "proxy")]


@pytest.mark.parametrize(("came", "went", "blamed"), [(URL, URL_GONE, True), (PLAIN, GONE, False)])
def test_a_proxy_that_the_client_chose_adds_via_to_answers(came, went, blamed):
    """A gateway need not (RFC 9110, 7.6.3)."""
    found = check(relayed(came, went, OK, with_line(OK, "X-Lab: 1")))
    assert ("I07" in found.ids) is blamed
    assert "I07" not in check(relayed(came, went, OK, with_line(OK, "Via: 1.1 proxy"))).ids


def test_a_407_is_blamed_on_the_one_who_made_it():
    """Whoever passes it on has not asked for credentials (RFC 9110, 15.5.8)."""
    found = check(relayed(PLAIN, GONE, changed(OK, "200 OK", "407 Proxy Authentication Required")))
    assert [(finding.rule.id, finding.party) for finding in found] == [("G41", "server")]


@pytest.mark.parametrize(
    ("framing", "sent", "blamed"),
    [("Content-Length: 2", b"", True), ("Transfer-Encoding: chunked", b"", True), ("Content-Length: 2", b"hi", False),
     ("Content-Length: 0", b"", False)],
)  # fmt: skip
def test_a_101_without_the_100_is_blamed_while_no_content_has_come(framing, sent, blamed):
    """Once some content has come, and where none is to come, the 100 may be left out (RFC 9110, 7.8 and 10.1.1)."""
    ask = with_line(changed(ASK, "GET", "POST"), "Expect: 100-continue", framing)
    assert ("G13" in check(crossed(("c", ask), *([("c", sent)] if sent else []), ("s", YES))).ids) is blamed


@pytest.mark.parametrize(
    ("target", "host", "broken"),
    [
        ("http://a.example/", "a.example", set()),
        ("http://me@A.example:80/", "a.example", set()),
        ("http://a.example/", "b.example", {"G81"}),
        ("http://a.example:8080/", "a.example", {"G81"}),
        ("/#part", "a.example", {"G52", "G61"}),
        ("/a%20b?c=/?", "a.example", set()),
        ("/?a=%zz", "a.example", {"G52", "G61"}),
        ("/\xe9", "a.example", {"G52", "G61"}),
        ("/", "[::1]:80", set()),
        ("/", "[::g]", {"G46", "G29"}),
    ],
)
def test_targets_and_hosts(target, host, broken):
    """Host says what the URL says, a target has no fragment, and brackets hold an address (RFC 9112, 3.2)."""
    ask = changed(changed(PLAIN, "GET /", f"GET {target}"), "server.example.com", host)
    assert set(check(answered(OK, ask)).ids) == broken


def test_a_switch_behind_doubtful_framing_keeps_the_connection():
    """After Transfer-Encoding beside Content-Length the server must close (RFC 9112, 6.1)."""
    ask = with_line(ASK, "Transfer-Encoding: chunked", "Content-Length: 5") + b"0\r\n\r\n"
    assert set(check(answered(YES, ask)).ids) == {"G64", "G78"}


@pytest.mark.parametrize(
    ("line", "blamed"), [("GET / http/1.1", True), (" GET / HTTP/1.1", False), ("GET / HTTP/1.10", True)]
)
def test_a_request_line_that_breaks_the_grammar_ought_not_to_be_served(line, blamed):
    """White space before the method is no reason: a recipient may ignore it (RFC 9112, 3 and 3.2)."""
    assert ("G61" in check(answered(OK, changed(PLAIN, "GET / HTTP/1.1", line))).ids) is blamed


def test_a_request_sent_again_is_held_against_what_came_each_time():
    """A proxy that forwards an upgrade twice, without a Via, is told so for each."""
    hops = (*HOPS, HOPS[1])
    went = REQUEST.replace(b"server.example.com", b"one")
    trace = crossed(("c", REQUEST), ("c1", went), ("c2", went), ("s2", ANSWER), ("s", ANSWER), hops=hops)
    seen = [finding.hop for finding in check(trace).found if finding.rule.id == "I07"]
    assert seen == [1, 2]


def test_an_answer_of_the_proxys_own_hides_nothing_behind_it():
    """The exchange after a 404 of the proxy's own is still held against what it became."""
    plain = head("GET /nope HTTP/1.1", "Host: a")
    went = REQUEST.replace(b"server.example.com", b"one")
    trace = crossed(
        ("c", plain), ("s", head("HTTP/1.1 404 Not Found", "Content-Length: 0")),
        ("c", REQUEST), ("c1", went), ("s1", ANSWER), ("s", ANSWER), hops=HOPS,
    )  # fmt: skip
    assert [finding.rule.id for finding in check(trace).found if finding.rule.id == "I07"] == ["I07"]
