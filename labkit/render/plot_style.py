"""The style of plots: how each way of talking looks, how it is called, and the weights of lines and type.

A way is told by its colour, its marker, the dashes of its line, and its name beside it; ways of one kind are
neighbours in colour. The colours themselves are the theme's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from labkit.render.theme import Theme

__all__ = ["VIAS", "WAYS", "Look", "look", "mixed", "settings", "spread", "via_name", "way_name"]

WIDTH = 7.0
"""Of a picture, in inches: as wide as a notebook's text."""

DPI = 100
"""Pixels an inch, where a picture is made of pixels."""

TITLE, TEXT, SMALL = 12.5, 8.5, 8.0
"""Sizes of type, in points."""

LINE, RULE, MARKER = 1.7, 0.8, 6.0
"""Weights: a line that carries data, one that helps to read it, and a marker's size, in points."""

BAND = 0.16
"""How opaque the middle half of the values is."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a line looks.

    Args:
        name: what stands beside it.
        title: how a sentence calls it.
        place: of its colour among the theme's for series.
        marker: its marker, as matplotlib calls it.
        dashes: on and off in line widths; nothing for a line without gaps.
    """

    name: str
    title: str
    place: int
    marker: str
    dashes: tuple[float, ...] = ()

    def colour(self, theme: Theme) -> str:
        """Return its colour."""
        return theme.series[self.place]


WAYS = {
    "new-connection": Look("new connection", "a new connection per request", 0, "o"),
    "keep-alive": Look("keep-alive", "requests on one connection", 1, "s", (5, 1.6)),
    "long-polling": Look("long polling", "long polling", 2, "^", (1.2, 1.2)),
    "server-sent-events": Look("server-sent events", "server-sent events", 3, "v", (6, 1.5, 1.2, 1.5)),
    "websocket-text": Look("WebSocket text", "WebSocket", 4, "D"),
    "websocket-binary": Look("WebSocket binary", "binary WebSocket", 5, "P", (5, 1.6)),
    "websocket-deflate": Look("WebSocket deflate", "compressed WebSocket", 6, "X", (1.2, 1.2)),
    "raw": Look("raw bytes", "a protocol of raw bytes", 7, "h", (8, 1.6)),
}
"""The ways of talking: neighbours in this order differ in the lightness of their colours, too."""

VIAS = {
    "": ("direct", "directly"),
    "embedded": ("embedded proxy", "through the embedded proxy"),
    "nginx": ("nginx", "through nginx"),
    "apache": ("Apache", "through Apache"),
    "tap": ("through a tap", "through a tap"),
    "untraced": ("not traced", "without tracing"),
}  # fmt: skip
"""What stands between: its name beside a bar, and in a sentence."""

_MARKERS = "oDs^vPXh"


def look(way: str, number: int) -> Look:
    """Return how a way looks; of one that is not known, by its number in the picture.

    >>> look("websocket-text", 0).name, look("gossip", 1).name
    ('WebSocket text', 'gossip')
    """
    if way in WAYS:
        return WAYS[way]
    dashes: tuple[tuple[float, ...], ...] = ((), (5, 1.6), (1.2, 1.2), (6, 1.5, 1.2, 1.5))
    return Look(way, way, (number * 3 + 4) % 8, _MARKERS[number % 8], dashes[number // 8 % 4])


def way_name(way: str) -> str:
    """Return what stands beside the line of a way."""
    return WAYS[way].name if way in WAYS else way


def via_name(via: str) -> str:
    """Return what stands beside a bar of what stood between."""
    return VIAS[via][0] if via in VIAS else via


def mixed(one: str, other: str, part: float) -> str:
    """Return a colour with so much of another one in it.

    >>> mixed("#000000", "#ffffff", 0.5)
    '#808080'
    """
    pairs = ((int(one[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5))
    return "#" + "".join(f"{round(mine + part * (theirs - mine)):02x}" for mine, theirs in pairs)


def settings(theme: Theme) -> dict[str, Any]:
    """Return matplotlib's settings: fonts that every matplotlib brings, so that a picture is the same anywhere."""
    return {
        "font.family": ["DejaVu Sans"], "font.size": TEXT, "text.color": theme.ink, "text.parse_math": False,
        "svg.hashsalt": "labkit",
        "svg.fonttype": "path", "pdf.fonttype": 42, "figure.facecolor": theme.ground, "axes.facecolor": theme.ground,
        "savefig.facecolor": theme.ground, "axes.edgecolor": theme.line, "axes.linewidth": RULE,
        "axes.labelcolor": theme.soft, "axes.labelsize": TEXT, "axes.unicode_minus": True,
        "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True,
        "axes.grid": False, "grid.color": theme.line, "grid.linewidth": 0.6, "grid.alpha": 0.55,
        "xtick.color": theme.line, "ytick.color": theme.line, "xtick.labelcolor": theme.soft,
        "ytick.labelcolor": theme.soft, "xtick.labelsize": SMALL, "ytick.labelsize": SMALL,
        "xtick.minor.visible": False, "ytick.minor.visible": False, "ytick.major.size": 0, "xtick.major.size": 3,
        "lines.solid_capstyle": "round", "lines.dash_capstyle": "butt", "path.simplify": True,
    }  # fmt: skip


def spread(wanted: Sequence[float], apart: float, low: float, high: float) -> list[float]:
    """Return places for labels as near to the wanted ones as can be, none nearer to another than `apart`.

    Where the room from `low` to `high` is too small for all, they stand evenly in it.

    >>> spread([10, 11, 40], 10, 0, 100)
    [5.5, 15.5, 40]
    """
    if len(wanted) > 1 and (high - low) / (len(wanted) - 1) < apart:
        apart = (high - low) / (len(wanted) - 1)
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    runs: list[tuple[float, list[int]]] = []  # where the first of neighbours stands, and who they are
    for index in order:
        runs.append((min(max(wanted[index], low), high), [index]))
        while len(runs) > 1 and runs[-2][0] + apart * len(runs[-2][1]) > runs[-1][0]:
            members = runs[-2][1] + runs[-1][1]
            del runs[-2:]
            first = sum(wanted[each] - apart * place for place, each in enumerate(members)) / len(members)
            first = min(max(first, low), high - apart * (len(members) - 1))
            runs.append((first, members))
    placed = list(wanted)
    for first, members in runs:
        for place, each in enumerate(members):
            placed[each] = first + apart * place
    return placed
