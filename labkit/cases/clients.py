"""The handshake corpus for clients: `answers.toml`, read, and what a client made of an answer, judged.

What a client does is read from a trace, as with servers: whether it went on in WebSocket, and whether it
closed. A connection that failed and an answer that was taken for a decline look the same on the wire.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from labkit.cases.corpus import expand
from labkit.errors import WrongUse
from labkit.parties.offer import Offer
from labkit.trace import Direction, How, Trace
from labkit.wire.upgrade import SAMPLE_KEY, accept_key

__all__ = ["MUST", "AnswerCase", "answers", "keeps", "spoke"]

MUST = ("open", "fail", "decline", "either")

_OFFERS = {
    "plain": Offer.websocket(),
    "chat": Offer.websocket(subprotocols=("chat",)),
    "deflate": Offer.websocket(deflate=True),
}


@dataclass(frozen=True, slots=True)
class AnswerCase:
    """One row of the corpus for clients; the header of `answers.toml` tells each part.

    Args:
        group: what it is about.
        id: its name; it never changes.
        answer: the text of what the client gets.
        must: open, fail, decline or either.
        level: MUST, SHOULD or choice.
        clause: what decides.
        why: one sentence.
        offer: plain, chat or deflate.
        end: `fin` where the server closes behind the answer.
    """

    group: str
    id: str
    answer: str
    must: str
    level: str
    clause: str
    why: str
    offer: str = "plain"
    end: str = ""

    @property
    def asked(self) -> Offer:
        """The offer that the answer is for.

        Raises:
            WrongUse: the case names none that there is.
        """
        if self.offer not in _OFFERS:
            raise WrongUse(f"case {self.id}: {self.offer!r} is no offer; there are {', '.join(_OFFERS)}")
        return _OFFERS[self.offer]

    def to_bytes(self, key: str = SAMPLE_KEY) -> bytes:
        """Return the answer's bytes, with the Accept of `key`."""
        accept = accept_key(key)
        text = self.answer.replace("{accept}", accept).replace("{accept-swapped}", accept.swapcase())
        return expand(text)


@cache
def answers() -> tuple[AnswerCase, ...]:
    """Return the corpus for clients, in the order of the file."""
    data: dict[str, Any] = tomllib.loads(files(__package__).joinpath("answers.toml").read_text("utf-8"))
    return tuple(AnswerCase(**row) for row in data["case"])


def spoke(trace: Trace, offer: Offer) -> bool:
    """Tell whether the client said anything after its offer: in WebSocket, then."""
    return len(trace.stream(Direction.TO_SERVER)) > len(offer.to_bytes())


def keeps(case: AnswerCase, trace: Trace) -> bool:
    """Tell whether what a client did is what the case asks of it.

    The client has a message to say as soon as its connection is open.
    """
    on = spoke(trace, case.asked)
    if case.must == "open":
        return on
    closed = trace.end(Direction.TO_SERVER) in (How.FIN, How.RESET)
    return case.must == "either" or (not on and (closed or case.must == "decline"))
