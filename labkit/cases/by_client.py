"""Failures that a client brings about, reproduced: a broken scenario and the same mended."""

from __future__ import annotations

from labkit.cases.seen import GREETING, Reproduced, Seen
from labkit.errors import Failed
from labkit.parties.answer import Answer
from labkit.parties.described import Server
from labkit.parties.offer import Offer
from labkit.parties.stream import Stream, echo
from labkit.scenario import Scenario
from labkit.wire.websocket import TEXT, frame

__all__ = ["CASES"]

_PATIENCE = 1.0  # seconds for a message that may never come
_REQUIRED = Server(require=True)


async def _greeted(stream: Stream) -> None:
    """Wait for the server's first message, and say it back; give up where it does not come."""
    try:
        first = await stream.receive(_PATIENCE)
    except TimeoutError:
        await stream.close()
        raise Failed(f"the server's first message did not come within {_PATIENCE:g} s") from None
    await stream.send(first)
    await stream.receive(_PATIENCE)


async def _unmasked(stream: Stream) -> None:
    """Say a frame as a server would: not masked."""
    await stream.send_bytes(frame(TEXT, GREETING.encode()))
    await stream.receive(_PATIENCE)


CASES: dict[str, Reproduced] = {
    "first-frame-lost": Reproduced(
        lambda: Scenario(Offer.websocket().wrong("loses-early"), _greeted, server=Server(faults=("early-frame",))),
        lambda: Scenario(Offer.websocket(), _greeted, server=Server(faults=("early-frame",))),
        Seen(101, ("early",)),
        Seen(101, ("early", "early")),
    ),
    "h2c-offered": Reproduced(
        lambda: Scenario(
            Offer.h2c(), server=Server(protocols={"h2c": echo}, decline=Answer(400, "Invalid Upgrade header"))
        ),
        lambda: Scenario(Offer.plain()),
        Seen(400),
        Seen(200),
    ),
    "plain-get": Reproduced(
        lambda: Scenario(Offer.plain(), server=_REQUIRED),
        lambda: Scenario(server=_REQUIRED),
        Seen(426),
    ),
    "auth-refused": Reproduced(
        lambda: Scenario(server=Server(decline=Answer(401, "token not present"))),
        lambda: Scenario(Offer.websocket("/?ticket=7f3c")),
        Seen(401),
    ),
    "bad-frame-kills-server": Reproduced(
        lambda: Scenario(say=_unmasked),
        Scenario,
        Seen(101, (), closes=1002, rules=("X01",)),
    ),
    "interim-before-101": Reproduced(
        lambda: Scenario(Offer.websocket().wrong("first-answer"), server=Server(faults=("interim=103",))),
        lambda: Scenario(server=Server(faults=("interim=103",))),
        Seen(101, ()),
    ),
    "version-mismatch": Reproduced(
        lambda: Scenario(Offer.websocket().with_field("Sec-WebSocket-Version", "12")),
        Scenario,
        Seen(426, rules=("W11",)),
    ),
}
"""The cases by name."""
