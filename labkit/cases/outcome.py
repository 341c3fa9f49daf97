"""What an exchange came to, so that what a model predicts can be held against what a real program did.

Compared are: each head that the client got, each that the server saw (names and values; their order is not),
what the tunnel carried either way, and who closed the client's connection first, or that nobody did. FIN and RST
count as one. What a run cannot choose is taken out: the date, and the ports that the lab gives its programs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from labkit.dissection import HeadPart, HopView, dissect
from labkit.trace import Direction, End, How, Trace
from labkit.wire.fields import elements
from labkit.wire.http1 import RequestHead, ResponseHead

__all__ = ["Compared", "Outcome", "compared", "differences", "outcome"]

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


def differences(real: Outcome, model: Outcome) -> tuple[str, ...]:
    """Return what two outcomes differ in, a sentence each; nothing where they agree.

    >>> empty = outcome(Trace())
    >>> differences(empty, empty)
    ()
    """
    found = []
    for what, ours, theirs in (("the client got", real.got, model.got), ("the server saw", real.seen, model.seen)):
        if ours != theirs:
            found.append(f"{what}: really {_told(ours)}; the model {_told(theirs)}")
    if real.noise != model.noise:
        found.append(f"besides, the client got: really {real.noise[:80]!r}; the model {model.noise[:80]!r}")
    names = ("the client sent", "the client got", "the server got", "the server sent")
    for name, ours_, theirs_ in zip(names, real.carried, model.carried, strict=True):
        if ours_ != theirs_:
            found.append(f"behind the switch {name}: really {ours_[:80]!r}; the model {theirs_[:80]!r}")
    if real.closed != model.closed:
        found.append(f"closed first: really {real.closed or 'nobody'}; the model {model.closed or 'nobody'}")
    return tuple(found)


def _told(heads: tuple[Compared, ...]) -> str:
    return " ‖ ".join(str(head).replace("\n", " | ") for head in heads) or "nothing"
