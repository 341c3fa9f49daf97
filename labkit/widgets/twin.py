"""The inspector's static twin: what a notebook keeps of it, for a viewer without widgets or without trust.

It is an output of its own, above the widget's. In JupyterLab a rule of style, which a notebook that is not
trusted loses, shows one of the two: the twin is hidden while the widget is alive; where it is not, the widget's
own output, which says no more than that its model is not found, is hidden.
"""

from __future__ import annotations

from labkit.render.html import byte_table, verdict_table
from labkit.render.verdict import Verdict

__all__ = ["twin"]

_ONE_OF_BOTH = """<style>
.jp-OutputArea-child:has(.lk-twin):has(+ .jp-OutputArea-child .lk) { display: none; }
.jp-OutputArea-child:has(.lk-twin) + .jp-OutputArea-child:has(.jupyter-widgets, .jp-OutputArea-output):not(:has(.lk)) {
  display: none; }
</style>"""


def twin(verdict: Verdict) -> dict[str, str]:
    """Return a checked trace as a MIME bundle: its diagram, its findings and, folded away, every byte.

    Args:
        verdict: what the check found; its trace is shown as it is, secrets too.
    """
    picture = verdict.diagram(keep_secrets=True)
    table = byte_table(verdict.bytes(keep_secrets=True))
    html = (
        f'<div class="lk-twin">{_ONE_OF_BOTH}\n{picture.html()}{verdict_table(verdict)}'
        f"<details><summary>Every byte</summary>\n{table}</details>\n"
        "<p>Run this cell for the live inspector.</p></div>\n"
    )
    return {"text/html": html, "text/plain": f"{picture.text()}\n\n{verdict.text()}"}
