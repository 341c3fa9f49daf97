"""What must be seen in a trace, and what of it is not: how a case says that it fails, and that it is mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from labkit.dissection import HopView, dissect
from labkit.rules import check, find
from labkit.scenario import Scenario
from labkit.trace import Direction, Trace
from labkit.wire.websocket import BINARY, CLOSE, TEXT

__all__ = ["CUT", "GREETING", "NO_CODE", "WORKS", "Reproduced", "Seen", "close_code", "heard", "unmet"]

NO_CODE = 1005  # what a program is told where a Close frame has no code (RFC 6455, 7.1.5)
CUT = 1006
"""What a program is told where the connection ended without a Close frame (RFC 6455, 7.1.5)."""

GREETING = "Hello"
"""What a client says unless it is told otherwise."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What must be seen on the client's hop.

    Args:
        status: of the final answer; None where none comes.
        hears: the messages from the server after the 101, in order; of a protocol that has none, all its
            bytes as one. None where it does not matter.
        closes: the code that the client's program is told of: that of the server's Close frame, or 1006 where
            there is none. None where it does not matter.
        rules: ids of rules that the check must find broken, or noted, on any hop.
        spared: ids of rules that it must not find.
    """

    status: int | None
    hears: tuple[str, ...] | None = None
    closes: int | None = None
    rules: tuple[str, ...] = ()
    spared: tuple[str, ...] = ()

    def __str__(self) -> str:
        said = [f"the answer is {self.status}" if self.status else "there is no answer"]
        if self.hears is not None:
            said.append(f"the client hears {_told(self.hears)}")
        if self.closes is not None:
            said.append(f"the close code is {self.closes}")
        return "; ".join([*said, *(f"{rule} is found" for rule in self.rules)])


WORKS = Seen(101, (GREETING,), closes=1000)
"""The switch, the echo of the greeting, and a closing in good order."""


@dataclass(frozen=True, slots=True)
class Reproduced:
    """A failure as it can be had on one machine, and the same mended.

    Args:
        broken: makes the scenario that fails.
        fixed: makes the one that is mended.
        fails: what is seen of the first.
        works: what is seen of the second.
        proxy: "nginx" or "apache", where one stands between.
    """

    broken: Callable[[], Scenario]
    fixed: Callable[[], Scenario]
    fails: Seen
    works: Seen = WORKS
    proxy: str = ""


def unmet(seen: Seen, trace: Trace) -> tuple[str, ...]:
    """Return, in words, what a trace does not show of what must be seen; nothing where it shows all.

    >>> from labkit.simulation import simulate
    >>> unmet(Seen(403), simulate(Scenario()))
    ('the answer is 101, not 403',)
    """
    return tuple(_unmet(seen, trace))


def _unmet(seen: Seen, trace: Trace) -> Iterator[str]:
    dissection = dissect(trace)
    view = dissection.hops[0]
    status = dissection.status
    if status != seen.status:
        yield f"the answer is {status or 'none'}, not {seen.status or 'none'}"
        return
    if seen.hears is not None and (said := heard(view)) != seen.hears:
        yield f"the client hears {_told(said)}, not {_told(seen.hears)}"
    if seen.closes is not None and (code := close_code(view)) != seen.closes:
        yield f"the close code is {code or 'none'}, not {seen.closes}"
    findings = check(dissection)
    found = {finding.rule.id for finding in (*findings, *findings.notes)}
    for rule in seen.rules:
        if rule not in found:
            yield f"{rule} is not found: {find(rule).text}"
    for rule in seen.spared:
        if rule in found:
            yield f"{rule} is found: {find(rule).text}"


def heard(view: HopView) -> tuple[str, ...]:
    """Return the messages that came from the server after the 101, each from one frame, or all bytes as one."""
    frames = view.frames(Direction.TO_CLIENT)
    if frames is None:
        seam = view.seam.get(Direction.TO_CLIENT)
        data = b"" if seam is None else view.data[Direction.TO_CLIENT][seam:]
        return (data.decode("latin-1"),) if data else ()
    places = (place for place, frame in enumerate(frames.frames) if frame.opcode in (TEXT, BINARY) and not frame.rsv)
    return tuple(frames.payload(place).decode("utf-8", "replace") for place in places)


def close_code(view: HopView) -> int | None:
    """Return the close code that a client's program is told; None where WebSocket was never spoken."""
    if view.protocol.lower() != "websocket":
        return None
    frames = view.frames(Direction.TO_CLIENT)
    for place, frame in enumerate(frames.frames if frames else ()):
        if frame.opcode == CLOSE and frames is not None:
            payload = frames.payload(place)
            return int.from_bytes(payload[:2], "big") if len(payload) > 1 else NO_CODE
    return CUT


def _told(messages: tuple[str, ...]) -> str:
    return ", ".join(map(repr, messages)) or "nothing"
