"""What is drawn of a study: one quantity, and one thing by which it is shown.

That is the size of a message, the number of connections, what stands between, or the way of talking. What else
was varied is held at one value, and the subtitle names that value.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from labkit.errors import WrongUse
from labkit.measured import Measurement, Study
from labkit.render.amounts import size_words
from labkit.render.charts import Asked, Axis, Chart, Mark, Series
from labkit.render.measure import clean
from labkit.render.plot_style import VIAS, look, via_name, way_name

__all__ = ["chart"]

FACING = ("to the server", "to the client")
"""The two quantities that are drawn on the two sides of one line."""

_BY = ("size", "connections", "via", "way")
_USUALLY = {"latency": "way", "handshakes": "via", "tap": "via"}
_USUAL_SIZE = 64  # bytes, where one size stands for all
_MANY = 50  # values, from which on their distribution is drawn
_MOST_SERIES = 40
_LONGEST = 60  # characters of a name that somebody else gave

QUANTITIES = {
    "messages": "messages per second",
    "bytes": "bytes per second",
    "round trip": "time of a round trip",
    "on the wire": "bytes beside a message and its answer",
    "handshake": "bytes before the first message",
    "handshakes": "handshakes per second",
    "to the server": "bytes per second to the server",
    "to the client": "bytes per second to the client",
}
"""The words for a quantity on its axis."""

_UNITS = {
    "/s": "per second", "B/s": "bytes per second", "ms": "milliseconds", "s": "seconds", "B": "bytes",
    "kB": "kilobytes", "×": "times", "%": "per cent",
}  # fmt: skip


def chart(study: object, asked: Asked | None = None) -> Chart:
    """Choose what is drawn of a study.

    Raises:
        WrongUse: this is no study, it is empty, or what is asked for was not measured; the text says what was.

    >>> of = [Measurement("messages", "/s", (value,), way="raw", size=size) for value, size in ((9.0, 1), (8.0, 64))]
    >>> chart(Study("throughput", tuple(of))).form
    'lines'
    """
    if not isinstance(study, Study):
        raise WrongUse(f"a plot is drawn of a labkit.measured.Study, not of {clean(repr(study), _LONGEST)}")
    if not study.measurements:
        raise WrongUse(f"the study {clean(study.name, _LONGEST)!r} is empty: nothing was measured")
    asked = asked or Asked()
    if not asked.of and set(FACING) == {each.name for each in study.measurements}:
        return _facing(study, asked)
    found = _quantity(study, asked.of)
    if all(each.at for each in found):
        return _course(study, asked, found)
    by = _by(study, asked, found)
    kept, held = _held(found, asked, by)
    if by in ("size", "connections"):
        return _lines(study, by, found, kept, held)
    return _rows(study, by, found, kept, held)


def _quantity(study: Study, of: str) -> list[Measurement]:
    """Return the measurements of one quantity; unless told which, of the first."""
    first = study.measurements[0]
    if of:
        if not (found := study.named(of)):
            names = dict.fromkeys(clean(each.name, _LONGEST) for each in study.measurements)
            raise WrongUse(f"of {clean(of, _LONGEST)!r} nothing was measured; there is {', '.join(map(repr, names))}")
        return [each for each in found if each.unit == found[0].unit]
    if any(each.way or each.at for each in study.measurements):
        return [each for each in study.named(first.name) if each.unit == first.unit]
    return [each for each in study.measurements if each.unit == first.unit]  # each name is a row of its own


def _by(study: Study, asked: Asked, found: Sequence[Measurement]) -> str:
    """Return by what the quantity is shown."""
    if asked.by and asked.by not in _BY:
        raise WrongUse(f"by is {', '.join(map(repr, _BY))}, not {clean(str(asked.by), _LONGEST)!r}")
    varied = [name for name in ("size", "connections", "via") if len(set(_values(found, name))) > 1]
    if asked.by in ("size", "connections") and asked.by not in varied:
        raise WrongUse(f"by={asked.by!r} takes several of them, and this was measured with one alone")
    usually = _USUALLY.get(study.name, "")
    return asked.by or usually or next((name for name in varied if getattr(asked, name) is None), "way")


def _values(found: Iterable[Measurement], name: str) -> list[int | str]:
    values = (getattr(each, name) for each in found)
    return [value for value in values if value is not None]


def _held(found: Sequence[Measurement], asked: Asked, by: str) -> tuple[list[Measurement], tuple[str, ...]]:
    """Hold what is not shown by at one value each; return what is left, and the values in words."""
    kept, held = list(found), []
    for name, usual, words in _HOLDS:
        if name == by:
            continue
        values = _values(found, name)
        wanted = getattr(asked, name)
        if not values or (wanted is None and len(set(values)) == 1):
            if values and (name == "size" or values[0] not in ("", 1)):
                held.append(words(values[0]))
            continue
        if wanted is not None and wanted not in values:
            there = ", ".join(repr(value) for value in sorted(set(values), key=str))
            raise WrongUse(f"{name}={clean(repr(wanted), _LONGEST)} was not measured; there is {there}")
        # What a way lacks at the usual value is not drawn at another one: the two would not compare.
        value = usual(_values(kept, name) or values) if wanted is None else wanted
        kept = [each for each in kept if getattr(each, name) in (value, None)]
        held.append(words(value))
    if not kept:
        raise WrongUse("nothing was measured with all of that together: leave one of size, via, connections out")
    return kept, tuple(held)


def _usual_size(values: Sequence[int | str]) -> int | str:
    counts = Counter(values)
    return min(counts, key=lambda size: (-counts[size], abs(math.log2(max(int(size), 0.5) / _USUAL_SIZE))))


def _usual_via(values: Sequence[int | str]) -> int | str:
    return "" if "" in values else Counter(values).most_common(1)[0][0]


def _usual_number(values: Sequence[int | str]) -> int | str:
    counts = Counter(values)
    return min(counts, key=lambda number: (-counts[number], number))


def _size_held(size: int | str) -> str:
    return f"messages of {size_words(int(size))}"


def _via_held(via: int | str) -> str:
    return VIAS.get(str(via), ("", f"through {clean(str(via), _LONGEST)}"))[1]


def _number_held(number: int | str) -> str:
    return f"{number} connection{'' if number == 1 else 's'}"


_Hold = tuple[str, Callable[[Sequence[int | str]], int | str], Callable[[int | str], str]]
_HOLDS: tuple[_Hold, ...] = (
    ("via", _usual_via, _via_held),
    ("connections", _usual_number, _number_held),
    ("size", _usual_size, _size_held),
)


def _axis(kept: Sequence[Measurement], *, log: bool = False) -> Axis:
    name, unit = kept[0].name, kept[0].unit
    if len({each.name for each in kept}) > 1:
        return Axis(_UNITS.get(unit, unit), unit, log)
    words = QUANTITIES.get(name) or f"{clean(name, _LONGEST)}, {_UNITS.get(unit, unit)}"
    return Axis(words, unit, log)


def _lines(
    study: Study, by: str, found: Sequence[Measurement], kept: Sequence[Measurement], held: tuple[str, ...]
) -> Chart:
    named = len({each.name for each in kept}) > 1
    lines: dict[str, dict[float, Mark]] = {}
    for each in kept:
        at = each.size if by == "size" else each.connections
        if at is not None:
            key = each.name if named else each.way
            lines.setdefault(key, {})[at] = Mark(each, at)  # of two with the same place, the later one
    series = [
        Series(_shown(key, named=named), look(key, number), tuple(marks[at] for at in sorted(marks)))
        for number, (key, marks) in enumerate(list(lines.items())[:_MOST_SERIES])
    ]
    values = [
        value for each in series for mark in each.marks for value in (*mark.measured.middle_half, mark.measured.median)
    ]
    log = min(values) > 0 and max(values) > 12 * min(values)
    x = Axis("size of a message", "size", log=True) if by == "size" else Axis("connections at once", "", log=True)
    y = _axis(kept, log=log)
    return Chart(
        study, "lines", kept[0].name, by, x, y, tuple(series), held, _left(found, kept, len(lines) - _MOST_SERIES)
    )


def _rows(
    study: Study, by: str, found: Sequence[Measurement], kept: Sequence[Measurement], held: tuple[str, ...]
) -> Chart:
    ways = list(dict.fromkeys(each.way for each in kept))
    if by == "via":
        vias = {way: {each.via for each in kept if each.way == way} for way in ways}
        if several := [way for way in ways if len(vias[way]) > 1]:
            ways = several  # a way that was measured directly alone has nothing to be held against
            kept = [each for each in kept if each.way in ways]
        kept = sorted(kept, key=lambda each: ways.index(each.way))  # a stable sort: the vias keep their order
    grouped = by == "via" and len(ways) > 1
    series = []
    for number, each in enumerate(kept[:_MOST_SERIES]):
        if by == "via":
            name, key = via_name(each.via), each.way
        else:
            name, key = _shown(each.way or each.name, named=not each.way), each.way or each.name
        place = ways.index(each.way) if by == "via" else number
        series.append(Series(name, look(key, place), (Mark(each),), way_name(each.way) if grouped else ""))
    few = min(len(each.marks[0].measured.values) for each in series) < _MANY
    spans = kept[0].unit in ("ms", "s") and not few and min(min(each.values) for each in kept) > 0
    form = "strips" if spans else "bars"
    x = _axis(kept, log=spans)
    return Chart(
        study, form, kept[0].name, by, x, Axis(""), tuple(series), held, _left(found, kept, len(kept) - _MOST_SERIES)
    )


def _facing(study: Study, asked: Asked) -> Chart:
    """Return two directions at once: to the server on the left, to the client on the right."""
    found = list(study.measurements)
    kept, held = _held(found, asked, "via" if asked.by == "via" else "way")
    pairs: dict[tuple[str, str], dict[str, Measurement]] = {}
    for each in kept:
        pairs.setdefault((each.way, each.via), {})[each.name] = each
    both = {key: pair for key, pair in pairs.items() if len(pair) == len(FACING)}
    if not both:
        raise WrongUse(f"of no way both directions were measured: {' and '.join(map(repr, FACING))}")
    series = []
    several = len({via for _, via in both}) > 1
    for number, ((way, via), pair) in enumerate(list(both.items())[:_MOST_SERIES]):
        name = f"{way_name(way)}, {via_name(via)}" if several else way_name(way)
        series.append(Series(name, look(way, number), tuple(Mark(pair[direction]) for direction in FACING)))
    axis = Axis("bytes per second", kept[0].unit)
    return Chart(
        study,
        "facing",
        "both directions",
        "way",
        axis,
        Axis(""),
        tuple(series),
        held,
        _left(found, kept, len(both) - _MOST_SERIES),
    )


def _course(study: Study, asked: Asked, found: Sequence[Measurement]) -> Chart:
    """Return a course of time; its moment 0 is the switch, where there are values on both sides of it."""
    kept, held = _held(found, asked, "way")
    series = tuple(
        Series(_shown(each.way or each.name, named=not each.way), look(each.way or each.name, number), (Mark(each),))
        for number, each in enumerate(kept[:_MOST_SERIES])
    )
    x, y = Axis("seconds from the switch (101)", "s"), _axis(kept)
    return Chart(
        study, "course", kept[0].name, "time", x, y, series, held, _left(found, kept, len(kept) - _MOST_SERIES)
    )


def _shown(key: str, *, named: bool) -> str:
    return clean(key, _LONGEST) if named else way_name(clean(key, _LONGEST))


def _left(found: Iterable[Measurement], kept: Sequence[Measurement], more: int = 0) -> tuple[str, ...]:
    drawn = {each.way for each in kept}
    names = dict.fromkeys(way_name(clean(each.way, _LONGEST)) for each in found if each.way not in drawn)
    return (*names, f"{more} more") if more > 0 else tuple(names)
