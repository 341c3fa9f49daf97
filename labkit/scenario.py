"""A scenario: who asks, what stands between, who answers. Frozen; simulated or run, it gives a trace."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from labkit.errors import WrongUse
from labkit.parties.client import Say, talk
from labkit.parties.described import Server
from labkit.parties.offer import Offer
from labkit.proxies.described import Proxy

__all__ = ["CLIENTS", "MOST_PROXIES", "Scenario"]

_MOST_PATIENCE = 3600.0  # seconds

MOST_PROXIES = 4
"""Proxies that may stand between."""

CLIENTS = ("lab", "curl", "php", "websockets", "socket", "browser")
"""Who can ask: the lab's own client, and programs that run for real."""


@dataclass(frozen=True)
class Scenario:
    """Who asks, what stands between, who answers.

    Args:
        offer: what the client asks for.
        say: what it says after the switch: messages, each sent when the one before was answered, or a
            handler of your own.
        via: proxies between the two, from the client's end: `Nginx(text)`, `Apache(text)` and others.
        server: what the server is told to be.
        title: a few words for the diagram.
        client: the program that asks: "lab", the lab's own client, which alone can be simulated, or one of
            `CLIENTS`. It sends what its printed form of the offer says, see `labkit.copy_as`.
        patience: the most seconds that the lab's own client waits for an answer, and for each message's.

    >>> Scenario(Offer.bare()).say
    ('Hello',)
    """

    offer: Offer = field(default_factory=Offer.websocket)
    say: Say = ("Hello",)
    via: tuple[Proxy, ...] = ()
    server: Server = field(default_factory=Server)
    title: str = ""
    client: str = "lab"
    patience: float = 5.0

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
        if self.offer.http2 and self.client != "lab":
            raise WrongUse(f"only the lab's own client asks by extended CONNECT in HTTP/2, not {self.client}")
        if type(self.patience) not in (int, float) or not 0 < self.patience <= _MOST_PATIENCE:
            raise WrongUse(f"patience is above 0 and at most {_MOST_PATIENCE:g} seconds, not {self.patience!r}")
        self._check_via()

    def _check_via(self) -> None:
        if isinstance(self.via, Proxy) or not isinstance(self.via, Iterable):
            raise WrongUse(f"via is a list of proxies, not {self.via!r}")
        object.__setattr__(self, "via", tuple(self.via))
        for each in self.via:
            if not isinstance(each, Proxy):
                raise WrongUse(f"what stands between is a proxy, such as Nginx(text), not {each!r}")
        if len(self.via) > MOST_PROXIES:
            raise WrongUse(f"{len(self.via)} proxies stand between; the lab runs at most {MOST_PROXIES}")

    @property
    def parties(self) -> tuple[str, ...]:
        """Who takes part, from the client's end: a name each; the second of a kind is numbered.

        >>> Scenario().parties
        ('client', 'server')
        """
        names = ["client"]
        for proxy in self.via:
            same = sum(name.partition(" ")[0] == proxy.name for name in names)
            names.append(f"{proxy.name} {same + 1}" if same else proxy.name)
        return (*names, "server")
