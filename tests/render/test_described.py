import pytest

from labkit.errors import WrongUse
from labkit.net.server import UpgradeServer
from labkit.parties.described import Server
from labkit.parties.faults import FAULTS
from labkit.parties.offer import Offer
from labkit.render.described import evaluate, faults
from labkit.scenario import Scenario
from labkit.simulation import simulate

OFFER = Offer.websocket()


def test_an_evaluation_draws_as_a_table():
    """Text and HTML hold every row, and the decision stands above them."""
    found = evaluate(Server(), OFFER.with_field("Sec-WebSocket-Version", "8"))
    bundle = found._repr_mimebundle_(include=None, exclude=None)
    assert bundle["text/plain"] == str(found)
    assert str(found).startswith("No switch: the answer is 426\n\ntest  ")
    assert "<caption>No switch: the answer is 426</caption>" in bundle["text/html"]
    for row in found.rows:
        assert all(word in str(found) for word in (*row.test.split(), *row.result.split()))
        assert f'<th scope="row"><div align="left">{row.test}</div></th>' in bundle["text/html"]


def test_what_it_comes_to():
    """The status, the protocol and a few words tell the decision."""
    switch = evaluate(Server(), OFFER)
    assert (switch.status, switch.protocol, switch.decision) == (101, "websocket", "Switch to websocket (101)")
    page = evaluate(Server(), Offer.plain())
    assert (page.status, page.protocol, repr(page)) == (200, "", "<Evaluation: No switch: the answer is 200>")
    assert evaluate(Server(), b"").decision == "No request, no answer"


def test_what_can_be_given():
    """A running server evaluates as it was told; a trace is its request. Anything else is refused."""
    assert evaluate(UpgradeServer(decline=403), OFFER) == evaluate(Server(decline=403), OFFER)
    assert evaluate(Server(), simulate(Scenario())) == evaluate(Server(), OFFER)
    with pytest.raises(WrongUse, match="server is a Server"):
        evaluate("server", OFFER)
    with pytest.raises(WrongUse, match="an Offer, bytes or a Trace"):
        evaluate(Server(), "GET /")


def test_faults_draw_as_a_table():
    """Every fault of the table has a row, written so that it can be given to a server."""
    table = faults()
    assert [row[0].partition("=")[0] for row in table.rows] == list(FAULTS)
    assert Server(faults=tuple(row[0] for row in table.rows)).faults
    assert {row[0]: row[3] for row in table.rows}["close"] == "none"
    bundle = table._repr_mimebundle_(include=None, exclude=None)
    assert bundle["text/plain"] == str(table)
    assert bundle["text/html"].count("<tr>") == len(FAULTS) + 1
    assert repr(table) == f"<Faults: {len(FAULTS)} of them>"
