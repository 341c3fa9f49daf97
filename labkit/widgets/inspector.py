"""The inspector in a notebook: diagram, bytes and explanation side by side, and any byte to be typed over.

The page draws (`inspector.js`, `kernel.js`); the kernel answers each edit with what it changes in the document
(`labkit.render.inspected`). Secrets are masked before the first document is made, so no edit unmasks one.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from labkit.dissection.secrets import masked
from labkit.errors import Absent, LabError, WrongUse
from labkit.render.edits import Edits, edited, edits_of
from labkit.render.inspected import changed, inspected
from labkit.render.verdict import check
from labkit.trace import Trace
from labkit.widgets.display import publish
from labkit.widgets.page import script, style
from labkit.widgets.twin import twin

__all__ = ["inspect"]

_VIEW = "application/vnd.jupyter.widget-view+json"


def inspect(trace: Trace, *, keep_secrets: bool = False) -> Any:
    """Inspect a trace in a notebook: point at an arrow, a field or a byte, and the rest follows; type over any byte.

    The value is a widget. Its `trace` is the trace as it is edited now, and its `edits` are the bytes that were
    typed over. Saved, the notebook keeps a static twin: the diagram, the findings and every byte.

    Args:
        trace: what crossed.
        keep_secrets: show cookies, authorisation and tokens too, which are starred out otherwise.

    Raises:
        WrongUse: it is no trace, but the name of a file, say.
        Absent: anywidget is not installed.

    >>> inspect(Trace())
    <Inspector: Nothing crossed, 0 steps>
    """
    verdict = check(trace)  # says what is wrong where it is no trace
    return _kind()(verdict.trace if keep_secrets else masked(verdict.trace))


@cache
def _kind() -> Any:
    """Return the widget's class: it can only be made where anywidget is."""
    try:
        import anywidget  # noqa: PLC0415  optional
        import traitlets  # noqa: PLC0415
    except ImportError as error:
        raise Absent(
            "anywidget is not installed here; in the folder of the repository: "
            'python -m pip install -c constraints.txt ".[notebooks]"; without it: labkit inspect FILE -o page.html'
        ) from error

    class Inspector(anywidget.AnyWidget):  # type: ignore[misc,unused-ignore]  # Any where anywidget is not typed
        """One trace under inspection."""

        _esm = script(kernel=True)
        _css = style()
        # A page that is opened later is given the document of now, though the trait itself never changes.
        document = traitlets.Dict().tag(sync=True, to_json=lambda _, widget: widget._document)  # noqa: SLF001

        def __init__(self, trace: Trace) -> None:
            self._start = trace
            self._edits: Edits = {}
            self._document = inspected(trace)
            super().__init__()
            self.on_msg(self._take)

        @property
        def edits(self) -> Edits:
            """The bytes that were typed over: (hop, direction, offset) and the new value."""
            return self._edits

        @property
        def trace(self) -> Trace:
            """The trace with these edits."""
            return edited(self._start, self._edits)

        def _take(self, _widget: object, asked: Any, _buffers: object) -> None:
            """Answer a page's edits with what they change; an answer carries the number of its question."""
            answer = {key: asked.get(key) for key in ("view", "number")} if isinstance(asked, dict) else {}
            try:
                if not answer:
                    raise WrongUse("a page asks with an object")
                edits = edits_of(asked.get("edits"))
                now = inspected(self._start, edits)
            except LabError as error:
                self.send({**answer, "error": str(error)})
                return
            self.send({**answer, "document": changed(self._document, now)})
            self._document, self._edits = now, edits

        def _ipython_display_(self) -> None:
            view = self._repr_mimebundle_()
            data, metadata = view or ({}, {})
            live = {_VIEW: data[_VIEW]} if _VIEW in data else {}
            publish((twin(check(self.trace)), {}), *([(live, metadata)] if live else []))

        def __repr__(self) -> str:
            steps = len(self._document["steps"])
            edits = f", {len(self._edits)} edited" if self._edits else ""
            return f"<Inspector: {self._document['title']}, {steps} step{'' if steps == 1 else 's'}{edits}>"

    return Inspector
