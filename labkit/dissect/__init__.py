"""From bytes to meaning: `dissect(trace)` takes every hop of a trace apart.

    Trace ─▶ HopView per hop ─▶ parts per direction (heads, content, frames, other bytes) ─▶ spans

Parts are light; spans are made when they are asked for. Dissectors never raise: a broken byte becomes
a span that says which rule it breaks. The leaves of a direction, joined, are its bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from labkit.dissect.hop import Exchange, HopView, OpaquePart, Part, dissect_hop
from labkit.dissect.http import ContentPart, HeadPart
from labkit.dissect.spans import Bits, Span
from labkit.dissect.websocket import FramesPart
from labkit.trace import Cut, Direction, End, Gap, How, Trace

__all__ = [
    "Bits", "ContentPart", "Dissection", "Exchange", "FramesPart", "HeadPart", "HopView", "OpaquePart", "Part",
    "Span", "dissect",
]  # fmt: skip


@dataclass(frozen=True)
class Dissection:
    """A trace taken apart, hop by hop."""

    trace: Trace = field(repr=False)
    hops: tuple[HopView, ...]

    @property
    def outcome(self) -> str:
        """How the first offer on the first hop ended; "plain" or "no answer" where none was made."""
        exchanges = self.hops[0].exchanges if self.hops else ()
        offers = [exchange for exchange in exchanges if exchange.offer or exchange.switched]
        chosen = offers or exchanges
        return chosen[-1].outcome if chosen else "no answer"


def dissect(trace: Trace) -> Dissection:
    """Take a trace apart. Never raises, whatever the bytes are.

    >>> from labkit.trace import Transfer
    >>> ask = Transfer(0, Direction.TO_SERVER, b"GET / HTTP/1.1\\r\\nHost: server.example.com\\r\\n\\r\\n")
    >>> view = dissect(Trace((ask,))).hops[0]
    >>> [leaf.label for leaf in view.spans(Direction.TO_SERVER)[0].leaves()][:3]
    ['method', 'space', 'request-target']
    """
    views = []
    for number in range(len(trace.hops)):
        ends: dict[Direction, How] = {}
        missing: dict[Direction, int | None] = {}
        for event in trace.events:
            if event.hop != number:
                continue
            if isinstance(event, End):
                ends.setdefault(event.direction, event.how)
            elif isinstance(event, (Cut, Gap)):
                missing[event.direction] = event.length
        to_server = trace.stream(Direction.TO_SERVER, number)
        to_client = trace.stream(Direction.TO_CLIENT, number)
        views.append(dissect_hop(number, to_server, to_client, ends, missing))
    return Dissection(trace, tuple(views))
