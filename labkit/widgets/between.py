"""The panel of what stands between: zero to two proxies, each the text of its configuration, edited in place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labkit.variations.variation import MOST_MIDDLES, PROGRAMS, Middle, Variation
from labkit.widgets.controls import Changed, Knob, area, box, choice, html, tick

__all__ = ["CALLED", "FIRST_TEXTS", "Between"]

CALLED = {"nginx": "nginx", "apache": "Apache httpd"}
"""How each program is told."""

FIRST_TEXTS: Mapping[str, str] = {
    "nginx": "server {\n    listen 80;\n    location / {\n        proxy_pass http://app:3000;\n    }\n}",
    "apache": 'ProxyPass "/" "http://127.0.0.1:3000/"',
}
"""What a proxy that was just added says."""


class Between:
    """The panel of the proxies.

    Args:
        changed: called when a knob was turned by hand.
    """

    def __init__(self, changed: Changed) -> None:
        self._changed = changed
        counts = [("none", 0), ("one proxy", 1), ("two proxies", MOST_MIDDLES)]
        self._nobody = html('<p class="labkit-soft">Nothing: the client speaks to the server itself.</p>')
        self._count = choice("How many", counts, self._counted)
        self._middles = [_Middle(number, changed) for number in range(1, MOST_MIDDLES + 1)]
        self._show()
        self.box = box(
            [
                html('<h3 class="labkit-proxy">What stands between</h3>'), self._count.box,
                self._nobody, *(each.box for each in self._middles),
            ],
            "labkit-panel",
        )  # fmt: skip

    @property
    def knobs(self) -> Mapping[str, Knob]:
        """Every knob by its name; what is wrong with a proxy is told beside its text."""
        texts = {f"middles:{place}": each.text for place, each in enumerate(self._middles)}
        programs = {f"program:{place}": each.program for place, each in enumerate(self._middles)}
        return {"count": self._count, **programs, **texts}

    def read(self) -> dict[str, Any]:
        """Return its parts of a variation."""
        return {"middles": tuple(each.read() for each in self._middles[: self._count.value])}

    def put(self, variation: Variation) -> None:
        """Set every knob."""
        self._count.put(len(variation.middles))
        for row, middle in zip(self._middles, variation.middles, strict=False):
            row.put(middle)
        self._show()

    def _counted(self) -> None:
        self._show()
        self._changed()

    def _show(self) -> None:
        self._nobody.layout.display = "none" if self._count.value else ""
        for place, each in enumerate(self._middles):
            each.box.layout.display = "" if place < self._count.value else "none"


class _Middle:
    """One proxy."""

    def __init__(self, number: int, changed: Changed) -> None:
        self._changed = changed
        self.program = choice(f"Proxy {number}", [(CALLED[each], each) for each in PROGRAMS], self._other)
        self.text = area(f"Configuration of proxy {number}", changed, rows=11, name="labkit-code")
        self._keep = tick(f"Leave upstream addresses of proxy {number} as written", changed)
        self.put(Middle("nginx", FIRST_TEXTS["nginx"]))
        self.box = box([self.program.box, self.text.box, self._keep.box], "labkit-middle")

    def read(self) -> Middle:
        return Middle(self.program.value, self.text.value, self._keep.value)

    def put(self, middle: Middle) -> None:
        self.program.put(middle.program)
        self.text.put(middle.text)
        self._keep.put(middle.keep_upstreams)

    def _other(self) -> None:
        """Begin a new text where the program was changed and the text is nobody's work."""
        if not self.text.value.strip() or self.text.value in FIRST_TEXTS.values():
            self.text.put(FIRST_TEXTS[self.program.value])
        self._changed()
