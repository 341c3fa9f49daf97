"""The panel of who asks: the client, its offer with a box for each field line, and what it says after the switch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labkit.scenario import CLIENTS
from labkit.variations.variation import MOST_LINES, FieldLine, Variation
from labkit.widgets.controls import Changed, Knob, area, box, choice, html, text, tick

__all__ = ["CALLED", "Asking"]

CALLED = {
    "lab": "the lab's own client", "curl": "curl", "php": "PHP's cURL", "websockets": "Python: websockets",
    "socket": "Python: a bare socket", "browser": "a browser (Chromium)",
}  # fmt: skip
"""How each of `labkit.scenario.CLIENTS` is told."""


class Asking:
    """The panel of the client.

    Args:
        changed: called when a knob was turned by hand.
    """

    def __init__(self, changed: Changed) -> None:
        self._changed = changed
        self._client = choice("Client, when run for real", [(CALLED[each], each) for each in CLIENTS], changed)
        self._plain = {name: text(name.capitalize(), changed, name=f"labkit-{name}") for name in _REQUEST}
        self._lines: list[_Line] = []
        self._rows = box([], "labkit-lines")
        self._free = area("More field lines, one a line", changed, rows=2)
        self._say = area("Says after the switch, a message a line", changed, rows=2)
        self.box = box(
            [
                html('<h3 class="labkit-client">Who asks</h3>'),
                self._client.box,
                box([each.box for each in self._plain.values()], "labkit-request"),
                html('<div class="labkit-legend">Field lines: tick what is sent</div>'),
                self._rows, self._free.box, self._say.box,
            ],
            "labkit-panel",
        )  # fmt: skip

    @property
    def knobs(self) -> Mapping[str, Knob]:
        """Every knob by its name."""
        lines = {f"lines:{place}": each.value for place, each in enumerate(self._lines)}
        return {"client": self._client, **self._plain, **lines, "free": self._free, "say": self._say}

    @property
    def line_boxes(self) -> Mapping[str, Knob]:
        """The boxes to tick, by the field line's name."""
        return {each.name: each.on for each in self._lines}

    def read(self) -> dict[str, Any]:
        """Return its parts of a variation."""
        lines = tuple(FieldLine(each.name, each.value.value, each.on.value) for each in self._lines)
        plain = {name: knob.value for name, knob in self._plain.items()}
        return {"client": self._client.value, **plain, "lines": lines, "free": self._free.value, "say": self._say.value}

    def put(self, variation: Variation) -> None:
        """Set every knob."""
        for name in ("client", *_REQUEST, "free", "say"):
            self.knobs[name].put(getattr(variation, name))
        if [each.name for each in self._lines] != [each.name for each in variation.lines]:
            self._lines = [_Line(each.name, self._changed) for each in variation.lines[:MOST_LINES]]
            self._rows.children = [each.box for each in self._lines]
        for row, line in zip(self._lines, variation.lines, strict=True):
            row.on.put(line.on)
            row.value.put(line.value)


class _Line:
    """A field line: a box to tick, and its value."""

    def __init__(self, name: str, changed: Changed) -> None:
        self.name = name
        self.on = tick(name, changed)
        self.value = text(f"Value of {name}", changed, name="labkit-quiet")
        self.box = box([self.on.box, self.value.box], "labkit-line")


_REQUEST = ("method", "target", "version")
