"""The sequence diagram of a trace: `diagram(trace)`, drawn as text, SVG, HTML or Mermaid source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from labkit.dissection import dissect
from labkit.dissection.secrets import masked
from labkit.render.layout import Layout
from labkit.render.rows import lay_out
from labkit.render.text import text
from labkit.trace import Trace

if TYPE_CHECKING:
    from labkit.rules import Findings

__all__ = ["Diagram", "diagram"]


def diagram(trace: Trace, *, keep_secrets: bool = False, findings: Findings | None = None) -> Diagram:
    """Draw a trace as a sequence diagram; messages stand in the order of cause and effect.

    Args:
        trace: what crossed, on any number of hops.
        keep_secrets: show cookies, authorisation and tokens too, which are starred out otherwise.
        findings: what a check of this trace found, to be marked on its messages; `trace.check().diagram()` does so.

    >>> print(diagram(Trace(title="An empty trace")))
    An empty trace — nothing crossed
    <BLANKLINE>
     client                                                                  server
        │                                                                       │
        │                                                                       │
    """
    dissection = dissect(trace)
    if not keep_secrets and (safe := masked(trace, dissection)) is not trace:
        dissection = dissect(safe)
    return Diagram(lay_out(dissection, findings))


@dataclass(frozen=True)
class Diagram:
    """A sequence diagram, ready to be drawn; `layout` is what every form of it shows."""

    layout: Layout

    def text(self, width: int = 80) -> str:
        """Return it as text, `width` columns wide."""
        return text(self.layout, width)

    def svg(self, *, dark: bool = False) -> str:
        """Return it as an SVG document that paints its own background, light or dark."""
        from labkit.render.svg import svg  # noqa: PLC0415  a terminal needs none of it

        return svg(self.layout, dark=dark)

    def mermaid(self) -> str:
        """Return it as the source of a Mermaid sequence diagram."""
        from labkit.render.mermaid import mermaid  # noqa: PLC0415

        return mermaid(self.layout)

    def html(self, *, dark: bool = False) -> str:
        """Return it as HTML: the picture with its description, and the same as a table."""
        from labkit.render.html import html  # noqa: PLC0415

        return html(self.layout, dark=dark)

    def bundle(self) -> dict[str, str]:
        """Return what Jupyter shows of it: HTML, and text where there is no HTML."""
        return {"text/plain": self.text(), "text/html": self.html()}

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<Diagram {self.layout.title}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002
        return self.bundle()
