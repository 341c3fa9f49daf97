import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.dissection import dissect
from labkit.errors import WrongUse
from labkit.parties.answer import Answer
from labkit.parties.decide import CHOICE_TESTS, KNOWN, OFFER_TESTS, PLAIN_TESTS, REST, TESTS_OF, TOLD, Switch
from labkit.parties.described import Limits, Server
from labkit.parties.evaluation import asked, evaluated
from labkit.parties.heads import HEAD_TESTS
from labkit.parties.offer import Offer
from labkit.parties.stream import echo
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Trace

OFFER = Offer.websocket(subprotocols=("a",), deflate=True)
OF_EVERY_REQUEST = [test.name for test in (*HEAD_TESTS, *CHOICE_TESTS, KNOWN, TOLD)]
OF_WEBSOCKET = [test.name for test in (*OFFER_TESTS, *TESTS_OF["websocket"], REST)]


def results(server: Server, offer: Offer | bytes) -> dict[str, str]:
    rows, _ = evaluated(server, asked(offer))
    return {row.test: row.result for row in rows}


def decided(server: Server, data: bytes) -> int | None:
    _, decision = evaluated(server, data)
    return 101 if isinstance(decision, Switch) else decision and decision.status


def test_the_rows_are_the_tables():
    """A right offer shows every test of the tables, in their order, between the grammar and the decision."""
    rows, decision = evaluated(Server(), asked(OFFER))
    assert [row.test for row in rows[1:-1]] == OF_EVERY_REQUEST + OF_WEBSOCKET
    assert {row.result for row in rows[:-1]} == {"passes"}
    assert rows[-1].result == "101 Switching Protocols"
    assert isinstance(decision, Switch)


def test_what_comes_after_a_decline_is_not_reached():
    """The first test that is not passed decides; those after it are not made."""
    said = results(Server(), OFFER.without("Sec-WebSocket-Key"))
    assert list(said) == ["the head follows the grammar", *OF_EVERY_REQUEST, *OF_WEBSOCKET, "the decision"]
    assert said["there is one key of 16 bytes"] == "declined: 400 Bad Request"
    assert [name for name, result in said.items() if result == "not reached"] == [
        "the version is 13", "the Origin is welcome", "subprotocols and extensions can be read",
    ]  # fmt: skip


def test_an_ignored_offer_goes_on_as_a_plain_request():
    """Where the offer is not taken up, the tests of a plain request follow (RFC 9110, 7.8)."""
    said = results(Server(require=True), OFFER.without("Connection"))
    plain = [test.name for test in PLAIN_TESTS]
    assert list(said) == ["the head follows the grammar", *OF_EVERY_REQUEST, *plain, "the decision"]
    assert said["Connection has the option upgrade"] == "ignored"
    for name in ("a protocol is offered that is known here", "the server is told to decide for itself"):
        assert said[name] == "not reached"
    assert said["no upgrade is required"] == "declined: 426 Upgrade Required"


def test_what_was_told_is_a_row():
    """A server's own orders stand between the choice and the tests of the offer."""
    assert results(Server(ignore=True), OFFER)["the server is told to decide for itself"] == "ignored"
    assert results(Server(redirect="/x"), OFFER)["the server is told to decide for itself"] == "declined: 302 Found"
    for server, found in ((Server(), "yes"), (Server(decline=403), "no: to answer 403")):
        rows, _ = evaluated(server, asked(OFFER))
        assert [row.found for row in rows if row.test == "the server is told to decide for itself"] == [found]
    said = results(Server(decline=Answer(299, "so")), OFFER)
    assert said["the server is told to decide for itself"] == "declined: 299"
    assert said["the method is GET"] == "not reached"


@pytest.mark.parametrize("raw", [b"\x16\x03\x01", b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", b"GET / HTTP/1.1\r\nHost"])
def test_a_head_that_cannot_be_read(raw):
    """Of bytes that are no head, or not a whole one, only the grammar is tested."""
    rows, answer = evaluated(Server(), raw)
    assert rows[0].result == f"declined: {answer.status} {'Request Timeout' if answer.status == 408 else 'Bad Request'}"
    assert {row.result for row in rows[1:-1]} == {"not reached"}


@pytest.mark.parametrize("raw", [b"", b"\r\n\r\n"])
def test_no_request_no_decision(raw):
    """Where nothing was asked, nothing is decided."""
    rows, decision = evaluated(Server(), raw)
    assert decision is None
    assert rows[0].result == "waits"


def test_what_can_be_asked():
    """An offer, its bytes and a trace of it are one request; in a trace the one that counts is taken."""
    trace = simulate(Scenario(OFFER))
    assert asked(trace) == asked(OFFER) == asked(OFFER.to_bytes())
    two = Offer.of_bytes(Offer.plain().to_bytes() + Offer.bare().to_bytes())
    assert asked(simulate(Scenario(two))) == Offer.bare().to_bytes()
    for wrong in (5, Trace()):
        with pytest.raises(WrongUse, match=r"what is asked|holds no request"):
            asked(wrong)


def test_what_is_found_fits_a_cell():
    """What was found is one line of bounded length, whatever was sent."""
    rows, _ = evaluated(Server(), asked(OFFER.with_field("Origin", "x" * 1000).with_field("Expect", "\xa0")))
    assert all(len(row.found) <= 80 and row.found.isprintable() for row in rows)


BEARER = "base64url.bearer.authorization.k8s.io.S3CR3T"


@pytest.mark.parametrize(
    ("offer", "server"),
    [
        (Offer.websocket("/?token=S3CR3T").with_field("Sec-WebSocket-Protocol", BEARER), Server()),
        (Offer.websocket().with_field("Sec-WebSocket-Protocol", f"{BEARER} x"), Server()),
        (Offer.websocket().with_field("Sec-WebSocket-Protocol", f"{BEARER} x").without("Host"), Server()),
        (Offer.websocket().with_field("Host", "user:S3CR3T@h"), Server()),
        (Offer.websocket("http://user:S3CR3T@h/"), Server(redirect="/?token=S3CR3T")),
        (Offer.of_bytes(b"GET /?token=S3CR3T HTTP/1.1\r\nHost : a\r\n\r\n"), Server()),
        (Offer.plain("/?token=S3CR3T").but(method="PUT"), Server()),
    ],
)
def test_secrets_are_starred_out_where_they_are_shown(offer, server):
    """What a diagram stars out is starred out here; the tests are made of what was sent all the same."""
    rows, decision = evaluated(server, asked(offer))
    assert not any("S3CR3T" in cell for row in rows for cell in row)
    status = 101 if isinstance(decision, Switch) else decision.status
    assert status == dissect(simulate(Scenario(offer, server=server))).hops[0].exchange.status


def test_faults_come_last():
    """What a server does wrong on purpose is said, and is no part of the decision."""
    rows, decision = evaluated(Server(faults=("close", "cut=5")), asked(OFFER))
    assert rows[-1].found == "close, cut=5"
    assert isinstance(decision, Switch)


NAMES = ("Host", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version")
CHANGES = st.one_of(
    st.sampled_from([(how, name) for how in ("without", "twice", "folded") for name in NAMES]),
    st.tuples(st.just("renamed"), st.sampled_from(NAMES), st.sampled_from(["X", "X ", "Connection"])),
    st.tuples(
        st.just("with_field"),
        st.sampled_from([*NAMES, "Origin", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions", "Expect"]),
        st.sampled_from(["", "a", "h2c, websocket", "keep-alive, upgrade", "13", "AAAA", ",", "a b", "é", ";"]),
    ),
)
PARTS = st.fixed_dictionaries(
    {},
    optional={
        "method": st.sampled_from(["GET", "HEAD", "POST", "OPTIONS", "DELETE", "BREW", "a b"]),
        "target": st.sampled_from(["/", "*", "/b", "http://a/b", "x", ""]),
        "version": st.sampled_from(["HTTP/1.0", "HTTP/1.1", "HTTP/1.2", "HTTP/2.0", "http"]),
    },
)
FIRST = st.sampled_from(
    [Offer.websocket(), OFFER, Offer.bare(), Offer.h2c(), Offer.tls(), Offer.custom("x"), Offer.plain()]
)
SERVERS = st.sampled_from(
    [
        Server(), Server(require=True), Server(ignore=True), Server(redirect="/b"), Server(decline=426),
        Server(decline=200), Server(decline=Answer(503)), Server(paths=("/b",)), Server(origins=("a",)),
        Server(protocols={"x": echo, "websocket": echo}, prefer="server"), Server(faults=("unasked", "no-upgrade")),
        Server(protocols={"TLS/1.0": echo, "h2c": echo}), Server(subprotocols=("a",)), Server(limits=Limits(head=150)),
        Server(ignore=True, paths=("/b",)), Server(protocols={}),
    ]
)  # fmt: skip


@given(FIRST, st.lists(CHANGES, max_size=4), PARTS, SERVERS)
def test_the_decision_is_what_the_server_does(offer, changes, parts, server):
    """Whatever is asked of whichever server, the decision that is shown is the status in the trace."""
    for how, name, *rest in changes:
        if how == "with_field" or name in offer.fields:
            offer = getattr(offer, how)(name, *rest)
    offer = offer.but(**parts)
    answers = re.findall(
        rb"HTTP/1\.1 ([2-5]\d\d|101)", simulate(Scenario(offer, (), server=server))._streams[0, "client"]
    )
    assert [str(decided(server, asked(offer))).encode()] == answers


def test_the_decision_is_that_of_the_dissection():
    """Also as the dissection of the trace has it."""
    for server, offer in ((Server(), OFFER), (Server(decline=401), OFFER), (Server(), Offer.plain())):
        trace = simulate(Scenario(offer, server=server))
        assert decided(server, asked(trace)) == dissect(trace).hops[0].exchange.status
