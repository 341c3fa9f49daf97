"""What differs between two variations, in words: the column of the history that says what was turned."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import zip_longest

from labkit.variations.variation import ANSWERS, Middle, Variation

__all__ = ["changes"]

_SHOWN = 60  # characters of a value
_MOST = 4  # changes of one configuration that are told one by one
_PLAIN = ("client", "method", "target", "version", "say", "protocols", "subprotocols", "origins")


def changes(before: Variation, after: Variation) -> tuple[str, ...]:
    """Return what was changed from one variation to another, a few words each; nothing where they are equal.

    >>> from labkit.parties.offer import Offer
    >>> whole = Variation.offering(Offer.websocket())
    >>> changes(whole, whole.switched("Connection", on=False).but(target="/chat"))
    ('target: /chat', 'without Connection')
    """
    return tuple(_changes(before, after))


def _changes(before: Variation, after: Variation) -> Iterator[str]:
    for knob in _PLAIN:
        if getattr(before, knob) != getattr(after, knob):
            yield f"{knob}: {_short(getattr(after, knob))}"
    yield from _of_lines(before, after)
    for place, (one, other) in enumerate(zip_longest(before.middles, after.middles), 1):
        if one != other:
            yield from _of_middle(place, one, other)
    if _told(before) != _told(after):
        yield f"server: {_told(after)}"
    for fault in after.faults:
        if fault not in before.faults:
            yield f"fault {_short(fault)}"
    for fault in before.faults:
        if fault not in after.faults:
            yield f"without the fault {_short(fault)}"


def _of_lines(before: Variation, after: Variation) -> Iterator[str]:
    one, other = (list(_sent(each)) for each in (before, after))
    if one == other:
        return
    gone, came = ([line for line in these if line not in those] for these, those in ((one, other), (other, one)))
    names = {name.lower() for name, _ in came}
    yield from (f"without {_short(name)}" for name, _ in gone if name.lower() not in names)
    yield from (f"{_short(name)}: {_short(value)}" for name, value in came)
    if not gone and not came:
        yield "the field lines in another order, or another number of them"


def _sent(variation: Variation) -> Iterator[tuple[str, str]]:
    """Yield the field lines that are sent, those of the free text as far as they are some."""
    yield from ((each.name, each.value) for each in variation.lines if each.on)
    for text in variation.free.splitlines():
        name, _, value = text.partition(":")
        if text.strip():
            yield name, value.strip()


def _of_middle(place: int, one: Middle | None, other: Middle | None) -> Iterator[str]:
    if other is None:
        yield f"proxy {place} is gone"
    elif one is None or one.program != other.program:
        yield f"proxy {place}: {other.program}"
    else:
        yield from (f"proxy {place}, {each}" for each in _of_text(one.text, other.text))
        if one.keep_upstreams != other.keep_upstreams:
            yield f"proxy {place}: upstreams {'as written' if other.keep_upstreams else 'led to the server'}"


def _of_text(one: str, other: str) -> list[str]:
    """Return which lines of a configuration came, went or changed; blanks at their ends do not count."""
    whole = [[line.strip() for line in text.splitlines()] for text in (one, other)]
    old, new = ([line.rstrip(";{} ") for line in lines] for lines in whole)
    told = []
    for how, start, end, begin, stop in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if how == "delete":
            told += [f"without {_short(line)}" for line in old[start:end] if line]
        elif how != "equal":
            told += [f"line {number}: {_short(line)}" for number, line in enumerate(new[begin:stop], begin + 1) if line]
    if not told and whole[0] != whole[1]:
        return ["brackets, semicolons or empty lines"]
    more = len(told) - _MOST
    return [*told[:_MOST], f"{more} more lines"] if more > 0 else told


def _told(variation: Variation) -> str:
    beside = {"decline": variation.status, "redirect": variation.location}.get(variation.answer, "")
    return f"{ANSWERS[variation.answer]}{f': {_short(beside)}' if beside else ''}"


def _short(text: str) -> str:
    line = " ⏎ ".join(text.splitlines()) or "(empty)"
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
