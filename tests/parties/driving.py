"""Parties driven by hand: bytes in, bytes out, a clock that is set."""

from __future__ import annotations

from collections.abc import Callable

from labkit.parties.client import ClientParty, Say
from labkit.parties.clocks import LogicalClock, lab_date, lab_masks
from labkit.parties.described import Limits, Server
from labkit.parties.offer import Offer
from labkit.parties.party import Driver, Ending, Party
from labkit.parties.server import ServerParty
from labkit.stage import Steps
from labkit.wire.upgrade import SAMPLE_KEY
from labkit.wire.websocket import SAMPLE_MASK, close_payload, frame

LINES = ("Host: server.example.com", "Upgrade: websocket", "Connection: Upgrade")
OPENING = (*LINES, f"Sec-WebSocket-Key: {SAMPLE_KEY}", "Sec-WebSocket-Version: 13")
HOST = LINES[0]

TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10


def head(*lines: str, start: str = "GET / HTTP/1.1") -> bytes:
    return "".join(f"{line}\r\n" for line in (start, *lines, "")).encode("latin-1")


def opening(*lines: str, start: str = "GET / HTTP/1.1") -> bytes:
    return head(*OPENING, *lines, start=start)


def asked(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0) -> bytes:
    return frame(opcode, payload, fin=fin, rsv=rsv, mask=SAMPLE_MASK)


def closing(code: int | None = 1000, reason: str = "") -> bytes:
    return asked(CLOSE, close_payload(code, reason))


class Driven:
    """A party on a logical clock, with the handler it starts."""

    def __init__(self, make: Callable[[Driver], Party]) -> None:
        self.clock = LogicalClock()
        self._steps = Steps()
        self.party = make(Driver(self.clock, self._steps.start))
        self._steps.party = self.party
        self.said = b""

    def feed(self, *pieces: bytes) -> bytes:
        """Give the party bytes, a piece at a time; return what it says to them."""
        said = b""
        for piece in pieces:
            self.party.receive(piece)
            said += self.settle()
        return said

    def eof(self) -> bytes:
        self.party.receive_eof()
        return self.settle()

    def wait(self, seconds: float) -> bytes:
        """Let time pass, with every deadline on the way; return what the party says in it."""
        until, said = self.clock.now + seconds, b""
        while (due := self.party.deadline) is not None and due <= until and self.party.ending is not Ending.RESET:
            self.clock.now = max(due, self.clock.now)
            self.party.tick()
            said += self.settle()
        self.clock.now = until
        return said

    def settle(self) -> bytes:
        said = b""
        while True:
            while self._steps.step():
                pass
            data = self.party.outgoing()
            if not data:
                break
            said += data
            self.party.drained()
        self.said += said
        return said


class Served(Driven):
    """One connection of a server; settings are those of `Server`, or of its `Limits`."""

    party: ServerParty

    def __init__(self, **settings) -> None:
        limits = {name: settings.pop(name) for name in list(settings) if name in Limits.__dataclass_fields__}
        server = Server(limits=Limits(**limits), **settings)
        super().__init__(lambda driver: ServerParty(server, driver, lab_date))


class Asking(Driven):
    """One connection of a client, that has said its offer."""

    party: ClientParty

    def __init__(self, offer: Offer | None = None, say: Say = ("Hello",), *, patience: float = 5.0) -> None:
        offer = offer or Offer.websocket()
        super().__init__(lambda driver: ClientParty(offer, say, driver, lab_masks(), patience=patience))
        self.settle()


def status(answer: bytes) -> int:
    return int(answer[9:12])


def statuses(said: bytes) -> list[int]:
    """Return the status codes of a run of answers with Content-Length, or none."""
    found = []
    while said:
        top, _, said = said.partition(b"\r\n\r\n")
        found.append(int(top[9:12]))
        lines = dict(line.lower().split(b": ", 1) for line in top.split(b"\r\n")[1:])
        said = said[int(lines.get(b"content-length", 0)) :]
        if found[-1] == 101:
            break
    return found


def fields(answer: bytes) -> dict[str, str]:
    lines = answer.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    return dict(line.split(": ", 1) for line in lines)


def content(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]
