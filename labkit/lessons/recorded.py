"""The record as a learner sees it: what was predicted, what came, which exercises are solved; saved and resumed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labkit.errors import Absent, Unreadable, WrongUse
from labkit.lessons.record import FILE, MOST_SAVED, Entry, entries, merge, place, save, text
from labkit.render.columns import text_table
from labkit.render.html import table
from labkit.render.measure import clean
from labkit.widgets.display import publish
from labkit.widgets.keeping import Keeping

__all__ = ["Record", "record", "resumed"]

_NAMES = ("where", "what", "yours", "what came")
_MOST_SHOWN = 100  # characters of an answer


@dataclass(frozen=True, repr=False)
class Record:
    """The record at one moment; it draws itself as a table.

    Args:
        entries: all that was recorded, in order.
        place: where it is kept, in a sentence.
    """

    entries: tuple[Entry, ...]
    place: str

    @property
    def rows(self) -> list[tuple[str, str, str, str]]:
        """The table: a row for each prediction and each exercise, and one for the variations."""
        names = dict.fromkeys((entry.kind, entry.name) for entry in self.entries if entry.kind in _ROWS)
        rows = [_ROWS[kind](name, [each for each in self.entries if each.name == name]) for kind, name in names]
        tried = sum(entry.kind == "variation" for entry in self.entries)
        return [
            *sorted(rows, key=lambda row: row[0]),
            *([("workbench", "variations", str(tried), "")] if tried else []),
        ]

    @property
    def verdict(self) -> str:
        """The record in a sentence."""
        predicted = [row for row in self.rows if row[1] == "prediction"]
        solved = [row for row in self.rows if row[1] == "exercise"]
        right = sum(row[3].startswith("✓") for row in predicted)
        done = sum(row[3].startswith("✓") for row in solved)
        return f"{right} of {len(predicted)} predictions came true; {done} of {len(solved)} exercises are solved."

    def save(self, file: str | Path = FILE) -> str:
        """Write the whole record into a file, to be taken away; return a sentence that says so.

        An older record that is there is added to, never written over.

        Raises:
            WrongUse: it cannot be written there, or another kind of file is there.
        """
        path = _path(file)
        try:
            save(path)
        except OSError as error:
            raise WrongUse(f"cannot write {path}: {error.strerror}") from None
        return f"{len(self.entries)} entries are in {path.name}; record().resume({str(path)!r}) takes them in again."

    def resume(self, file: str | Path) -> str:
        """Take in a record that was saved before, also on another machine; return a sentence that says so.

        Raises:
            Unreadable: it cannot be read, or is no record.
        """
        path = _path(file)
        try:
            with path.open("rb") as opened:
                data = opened.read(MOST_SAVED + 1)
        except OSError as error:
            raise Unreadable(f"{path}: {error.strerror}") from None
        return resumed(data)

    def __str__(self) -> str:
        rows = text_table(_NAMES, self.rows) if self.rows else "Nothing is recorded yet."
        return f"{rows}\n\n{self.verdict} {self.place}"

    def __repr__(self) -> str:
        return f"<Record: {self.verdict}>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": table(_NAMES, self.rows, f"{self.verdict} {self.place}")}

    def _ipython_display_(self) -> None:
        publish((self._repr_mimebundle_(), {}), *((live, {}) for live in _controls()))


def record() -> Record:
    """Return what was predicted and answered until now, as a table that can be saved and resumed.

    >>> record().resume("no such file")
    Traceback (most recent call last):
    labkit.errors.Unreadable: no such file: No such file or directory
    """
    return Record(entries(), place())


def _path(file: object) -> Path:
    if not isinstance(file, (str, Path)) or "\0" in str(file):
        raise WrongUse(f"write the name of a file, such as {FILE!r}, not {file!r}")
    return Path(file)


def _controls() -> Iterator[dict[str, Any]]:
    """Yield the link and the button below the table, where ipywidgets is there to draw them."""
    with suppress(Absent):
        yield Keeping(FILE, text, _taken).bundle()


def _taken(data: bytes) -> str:
    told = resumed(data)
    return f"<p>{told}</p>{record()._repr_mimebundle_()['text/html']}"


def resumed(data: bytes) -> str:
    """Take in what was saved, and say in a sentence how much of it is new.

    Raises:
        Unreadable: it is no record.
    """
    fresh = merge(data)
    return f"{fresh} entries taken in." if fresh else "All of it was there already."


def _predicted(name: str, about: list[Entry]) -> tuple[str, str, str, str]:
    """Tell the last prediction that something came of; else the last one."""
    last, row = None, None
    for each in about:
        if each.kind == "prediction":
            last = each.value
        elif each.kind == "came":
            came = each.value.get("came") if isinstance(each.value, dict) else each.value
            same = each.value.get("same") is True if isinstance(each.value, dict) else came == last
            row = (name, "prediction", _said(last), f"{'✓' if same else '≠'} {_said(came)}")
    return row or (name, "prediction", _said(last), "not yet run")


def _answered(name: str, about: list[Entry]) -> tuple[str, str, str, str]:
    tries = [each.value for each in about if each.kind == "answer" and isinstance(each.value, dict)]
    solved = next((number for number, each in enumerate(tries, 1) if each.get("ok") is True), 0)
    best = tries[solved - 1] if tries else {}  # the last one, where none is right
    came = f"✓ solved at try {solved}" if solved else f"✗ not yet, {len(tries)} tries"
    return name, "exercise", _said(best.get("answer")), came


_ROWS = {"prediction": _predicted, "answer": _answered}


def _said(value: object) -> str:
    return clean(" ".join(str(value).split()), _MOST_SHOWN)
