"""The panel of who answers: the server, what it does with an offer, and what it does wrong on purpose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labkit.parties.faults import FAULTS
from labkit.variations.variation import ANSWERS, Variation
from labkit.widgets.controls import Changed, Knob, box, choice, html, text, tick, toggle

__all__ = ["Answering"]


class Answering:
    """The panel of the server.

    Args:
        changed: called when a knob was turned by hand.
    """

    def __init__(self, changed: Changed) -> None:
        self._changed = changed
        self._answer = choice(
            "To an offer, the server", [(told, name) for name, told in ANSWERS.items()], self._answered
        )
        self._status = text("Status", changed, name="labkit-short")
        self._location = text("Location", changed)
        self._texts = {name: text(label, changed) for name, label in _TEXTS.items()}
        self._shown = toggle("Faults on purpose", self._show)
        self._faults = {name: _Fault(name, changed, self._count) for name in FAULTS}
        self._list = box([each.box for each in self._faults.values()], "labkit-faults")
        self.box = box(
            [
                html('<h3 class="labkit-server">Who answers</h3>'), self._answer.box, self._status.box,
                self._location.box, *(each.box for each in self._texts.values()), self._shown.box, self._list,
            ],
            "labkit-panel",
        )  # fmt: skip
        self._show()

    @property
    def knobs(self) -> Mapping[str, Knob]:
        """Every knob by its name."""
        boxes = {f"fault:{name}": each.on for name, each in self._faults.items()}
        boxes |= {f"faults:{name}": each.argument for name, each in self._faults.items() if each.argument}
        return {
            "answer": self._answer, "status": self._status, "location": self._location, **self._texts, **boxes,
            "faults": self._shown,
        }  # fmt: skip

    def read(self) -> dict[str, Any]:
        """Return its parts of a variation."""
        faults = tuple(each.written for each in self._faults.values() if each.on.value)
        texts = {name: knob.value for name, knob in self._texts.items()}
        told = {"answer": self._answer.value, "status": self._status.value, "location": self._location.value}
        return {**texts, **told, "faults": faults}

    def put(self, variation: Variation) -> None:
        """Set every knob."""
        for name in (*_TEXTS, "answer", "status", "location"):
            self.knobs[name].put(getattr(variation, name))
        for each in self._faults.values():
            each.put(variation.faults)
        self._shown.put(bool(variation.faults))
        self._show()
        self._count()

    def _answered(self) -> None:
        self._show()
        self._changed()

    def _show(self) -> None:
        self._status.show(self._answer.value == "decline")
        self._location.show(self._answer.value == "redirect")
        self._list.layout.display = "" if self._shown.value else "none"

    def _count(self) -> None:
        count = sum(bool(each.on.value) for each in self._faults.values())
        self._shown.widget.description = f"Faults on purpose ({count})" if count else "Faults on purpose"


class _Fault:
    """A fault: a box to tick, and its argument where it takes one."""

    def __init__(self, name: str, changed: Changed, count: Changed) -> None:
        self._name, self._changed, self._count = name, changed, count
        fault = FAULTS[name]
        self.on = tick(f"{name}: {fault.does}", self._ticked)
        self.argument = (
            text(f"Argument of {name}", changed, name="labkit-quiet labkit-short") if fault.example else None
        )
        self.put(())
        self.box = box([self.on.box, *([self.argument.box] if self.argument else [])], "labkit-fault")

    @property
    def written(self) -> str:
        return f"{self._name}={self.argument.value}" if self.argument else self._name

    def put(self, faults: tuple[str, ...]) -> None:
        mine = next((each for each in faults if each.partition("=")[0] == self._name), None)
        self.on.put(mine is not None)
        if self.argument:
            given = mine.partition("=")[2] if mine else ""
            self.argument.put(given or FAULTS[self._name].example)
            self.argument.show(mine is not None)

    def _ticked(self) -> None:
        if self.argument:
            self.argument.show(self.on.value)
        self._count()
        self._changed()


_TEXTS = {
    "protocols": "Protocols it can switch to, with commas between",
    "subprotocols": "WebSocket subprotocols it speaks",
    "origins": "Origins it accepts; empty: any",
}
