"""The recorder behind every tap: appended to while bytes flow, bounded, turned into a trace later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from labkit.trace import Cut, Direction, End, Event, Hop, How, Trace, Transfer

__all__ = ["DEFAULT_LIMIT", "Recording", "joined"]

DEFAULT_LIMIT = 1 << 20  # bytes kept per trace
_MOST_EVENTS = 1 << 17  # a million one-byte reads would cost more in bookkeeping than in bytes
_HOP = Hop()
_FULL = -1  # what is left once a byte was lost: from then on nothing more is kept, so no hole is hidden


class Recording:
    """Keeps what crosses one hop, up to `limit` bytes; what is beyond is counted, not kept.

    One thread adds; `trace` may be asked from any other at any time.

    `note` may be set to what is to be said of it beside where it comes from; `began` is when it began, by its clock.

    Args:
        clock: gives the time in seconds; only differences are kept.
        limit: the most bytes to keep, both directions together.
        hop: the parties of the hop.

    >>> recording = Recording(lambda: 0.0, limit=3)
    >>> recording.add(Direction.TO_SERVER, b"hello")
    >>> [type(event).__name__ for event in recording.trace().events]
    ['Transfer', 'Cut', 'End', 'End']
    """

    def __init__(self, clock: Callable[[], float], *, limit: int = DEFAULT_LIMIT, hop: Hop | None = None) -> None:
        self._clock = clock
        self._hop = hop or _HOP
        self._left = limit
        self._rows: list[tuple[float, Direction, bytes]] = []
        self._cut: dict[Direction, tuple[float, int]] = {}
        self._ends: dict[Direction, tuple[float, How, int]] = {}
        self.began = clock()
        self.note = ""

    def add(self, direction: Direction, data: bytes) -> None:
        """Keep `data`, as far as the limit allows."""
        left = self._left - len(data)
        if left >= 0 and len(self._rows) < _MOST_EVENTS:
            self._left = left
            self._rows.append((self._clock(), direction, data))
        elif data:
            self._over(direction, data)

    def _over(self, direction: Direction, data: bytes) -> None:
        time = self._clock()
        room = max(self._left, 0) if len(self._rows) < _MOST_EVENTS else 0
        self._left = _FULL
        if room:
            self._rows.append((time, direction, data[:room]))
        since, lost = self._cut.get(direction, (time, 0))
        self._cut[direction] = (since, lost + len(data) - room)

    def end(self, direction: Direction, how: How) -> None:
        """Note how a direction ended; the first word stands."""
        self._ends.setdefault(direction, (self._clock(), how, len(self._rows)))

    @property
    def ended(self) -> bool:
        """Whether both directions have ended."""
        return len(self._ends) == len(Direction)

    @property
    def changes(self) -> int:
        """How often something was added or ended so far."""
        return len(self._rows) + len(self._cut) + len(self._ends)

    def crossed(self, direction: Direction) -> int:
        """Return how many bytes crossed in a direction so far, kept or not."""
        _, cut = self._cut.get(direction, (0.0, 0))
        return cut + sum(len(data) for _, way, data in list(self._rows) if way is direction)

    @property
    def until(self) -> float:
        """When something was added or ended last, by its clock; when it began, where nothing was."""
        rows, ends = list(self._rows[-1:]), list(self._ends.values())
        return max((self.began, *(row[0] for row in rows), *(end[0] for end in ends)))

    def trace(self, title: str = "", note: str = "") -> Trace:
        """Return what was kept so far; a direction still open is marked as abandoned."""
        cut, ends = dict(self._cut), dict(self._ends)
        rows = list(self._rows)  # after the cuts, so that no cut is told of without the bytes before it
        began = self.began
        events: list[Event] = [Transfer(0, way, data, time - began) for time, way, data in rows]
        events += [Cut(0, way, lost, time - began) for way, (time, lost) in cut.items()]
        kept = len(events)
        for way, (time, how, place) in reversed(ends.items()):  # the last first: earlier places stay right
            events.insert(place if place < len(rows) else kept, End(0, way, how, time - began))
        last = max((event.time for event in events), default=0.0)
        events += [End(0, way, How.ABANDONED, last) for way in Direction if way not in ends]
        return Trace(tuple(events), (self._hop,), title, "; ".join(text for text in (note, self.note) if text))


def joined(legs: Sequence[tuple[Recording, Hop]], title: str = "", note: str = "") -> Trace:
    """Return what several legs carried as one trace, a hop each, in the order in which it was recorded.

    Times are kept to the microsecond.

    Args:
        legs: the recordings, made with one clock, and the parties that each stood between; from the client's end.
        title: of the trace.
        note: of the trace; what is to be said of a single recording is added.

    >>> ticks = iter(range(100))
    >>> near, far = Recording(lambda: float(next(ticks))), Recording(lambda: float(next(ticks)))
    >>> for recording in (near, far, near):
    ...     recording.add(Direction.TO_SERVER, b"x")
    >>> trace = joined([(near, Hop("client", "proxy")), (far, Hop("proxy", "server"))])
    >>> [event.hop for event in trace.events if isinstance(event, Transfer)]
    [0, 1, 0]
    """
    first = min((recording.began for recording, _ in legs), default=0.0)
    rows: list[tuple[float, Event]] = []
    for number, (recording, _) in enumerate(legs):
        latest = 0.0  # what a recording has in order stays in order
        for event in recording.trace().events:
            time = event.time + recording.began - first
            latest = max(latest, time)
            rows.append((latest, replace(event, hop=number, time=round(time, 6))))
    rows.sort(key=lambda row: row[0])
    said = [note, *dict.fromkeys(recording.note for recording, _ in legs)]
    hops = tuple(hop for _, hop in legs) or (Hop(),)
    return Trace(tuple(event for _, event in rows), hops, title, "; ".join(text for text in said if text))
