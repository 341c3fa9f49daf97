import pytest

from labkit.errors import Unmodelled, WrongUse
from labkit.parties.offer import Offer
from labkit.proxies.model import Fate
from labkit.render.xray import xray
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Direction, Hop, Trace, Transfer
from tests.proxies.plain import PlainProxy

SCENARIO = Scenario(via=(PlainProxy("plain"),))
HOPS = (Hop("client", "plain"), Hop("plain", "server"))


class NoModel(PlainProxy):
    def model(self):
        raise Unmodelled("there is no model of it: run it for real")


def crossed(came: bytes, went: bytes) -> Trace:
    return Trace((Transfer(0, Direction.TO_SERVER, came), Transfer(1, Direction.TO_SERVER, went)), HOPS)


def test_a_line_that_the_proxy_adds_is_told_with_what_did_it():
    """Via was added, and the model knows by what."""
    found = xray(SCENARIO)
    via = found.passages[0].lines[-1]
    assert (via.name, via.fate, via.went, via.by) == ("Via", Fate.ADDED, "1.1 plain", "the plain proxy")
    assert found.fate("Upgrade") is Fate.FORWARDED


def test_each_head_has_its_passage():
    """The request on its way there, and the answer on its way back."""
    assert [each.heading for each in xray(SCENARIO).passages] == [
        "The request: client → plain → server",
        "The answer: server → plain → client",
    ]


def test_every_fate_is_read_from_the_heads():
    """A trace shows what was forwarded, rewritten, added and dropped, whatever the model says."""
    came = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nTE: trailers\r\n\r\n"
    went = b"GET / HTTP/1.0\r\nHost: b\r\nUpgrade: x\r\nVia: 1.1 y\r\n\r\n"
    found = xray(SCENARIO, crossed(came, went))
    fates = {line.name: line.fate for line in found.passages[0].lines}
    assert fates == {"Host": Fate.REWRITTEN, "Upgrade": Fate.FORWARDED, "TE": Fate.DROPPED, "Via": Fate.ADDED}


def test_what_did_it_is_not_known_where_the_model_made_other_heads():
    """The model's word counts only where its heads are those of the trace."""
    came, went = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nVia: 9 z\r\n\r\n"
    assert {line.by for line in xray(SCENARIO, crossed(came, went)).passages[0].lines} == {"not known"}


def test_a_recorded_trace_that_equals_the_model_is_explained():
    """The same heads, recorded elsewhere, are told with what did it."""
    assert xray(SCENARIO, simulate(SCENARIO)).passages == xray(SCENARIO).passages


def test_a_proxy_without_a_model_still_shows_its_heads():
    """What became of each line is there; what did it is not known, and the note says why."""
    found = xray(Scenario(via=(NoModel("x"),)), simulate(SCENARIO))
    assert found.passages[0].lines[-1].by == "not known"
    assert "there is no model of it" in found.notes[0]
    with pytest.raises(Unmodelled):
        xray(Scenario(via=(NoModel("x"),)))


def test_secrets_are_starred_out():
    """A cookie does not get into a table that is shown around."""
    scenario = Scenario(Offer.websocket().with_field("Cookie", "id=hidden"), via=(PlainProxy("x"),))
    assert "hidden" not in str(xray(scenario))


def test_it_draws_as_tables():
    """In a notebook it is HTML tables with a caption each; in a terminal, text."""
    bundle = xray(SCENARIO)._repr_mimebundle_()
    assert bundle["text/html"].count("<caption>") == 2
    assert "+ added" in bundle["text/plain"]
    assert "+\u00a0added" in bundle["text/html"]


@pytest.mark.parametrize("given", [Scenario(), "a trace", None])
def test_there_must_be_a_proxy(given):
    """Without a proxy there is nothing to look into."""
    with pytest.raises(WrongUse, match="with a proxy in it"):
        xray(given)
