"""A table of plain text in columns, for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from labkit.render.measure import columns, wrap

__all__ = ["text_table"]

_WIDTH = 100
_GAP = 2
_MOST_LINES = 12  # of one cell


def text_table(names: Sequence[str], rows: Iterable[Sequence[str]], width: int = _WIDTH) -> str:
    """Return rows as text in columns, `width` columns of the terminal wide at the most.

    Where the cells are longer, the widest columns give way, and their cells go on in further lines.

    >>> print(text_table(["what", "found"], [["curl", "7.88.1"], ["php", "absent"]]))
    what  found
    curl  7.88.1
    php   absent
    """
    cells = [list(names), *map(list, rows)]
    widths = [max(columns(row[place]) for row in cells) for place in range(len(names))]
    while sum(widths) + _GAP * (len(widths) - 1) > width:
        widest = max(range(len(widths)), key=widths.__getitem__)
        widths[widest] -= 1
    return "\n".join(line for row in cells for line in _lines(row, widths))


def _lines(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    wrapped = [wrap(cell, size, _MOST_LINES) for cell, size in zip(row, widths, strict=True)]
    found = []
    for number in range(max(map(len, wrapped))):
        pieces = [cell[number] if number < len(cell) else "" for cell in wrapped]
        padded = (piece + " " * (size - columns(piece)) for piece, size in zip(pieces, widths, strict=True))
        found.append((" " * _GAP).join(padded).rstrip())
    return found
