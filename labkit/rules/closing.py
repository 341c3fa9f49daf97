"""Rules of Ping and Pong, and of WebSocket's closing handshake (RFC 6455, 5.5 and 7)."""

from __future__ import annotations

from collections.abc import Iterator

from labkit.dissection import FramesPart
from labkit.dissection.frames import FrameFault as F
from labkit.rules.evidence import Evidence, Spoken
from labkit.rules.frames import sent
from labkit.rules.origin import each_recipient, each_sender
from labkit.rules.rule import Check, Level, Rule, Sighting, Who
from labkit.trace import Direction, End, How
from labkit.wire.websocket import CLOSE, PING, PONG

__all__ = ["CLOSING"]

_PATIENCE = 1.0  # seconds after which a client may say that its server takes too long to close


def _first(part: FramesPart | None, opcode: int) -> int | None:
    """Return the place of the first frame of a kind."""
    frames = part.frames if part else []
    return next((place for place, frame in enumerate(frames) if frame.first & 0x0F == opcode), None)


def _whole(spoken: Spoken, direction: Direction) -> bool:
    """Tell whether a direction of this hop was seen to its orderly end, with no bytes missing."""
    return spoken.view.ends.get(direction) is How.FIN and direction not in spoken.view.missing


def _end(evidence: Evidence, hop: int, direction: Direction) -> int:
    """Return the place of a direction's end among the events; the trace has it."""
    return next(
        place
        for place, event in enumerate(evidence.trace.events)
        if isinstance(event, End) and (event.hop, event.direction) == (hop, direction)
    )


@each_recipient
def _no_pong(spoken: Spoken) -> Iterator[Sighting]:
    frames, other = spoken.part.frames, spoken.other
    close = _first(spoken.part, CLOSE)
    asked = frames if close is None else frames[:close]
    last = next((place for place in reversed(range(len(asked))) if asked[place].first & 0x0F == PING), None)
    if last is None or other is None or not _whole(spoken, spoken.direction.other):
        return
    data = spoken.part.payload(last)
    if any(frame.first & 0x0F == PONG and other.payload(place) == data for place, frame in enumerate(other.frames)):
        return
    proof = spoken.went_on(last)
    if proof is not None:
        yield spoken.of_other(proof, "it answered what came after a Ping, and never the Ping")


@each_recipient
def _no_close(spoken: Spoken) -> Iterator[Sighting]:
    view, back = spoken.view, spoken.direction.other
    close = _first(spoken.part, CLOSE)
    if close is None or spoken.part.faults or not _whole(spoken, back) or _first(spoken.other, CLOSE) is not None:
        return
    if spoken.other is None and not spoken.by_client:
        return  # a client that said nothing may have failed the connection because of the 101
    came = spoken.evidence.moment(view.hop, spoken.direction, spoken.part.frames[close].end - 1)
    if view.parts[back] and _end(spoken.evidence, view.hop, back) > came:
        last = view.parts[back][-1]
        start = last.frames[-1].start if isinstance(last, FramesPart) else last.start
        yield Sighting(
            view.hop, back, start, last.end, "nothing follows these bytes: no Close answers the one that came"
        )


@each_sender
def _not_waiting(spoken: Spoken) -> Iterator[Sighting]:
    evidence, view = spoken.evidence, spoken.view
    own, its = _first(spoken.part, CLOSE), _first(spoken.other, CLOSE)
    if not spoken.by_client or own is None or its is None or spoken.other is None:
        return
    if not all(_whole(spoken, way) for way in Direction) or evidence.failed(view, Direction.TO_SERVER):
        return
    end = _end(evidence, view.hop, Direction.TO_SERVER)
    if end > _end(evidence, view.hop, Direction.TO_CLIENT):
        return
    said = spoken.other.frames[its].end - 1
    closed = max(
        evidence.moment(view.hop, Direction.TO_SERVER, spoken.part.frames[own].end - 1),
        evidence.moment(view.hop, Direction.TO_CLIENT, said),
    )
    events = evidence.trace.events
    if events[end].time - events[closed].time < _PATIENCE:
        yield spoken.frame(own, "the client closed the TCP connection before the server did")


_CODES = {F.NO_CODE, F.UNDEFINED_CODE, F.NEVER_SENT}
_SEEN = {
    F.AFTER_CLOSE: "a data frame after a Close",
    F.ONE_BYTE: "a Close with one byte; a code has two",
    F.NO_CODE: "a close code outside of 1000 to 4999",
    F.UNDEFINED_CODE: "a close code that is reserved and not defined",
    F.NEVER_SENT: "a close code that is no code for the wire",
    F.BAD_REASON: "a close reason that is not UTF-8",
}


def _sent(*faults: F) -> Check:
    def seen(spoken: Spoken, place: int, fault: F) -> str:
        code = f": {int.from_bytes(spoken.part.payload(place)[:2], 'big')}" if fault in _CODES else ""
        return f"{_SEEN[fault]}{code}"

    return sent(seen, *faults)


CLOSING: tuple[Rule, ...] = (
    Rule(
        "X08", Who.RECIPIENT, "RFC 6455, 5.5.2, 5.5.3", Level.MUST,
        "Who gets a Ping answers it with a Pong of the same data, unless a Close came before.",
        mend="send a Pong with the data of the latest Ping", check=_no_pong,
    ),
    Rule(
        "X28", Who.RECIPIENT, "RFC 6455, 5.5.3", Level.MAY,
        "Of several Pings that wait, the latest alone may be answered.",
    ),
    Rule(
        "X29", Who.SENDER, "RFC 6455, 5.5.3", Level.MAY,
        "A Pong may be sent unasked, as a sign of life; nothing answers it.",
    ),
    Rule(
        "X09", Who.RECIPIENT, "RFC 6455, 5.5.1", Level.MUST,
        "Who gets a Close and has sent none sends one.",
        mend="answer the Close with a Close, before the connection is closed", check=_no_close,
    ),
    Rule(
        "X30", Who.SENDER, "RFC 6455, 5.5.1", Level.MUST_NOT,
        "Who has sent a Close sends no data frame any more.",
        mend="send all data before the Close", check=_sent(F.AFTER_CLOSE),
    ),
    Rule(
        "X31", Who.SENDER, "RFC 6455, 7.1.5", Level.FACT,
        "Each side sends one Close: who has both sent and received one sends no other.",
    ),
    Rule(
        "X32", Who.SERVER, "RFC 6455, 5.5.1", Level.MUST,
        "A server that has sent and received a Close closes the TCP connection at once.",
        reason="How long a server had other work to do is not on the wire.",
    ),
    Rule(
        "X33", Who.CLIENT, "RFC 6455, 5.5.1, 7.1.1", Level.SHOULD,
        "A client lets the server close the TCP connection first, so that the server holds its last state.",
        mend="after both Close frames, wait for the server's FIN for a reasonable time", check=_not_waiting,
    ),
    Rule(
        "X34", Who.SENDER, "RFC 6455, 5.5.1", Level.MUST,
        "A Close carries nothing, or begins with a code of two bytes.",
        mend="put the code into two bytes, the higher one first, or leave the payload empty", check=_sent(F.ONE_BYTE),
    ),
    Rule(
        "X35", Who.SENDER, "RFC 6455, 5.5.1, 7.4.2", Level.MUST,
        "A close code is one that is defined: below 3000 by a standard, from 3000 to 4999 by others.",
        mend="use 1000, or a code of your own from 4000 to 4999", check=_sent(F.NO_CODE, F.UNDEFINED_CODE),
    ),
    Rule(
        "X10", Who.SENDER, "RFC 6455, 7.4.1", Level.MUST_NOT,
        "1005, 1006 and 1015 are for programs to tell each other that no code came; they are never sent.",
        mend="send a Close without a code, or with 1000", check=_sent(F.NEVER_SENT),
    ),
    Rule(
        "X36", Who.SENDER, "RFC 6455, 5.5.1, 8.1", Level.MUST,
        "The reason of a Close is UTF-8.",
        mend="send the reason in UTF-8, cut between two characters", check=_sent(F.BAD_REASON),
    ),
    Rule(
        "X37", Who.CLIENT, "RFC 6455, 5.5.1", Level.MUST_NOT,
        "A client does not show the reason of a Close to its user.",
        reason="What is shown to people is not on the wire.",
    ),
    Rule(
        "X38", Who.CLIENT, "RFC 6455, 7.3", Level.SHOULD_NOT,
        "A client does not close the connection without need.",
        reason="What a client needs is not on the wire.",
    ),
    Rule(
        "X12", Who.CLIENT, "RFC 6455, 7.2.3", Level.SHOULD,
        "After an abnormal end a client waits a random time before it connects again, and longer each time.",
        reason="A recording has no clock of the connections that were not made, and one delay shows no chance.",
    ),
)  # fmt: skip
