import re

import pytest

from labkit.parties.decide import HEAD_TESTS, OFFER_TESTS, check_head, evaluate
from labkit.parties.described import Server
from labkit.parties.offer import Offer


@pytest.mark.parametrize("test", [*HEAD_TESTS, *OFFER_TESTS], ids=lambda test: test.name)
def test_every_test_names_its_clause(test):
    """What a server asks of a request stands beside the clause that asks for it."""
    assert re.match(r"RFC (6455|9110|9112), \d", test.clause)


def test_a_right_offer_passes_every_test():
    """The RFC's own offer is found faultless, test by test."""
    head = Offer.websocket().head
    assert [test.name for test in (*HEAD_TESTS, *OFFER_TESTS) if test.run(Server(), head)] == []
    assert check_head(Server(), head) is None
    assert evaluate(Server(), head).websocket


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
