import re

import pytest

from labkit.errors import WrongUse
from labkit.render.pen import escape
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


def test_rules_stand_under_their_subjects():
    """Every rule of the book stands once, under the heading of its letter, in text and in HTML."""
    book = rulebook()
    assert [heading for heading, _ in book.subjects] == [
        "G: HTTP", "H: h2c and TLS", "I: proxies", "O: bytes sent too early",
        "W: WebSocket's opening handshake", "X: WebSocket's frames",
    ]  # fmt: skip
    assert tuple(rule for _, rules in book.subjects for rule in rules) == RULES
    text, table = str(book), book.html()
    for heading, rules in book.subjects:
        assert {rule.id[0] for rule in rules} == {heading[0]}
        assert text.index(f"\n── {heading}\n\n{rules[0].id}  ") > 0
        across = f'<tr><th colspan="7" scope="rowgroup"><div align="left">{escape(heading)}</div></th></tr>\n'
        assert f'{across}<tr><th scope="row"><div align="left">{rules[0].id}</div>' in table


@pytest.mark.parametrize("name", [5, None, ["G02"]])
def test_a_rule_is_named_by_a_text(name):
    """Anything else is refused in one line."""
    with pytest.raises(WrongUse, match="a rule is named by its id, a text such as 'G02', not"):
        rulebook(name)
