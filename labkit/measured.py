"""What was measured, as frozen data: saved as JSON, read again, drawn by `render.plots`, never compared.

A `Measurement` is one quantity of one way of talking, with every value that was taken; a `Study` is what one run
measured, with the machine and the versions that belong to it. Nothing here measures, and nothing here draws.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from statistics import median, quantiles
from types import MappingProxyType
from typing import Any

from labkit.errors import Unreadable, WrongUse

__all__ = ["Measurement", "Study", "shown"]

_FORMAT = "labkit study"
_VERSION = 1
_MOST_BYTES = 64 << 20  # of a file


@dataclass(frozen=True, slots=True)
class Measurement:
    """One quantity, measured several times.

    Args:
        name: what was measured.
        unit: of the values: "ms", "s", "/s", "B/s", "B", "×", "%", "kB".
        values: one for each round or, of a latency, for each round trip; one at least, in the order taken.
        way: the way of talking, "websocket-text" say; "" where that is not what differs.
        via: what stood between: "" for nothing, "embedded", "nginx" or "apache".
        size: bytes of a message; None where there is no one size.
        connections: how many talked at once.
        at: where it is a course of time, the seconds at which each value was taken.

    >>> print(Measurement("ours", "ms", (3.0, 1.0, 2.5)))
    2.50 ms (1.75–2.75, n 3)
    """

    name: str
    unit: str
    values: tuple[float, ...]
    way: str = ""
    via: str = ""
    size: int | None = None
    connections: int = 1
    at: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.values:
            raise WrongUse(f"{self.name or 'a measurement'} has no values: one at least was measured")
        if not all(map(math.isfinite, (*self.values, *self.at))):
            raise WrongUse(f"{self.name} has a value that is no number, or without end")
        if self.at and len(self.at) != len(self.values):
            raise WrongUse(f"{self.name} has {len(self.values)} values and {len(self.at)} moments: one for each")

    @property
    def median(self) -> float:
        """The middle value."""
        return median(self.values)

    @property
    def middle_half(self) -> tuple[float, float]:
        """Between which values the middle half of them lies; where there is one alone, that one twice.

        >>> Measurement("ours", "ms", (3.0, 1.0, 2.5)).middle_half
        (1.75, 2.75)
        """
        if len(self.values) == 1:
            return self.values[0], self.values[0]
        low, _, high = quantiles(self.values, n=4, method="inclusive")
        return low, high

    def percentile(self, part: float) -> float:
        """Return the value below which `part` per cent of the values lie, by the nearest rank.

        >>> Measurement("round trip", "ms", tuple(range(1, 101))).percentile(99)
        99
        """
        if not 0 < part <= 100:
            raise WrongUse(f"a percentile is above 0 and at most 100, not {part!r}")
        ordered = sorted(self.values)
        return ordered[max(0, math.ceil(len(ordered) * part / 100) - 1)]

    def __str__(self) -> str:
        if len(self.values) == 1:
            return f"{shown(self.values[0])} {self.unit} (n 1)"
        low, high = self.middle_half
        return f"{shown(self.median)} {self.unit} ({shown(low)}–{shown(high)}, n {len(self.values)})"


def shown(value: float) -> str:
    """Return a number with the digits that mean something in a measurement.

    >>> shown(1234.56), shown(45.678), shown(4.5678)
    ('1,235', '45.7', '4.57')
    """
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


@dataclass(frozen=True)
class Study:
    """What one run measured, with all that belongs to its figures.

    Args:
        name: which study it is, as `labkit bench` calls it: "throughput" say.
        measurements: in the order in which they are shown.
        machine: the processor, the system and the versions, a line each.
        date: the day it was measured, "2026-11-28".
        quick: whether a few rounds only were made, to see that it works, not how fast it is.
        note: what else is to be said: that it was broken off, say, or what was absent.

    >>> study = Study("overhead", (Measurement("overhead", "B", (6.0,), way="websocket-text", size=64),))
    >>> Study.from_json(study.to_json()) == study
    True
    """

    name: str
    measurements: tuple[Measurement, ...]
    machine: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    date: str = ""
    quick: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "machine", MappingProxyType(dict(self.machine)))

    def __repr__(self) -> str:
        return f"<Study {self.name}: {len(self.measurements)} measurements>"

    def named(self, name: str) -> tuple[Measurement, ...]:
        """Return the measurements of one quantity."""
        return tuple(each for each in self.measurements if each.name == name)

    def only(self, *ways: str) -> Study:
        """Return the part of it that is of these ways of talking.

        Raises:
            WrongUse: one of them was not measured; the text lists those that were.

        >>> study = Study("tap", tuple(Measurement("messages", "/s", (9.0,), way) for way in ("raw", "keep-alive")))
        >>> [each.way for each in study.only("raw").measurements]
        ['raw']
        """
        known = list(dict.fromkeys(each.way for each in self.measurements))
        if unknown := [way for way in ways if way not in known]:
            raise WrongUse(f"this study has no {unknown[0]!r}; there are {', '.join(map(repr, known))}")
        return replace(self, measurements=tuple(each for each in self.measurements if each.way in ways))

    def noted(self, note: str) -> Study:
        """Return this study with one more thing said."""
        return replace(self, note="; ".join(each for each in (self.note, note) if each))

    def thinned(self, most: int = 500) -> Study:
        """Return this study with `most` values of each measurement at the most, to be kept beside a notebook.

        They are taken evenly in the order in which they came, and written with six digits; the note says so.

        >>> study = Study("latency", (Measurement("round trip", "ms", tuple(range(9))),)).thinned(3)
        >>> study.measurements[0].values, study.note
        ((0.0, 3.0, 6.0), 'thinned: of each measurement 3 values at the most, evenly in time')
        """
        if most < 1:
            raise WrongUse(f"a measurement keeps one value at least, not {most!r}")
        found = tuple(_thinned(each, most) for each in self.measurements)
        cut = any(len(each.values) > most for each in self.measurements)
        note = f"thinned: of each measurement {most} values at the most, evenly in time" if cut else ""
        return replace(self, measurements=found).noted(note)

    def to_json(self) -> str:
        """Return it as JSON: every value kept, a measurement a line."""
        head = {"format": _FORMAT, "version": _VERSION, "name": self.name, "date": self.date, "quick": self.quick}
        head |= {"note": self.note, "machine": dict(self.machine)}
        lines = ",\n  ".join(json.dumps(_plain(each), ensure_ascii=False) for each in self.measurements)
        start = json.dumps(head, ensure_ascii=False, indent=1).removesuffix("\n}")
        return f'{start},\n "measurements": [\n  {lines}\n ]\n}}\n'

    @classmethod
    def from_json(cls, text: str) -> Study:
        """Read what `to_json` wrote.

        Raises:
            Unreadable: it is no study, or of a later version.
        """
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"no study: this is no JSON ({error})") from None
        if not isinstance(data, dict) or data.get("format") != _FORMAT:
            raise Unreadable(f'no study: a study says "format": "{_FORMAT}"')
        if data.get("version") != _VERSION:
            raise Unreadable(f"this study is of version {data.get('version')!r}; version {_VERSION} is read here")
        try:
            found = tuple(_measurement(each) for each in data["measurements"])
            machine = {str(name): str(value) for name, value in data["machine"].items()}
            return cls(str(data["name"]), found, machine, str(data["date"]), bool(data["quick"]), str(data["note"]))
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError, WrongUse) as error:
            raise Unreadable(f"this study is damaged: {type(error).__name__}: {error}") from None

    def save(self, path: str | Path) -> Path:
        """Write it as JSON; return where."""
        path = Path(path)
        data = self.to_json().encode("utf-8", "backslashreplace")
        beside = path.with_name(f"{path.name}.part")
        beside.write_bytes(data)  # a disk that is full leaves the file of before as it was
        return beside.replace(path)

    @classmethod
    def load(cls, path: str | Path) -> Study:
        """Read a file that `save` wrote.

        Raises:
            Unreadable: it cannot be read, or is no study.
        """
        path = Path(path)
        try:
            if path.stat().st_size > _MOST_BYTES:
                raise Unreadable(f"{path}: more than {_MOST_BYTES >> 20} MiB: no study is that long")
            return cls.from_json(path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            raise Unreadable(f"{path}: no study: this is no text in UTF-8") from None
        except OSError as error:
            raise Unreadable(f"{path}: cannot be read: {error.strerror}") from None


def _thinned(one: Measurement, most: int) -> Measurement:
    count = len(one.values)
    kept = range(count) if count <= most else [place * count // most for place in range(most)]
    values = tuple(float(f"{one.values[place]:.6g}") for place in kept)
    return replace(one, values=values, at=tuple(one.at[place] for place in kept) if one.at else ())


_USUAL = {each.name: each.default for each in fields(Measurement)}


def _plain(one: Measurement) -> dict[str, Any]:
    """Return it as plain data, without what is as usual."""
    return {name: value for name, usual in _USUAL.items() if (value := getattr(one, name)) != usual}


def _measurement(data: Mapping[str, Any]) -> Measurement:
    if unknown := sorted(set(data) - set(_USUAL)):
        raise ValueError(f"a measurement has no {', '.join(unknown)}")
    numbers = {name: tuple(_number(each) for each in data.get(name, ())) for name in ("values", "at")}
    size = data.get("size")
    return Measurement(
        str(data["name"]), str(data["unit"]), way=str(data.get("way", "")), via=str(data.get("via", "")),
        size=None if size is None else int(size), connections=int(data.get("connections", 1)), **numbers,
    )  # fmt: skip


def _number(value: object) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):  # type: ignore[arg-type]
        raise ValueError(f"{value!r} is no number")
    return float(value)  # type: ignore[arg-type]
