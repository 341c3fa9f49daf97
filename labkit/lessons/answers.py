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
    """A list of points; draws itself as a table, and tells whether all of them hold.

    Args:
        points: what was looked at.
        more: what is said below them.
    """

    points: tuple[Point, ...]
    more: str = ""

    @property
    def ok(self) -> bool:
        """Whether every point holds."""
        return all(point.holds for point in self.points)

    def __str__(self) -> str:
        rows = [f"{'✓' if p.holds else '✗'} {p.what}" + ("" if p.holds else f"\n    {p.why}") for p in self.points]
        return "\n".join(filter(None, [*rows, self._told, self.more]))

    def __repr__(self) -> str:
        return f"<Review: {self._told}>"

    @property
    def _told(self) -> str:
        return f"{sum(point.holds for point in self.points)} of {len(self.points)} points hold"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        rows = [("✓ holds" if p.holds else "✗ not yet", p.what, "" if p.holds else p.why) for p in self.points]
        names = ("Point", "What was looked for", "Why it matters")
        shown = 2 if self.ok else 3  # where all is well there is nothing to explain
        html = table(names[:shown], [row[:shown] for row in rows], f"{self._told}. {self.more}".strip())
        return {"text/plain": str(self), "text/html": html}


_ARROW = re.compile(r"\s*(\w+)\s*(?:<<)?--?(?:>>?|x|\))\s*[+-]?\s*(\w+)\s*:\s*(.*)")
_NOTE = re.compile(r"\s*note\s[^:]*:\s*(.*)", re.IGNORECASE)
_CODE = re.compile(r"#(\d{1,6});")


@dataclass
class _Message:
    """An arrow: who sends it, and its words, those of the notes that belong to it included."""

    sender: str
    words: str

    def has(self, *names: str) -> bool:
        """Tell whether all of these stand in its words, each as a word of its own."""
        return all(re.search(rf"(?i)(?<![\w-]){re.escape(name)}(?![\w-])", self.words) for name in names)


@dataclass(frozen=True)
class _Drawing:
    """A Mermaid sequence diagram as far as the points need it: the messages before, in and after the answer."""

    request: list[_Message]
    answer: _Message
    after: list[_Message]

    @classmethod
    def read(cls, source: str) -> _Drawing:
        """Read a diagram; a note belongs to the arrow above it, and before the first arrow to that one."""
        messages: list[_Message] = []
        waiting = ""
        for line in source.splitlines():
            if note := _NOTE.fullmatch(line):
                if messages:
                    messages[-1].words += f" {note[1]}"
                else:
                    waiting += f"{note[1]} "
            elif arrow := _ARROW.fullmatch(line):
                messages.append(_Message(arrow[1], waiting + arrow[3]))
                waiting = ""
        place = next((place for place, message in enumerate(messages) if message.has("101")), len(messages))
        answer = messages[place] if place < len(messages) else _Message("", "")
        return cls(messages[:place], answer, messages[place + 1 :])

    def asks(self, *names: str) -> bool:
        """Tell whether all of these stand in the request."""
        return _Message("", " ".join(message.words for message in self.request)).has(*names)

    @property
    def data(self) -> list[_Message]:
        """The messages after the answer, up to the first Close."""
        closes = [place for place, message in enumerate(self.after) if message.has("close")]
        return self.after[: closes[0]] if closes else self.after

    @property
    def closers(self) -> list[str]:
        """Who sends what comes from the first Close on: each party once, where it is drawn right."""
        return [message.sender for message in self.after[len(self.data) :]]


_POINTS: tuple[tuple[Callable[[_Drawing], bool], str, str], ...] = (
    (lambda d: len(d.request) == 1, "the request is one arrow",
     "the request line and the field lines are one message: they leave together (RFC 9112, 2.1)"),
    (lambda d: d.asks("GET"), "the request is a GET", "a WebSocket handshake is one (RFC 6455, 4.1 (2))"),
    (lambda d: d.asks("Host"), "the request has a Host", "without it the answer is 400 (RFC 9112, 3.2)"),
    (lambda d: d.asks("Upgrade", "Connection"), "the request has Upgrade and Connection",
     "the one says to what, the other for whom it is meant (RFC 9110, 7.8)"),
    (lambda d: d.asks("Sec-WebSocket-Key", "Sec-WebSocket-Version"), "the request has a key and a version",
     "without them a WebSocket server must answer with an error (RFC 6455, 4.2.1, 4.2.2)"),
    (lambda d: bool(d.request) and d.answer.sender not in ("", d.request[0].sender),
     "the 101 goes from the server to the client", "the server decides (RFC 9110, 7.8)"),
    (lambda d: d.answer.has("Upgrade", "Connection"), "the 101 has Upgrade and Connection",
     "it says what the connection speaks from here on (RFC 9110, 7.8, 15.2.2)"),
    (lambda d: d.answer.has("Sec-WebSocket-Accept"), "the 101 has an Accept",
     "a client must fail a 101 that does not prove the key was read (RFC 6455, 4.1)"),
    (lambda d: len({message.sender for message in d.data}) == 2, "after the 101 both parties send",
     "either may speak first: that is what the switch is for"),
    (lambda d: len(d.closers) == len(set(d.closers)) == 2, "at the end each party sends one Close",
     "the connection ends with a handshake too (RFC 6455, 7.1.1)"),
)  # fmt: skip


def review_mermaid(source: str) -> Review:
    """Look at a Mermaid sequence diagram of an upgrade to WebSocket.

    >>> review_mermaid(SEED_DIAGRAM).ok
    False
    """
    # Mermaid writes # and ; in a label as codes; a label is read as a person would.
    read = _CODE.sub(lambda code: chr(min(int(code[1]), 0xFFFD)), source)
    drawing = _Drawing.read(re.sub(r"<br\s*/?>", " ", read))
    return Review(tuple(Point(test(drawing), what, why) for test, what, why in _POINTS))
