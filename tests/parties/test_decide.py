import re

import pytest

from labkit.parties.answer import Answer
from labkit.parties.decide import (
    CHOICE_TESTS,
    KNOWN,
    OFFER_TESTS,
    PLAIN_TESTS,
    REST,
    TESTS_OF,
    TOLD,
    Switch,
    decide,
)
from labkit.parties.described import Server
from labkit.parties.heads import HEAD_TESTS, check_head
from labkit.parties.offer import Offer
from labkit.parties.stream import echo

ALL = (*HEAD_TESTS, *CHOICE_TESTS, KNOWN, TOLD, *OFFER_TESTS, *TESTS_OF["websocket"], REST, *PLAIN_TESTS)
OFFER = Offer.websocket()


@pytest.mark.parametrize("test", ALL, ids=lambda test: test.name)
def test_every_test_names_its_clause(test):
    """What a server asks of a request stands beside the clause that asks for it."""
    assert re.match(r"RFC (6455|9110|9112), \d", test.clause)


def test_a_right_offer_passes_every_test():
    """The RFC's own offer is found faultless, test by test."""
    head = Offer.websocket().head
    assert [test.name for test in ALL if test.run(Server(), head)] == []
    assert check_head(Server(), head) is None
    assert decide(Server(), head).websocket


@pytest.mark.parametrize(
    ("host", "right"),
    [
        ("server.example.com", True), ("server.example.com:8101", True), ("127.0.0.1", True), ("[::1]:80", True),
        ("", True), ("a%20b", True), ("a:", True), ("a b", False), ("a:b", False), ("user@host", False),
        ("http://a", False), ("a/b", False), ("[::1", False), ("é", False), ("a, b", False), ("a,b", True),
    ],
)  # fmt: skip
def test_a_host_is_a_host_and_a_port(host, right):
    """Host has the grammar of uri-host and port, nothing else (RFC 9110, 7.2)."""
    answer = check_head(Server(), Offer.plain(host=host).head)
    assert (answer is None) is right
    assert right or answer.status == 400


@pytest.mark.parametrize("test", ALL, ids=lambda test: test.name)
@pytest.mark.parametrize(
    "offer", [Offer.websocket(), Offer.bare(), Offer(version="HTTP/1.0")], ids=["whole", "bare", "empty"]
)
def test_every_test_says_what_it_looked_at(test, offer):
    """Whatever the head, a test can tell in one line what it found."""
    assert re.fullmatch(r"[^\r\n]+", test.look(Server(), offer.head))


@pytest.mark.parametrize(
    ("told", "status", "carried"),
    [
        ({"redirect": "/there"}, 302, {"Location": "/there"}),
        ({"decline": 403}, 403, {}),
        ({"decline": 401}, 401, {"WWW-Authenticate": 'Basic realm="labkit"'}),
        ({"decline": 426}, 426, {"Upgrade": "websocket", "Connection": "Upgrade"}),
        ({"decline": Answer(307, "", (("location", "/x"),))}, 307, {"location": "/x"}),
        ({"decline": Answer(200, "come in")}, 200, {}),
    ],
)
def test_a_server_declines_as_it_is_told(told, status, carried):
    """An offer that could be taken is answered as the server is told, with what the status must carry (RFC 9110, 15)."""
    answer = decide(Server(**told), OFFER.head)
    assert answer.status == status
    assert dict(answer.fields) == carried


@pytest.mark.parametrize("told", [{"redirect": "/there"}, {"decline": 403}, {"ignore": True}])
@pytest.mark.parametrize(
    "offer",
    [Offer.plain(), OFFER.without("Connection"), Offer.custom("foo"), OFFER.but(version="HTTP/1.0")],
    ids=["plain", "not meant", "unknown", "HTTP/1.0"],
)
def test_what_is_told_bears_on_offers_alone(told, offer):
    """Where no upgrade is offered that is for this server, the answer is the plain page (RFC 9110, 7.8)."""
    assert decide(Server(**told), offer.head) is None


def test_an_offer_can_be_ignored():
    """A server may ignore an offer; what else it says of the path stays (RFC 9110, 7.8)."""
    assert decide(Server(ignore=True), OFFER.head) is None
    assert decide(Server(ignore=True, paths=("/a",)), OFFER.head).status == 404


def test_what_is_told_comes_before_the_tests_of_the_offer():
    """A decline does not look at the key; a broken head is refused all the same."""
    assert decide(Server(decline=403), Offer.bare().head).status == 403
    assert check_head(Server(decline=403), OFFER.without("Host").head).status == 400


def test_the_server_as_a_whole_has_no_path():
    """OPTIONS * asks about the server, whatever paths there are (RFC 9110, 9.3.7)."""
    told = Server(protocols={"TLS/1.0": echo}, paths=("/a",))
    assert decide(told, Offer.tls().head).protocol == "TLS/1.0"


def test_switching_unasked():
    """With the fault a plain GET is switched, to the first protocol; nothing else is (RFC 9110, 7.8)."""
    faulty = Server(faults=("unasked",), require=True)
    assert isinstance(decide(faulty, Offer.plain().head), Switch)
    assert decide(faulty, Offer.plain().but(method="HEAD").head).status == 426
    assert decide(faulty, Offer.custom("foo").head).status == 426
    assert decide(Server(faults=("unasked",), protocols={}), Offer.plain().head) is None
    assert dict(decide(Server(faults=("unasked",), protocols={"x": echo}), Offer.plain().head).fields) == {
        "Upgrade": "x",
        "Connection": "Upgrade",
    }


def test_tests_are_noted_on_request():
    """Who wants to know gets every test that was made, up to the one that was not passed, in order."""
    made = []
    assert decide(Server(), OFFER.without("Sec-WebSocket-Key").head, made).status == 400
    assert [test.name for test, _ in made][-2:] == ["the method is GET", "there is one key of 16 bytes"]
    assert [result for _, result in made[:-1]] == [None] * (len(made) - 1)


@pytest.mark.parametrize("value", ["?", "AAMAA", "AAMAAABkAA", "AAMAAABk AAMAAABk"])
def test_h2c_settings_must_be_readable(value):
    """HTTP2-Settings is the payload of a SETTINGS frame, in base64url (RFC 7540, 3.2.1)."""
    decision = decide(Server(protocols={"h2c": echo}), Offer.h2c(settings=value).head)
    assert (decision.status, decision.reason) == (400, "HTTP2-Settings is no row of settings in base64url")


@pytest.mark.parametrize(("count", "status"), [(0, 400), (1, None), (2, 400)])
def test_h2c_needs_one_settings_field(count, status):
    """A server must not upgrade to h2c where HTTP2-Settings is absent or repeated (RFC 7540, 3.2.1)."""
    offer = Offer.h2c()
    offer = offer.twice("HTTP2-Settings") if count == 2 else offer if count else offer.without("HTTP2-Settings")
    decision = decide(Server(protocols={"h2c": echo}), offer.head)
    assert decision.status == status if status else isinstance(decision, Switch)
