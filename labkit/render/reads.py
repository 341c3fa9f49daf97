"""How the reads of an answer fall, drawn: one cut with every byte near the seam, or all cuts in a strip.

A byte that reached the reader of frames stands in a box; one that was lost is an empty box with a cross.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from labkit.dissection import dissect
from labkit.reads import Kind, Reading, Seam
from labkit.render.frames import frame_arrow
from labkit.render.html import table
from labkit.render.measure import clean
from labkit.render.pen import Pen, escape
from labkit.render.theme import DARK, LIGHT, Theme, sans_width
from labkit.trace import Direction

__all__ = ["Picture", "one_cut", "outcome", "strip", "tally"]

_BOX = 30  # pixels of a byte
_BEFORE = 8  # bytes of the head that are drawn
_MOST_BEHIND = 14  # bytes of the frame that are drawn
_LEFT, _TOP, _ROW = 140, 74, 62
_WIDTH = 800  # pixels of one cut at least: while a slider moves, the picture keeps its size
_STRIP = 640  # pixels of a strip of all cuts
_LONGEST_NAME = 18

_SIGN = {Kind.ALL: "✓", Kind.LOST: "✗", Kind.TORN: "≠", Kind.WRONG: "≠", Kind.FAILED: "!"}
_WORD = {
    Kind.ALL: "the frame arrives",
    Kind.LOST: "the frame is lost",
    Kind.TORN: "begins inside the frame",
    Kind.WRONG: "other bytes arrive",
    Kind.FAILED: "the reader fails",
}

Readings = Mapping[str, Sequence[Reading]]


@dataclass(frozen=True)
class Picture:
    """A drawing with what it says: SVG light or dark, the same in words, and as a table."""

    light: str
    dark: str
    words: str
    rows: tuple[tuple[str, ...], ...]
    names: tuple[str, ...]

    def image(self, *, dark: bool = False) -> str:
        """Return it as an image that a notebook shows without trust."""
        data = base64.b64encode((self.dark if dark else self.light).encode()).decode("ascii")
        return f'<img alt="{escape(self.words)}" src="data:image/svg+xml;base64,{data}">'

    def html(self) -> str:
        """Return the image, and the same as a table."""
        below = table(self.names, self.rows)
        return f"{self.image()}\n<details><summary>The same as a table</summary>\n{below}</details>\n"

    def text(self) -> str:
        """Return it in words."""
        rows = [self.names, *self.rows]
        widths = [max(len(row[column]) for row in rows) for column in range(len(self.names))]
        lines = ["  ".join(cell.ljust(wide) for cell, wide in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([self.words, "", *lines])


def outcome(seam: Seam, reading: Reading) -> str:
    r"""Return in words what became of the frame, and what the reader of frames sees in what it was given.

    >>> from labkit.reads import naive
    >>> seam = Seam(b"HTTP/1.1 101 \r\n\r\n\x81\x02Hi", 17)
    >>> outcome(seam, seam.read(naive, 17)), outcome(seam, seam.read(naive, 21))
    ('the frame arrives: text "Hi"', 'the frame is lost: 4 bytes')
    """
    word = _WORD[reading.kind]
    if reading.kind is Kind.FAILED:
        return f"{word}: {clean(reading.problem, 80)}"
    if reading.kind is Kind.LOST:
        return f"{word}: {len(seam.frame)} bytes"
    return f"{word}: {_first_frame(seam, reading.given)}"


def _first_frame(seam: Seam, given: bytes) -> str:
    part = dissect(seam.understood(given)).hops[0].frames(Direction.TO_CLIENT)
    if part is None or not part.frames:
        return given[:8].hex(" ")
    if not part.frames[0].whole:
        return f"{given[:2].hex(' ')} announces more than comes: it waits"
    return clean(frame_arrow(part, 0).headline, 60)


def tally(readings: Sequence[Reading]) -> str:
    """Return in words how often what became of the frame.

    >>> tally([Reading(Kind.ALL, b"x"), Reading(Kind.LOST), Reading(Kind.LOST)])
    '✓ 1 of 3: the frame arrives; ✗ 2: the frame is lost'
    """
    counts = Counter(reading.kind for reading in readings)
    found = [kind for kind in Kind if counts[kind] and kind is not Kind.ALL]
    first = f"{_SIGN[Kind.ALL]} {counts[Kind.ALL]} of {len(readings)}: {_WORD[Kind.ALL]}"
    return "; ".join([first, *(f"{_SIGN[kind]} {counts[kind]}: {_WORD[kind]}" for kind in found)])


# one cut


def one_cut(seam: Seam, place: int, read: Mapping[str, Reading]) -> Picture:
    """Draw the bytes near the seam, cut at a place, and below them what each reader hands on."""
    told = {_name(name): outcome(seam, reading) for name, reading in read.items()}
    reads = seam.cut(place)
    sizes = " and ".join(f"{len(part)}" for part in reads)
    came = f"{sizes} bytes" if len(reads) > 1 else f"all {len(reads[0])} bytes in one read"
    words = f"Reads of {came}; the seam is at {seam.at}. " + "; ".join(f"{name}: {what}" for name, what in told.items())
    light, dark = (_OneCut(seam, place, read, theme).svg() for theme in (LIGHT, DARK))
    return Picture(light, dark, words, tuple(told.items()), ("reader", "what becomes of the frame"))


def _name(name: str) -> str:
    return clean(name, _LONGEST_NAME)


class _OneCut:
    """The drawing of one cut."""

    def __init__(self, seam: Seam, place: int, read: Mapping[str, Reading], theme: Theme) -> None:
        self._seam, self._place, self._read, self._theme = seam, place, read, theme
        self._first = max(0, seam.at - _BEFORE)
        self._last = min(len(seam.data), seam.at + _MOST_BEHIND)
        self._pen = Pen()
        self._left = max([_LEFT, *(int(sans_width(_name(name), 14)) + 30 for name in read)])

    def svg(self) -> str:
        """Return it."""
        tallest = _TOP + _ROW * (1 + len(self._read)) + 14
        end = self._x(self._last)
        widest = max(
            [end + 110, _WIDTH, *(self._start(each) + self._words_width(each) for each in self._read.values())]
        )
        self._pen.rect((0, 0), (widest, tallest), self._theme.ground)
        self._wire()
        for number, (name, reading) in enumerate(self._read.items(), 1):
            self._reader(_TOP + _ROW * number, name, reading)
        self._marks(tallest)
        return _document(self._pen, widest, tallest, "Where the reads fall")

    def _words_width(self, reading: Reading) -> float:
        return sans_width(outcome(self._seam, reading), 12) + 30

    def _start(self, reading: Reading) -> float:
        """Return where the words below a reader's bytes begin."""
        return self._left if reading.kind in (Kind.WRONG, Kind.FAILED) else self._x(self._seam.at) + 6

    def _x(self, byte: int) -> float:
        return self._left + (byte - self._first) * _BOX

    def _wire(self) -> None:
        self._pen.text((14, _TOP + 20), "on the wire", self._theme.ink, 14, bold=True)
        if self._first:
            self._pen.text((self._left - 8, _TOP + 20), "…", self._theme.soft, 14, anchor="end")
        for byte in range(self._first, self._last):
            self._box(byte, _TOP, self._seam.data[byte], kept=True)
        first, *second = (len(part) for part in self._seam.cut(self._place))
        words, more = f"first read, {first} bytes", "".join(f"second read, {size} bytes" for size in second)
        end = self._left + sans_width(words, 12) + 12 + sans_width(more, 12)
        self._pen.text((self._left, _TOP + 47), words, self._theme.client, 12)
        if second:
            self._pen.text((max(end, self._x(self._last)), _TOP + 47), more, self._theme.server, 12, anchor="end")

    def _box(self, byte: int, top: float, value: int, *, kept: bool) -> None:
        theme, first = self._theme, byte < self._place
        stroke, fill = theme.party("client" if first else "server")
        at = (self._x(byte) + 1.5, top)
        if kept:
            self._pen.rect(at, (_BOX - 3, 30), fill, stroke=stroke, radius=3, weight=1.4)
            self._pen.text((at[0] + 13.5, top + 20), f"{value:02x}", theme.ink, 13, anchor="middle", mono=True)
        else:
            self._pen.rect(at, (_BOX - 3, 30), theme.ground, stroke=theme.fault, radius=3, weight=1.2)
            self._pen.line((at[0] + 7, top + 9), (at[0] + 20, top + 22), theme.fault, 1.6)
            self._pen.line((at[0] + 20, top + 9), (at[0] + 7, top + 22), theme.fault, 1.6)

    def _reader(self, top: float, name: str, reading: Reading) -> None:
        theme = self._theme
        self._pen.text((14, top + 20), _name(name), theme.ink, 14, bold=True)
        lost = len(self._seam.frame) - len(reading.given)
        whole = reading.kind in (Kind.ALL, Kind.TORN, Kind.LOST)
        for byte in range(self._seam.at, self._last):
            kept = whole and byte - self._seam.at >= lost
            self._box(byte, top, self._seam.data[byte], kept=kept)
        colour = theme.server if reading.kind is Kind.ALL else theme.fault
        said = f"{_SIGN[reading.kind]} {outcome(self._seam, reading)}"
        self._pen.text((self._start(reading), top + 47), said, colour, 12, bold=True)

    def _marks(self, tallest: float) -> None:
        theme, seam = self._theme, self._x(self._seam.at)
        self._pen.line((seam, 36), (seam, tallest - 10), theme.ink, 1.2, "2 3")
        self._pen.text((seam - 8, 30), "HTTP", theme.soft, 12, anchor="end")
        self._pen.text((seam + 8, 30), "the new protocol", theme.soft, 12)
        place = min(max(self._place, self._first), self._last)
        x = self._x(place)
        if self._place >= len(self._seam.data):
            said = "all in one read"
        elif self._place < self._first:
            said = f"← the cut is {self._first - self._place} bytes further left"
        else:
            said = "the cut"
        self._pen.polygon([(x - 6, 52), (x + 6, 52), (x, 62)], theme.ink)
        self._pen.line((x, 60), (x, _TOP + 36), theme.ink, 2.4)
        right = self._place < self._first + 3 or self._seam.at < self._place < self._last
        anchor = "start" if right else "end"
        self._pen.text((x - 10 if anchor == "end" else x + 10, 58), said, theme.ink, 12, anchor=anchor, bold=True)


# all cuts


def strip(seam: Seam, every: Readings) -> Picture:
    """Draw for each reader what becomes of the frame at every place of the cut."""
    told = {_name(name): tally(readings) for name, readings in every.items()}
    words = f"The answer cut at each of {len(seam.places)} places. " + ". ".join(f"{n}: {t}" for n, t in told.items())
    light, dark = (_strip(seam, every, theme) for theme in (LIGHT, DARK))
    return Picture(light, dark, words, tuple(told.items()), ("reader", "at how many places of the cut"))


_HEIGHTS = {Kind.ALL: 30, Kind.LOST: 8, Kind.TORN: 18, Kind.WRONG: 18, Kind.FAILED: 8}


def _strip(seam: Seam, every: Readings, theme: Theme) -> str:
    pen = Pen()
    left = max([_LEFT, *(int(sans_width(_name(name), 14)) + 30 for name in every)])
    scale = max(3, _STRIP // len(seam.places))
    at = left + scale * seam.at - scale / 2
    tallest = 66 + _ROW * len(every)
    ends = [left + scale * len(seam.places), at + 8 + sans_width("in the frame; last: no cut", 12)]
    widest = max([*ends, *(left + sans_width(tally(readings), 12) for readings in every.values())]) + 20
    pen.rect((0, 0), (widest, tallest), theme.ground)
    pen.line((at, 34), (at, tallest - 12), theme.ink, 1.2, "2 3")
    pen.text((left, 22), f"cut in the head, places 1 to {seam.at - 1}", theme.soft, 12)
    pen.text((at + 8, 22), "in the frame; last: no cut", theme.soft, 12)
    pen.text((at - 6, 46), f"at the seam, {seam.at}", theme.ink, 12, anchor="end", bold=True)
    for number, (name, readings) in enumerate(every.items()):
        base = 66 + _ROW * number + 26
        pen.text((14, base - 6), _name(name), theme.ink, 14, bold=True)
        for kind, group in groupby(enumerate(readings), key=lambda entry: entry[1].kind):
            places = [place for place, _ in group]
            high = _HEIGHTS[kind]
            size = (scale * len(places) - (1 if len(places) > 1 else 0), high)
            pen.rect((left + scale * places[0], base - high), size, theme.server if kind is Kind.ALL else theme.fault)
        pen.text((left, base + 18), tally(readings), theme.ink, 12)
    return _document(pen, widest, tallest, "What becomes of the frame at every cut")


def _document(pen: Pen, width: float, height: float, title: str) -> str:
    inside = "".join(pen.elements)
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}><title>{escape(title)}</title>{inside}</svg>'
