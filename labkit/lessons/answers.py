"""Answers of the exercises: what a learner made is looked at, point by point, and each point says why."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from labkit.render.html import table

__all__ = ["SEED_DIAGRAM", "Point", "Review", "review_mermaid"]

SEED_DIAGRAM = """\
sequenceDiagram
    participant Client
    participant Server
    Note over Client: Step 1: Client sends a request to upgrade protocol
    Client->>Server: GET /socket HTTP/1.1 (Upgrade: websocket) (Step 1)
    Client->>Server: Headers (Connection: Upgrade, Upgrade: WebSocket) (Step 2)
    Note over Server: Step 3: Server agrees to protocol switch
    Server->>Client: HTTP/1.1 101 Switching Protocols (Step 3)
    Note over Client,Server: Step 4: WebSocket connection established
    Client->>Server: WebSocket Data (Step 4)
    Server->>Client: WebSocket Data (Step 5)
"""
"""The well-known diagram that most pages on the status code 101 show."""


class Point(NamedTuple):
    """One point of a review: whether it holds, what was looked for, and why it matters."""

    holds: bool
    what: str
    why: str


@dataclass(frozen=True)
class Review:
    """A list of points; draws itself as a table, and tells whether all of them hold."""

    points: tuple[Point, ...]

    @property
    def ok(self) -> bool:
        """Whether every point holds."""
        return all(point.holds for point in self.points)

    def __str__(self) -> str:
        rows = [f"{'✓' if p.holds else '✗'} {p.what}" + ("" if p.holds else f"\n    {p.why}") for p in self.points]
        right = sum(point.holds for point in self.points)
        return "\n".join([*rows, f"{right} of {len(rows)} points hold"])

    def __repr__(self) -> str:
        return f"<Review: {sum(point.holds for point in self.points)} of {len(self.points)} points hold>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        rows = [("✓ holds" if p.holds else "✗ not yet", p.what, "" if p.holds else p.why) for p in self.points]
        names = ("Point", "What was looked for", "Why it matters")
        return {"text/plain": str(self), "text/html": table(names, rows)}


_ARROW = re.compile(r"^\s*(\w+)\s*-?->>\s*(\w+)\s*:\s*(.*)$")


class _Drawing(NamedTuple):
    """A Mermaid sequence diagram, as far as the points need it."""

    text: str
    arrows: list[tuple[str, str, str]]

    @classmethod
    def read(cls, source: str) -> _Drawing:
        found = (_ARROW.match(line) for line in source.splitlines())
        return cls(source, [(m[1], m[2], m[3]) for m in found if m])

    @property
    def answer(self) -> int:
        """The place of the arrow with the 101; past the end where there is none."""
        places = (place for place, arrow in enumerate(self.arrows) if "101" in arrow[2])
        return next(places, len(self.arrows))


def _one_request(drawing: _Drawing) -> bool:
    return drawing.answer == 1


def _mentions(*words: str) -> Callable[[_Drawing], bool]:
    return lambda drawing: all(word.lower() in drawing.text.lower() for word in words)


def _says_back(drawing: _Drawing) -> bool:
    return drawing.answer < len(drawing.arrows) and drawing.arrows[drawing.answer][0] != drawing.arrows[0][0]


def _both_ways(drawing: _Drawing) -> bool:
    after = drawing.arrows[drawing.answer + 1 :]
    return len({arrow[0] for arrow in after}) > 1


def _closes(drawing: _Drawing) -> bool:
    after = drawing.arrows[drawing.answer + 1 :]
    return any("close" in arrow[2].lower() for arrow in after)


_POINTS: tuple[tuple[Callable[[_Drawing], bool], str, str], ...] = (
    (_one_request, "one arrow stands before the answer",
     "the request line and the field lines are one message: they leave together (RFC 9112, 2.1)"),
    (_mentions("Host:"), "the request has a Host", "without it the answer is 400 (RFC 9112, 3.2)"),
    (_mentions("Sec-WebSocket-Key:", "Sec-WebSocket-Version:"), "the request has a key and a version",
     "without them a WebSocket server answers 400 or 426 (RFC 6455, 4.1)"),
    (_says_back, "the 101 goes from the server to the client", "the server decides (RFC 9110, 7.8)"),
    (_mentions("Sec-WebSocket-Accept:"), "the 101 has an Accept",
     "a client must fail a 101 that does not prove the key was read (RFC 6455, 4.1)"),
    (_both_ways, "after the 101 both parties send", "either may speak first: that is what the switch is for"),
    (_closes, "the connection is closed with a Close frame", "it ends with a handshake too (RFC 6455, 7)"),
)  # fmt: skip


def review_mermaid(source: str) -> Review:
    """Look at a Mermaid sequence diagram of an upgrade to WebSocket.

    >>> review_mermaid(SEED_DIAGRAM).ok
    False
    """
    # Mermaid writes # and ; in a label as codes; a label is read as a person would.
    drawing = _Drawing.read(source.replace("#59;", ";").replace("#35;", "#").replace("#58;", ":"))
    return Review(tuple(Point(test(drawing), what, why) for test, what, why in _POINTS))
