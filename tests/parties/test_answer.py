import re

import pytest

from labkit.dissection import dissect
from labkit.errors import WrongUse
from labkit.parties.answer import CARRIED, Answer, checked, phrase
from labkit.parties.described import Server
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Direction


@pytest.mark.parametrize("row", CARRIED, ids=lambda row: f"{row.name} {row.statuses[0]}")
def test_what_a_status_carries_is_filled_in(row):
    """A status that asks for a field line gets it, beside the clause (RFC 9110, 15); one's own value stays."""
    assert re.match(r"RFC 9110, (15\.|7\.8)", row.clause)
    for status in row.statuses:
        assert row.name in dict(Answer(status).completed("a, b").fields)
        own = Answer(status, "", ((row.name.upper(), "own"),)).completed()
        assert [value for name, value in own.fields if name.lower() == row.name.lower()] == ["own"]
        assert own.completed() == own


def test_a_426_asks_for_the_servers_own_protocols():
    """Upgrade in a 426 names what the server can switch to (RFC 9110, 15.5.22)."""
    assert dict(Answer(426).completed("quote/1.0").fields) == {"Upgrade": "quote/1.0", "Connection": "Upgrade"}


@pytest.mark.parametrize("status", [200, 204, 299, 403, 599])
def test_other_statuses_carry_nothing(status):
    """Where no field line is asked for, none is added."""
    assert checked(status).completed().fields == ()
    assert checked(status).status == status


def test_any_final_status_can_be_told():
    """Every status from 200 to 599 is sent as it was told, registered or not, and read as such (RFC 9110, 15)."""
    for number in range(200, 600):
        trace = simulate(Scenario(server=Server(decline=number)))
        assert dissect(trace).hops[0].exchange.status == number
        assert trace.note == "simulated"
        assert {trace.end(way) for way in Direction} == {"fin"}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("403", "status code or an Answer"), (True, "status code or an Answer"), (199, "not 199"), (600, "not 600"),
        (Answer("403"), "not '403'"), (Answer(403, b"no"), "reason of an answer is a text"),
        (Answer(403, "", "ab"), "pairs"), (Answer(403, "", ("ab",)), "pairs"), (Answer(403, "", 5), "pairs"),
        (Answer(403, "", (("a b", "c"),)), "is no field line"), (Answer(403, "", (("a", "b\r\nc: d"),)), "is no field line"),
        (Answer(403, "", (("a", 5),)), "pairs"), (Answer(403, "", (("Content-Length", "5"),)), "written by the server"),
    ],
)  # fmt: skip
def test_an_answer_that_could_not_be_sent_is_named(given, named):
    """What is given for an answer is checked when the server is described."""
    with pytest.raises(WrongUse, match=re.escape(named)):
        checked(given)


def test_phrases():
    """A registered status has its phrase; another has none, and needs none (RFC 9112, 4)."""
    assert (phrase(101), phrase(299)) == ("Switching Protocols", "")
