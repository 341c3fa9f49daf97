"""What a plot says: the finding as its title, computed from the medians that it shows, and what belongs to them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from labkit.measured import Measurement
from labkit.render.amounts import amount, share, size_words, times
from labkit.render.charts import Chart, Series
from labkit.render.measure import clean
from labkit.render.plot_style import VIAS, WAYS

__all__ = ["after_and_before", "subtitle", "title"]

_SUBJECTS = ("websocket-text", "websocket-binary", "websocket-deflate", "raw", "server-sent-events")
_RIVALS = ("new-connection", "keep-alive", "long-polling")
_USUAL_SIZE = 64
_ALIKE = 0.05  # of a ratio around 1, that no reader is to take for a finding
_NOUNS = {
    "messages": ("carries", "the messages of"),
    "bytes": ("moves", "the bytes of"),
    "handshakes": ("makes", "the handshakes of"),
    "on the wire": ("adds", "the bytes of"),
    "handshake": ("begins with", "the bytes of"),
    "to the client": ("brings the client", "the bytes of"),
    "to the server": ("brings the server", "the bytes of"),
}
_THINGS = {"messages": "messages", "handshakes": "handshakes", "bytes": "bytes"}


def title(chart: Chart) -> str:
    """Return the finding in one sentence."""
    told = {"facing": _facing, "course": _course}.get(chart.form)
    if told:
        return told(chart)
    if chart.by == "via" and (found := _between(chart)):
        return found
    return _ways(chart)


def _ways(chart: Chart) -> str:
    """Compare two ways: WebSocket and a new connection per request, where they are there."""
    via = _first_via(chart)
    subject, rival = _pair([each for each in chart.series if chart.by != "via" or each.marks[0].measured.via == via])
    if subject is None or rival is None:
        return _alone(chart)
    ours, theirs, at = _where(chart, subject, rival)
    if ours.median <= 0 or theirs.median <= 0:
        return f"{_before(chart)}: {_with_amount(ours)}, {_with_amount(theirs)}{_at(chart, at)}"
    if ours.unit in ("ms", "s"):
        return _slower(chart, ours, theirs, _at(chart, at))
    if chart.of in ("on the wire", "handshake") and theirs.median > ours.median:
        ours, theirs = theirs, ours  # the one that costs more is told first
    ratio = _ratio(ours.median / theirs.median)
    if chart.of == "on the wire":
        beside = "a message" if at is None else f"a message of {size_words(int(at))}"
        return f"{_capital(_name(ours))} adds {ratio} the bytes that {_name(theirs)} adds to {beside}"
    verb, noun = _NOUNS.get(chart.of, ("has", "what is with")) if ours.name == theirs.name else ("is", "")
    return f"{_capital(_name(ours))} {verb} {ratio} {noun} {_name(theirs)}{_at(chart, at)}".replace("  ", " ")


def _before(chart: Chart) -> str:
    return "Bytes before the first message" if chart.of == "handshake" else _capital(chart.of)


def _with_amount(one: Measurement) -> str:
    return f"{_name(one)} {amount(one.median, one.unit)}"


def _pair(series: Sequence[Series]) -> tuple[Series | None, Series | None]:
    """Return who is told of and who it is held against; unless they are known, the first and the last."""
    ways = {each.marks[0].measured.way: each for each in reversed(series)}
    if len(series) < 2:
        return None, None
    subject = next((ways[way] for way in _SUBJECTS if way in ways), None)
    rival = next((ways[way] for way in _RIVALS if way in ways), None)
    if subject and rival:
        return subject, rival
    ordered = sorted(series, key=lambda each: each.marks[-1].measured.median)
    best, least = ordered[-1], ordered[0]
    if series[0].marks[0].measured.unit in ("ms", "s"):
        best, least = least, best
    return best, least


def _where(chart: Chart, one: Series, other: Series) -> tuple[Measurement, Measurement, float | None]:
    """Return both measurements at the same place: at about 64 bytes, or with the most connections."""
    mine, theirs = ({mark.at: mark.measured for mark in each.marks} for each in (one, other))
    shared = sorted(set(mine) & set(theirs))
    if chart.form != "lines" or not shared:
        return one.marks[0].measured, other.marks[0].measured, None
    if chart.by == "connections" or chart.of == "bytes":
        at = shared[-1]  # where the most is moved
    else:
        at = min(shared, key=lambda size: abs(math.log2(max(size, 0.5) / _USUAL_SIZE)))
    return mine[at], theirs[at], at


def _at(chart: Chart, at: float | None) -> str:
    if at is None:
        return ""
    return f" with {at:.0f} connections" if chart.by == "connections" else f", {size_words(int(at))} each"


def _slower(chart: Chart, ours: Measurement, theirs: Measurement, what: str) -> str:
    """Compare times: the longer one is told first."""
    slow, fast = (theirs, ours) if theirs.median >= ours.median else (ours, theirs)
    ratio = _ratio(slow.median / fast.median)
    if chart.of == "round trip":
        return f"With {_name(slow)}, a round trip takes {ratio} as long as with {_name(fast)}{what}"
    return f"{_capital(_name(slow))} takes {ratio} as long as {_name(fast)}{what}"


def _ratio(ratio: float) -> str:
    if abs(ratio - 1) < _ALIKE:
        return "about"
    return times(ratio) if ratio > 1 else f"{share(ratio)} of"


def _alone(chart: Chart) -> str:
    one = chart.marks[0].measured
    if chart.form != "lines":
        return f"{_capital(_name(one))}: {amount(one.median, one.unit)}"
    first, last = (f"{amount(chart.marks[end].measured.median, one.unit)} at {_place(chart, end)}" for end in (0, -1))
    return f"{_capital(_name(one))}: {first}, {last}"


def _place(chart: Chart, which: int) -> str:
    at = chart.marks[which].at
    return size_words(int(at)) if chart.x.unit == "size" else f"{at:.0f} connections"


def _first_via(chart: Chart) -> str:
    vias = [each.marks[0].measured.via for each in chart.series]
    return "" if "" in vias else vias[0]


def _between(chart: Chart) -> str | None:
    """Compare what stands between, for one way: the real proxy first."""
    ways = list(dict.fromkeys(mark.measured.way for mark in chart.marks))
    way = next((each for each in (*_SUBJECTS, *_RIVALS) if each in ways), ways[0])
    at = {mark.measured.via: mark.measured for mark in chart.marks if mark.measured.way == way}
    via = next((each for each in ("nginx", "apache", "tap", "embedded", *at) if each and each in at), None)
    if "" not in at or via is None or at[""].median <= 0 or at[via].median <= 0:
        return None
    where = VIAS.get(via, ("", f"through {clean(via, 40)}"))[1]
    part = at[via].median / at[""].median
    if chart.of in _THINGS and _within(at[via], at[""]):
        verb, things = _NOUNS[chart.of][0], _THINGS[chart.of]
        return f"{_capital(where)}, {_title(way)} {verb} about as many {things} as directly, within the spread"
    if chart.of in _THINGS:
        verb, things = _NOUNS[chart.of][0], _THINGS[chart.of]
        return f"{_capital(where)}, {_title(way)} {verb} {_ratio(part)} the {things} that it {verb} directly"
    if at[via].unit in ("ms", "s"):
        return f"{_capital(where)}, a round trip of {_title(way)} takes {_ratio(part)} as long as directly"
    return f"{_capital(where)}, {_title(way)} has {_ratio(part)} what it has directly"


def _within(one: Measurement, other: Measurement) -> bool:
    """Tell whether the median of one lies in the middle half of the other, so that nothing was found."""
    return any(
        low < each.median < high
        for each, (low, high) in ((one, other.middle_half), (other, one.middle_half))
        if min(len(one.values), len(other.values)) > 1
    )


def _facing(chart: Chart) -> str:
    """Compare what both directions carry together."""
    subject, rival = _pair(chart.series)
    if subject is None or rival is None:
        return f"{_capital(_name(chart.marks[0].measured))}: {amount(_sum(chart.series[0]), chart.x.unit)} both ways"
    told = _ratio(_sum(subject) / _sum(rival)) if _sum(rival) > 0 and _sum(subject) > 0 else "not"
    ours, theirs = (_name(each.marks[0].measured) for each in (subject, rival))
    return f"Both ways at once, {ours} moves {told} the bytes of {theirs}"


def _sum(series: Series) -> float:
    return math.fsum(mark.measured.median for mark in series.marks)


def after_and_before(one: Measurement) -> tuple[float, float] | None:
    """Return the medians before and after the moment 0 of a course of time; None where one side has no value.

    >>> after_and_before(Measurement("to the client", "B/s", (1.0, 2.0, 9.0), at=(-2.0, -1.0, 0.5)))
    (1.5, 9.0)
    """
    before = [value for value, at in zip(one.values, one.at, strict=True) if at < 0]
    after = [value for value, at in zip(one.values, one.at, strict=True) if at >= 0]
    return (median(before), median(after)) if before and after else None


def _course(chart: Chart) -> str:
    halved = {mark.measured.way: mark.measured for mark in reversed(chart.marks) if after_and_before(mark.measured)}
    one = next((halved[way] for way in (*_SUBJECTS, *reversed(halved)) if way in halved), chart.marks[0].measured)
    halves = after_and_before(one)
    if not halves or min(halves) <= 0:
        return f"{_capital(chart.y.label)} over time: {amount(one.median, one.unit)} at the median"
    ratio = _ratio(halves[1] / halves[0])
    whom = "the server" if one.name == "to the server" else "the client"
    if len(chart.series) > 1:
        return f"After the 101, {_name(one)} brings {whom} {ratio} the bytes that it got before"
    return f"After the 101, {whom} gets {ratio} the bytes that it got before"


def _name(one: Measurement) -> str:
    return _title(one.way) if one.way else clean(one.name, 60)


def _title(way: str) -> str:
    return WAYS[way].title if way in WAYS else clean(way, 60)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


_SHAPES = {"lines": "middle half shaded", "bars": "middle half as a bracket", "facing": "middle half as a bracket"}


def subtitle(chart: Chart) -> tuple[str, ...]:
    """Return what belongs to the figures, a line each: what is shown, the machine, what is missing."""
    first = [_count(chart), *chart.held]
    machine = chart.study.machine
    second = [clean(machine[name], 70) for name in ("processor", "python") if name in machine]
    second += [clean(each, 40) for each in (chart.study.date,) if each]
    third = [clean(chart.study.note, 400)] if chart.study.note else []
    third += [f"not drawn: {', '.join(chart.left)}"] if chart.left else []
    if chart.study.quick:
        first.append("quick: few rounds, only to see that it works")
    return tuple(" · ".join(line) for line in (first, second, third) if line)


def _count(chart: Chart) -> str:
    counts = sorted({len(mark.measured.values) for mark in chart.marks})
    n = f"n {counts[0]:,}" if len(counts) == 1 else f"n {counts[0]:,} to {counts[-1]:,}"
    if counts == [1]:
        return "exact, from one exchange (n 1)" if chart.x.unit == "B" or chart.y.unit == "B" else "measured once (n 1)"
    if chart.form == "strips":
        return f"every value up to p99.9, middle half as a bar ({n})"
    if chart.form == "course":
        return f"each value, and the median before and after ({n})"
    return f"median, {_SHAPES[chart.form]} ({n})"
