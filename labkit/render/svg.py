"""The sequence diagram as SVG 1.1, by hand: presentation attributes alone, so that no page can lose its style.

It paints its own background, carries a title and a description, and is as wide as its labels need.
Widths of text are estimated from above; nothing is set closer than they allow.
"""

from __future__ import annotations

from itertools import pairwise

from labkit.render.layout import Arrow, Band, Fold, Layout, Party
from labkit.render.measure import columns, fit, wrap
from labkit.render.pen import Pen, escape
from labkit.render.theme import DARK, LIGHT, NAMED, Theme, mono_width, sans_width

__all__ = ["live_svg", "sign", "svg"]

_PAD = 28  # around everything
_BADGE = 11  # radius of a step's disc
_BOX = 36  # height of a party's box
_HEADLINE, _DETAIL, _TITLE, _BAND, _NOTE = 13.0, 12.0, 20.0, 13.0, 12.0  # sizes of type
_LEADING = 17  # from one line to the next
_TUBE = 8  # from a lifeline to the side of the tube around it
_REACH = 4  # how far below its lowest point a row can be pointed at
_SIDE = 14  # from a lifeline to the text beside it
_GAPS = {2: (480, 560), 3: (310, 430), 4: (250, 340)}  # least and most between lifelines, by parties
_BESIDE = {2: (340, 440), 3: (220, 270)}
_TIGHT = (210, 270)


def svg(layout: Layout, *, dark: bool = False) -> str:
    """Draw a layout as an SVG document, light or dark."""
    return _Canvas(layout, DARK if dark else LIGHT).draw()


def live_svg(layout: Layout) -> str:
    """Draw a layout for a page that brings the colours as CSS variables, and links what is drawn to the bytes.

    Every row is a group with its number (`data-row`), every field line in it one with its place in the bytes
    (`data-start`, `data-end`). The page has to give it a name: it holds no title. It is narrower than elsewhere, so
    that the bytes have room beside it.
    """
    return _Canvas(layout, NAMED, live=True).draw()


class _Canvas:
    """Draws from the top down; `y` is the lowest point drawn so far."""

    def __init__(self, layout: Layout, theme: Theme, *, live: bool = False) -> None:
        self._live = live
        self._layout = layout
        self._theme = theme
        self._pen, self._back = Pen(), Pen()
        self._names = [fit(party.name, 220, lambda char: sans_width(char, 14)) or "?" for party in layout.parties]
        boxes = (44, 24) if layout.star else (104, 40)  # many stand side by side: the least, and around the name
        self._boxes = [max(boxes[0], sans_width(name, 14) + boxes[1]) for name in self._names]
        self._places = self._spread()
        self._width = max(self._places[-1] + max(self._boxes[-1] / 2, 40) + _PAD, 420 if self._live else 560)
        self._y = 0.0
        self._lives: list[tuple[float, float, str]] = []  # stretches of the lifelines: from, to, dashes
        self._zones: list[tuple[int, int, float]] = []

    def draw(self) -> str:
        """Return the whole document."""
        theme, layout = self._theme, self._layout
        self._y = 4.0 if self._live else float(_PAD)
        if not self._live:
            self._title()
        top = self._y + _BOX
        self._parties()
        self._y += 8
        self._lives.append((top, self._y, ""))
        edges = [self._y]  # between the rows
        for number, row in enumerate(layout.rows):
            since, before = len(self._pen.elements), self._y
            dash = self._row(row)
            self._link(since, (4, before), (self._width - 8, self._y - before + _REACH), data_row=number)
            self._lives.append((edges[-1], self._y, dash))
            edges.append(self._y)
        self._lives.append((self._y, self._y + 16, ""))
        self._y += 16
        self._ground(top)
        self._tunnels(edges)
        self._parties()
        if layout.note:
            self._y += 12
            for line in wrap(layout.note, self._width - 2 * _PAD, 3, size=lambda char: sans_width(char, _NOTE)):
                self._y += 16
                self._pen.text((_PAD, self._y), line, theme.soft, _NOTE)
        return self._document(self._y + (4 if self._live else _PAD))

    def _link(self, since: int, at: tuple[float, float], size: tuple[float, float], **attributes: float) -> None:
        """Make one group of what was drawn since, that can be pointed at anywhere in a rectangle."""
        if self._live:
            self._pen.group(since, **attributes)
            pointed = Pen()
            pointed.rect(at, size, "transparent", radius=5)
            self._pen.elements.insert(since + 1, pointed.elements[0])

    def _title(self) -> None:
        room = self._width - 2 * _PAD
        for line in wrap(self._layout.title, room, 4, size=lambda char: sans_width(char, _TITLE)):
            self._y += _TITLE + 6
            self._pen.text((_PAD, self._y - 6), line, self._theme.ink, _TITLE, bold=True)
        self._y += 18

    def _document(self, height: float) -> str:
        width, tall = round(self._width), round(height)
        title, told = escape(self._layout.title), escape(self._layout.description)
        role, words = ("", "") if self._live else (' role="img"', f"<title>{title}</title><desc>{told}</desc>")
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" version="1.1" width="{width}" height="{tall}" '
            f'viewBox="0 0 {width} {tall}"{role} xml:space="preserve">'
        )
        ground = "" if self._live else f'<rect width="{width}" height="{tall}" fill="{self._theme.ground}"/>'
        return "\n".join([head, words, ground, *self._back.elements, *self._pen.elements, "</svg>"]) + "\n"

    def _spread(self) -> list[float]:
        """Place the lifelines: far enough apart for the labels between neighbours, as far as that is bearable."""
        if self._layout.star:
            return self._spread_star()
        least, most = (_BESIDE if self._live else _GAPS).get(len(self._layout.parties), _TIGHT)
        wanted = [float(least)] * max(len(self._boxes) - 1, 0)
        for row in self._layout.rows:
            if isinstance(row, Arrow) and abs(row.start - row.reach) == 1:
                widths = [mono_width(row.headline, _HEADLINE) + 12]
                widths += [mono_width(detail.text, _DETAIL) for detail in row.details]
                gap = min(row.start, row.reach)
                wanted[gap] = max(wanted[gap], max(widths) + 4 * _SIDE)
        places: list[float] = [_PAD + 2 * _BADGE + 12 + max(self._boxes[0] / 2 - 2 * _BADGE, 24)]
        for room, (one, other) in zip(wanted, pairwise(self._boxes), strict=True):
            places.append(places[-1] + max(min(room, most), (one + other) / 2 + 24))
        return places

    def _spread_star(self) -> list[float]:
        """Place clients side by side, and the server behind a gap that is as wide as the words in it need."""
        steps = [row.step for row in self._layout.rows if isinstance(row, Arrow)]
        longest = max((len(step) for step in steps), default=1)
        places = [_PAD + 2 * _BADGE + 7.0 * max(longest - 3, 0) + 12 + max(self._boxes[0] / 2 - _BADGE, 16)]
        for one, other in pairwise(self._boxes[:-1]):
            places.append(places[-1] + (one + other) / 2 + 12)
        least, most = _BESIDE[2] if self._live else _GAPS[2]
        arrows = [row for row in self._layout.rows if isinstance(row, Arrow)]
        widths = [mono_width(row.headline, _HEADLINE) + 12 for row in arrows]
        widths += [mono_width(detail.text, _DETAIL) for row in arrows for detail in row.details]
        room = max(min(max(widths, default=0) + 4 * _SIDE, most), least * 0.75)
        return [*places, places[-1] + max(room, (self._boxes[-2] + self._boxes[-1]) / 2 + 24)]

    def _parties(self) -> None:
        """Draw every party's box: rounded for a client, six-sided for a proxy, square for a server."""
        for place, wide, name, party in zip(self._places, self._boxes, self._names, self._layout.parties, strict=True):
            self._shape(place, wide, party)
            self._pen.text((place, self._y + 23), name, self._theme.ink, 14, anchor="middle", bold=True)
        self._y += _BOX

    def _shape(self, place: float, wide: float, party: Party) -> None:
        line, ground = self._theme.party(party.role)
        left, right, y = place - wide / 2, place + wide / 2, self._y
        if party.role == "proxy":
            middle, low = y + _BOX / 2, y + _BOX
            points = [(left, middle), (left + 14, y), (right - 14, y), (right, middle), (right - 14, low),
                      (left + 14, low)]  # fmt: skip
            self._pen.polygon(points, ground, line, 1.8)
        else:
            radius = _BOX / 2 if party.role == "client" else 0.0
            self._pen.rect((left, y), (wide, _BOX), ground, stroke=line, radius=radius, weight=1.8)

    def _ground(self, top: float) -> None:
        """Paint what lies behind the rows: the zones behind the seam, then the lifelines."""
        for start, end, since in self._zones:
            left, right = self._edges(start, end)
            self._back.rect((left, since), (right - left, self._y - since - 8), self._theme.zone)
        merged: list[tuple[float, float, str]] = []
        for begin, stop, dash in self._lives:
            if merged and merged[-1][2] == dash:
                merged[-1] = (merged[-1][0], stop, dash)
            else:
                merged.append((begin, stop, dash))
        for place in self._places:
            for begin, stop, dash in merged:
                self._back.line((place, max(begin, top)), (place, stop), self._theme.line, 1.2, dash)

    def _tunnels(self, edges: list[float]) -> None:
        """Draw the tunnels as tubes around the lifelines of their parties, open to the seam above them."""
        for pipe in self._layout.pipes:
            line, ground = self._theme.party(self._layout.parties[pipe.column].role)
            place, top, low = self._places[pipe.column], edges[pipe.first] - 12, edges[pipe.after] + 4
            self._back.rect((place - _TUBE, top), (2 * _TUBE, low - top), ground, stroke=line, radius=6, weight=1)

    def _row(self, row: Arrow | Band | Fold) -> str:
        """Draw a row; return how the lifelines are dashed beside it."""
        if isinstance(row, Arrow):
            self._arrow(row)
            return ""
        if isinstance(row, Fold):
            self._words(row.text, row, self._theme.soft, 22)
            return "1.5 5"
        if row.kind == "seam":
            self._seam(row)
        elif row.kind == "end":
            self._end(row)
        elif row.kind == "stop":
            self._words(f"■ {row.text}", row, self._theme.ink, 18, bold=True)
        else:
            self._words(f"… {row.text}", row, self._theme.soft, 14)
        return ""

    def _arrow(self, arrow: Arrow) -> None:
        left, right = self._between(arrow)
        forth = arrow.start < arrow.end
        room = right - left - 2 * _SIDE
        self._y += 8
        for number, piece in enumerate(_mono(arrow.headline, room, _HEADLINE, 3)):
            self._y += _LEADING
            if not number:
                self._badge(arrow.step)
            if abs(arrow.start - arrow.reach) > 1 and not self._layout.star:
                self._halo(left + _SIDE if forth else right - _SIDE - mono_width(piece, _HEADLINE), piece)
            at = (left + _SIDE, self._y) if forth else (right - _SIDE, self._y)
            self._pen.text(at, piece, self._theme.ink, _HEADLINE, mono=True, anchor="start" if forth else "end")
        self._y += 9
        self._shaft(arrow)
        self._details(arrow, left, right)
        self._y += 14 if arrow.details or arrow.faults else 4

    def _shaft(self, arrow: Arrow) -> None:
        colour, _ = self._theme.party(self._layout.parties[arrow.start].role)
        dash = "6 4" if arrow.kind == "control" else ""
        tail, ahead = self._places[arrow.start], -1 if arrow.start < arrow.end else 1
        self._pen.line((tail, self._y), (self._places[arrow.end] + 11 * ahead, self._y), colour, 1.8, dash)
        for column in self._layout.receivers(arrow):
            tip, back = self._places[column] + ahead, self._places[column] + 11 * ahead
            self._pen.polygon([(tip, self._y), (back, self._y - 5), (back, self._y + 5)], colour)
        self._pen.circle((tail, self._y), 3, colour)

    def _details(self, arrow: Arrow, left: float, right: float) -> None:
        """Write the details, then the faults, on the side of the party that sent them."""
        room = right - left - 2 * _SIDE
        texts = [(detail.text, detail.step) for detail in arrow.details]
        widest = max([mono_width(text, _DETAIL) for text, _ in texts] + [0.0])
        at = left + _SIDE if arrow.start < arrow.end else right - _SIDE - min(room, widest)
        self._y += 3
        for (text, step), detail in zip(texts, arrow.details, strict=True):
            since, before = len(self._pen.elements), self._y + 4
            for number, piece in enumerate(_mono(text, room, _DETAIL, 4, indent=2)):
                self._y += _LEADING
                if not number:
                    self._badge(step)
                lead = len(piece) - len(piece.lstrip(" "))
                place = at + mono_width(" " * lead, _DETAIL)
                self._pen.text((place, self._y), piece[lead:], self._theme.soft, _DETAIL, mono=True)
            if detail.end > detail.start:
                size = (min(room, widest) + 12, self._y - before + 4)
                self._link(since, (at - 6, before), size, data_start=detail.start, data_end=detail.end)
        for fault in arrow.faults:
            colour = self._theme.level(fault.level)
            pieces = wrap(fault.text, room - 20, 4, size=lambda char: sans_width(char, _DETAIL))
            widest = max(sans_width(piece, _DETAIL) for piece in pieces) + 20
            at = left + _SIDE if arrow.start < arrow.end else right - _SIDE - min(room, widest)
            for number, piece in enumerate(pieces):
                self._y += _LEADING
                if not number:
                    _sign(self._pen, fault.level, at + 5, self._y - 4, self._theme)
                self._pen.text((at + 18, self._y), piece, colour, _DETAIL, bold=True)

    def _badge(self, step: str) -> None:
        if step:
            size, wide = 11.0 if len(step) < 3 else 9.0, 7.0 * max(len(step) - 3, 0)
            if wide:
                at, room = (_PAD, self._y - 4 - _BADGE), (2 * _BADGE + wide, 2 * _BADGE)
                self._pen.rect(at, room, self._theme.ink, radius=_BADGE)
            else:
                self._pen.circle((_PAD + _BADGE, self._y - 4), _BADGE, self._theme.ink)
            middle = (_PAD + _BADGE + wide / 2, self._y - 4 + size * 0.36)
            self._pen.text(middle, step, self._theme.ground, size, anchor="middle", bold=True)

    def _halo(self, x: float, words: str) -> None:
        """Clear the lifelines away behind words that cross them."""
        self._clear((x - 4, self._y - 12), (mono_width(words, _HEADLINE) + 8, 15))

    def _edges(self, start: int, end: int) -> tuple[float, float]:
        """Return from where to where the zone of these columns reaches."""
        return self._places[start] - 24, self._places[end] + 24

    def _clear(self, at: tuple[float, float], size: tuple[float, float]) -> None:
        """Paint over what is there with what lies behind it: a zone, where there is one, or the ground."""
        left, right = at[0], at[0] + size[0]
        reach = [self._edges(start, end) for start, end, _ in self._zones]
        if not any(low <= left and right <= high for low, high in reach):
            self._pen.rect(at, size, self._theme.ground)
        for low, high in reach:
            if (wide := min(right, high) - max(left, low)) > 0:
                self._pen.rect((max(left, low), at[1]), (wide, size[1]), self._theme.zone)

    def _between(self, row: Arrow | Band | Fold) -> tuple[float, float]:
        """Return the places of the lifelines between which a row's words stand."""
        low, high = self._layout.between(row)
        return self._places[low], self._places[high]

    def _words(self, text: str, row: Band | Fold, fill: str, above: float, *, bold: bool = False) -> None:
        """Write words in the middle between two lifelines, clear of any line behind them."""
        left, right = self._between(row)
        self._y += above
        for piece in wrap(text, right - left - 60, 4, size=lambda char: sans_width(char, _BAND)):
            wide = sans_width(piece, _BAND)
            middle = (left + right) / 2
            self._clear((middle - wide / 2 - 8, self._y - 2), (wide + 16, 20))
            self._y += 13
            self._pen.text((middle, self._y), piece, fill, _BAND, anchor="middle", bold=bold)
            self._y += 6
        self._y += above - 6

    def _seam(self, band: Band) -> None:
        """Draw the seam as a bar right across; what is below it lies in another zone."""
        left, right = self._between(band)
        left, right = left - (24 if not self._layout.star else -8), right + (24 if not self._layout.star else -8)
        lines = wrap(band.text, right - left - 24, 4, size=lambda char: sans_width(char, _BAND))
        high = 14 + 18 * len(lines)
        self._y += 12
        self._pen.rect((left, self._y), (right - left, high), self._theme.ink, radius=3)
        if not self._layout.star:  # there each client turns at a time of its own
            self._zones.append((band.start, band.end, self._y + high - 4))
        for number, piece in enumerate(lines):
            middle = ((left + right) / 2, self._y + 20 + 18 * number)
            self._pen.text(middle, piece, self._theme.ground, _BAND, anchor="middle", bold=True)
        self._y += high + 6

    def _end(self, band: Band) -> None:
        left, right = self._between(band)
        self._y += 12
        self._pen.line((left, self._y + 11), (right, self._y + 11), self._theme.line, 1.2)
        self._words(band.text, band, self._theme.soft, 2)
        self._y += 10


def _sign(pen: Pen, level: str, x: float, y: float, theme: Theme) -> None:
    """Draw the sign of a level: a cross for a MUST, a triangle for a SHOULD, an "i" on a disc for a note."""
    colour = theme.level(level)
    if level == "note":
        pen.circle((x, y), 5.5, colour)
        pen.text((x, y + 3), "i", theme.ground, 9, anchor="middle", bold=True)
    elif level == "should":
        pen.polygon([(x, y - 4.5), (x + 5, y + 4), (x - 5, y + 4)], theme.ground, colour, 1.8)
    else:
        for slope in (1, -1):
            pen.line((x - 4, y - 4 * slope), (x + 4, y + 4 * slope), colour, 2)


def sign(level: str) -> str:
    """Return the sign of a level as a small SVG document that paints its own background."""
    pen = Pen()
    pen.rect((0, 0), (16, 16), LIGHT.ground, radius=3)
    _sign(pen, level, 8, 8, LIGHT)
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16">{"".join(pen.elements)}</svg>'


def _mono(text: str, room: float, size: float, most: int, indent: int = 0) -> list[str]:
    unit = mono_width("x", size)
    return wrap(text, int(room / unit), most, indent, size=columns)
