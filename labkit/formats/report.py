"""A dissection, and what the check found, as plain data for `--json`: the schemas are versioned."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from labkit.dissection import Dissection, FramesPart, HeadPart, HopView, Http2Part
from labkit.rules import Finding
from labkit.trace import Direction
from labkit.wire.http1 import RequestHead, ResponseHead
from labkit.wire.http2 import PREFACE_TYPE
from labkit.wire.upgrade import accept_key
from labkit.wire.websocket import CLOSE

__all__ = ["FINDINGS_SCHEMA", "SCHEMA", "report", "report_findings"]

SCHEMA = 1
FINDINGS_SCHEMA = 1


def report(dissection: Dissection) -> dict[str, Any]:
    """Return a dissection as JSON-ready data.

    Per hop: the exchanges with their heads and outcome, whether the Accept is right, the offset of the
    first byte after HTTP per direction, the frames (payload unmasked, in base64), the frames of HTTP/2 with
    their field lines, how it ended, and every fault with its direction and offset.
    """
    trace = dissection.trace
    return {
        "labkit": "dissection",
        "schema": SCHEMA,
        "outcome": dissection.outcome,
        "hops": [
            {"client": trace.hops[view.hop].client, "server": trace.hops[view.hop].server, **_hop(view)}
            for view in dissection.hops
        ],
    }


def report_findings(findings: Iterable[Finding], checked: int, outcome: str) -> dict[str, Any]:
    """Return findings and notes as JSON-ready data.

    Args:
        findings: what was found, with the notes, in order; offsets count in one direction of one hop.
        checked: how many rules were checked.
        outcome: how the exchange ended, in a few words.
    """
    return {
        "labkit": "findings",
        "schema": FINDINGS_SCHEMA,
        "outcome": outcome,
        "checked": checked,
        "findings": [
            {
                "rule": finding.rule.id,
                "level": str(finding.rule.level),
                "clause": finding.rule.clause,
                "switch": finding.rule.switch,
                "party": finding.party,
                "hop": finding.hop,
                "direction": f"to {finding.direction}",
                "start": finding.start,
                "end": finding.end,
                "seen": finding.seen,
                "asks": finding.rule.text,
                "mend": finding.rule.mend,
                "note": finding.note,
                "more": finding.more,
            }
            for finding in findings
        ],
    }


def _hop(view: HopView) -> dict[str, Any]:
    return {
        "bytes": {f"to {way}": len(view.data[way]) for way in Direction},
        "exchanges": [
            {
                "outcome": exchange.outcome,
                "offer": list(exchange.offer),
                "status": exchange.status,
                "request": _head(exchange.request),
                "interim": [_head(part) for part in exchange.interim],
                "answer": _head(exchange.answer),
                "accept": _accept(exchange.request, exchange.answer),
            }
            for exchange in view.exchanges
        ],
        "protocol": view.protocol or None,
        "seam": {f"to {way}": offset for way, offset in view.seam.items()} or None,
        "frames": [frame for way in Direction for frame in _frames(view.frames(way))],
        "http2": [frame for way in Direction for frame in _http2(view.http2(way))],
        "ends": {f"to {way}": str(how) for way, how in view.ends.items()},
        "missing": {f"to {way}": length for way, length in view.missing.items()},
        "faults": [
            {"to": str(way), "offset": span.start, "fault": span.fault}
            for way in Direction
            for part in view.spans(way)
            for span in part.walk()
            if span.fault
        ],
    }


def _head(part: HeadPart | None) -> dict[str, Any] | None:
    if part is None or part.value is None:
        return None
    fields = [[name, value] for name, value in part.value.fields]
    return {"start_line": part.value.start_line, "fields": fields, "start": part.start, "end": part.end}


def _accept(request: HeadPart | None, answer: HeadPart | None) -> str | None:
    asked = request.value if request else None
    given = answer.value if answer else None
    if not isinstance(asked, RequestHead) or not isinstance(given, ResponseHead) or given.status != 101:
        return None
    key, accept = asked.fields.get("Sec-WebSocket-Key"), given.fields.get("Sec-WebSocket-Accept")
    if accept is None:
        return "absent"
    return "right" if key is not None and accept == accept_key(key) else "wrong"


def _frames(part: FramesPart | None) -> list[dict[str, Any]]:
    if part is None:
        return []
    rows = []
    for place, frame in enumerate(part.frames):
        payload = part.payload(place)
        inflated = part.inflated.get(place)
        code = int.from_bytes(payload[:2], "big") if frame.opcode == CLOSE and len(payload) > 1 else None
        rows.append(
            {
                "to": str(part.direction),
                "start": frame.start,
                "end": frame.end,
                "fin": frame.fin,
                "rsv": frame.rsv,
                "opcode": frame.opcode,
                "masked": frame.masked,
                "masking_key": frame.masking_key(part.data).hex() if frame.masked else None,
                "length": frame.declared,
                "whole": frame.whole,
                "payload": base64.b64encode(payload).decode("ascii"),
                "inflated": base64.b64encode(inflated).decode("ascii") if isinstance(inflated, bytes) else None,
                "close_code": code,
            }
        )
    return rows


def _http2(part: Http2Part | None) -> list[dict[str, Any]]:
    """Return the frames of HTTP/2; a head's field lines stand at the frame that begins it."""
    if part is None:
        return []
    rows = []
    for place, frame in enumerate(part.frames):
        if frame.type == PREFACE_TYPE:
            continue
        block = part.blocks.get(place)
        begins = block is not None and block.fragments[0].place == place
        rows.append(
            {
                "to": str(part.direction),
                "start": frame.start,
                "end": frame.end,
                "type": frame.type,
                "name": frame.name,
                "flags": frame.flags,
                "stream": frame.stream,
                "length": frame.declared,
                "whole": frame.whole,
                "says": part.name(place),
                "fields": [list(pair) for pair in block.fields] if block and begins else None,
                "payload": base64.b64encode(part.payload(place)).decode("ascii"),
            }
        )
    return rows
