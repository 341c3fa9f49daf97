"""The rule base, shown: `rulebook()` as a table, `rulebook("G02")` for one rule in full."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from labkit.errors import WrongUse
from labkit.render.measure import wrap
from labkit.rules import RULES, Level, Rule, find

__all__ = ["Rulebook", "rulebook"]

_WIDTH = 80  # columns
_SUBJECTS = {
    "G": "HTTP", "H": "h2c and TLS", "I": "proxies", "O": "bytes sent too early",
    "W": "WebSocket's opening handshake", "X": "WebSocket's frames",
}  # fmt: skip


def rulebook(name: str = "") -> Rulebook:
    """Return the rules the lab knows; draws itself as a table.

    Args:
        name: the id of one rule, in either case; all of them unless told.

    Raises:
        WrongUse: there is no such rule, or `name` is no text.

    >>> rulebook("g02")
    <Rulebook: G02>
    """
    if not isinstance(name, str):
        raise WrongUse(f"a rule is named by its id, a text such as 'G02', not {name!r}")
    return Rulebook((find(name),) if name else RULES)


@dataclass(frozen=True)
class Rulebook:
    """Rules; a book of one rule tells it in full.

    Args:
        rules: the rules, in the order of the rule base.
    """

    rules: tuple[Rule, ...]

    @property
    def subjects(self) -> tuple[tuple[str, tuple[Rule, ...]], ...]:
        """The rules by their subject, which the letter of their ids says, each with its heading."""
        by_letter = groupby(self.rules, key=lambda rule: rule.id[0])
        return tuple((f"{letter}: {_SUBJECTS[letter]}", tuple(rules)) for letter, rules in by_letter)

    @property
    def summary(self) -> str:
        """How many there are, and how many of them are checked."""
        checked = sum(1 for rule in self.rules if rule.check)
        unseen = sum(1 for rule in self.rules if rule.reason)
        free = len(self.rules) - checked - unseen
        return (
            f"{len(self.rules)} rules: {checked} checked by code, {unseen} that no trace can show, "
            f"{free} that permit or state facts"
        )

    def __str__(self) -> str:
        if len(self.rules) == 1:
            return "\n".join(_in_full(self.rules[0]))
        lines = wrap(self.summary, _WIDTH)
        for heading, rules in self.subjects:
            lines += ["", f"── {heading}"]
            for rule in rules:
                lines += ["", *_in_short(rule)]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Rulebook: {self.rules[0].id if len(self.rules) == 1 else self.summary}>"

    def html(self) -> str:
        """Return the table as HTML that needs no style."""
        from labkit.render.html import table  # noqa: PLC0415  a terminal needs none of it

        if len(self.rules) == 1:
            return table(("Rule", self.rules[0].id), _rows(self.rules[0]))
        rows: list[tuple[str, ...]] = []
        for heading, rules in self.subjects:
            rows.append((heading,))
            rows += [
                (rule.id, rule.who, rule.level, rule.clause, rule.text, _switch(rule), how_checked(rule))
                for rule in rules
            ]
        return table(("Rule", "Who", "Level", "Clause", "What it says", "The switch", "Check"), rows, self.summary)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002
        return {"text/plain": str(self), "text/html": self.html()}


def how_checked(rule: Rule) -> str:
    """Say whether a rule is checked, and if not, why."""
    if rule.check:
        return "checked by code"
    if rule.reason:
        return f"not checked: {rule.reason}"
    return "states a fact" if rule.level is Level.FACT else "permits, so nobody can break it"


def _switch(rule: Rule) -> str:
    return "hangs on it" if rule.switch else ""


def _rows(rule: Rule) -> list[tuple[str, str]]:
    rows = [
        ("who", rule.who), ("level", rule.level), ("clause", rule.clause), ("says", rule.text),
        ("the switch", _switch(rule)), ("to mend", rule.mend), ("check", how_checked(rule)),
    ]  # fmt: skip
    return [(name, text) for name, text in rows if text]


def _in_full(rule: Rule) -> list[str]:
    lines = [rule.id]
    for name, text in _rows(rule):
        pieces = wrap(text, _WIDTH - 14, 12)
        lines += [f"  {name if not number else '':10}  {piece}" for number, piece in enumerate(pieces)]
    return lines


def _in_short(rule: Rule) -> list[str]:
    told = how_checked(rule) + ("; the switch hangs on it" if rule.switch else "")
    pieces = [piece for text in (rule.text, told) for piece in wrap(text, _WIDTH - 5, 6)]
    return [f"{rule.id}  {rule.level}, {rule.who}, {rule.clause}", *(f"     {piece}" for piece in pieces)]
