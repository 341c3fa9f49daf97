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


def test_the_row_that_declines_is_marked():
    """One row of a declined offer has the sign, the one that decides; where nothing is declined none has."""
    found = evaluate(Server(), OFFER.but(method="DELETE"))
    assert str(found).count("✗") == found._repr_mimebundle_()["text/html"].count("✗ declined: 405") == 1
    assert "✗" not in str(evaluate(Server(), OFFER))
    assert not any("✗" in row.result for row in found.rows)


def test_an_evaluation_shows_no_secret():
    """A token in the target or in a subprotocol is starred out, as in a diagram."""
    bearer = "base64url.bearer.authorization.k8s.io.S3CR3T"
    found = evaluate(Server(), Offer.websocket("/?token=S3CR3T").with_field("Sec-WebSocket-Protocol", bearer))
    assert "S3CR3T" not in str(found._repr_mimebundle_())
    assert found.status == 101


def test_a_fault_names_the_rules_by_protocol():
    """Where it depends on the protocol which rule is broken, both are named, websocket's first."""
    rules = {row[0].partition("=")[0]: row[3] for row in faults().rows}
    assert rules["no-upgrade"] == "W24; another protocol: G04"
    assert rules["no-connection"] == "W24; another protocol: G02"
    assert (rules["accept-absent"], rules["bare-lf"], rules["late"]) == ("W24", "G31", "none")
    assert "G43, a note" in dict(row[:2] for row in faults().rows)["garbage"]
