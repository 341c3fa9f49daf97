"""The failure catalogue, shown: `catalogue()` as a table, `catalogue("1006")` searched, `case(name)` in full."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from labkit.cases.catalogue import Failure, failure, failures
from labkit.cases.reproduced import REPRODUCED, reproduced
from labkit.cases.symptoms import notes, plain, recognise
from labkit.errors import WrongUse
from labkit.render.columns import text_table
from labkit.render.html import table
from labkit.render.measure import clean, wrap
from labkit.scenario import Scenario

__all__ = ["Catalogue", "ShownCase", "case", "catalogue"]

_NAMES = ("case", "what goes wrong", "who", "reproduced")
_WIDTH = 80  # columns
_LABEL = 12  # columns, for what a line tells


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Failures of upgrades as people meet them. Draws itself as a table; `case(name)` tells one in full.

    Args:
        failures: the failures, in their order.
        about: what was asked for; empty for all of them.
    """

    failures: tuple[Failure, ...]
    about: str = ""

    @property
    def rows(self) -> tuple[tuple[str, str, str, str], ...]:
        """The rows of the table."""
        return tuple((each.name, each.title, each.party, _how(each)) for each in self.failures)

    @property
    def summary(self) -> str:
        """How many there are, and what else is to be said."""
        about = f" for {clean(self.about, 60)!r}, the likeliest first" if self.about else ", the most frequent first"
        many = f"{len(self.failures)} case{'' if len(self.failures) == 1 else 's'}{about}"
        return ". ".join([many, *(note.removesuffix(".") for note in notes(self.about))])

    def __iter__(self) -> Iterator[Failure]:
        return iter(self.failures)

    def __len__(self) -> int:
        return len(self.failures)

    def __str__(self) -> str:
        lines = wrap(self.summary, _WIDTH, 6)
        return "\n".join([*lines, "", text_table(_NAMES, self.rows)] if self.failures else lines)

    def __repr__(self) -> str:
        return f"<Catalogue: {len(self)} case{'' if len(self) == 1 else 's'}>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": table(_NAMES, self.rows, self.summary)}


def catalogue(about: str = "") -> Catalogue:
    """Return the failure catalogue, or the part of it that a message or a few words speak of.

    Args:
        about: an error message, lines of a log, or words; all failures unless told. What the messages of the
            failures do not know is looked for in their texts.

    Raises:
        WrongUse: `about` is no text.

    >>> catalogue("AH01144").rows[0][0]
    'apache-no-scheme-handler'
    >>> len(catalogue())
    40
    """
    if not isinstance(about, str):
        raise WrongUse(f"cases are looked for by a text, such as '1006', not {about!r}")
    if not about.strip():
        return Catalogue(failures())
    found = recognise(about)
    return Catalogue(found or tuple(each for each in failures() if _speaks(each, about)), about)


def _speaks(each: Failure, about: str) -> bool:
    """Tell whether all words are in the texts of a failure."""
    text = " ".join((each.name, each.title, each.party, each.wire, each.cause, each.fix, *each.rules)).lower()
    words = [word.lower() for line in plain(about) for word in line.split()]
    return bool(words) and all(word in text for word in words)


def case(name: str) -> ShownCase:
    """Return one failure of the catalogue, with its scenarios: `case("wrong-accept").broken`.

    Args:
        name: its name, as the catalogue has it.

    Raises:
        WrongUse: there is none of that name.

    >>> case("wrong-accept")
    <Case: wrong-accept>
    """
    return ShownCase(failure(name))


@dataclass(frozen=True, slots=True)
class ShownCase:
    """One failure in full. Draws itself; `broken` and `fixed` are its scenarios.

    Args:
        failure: the failure.
    """

    failure: Failure

    @property
    def broken(self) -> Scenario:
        """The scenario that fails.

        Raises:
            Unmodelled: it is not reproduced.
        """
        return reproduced(self.failure.name).broken()

    @property
    def fixed(self) -> Scenario:
        """The same, mended.

        Raises:
            Unmodelled: it is not reproduced.
        """
        return reproduced(self.failure.name).fixed()

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """What is told, each with a heading."""
        each = self.failure
        rows = [
            ("at fault", each.party),
            *(("you see", f"{symptom.where}: {symptom.text}") for symptom in each.symptoms),
            ("the wire", each.wire), ("the cause", each.cause), ("the fix", each.fix),
            *((line.program, line.text) for line in each.lines),
            ("the rules", ", ".join(each.rules)), ("clauses", each.clause), ("proved by", each.prove),
            ("reproduced", "; ".join(text for text in (_how(each), each.staged, each.unstaged) if text)),
            ("threads", ", ".join(thread.id for thread in each.threads)),
        ]  # fmt: skip
        return tuple((heading, text) for heading, text in rows if text)

    @property
    def title(self) -> str:
        """Its name and what goes wrong."""
        return str(self.failure)

    def __str__(self) -> str:
        lines = wrap(self.title, _WIDTH, 3)
        before = ""
        for heading, text in self.rows:
            pieces = [piece for line in text.splitlines() for piece in _pieces(line)]
            shown = heading if heading != before else ""
            lines += [f"  {'' if number else shown:{_LABEL}}{piece}" for number, piece in enumerate(pieces)]
            before = heading
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Case: {self.failure.name}>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": table(("case", self.failure.name), self.rows, self.title)}


def _pieces(line: str) -> list[str]:
    """Return a line in pieces that fit; one that begins with spaces is a program's, and stays as it is."""
    return [line] if line.startswith(" ") else wrap(line, _WIDTH - _LABEL - 2, 12)


def _how(each: Failure) -> str:
    """Say how a failure is reproduced."""
    if each.name not in REPRODUCED:
        return "no"
    proxy = REPRODUCED[each.name].proxy
    return f"with {proxy}" if proxy else "yes"
