"""A scenario: who asks, what stands between, who answers. Frozen; simulated or run, it gives a trace."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from labkit.errors import WrongUse
from labkit.parties.client import Say, talk
from labkit.parties.described import Server
from labkit.parties.offer import Offer

__all__ = ["CLIENTS", "Scenario"]

CLIENTS = ("lab", "curl", "php", "websockets", "socket", "browser")
"""Who can ask: the lab's own client, and programs that run for real."""


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
        client: the program that asks: "lab", the lab's own client, which alone can be simulated, or one of
            `CLIENTS`. It sends what its printed form of the offer says, see `labkit.copy_as`.

    >>> Scenario(Offer.bare()).say
    ('Hello',)
    """

    offer: Offer = field(default_factory=Offer.websocket)
    say: Say = ("Hello",)
    via: tuple[object, ...] = ()
    server: Server = field(default_factory=Server)
    title: str = ""
    client: str = "lab"

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
        if self.client not in CLIENTS:
            raise WrongUse(f"client is one of {', '.join(CLIENTS)}; not {self.client!r}")
        if self.via:
            raise WrongUse("no proxy is known yet: leave `via` empty")
