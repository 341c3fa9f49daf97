"""What the learner says will come, before it is shown."""

from __future__ import annotations

from labkit.dissection import dissect
from labkit.trace import Trace

__all__ = ["GUESSES", "came", "right"]

GUESSES: dict[str, str] = {
    "101": "101, the switch",
    "200": "200, the offer is ignored",
    "3xx": "3xx, it is sent elsewhere",
    "400": "400, the request is refused",
    "403": "403, it is not allowed",
    "404": "404, there is nothing",
    "426": "426, an upgrade is required",
    "5xx": "5xx, a proxy or the server fails",
    "other": "another status",
    "none": "no answer",
}
"""What can be said will come, and how it is told."""


def came(trace: Trace) -> str:
    """Return what came to the client, as a key of `GUESSES`.

    >>> came(Trace())
    'none'
    """
    exchange = dissect(trace).exchange
    status = exchange.status if exchange else None
    if status is None:
        return "none"
    hundreds = f"{status // 100}xx"
    return next((each for each in (str(status), hundreds) if each in GUESSES), "other")


def right(guess: str, trace: Trace) -> str:
    """Return in a sentence, with a sign, whether a guess was right."""
    what = came(trace)
    if guess == what:
        return f"✓ You said {guess}, and so it is."
    return f"✗ You said {guess}; it is {GUESSES[what]}."
