"""What the workbench shows of a variation, as HTML: pictures with findings, marked differences, the history."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files

from labkit.cases.outcome import CLOSING, GOT, SAID, SAW
from labkit.render.diagram import Diagram
from labkit.render.html import table
from labkit.render.pen import escape
from labkit.render.theme import DARK, LIGHT, Theme
from labkit.render.verdict import Verdict
from labkit.variations.history import History
from labkit.variations.marking import SIGNS, Marked

__all__ = ["differing", "drawn", "link", "status", "style", "told", "tried", "twin"]

_WORDS = {
    "differs": "differs", "left out": "left out by the client", "added": "added by the client",
    "drawn anew": "drawn anew each time",
}  # fmt: skip
_ONE_OF_BOTH = (
    ".jp-OutputArea-child:has(.labkit-twin):has(+ .jp-OutputArea-child .labkit-workbench) { display: none; } "
    ".jp-OutputArea-child:has(.labkit-twin) + .jp-OutputArea-child:not(:has(.labkit-workbench)) { display: none; }"
)
_PLACES = (GOT, SAW, SAID, CLOSING)
_COLOURS = ("ground", "zone", "ink", "soft", "line", "client", "proxy", "server", "fault", "should")


@cache
def style() -> str:
    """Return the style sheet of the workbench, with the colours of the pictures, light and dark."""
    light, dark = (";".join(f"--labkit-{name}:{getattr(theme, name)}" for name in _COLOURS) for theme in (LIGHT, DARK))
    sheet = files(__package__).joinpath("workbench.css").read_text("utf-8")
    dark_page = '[data-jp-theme-light="false"] .labkit-workbench'
    return f"<style>.labkit-workbench{{{light}}}{dark_page}{{{dark}}}\n{sheet}</style>"


def drawn(title: str, verdict: Verdict) -> str:
    """Return a picture with its findings under a title: light and dark, of which the style sheet shows one."""
    picture = verdict.diagram()
    images = "".join(_image(picture, theme) for theme in (LIGHT, DARK))
    return (
        f"<figure><figcaption><strong>{escape(title)}</strong><br>{escape(verdict.summary)}</figcaption>{images}"
        f"<details><summary>The same as text</summary><pre>{escape(picture.text(100))}</pre></details></figure>"
    )


def _image(picture: Diagram, theme: Theme) -> str:
    name = "dark" if theme is DARK else "light"
    source = picture.svg(dark=theme is DARK)
    width = re.search(r' width="(\d+)"', source)
    size = f' width="{width[1]}"' if width else ""
    data = base64.b64encode(source.encode()).decode("ascii")
    alternative = escape(f"{picture.layout.title}. {picture.layout.description}")
    return f'<img class="labkit-{name}"{size} alt="{alternative}" src="data:image/svg+xml;base64,{data}">'


def status(text: str, more: str = "") -> str:
    """Return a line that says what came, and `more` of it; it is read out when it changes."""
    strong = f" <strong>{escape(more)}</strong>" if more else ""
    return f'<div role="status" class="labkit-status">{escape(text)}{strong}</div>'


def differing(rows: Sequence[Marked], names: tuple[str, str] = ("predicted", "observed")) -> str:
    """Return the table of what differs; each row has a sign and a word.

    Args:
        rows: the differences, marked.
        names: of the two that were compared: that of `predicted` in a difference, then that of `observed`.
    """
    if not rows:
        return f'<p class="labkit-equal"><strong>✓ No difference</strong>: {names[0]} and {names[1]} are the same.</p>'
    head = "".join(f'<th scope="col">{name}</th>' for name in ("", "where", "what", *names))
    body = "".join(_row(row) for row in sorted(rows, key=_order))
    return (
        f'<div class="labkit-scroll"><table class="labkit-table"><caption>{told(rows)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def told(rows: Sequence[Marked]) -> str:
    """Return in a few words, with a sign, how many rows speak against the prediction."""
    against = sum(row.mark == "differs" for row in rows)
    if against:
        return f"≠ {against} difference{'s' * (against != 1)}"
    return "✓ No difference but what the client does by itself" if rows else "✓ No difference"


def _order(row: Marked) -> tuple[int, int]:
    return list(SIGNS).index(row.mark), _PLACES.index(row.difference.place)


def _row(row: Marked) -> str:
    each = row.difference
    word = row.why or _WORDS[row.mark]
    mark = f'<th scope="row"><span class="labkit-sign">{SIGNS[row.mark]}</span> {escape(word)}</th>'
    values = "".join(f"<td>{_value(value)}</td>" for value in (each.predicted, each.observed))
    kind = row.mark.replace(" ", "-")
    return f'<tr class="labkit-{kind}">{mark}<td>{escape(each.place)}</td><td>{escape(each.what)}</td>{values}</tr>'


def _value(value: str) -> str:
    return f"<code>{escape(value)}</code>" if value else '<span class="labkit-soft">nothing</span>'


def tried(history: History, chosen: int | None = None) -> str:
    """Return the history as a table: what was turned, what was said, what came."""
    if not history.rows:
        return '<p class="labkit-soft">Nothing kept yet: “Predict” and “Run for real” keep a row each.</p>'
    names = ("row", "what was turned", "you said", "predicted", "observed", "differences")
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    rows = []
    for each in history.rows:
        counted = "" if each.differences is None else f"≠ {each.differences}" if each.differences else "✓ none"
        cells = ("; ".join(history.changed(each.number)), each.guess, each.predicted, each.observed, counted)
        told_cells = "".join(f"<td>{escape(cell) if cell else '–'}</td>" for cell in cells)
        here = ' class="labkit-chosen"' if each.number == chosen else ""
        rows.append(f'<tr{here}><th scope="row">{each.number}</th>{told_cells}</tr>')
    gone = f" ({history.gone} older ones are gone)" if history.gone else ""
    return (
        f'<div class="labkit-scroll labkit-tall"><table class="labkit-table"><caption>What was tried{gone}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(reversed(rows))}</tbody></table></div>"
    )


def link(label: str, name: str, text: str) -> str:
    """Return a link that saves a text as a file on the learner's machine; no server has part in it.

    >>> link("Save", "a.json", "{}")
    '<a class="labkit-link" download="a.json" href="data:application/json;base64,e30=">Save</a>'
    """
    data = base64.b64encode(text.encode()).decode("ascii")
    kind = "application/json" if name.endswith(".json") else "text/plain"
    return f'<a class="labkit-link" download="{escape(name)}" href="data:{kind};base64,{data}">{escape(label)}</a>'


def twin(title: str, settings: Iterable[tuple[str, str]], texts: Iterable[str], picture: str) -> str:
    """Return what a viewer without widgets shows: the setting as a table, texts, and the picture; none needs style.

    Where the widget lives, the twin is hidden; else the output that says that it does not. The twin also brings
    along the script that keeps a notebook's keys from the knobs: a widget has no script of its own. A notebook that
    nobody trusts has neither style nor script, and no widget.
    """
    keys = files(__package__).joinpath("keys.js").read_text("utf-8")
    setting = table(("knob", "setting"), settings, title) + "".join(f"<pre>{escape(text)}</pre>" for text in texts)
    return (
        f'<div class="labkit-twin">{setting}{picture}<p>Run this cell for the live workbench.</p>'
        f"<style>{_ONE_OF_BOTH}</style><script>{keys}</script></div>"
    )
