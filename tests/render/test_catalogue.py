from __future__ import annotations

import re

import pytest

import labkit
from labkit.cases.catalogue import failures
from labkit.errors import Unmodelled, WrongUse
from labkit.render.catalogue import case, catalogue
from labkit.simulation import simulate


def test_the_whole_catalogue():
    """The catalogue draws itself as a table of all cases, in text and in HTML, the most frequent first."""
    found = labkit.catalogue()
    assert [each.name for each in found] == [each.name for each in failures()]
    assert str(found).startswith("40 cases, the most frequent first\n\ncase ")
    bundle = found._repr_mimebundle_(include=None)
    assert bundle["text/plain"] == str(found)
    assert bundle["text/html"].count("<tr>") == 41
    assert repr(found) == "<Catalogue: 40 cases>"


def test_a_message_is_looked_for():
    """A message brings the cases it speaks of, the likeliest first, with what else is to be said of it."""
    found = catalogue("1006")
    assert found.failures[0].name == "idle-timeout"
    assert "1006 is never sent" in " ".join(str(found).split())
    assert repr(catalogue("AH01144")) == "<Catalogue: 1 case>"


@pytest.mark.parametrize(
    ("words", "name"),
    [("smallest timeout", "idle-timeout"), ("W31", "wrong-accept"), ("ResponseWriter", "middleware-hides-socket")],
)
def test_words_are_looked_for(words, name):
    """What no message knows is looked for in the texts of the cases, whatever its case."""
    assert name in [each.name for each in catalogue(words.upper())]


def test_nothing_is_found():
    """A text of which no case speaks gives an empty catalogue, which says so; what is no text is refused."""
    assert str(catalogue("xyzzy")) == "0 cases for 'xyzzy', the likeliest first"
    assert len(catalogue(" ")) == 40
    with pytest.raises(WrongUse, match="looked for by a text, such as '1006', not 1006"):
        catalogue(1006)


@pytest.mark.parametrize("name", [each.name for each in failures()])
def test_a_case_in_full(name):
    """A case tells all that the catalogue has of it, in lines that fit a terminal, and in HTML."""
    shown = labkit.case(name)
    text = " ".join(str(shown).split())
    told = (shown.failure.title, shown.failure.wire, shown.failure.fix, shown.failure.clause)
    assert all(" ".join(part.split()) in text for part in told)
    assert all(len(line) <= 100 for line in str(shown).splitlines())
    bundle = shown._repr_mimebundle_()
    assert (bundle["text/plain"], repr(shown)) == (str(shown), f"<Case: {name}>")
    assert bundle["text/html"].count("<tr>") == len(shown.rows) + 1


def test_lines_of_a_program_stay_as_they_are():
    """What is to be pasted keeps its indentation."""
    assert re.search(r"^ {14}    default upgrade;$", str(case("proxy-drops-upgrade")), re.MULTILINE)


def test_the_scenarios_of_a_case():
    """A case has a broken and a fixed scenario; one that is not reproduced says why it has none."""
    shown = case("origin-refused")
    assert b"403" in simulate(shown.broken).stream(labkit.Direction.TO_CLIENT)
    assert b"101" in simulate(shown.fixed).stream(labkit.Direction.TO_CLIENT)
    with pytest.raises(Unmodelled, match="mixed-content is not reproduced: no byte crosses"):
        _ = case("mixed-content").broken
    with pytest.raises(WrongUse, match="did you mean 'mixed-content'"):
        case("mixd-content")
