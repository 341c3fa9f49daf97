"""The sequence diagram as Mermaid source, escaped so that nothing on the wire can break it.

Mermaid ends a label at `;`, cuts it at `#`, takes `%%` for a comment and `wrap:` for an order. All but
letters, digits and a few harmless signs are therefore written as its own entity codes (`#59;` for `;`).
"""

from __future__ import annotations

from labkit.render.layout import Arrow, Band, Layout, Row
from labkit.render.measure import wrap

__all__ = ["mermaid"]

_SAFE = frozenset(" .,/-_()'")
_LONGEST = 160  # characters of one label
_WIDEST = 40  # columns of one line of it


def mermaid(layout: Layout) -> str:
    """Return a layout as the source of a Mermaid sequence diagram; columns become P0, P1 and so on."""
    lines = ["sequenceDiagram", f"    title {_label(layout.title)}"]
    lines += [f"    accTitle: {_label(layout.title)}", f"    accDescr: {_label(layout.description, 600)}"]
    lines += [f"    participant P{place} as {_label(party.name)}" for place, party in enumerate(layout.parties)]
    for place, row in enumerate(layout.rows):
        lines += [f"    {line}" for line in (*_tunnels(layout, place), *_row(layout, row))]
    lines += [f"    {line}" for line in _tunnels(layout, len(layout.rows))]
    return "\n".join(lines) + "\n"


def _tunnels(layout: Layout, place: int) -> list[str]:
    """Begin and end tunnels before a row: Mermaid draws an active party as a bar over its lifeline."""
    ends = [f"deactivate P{pipe.column}" for pipe in layout.pipes if pipe.after == place]
    return ends + [f"activate P{pipe.column}" for pipe in layout.pipes if pipe.first == place]


def _row(layout: Layout, row: Row) -> list[str]:
    if not isinstance(row, Arrow):
        sign = "■ " if isinstance(row, Band) and row.kind == "stop" else ""
        ends = layout.between(row) if layout.star else (row.start, row.end)
        return [f"Note over {_over(*ends)}: {_lines(sign + row.text)}"]
    arrow = "-->>" if row.kind == "control" else "->>"
    step = f"({row.step}) " if row.step else ""
    lines = [f"P{row.start}{arrow}P{end}: {_lines(step + row.headline)}" for end in layout.receivers(row)]
    details = [f"({detail.step}) {detail.text}" if detail.step else detail.text for detail in row.details]
    details += [str(fault) for fault in row.faults]
    if details:
        ends = layout.between(row) if layout.star else (row.start, row.end)
        lines.append(f"Note over {_over(*ends)}: {'<br/>'.join(map(_lines, details))}")
    return lines


def _over(start: int, end: int) -> str:
    low, high = sorted((start, end))
    return f"P{low}" if low == high else f"P{low},P{high}"


def _lines(text: str) -> str:
    """Break a label: Mermaid makes room for the longest message, and none for a note."""
    return "<br/>".join(_label(line) for line in wrap(text, _WIDEST, 4))


def _label(text: str, most: int = _LONGEST) -> str:
    cut = text if len(text) <= most else text[: most - 1] + "…"
    written = "".join(char if _plain(char) else f"#{ord(char)};" for char in cut)
    if written.lower().startswith(("wrap", "nowrap", "end")):  # orders of Mermaid's own, at the start of a label
        written = f"#{ord(cut[0])};{written[1:]}"
    return written or " "


def _plain(char: str) -> bool:
    return char in _SAFE or char.isalnum()
