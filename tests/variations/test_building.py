import pytest

from labkit.dissection import dissect
from labkit.parties.offer import Offer
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.variations.building import build, predict
from labkit.variations.variation import FieldLine, Middle, Variation

WHOLE = Variation.offering(Offer.websocket())


def status(variation: Variation) -> int | None:
    return dissect(predict(variation).trace).exchange.status


def test_a_variation_is_the_scenario_that_it_says():
    """A variation that nobody turned is the scenario of its offer."""
    assert predict(WHOLE).trace == simulate(Scenario(Offer.websocket(), patience=2.0))


def test_lines_that_are_off_are_not_sent():
    """Only lines that are on go out, in their order, those of the free text behind them."""
    made = build(WHOLE.switched("Connection", on=False).but(free="X-One: 1\n\nX-Two:2"))
    assert [name for name, _ in made.scenario.offer.fields][-3:] == ["Sec-WebSocket-Version", "X-One", "X-Two"]
    assert "Connection" not in made.scenario.offer.fields


@pytest.mark.parametrize(
    ("knobs", "came"),
    [
        ({"answer": "ignore"}, 200),
        ({"answer": "redirect"}, 302),
        ({"answer": "decline", "status": "418"}, 418),
        ({"answer": "require", "protocols": "quote/1.0"}, 426),
        ({"origins": "http://a", "free": "Origin: http://b"}, 403),
        ({"faults": ("close",)}, None),
    ],
)
def test_every_knob_of_the_server_is_heard(knobs, came):
    """What the server is told decides the answer."""
    assert status(WHOLE.but(**knobs)) == came


@pytest.mark.parametrize(
    ("knobs", "knob", "said"),
    [
        ({"method": ""}, "method", "one word"),
        ({"target": "/a b"}, "target", "one word"),
        ({"version": "HTTP/1.1\r\nX: 1"}, "version", "one word"),
        ({"lines": (FieldLine("Host", "a"), FieldLine("X", "ü\u2603"))}, "lines:1", "X"),
        ({"lines": (FieldLine("X", "a\r\nY: b"),)}, "lines:0", "over the end of its line"),
        ({"free": "Host: a\nnonsense"}, "free", "line 2"),
        ({"free": ": empty"}, "free", "line 1"),
        ({"say": "\n" * 20}, "say", "at most 8"),
        ({"middles": (Middle("nginx", "location / {"),)}, "middles:0", "line"),
        (
            {"middles": (Middle("nginx", "location / { proxy_pass http://a; }"), Middle("apache", "<Bad"))},
            "middles:1",
            "",
        ),
        (
            {"middles": (Middle("nginx", "location / { proxy_pass http://a; mirror /x; }"),)},
            "middles:0",
            "mirror",
        ),
        ({"protocols": "a b"}, "protocols", "protocol"),
        ({"subprotocols": "a b"}, "subprotocols", "subprotocols"),
        ({"origins": "ü"}, "origins", "origins"),
        ({"faults": ("cut",)}, "faults:cut", "cut=20"),
        ({"faults": ("close", "close")}, "faults", "twice"),
        ({"answer": "decline", "status": "101"}, "answer", "200 to 599"),
        ({"answer": "redirect", "location": ""}, "answer", "say where to"),
        ({"answer": "ignore", "protocols": ""}, "answer", "no protocol"),
        ({"answer": "absent"}, "answer", "nothing listens"),
    ],
)
def test_what_is_wrong_is_told_beside_its_knob(knobs, knob, said):
    """One knob is wrong, and it alone is named."""
    found = predict(WHOLE.but(**knobs))
    assert found.trace is None
    assert list(found.troubles) == [knob]
    assert said in found.troubles[knob]


def test_several_wrong_knobs_are_told_at_once():
    """A learner need not mend one to hear of the next."""
    found = build(WHOLE.but(target="", free="x", faults=("none",), middles=(Middle("nginx", "{"),)))
    assert set(found.troubles) == {"target", "free", "faults:none", "middles:0"}


def test_what_no_model_answers_can_still_be_run():
    """A directive that the model does not know is told beside its proxy, and the scenario is there to be run."""
    found = predict(WHOLE.but(middles=(Middle("nginx", "location / { proxy_pass http://a; mirror /x; }"),)))
    assert list(found.troubles) == ["middles:0"]
    assert found.scenario is not None


def test_another_client_is_predicted_by_the_labs_own():
    """In memory the lab's own client asks; the scenario to run has the program."""
    found = predict(WHOLE.but(client="curl"))
    assert found.scenario.client == "curl"
    assert found.trace == predict(WHOLE).trace
