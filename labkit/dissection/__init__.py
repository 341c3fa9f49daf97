"""From bytes to meaning: `dissect(trace)` takes every hop of a trace apart.

    Trace ─▶ HopView per hop ─▶ parts per direction (heads, content, frames, other bytes) ─▶ spans

Parts are light; spans are made when they are asked for. Dissectors never raise: a broken byte becomes
a span that says which rule it breaks. The leaves of a direction, joined, are its bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from labkit.dissection.hop import Exchange, Framed, HopView, OpaquePart, Part, dissect_hop
from labkit.dissection.http import ContentPart, HeadPart
from labkit.dissection.http2 import Http2Part
from labkit.dissection.spans import Bits, Span
from labkit.dissection.tunnels import Tunnel
from labkit.dissection.websocket import FramesPart
from labkit.trace import Direction, End, Event, How, Trace, Transfer

__all__ = [
    "Bits", "ContentPart", "Dissection", "Exchange", "Framed", "FramesPart", "HeadPart", "HopView",
    "Http2Part", "OpaquePart", "Part", "Span", "dissect",
]  # fmt: skip


@dataclass(frozen=True)
class Dissection:
    """A trace taken apart, hop by hop."""

    trace: Trace = field(repr=False)
    hops: tuple[HopView, ...]

    @property
    def exchange(self) -> Exchange | None:
        """The exchange of the first hop that counts; see `HopView.exchange`."""
        return self.hops[0].exchange if self.hops else None

    @property
    def outcome(self) -> str:
        """How it ended, in a word; see `Exchange.outcome`. In HTTP/2, where nothing is switched, "opened" says yes."""
        if self.exchange:
            return self.exchange.outcome
        tunnel = self._tunnel
        return "no answer" if tunnel is None or not tunnel.status else "opened" if tunnel.opened else "refused"

    @property
    def status(self) -> int | None:
        """The status code of its answer, or of that to the first extended CONNECT in HTTP/2; None where none came."""
        if self.exchange:
            return self.exchange.status
        return (self._tunnel.status or None) if self._tunnel else None

    @property
    def _tunnel(self) -> Tunnel | None:
        part = self.hops[0].http2(Direction.TO_SERVER) if self.hops else None
        return next(iter(part.tunnels.all.values()), None) if part else None


def dissect(trace: Trace) -> Dissection:
    r"""Take a trace apart. Never raises, whatever the bytes are.

    >>> ask = Transfer(0, Direction.TO_SERVER, b"GET / HTTP/1.1\r\nHost: server.example.com\r\n\r\n")
    >>> view = dissect(Trace((ask,))).hops[0]
    >>> [leaf.label for leaf in view.spans(Direction.TO_SERVER)[0].leaves()][:3]
    ['method', 'space', 'request-target']
    """
    marks = [_Marks() for _ in trace.hops]
    for event in trace.events:
        marks[event.hop].note(event)
    views = []
    for hop, seen in enumerate(marks):
        to_server, to_client = trace.stream(Direction.TO_SERVER, hop), trace.stream(Direction.TO_CLIENT, hop)
        views.append(dissect_hop(hop, to_server, to_client, seen.ends, seen.missing, seen.holes))
    return Dissection(trace, tuple(views))


class _Marks:
    """What the events of one hop say beside its bytes: ends, what is missing, and where."""

    def __init__(self) -> None:
        self.ends: dict[Direction, How] = {}
        self.missing: dict[Direction, int | None] = {}
        self.holes: dict[Direction, int] = {}
        self._sizes = dict.fromkeys(Direction, 0)

    def note(self, event: Event) -> None:
        way = event.direction
        if isinstance(event, Transfer):
            self._sizes[way] += len(event.data)
        elif isinstance(event, End):
            self.ends.setdefault(way, event.how)
        else:
            before = self.missing.get(way, 0)
            self.missing[way] = None if before is None or event.length is None else before + event.length
            self.holes.setdefault(way, self._sizes[way])
