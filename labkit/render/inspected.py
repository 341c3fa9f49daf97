"""A trace as one JSON document: all that an inspector shows, linked byte by byte.

    svg        the sequence diagram; its rows and field lines say which bytes they are
    parties    who stands in its columns
    steps      the messages in the order of cause: bytes, pieces with their meanings, and how every party stands
    findings   what the check found, each with its bytes
    edits      the bytes that were replaced

Places are [hop, way, start, end], the way "server" or "client". The document is bounded; what it leaves
out is said in `left`. It shows what it is given: mask the secrets before, so that no edit can unmask one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from labkit.dissection import Bits, Framed, HeadPart, Span, dissect
from labkit.render.edits import Edits, edited, told_edits
from labkit.render.explain import bit_patterns
from labkit.render.headline import ends
from labkit.render.layout import Arrow, Band, Layout, listed
from labkit.render.measure import clean
from labkit.render.messages import Message
from labkit.render.rows import Drawn, draw
from labkit.render.standing import Standing, Unread, standings
from labkit.render.svg import live_svg
from labkit.render.verdict import Verdict, judged
from labkit.rules import Finding
from labkit.trace import Trace

__all__ = ["MOST_STEPS", "changed", "inspected"]

MOST_STEPS = 250
"""The most messages that can be stepped through."""
_MOST_SHOWN = 1024  # bytes of one message
_MOST_PIECES = 300  # of one message
_MOST_PIECES_OF_ALL = 4000
_MOST_FINDINGS = 40

Json = dict[str, Any]


def inspected(trace: Trace, edits: Edits | None = None) -> Json:
    r"""Return what an inspector shows of a trace, as JSON can hold it.

    Args:
        trace: what crossed; its secrets are shown as they are.
        edits: bytes to be replaced before; see `labkit.render.edits.edited`.

    Raises:
        WrongUse: an edit is of a byte that is not there.

    >>> from labkit.trace import Direction, Transfer
    >>> document = inspected(Trace((Transfer(0, Direction.TO_SERVER, b"GET / HTTP/1.1\r\n\r\n"),)))
    >>> document["steps"][0]["name"], document["steps"][0]["at"]
    ('GET / HTTP/1.1', [[0, 'server', 0, 18]])
    """
    now = edited(trace, edits or {})
    dissection = dissect(now)
    verdict = judged(dissection)
    layout, drawn = draw(dissection, verdict)
    told = tuple(ends(dissection, hop) for hop in range(len(now.hops)))
    chosen = drawn[:MOST_STEPS]
    ended = any(told) and len(chosen) == len(drawn)
    standing = standings(dissection, [each.message for each in chosen], ended=ended)
    pieces = _Pieces(now)
    steps = [_step(layout, each, pieces, next(standing)) for each in chosen]
    if ended:
        steps.append(_end_step(layout, next(standing)))
    return {
        "title": layout.title,
        "summary": verdict.summary.removeprefix(f"{verdict.outcome}. "),
        "description": layout.description,
        "svg": live_svg(layout),
        "parties": [{"name": party.name, "role": party.role} for party in layout.parties],
        "steps": steps,
        "findings": [_finding(verdict, each) for each in (*verdict, *verdict.notes)[:_MOST_FINDINGS]],
        "left": _left(len(drawn) - len(chosen), pieces, len(verdict) + len(verdict.notes) - _MOST_FINDINGS),
        "edits": told_edits(trace, edits or {}),
    }


def changed(before: Json, now: Json) -> Json:
    """Return what is to be sent to a page that has a document already: what differs, and None for a step that is equal.

    >>> changed({"title": "a", "steps": [1, 2]}, {"title": "b", "steps": [1, 3]})
    {'title': 'b', 'steps': [None, 3]}
    """
    sent = {key: value for key, value in now.items() if key != "steps" and value != before.get(key)}
    old = before["steps"]
    same = [place < len(old) and step == old[place] for place, step in enumerate(now["steps"])]
    return {**sent, "steps": [None if each else step for each, step in zip(same, now["steps"], strict=True)]}


class _Pieces:
    """Takes messages apart, as many as there is room for."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.room = _MOST_PIECES_OF_ALL
        self.left = 0

    def of(self, spans: Sequence[Span]) -> list[Json]:
        """Return the pieces of a message as a tree; none where there is no room any more."""
        size = sum(len(span.parts) or 1 for span in spans)
        if size > min(self.room, _MOST_PIECES):
            self.left += 1
            return []
        self.room -= size
        return [_piece(span) for span in spans]


def _taken_apart(message: Message) -> Span:
    """Return a message as one span: a head's parts are its lines, a frame's its leaves."""
    part = message.part
    if isinstance(part, Framed):
        return part.frame_span(message.place)
    if isinstance(part, HeadPart):  # of a head without end no more lines are made than can be told
        return replace(part, head=replace(part.head, lines=part.head.lines[: _MOST_PIECES + 1])).span()
    span = part.span()
    if (message.start, message.end) == (part.start, part.end):
        return span
    return Span(message.start, message.end, span.label, span.meaning, span.clause, span.fault)


def _piece(span: Span) -> Json:
    found: Json = {"start": span.start, "end": span.end, "label": clean(span.label, 80)}
    for key, text in (("meaning", span.meaning), ("clause", span.clause), ("fault", span.fault)):
        if text:
            found[key] = clean(text)
    if span.bits:
        found["bits"] = [_bits(pattern, bits) for pattern, bits in bit_patterns(span.bits)]
    if span.parts:
        found["parts"] = [_piece(part) for part in span.parts]
    return found


def _bits(pattern: str, bits: Bits) -> Json:
    return {"name": bits.name, "pattern": pattern, "meaning": clean(bits.meaning)}


def _step(layout: Layout, drawn: Drawn, pieces: _Pieces, standing: Sequence[Standing]) -> Json:
    message, row = drawn.message, layout.rows[drawn.row]
    hop = pieces.trace.hops[message.hop]
    data = pieces.trace.stream(message.direction, message.hop)[message.start : message.end]
    hops = pieces.trace.hops
    told = [clean(hops[each.hop].client, 40) for each in message.copies if layout.star]
    told = [clean(hop.client, 40), *told] if told else []
    last = message.everywhere[-1]
    whole = _taken_apart(message)
    return {
        "row": drawn.row,
        "step": row.step if isinstance(row, Arrow) and row.headline == drawn.headline else "",
        "name": drawn.headline,
        "from": clean(hop.sender(message.direction), 40),
        "to": clean(hops[last.hop].receiver(message.direction), 40) if not told else listed(told),
        "through": layout.through(row) if isinstance(row, Arrow) else "",
        "at": [[each.hop, str(each.direction), each.start, each.end] for each in message.everywhere],
        "what": clean(whole.label, 80),
        "meaning": clean(whole.meaning),
        "clause": whole.clause,
        "fault": clean(whole.fault),
        "data": data[:_MOST_SHOWN].hex(),
        "size": len(data),
        "pieces": pieces.of(whole.parts or (whole,)),
        "parties": _standing(layout, standing),
    }


def _end_step(layout: Layout, standing: Sequence[Standing]) -> Json:
    rows = [number for number, row in enumerate(layout.rows) if isinstance(row, Band) and row.kind == "end"]
    row = rows[0] if rows else len(layout.rows) - 1
    texts = [band.text for band in layout.rows if isinstance(band, Band) and band.kind == "end"]
    return {
        "row": row, "step": "", "name": "; ".join(texts), "from": "", "to": "", "through": "", "at": [],
        "what": "the end of the connection", "meaning": "; ".join(texts), "clause": "", "fault": "", "data": "",
        "size": 0, "pieces": [], "parties": _standing(layout, standing),
    }  # fmt: skip


def _standing(layout: Layout, standing: Sequence[Standing]) -> list[Json]:
    return [
        {"state": each.state, "unread": [_unread(some) for some in each.unread]}
        for each in standing[: len(layout.parties)]
    ]  # fmt: skip


def _unread(some: Unread) -> Json:
    return {"at": [some.hop, str(some.direction), some.start, some.end], "why": some.why}


def _finding(verdict: Verdict, finding: Finding) -> Json:
    told = verdict.told(finding)
    return {
        "level": told.level, "word": told.word, "rule": told.rule, "party": told.party, "seen": told.seen,
        "where": f"{told.way}, {told.bytes}", "asks": told.asks, "mend": told.mend,
        "at": [finding.hop, str(finding.direction), finding.start, finding.end],
    }  # fmt: skip


def _left(steps: int, pieces: _Pieces, findings: int) -> str:
    """Say what the document leaves out."""
    told = []
    if steps:
        told.append(f"{steps:,} more messages cannot be stepped through: {MOST_STEPS} can")
    if pieces.left:
        which = (
            f"{pieces.left:,} messages, of too many pieces, are"
            if pieces.left > 1
            else "1 message of too many pieces is"
        )
        told.append(f"{which} not taken apart")
    if findings > 0:
        told.append(f"{findings:,} more findings and notes are not told")
    return "; ".join(told)
