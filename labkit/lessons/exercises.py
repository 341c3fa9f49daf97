"""What a learner predicts and answers in a notebook: recorded, compared with what came, and checked, with hints."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FunctionType

from labkit.dissection import dissect
from labkit.dissection.secrets import masked_bytes
from labkit.errors import LabError, WrongUse
from labkit.lessons.answers import Point, Review
from labkit.lessons.record import entries, note
from labkit.render.measure import clean
from labkit.trace import Trace

__all__ = ["Exercise", "Line", "exercise", "exercises", "look_back", "predict"]

_MOST_SHOWN = 200  # characters of a prediction in a line
_DEEPEST = 8  # lists within lists
_MOST_KEPT = 4000  # characters of an answer in the record
_OPEN = "No prediction yet: write yours in place of the dots, and run this cell again. A wrong one teaches most."


class Line(str):
    """A line of text that shows itself without quotes at the end of a cell."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def predict(name: str, prediction: object) -> Line:
    """Record a prediction, before the run that shows what comes.

    Args:
        name: what it is about, such as "00.famous".
        prediction: whatever fits into a line: a number, a word, a list of them. Dots (`...`) are none yet.

    >>> predict("00.famous", 101)
    Recorded: you predict 101. Now run what follows.
    """
    if _is_open(prediction):
        return Line(_OPEN)
    if wrong := _noted("prediction", name, _kept(prediction)):
        return Line(f"Not recorded: {wrong}")
    return Line(f"Recorded: you predict {_shown(prediction)}. Now run what follows.")


def look_back(name: str, came: object) -> Line:
    """Hold what came against the prediction of that name.

    Args:
        name: as it was told to `predict`; the last one counts.
        came: what came: a value, or the trace of an exchange, of which the status counts. Dots are nothing yet.

    >>> predict("00.famous", 101), look_back("00.famous", 400)
    (Recorded: you predict 101. Now run what follows., ≠ You predicted 101; what came is 400.)
    >>> look_back("00.nothing", 400)
    You predicted nothing; what came is 400.
    """
    if _is_open(came):
        return Line("Nothing came yet: work through the cells above, and run this one again.")
    said, value = _shown(came), came
    if isinstance(came, Trace):
        seen = dissect(came)
        said, value = (f"{seen.status} ({seen.outcome})", seen.status) if seen.status else (seen.outcome, seen.outcome)
    before = [entry.value for entry in entries() if (entry.kind, entry.name) == ("prediction", name)]
    if not before:
        return Line(f"You predicted nothing; what came is {said}.")
    same = _alike(before[-1]) == _alike(_kept(value))
    _noted("came", name, {"predicted": before[-1], "came": _kept(value), "same": same})
    if same:
        return Line(f"✓ You predicted {_shown(before[-1])}, and that is what came.")
    return Line(f"≠ You predicted {_shown(before[-1])}; what came is {said}.")


@dataclass(frozen=True, repr=False)
class Exercise:
    """An exercise of a notebook: what is asked, a check of the answer, and three hints.

    Args:
        name: the notebook's number and a word, such as "02.mend".
        question: what is asked.
        hints: three, from gentle to nearly all.
    """

    name: str
    question: str
    hints: tuple[str, ...]

    def check(self, answer: object) -> Review:
        """Look at an answer, point by point, and record it; most are graded by asking a server.

        Args:
            answer: the learner's; dots (`...`) are none yet, and are not recorded.
        """
        more = f'Stuck? exercise("{self.name}").hint(1) is gentle, hint(3) says nearly all.'
        if _is_open(answer):
            return Review(
                (Point(False, "an answer", "write yours in place of the dots, and run the cell again"),), more
            )
        from labkit.lessons.grading import points  # noqa: PLC0415  it brings servers and proxies with it

        review = Review(points(self.name, answer))
        _noted("answer", self.name, {"answer": _kept(answer), "ok": review.ok})
        return review if review.ok else Review(review.points, more)

    def hint(self, number: int = 1) -> Line:
        """Return a hint.

        Args:
            number: 1 is gentle, 3 says nearly all.

        Raises:
            WrongUse: there is no hint of that number.
        """
        if type(number) is not int or not 1 <= number <= len(self.hints):
            raise WrongUse(f"there are the hints 1 to {len(self.hints)}, not {number!r}")
        return Line(f"Hint {number} of {len(self.hints)}: {self.hints[number - 1]}")

    def __str__(self) -> str:
        return f"{self.question}\n.check(ANSWER) looks at yours; .hint(1) to .hint({len(self.hints)}) help."

    def __repr__(self) -> str:
        return f"<Exercise {self.name}>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": str(self)}


def exercise(name: str) -> Exercise:
    """Return an exercise by its name.

    Raises:
        WrongUse: there is none of that name; the text lists those there are.

    >>> print(exercise("02.mend"))
    Mend the offer: it is to get a 101, and to keep the connection option keep-alive.
    .check(ANSWER) looks at yours; .hint(1) to .hint(3) help.
    """
    found = exercises().get(name) if isinstance(name, str) else None
    if found is None:
        raise WrongUse(f"no exercise {name!r}; there are {', '.join(exercises())}")
    return found


@cache
def exercises() -> dict[str, Exercise]:
    """Return all exercises by their names, in the order of the notebooks."""
    told = tomllib.loads(Path(__file__).with_name("exercises.toml").read_text(encoding="utf-8"))
    return {name: Exercise(name, one["question"], tuple(one["hints"])) for name, one in told.items()}


def _noted(kind: str, name: str, value: object) -> str:
    """Record a value; return why it cannot be, where it cannot: that stops no lesson."""
    try:
        note(kind, name, value)
    except LabError as error:
        return str(error)
    return ""


def _is_open(answer: object) -> bool:
    return answer is ... or (isinstance(answer, (list, tuple)) and any(each is ... for each in answer))


def _kept(value: object, deep: int = 0) -> object:
    """Return a value as the record can hold it: what JSON has no form for as a text, and no more than fits."""
    match value:
        case bool() | int() | None:
            return value
        case list() | tuple() if deep < _DEEPEST:
            return [_kept(each, deep + 1) for each in value]
        case bytes() | bytearray():
            return value.hex(" ")[:_MOST_KEPT]
        case FunctionType():
            return value.__name__
        case _:
            return _text(value)[:_MOST_KEPT]


def _text(value: object) -> str:
    """Return a value as text, its secrets starred out; an answer may be an object of the learner's own."""
    try:
        return masked_bytes(str(value).encode("utf-8", "backslashreplace")).decode()
    except Exception:  # noqa: BLE001  its own __str__ may raise anything
        return f"<{type(value).__name__}>"


def _shown(value: object) -> str:
    said = clean(_text(value), _MOST_SHOWN)
    return f'"{said}"' if isinstance(value, str) else said


def _alike(value: object) -> object:
    """Return a value as it is compared: case and kind do not count, nor does the order of words in a list."""
    if isinstance(value, list):
        alike = [str(_alike(each)) for each in value]
        return sorted(alike) if all(isinstance(each, str) for each in value) else alike
    return _text(value).strip().lower()
