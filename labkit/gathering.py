"""A gathering: several clients at one server, and who does what, in which order. Frozen; simulated or run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import quote

from labkit.errors import WrongUse
from labkit.parties.answer import check_utf8
from labkit.parties.described import Server
from labkit.parties.offer import Offer

__all__ = ["DEEDS", "MOST_CLIENTS", "MOST_STEPS", "Gathering", "Step"]

MOST_CLIENTS = 12
"""Clients at one server."""
MOST_STEPS = 500
"""Steps of one script."""
_LONGEST_NAME = 24  # characters
_LONGEST_PAUSE = 10.0  # seconds
_LONGEST_WAIT = 60.0  # seconds

DEEDS = ("joins", "says", "leaves", "hangs up", "stops reading", "reads on", "waits")
"""What a client can do in one step."""
_SAYING = ("says", "waits")  # what is not told in two words


class Step(NamedTuple):
    """One step of a script: who does what, and with "says" which message, with "waits" how many seconds."""

    who: str
    deed: str
    what: Any = None

    def __str__(self) -> str:
        return f"{self.who} {self.deed}" + ("" if self.what is None else f" {self.what!r:.40}")

    @property
    def seconds(self) -> float:
        """How long it takes at least."""
        return float(self.what) if self.deed == "waits" else 0.0

    def undone(self, why: str) -> str:
        """Say that it could not be done, and why."""
        return f"not done: {self} ({why})"


@dataclass(frozen=True, init=False)
class Gathering:
    r"""Several clients at one server, and what they do, one step after the other.

    Every step is let settle before the next: until nothing has crossed for `pause` seconds, on a logical clock in
    memory. So `simulate` gives the same bytes on every machine, and `run` the same order. Who has no step "joins"
    joins before the first step. When the script is over the recording stops; who has not left is still there.

    | step                      | what it does                                                                     |
    |---------------------------|----------------------------------------------------------------------------------|
    | `("ana", "joins")`        | connects and sends its offer                                                     |
    | `("ana", "says", "Hi")`   | sends a message, text or bytes                                                   |
    | `("ana", "leaves")`       | ends the conversation; in WebSocket with a Close 1000                            |
    | `("ana", "hangs up")`     | ends the connection without a goodbye                                            |
    | `("ana", "stops reading")`| takes nothing from its connection any more. For real, the kernel takes some       |
    |                           | hundred KiB in its place before the server notices; in memory there is no such   |
    | `("ana", "reads on")`     | takes what has come meanwhile, and reads again                                   |
    | `("ana", "waits", 2)`     | lets seconds pass, for all                                                       |

    Args:
        clients: their names; each offers websocket for `/?name=NAME`. Or a mapping from names to offers.
        script: the steps.
        server: what the server is told to be.
        title: a few words for the diagram.
        pause: seconds without a byte after which a step has settled.

    Raises:
        WrongUse: a name that is none or comes twice, a step that cannot be; the step is named.

    >>> tea = Gathering(["ana", "ben"], [("ana", "says", "Hello"), ("ben", "leaves")])
    >>> tea.clients["ben"].head.target, [str(step) for step in tea.steps]
    ('/?name=ben', ['ana joins', 'ben joins', "ana says 'Hello'", 'ben leaves'])
    """

    clients: Mapping[str, Offer]
    script: tuple[Step, ...] = ()
    server: Server = field(default_factory=Server)
    title: str = ""
    pause: float = 0.05

    def __init__(
        self,
        clients: Iterable[str] | Mapping[str, Offer],
        script: Iterable[tuple[Any, ...]] = (),
        server: Server | None = None,
        title: str = "",
        pause: float = 0.05,
    ) -> None:
        server = Server() if server is None else server
        if not isinstance(server, Server):
            raise WrongUse(f"server is a Server(…), not {server!r}")
        if type(pause) not in (int, float) or not 0 < pause <= _LONGEST_PAUSE:
            raise WrongUse(f"pause is above 0 and at most {_LONGEST_PAUSE:g} seconds, not {pause!r}")
        named = _clients(clients)
        if isinstance(script, (str, bytes, Mapping)) or not isinstance(script, Iterable):
            raise WrongUse(f'a script is a list of steps such as ("ana", "says", "Hello"), not {script!r}')
        script = tuple(islice(script, MOST_STEPS + 1))
        if len(script) > MOST_STEPS:
            raise WrongUse(f"the script has more than {MOST_STEPS} steps; {MOST_STEPS} are the most")
        steps = tuple(_step(number, each, named) for number, each in enumerate(script, 1))
        _check_joins(steps)
        values = {
            "clients": MappingProxyType(named),
            "script": steps,
            "server": server,
            "title": title,
            "pause": float(pause),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The script, with those before it who join before its first step."""
        later = {step.who for step in self.script if step.deed == "joins"}
        return (*(Step(who, "joins") for who in self.clients if who not in later), *self.script)


def _clients(clients: Iterable[str] | Mapping[str, Offer]) -> dict[str, Offer]:
    """Return the clients by name, each with its offer."""
    if isinstance(clients, (str, bytes)) or not isinstance(clients, Iterable):
        raise WrongUse(f'clients is a list of names such as ["ana", "ben"], not {clients!r}')
    names = list(islice(clients, MOST_CLIENTS + 1))
    if not 1 <= len(names) <= MOST_CLIENTS:
        many = f"more than {MOST_CLIENTS}" if names else "0"
        raise WrongUse(f"{many} clients gather; the lab takes 1 to {MOST_CLIENTS}")
    for name in names:
        if not isinstance(name, str) or not name.isprintable() or not 0 < len(name.strip()) == len(name):
            raise WrongUse(f"a client's name is a text that can be printed, not {name!r}")
        if name == "server" or len(name) > _LONGEST_NAME or names.count(name) > 1:
            why = "is the server's" if name == "server" else "comes twice" if names.count(name) > 1 else "is too long"
            raise WrongUse(f"the name {name!r} {why}: each client has one of its own, of {_LONGEST_NAME} characters")
    if not isinstance(clients, Mapping):
        return {name: Offer.websocket(f"/?name={quote(name, safe='')}") for name in names}
    for name, offer in clients.items():
        if not isinstance(offer, Offer):
            raise WrongUse(f"{name} offers an Offer, such as Offer.websocket(), not {offer!r}")
        offer.to_bytes()  # what cannot be said is told here
    return dict(clients)


def _step(number: int, told: Any, clients: Mapping[str, Offer]) -> Step:
    """Return a step as it is kept; an odd one is named."""
    if not isinstance(told, (tuple, list)) or not 2 <= len(told) <= 3:
        raise WrongUse(f'step {number} is ("ana", "says", "Hello") or ("ana", "leaves"), not {told!r}')
    step = Step(*told)
    if not isinstance(step.who, str) or step.who not in clients:
        raise WrongUse(f"step {number}: nobody is called {step.who!r}; there are {', '.join(clients)}")
    if not isinstance(step.deed, str) or step.deed not in DEEDS:
        raise WrongUse(f"step {number}: no deed is called {step.deed!r}; there are {', '.join(DEEDS)}")
    if (step.what is None) is (step.deed in _SAYING):
        raise WrongUse(f'step {number}: "says" has a message, "waits" has seconds, and no other has a third part')
    if step.deed == "says" and not isinstance(step.what, (str, bytes)):
        raise WrongUse(f"step {number}: what {step.who} says is text or bytes, not {type(step.what).__name__}")
    if isinstance(step.what, str):
        check_utf8(f"step {number}: what {step.who} says", step.what)
    if step.deed == "waits" and (type(step.what) not in (int, float) or not 0 < step.what <= _LONGEST_WAIT):
        raise WrongUse(f"step {number}: {step.who} waits above 0 and at most {_LONGEST_WAIT:g} s, not {step.what!r}")
    return step


def _check_joins(steps: tuple[Step, ...]) -> None:
    """See that nobody does anything before they join, or joins twice."""
    later = {step.who for step in steps if step.deed == "joins"}
    there: set[str] = set()
    for number, step in enumerate(steps, 1):
        if step.deed == "joins":
            if step.who in there:
                raise WrongUse(f"step {number}: {step.who} has joined already")
            there.add(step.who)
        elif step.who in later - there and step.deed != "waits":
            raise WrongUse(f"step {number}: {step.who} {step.deed} before it joins")
