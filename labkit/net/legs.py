"""The recordings of a chain, brought together: one trace of all the legs that an exchange took.

client ─▶ door ─▶ nginx ─▶ server         the door records one connection, what is behind it may record several
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from labkit.errors import WrongUse
from labkit.net.listener import Listener
from labkit.recording import Recording, joined
from labkit.trace import Hop, Trace

__all__ = ["together"]

_LOOK = 0.005  # seconds between two looks
_QUIET = 0.2  # seconds without a byte: what is open then stays open, as a connection that is kept for later
_LONGEST = 2.0  # seconds to wait for the ends


def together(chain: Sequence[Listener], parties: Sequence[str], note: str = "") -> Trace:
    """Return the newest exchange that a chain of listeners recorded, leg by leg; waits a moment for its ends.

    Args:
        chain: what recorded each hop, from the client's end.
        parties: who takes part: the client, and who is behind each listener.
        note: of the trace.

    Raises:
        WrongUse: nobody has connected yet.
    """
    made = chain[0].recordings
    if not made:
        raise WrongUse(f"there is no trace: nothing has connected to this {chain[0].kind}")
    carried = [each for each in made if each.changes] or list(made)
    near = carried[-1]
    _settle(chain, near)
    legs = [(near, Hop(*parties[:2]))]
    for place, listener in enumerate(chain[1:], 1):
        legs += [(each, Hop(*parties[place : place + 2])) for each in listener.recordings if _meets(each, near)]
    more = f"{len(carried)} connections were made; the last one is shown" if len(carried) > 1 else ""
    return joined(legs, note="; ".join(text for text in (note, more) if text))


def _settle(chain: Sequence[Listener], near: Recording) -> None:
    """Wait until every leg of an exchange has ended, or until nothing moves any more."""
    latest = time.monotonic() + _LONGEST
    while time.monotonic() < latest:
        legs = [near, *(each for listener in chain[1:] for each in listener.recordings if _meets(each, near))]
        quiet = time.monotonic() - max(each.until for each in legs)  # the clock that they were made with
        if quiet > _QUIET or all(each.ended for each in legs):
            return
        time.sleep(_LOOK)


def _meets(leg: Recording, near: Recording) -> bool:
    """Tell whether a leg carried something while the near one was open."""
    return leg.until >= near.began and (not near.ended or leg.began <= near.until)
