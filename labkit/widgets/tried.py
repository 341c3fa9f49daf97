"""The panel of the history: a table, and what can be done with each of its rows."""

from __future__ import annotations

from collections.abc import Callable

from labkit.cases.outcome import differences, outcome
from labkit.dissection import dissect
from labkit.dissection.secrets import masked
from labkit.errors import Unreadable, WrongUse
from labkit.net.copying import copy_as
from labkit.render.pen import escape
from labkit.trace import Trace
from labkit.variations.building import build, predict
from labkit.variations.changes import changes
from labkit.variations.history import LARGEST, History, Tried
from labkit.variations.marking import marked
from labkit.variations.variation import Variation
from labkit.widgets.controls import Alert, area, box, button, choice, html, upload
from labkit.widgets.results import differing, link, tried

__all__ = ["FORMS", "Panel", "copied"]

FORMS = {
    "curl": "curl", "php": "PHP", "websockets": "Python: websockets", "socket": "Python: a bare socket",
    "javascript": "JavaScript", "nginx": "nginx's text", "apache": "Apache's text",
}  # fmt: skip
"""What a row can be copied as, and how that is told."""


def copied(variation: Variation, form: str) -> str:
    """Return a variation as a program of another client, or the text of its proxies.

    Raises:
        WrongUse: a knob is wrong, the client cannot say the offer, or there is no such proxy.

    >>> from labkit.parties.offer import Offer
    >>> print(copied(Variation.offering(Offer.bare("/path", host="example.com")), "curl"))
    curl -i --max-time 2 -H 'Upgrade: websocket' -H 'Connection: Upgrade' http://example.com/path
    """
    if form in ("nginx", "apache"):
        texts = [each.text for each in variation.middles if each.program == form]
        if not texts:
            raise WrongUse(f"this row has no {form} between: copy it as another form")
        return "\n\n# the other proxy\n".join(texts)
    built = build(variation)
    if built.scenario is None:
        raise WrongUse(f"this row cannot be copied before it is mended: {next(iter(built.troubles.values()))}")
    return copy_as(built.scenario, form).text


class Panel:
    """The history with its controls.

    Args:
        reopen: called with the variation of a row that is to be worked on again.
    """

    def __init__(self, reopen: Callable[[Variation], None]) -> None:
        self.history = History()
        self._reopen = reopen
        self.alert = Alert()
        self._table = html("")
        self._row = choice("Row", [], self._chosen)
        self._with = choice("Compare with", [], self._told)
        self._form = choice("Copy as", [(told, form) for form, told in FORMS.items()], self._copied)
        self._copy = area("The copy, to be selected and taken elsewhere", None, rows=10, name="labkit-code")
        self._saved = html("")
        self._compared = html("")
        self.again = button("Reopen", self._again, self.alert)
        self.compare = button("Compare", self._compare, self.alert)
        self.copy = button("Copy", self._copied, self.alert)
        self.load = upload("Load a saved history", self.read, self.alert)
        self._actions = box(
            [
                box([self._row.box, self.again, self._saved], "labkit-bar"),
                box([self._with.box, self.compare], "labkit-bar"),
                box([self._form.box, self.copy], "labkit-bar"),
            ],
            "labkit-actions",
        )
        self.box = box(
            [
                html("<h3>History</h3>"), self._table, self._actions, self.alert.widget, self._compared,
                self._copy.box, box([self.load], "labkit-bar"),
            ],
            "labkit-history",
        )  # fmt: skip
        self._copy.show(False)
        self._list()

    @property
    def row(self) -> Tried:
        """The row that is chosen.

        Raises:
            WrongUse: there is none yet.
        """
        if self._row.value is None:
            raise WrongUse("the history is empty: keep a row first, with Predict or Run for real")
        return self.history.row(self._row.value)

    @property
    def saved(self) -> str:
        """The links that save the row and the history, as HTML."""
        return str(self._saved.value)

    @property
    def comparison(self) -> str:
        """What the last comparison came to, as HTML."""
        return str(self._compared.value)

    @property
    def text(self) -> str:
        """The last copy."""
        return str(self._copy.value)

    def choose(self, row: int, other: int | None = None, form: str = "") -> None:
        """Choose a row, another one to compare it with, and a form to copy it as."""
        self._row.put(row)
        if other is not None:
            self._with.put(other)
        if form:
            self._form.put(form)
        self._chosen()

    def keep(self, history: History) -> None:
        """Show a history, with its last row chosen."""
        self.history = history
        self._list()

    def read(self, data: bytes) -> None:
        """Take in a history that was saved, in the place of the one that is there.

        Raises:
            Unreadable: it is none.
        """
        if len(data) > LARGEST:
            raise Unreadable(f"the file has {len(data)} bytes; the workbench reads at most {LARGEST}")
        try:
            found = History.read(data.decode())
        except UnicodeDecodeError:
            raise Unreadable("the file is no text in UTF-8, as the workbench writes it") from None
        if not found.rows:
            raise Unreadable("the file holds no row; the history that is here stays")
        self.keep(found)
        self.alert.tell("")

    def _list(self) -> None:
        numbers = [each.number for each in reversed(self.history.rows)]
        options = [(f"{number}", number) for number in numbers]
        self._row.offer(options, numbers[0] if numbers else None)
        self._with.offer(options, numbers[1 % len(numbers)] if numbers else None)
        self._actions.layout.display = "" if numbers else "none"
        self._chosen()

    def _chosen(self) -> None:
        self.alert.tell("")
        chosen = self._row.value
        self._table.value = tried(self.history, chosen)
        whole = link("Save the history", "workbench-history.json", self.history.written()) if chosen else ""
        only = History((self.row,)).written() if chosen else ""
        self._saved.value = (
            f"{link(f'Save row {chosen}', f'workbench-row-{chosen}.json', only)} {whole}" if chosen else ""
        )
        self._told()

    def _told(self) -> None:
        """Take away what was told of other rows."""
        self._compared.value = ""
        self._copy.show(False)

    def _again(self) -> None:
        self._reopen(self.row.variation)

    def _compare(self) -> None:
        self.alert.tell("")
        one, other = self.row, self.history.row(self._with.value)
        traces = [_predicted(each) for each in (other, one)]
        outcomes = [outcome(each) for each in traces]
        rows = marked(differences(outcomes[1], outcomes[0]), outcomes[1], outcomes[0])
        turned = "; ".join(changes(other.variation, one.variation)) or "nothing"
        names = (f"row {other.number}, predicted", f"row {one.number}, predicted")
        self._compared.value = compared_html(turned, other.number, one.number, differing(rows, names))

    def _copied(self) -> None:
        self.alert.tell("")
        self._copy.show(False)
        self._copy.put(copied(self.row.variation, self._form.value))
        self._copy.show(True)


def compared_html(turned: str, one: int, other: int, table: str) -> str:
    """Return a comparison of two rows as HTML."""
    return f"<p><strong>Turned from row {one} to row {other}:</strong> {escape(turned)}</p>{table}"


def _predicted(row: Tried) -> Trace:
    """Return what a row comes to, with its secrets starred out.

    Raises:
        WrongUse: it cannot be predicted.
    """
    found = predict(row.variation)
    if found.trace is None:
        raise WrongUse(f"row {row.number} cannot be predicted: {next(iter(found.troubles.values()))}")
    return masked(found.trace, dissect(found.trace))
