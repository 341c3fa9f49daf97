"""Knobs: the one door to ipywidgets. Each has a visible label and a place beside it for what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from html import escape
from typing import Any

from labkit.errors import Absent, LabError

__all__ = [
    "Alert", "Knob", "area", "box", "button", "choice", "guarded", "html", "show", "slide", "text", "tick", "toggle",
    "upload",
]  # fmt: skip

Changed = Callable[[], None]


def _ipywidgets() -> Any:
    try:
        import ipywidgets  # noqa: PLC0415  optional
    except ImportError as error:
        raise Absent(
            "ipywidgets is not installed here; in the folder of the repository: "
            'python -m pip install -c constraints.txt ".[notebooks]"'
        ) from error
    return ipywidgets


class Alert:
    """A place where what is wrong is told, and read out by a screen reader at once; all is well where it is empty."""

    def __init__(self) -> None:
        self.widget = html("")
        self._text = ""

    @property
    def text(self) -> str:
        """What is told; "" where all is well."""
        return self._text

    def tell(self, text: str) -> None:
        """Tell what is wrong; "" where nothing is."""
        self._text = text
        told = f'<div class="labkit-trouble"><span aria-hidden="true">▲</span> {escape(text)}</div>' if text else ""
        self.widget.value = f'<div role="alert">{told}</div>'


class Knob:
    """A control, its label, and its alert.

    Args:
        widget: the control, with a `value`.
        changed: called when its value was changed by hand, not by `put`.
        name: of its class in the style sheet.
    """

    def __init__(self, widget: Any, changed: Changed | None = None, name: str = "") -> None:
        self.widget = widget
        self.alert = Alert()
        self._changed = changed
        self._quiet = False
        self.box = box([widget, self.alert.widget], f"labkit-knob {name}".strip())
        widget.observe(self._turned, names="value")

    @property
    def value(self) -> Any:
        """What it is set to."""
        return self.widget.value

    def put(self, value: Any) -> None:
        """Set it without telling that it was changed."""
        with self._quietly():
            self.widget.value = value

    def offer(self, options: Sequence[tuple[str, Any]], value: Any) -> None:
        """Give a choice other values, `(shown, value)` each, and set it to one of them."""
        with self._quietly():
            self.widget.options = list(options)
            self.widget.value = value

    def tell(self, trouble: str) -> None:
        """Tell beside it what is wrong; "" where nothing is."""
        if trouble == self.alert.text:
            return
        self.alert.tell(trouble)
        (self.box.add_class if trouble else self.box.remove_class)("labkit-wrong")

    def show(self, shown: bool) -> None:  # noqa: FBT001  what it is told is what it does
        """Show or hide it, its label and its alert."""
        self.box.layout.display = "" if shown else "none"

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False

    def _turned(self, _: object) -> None:
        if not self._quiet and self._changed is not None:
            self.tell("")
            guarded(self._changed, self.tell)()


def guarded(step: Callable[..., None], tell: Callable[[str], None]) -> Callable[..., None]:
    """Return a step whose errors are told, so that no traceback is ever shown."""

    def do(*given: Any) -> None:
        try:
            step(*given)
        except LabError as error:
            tell(str(error))
        except Exception as error:  # noqa: BLE001  a click has nobody else to tell what nobody expected
            tell(f"a fault in labkit itself: {type(error).__name__}: {error}; please report it with what you clicked")

    return do


def text(label: str, changed: Changed, *, name: str = "") -> Knob:
    """Return a short text; it counts when Enter is pressed or it is left."""
    made = _ipywidgets().Text(description=label, continuous_update=False, style=_plain(), layout=_wide())
    return Knob(made, changed, name)


def area(label: str, changed: Changed | None, *, rows: int = 3, name: str = "") -> Knob:
    """Return a long text; it counts when it is left."""
    made = _ipywidgets().Textarea(description=label, continuous_update=False, rows=rows, style=_plain(), layout=_wide())
    return Knob(made, changed, f"labkit-area {name}".strip())


def tick(label: str, changed: Changed, *, name: str = "") -> Knob:
    """Return a box to tick."""
    made = _ipywidgets().Checkbox(description=label, indent=False, layout=_wide())
    return Knob(made, changed, f"labkit-tick {name}".strip())


def choice(label: str, options: Sequence[tuple[str, Any]], changed: Changed | None, *, name: str = "") -> Knob:
    """Return a choice of some values, `(shown, value)` each."""
    made = _ipywidgets().Dropdown(description=label, options=list(options), style=_plain(), layout=_wide())
    return Knob(made, changed, name)


def slide(label: str, ends: tuple[int, int], value: int, changed: Changed, *, name: str = "") -> Knob:
    """Return a slider over whole numbers, from one end to the other; it counts at every step."""
    made = _ipywidgets().IntSlider(
        value, *ends, description=label, style=_plain(), layout={"width": "min(100%, 760px)", "margin": "0"}
    )
    return Knob(made, changed, f"labkit-slide {name}".strip())


def toggle(label: str, changed: Changed) -> Knob:
    """Return a button that stays down."""
    made = _ipywidgets().ToggleButton(description=label, tooltip=label, layout={"width": "auto"})
    return Knob(made, changed, "labkit-toggle")


def button(label: str, pressed: Callable[[], None], alert: Alert, *, first: bool = False) -> Any:
    """Return a button; errors of what it does are told in the alert. `first` makes it the one that is seen first."""
    made = _ipywidgets().Button(description=label, button_style="primary" if first else "", layout={"width": "auto"})
    made.on_click(guarded(lambda _: pressed(), alert.tell))
    return made


def upload(label: str, taken: Callable[[bytes], None], alert: Alert) -> Any:
    """Return a button that takes one JSON file from the learner's machine."""
    layout = {"width": "auto"}
    made = _ipywidgets().FileUpload(description=label, accept=".json", multiple=False, tooltip=label, layout=layout)

    def take(_: object) -> None:
        for each in made.value:
            taken(bytes(each["content"]))

    made.observe(guarded(take, alert.tell), names="value")
    return made


def html(source: str) -> Any:
    """Return a piece of HTML that is drawn as it stands."""
    return _ipywidgets().HTML(source, layout=_wide())


def box(children: Iterable[Any], name: str) -> Any:
    """Return widgets in a box, laid out by the style sheet's class."""
    made = _ipywidgets().Box(list(children))
    for each in name.split():
        made.add_class(each)
    return made


def show(widget: Any) -> dict[str, Any]:
    """Return what Jupyter draws a widget from; where there are no widgets it shows nothing, not even its name."""
    bundle = widget._repr_mimebundle_()
    live = dict(bundle[0] if isinstance(bundle, tuple) else bundle or {})
    live.pop("text/plain", None)
    return live


def _plain() -> dict[str, str]:
    return {"description_width": "auto"}


def _wide() -> dict[str, str]:
    return {"width": "auto", "margin": "0"}
