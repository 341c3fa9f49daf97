"""The variations that were tried, with what came of each; a frozen list that can be written and read again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from labkit.errors import Unreadable, WrongUse
from labkit.variations.changes import changes
from labkit.variations.variation import Variation

__all__ = ["LARGEST", "MOST", "VERSION", "History", "Tried"]

MOST = 50
"""Rows that are kept; the oldest go first."""

LARGEST = 4 << 20
"""Characters of a history that is read."""

VERSION = 1
"""Of the form in which a history is written."""

_MOST_WORDS = 300  # characters of what came


@dataclass(frozen=True)
class Tried:
    """A row: a variation, and what came.

    Args:
        number: its number; it stays, whatever goes before it.
        variation: every knob.
        guess: what the learner said would come; empty where nobody asked.
        predicted: what the simulation came to, in a few words; empty where it could not tell.
        observed: what the run came to; empty where it was not run.
        differences: how many rows the two differ in, not counting what the client adds by itself; None without a run.
    """

    number: int
    variation: Variation
    guess: str = ""
    predicted: str = ""
    observed: str = ""
    differences: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return {
            "number": self.number, "variation": self.variation.as_json(), "guess": self.guess,
            "predicted": self.predicted, "observed": self.observed, "differences": self.differences,
        }  # fmt: skip


@dataclass(frozen=True)
class History:
    """Every row, the oldest first; at most `MOST`.

    Args:
        rows: the rows.
        gone: how many went because there were too many.

    >>> history = History().kept(Variation(), predicted="Declined: refused (400)")
    >>> history.rows[0].number, history.changed(1)
    (1, ('the first one',))
    """

    rows: tuple[Tried, ...] = ()
    gone: int = 0

    def kept(self, variation: Variation, **came: Any) -> History:
        """Return it with a variation at its end; where the last row is that variation, with what came added to it.

        Args:
            variation: every knob.
            came: guess, predicted, observed and differences of the row.
        """
        came = {name: value[:_MOST_WORDS] if isinstance(value, str) else value for name, value in came.items()}
        if self.rows and self.rows[-1].variation == variation:
            return replace(self, rows=(*self.rows[:-1], replace(self.rows[-1], **came)))
        number = self.rows[-1].number + 1 if self.rows else 1
        rows = (*self.rows, Tried(number, variation, **came))
        return History(rows[-MOST:], self.gone + max(len(rows) - MOST, 0))

    def row(self, number: int) -> Tried:
        """Return a row by its number.

        Raises:
            WrongUse: there is none.
        """
        for each in self.rows:
            if each.number == number:
                return each
        raise WrongUse(f"the history has no row {number}; it has {', '.join(str(each.number) for each in self.rows)}")

    def changed(self, number: int) -> tuple[str, ...]:
        """Return what a row differs in from the one before it, in words."""
        place = self.rows.index(self.row(number))
        if not place:
            return ("the first one",)
        return changes(self.rows[place - 1].variation, self.rows[place].variation) or ("nothing",)

    def written(self) -> str:
        """Return it as a text of JSON, with the version of its form."""
        plain = {"labkit": "workbench", "version": VERSION, "gone": self.gone}
        return json.dumps({**plain, "rows": [each.as_json() for each in self.rows]}, ensure_ascii=False, indent=1)

    @classmethod
    def read(cls, text: str) -> History:
        """Return the history that a text of JSON holds.

        Raises:
            Unreadable: it holds none, or one of a newer form; the message tells the row.
        """
        if len(text) > LARGEST:
            raise Unreadable(f"the file has {len(text)} characters; the workbench reads at most {LARGEST}")
        try:
            plain = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"this is no JSON: {error}") from None
        if not isinstance(plain, Mapping) or plain.get("labkit") != "workbench":
            raise Unreadable("this is no history of the workbench: it does not begin with what the workbench writes")
        if plain.get("version") != VERSION:
            raise Unreadable(f"this history is of form {plain.get('version')!r}; this labkit reads form {VERSION}")
        rows = plain.get("rows")
        if not isinstance(rows, list) or len(rows) > MOST:
            raise Unreadable(f"a history has a list of at most {MOST} rows")
        gone = plain.get("gone", 0)
        return cls(tuple(map(_row, rows, range(1, len(rows) + 1))), gone if type(gone) is int and gone >= 0 else 0)


def _row(plain: Any, place: int) -> Tried:
    if not isinstance(plain, Mapping):
        raise Unreadable(f"row {place}: it is no object")
    texts = {name: plain.get(name, "") for name in ("guess", "predicted", "observed")}
    number, count = plain.get("number", place), plain.get("differences")
    wrong = [name for name, value in texts.items() if not isinstance(value, str) or len(value) > _MOST_WORDS]
    wrong += ["number"] if type(number) is not int or number < 1 else []
    wrong += ["differences"] if count is not None and type(count) is not int else []
    if wrong:
        raise Unreadable(f"row {place}: {wrong[0]} is not what the workbench writes there")
    try:
        return Tried(number, Variation.of_json(plain.get("variation")), differences=count, **texts)
    except Unreadable as error:
        raise Unreadable(f"row {place}: {error}") from None
