"""What an exchange came to, so that what a model predicts can be held against what a real program did.

Compared are: each head that the client got, each that the server saw (names and values; their order is not),
what the tunnel carried either way, and who closed the client's connection first, or that nobody did. FIN and RST
count as one. What a run cannot choose is taken out: the date, and the ports that the lab gives its programs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import NamedTuple

from labkit.dissection import HeadPart, HopView, dissect
from labkit.trace import Direction, End, How, Trace
from labkit.wire.fields import elements
from labkit.wire.http1 import RequestHead, ResponseHead

__all__ = ["CLOSING", "GOT", "SAID", "SAW", "Compared", "Difference", "Outcome", "compared", "differences", "outcome"]

_SHOWN = 80  # bytes of a tunnel that are told

_PORT = re.compile(r"(?<=[\w.\]]):[0-9]{2,5}\b")
_CHANCE = {  # fields whose value a run cannot choose, and what is compared in its place
    "date": re.compile(r"[^*]+"),
    "etag": re.compile(r"[^*]+"),
}
_PLACED = ("host", "location", "x-forwarded-host", "x-forwarded-port", "referer")  # fields that may hold a port


class Compared(NamedTuple):
    """A head as it is compared.

    Args:
        first: its start-line.
        fields: its field lines, names in lower case, in alphabetical order.
    """

    first: str
    fields: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return "\n".join([self.first, *(f"{name}: {value}" for name, value in self.fields)])


@dataclass(frozen=True)
class Outcome:
    """What an exchange came to.

    Args:
        got: the heads that the client got, interim answers among them.
        noise: what else came to the client before any switch, as far as it is no content.
        seen: the heads that the server saw, on every connection to it.
        carried: the bytes behind the switch: what the client sent and got, and what the server got and sent.
        closed: who ended the client's connection first; empty where nobody did.
    """

    got: tuple[Compared, ...]
    noise: bytes
    seen: tuple[Compared, ...]
    carried: tuple[bytes, bytes, bytes, bytes]
    closed: str


def outcome(trace: Trace) -> Outcome:
    """Return what an exchange came to, by its trace; the client's connection is its first hop.

    >>> outcome(Trace()).closed
    ''
    """
    views = dissect(trace).hops
    near = views[0]
    server = trace.hops[-1].server
    far = [view for view, hop in zip(views, trace.hops, strict=True) if hop.server == server]
    got = [part for each in near.exchanges for part in (*each.interim, each.answer) if part]
    seen = [each.request for view in far for each in view.exchanges if each.request]
    return Outcome(
        tuple(compared(part.value) for part in got if part.head.whole and part.value),
        _noise(near),
        tuple(compared(part.value) for part in seen if part.value),
        (*_behind([near]), *_behind(far)),
        _closed(trace),
    )


def compared(head: RequestHead | ResponseHead) -> Compared:
    """Return a head as it is compared.

    >>> from labkit.wire.fields import Fields
    >>> print(compared(ResponseHead(426, "Upgrade Required", Fields.of([("Date", "today"), ("Connection", "close")]))))
    HTTP/1.1 426 Upgrade Required
    connection: close
    date: *
    """
    fields = sorted((name.lower(), _steady(name.lower(), value)) for name, value in head.fields)
    return Compared(head.start_line.rstrip(), tuple(fields))


def _steady(name: str, value: str) -> str:
    if name == "allow":  # Apache's order changes from start to start
        return ", ".join(sorted(elements(value)))
    if name in _CHANCE:
        return _CHANCE[name].sub("*", value)
    return _PORT.sub("", value) if name in _PLACED else value


def _noise(view: HopView) -> bytes:
    """Return what the client got that is neither a whole head nor content: garbage, or half a head."""
    data = view.data[Direction.TO_CLIENT]
    wholes = {id(part) for each in view.exchanges for part in (*each.interim, each.answer) if part and part.head.whole}
    heads = [part for part in view.parts[Direction.TO_CLIENT] if isinstance(part, HeadPart)]
    halves = b"".join(data[part.start : part.end] for part in heads if id(part) not in wholes)
    return halves or (data if data and not wholes else b"")


def _behind(views: list[HopView]) -> tuple[bytes, bytes]:
    """Return what went behind the seam of the first hop that has one: to the server, to the client."""
    view = next((each for each in views if each.seam), None)
    if view is None:
        return b"", b""
    up, down = (view.data[way][view.seam[way] :] for way in (Direction.TO_SERVER, Direction.TO_CLIENT))
    return up, down


def _closed(trace: Trace) -> str:
    for event in trace.events:
        if isinstance(event, End) and event.hop == 0 and event.how is not How.ABANDONED:
            return "client" if event.direction is Direction.TO_SERVER else "proxy"
    return ""


class Difference(NamedTuple):
    """One thing in which two outcomes differ: a line of a head, what a tunnel carried, who closed.

    Args:
        place: where it shows, such as "the client got".
        what: the field name in lower case, or what else it is, such as "start-line"; of several heads with its number.
        observed: what one has there; "" where it has nothing.
        predicted: what the other has.
    """

    place: str
    what: str
    observed: str
    predicted: str

    def __str__(self) -> str:
        return (
            f"{self.place}, {self.what}: really {self.observed or 'nothing'}; the model {self.predicted or 'nothing'}"
        )


GOT, SAW, SAID, CLOSING = "the client got", "the server saw", "behind the switch", "closed first"
"""The places of differences."""

_CARRIED = ("the client sent", "the client got", "the server got", "the server sent")


def differences(observed: Outcome, predicted: Outcome) -> tuple[Difference, ...]:
    """Return what two outcomes differ in, line by line; nothing where they agree. A text of each is a sentence.

    >>> empty = outcome(Trace())
    >>> differences(empty, empty)
    ()
    >>> print(*differences(empty, Outcome((), b"", (), (b"",) * 4, closed="client")))
    closed first, who: really nobody; the model client
    """
    return tuple(_differences(observed, predicted))


def _differences(one: Outcome, other: Outcome) -> Iterator[Difference]:
    for place, ours, theirs in ((GOT, one.got, other.got), (SAW, one.seen, other.seen)):
        many = len(ours) > 1 or len(theirs) > 1
        for number, heads in enumerate(zip_longest(ours, theirs), 1):
            yield from _of_heads(place, f" of head {number}" if many else "", *heads)
    if one.noise != other.noise:
        yield Difference(GOT, "what is no head", _bytes(one.noise), _bytes(other.noise))
    for what, sent, told in zip(_CARRIED, one.carried, other.carried, strict=True):
        if sent != told:
            yield Difference(SAID, what, _bytes(sent), _bytes(told))
    if one.closed != other.closed:
        yield Difference(CLOSING, "who", one.closed or "nobody", other.closed or "nobody")


def _of_heads(place: str, which: str, one: Compared | None, other: Compared | None) -> Iterator[Difference]:
    """Yield the lines in which two heads differ; where one is not there, its start-line tells so."""
    first = one.first if one else "", other.first if other else ""
    if first[0] != first[1]:
        yield Difference(place, f"start-line{which}", *first)
    if one is None or other is None:
        return
    for name in sorted({name for name, _ in (*one.fields, *other.fields)}):
        values = tuple("; ".join(value for own, value in head.fields if own == name) for head in (one, other))
        there = tuple(sum(own == name for own, _ in head.fields) for head in (one, other))
        if values[0] != values[1] or there[0] != there[1]:
            ours, theirs = (_line(value, count) for value, count in zip(values, there, strict=True))
            yield Difference(place, f"{name}{which}", ours, theirs)


def _line(value: str, count: int) -> str:
    """Return the value of a field as it is told: an empty one is not the same as none."""
    if count > 1:
        return f"{value} (in {count} lines)"
    return value or ("(empty)" if count else "")


def _bytes(data: bytes) -> str:
    """Return what a tunnel carried: its first bytes, as Python writes them."""
    more = f" … {len(data)} bytes" if len(data) > _SHOWN else ""
    return f"{data[:_SHOWN]!r}{more}" if data else ""
