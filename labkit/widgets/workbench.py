"""The workbench: turn a knob, and see what it comes to; run it for real, and see what differs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labkit.cases.outcome import differences, outcome
from labkit.dissection import dissect
from labkit.dissection.secrets import masked
from labkit.errors import LabError, WrongUse
from labkit.lessons import record
from labkit.net.copying import copy_as
from labkit.render.diagram import Diagram
from labkit.render.verdict import Verdict, check
from labkit.scenario import Scenario
from labkit.variations.building import Prediction, predict
from labkit.variations.changes import changes
from labkit.variations.history import History
from labkit.variations.marking import Marked, marked
from labkit.variations.presets import PRESETS, of_scenario
from labkit.variations.variation import ANSWERS, Variation
from labkit.widgets.answering import Answering
from labkit.widgets.asking import CALLED, Asking
from labkit.widgets.between import CALLED as _PROXIES
from labkit.widgets.between import Between
from labkit.widgets.controls import Alert, Knob, box, button, choice, html, show, tick
from labkit.widgets.display import publish
from labkit.widgets.guessing import GUESSES, came, right
from labkit.widgets.results import differing, drawn, status, style, told, twin
from labkit.widgets.running import Runs
from labkit.widgets.tried import Panel

__all__ = ["FIRST", "Workbench"]

FIRST = "A whole handshake"
"""What a workbench begins with, a key of `PRESETS`."""


class Workbench:
    """Knobs for who asks, what stands between and who answers; the last line of a cell shows it.

    Every knob simulates at once. "Run for real" runs the same with real programs, and marks what differs.

    Args:
        start: what to begin with: the name of a preset, such as "nginx as in the snippet", or a scenario.
        ask_first: ask the learner what will come before it is shown.
        note: called with kind, name and value of what goes into the learner's record; `record.note` unless told.

    Raises:
        WrongUse: there is no such preset, or the workbench has no knob for a part of the scenario.
        Absent: ipywidgets is not installed.

    >>> bench = Workbench("nginx, nothing set")
    >>> bench.verdict.outcome
    'Declined: upgrade required (426)'
    """

    def __init__(
        self,
        start: str | Scenario = FIRST,
        *,
        ask_first: bool = False,
        note: Callable[[str, str, Any], None] | None = None,
    ) -> None:
        first = _variation(start)
        self._note = note or record.note
        self._runs = Runs()
        self._found = Prediction(None, None)
        self._verdict: Verdict | None = None
        self._observed: Verdict | None = None
        self._rows: tuple[Marked, ...] = ()
        self._line = ""
        self._asking, self._between = Asking(self._turned), Between(self._turned)
        self._answering = Answering(self._turned)
        self._panels = (self._asking, self._between, self._answering)
        self.panel = Panel(self.open)
        self._make(ask_first=ask_first)
        self.open(first)

    def _make(self, *, ask_first: bool) -> None:
        """Make what stands around the panels."""
        self._begin = choice("Begin from", [("choose …", ""), *((name, name) for name in PRESETS)], self._begun)
        self._ask = tick("Ask me first what will come", self._turned)
        self._ask.put(ask_first)
        guesses = [("choose …", ""), *((told, guess) for guess, told in GUESSES.items())]
        self._guess = choice("What will the client get?", guesses, None)
        self._alert, self._told = Alert(), html("")
        self.predict_button = button("Predict", self.predict, self._alert, first=True)
        self.run_button = button("Run for real", self.run, self._alert)
        self._predicted_html, self._observed_html, self._table = html(""), html(""), html("")
        self._pictures = box([self._predicted_html, self._observed_html], "labkit-pictures")
        panels = box([each.box for each in self._panels], "labkit-panels")
        acts = [self._begin.box, self._guess.box, self.predict_button, self.run_button, self._ask.box]
        top = box([box(acts, "labkit-bar"), self._alert.widget, self._told], "labkit-top")
        results = box([self._table, self._pictures], "labkit-results")
        self.box = box([html(style()), top, panels, results, self.panel.box], "labkit-workbench")

    @property
    def variation(self) -> Variation:
        """How the knobs are set."""
        parts = {name: value for panel in self._panels for name, value in panel.read().items()}
        return Variation(**parts)

    @property
    def knobs(self) -> dict[str, Knob]:
        """Every knob by its name; `lines:0` is the value of the first field line."""
        own = {"begin": self._begin, "ask": self._ask, "guess": self._guess}
        return {**own, **self._asking.knobs, **self._between.knobs, **self._answering.knobs}

    @property
    def lines(self) -> dict[str, Knob]:
        """The boxes of the field lines, by the name of the field."""
        return dict(self._asking.line_boxes)

    @property
    def troubles(self) -> dict[str, str]:
        """What is told beside each knob that is wrong."""
        return {name: knob.alert.text for name, knob in self.knobs.items() if knob.alert.text}

    @property
    def trouble(self) -> str:
        """What is told beside the buttons; "" where nothing is."""
        return self._alert.text

    @property
    def told(self) -> str:
        """The line that says what came."""
        return self._line

    @property
    def history(self) -> History:
        """What was tried."""
        return self.panel.history

    @property
    def verdict(self) -> Verdict | None:
        """What the simulation came to, with its findings; None where it cannot be told, or is not shown yet."""
        return self._verdict

    @property
    def observed(self) -> Verdict | None:
        """What the run came to; None where the knobs were turned since."""
        return self._observed

    @property
    def differences(self) -> tuple[Marked, ...]:
        """What differs between the two, marked with whose doing it is."""
        return self._rows

    def open(self, variation: Variation) -> None:
        """Set every knob as a variation says, and simulate it."""
        for each in self._panels:
            each.put(variation)
        self._turned()
        if left := changes(variation, self.variation):  # of a file that somebody wrote by hand
            self._alert.tell(f"the knobs cannot show all of this; set instead: {'; '.join(left)}")

    def predict(self) -> None:
        """Show what the simulation comes to, and keep a row of it.

        Raises:
            WrongUse: a knob is wrong, or the learner has not said yet what will come.
        """
        self._alert.tell("")
        self._said()
        if self._found.trace is None:
            raise WrongUse("what is marked ▲ has to be mended first" if self.troubles else "this cannot be told")
        self._reveal()
        self._keep(predicted=self._predicted)

    def run(self) -> None:
        """Run it with real programs, show what came beside the prediction, and keep a row of both.

        Raises:
            Absent: a program is not on this machine.
            Failed: it could not take place, or took too long.
            WrongUse: a knob is wrong, or the learner has not said yet what will come.
        """
        self._alert.tell("")
        self._said()
        scenario = self._found.scenario
        if scenario is None:
            raise WrongUse("what is marked ▲ has to be mended first")
        self.run_button.disabled, self.run_button.description = True, "Running …"
        try:
            self._observed = check(self._runs.run(scenario))
        finally:
            self.run_button.disabled, self.run_button.description = False, "Run for real"
        self._reveal()
        self._compare(scenario)
        differ = told(self._rows) if self._found.trace is not None else ""
        self._tell(f"Predicted: {self._predicted}. Observed: {self._observed.outcome}. {differ}", self._guessed)
        against = sum(each.mark == "differs" for each in self._rows) if self._found.trace is not None else None
        self._keep(predicted=self._predicted, observed=self._observed.outcome, differences=against)

    def _turned(self) -> None:
        """Simulate, and tell what is wrong beside its knob; what was observed is of another setting now."""
        self._alert.tell("")
        self._found = predict(self.variation)
        for name, knob in self.knobs.items():
            knob.tell(self._found.troubles.get(name, ""))
        if "predict" in self._found.troubles:
            self._alert.tell(self._found.troubles["predict"])
        self._observed, self._rows = None, ()
        self._observed_html.value = self._table.value = ""
        self._guess.put("")
        self._guess.show(bool(self._ask.value))
        if self._found.trace is None:
            self._verdict = None
            self._pictures.add_class("labkit-stale")
            self._tell("What it comes to cannot be told: see what is marked ▲. The picture is of before.")
        elif self._ask.value:
            self._verdict = None
            self._predicted_html.value = ""
            self._tell("Say what the client will get, then press Predict.")
        else:
            self._reveal()

    def _tell(self, text: str, more: str = "") -> None:
        """Say in a line what came; it is read out by a screen reader when it changes."""
        self._line = f"{text} {more}".strip()
        self._told.value = status(text, more)

    def _begun(self) -> None:
        if self._begin.value:
            self.open(PRESETS[self._begin.value])

    def _said(self) -> None:
        if self._ask.value and not self._guess.value:
            raise WrongUse("say first what the client will get, then press again")

    def _reveal(self) -> None:
        """Show the prediction, if there is one."""
        if self._found.trace is None:
            return
        self._verdict = check(self._found.trace)
        self._pictures.remove_class("labkit-stale")
        self._predicted_html.value = drawn("Predicted", self._verdict)
        self._tell(f"Predicted: {self._verdict.summary}.", self._guessed)

    @property
    def _predicted(self) -> str:
        return self._verdict.outcome if self._verdict is not None else "no model answers"

    @property
    def _guessed(self) -> str:
        """Whether the learner was right, in a sentence; "" where nobody asked."""
        trace = self._found.trace
        return right(self._guess.value, trace) if trace is not None and self._ask.value and self._guess.value else ""

    def _compare(self, scenario: Scenario) -> None:
        """Show the run, and what differs from the prediction, its secrets starred out."""
        assert self._observed is not None, "it was run"
        self._pictures.remove_class("labkit-long")
        if scenario.via:  # such pictures are too wide to stand side by side on a small screen
            self._pictures.add_class("labkit-long")
        self._observed_html.value = drawn(f"Observed, {CALLED[scenario.client]} asking", self._observed)
        if self._found.trace is None:
            self._table.value = "<p>There is no prediction to compare it with: see what is marked ▲.</p>"
            return
        one, other = (outcome(masked(each, dissect(each))) for each in (self._observed.trace, self._found.trace))
        adds, leaves_out = _by_itself(scenario)
        self._rows = marked(differences(one, other), one, other, scenario.client, adds, leaves_out)
        self._table.value = differing(self._rows)

    def _keep(self, **what: Any) -> None:
        """Keep a row, and note it in the record, with what the learner said."""
        guess = {"guess": self._guess.value} if self._ask.value else {}
        self.panel.keep(self.history.kept(self.variation, **guess, **what))
        name = f"workbench {self.history.rows[-1].number}"
        if guess:
            self._note("prediction", name, guess["guess"])
            if self._found.trace is not None:
                self._note("came", name, came(self._found.trace))
        self._note("variation", name, self.variation.masked().as_json())

    def __str__(self) -> str:
        lines = [f"{name:10} {setting}" for name, setting in self._settings()]
        texts = [line for each in self.variation.masked().middles for line in ("", each.text.rstrip())]
        drawing = self._drawing()
        return "\n".join(
            [*lines, *texts, "", drawing.text() if drawing is not None else "What it comes to cannot be told."]
        )

    def _drawing(self) -> Diagram | None:
        return check(self._found.trace).diagram() if self._found.trace is not None else None

    def __repr__(self) -> str:
        return f"<Workbench {len(self.history.rows)} rows>"

    def _settings(self) -> list[tuple[str, str]]:
        """Return the setting in words; what is offered stands in the picture."""
        now = self.variation
        rows = [("client", CALLED[now.client])]
        rows += [(f"proxy {place}", _PROXIES[each.program]) for place, each in enumerate(now.middles, 1)]
        faults = f"; wrong on purpose: {', '.join(now.faults)}" if now.faults else ""
        return [*rows, ("server", f"{ANSWERS[now.answer]}{faults}"), *self.troubles.items()]

    def _ipython_display_(self) -> None:
        drawing = self._drawing()
        picture = drawing.html() if drawing is not None else ""
        texts = [each.text for each in self.variation.masked().middles]
        source = twin("The workbench, as it began", self._settings(), texts, picture)
        static = {"text/html": source, "text/plain": str(self)}
        publish((static, {}), (show(self.box), {}))


def _variation(start: object) -> Variation:
    if isinstance(start, Scenario):
        return of_scenario(start)
    if isinstance(start, str) and start in PRESETS:
        return PRESETS[start]
    raise WrongUse(f"a workbench begins with a scenario or one of {', '.join(map(repr, PRESETS))}; not {start!r}")


def _by_itself(scenario: Scenario) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what the printed form of a client adds by itself, and what it leaves out."""
    if scenario.client == "lab":
        return (), ()
    form = "javascript" if scenario.client == "browser" else scenario.client
    try:
        printed = copy_as(scenario, form)
    except LabError:
        return (), ()
    return printed.adds, printed.leaves_out
