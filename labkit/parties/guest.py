"""A client that does as it is told, step by step: one of several at a server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from labkit.parties.client import ClientParty
from labkit.parties.conversation import Conversation
from labkit.parties.offer import Offer
from labkit.parties.party import Driver, Ending
from labkit.parties.stream import listening

__all__ = ["GuestParty"]


class GuestParty(ClientParty):
    """One connection of a client that is told what to do while it is open.

    Args:
        offer: what is sent.
        driver: its clock, ways to wait and to start a coroutine.
        masks: masking keys.
    """

    def __init__(self, offer: Offer, driver: Driver, masks: Iterator[bytes]) -> None:
        super().__init__(offer, listening, driver, masks)
        self.reads = True

    @property
    def full(self) -> bool:
        """Whether no more bytes should be read: it was told not to read, or cannot follow."""
        return not self.reads or super().full

    def do(self, deed: str, what: Any = None) -> str:
        """Do one thing; return why it cannot be done, or nothing where it was."""
        if deed in ("stops reading", "reads on"):
            self.reads = deed == "reads on"
            return ""
        after = self._after
        if not isinstance(after, Conversation):
            return "the switch did not happen" if after is None else "over HTTP/2 nothing is said step by step"
        if after.shut or after.ending is not Ending.NOT_YET:
            return "the conversation is over"
        if deed == "says":
            after.say(what)
        elif deed == "leaves":
            after.close(1000, "")
        else:
            after.hang_up()
        return ""
