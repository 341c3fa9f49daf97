"""A proxy's party driven by hand: bytes in at either end, bytes out at the other, a clock that is set."""

from __future__ import annotations

from labkit.parties.clocks import LogicalClock
from labkit.parties.party import Driver, Ending
from labkit.proxies.far import FarSide
from labkit.proxies.gateway import ProxyParty
from labkit.proxies.model import Trouble
from tests.parties.driving import HOST, head, opening
from tests.proxies.plain import Plain

GET = head(HOST)
SWITCHED = head("Upgrade: websocket", "Connection: Upgrade", start="HTTP/1.1 101 Switching Protocols")


def answer(content: bytes = b"hello", *lines: str, status: int = 200) -> bytes:
    return head(f"Content-Length: {len(content)}", *lines, start=f"HTTP/1.1 {status} OK") + content


class Gate:
    """A party of the plain model; what it dials is there when `reach` is called, unless it is `near`, or `dead`."""

    def __init__(self, text: str = "", *, near: bool = False, dead: bool = False) -> None:
        self.clock = LogicalClock()
        self.fars: list[FarSide] = []
        self.given_up: list[FarSide] = []
        self.woken = 0
        self._near, self._dead = near, dead
        self.party = ProxyParty(Plain(text), Driver(self.clock, lambda _: None, wrote=self._wake, dial=self._dial))

    def _wake(self) -> None:
        self.woken += 1

    def _dial(self, _: str, far: FarSide):
        self.fars.append(far)
        if self._near:
            self.reach()
        if self._dead:
            far.unreached("refused")
        return lambda: self.given_up.append(far)

    @property
    def far(self) -> FarSide:
        return self.fars[-1]

    def reach(self) -> None:
        self.far.connected(Driver(self.clock, lambda _: None))

    def ask(self, *pieces: bytes) -> bytes:
        """Give it bytes of the client; return what the client hears."""
        for piece in pieces:
            self.party.receive(piece)
        return self.party.outgoing()

    def say(self, *pieces: bytes) -> bytes:
        """Give it bytes of the upstream; return what the client hears."""
        for piece in pieces:
            self.far.receive(piece)
        return self.party.outgoing()

    def passed(self) -> bytes:
        """Return what the upstream hears."""
        return self.far.outgoing()

    def wait(self) -> bytes:
        """Let time pass until something is due; return what the client hears then."""
        assert self.party.deadline is not None
        self.clock.now = self.party.deadline
        self.party.tick()
        return self.party.outgoing()

    @property
    def where(self) -> str:
        """How both legs stand."""
        if not self.fars:
            far = "none"
        elif self.far in self.given_up:
            far = "given up"
        elif self.far.deadline is not None or (self.far.ended and not self.far.reached):
            far = "left"
        else:
            far = {Ending.NOT_YET: "open", Ending.FIN: "half", Ending.RESET: "reset"}[self.far.ending]
        near = {Ending.NOT_YET: "open", Ending.FIN: "closed", Ending.RESET: "reset"}[self.party.ending]
        return f"{near}, {far}"


def gate(state: str, text: str = "") -> Gate:
    """Return a gate that has come to a state."""
    made = Gate(text)
    for step in STEPS[state]:
        step(made)
    made.party.outgoing()
    if made.fars:
        made.far.outgoing()
    return made


def _switch(made: Gate) -> None:
    made.say(SWITCHED)


ASK = (lambda made: made.ask(GET), lambda made: made.reach())
OFFER = (lambda made: made.ask(opening()), lambda made: made.reach())
STEPS = {
    "idle": (),
    "kept": (*ASK, lambda made: made.say(answer())),
    "head": (lambda made: made.ask(GET[:9]),),
    "content": (lambda made: made.ask(head(HOST, "Content-Length: 9") + b"half"),),
    "dialling": ASK[:1],
    "waiting": ASK,
    "answer": (*ASK, lambda made: made.say(answer()[:-3])),
    "held": (*ASK, _switch),
    "tunnel": (*OFFER, _switch),
    "lingering": (lambda made: made.party.shut(),),
}
INPUTS = {
    "bytes": lambda made: made.ask(b"G"),
    "fin": lambda made: made.party.receive_eof(),
    "gone": lambda made: made.party.gone(),
    "due": lambda made: made.wait(),
    "shut": lambda made: made.party.shut(),
    "reached": lambda made: made.reach(),
    "unreached": lambda made: made.far.unreached(Trouble.REFUSED),
    "far bytes": lambda made: made.say(b"HTTX"),
    "far fin": lambda made: made.far.receive_eof(),
    "far gone": lambda made: made.far.gone(),
}
