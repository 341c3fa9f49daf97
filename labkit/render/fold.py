"""Long runs made short: stretches of like messages, and the middle of a diagram that would never end."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from labkit.dissection import Framed, FramesPart, OpaquePart
from labkit.render.messages import Kind, Message
from labkit.trace import Direction
from labkit.wire import http2
from labkit.wire.websocket import BINARY, CONTINUATION, PING, PONG, TEXT

__all__ = ["LONGEST", "MOST", "Folded", "fold"]

LONGEST = 8
"""The longest stretch of like messages that is drawn whole."""
MOST = 200
"""The most messages a diagram draws, whatever they are."""
_FIRST, _LAST = 3, 2  # drawn of a longer stretch


class Folded(NamedTuple):
    """Messages that are counted instead of drawn."""

    messages: list[Message]
    noun: str = "message"

    def text(self, arrow: Callable[[Message], str], way: Callable[[Message], str]) -> str:
        """Say how many of what: "997 more text frames →, 998 ←, 11,976 bytes".

        Args:
            arrow: to which side a message is drawn, as an arrow.
            way: which way it took, "" where there is one alone.
        """
        counts: dict[tuple[tuple[int, ...], Direction], int] = {}
        first: dict[tuple[tuple[int, ...], Direction], Message] = {}
        for message in self.messages:
            key = (message.hops, message.direction)
            first.setdefault(key, message)
            counts[key] = counts.get(key, 0) + 1
        ways = {key: way(message) for key, message in first.items()}
        alone = len(set(ways.values())) == 1
        said: list[str] = []
        for key, number in sorted(counts.items(), key=lambda item: (item[0][0], item[0][1] is Direction.TO_CLIENT)):
            what = f"more {self.noun}{'' if number == 1 else 's'} " if not said else ""
            said.append(f"{number:,} {what}{arrow(first[key])} {'' if alone else ways[key]}".rstrip())
        if alone and (shared := next(iter(ways.values()))):
            said = [f"{' and '.join(said)} {shared}"]
        size = sum(message.end - message.start for message in self.messages)
        said.append(f"{size:,} bytes")
        faulty = sum(_faulty(message) for message in self.messages)
        if faulty:
            said.append(f"✗ {faulty:,} with a fault")
        return ", ".join(said)


def fold(messages: list[Message], marked: Callable[[Message], bool] = lambda _: False) -> list[Message | Folded]:
    """Return what to draw: every message, or the first and last of a long stretch with the rest counted.

    A stretch is cut where its first hop and direction come round again, so that a pair is not parted. What went
    through a tunnel is in no stretch with what did not, so that a loss is seen.

    Args:
        messages: all there are, in order.
        marked: tells of a message whether something is marked on it; such a one is in no stretch.
    """
    nouns = [("" if marked(message) else _alike(message), len(message.copies)) for message in messages]
    found: list[Message | Folded] = []
    start = 0
    while start < len(messages):
        alike = nouns[start]
        stop = start + 1
        while alike[0] and stop < len(messages) and nouns[stop] == alike:
            stop += 1
        found += _stretch(messages[start:stop]) if stop - start > LONGEST else messages[start:stop]
        start = stop
    if len(found) <= MOST:
        return found
    head, tail = MOST * 2 // 3, MOST // 4
    middle: list[Message] = []
    for entry in found[head:-tail]:
        middle += entry.messages if isinstance(entry, Folded) else [entry]
    return [*found[:head], Folded(middle), *found[-tail:]]


def _stretch(run: list[Message]) -> list[Message | Folded]:
    again = (run[0].hop, run[0].direction)
    most = 2 * len({message.hop for message in run}) + 1  # how far a round of all hops and directions goes
    head = next((at for at in range(_FIRST, _FIRST + most) if _where(run, at) == again), _FIRST)
    tail = next((at for at in range(_LAST, _LAST + most) if _where(run, len(run) - at) == again), _LAST)
    if head + tail >= len(run) - 1:
        return list(run)
    return [*run[:head], Folded(run[head:-tail], _alike(run[0])), *run[-tail:]]


def _where(run: list[Message], at: int) -> tuple[int, Direction] | None:
    return (run[at].hop, run[at].direction) if 0 <= at < len(run) else None


_NOUNS = {
    CONTINUATION: "fragment", TEXT: "text frame", BINARY: "binary frame", PING: "control frame", PONG: "control frame",
}  # fmt: skip


_HTTP2_NOUNS = {
    http2.DATA: "DATA or WINDOW_UPDATE frame", http2.WINDOW_UPDATE: "DATA or WINDOW_UPDATE frame",
    http2.PING: "PING frame", http2.CONTINUATION: "CONTINUATION frame", http2.PRIORITY: "PRIORITY frame",
}  # fmt: skip


def _alike(message: Message) -> str:
    """Return what makes messages like each other; "" for what is always drawn."""
    part = message.part
    if isinstance(part, Framed):
        return "" if message.place in part.faults else _noun(part, message.place)
    return "line" if isinstance(part, OpaquePart) and part.start < message.end < part.end else ""


def _noun(part: Framed, place: int) -> str:
    if isinstance(part, FramesPart):
        return _NOUNS.get(part.frames[place].first & 0x0F, "")
    frame = part.frames[place]
    return "" if frame.type == http2.DATA and frame.flags & http2.END_STREAM else _HTTP2_NOUNS.get(frame.type, "")


def _faulty(message: Message) -> bool:
    part = message.part
    if isinstance(part, Framed):
        return message.place in part.faults
    return message.kind is Kind.BYTES and isinstance(part, OpaquePart) and bool(part.fault)
