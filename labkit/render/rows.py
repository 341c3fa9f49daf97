"""From a dissection to the layout of its diagram: every message an arrow, every statement a band."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from labkit.dissection import ContentPart, Dissection, Exchange, Framed, HeadPart, HopView, OpaquePart, Span
from labkit.dissection.pairing import pairs
from labkit.dissection.websocket import shown
from labkit.render.fold import Folded, fold
from labkit.render.frames import frame_arrow
from labkit.render.headline import after, description, ends, headline, missing, seam_text
from labkit.render.heads import field_details
from labkit.render.layout import (
    MOST_HOPS,
    Arrow,
    Band,
    Detail,
    Fold,
    Layout,
    Pipe,
    Row,
    columns_of,
    is_star,
    letter,
    listed,
    names_of,
    step_name,
)  # fmt: skip
from labkit.render.marks import Mark, Marks, told
from labkit.render.measure import clean
from labkit.render.messages import Kind, Message
from labkit.render.order import ordered
from labkit.render.star import Star
from labkit.render.tunnel import Tunnels
from labkit.trace import Direction
from labkit.wire.fields import Fields

if TYPE_CHECKING:
    from labkit.rules import Finding, Findings

__all__ = ["Drawn", "draw", "lay_out"]

_MOST_FAULTS = 3
_MOST_LINES = 1000
_LARGE = 1 << 16  # bytes of content that are not searched for faults any more
_MOST_NOTE = 400  # characters
_MOST_CONTENT = 160  # characters of the first line of content


class Drawn(NamedTuple):
    """A message in the diagram: in which row it is drawn, or counted, and its headline."""

    row: int
    message: Message
    headline: str


def lay_out(dissection: Dissection, findings: Findings | None = None) -> Layout:
    """Return the sequence diagram of a dissected trace, as parties and rows.

    Args:
        dissection: what crossed, taken apart.
        findings: what the check found, to be marked on the messages; None where nothing was checked.
    """
    return draw(dissection, findings)[0]


def draw(dissection: Dissection, findings: Findings | None = None) -> tuple[Layout, tuple[Drawn, ...]]:
    """Return the sequence diagram of a dissected trace, and beside it every message that its rows stand for."""
    trace = dissection.trace
    star = is_star(names_of(trace))
    parties, places = columns_of(names_of(trace))
    places = places[:MOST_HOPS]
    parties = parties[: max((max(pair) for pair in places), default=len(parties) - 1) + 1]
    marks = Marks((*findings, *findings.notes) if findings is not None else ())
    tunnels = Star(dissection) if star else Tunnels(dissection, places, parties)
    drawing = _Drawing(dissection, places, _numbered(dissection), marks, tunnels, star)
    found = tunnels.join(ordered(dissection))
    for entry in fold([message for message in found if message.hop < MOST_HOPS], drawing.marked):
        drawing.add(entry)
    drawing.close([message for message in found if message.hop >= MOST_HOPS], findings or ())
    title = headline(dissection)
    if trace.title:
        title = f"{clean(trace.title, 80)} — {title[0].lower()}{title[1:]}"
    words = description(dissection, tunnels.told(found))
    words = words if findings is None else f"{words} {_judged(findings)}"
    note = clean(trace.note, _MOST_NOTE)
    return Layout(title, words, parties, tuple(drawing.rows), note, drawing.pipes(), star), tuple(drawing.drawn)


def _numbered(dissection: Dissection) -> list[set[int]]:
    """Return, hop by hop, the exchanges that carry steps: those that offer an upgrade, and what became of them."""
    found = [
        {place for place, exchange in enumerate(view.exchanges) if exchange.offer or exchange.switched}
        for view in dissection.hops
    ]
    for near, asked, far, went in pairs(dissection):  # the nearer hops first
        if asked in found[near]:
            found[far].add(went)
    return found


@dataclass
class _Drawing:
    """Rows as they are made, one entry after the other."""

    dissection: Dissection
    places: list[tuple[int, int]]
    numbered: list[set[int]]
    marks: Marks
    tunnels: Tunnels | Star
    star: bool
    rows: list[Row] = field(default_factory=list)
    drawn: list[Drawn] = field(default_factory=list)
    _seams: list[int] = field(default_factory=list)
    _turned: dict[int, int] = field(default_factory=dict)  # in which row a hop turned
    _ended: dict[int, int] = field(default_factory=dict)  # which row is the last of a hop
    _told: set[Finding] = field(default_factory=set)
    _last: Message | None = None
    _heads: dict[Kind, tuple[int, Fields]] = field(default_factory=dict)  # of a star: drawn whole, on which hop
    _short: set[int] = field(default_factory=set)  # the hops whose 101 is drawn short

    def add(self, entry: Message | Folded) -> None:
        """Draw one message, or count some."""
        if isinstance(entry, Folded):
            turning = [message.hop for message in entry.messages if self._turns(message)]
            self._flush()
            self.rows.append(self._fold(entry))
            row = len(self.rows) - 1
            self.drawn += [Drawn(row, each, self._body(each).headline) for each in entry.messages]
            self._ended |= {hop: len(self.rows) - 1 for message in entry.messages for hop in message.hops}
            self._seams += turning
            self._last = None
            return
        if entry.kind is Kind.CONTENT and self._goes_on(entry):
            head = self.rows[-1]
            assert isinstance(head, Arrow)
            faults = head.faults + self._faults(entry)
            content = _content(entry)
            self.rows[-1] = replace(head, details=head.details + content.details, faults=faults)
            self.drawn.append(Drawn(len(self.rows) - 1, entry, content.headline))
            return
        if entry.kind is not Kind.ANSWER:
            self._flush()
        self.rows.append(arrow := self._arrow(entry))
        self.drawn.append(Drawn(len(self.rows) - 1, entry, arrow.headline))
        self._ended |= dict.fromkeys(entry.hops, len(self.rows) - 1)
        self._last = entry
        if self._turns(entry):
            self._seams.append(entry.hop)

    def marked(self, message: Message) -> bool:
        """Tell whether a finding is to be marked on a message."""
        return any(self._found(each) for each in message.everywhere) if message.copies else bool(self._found(message))

    def close(self, left: list[Message], findings: Iterable[Finding]) -> None:
        """Say what was not reached or not drawn, what is missing and how the connections ended.

        Args:
            left: the messages of the hops that are not drawn.
            findings: all there are; those on messages that are not drawn are counted.
        """
        self._flush()
        whole = (0, max((max(pair) for pair in self.places), default=0))
        for view in self.dissection.hops if self.star else self.dissection.hops[:1]:
            self._stop(view, whole)
        if more := len(self.dissection.hops) - len(self.places):
            self.rows.append(Band(_not_drawn(more, left), "missing", *whole))
        if loose := [finding.rule.id for finding in findings if finding not in self._told]:
            ids = ", ".join(dict.fromkeys(loose))
            self.rows.append(Band(f"{_count(len(loose), 'more finding')} on what is not drawn: {ids}", "stop", *whole))
        for hop, text in missing(self.dissection):
            if hop < len(self.places):
                self.rows.append(Band(self._on([hop], text), "missing", *whole))
        ended: dict[str, list[int]] = {}
        for hop in range(len(self.places)):
            ended.setdefault(ends(self.dissection, hop), []).append(hop)
        ended.pop("", None)
        self.rows += [Band(self._on(hops, text), "end", *whole) for text, hops in ended.items()]

    def pipes(self) -> tuple[Pipe, ...]:
        """Return where proxies are tunnels."""
        return self.tunnels.pipes(self._turned, self._ended)

    def _on(self, hops: list[int], text: str) -> str:
        if self.star:
            return f"{listed(clean(self.dissection.trace.hops[hop].client, 40) for hop in hops)}: {text}"
        return text if len(self.places) == 1 else f"{_these(hops)}: {text}"

    def _stop(self, view: HopView, whole: tuple[int, int]) -> None:
        exchange = view.exchange
        if exchange is None or exchange.switched or not exchange.offer:
            return
        alone = not any(other.seam for other in self.dissection.hops)
        names = "4 and 5" if alone and not self.star else f"{self._step(4, view.hop)} and {self._step(5, view.hop)}"
        why = "" if exchange.status else "no answer came: "
        self.rows.append(Band(f"{why}steps {names} were not reached", "stop", *whole))

    def _found(self, message: Message) -> list[Finding]:
        return self.marks.at(message.hop, message.direction, message.start, message.end)

    def _faults(self, message: Message) -> tuple[Mark, ...]:
        """Return what is wrong with a message, on whichever hop, each once."""
        faults = self._faults_of(message)
        if not message.copies:
            return faults
        known = dict.fromkeys(faults, "")
        told = {Mark(span.fault) for span in _spans(message, self.dissection.hops[message.hop])}
        for copy in message.copies:
            more = [mark for mark in self._faults_of(copy) if mark not in known and mark not in told]
            known |= dict.fromkeys(more, f", on hop {letter(copy.hop)}")
        found = [replace(mark, text=mark.text + on) for mark, on in known.items()]
        return tuple(sorted(found, key=lambda mark: mark.level == "note"))

    def _faults_of(self, message: Message) -> tuple[Mark, ...]:
        found = self._found(message)
        self._told.update(found)
        spans = _spans(message, self.dissection.hops[message.hop])
        return self.marks.on(message.hop, message.direction, found, spans)

    def _turns(self, message: Message) -> bool:
        view = self.dissection.hops[message.hop]
        return bool(view.seam) and message.kind is Kind.ANSWER and message.exchange == len(view.exchanges) - 1

    def _flush(self) -> None:
        """Draw the seam of every hop that has turned; one band where neighbours turned to the same."""
        bands: list[Band] = []
        for hop in sorted(self._seams):
            text = seam_text(self.dissection.hops[hop])
            start, end = sorted(self.places[hop])
            if self.star:
                http, name = after(self.dissection.hops[hop])
                text = f"from here on {clean(self.dissection.trace.hops[hop].client, 40)} speaks {name}, not {http}"
            if hop in self._short:  # its 101 says it
                continue
            if bands and bands[-1].text == text and bands[-1].end == start:
                bands[-1] = replace(bands[-1], end=end)
            else:
                bands.append(Band(text, "seam", start, end))
            self._turned[hop] = len(self.rows) + len(bands) - 1
        self.rows += bands
        self._seams = []

    def _goes_on(self, message: Message) -> bool:
        last = self._last
        return bool(
            last and last.exchange == message.exchange and last.hop == message.hop
            and last.direction is message.direction and last.kind in (Kind.REQUEST, Kind.ANSWER)
        )  # fmt: skip

    def _columns(self, message: Message) -> tuple[int, int]:
        if self.star and message.copies:
            return self.places[message.hop][1], min(self.places[each.hop][0] for each in message.everywhere)
        first, last = message.hops[0], message.hops[-1]
        client, server = self.places[first][0], self.places[last][1]
        return (client, server) if message.direction is Direction.TO_SERVER else (server, client)

    def _step(self, number: int, hop: int) -> str:
        return step_name(number, hop, len(self.places))

    def _fold(self, folded: Folded) -> Fold:
        def arrow(message: Message) -> str:
            start, end = self._columns(message)
            return "→" if start < end else "←"

        hops = {hop for message in folded.messages for hop in message.hops}
        places = [place for hop in hops for place in self.places[hop]]
        return Fold(folded.text(arrow, self.tunnels.way), min(places), max(places))

    def _body(self, message: Message) -> Arrow:
        part, view = message.part, self.dissection.hops[message.hop]
        if isinstance(part, HeadPart):
            return self._head(message, part, view)
        if isinstance(part, ContentPart):
            return replace(_content(message), details=())  # the headline says it
        if isinstance(part, Framed):
            return frame_arrow(part, message.place)
        return _other(message, part, view)

    def _arrow(self, message: Message) -> Arrow:
        view, body = self.dissection.hops[message.hop], self._body(message)
        step = body.step
        if view.seam and message.start >= view.seam[message.direction]:
            step = self.tunnels.step(4 if message.direction is Direction.TO_SERVER else 5, message)
        start, end = self._columns(message)
        faults = self._faults(message)
        if len(faults) > _MOST_FAULTS:
            more = f"and {len(faults) - _MOST_FAULTS} more"
            faults = (*faults[:_MOST_FAULTS], Mark(more, faults[_MOST_FAULTS].level))
        through = self.tunnels.columns(message)
        also = tuple(self.places[each.hop][0] for each in message.copies) if self.star else ()
        also = tuple(column for column in (self.places[message.hop][0], *also) if column != end) if also else ()
        return replace(body, step=step, start=start, end=end, faults=faults, through=through, also=also)

    def _head(self, message: Message, part: HeadPart, view: HopView) -> Arrow:
        numbered = message.exchange in self.numbered[message.hop]
        exchange = view.exchanges[message.exchange] if message.exchange >= 0 else Exchange(None)
        headline = clean(part.name.rstrip())
        if part.value is None:
            headline = f"{part.name}: {shown(view.data[message.direction][part.start : part.end])}"
        offers = message.kind is Kind.REQUEST and bool(exchange.offer)
        two = self._step(2, message.hop) if offers and numbered else ""
        places = [(line.start, line.end) for line in part.head.lines if line.name]
        details = field_details(part.value.fields.lines if part.value else (), two, places)
        if numbered and message.kind is Kind.REQUEST and not exchange.offer and message.hop:
            details = (Detail("(no Upgrade field was passed on)"), *details)
        if self.star and part.value is not None:
            details = self._shortened(message, part.value.fields, details, two)
        number = {Kind.REQUEST: 1, Kind.ANSWER: 3}.get(message.kind) if numbered else None
        return Arrow(self._step(number, message.hop) if number else "", 0, 0, headline, details)

    def _shortened(self, message: Message, fields: Fields, details: tuple[Detail, ...], two: str) -> tuple[Detail, ...]:
        """Return the details of a head, short where another client's had the same field lines."""
        hop, first = self._heads.setdefault(message.kind, (message.hop, fields))
        if hop == message.hop or fields != first or not fields.lines:
            return details
        name = clean(self.dissection.trace.hops[hop].client, 40)
        if not self._turns(message):
            return (Detail(f"field lines as for {name}", two),)
        self._short.add(message.hop)
        return (Detail(f"as for {name}; from here on: {after(self.dissection.hops[message.hop])[1]}"),)


def _spans(message: Message, view: HopView) -> Iterator[Span]:
    """Yield the spans of a message that may hold a fault."""
    part = message.part
    if isinstance(part, Framed):
        yield from part.frame_span(message.place).walk()
    elif isinstance(part, HeadPart):
        if len(part.head.lines) > _MOST_LINES:  # of such a head only the grammar's faults are told
            pieces = [piece for line in part.head.lines for piece in line.pieces]
            yield from (Span(piece.start, piece.end, "", fault=str(piece.fault or "")) for piece in pieces)
        else:
            yield from part.span().walk()
        exchange = view.exchanges[message.exchange] if message.exchange >= 0 else Exchange(None)
        content = exchange.content if message.kind is Kind.REQUEST else exchange.answer_content
        if content and content.start == content.end:  # announced, and never came
            yield from content.span().walk()
    elif isinstance(part, OpaquePart) or part.end - part.start < _LARGE:
        yield from part.span().walk()


def _judged(findings: Findings) -> str:
    """Say for the description what the check found."""
    notes = f" and gives {_count(len(findings.notes), 'note')}" if findings.notes else ""
    if not findings:
        return f"The check finds nothing broken{notes}."
    return f"The check finds {_count(len(findings), 'fault')}{notes}; the first is {told(findings[0])}."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _these(hops: list[int]) -> str:
    """Name hops: "hop a", "hops a and b"."""
    return f"hop{'s' if len(hops) > 1 else ''} {' and '.join(map(letter, hops))}"


def _not_drawn(hops: int, left: list[Message]) -> str:
    """Say what the hops that are not drawn hold: "3 more hops are not drawn: 12 messages, 345 bytes"."""
    size = sum(message.end - message.start for message in left)
    what = f"{len(left):,} message{'' if len(left) == 1 else 's'}, {size:,} byte{'' if size == 1 else 's'}"
    return f"{hops:,} more hop{' is' if hops == 1 else 's are'} not drawn (a limit of the lab): {what}"


def _content(message: Message) -> Arrow:
    part = message.part
    assert isinstance(part, ContentPart)
    size = part.end - part.start
    data = part.data[part.start : part.end]
    if part.framing == "chunked":
        head = replace(part, end=min(part.end, part.start + 512)).span()  # enough for the first line
        chunks = [part.data[leaf.start : leaf.end] for leaf in head.leaves() if leaf.label == "chunk-data"]
        data = b"".join(chunks)
    line = shown(data.lstrip().split(b"\n", 1)[0].rstrip(), _MOST_CONTENT)
    way = ", in chunks" if part.framing == "chunked" else ""
    line = line if line.startswith('"') else shown(data)
    text = f"content, {size:,} byte{'' if size == 1 else 's'}{way}: {line}"
    return Arrow("", 0, 0, text, (Detail(text, "", part.start, part.end),))


def _other(message: Message, part: OpaquePart, view: HopView) -> Arrow:
    data = view.data[message.direction][message.start : message.end]
    size = f"{len(data):,} byte{'' if len(data) == 1 else 's'}"
    whole = (message.start, message.end) == (part.start, part.end)
    seam = bool(view.seam) and message.start >= view.seam[message.direction]
    if part.inside and whole:
        return Arrow("", 0, 0, clean(f"{part.label}, {size}{_in_record(part, data)}"), (), "data")
    label = f"{part.label}, {size}: " if not seam else f"{size}: " if whole and not data.endswith(b"\n") else ""
    return Arrow("", 0, 0, f"{label}{shown(data)}", (), "data" if seam else "http")


def _in_record(part: OpaquePart, data: bytes) -> str:
    """Return what a record carries in the clear, to stand behind its name; "" where that is nothing."""
    last = part.inside[-1]
    return f": {shown(data[last.start - part.start :])}" if last.label == "bytes" else ""
