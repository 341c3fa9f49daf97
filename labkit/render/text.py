"""The sequence diagram as text: box-drawing characters, 80 columns unless told otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from labkit.render.layout import Arrow, Band, Fold, Layout, Row
from labkit.render.measure import columns, fit, wrap

__all__ = ["text"]

_LONG = 40  # lines after which the parties are named again at the bottom
_NAME = 24  # the widest name of a party
_LEAST = 16  # between two lifelines
_CLOSE = 6  # between two clients of one server
_LANE = 40  # from the last of them to the server
_ROOMY = 32  # between two lifelines, where an indent costs nothing
_BLANK = " "


def text(layout: Layout, width: int = 80) -> str:
    """Draw a layout in `width` columns; more parties than fit make it wider.

    No line ends in a space; the last one ends without a line end.
    """
    sheet = _Sheet(layout, width)
    lines = [line for line in wrap(layout.title, width, 4) if line]
    head = sheet.names()
    body = sheet.rows()
    foot = sheet.names() if len(body) > _LONG else []
    note = ["", *wrap(layout.note, width, 3)] if layout.note else []
    return "\n".join([*lines, "", *head, *body, *foot, *note])


class _Line:
    """One line, written to in columns; a character two columns wide takes two of them."""

    def __init__(self, width: int) -> None:
        self._cells = [_BLANK] * width

    def put(self, at: int, what: str) -> None:
        """Write `what` from column `at` on, as far as the line goes."""
        for char in what:
            size = columns(char)
            if size == 0:
                if 0 < at <= len(self._cells):
                    self._cells[at - 1] += char
                continue
            if at < 0 or at + size > len(self._cells):
                return
            self._cells[at] = char
            if size > 1:
                self._cells[at + 1] = ""
            at += size

    def __str__(self) -> str:
        return "".join(self._cells).rstrip()


@dataclass
class _Sheet:
    """Where the columns stand, and how rows are drawn between them."""

    layout: Layout
    width: int

    def __post_init__(self) -> None:
        self._names = [fit(party.name, _NAME) or "?" for party in self.layout.parties]
        arrows = [row for row in self.layout.rows if isinstance(row, Arrow)]
        steps = [row.step for row in arrows] + [detail.step for row in arrows for detail in row.details]
        margin = max([len(step) for step in steps] + [1]) + 3
        self._places = self._spread(margin)
        self._pipes: frozenset[int] = frozenset()  # the lifelines that are tunnels where it is drawn
        self.width = max(self.width, self._places[-1] + (columns(self._names[-1]) + 1) // 2 + 1)

    def _spread(self, margin: int) -> list[int]:
        """Share the width between the gaps, none narrower than its names or an arrow needs."""
        sizes = [columns(name) for name in self._names]
        first = margin + max(sizes[0] // 2 - 3, 0)
        last = self.width - 1 - max((sizes[-1] + 1) // 2, 1)
        if self.layout.star:
            places = [first]
            for one, other in pairwise(sizes[:-1]):
                places.append(places[-1] + max((one + other) // 2 + 2, _CLOSE))
            return [*places, max(last, places[-1] + _LANE)]
        least = [max(_LEAST, (a + b) // 2 + 3) for a, b in pairwise(sizes)]
        left, gaps = max(last - first, sum(least)), list(least)
        open_gaps = sorted(range(len(least)), key=lambda gap: -least[gap])
        for count, gap in zip(range(len(open_gaps), 0, -1), open_gaps, strict=True):
            gaps[gap] = max(least[gap], left // count)
            left -= gaps[gap]
        places = [first]
        for gap in gaps:
            places.append(places[-1] + gap)
        return places

    def names(self) -> list[str]:
        """Return the line that names the parties."""
        line = _Line(self.width)
        for place, name in zip(self._places, self._names, strict=True):
            line.put(max(0, place - columns(name) // 2), name)
        return [str(line)]

    def rows(self) -> list[str]:
        """Return every row, with lifelines between them."""
        lines = [self._life()]
        for place, row in enumerate(self.layout.rows):
            self._pipes = self._tunnels(place)
            if isinstance(row, Arrow):
                drawn = self._arrow(row)
                follows = self.layout.rows[place + 1] if place + 1 < len(self.layout.rows) else None
                roomy = len(drawn) > 1 and isinstance(follows, (Arrow, Fold))
                lines += [*drawn, *([self._life()] if roomy else [])]
            elif isinstance(row, Band):
                last = place + 1 == len(self.layout.rows)
                drawn = self._band(row, last)
                self._pipes = self._tunnels(place - 1)
                before = [] if str(lines[-1]) == str(self._life()) else [self._life()]
                self._pipes = self._tunnels(place + 1)
                lines += [*before, *drawn, *([] if last else [self._life()])]
            else:
                lines += self._fold(row)
        if not self.layout.rows or not isinstance(self.layout.rows[-1], Band):
            lines.append(self._life())
        return [str(line) for line in lines]

    def _tunnels(self, row: int) -> frozenset[int]:
        return frozenset(self._places[pipe.column] for pipe in self.layout.pipes if pipe.first <= row < pipe.after)

    def _life(self, step: str = "", mark: str = "│") -> _Line:
        line = _Line(self.width)
        line.put(1, step)
        for place in self._places:
            line.put(place, "║" if place in self._pipes else mark)
        return line

    def _arrow(self, arrow: Arrow) -> list[_Line]:
        left, right = self._between(arrow)
        rightwards = arrow.start < arrow.end
        inside = right - left - 1
        lines: list[_Line] = []
        fits = columns(arrow.headline) + 6 <= inside
        if not fits:
            for number, piece in enumerate(wrap(arrow.headline, inside - 2, 3)):
                line = self._life(arrow.step if not number else "")
                line.put(left + 2 if rightwards else right - 1 - columns(piece), piece)
                lines.append(line)
        lines.append(self._shaft(arrow, arrow.headline if fits else "", not lines))
        for detail in arrow.details:
            lines += self._block(arrow, detail.text, detail.step)
        for fault in arrow.faults:
            lines += self._block(arrow, str(fault))
        return lines

    def _between(self, row: Row) -> tuple[int, int]:
        """Return the places of the lifelines between which a row's words stand."""
        low, high = self.layout.between(row)
        return self._places[low], self._places[high]

    def _shaft(self, arrow: Arrow, label: str, first: bool) -> _Line:  # noqa: FBT001
        left, right = sorted((self._places[arrow.start], self._places[arrow.end]))
        line = self._life(arrow.step if first else "")
        for at in range(left + 1, right):
            line.put(at, "╫" if at in self._pipes else "┼" if at in self._places else "─")
        if arrow.start < arrow.end:
            line.put(left, "╟" if left in self._pipes else "├")
            line.put(right - 1, "►")
            if label:
                line.put(self._between(arrow)[0] + 3, f" {label} ")
        else:
            line.put(right, "╢" if right in self._pipes else "┤")
            for column in self.layout.receivers(arrow):
                line.put(self._places[column] + 1, "◄")
            if label:
                line.put(right - 4 - columns(label), f" {label} ")
        return line

    def _block(self, arrow: Arrow, what: str, step: str = "") -> list[_Line]:
        """Set a detail below its arrow, on the side of the party that sent it."""
        left, right = self._between(arrow)
        indent = 4 if right - left > _ROOMY else 1
        room = right - left - 2 - indent
        widest = max(columns(line) for line in (*(detail.text for detail in arrow.details), *map(str, arrow.faults)))
        at = left + 1 + indent if arrow.start < arrow.end else right - indent - min(room, widest)
        lines = []
        for number, piece in enumerate(wrap(what, room, 6 if arrow.through else 4, indent=2 if room > _ROOMY else 1)):
            line = self._life(step if not number else "")
            line.put(at, piece)
            lines.append(line)
        return lines

    def _band(self, band: Band, last: bool) -> list[_Line]:  # noqa: FBT001
        left, right = self._between(band)
        rule, cross = {"seam": ("═", "╪"), "end": ("─", "┼")}.get(band.kind, ("", ""))
        sign = "■ " if band.kind == "stop" else "… " if band.kind == "missing" else ""
        lines: list[_Line] = []
        pieces = wrap(sign + band.text, max(right - left - 5, 8), 4)
        for piece in pieces:
            line = self._life()
            if band.kind == "end" and last and len(lines) == len(pieces) - 1:
                cross = "┴"
            for at in range(left - 2, right + 3) if rule else ():
                line.put(at, cross if at in self._places else rule)
            line.put((left + right - columns(piece)) // 2, f" {piece} ")
            lines.append(line)
        return lines

    def _fold(self, fold: Fold) -> list[_Line]:
        left, right = self._between(fold)
        lines = [self._life(mark="┊")]
        for piece in wrap(fold.text, max(right - left - 4, 8), 4):
            line = self._life(mark="┊")
            line.put((left + right - columns(piece)) // 2, f" {piece} ")
            lines.append(line)
        return [*lines, self._life(mark="┊")]
