"""Which field lines of a head a diagram shows, whatever the version of HTTP: those that decide something."""

from __future__ import annotations

from collections.abc import Sequence

from labkit.render.layout import Detail
from labkit.render.measure import clean

__all__ = ["MOST_FIELDS", "field_details"]

MOST_FIELDS = 12
"""The most field lines shown of one head."""

_SHOWN = frozenset({
    "host", "upgrade", "connection", "http2-settings", "origin", "expect", "allow", "location", "retry-after",
    "content-length", "transfer-encoding", "authorization", "cookie", "set-cookie", ":authority", ":protocol",
})  # fmt: skip
_OFFERING = frozenset({"upgrade", "connection", "http2-settings"})  # with sec-websocket-*, step 2


def field_details(
    lines: Sequence[tuple[str, str]], two: str = "", places: Sequence[tuple[int, int]] = ()
) -> tuple[Detail, ...]:
    """Return the lines below a head's headline: what is shown of its field lines, and how many more there are.

    Args:
        lines: names and values.
        two: the step that stands at the first field of the upgrade; "" where it is none.
        places: where each line begins and ends in the bytes of its direction, where that is known.

    >>> [detail.text for detail in field_details([("Host", "h"), ("Accept", "*/*")])]
    ['Host: h', '+ 1 more field line']
    """
    found: list[Detail] = []
    for number, (name, value) in enumerate(lines):
        low = name.lower()
        offering = low in _OFFERING or low.startswith("sec-websocket-")
        if (low in _SHOWN or offering) and len(found) < MOST_FIELDS:
            start, end = places[number] if number < len(places) else (0, 0)
            found.append(Detail(clean(f"{name}: {value}"), two if offering else "", start, end))
            two = "" if offering else two
    left = len(lines) - len(found)
    if left and found:
        found.append(Detail(f"+ {left} more field line" + ("s" if left > 1 else "")))
    elif left:
        found.append(Detail(f"{left} field line" + ("s" if left > 1 else "")))
    return tuple(found)
