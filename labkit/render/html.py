"""The sequence diagram and the byte table as HTML that also lives in an untrusted notebook.

Such a notebook strips styles, scripts and inline SVG. So the picture is an image with its description
as alternative text, the same stands below it as a table, and neither needs any style. What crossed the
wire stands in <code>, which also keeps a notebook from reading mathematics into it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from labkit.render.layout import Arrow, Band, Layout, Row
from labkit.render.marks import SIGNS, Mark
from labkit.render.pen import escape
from labkit.render.svg import sign, svg

if TYPE_CHECKING:
    from labkit.render.explain import ByteRow, Explanation
    from labkit.render.verdict import Verdict

__all__ = ["byte_table", "html", "table", "verdict_table"]

_WIDEST = 960  # pixels; a wider picture is drawn smaller
_MATHS = re.compile(r"[$\\]")


def html(layout: Layout, *, dark: bool = False) -> str:
    """Return the picture with its description, and the same as a table."""
    picture = svg(layout, dark=dark)
    size = re.search(r' width="(\d+)"', picture)
    width = min(int(size[1]), _WIDEST) if size else _WIDEST
    data = base64.b64encode(picture.encode()).decode("ascii")
    alternative = escape(f"{layout.title}. {layout.description}")
    return (
        f'<img width="{width}" alt="{alternative}" src="data:image/svg+xml;base64,{data}">\n'
        f"<details><summary>The same as a table</summary>\n{_table(layout)}</details>\n"
    )


def _table(layout: Layout) -> str:
    head = _head("Step", "From", "To", "What", "Details")
    rows = "\n".join(_row(layout, row) for row in layout.rows)
    caption = f"<caption>{_words(layout.title)}</caption>"
    return f"<table>{caption}<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table>\n"


def _row(layout: Layout, row: Row) -> str:
    if not isinstance(row, Arrow):
        sign = "■ " if isinstance(row, Band) and row.kind == "stop" else ""
        return f'<tr><td></td><td colspan="4">{_left(f"<em>{sign}{_words(row.text)}</em>")}</td></tr>'
    steps = [row.step, *(detail.step for detail in row.details)]
    start, end = layout.parties[row.start].name, layout.named(row)
    end = f"{end}, {layout.through(row)}" if row.through else end
    details = [f"<code>{escape(detail.text)}</code>" for detail in row.details]
    details += [f"<strong>{_mark(fault)}</strong>" for fault in row.faults]
    cells = (
        ", ".join(step for step in steps if step), _words(start), _words(end),
        f"<code>{escape(row.headline)}</code>", "<br>".join(details),
    )  # fmt: skip
    return _cells(cells)


def table(names: Iterable[str], rows: Iterable[Iterable[str]], caption: str = "") -> str:
    """Return a table of plain text as HTML that reads without any style.

    The first cell of a row names it; a row of one cell, where there are more columns, is a heading across.

    >>> '<th scope="row"><div align="left">a &lt; b</div></th>' in table(["what"], [["a < b"]])
    True
    """
    names = list(names)
    above = f"<caption>{_words(caption)}</caption>" if caption else ""
    cells = ([_words(cell) for cell in row] for row in rows)
    body = "\n".join(_across(row[0], len(names)) if len(row) == 1 < len(names) else _named(row) for row in cells)
    return f"<table>{above}<thead><tr>{_head(*names)}</tr></thead>\n<tbody>\n{body}\n</tbody></table>\n"


def _left(cell: str) -> str:
    """Set a cell to the left: JupyterLab sets it to the right, and lets a <div> in it say otherwise."""
    return f'<div align="left">{cell}</div>' if cell else ""


def _head(*names: str) -> str:
    return "".join(f'<th scope="col">{_left(name)}</th>' for name in names)


def _cells(cells: Iterable[str]) -> str:
    return "<tr>" + "".join(f"<td>{_left(cell)}</td>" for cell in cells) + "</tr>"


def _named(cells: list[str]) -> str:
    return _cells(cells[1:]).replace("<tr>", f'<tr><th scope="row">{_left(cells[0])}</th>', 1)


def _words(text: str) -> str:
    """Return text for a cell; where a notebook could read mathematics into it, as code."""
    return f"<code>{escape(text)}</code>" if _MATHS.search(text) else escape(text)


def verdict_table(verdict: Verdict) -> str:
    """Return the table of findings as HTML."""
    if not verdict.groups:
        return f"<p>{escape(verdict.summary)}</p>\n"
    head = _head("Rule,&nbsp;level", "Party", "What was seen", "Where", "What the rule asks", "What would mend it")
    lines = [f"<table><caption>{escape(verdict.summary)}</caption><thead><tr>{head}</tr></thead>", "<tbody>"]
    for group in verdict.groups:
        lines.append(_across(escape(group.heading)))
        for row in group.rows:
            rule = f"{_sign(row.level)}&nbsp;{row.rule}<br>{row.word.replace(' ', '&nbsp;')}"
            where = f"{_words(row.way)}<br>{row.bytes.replace(' ', '&nbsp;')}"
            lines.append(_named([rule, _words(row.party), _words(row.seen), where, _code(row.asks), _code(row.mend)]))
    if verdict.left:
        lines.append(_across(escape(verdict.left)))
    return "\n".join([*lines, "</tbody></table>"]) + "\n"


def _code(text: str) -> str:
    """Return a rule's own words for a cell: what stands in backticks is code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


def _across(heading: str, width: int = 6) -> str:
    return f'<tr><th colspan="{width}" scope="rowgroup">{_left(heading)}</th></tr>'


def _sign(level: str) -> str:
    """Return the sign of a level as a small picture, which keeps its colour where styles are stripped."""
    data = base64.b64encode(sign(level).encode()).decode("ascii")
    return f'<img width="14" height="14" alt="{SIGNS[level]}" src="data:image/svg+xml;base64,{data}">'


def _mark(mark: Mark) -> str:
    return f"{SIGNS[mark.level]} {_words(mark.text)}"


def byte_table(explanation: Explanation) -> str:
    """Return the table of bytes as HTML."""
    head = _head("Offset", "Hex", "Text", "Label", "Meaning", "Clause")
    lines = [f"<table><thead><tr>{head}</tr></thead>", "<tbody>"]
    for section in explanation.sections:
        faults = "".join(f"<br>{_mark(fault)}" for fault in section.faults)
        lines.append(_across(_words(section.heading) + faults))
        for row in section.rows:
            lines += _byte_rows(row)
    return "\n".join([*lines, "</tbody></table>"]) + "\n"


def _byte_rows(row: ByteRow) -> list[str]:
    from labkit.render.explain import bit_patterns  # noqa: PLC0415  each of the two draws with the other

    shown = "<br>".join(_hex(line) for line in row.hex)
    faults = "".join(f"<br><strong>{_mark(fault)}</strong>" for fault in row.faults)
    meaning = (_words(row.meaning) + faults).removeprefix("<br>")
    cells = (str(row.offset), shown, f"<code>{escape(row.text)}</code>", _words(row.label), meaning, row.clause)
    lines = [_cells(cells)]
    for pattern, bits in bit_patterns(row.bits):
        lines.append(_cells(("", _hex(pattern), "", _words(bits.name), _words(bits.meaning), "")))
    return lines


def _hex(line: str) -> str:
    return f"<code>{line.replace(' ', '&nbsp;')}</code>"  # a line of bytes is not to be broken
