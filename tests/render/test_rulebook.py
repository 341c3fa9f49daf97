import re

import pytest

from labkit.errors import WrongUse
from labkit.render.rulebook import Rulebook, how_checked, rulebook
from labkit.rules import RULES, Level, Rule, Who


def test_the_book_counts_its_rules():
    """The heading counts what is checked by code, what no trace can show, and what binds nobody; together, all."""
    numbers = [int(each) for each in re.findall(r"\d+", rulebook().summary)]
    assert numbers[0] == len(RULES) == sum(numbers[1:])
    assert " ".join(str(rulebook()).split()).startswith(rulebook().summary)
    assert f"<caption>{rulebook().summary}</caption>" in rulebook().html()


def test_every_rule_is_in_both_forms():
    """Text and HTML hold every rule with its clause, and the text keeps within 80 columns."""
    text, table = str(rulebook()), rulebook().html()
    assert max(map(len, text.splitlines())) <= 80
    for rule in RULES:
        assert re.search(rf"^{rule.id}  {rule.level}, {rule.who}, {re.escape(rule.clause)}$", text, re.MULTILINE)
        assert f'<th scope="row"><div align="left">{rule.id}</div></th>' in table


def test_one_rule_in_full():
    """By its id, in either case: who, level, clause, what it says, what mends it, whether it is checked."""
    text = str(rulebook("g02"))
    for piece in ("G02", "any sender", "MUST", "RFC 9110, 7.8", "hangs on it", "checked by code"):
        assert piece in text
    assert "hangs on it" in rulebook("G02").html()
    assert repr(rulebook("g02")) == "<Rulebook: G02>"
    assert max(map(len, text.splitlines())) <= 80


def test_an_unknown_rule_is_wrong_use():
    """It is named, and what there is instead."""
    with pytest.raises(WrongUse, match="there is no rule 'Z1'"):
        rulebook("Z1")


def test_a_book_shows_itself_in_a_notebook():
    """HTML, and text where there is no HTML."""
    book = rulebook("G02")
    assert book._repr_mimebundle_() == {"text/plain": str(book), "text/html": book.html()}


@pytest.mark.parametrize(
    ("level", "check", "reason", "told"),
    [
        (Level.MUST, lambda _: (), "", "checked by code"),
        (Level.MUST, None, "it happens inside", "not checked: it happens inside"),
        (Level.MAY, None, "", "permits, so nobody can break it"),
        (Level.FACT, None, "", "states a fact"),
    ],
)
def test_every_rule_says_how_it_is_checked(level, check, reason, told):
    """By code, not and why, or not at all because it cannot be broken."""
    rule = Rule("Z1", Who.CLIENT, "RFC 1", level, "Says.", check=check, reason=reason)
    assert how_checked(rule) == told
    assert told in " ".join(str(Rulebook((rule,))).split())
