"""A scenario: who asks, what stands between, who answers. Frozen; simulated or run, it gives a trace."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from labkit.errors import WrongUse
from labkit.parties.client import Say, talk
from labkit.parties.described import Server
from labkit.parties.offer import Offer

__all__ = ["Scenario"]


@dataclass(frozen=True)
class Scenario:
    """Who asks, what stands between, who answers.

    Args:
        offer: what the client asks for.
        say: what it says after the switch: messages, each sent when the one before was answered, or a
            handler of your own.
        via: proxies between the two.
        server: what the server is told to be.
        title: a few words for the diagram.

    >>> Scenario(Offer.bare()).say
    ('Hello',)
    """

    offer: Offer = field(default_factory=Offer.websocket)
    say: Say = ("Hello",)
    via: tuple[object, ...] = ()
    server: Server = field(default_factory=Server)
    title: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.offer, Offer):
            raise WrongUse(f"offer is an Offer, such as Offer.websocket(), not {self.offer!r}")
        if not isinstance(self.server, Server):
            raise WrongUse(f"server is a Server(…), not {self.server!r}")
        if not callable(self.say) and not isinstance(self.say, Iterable):
            raise WrongUse(f"say is a list of messages, or a handler, not {self.say!r}")
        if not callable(self.say) and not isinstance(self.say, (str, bytes)):
            object.__setattr__(self, "say", tuple(self.say))  # what can be gone through once is kept
        talk(self.say)
        if self.via:
            raise WrongUse("no proxy is known yet: leave `via` empty")
