"""What differs between a prediction and a run, marked with whose doing it is: a sign and a word for each row.

A real client adds lines of its own, draws its key and its masks anew, and may have nothing to say after the
switch; none of these speaks against a prediction.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from labkit.cases.outcome import CLOSING, GOT, SAID, SAW, Difference, Outcome
from labkit.wire.websocket import OPCODES, scan

__all__ = ["SIGNS", "Marked", "marked"]

SIGNS = {"differs": "≠", "left out": "−", "added": "+", "drawn anew": "∗"}
"""Every mark with its sign: a colour alone would not do."""

_ANEW = {(SAW, "sec-websocket-key"), (GOT, "sec-websocket-accept")}
_OF_HEAD = re.compile(r" of head \d+$")


class Marked(NamedTuple):
    """A difference, whose doing it is, and that in words.

    Args:
        mark: a key of `SIGNS`.
        why: in a few words.
        difference: the difference; what a tunnel carried as messages, where it is WebSocket.
    """

    mark: str
    why: str
    difference: Difference


def marked(
    differences: Iterable[Difference],
    observed: Outcome,
    predicted: Outcome,
    client: str = "lab",
    adds: Iterable[str] = (),
    leaves_out: Iterable[str] = (),
) -> tuple[Marked, ...]:
    """Return differences with their marks; those that speak against the prediction come first.

    Args:
        differences: what differs.
        observed: the outcome of the run.
        predicted: the outcome of the simulation.
        client: who asked in the run.
        adds: what its printed form says that it adds, `Name: value` or a few words each.
        leaves_out: what it says that it leaves out.
    """
    silent = any(leaves_out)
    names = {line.partition(":")[0].lower() for line in adds if ":" in line}
    rows = []
    for each in differences:
        row = _marked(each, client, names, silent=silent) if client != "lab" else Marked("differs", "", each)
        rows.append(_in_words(row, observed, predicted))
    order = list(SIGNS)
    return tuple(sorted(rows, key=lambda row: order.index(row.mark)))


def _marked(each: Difference, client: str, names: set[str], *, silent: bool) -> Marked:
    field = _OF_HEAD.sub("", each.what)
    if (each.place, field) in _ANEW and each.observed and each.predicted:
        return Marked("drawn anew", f"{client} draws its own key", each)
    if silent and each.place in (SAID, CLOSING):
        return Marked("left out", f"{client} says nothing after the switch", each)
    if each.place == SAW and field in names:
        return Marked("added", f"added by {client}", each)
    return Marked("differs", "", each)


def _in_words(row: Marked, observed: Outcome, predicted: Outcome) -> Marked:
    """Return a row with the frames of a tunnel in words, if it carried WebSocket; equal words are equal messages."""
    each = row.difference
    if each.place != SAID or not all(_speaks(outcome) for outcome in (observed, predicted)):
        return row
    place = ("the client sent", "the client got", "the server got", "the server sent").index(each.what)
    told = [_frames(outcome.carried[place]) for outcome in (observed, predicted)]
    if told[0] == told[1]:
        return Marked(
            "drawn anew",
            "the same messages; each masking key is drawn anew",
            each._replace(observed=told[0], predicted=told[1]),
        )
    return row._replace(difference=each._replace(observed=told[0], predicted=told[1]))


def _speaks(outcome: Outcome) -> bool:
    return any(
        head.first.split(" ")[1:2] == ["101"] and ("upgrade", "websocket") in head.fields for head in outcome.got
    )


def _frames(data: bytes) -> str:
    """Return frames in words: what kind, and their payload unmasked.

    >>> from labkit.wire.websocket import TEXT, frame
    >>> _frames(frame(TEXT, b"Hello", mask=b"abcd"))
    'text "Hello"'
    """
    return ", ".join(_frame(each.opcode, each.payload_of(data)) for each in scan(data)[:8])


def _frame(opcode: int, payload: bytes) -> str:
    name = OPCODES[opcode].name if opcode in OPCODES else f"opcode {opcode}"
    if name == "close" and len(payload) > 1:
        return f"close {int.from_bytes(payload[:2], 'big')}"
    text = payload[:60].decode("utf-8", "backslashreplace")
    return f'{name} "{text}"' if text else name
