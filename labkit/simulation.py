"""The in-memory run: the very parties of the real one, joined without sockets, on a logical clock."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from labkit.errors import Failed, WrongUse
from labkit.gathering import Gathering, Step
from labkit.parties.client import ClientParty
from labkit.parties.clocks import lab_date, lab_masks
from labkit.parties.guest import GuestParty
from labkit.parties.party import Driver, Far, Party
from labkit.parties.repeats import Repeats
from labkit.parties.server import ServerParty
from labkit.proxies.gateway import ProxyParty
from labkit.proxies.model import Model, Trouble
from labkit.recording import joined
from labkit.scenario import Scenario
from labkit.stage import Side, Stage, Steps
from labkit.trace import Direction, Hop, Trace

__all__ = ["play", "simulate"]


def simulate(scenario: Scenario | Gathering) -> Trace:
    r"""Run a scenario, or a gathering, in memory and return its trace: the same bytes on every machine.

    Raises:
        WrongUse: a handler awaits what only the real server has, or the client is a real program.
        Unmodelled: no model answers for a proxy, or for a directive of it.
        Failed: there is no proxy, and nothing listens at the server's address.

    >>> from labkit.trace import Direction
    >>> simulate(Scenario()).stream(Direction.TO_CLIENT)[-11:]
    b'\x81\x05Hello\x88\x02\x03\xe8'
    """
    if isinstance(scenario, Gathering):
        return _gathered(scenario)
    return play(scenario)[0]


def play(scenario: Scenario) -> tuple[Trace, tuple[Party, ...]]:
    """Do what `simulate` does, and return beside the trace, hop by hop, the party at its server's end."""
    if not isinstance(scenario, Scenario):
        raise WrongUse(f"what is simulated is a Scenario, not {scenario!r}")
    if scenario.client != "lab":
        raise WrongUse(f"{scenario.client} is a real program: run(…) it; in memory only the lab's own client asks")
    if not scenario.via and not scenario.server.listens:
        raise Failed(_NOBODY)
    chain = _Chain(scenario, [proxy.model() for proxy in scenario.via])
    try:
        stopped = chain.play()
    finally:
        chain.stop()
    return chain.trace(stopped), chain.answering


_NOBODY = "nothing listens at the server's address: the server is told not to"


class _Chain(Stage):
    """The parties of a scenario: a client, the proxies between, each dialling the next, and the server."""

    def __init__(self, scenario: Scenario, models: list[Model]) -> None:
        super().__init__()
        self._scenario = scenario
        self._models = models
        steps = Steps()
        driver = Driver(self.clock, steps.start)
        self._client = ClientParty(scenario.offer, scenario.say, driver, lab_masks(), patience=scenario.patience)
        self._answer(0, Side(self._client, steps, Direction.TO_SERVER))

    @property
    def answering(self) -> tuple[Party, ...]:
        """The party at the server's end of each leg."""
        return tuple(leg.server.party for leg in self.legs)

    def trace(self, stopped: str) -> Trace:
        """Return what crossed, leg by leg."""
        said = [f"{model.name} {model.version}, simulated" for model in self._models] or ["simulated"]
        said += [model.note for model in self._models]
        troubles = [self._client.problem, *(leg.server.party.problem for leg in self.legs)]
        notes = "; ".join(note for note in dict.fromkeys([*said, stopped, *troubles]) if note)
        return joined([(leg.recording, leg.hop) for leg in self.legs], self._scenario.title, notes)

    def _answer(self, place: int, client: Side) -> None:
        """Make a leg from a party to the one behind it, which begins with it."""
        steps = Steps()
        party: Party
        if place < len(self._models):
            party = ProxyParty(
                self._models[place], Driver(self.clock, steps.start, dial=partial(self._dial, place + 1))
            )
        else:
            party = ServerParty(self._scenario.server, Driver(self.clock, steps.start), lab_date)
        hop = Hop(*self._scenario.parties[place : place + 2])
        self.join(client, Side(party, steps, Direction.TO_CLIENT), hop, self._scenario.server.limits.recorded)

    def _dial(self, place: int, _: str, far: Far) -> Callable[[], object]:
        """Connect a proxy to whoever is behind it, at once: every upstream address leads there.

        Where the addresses are kept as they are written, nobody listens at them: there is no network in memory.
        """
        dead = place == len(self._models) and not self._scenario.server.listens
        if dead or self._scenario.via[place - 1].keep_upstreams:
            far.unreached(Trouble.REFUSED)
        else:
            steps = Steps()
            self._answer(place, Side(far, steps, Direction.TO_SERVER))
            far.connected(Driver(self.clock, steps.start))
        return lambda: None


def _gathered(gathering: Gathering) -> Trace:
    """Play a gathering, step by step, each until it has settled."""
    if not gathering.server.listens:
        raise Failed(_NOBODY)
    ring = _Ring(gathering)
    try:
        stopped = next((why for step in gathering.steps if (why := ring.take(step))), "")
    finally:
        ring.stop()
    return ring.trace(stopped)


class _Ring(Stage):
    """The parties of a gathering: its clients around one server."""

    def __init__(self, gathering: Gathering) -> None:
        super().__init__()
        self._gathering = gathering
        self._guests: dict[str, GuestParty] = {}
        self._repeats = Repeats()
        self._undone: list[str] = []

    def take(self, step: Step) -> str:
        """Take one step; return why the play had to be stopped, or nothing."""
        if step.deed == "joins":
            self._join(step.who)
        elif step.deed != "waits" and (why := self._guests[step.who].do(step.deed, step.what)):
            self._undone.append(step.undone(why))
        return self.play(self._gathering.pause, step.seconds)

    def _join(self, who: str) -> None:
        steps, far = Steps(), Steps()
        server = self._gathering.server
        offer, driver = self._gathering.clients[who], Driver(self.clock, steps.start)
        self._guests[who] = guest = GuestParty(offer, driver, lab_masks())
        party = ServerParty(server, Driver(self.clock, far.start), lab_date, self._repeats)
        sides = Side(guest, steps, Direction.TO_SERVER), Side(party, far, Direction.TO_CLIENT)
        self.join(*sides, Hop(who, "server"), server.limits.recorded)

    def trace(self, stopped: str) -> Trace:
        """Return what crossed: a hop for each client, in their order."""
        legs = {leg.hop.client: leg for leg in self.legs}
        ordered = [legs[name] for name in self._gathering.clients if name in legs]
        troubles = [f"{name}: {guest.problem}" for name, guest in self._guests.items() if guest.problem]
        troubles += [leg.server.party.problem for leg in ordered]
        said = dict.fromkeys(["simulated", stopped, *self._undone, *troubles])
        notes = "; ".join(note for note in said if note)
        return joined([(leg.recording, leg.hop) for leg in ordered], self._gathering.title, notes)
