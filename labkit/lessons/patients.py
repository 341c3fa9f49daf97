"""Patients of the clinic: systems that do not work, drawn from the failure catalogue. The diagnosis is the answer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from random import Random

from labkit.cases.catalogue import PARTIES, Failure, failure, failures
from labkit.cases.reproduced import reproduced
from labkit.dissection import dissect
from labkit.errors import WrongUse
from labkit.lessons.answers import Point, Review
from labkit.simulation import simulate
from labkit.trace import Trace

__all__ = ["Patient", "patient"]

_CHOICES = 5
# Those that the wire tells apart from the others beside them, and that one exchange shows.
_KNOWN = (
    "proxy-drops-upgrade", "idle-timeout", "origin-refused", "http-only-server", "subprotocol-not-answered",
    "subprotocol-not-asked", "jupyter-kernel", "apache-no-scheme-handler", "h2c-offered", "upgrade-with-content",
    "plain-get", "answer-loses-upgrade", "wrong-accept", "redirected-handshake", "auth-refused", "backend-down",
    "corrupt-frames", "two-upgrade-handlers", "interim-before-101", "version-mismatch", "garbage-answer",
)  # fmt: skip
_MOST_NUMBER = 1_000_000


@dataclass(frozen=True, repr=False)
class Patient:
    """A system whose upgrade fails: what its user sees, and what crosses the wire.

    Args:
        number: which one; the same number is always the same patient.
    """

    number: int

    @cached_property
    def _failure(self) -> Failure:
        return failure(Random(self.number).choice(_KNOWN))  # noqa: S311  a lesson, no secret

    @property
    def complaint(self) -> str:
        """What the user's browser says of it, which is never much."""
        status = dissect(self.trace).status
        if status is None:
            said = "Connection closed before receiving a handshake response"
        elif status != 101:
            said = f"Error during WebSocket handshake: Unexpected response code: {status}"
        else:
            said = "no status is told (close code 1006)"
        return f"WebSocket connection to 'wss://server.example.com' failed: {said}"

    @property
    def log(self) -> str:
        """What somebody finds in a log or a console, and where: a hint, and often half of the answer."""
        symptom = self._failure.symptoms[0]
        return f"{symptom.where}: {symptom.text}"

    @cached_property
    def trace(self) -> Trace:
        """What crosses the wire, simulated."""
        return simulate(reproduced(self._failure.name).broken()).titled(f"Patient {self.number}")

    @property
    def choices(self) -> tuple[str, ...]:
        """Five diagnoses, one of them right; `labkit.case(name)` tells what each is."""
        random = Random(f"choices of {self.number}")  # noqa: S311
        others = [name for name in _KNOWN if name != self._failure.name]
        found = [self._failure.name, *random.sample(others, _CHOICES - 1)]
        return tuple(random.sample(found, len(found)))

    def diagnose(self, name: object, party: object = "") -> Review:
        """Hold a diagnosis against the patient.

        Args:
            name: of the failure, one of `choices`.
            party: who is at fault: client, proxy, server or operator.
        """
        known = {each.name: each for each in failures()}
        given, right = known.get(str(name)), self._failure
        why = f"with that, the wire would show: {given.wire}" if given else f"choose one of {', '.join(self.choices)}"
        points = [Point(given == right, f"the cause is {_shown(name)}", why)]
        if party:
            said = str(party).lower()
            why = f"who would have to change something: {', '.join(PARTIES)}?"
            points.append(Point(said == right.party, f"whose fault it is: {_shown(party)}", why))
        return Review(tuple(points))

    @property
    def fixed(self) -> Trace:
        """What crosses the wire once it is mended, simulated."""
        return simulate(reproduced(self._failure.name).fixed()).titled(f"Patient {self.number}, mended")

    def __str__(self) -> str:
        wide = max(map(len, self.choices))
        choices = "\n".join(f"  {name:{wide}}  {failure(name).title}" for name in self.choices)
        return f"Patient {self.number}\n{self.complaint}\n\nWhat is it?\n{choices}"

    def __repr__(self) -> str:
        return f"<Patient {self.number}>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": str(self)}


def _shown(answer: object) -> str:
    return "still open" if answer is ... else str(answer)


def patient(number: int | None = None) -> Patient:
    """Return a patient: the one of a number, or whoever comes next.

    Raises:
        WrongUse: the number is none.

    >>> patient(1).diagnose("no idea").ok
    False
    """
    if number is None:
        return Patient(Random().randrange(_MOST_NUMBER))  # noqa: S311
    if type(number) is not int or not 0 <= number < _MOST_NUMBER:
        raise WrongUse(f"a patient's number is a whole number from 0 to {_MOST_NUMBER - 1}, not {number!r}")
    return Patient(number)
