"""The failure catalogue: `catalogue.toml`, read and checked.

    toml ─▶ Failure ─▶ recognise(text)           which failures a message speaks of: `symptoms`
                    └▶ reproduced(name)          the broken and the fixed scenario: `reproduced`

The header of the file says what its words mean.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

from labkit.errors import WrongUse
from labkit.rules import find

__all__ = ["PARTIES", "Failure", "Shared", "Snippet", "Symptom", "Thread", "failure", "failures", "shared", "snippet"]

PARTIES = ("client", "proxy", "server", "operator")
"""Who can be at fault; the operator is whoever writes the configuration."""

# What programs say before the status of an answer that was no 101, and how curl and a log show one.
_STATUS = (
    r"(response code|server response|http response status|handshake status|rejected websocket connection: http|"
    r"invalid response status|expected 101,? (response )?(but )?was|status code received|http/1\.[01]|"
    r"\b(status|error|code|http))[:= (]{0,3}"
)
_ALONE = r"^\W{0,3}(http )?%d\W{0,3}$"


@dataclass(frozen=True, slots=True)
class Symptom:
    """A message as the user sees it.

    Args:
        where: who shows it, such as "Chrome console".
        text: the message.
        pattern: knows it again, in a text made plain by `labkit.cases.symptoms.plain`.
    """

    where: str
    text: str
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Shared:
    """A message that several failures share.

    Args:
        symptom: the message.
        failures: the names of the failures, the likeliest first.
        note: what else is to be said of it.
        vague: whether it counts only where nothing else was recognised.
    """

    symptom: Symptom
    failures: tuple[str, ...]
    note: str = ""
    vague: bool = False


@dataclass(frozen=True, slots=True)
class Snippet:
    """Lines to write: into which program's configuration or code, and their text."""

    program: str
    text: str


@dataclass(frozen=True, slots=True)
class Thread:
    """A public thread, as owner/repository#number; of a stored copy was read as much as there is."""

    id: str

    @property
    def url(self) -> str:
        """Where it is."""
        repository, _, number = self.id.partition("#")
        return f"https://github.com/{repository}/issues/{number}"


@dataclass(frozen=True, slots=True)
class Failure:
    """A way in which upgrades fail in the world.

    Args:
        number: its place; the most frequent first.
        name: in kebab-case; it never changes.
        title: what goes wrong, in a few words.
        party: who is at fault: client, proxy, server or operator.
        symptoms: what the user sees.
        wire: what crosses the wire.
        cause: the likeliest cause.
        fix: what mends it.
        rules: ids of the rules that speak of it.
        prove: a command that proves it.
        lines: what to write.
        clauses: where it is written, where no rule of the lab's speaks of it.
        threads: public threads on it.
        staged: what stands in for what one exchange cannot have; empty where nothing does.
        unstaged: why it is not reproduced; empty where it is.
    """

    number: int
    name: str
    title: str
    party: str
    symptoms: tuple[Symptom, ...]
    wire: str
    cause: str
    fix: str
    rules: tuple[str, ...]
    prove: str
    lines: tuple[Snippet, ...] = ()
    clauses: tuple[str, ...] = ()
    threads: tuple[Thread, ...] = ()
    staged: str = ""
    unstaged: str = ""

    @property
    def clause(self) -> str:
        """The clauses that speak of it, those of its rules first."""
        return "; ".join(dict.fromkeys([*(find(rule).clause for rule in self.rules), *self.clauses]))

    def __str__(self) -> str:
        return f"{self.name}: {self.title}"


@cache
def _read() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("catalogue.toml").read_text("utf-8"))


@cache
def failures() -> tuple[Failure, ...]:
    """Return the catalogue, the most frequent first.

    >>> failures()[0].name
    'proxy-drops-upgrade'
    """
    return tuple(_failure(row) for row in _read()["failure"])


@cache
def shared() -> tuple[Shared, ...]:
    """Return the messages that several failures share."""
    found = []
    for row in _read()["shared"]:
        symptom = _of_status(row["status"]) if "status" in row else _symptom(row)
        found.append(Shared(symptom, tuple(row["failures"]), row.get("note", ""), row.get("vague", False)))
    return tuple(found)


def failure(name: object) -> Failure:
    """Return the failure of a name.

    Raises:
        WrongUse: there is none; the message tells the nearest.

    >>> failure("wrong-accept").party
    'server'
    """
    if not isinstance(name, str):
        raise WrongUse(f"a case is named by a text, such as 'idle-timeout', not {name!r}")
    by_name = {each.name: each for each in failures()}
    if name in by_name:
        return by_name[name]
    near = get_close_matches(name, by_name, 1, 0.5)
    meant = f"did you mean {near[0]!r}? " if near else ""
    raise WrongUse(f"no case is called {name!r}; {meant}labkit.catalogue() lists them, and labkit cases in a terminal")


def snippet(name: str) -> str:
    """Return the text of a snippet of the catalogue, by its name there."""
    text: str = _read()["snippet"][name]["text"]
    return text.strip("\n")


def _failure(row: Mapping[str, Any]) -> Failure:
    """Return a row of the file; what it cannot mean is told with the name of the row."""
    name = row["name"]
    if row["party"] not in PARTIES:
        raise WrongUse(f"case {name}: {row['party']!r} is no party; there are {', '.join(PARTIES)}")
    snippets = _read()["snippet"]
    lists: dict[str, Any] = {
        "symptoms": tuple(map(_symptom, row["symptoms"])),
        "rules": tuple(find(rule).id for rule in row["rules"]),
        "lines": tuple(Snippet(snippets[each]["program"], snippet(each)) for each in row.get("lines", ())),
        "clauses": tuple(row.get("clauses", ())),
        "threads": tuple(map(Thread, row.get("threads", ()))),
    }
    return Failure(**{**row, **lists})


def _symptom(row: Mapping[str, Any]) -> Symptom:
    return Symptom(row["where"], row["text"], re.compile(row["pattern"], re.IGNORECASE))


def _of_status(status: int) -> Symptom:
    """Return the symptom of an answer that was no 101, as clients tell it, and as people type it."""
    pattern = re.compile(rf"{_STATUS}{status}\b|{_ALONE % status}", re.IGNORECASE)
    return Symptom("any client", f"Unexpected response code: {status}", pattern)
