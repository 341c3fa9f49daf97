"""The inspector as one HTML page, without Jupyter and without a network: `page(trace)`.

Script and style are the notebook's own. The document stands in the page as data, in which every `<` is
escaped, and its policy lets nothing but this one script run: what crossed the wire stays text.
"""

from __future__ import annotations

import base64
import json
from functools import cache
from hashlib import sha256
from importlib.resources import files

from labkit.dissection.secrets import masked
from labkit.render.html import verdict_table
from labkit.render.inspected import inspected
from labkit.render.pen import escape
from labkit.render.theme import DARK, LIGHT, variables
from labkit.render.verdict import check
from labkit.trace import Trace

__all__ = ["page", "script", "style"]

_WITHOUT_KERNEL = (
    "Editing needs a kernel, and this page has none: in a notebook, labkit.inspect(labkit.load(FILE)) lets you type "
    "over any byte."
)


@cache
def script(*, kernel: bool = False) -> str:
    """Return the inspector's script as one ES module; with `kernel`, what a notebook asks of it too."""
    names = ("elements.js", "inspector.js", *(["kernel.js"] if kernel else []))
    return "\n".join(files("labkit.widgets").joinpath(name).read_text("utf-8") for name in names)


@cache
def style() -> str:
    """Return the inspector's style: the lab's colours, light and dark, and how it is laid out.

    JupyterLab says which theme it has; on a page the reader's own setting decides; paper is light.
    """
    light, dark = variables(LIGHT), variables(DARK)
    return (
        f".lk, .lk-page {{\n{light}\n}}\n"
        f'[data-jp-theme-light="false"] .lk {{\n{dark}\n}}\n'
        f"@media (prefers-color-scheme: dark) {{\n.lk-page, .lk-page .lk {{\n{dark}\n}}\n}}\n"
        f'@media print {{\n.lk, [data-jp-theme-light="false"] .lk, .lk-page, .lk-page .lk {{\n{light}\n}}\n}}\n'
        + files("labkit.widgets").joinpath("inspector.css").read_text("utf-8")
    )


def page(trace: Trace, *, keep_secrets: bool = False) -> str:
    """Return an inspector of a trace as a self-contained HTML page.

    All stepping and linking works; editing does not, since there is no kernel, and the page says so. A reader
    without scripts finds the picture and the findings.

    Args:
        trace: what crossed.
        keep_secrets: show cookies, authorisation and tokens too, which are starred out otherwise.

    >>> "<title>Nothing crossed</title>" in page(Trace())
    True
    """
    safe = trace if keep_secrets else masked(trace)
    document = inspected(safe)
    data = json.dumps(document, ensure_ascii=True).replace("<", "\\u003c")
    run = f"{script()}\n{_START}"
    digest = base64.b64encode(sha256(run.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'"
    )
    verdict = check(safe)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(document['title'])}</title>\n<style>\n{style()}</style>\n</head>\n"
        f'<body class="lk-page">\n<main id="inspector"></main>\n'
        f"<noscript>\n{verdict.diagram(keep_secrets=True).html()}{verdict_table(verdict)}</noscript>\n"
        f'<script type="application/json" id="document">{data}</script>\n'
        f'<script type="module">{run}</script>\n</body>\n</html>\n'
    )


_START = f"""
mount(document.getElementById("inspector"), JSON.parse(document.getElementById("document").textContent),
  {{ why: {json.dumps(_WITHOUT_KERNEL)} }});
"""
