"""SVG elements, written with presentation attributes alone: no style sheet, no style attribute."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from labkit.render.theme import MONO, SANS

__all__ = ["Pen", "escape"]

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})

Points = Iterable[tuple[float, float]]


def escape(text: str) -> str:
    r"""Return `text` fit for XML and HTML; characters that XML forbids are dropped.

    >>> escape("a < b\x00")
    'a &lt; b'
    """
    return _ILLEGAL.sub("", text).translate(_ENTITIES)


class Pen:
    """Collects elements; coordinates are in pixels, from the top left."""

    def __init__(self) -> None:
        self.elements: list[str] = []

    def rect(self, at: tuple[float, float], size: tuple[float, float], fill: str, *,
             stroke: str = "", radius: float = 0, weight: float = 1.6) -> None:  # fmt: skip
        """Draw a rectangle from its top left corner."""
        self._add("rect", x=at[0], y=at[1], width=size[0], height=size[1], rx=radius or None, fill=fill,
                  stroke=stroke or None, stroke_width=weight if stroke else None)  # fmt: skip

    def line(self, start: tuple[float, float], end: tuple[float, float], stroke: str, weight: float = 1.0,
             dash: str = "") -> None:  # fmt: skip
        """Draw a straight line."""
        self._add("line", x1=start[0], y1=start[1], x2=end[0], y2=end[1], stroke=stroke, stroke_width=weight,
                  stroke_dasharray=dash or None)  # fmt: skip

    def polygon(self, points: Points, fill: str, stroke: str = "", weight: float = 1.6) -> None:
        """Draw a closed shape."""
        path = " ".join(f"{_number(x)},{_number(y)}" for x, y in points)
        self._add("polygon", points=path, fill=fill, stroke=stroke or None, stroke_width=weight if stroke else None)

    def circle(self, at: tuple[float, float], radius: float, fill: str) -> None:
        """Draw a disc."""
        self._add("circle", cx=at[0], cy=at[1], r=radius, fill=fill)

    def text(self, at: tuple[float, float], words: str, fill: str, size: float, *,
             anchor: str = "start", mono: bool = False, bold: bool = False) -> None:  # fmt: skip
        """Write words from their baseline's start, middle or end."""
        self._add("text", words, x=at[0], y=at[1], fill=fill, font_family=MONO if mono else SANS, font_size=size,
                  font_weight="600" if bold else None, text_anchor=None if anchor == "start" else anchor)  # fmt: skip

    def group(self, since: int, **attributes: str | float) -> None:
        """Put all elements from number `since` on into a group with attributes."""
        inside = self.elements[since:]
        del self.elements[since:]
        self.elements.append(f"<g{_written(attributes)}>")
        self.elements += [*inside, "</g>"]

    def _add(self, name: str, words: str | None = None, **attributes: str | float | None) -> None:
        written = _written({key: value for key, value in attributes.items() if value is not None})
        self.elements.append(f"<{name}{written}/>" if words is None else f"<{name}{written}>{escape(words)}</{name}>")


def _written(attributes: Mapping[str, str | float]) -> str:
    return "".join(
        f' {key.replace("_", "-")}="{escape(value) if isinstance(value, str) else _number(value)}"'
        for key, value in attributes.items()
    )


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
