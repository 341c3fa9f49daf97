"""The record taken away and brought back in the browser: a link that saves it, and a button that takes one in.

Binder forgets everything, and lets nobody at its disk: what is downloaded there is all that is left.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from labkit.render.pen import escape
from labkit.widgets.controls import Alert, box, html, show, upload

__all__ = ["Keeping"]

_LINK = "color: var(--jp-content-link-color, #0072b2); text-decoration: underline"  # as in JupyterLab's own text


class Keeping:
    """The controls below the record's table.

    Args:
        name: of the file that is saved.
        saved: returns the record as text.
        taken: takes in what was uploaded, and returns what is to be said of it, as HTML.

    Raises:
        Absent: ipywidgets is not installed.
    """

    def __init__(self, name: str, saved: Callable[[], str], taken: Callable[[bytes], str]) -> None:
        self._name, self._saved, self._taken = name, saved, taken
        self.alert, self.link, self.said = Alert(), html(""), html("")
        self.load = upload("Go on with a saved record", self.take, self.alert)
        self.load.accept = ".jsonl"
        self.box = box([self.link, self.load, self.alert.widget, self.said], "labkit-keeping")
        self.box.layout = {"display": "flex", "flex_flow": "column", "align_items": "flex-start"}
        self._offer()

    def take(self, data: bytes) -> None:
        """Take in a file, and say what became of it.

        Raises:
            Unreadable: it is no record.
        """
        self.said.value = ""
        self.load.value = ()  # so that the same file can be chosen again
        told = self._taken(data)
        self.alert.tell("")
        self.said.value = f'<div role="status">{told}</div>'
        self._offer()

    def bundle(self) -> dict[str, Any]:
        """Return what Jupyter draws the controls from; a viewer without widgets shows nothing here."""
        return show(self.box)

    def _offer(self) -> None:
        data = base64.b64encode(self._saved().encode()).decode("ascii")
        address = f"data:application/jsonl;base64,{data}"
        label = f"Save this record as {self._name}"
        self.link.value = f'<a download="{escape(self._name)}" href="{address}" style="{_LINK}">{escape(label)}</a>'
