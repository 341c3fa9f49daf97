import json
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.errors import Unreadable, WrongUse
from labkit.parties.offer import Offer
from labkit.variations.building import build, predict
from labkit.variations.variation import LONGEST, LONGEST_LINE, MOST_LINES, FieldLine, Middle, Variation

LINE = FieldLine("Host", "a")
TEXTS = [each.name for each in fields(Variation) if each.type == "str" and each.name not in ("client", "answer")]


def test_an_offer_becomes_knobs():
    """The request line and every field line of an offer can be turned by itself."""
    made = Variation.offering(Offer.websocket("/chat", subprotocols=("a",)), say="Hi")
    assert (made.method, made.target, made.version, made.say) == ("GET", "/chat", "HTTP/1.1", "Hi")
    assert [each.name for each in made.lines][-1] == "Sec-WebSocket-Protocol"
    assert all(each.on for each in made.lines)


def test_a_field_line_is_switched_off_by_name():
    """Every line of the name is left out, whatever its letters; the others stay."""
    made = Variation.offering(Offer.websocket()).switched("UPGRADE", on=False)
    assert [each.name for each in made.lines if not each.on] == ["Upgrade"]


@given(st.sampled_from(TEXTS), st.text(max_size=60))
def test_any_text_in_any_knob_is_told_or_simulated(knob, text):
    """Whatever is typed, the variation survives being written and read, and predicting it raises nothing."""
    made = Variation(lines=(LINE,)).but(**{knob: text})
    assert Variation.read(made.written()) == made
    assert build(made).troubles.keys() <= {knob, "answer"}
    found = predict(made)
    assert (found.trace is None) == bool(found.troubles)


@given(st.text(max_size=200), st.sampled_from(["nginx", "apache"]))
def test_any_configuration_is_told_or_simulated(text, program):
    """Whatever is typed as a configuration, what is wrong stands beside that proxy."""
    found = predict(Variation(middles=(Middle(program, text),)))
    assert found.troubles.keys() <= {"middles:0"}


@pytest.mark.parametrize(
    ("knobs", "said"),
    [
        ({"target": "x" * (LONGEST_LINE + 1)}, "at most 2000"),
        ({"free": "x" * (LONGEST + 1)}, "at most 20000"),
        ({"middles": [("nginx", "x" * (LONGEST + 1))]}, "at most 20000"),
        ({"middles": [("nginx", "")] * 3}, "at most 2"),
        ({"middles": [("caddy", "")]}, "one of nginx, apache"),
        ({"lines": [LINE] * (MOST_LINES + 1)}, "at most 40"),
        ({"lines": [("a", "b", 1)]}, "True or False"),
        ({"lines": "Host: a"}, "lines is a list"),
        ({"faults": [1]}, "is a text"),
        ({"client": "wget"}, "one of lab"),
        ({"answer": ""}, "one of agree"),
        ({"method": None}, "method is a text"),
        ({"method": "\ud800"}, "half a character"),
        ({"lines": [("a", "\udfff", True)]}, "half a character"),
    ],
)
def test_what_is_no_variation_is_told(knobs, said):
    """Kinds and sizes are bounded; a file that breaks a bound is unreadable for the same reason."""
    with pytest.raises(WrongUse, match=said):
        Variation(**knobs)
    with pytest.raises(Unreadable, match=said):
        Variation.read(json.dumps(knobs))


@pytest.mark.parametrize(
    ("text", "said"), [("{", "no JSON"), ("[]", "object of JSON"), ('{"lins": 1}', "no knob 'lins'")]
)
def test_what_is_no_file_of_a_variation_is_told(text, said):
    """What cannot be read is told in a sentence."""
    with pytest.raises(Unreadable, match=said):
        Variation.read(text)
