"""The machine under every model of a proxy: a near leg to the client, far legs to upstreams, and what passes.

    head ─▶ content ─▶ waiting ─▶ answer ─▶ head …      one request after the other, each with its answer
                          └─ 101 ─▶ tunnel               bytes both ways, whatever they are
                          └─ held                        the answer is kept back, and the client waits
                                        └─▶ lingering    our FIN is out; read on, so that it is not lost

The model decides, the machine carries out; both do no I/O. Whoever drives it opens the far legs, see `Driver.dial`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from labkit.parties.conversation import MOST_WAITING
from labkit.parties.party import Driver, Ending
from labkit.proxies.content import Content, chunk, content_of_answer, content_of_request
from labkit.proxies.far import FarSide
from labkit.proxies.model import Forward, Framing, Model, Own, Relay, Request, Trouble, Turn
from labkit.wire.http1 import RequestHead, ResponseHead

__all__ = ["ProxyParty", "Round"]


class _State(StrEnum):
    HEAD = "head"
    CONTENT = "content"
    WAITING = "waiting"
    ANSWER = "answer"
    HELD = "held"
    TUNNEL = "tunnel"
    LINGERING = "lingering"


@dataclass
class Round:
    """One request on its way, and what became of it: what the X-ray shows.

    Args:
        request: as it came.
        forward: as it went on; None where the proxy answered itself.
        relays: each answer of the upstream's with what was made of it.
        own: the proxy's own answer; None where it relayed one.
    """

    request: Request
    forward: Forward | None = None
    relays: list[tuple[ResponseHead, Relay]] = field(default_factory=list)
    own: Own | None = None


class ProxyParty:
    """One client connection of a proxy, as its near party, with the far ones that it makes.

    Args:
        model: what it does.
        driver: its clock, and the way to dial.
    """

    def __init__(self, model: Model, driver: Driver) -> None:
        self.model = model
        self.driver = driver
        self.ending = Ending.NOT_YET
        self.choked = False
        self.rounds: list[Round] = []
        self.log: list[str] = []
        self._state = _State.HEAD
        self._buffer = bytearray()
        self._writes: list[bytes] = []
        self._head: RequestHead | None = None
        self._content: Content | None = None
        self._body = b""
        self._far: FarSide | None = None
        self._answer = bytearray()
        self._framing = Framing.NONE
        self._keeps = self._keeps_upstream = False
        self._number = 0
        self._near_ended = self._reading = False
        self._due: float | None = driver.clock() + model.times.head

    # what comes in on the near leg

    def receive(self, data: bytes) -> None:
        """Take bytes from the client."""
        if self._state is _State.LINGERING or not data:
            return
        if self._state is _State.TUNNEL:
            assert self._far is not None
            self._wait(self.model.tunnel_time(self._forward))
            self._far.write(data)
            return
        if self._state is _State.HEAD and not self._buffer:
            self._wait(self.model.times.head)
        self._buffer += data
        self._read()

    def receive_eof(self) -> None:
        """Take the client's FIN."""
        if self._near_ended:
            return
        self._near_ended = True
        match self._state:
            case _State.TUNNEL if self.model.half_closes:
                assert self._far is not None
                self._far.end()
                if self._far.ended:
                    self._finish()
            case _State.HEAD if not self._buffer:
                self._finish()
            case _State.HEAD | _State.CONTENT:
                self._own(self.model.cut(bytes(self._buffer)))
            case _State.WAITING | _State.ANSWER | _State.HELD if not self.model.eof_aborts:
                pass
            case _:
                self._finish()

    def tick(self) -> None:
        """Do what is due."""
        if self._due is None or self.driver.clock() < self._due:
            return
        self._due = None
        match self._state:
            case _State.LINGERING:
                self.ending = Ending.RESET
            case _State.HEAD if not self._buffer:
                self._finish()
            case _State.HEAD | _State.CONTENT:
                self._own(self.model.overdue(str(self._state)))
            case _State.WAITING:
                assert self._far is not None
                self.trouble(self._far, Trouble.SILENT if self._far.reached else Trouble.UNREACHABLE)
            case _:
                self.log.append(self.model.silence(tunnel=self._state is _State.TUNNEL))
                self._finish()

    @property
    def deadline(self) -> float | None:
        """When `tick` is due."""
        return self._due

    @property
    def full(self) -> bool:
        """Whether no more bytes should be read from the client for now."""
        if self._state is _State.TUNNEL:
            return self._far is not None and self._far.choked
        return self._state is not _State.LINGERING and len(self._buffer) > MOST_WAITING

    def writable(self, ready: bool) -> None:  # noqa: FBT001
        """Take note whether the client takes more."""
        self.choked = not ready
        if self._far is not None:
            self._far.changed()

    # what goes out on the near leg

    def outgoing(self) -> bytes:
        """Return, and forget, the bytes to send."""
        data = b"".join(self._writes)
        self._writes.clear()
        return data

    def drained(self) -> None:
        """Do nothing: nobody waits for it."""

    def finished(self, error: BaseException | None) -> None:
        """Do nothing: no handler runs here."""

    def shut(self) -> None:
        """Close at once, both ways."""
        self._finish()

    @property
    def problem(self) -> str:
        """What the program's error log would say; empty where nothing."""
        return "; ".join(dict.fromkeys(line for line in self.log if line))

    def _write(self, data: bytes) -> None:
        if data:
            self._writes.append(data)
        self.driver.wrote()

    # requests

    def _read(self) -> None:
        if self._reading:  # what answered a request comes back here; one loop reads them all
            return
        self._reading = True
        while self._state in (_State.HEAD, _State.CONTENT):
            if not (self._read_head() if self._state is _State.HEAD else self._read_content()):
                break
        self._reading = False

    def _read_head(self) -> bool:
        found = self.model.read_head(bytes(self._buffer)) if self._buffer else None
        if found is None:
            return False
        if isinstance(found, Own):
            self._own(found)
            return False
        head, length = found
        self._head = head
        del self._buffer[:length]
        self._number += 1
        self._content, self._body = content_of_request(head), b""
        self._state = _State.CONTENT
        if self.model.continues and not self._content.over and _expects_continue(head):
            self._write(ResponseHead(100, "Continue").to_bytes())
        return True

    def _read_content(self) -> bool:
        content = self._content
        assert content is not None
        assert self._head is not None
        if not content.over:
            self._wait(self.model.times.content)
            self._body += content.feed(bytes(self._buffer)) if self._buffer else b""
            self._buffer.clear()
            if content.broken:
                self._own(self.model.cut(b""))
            if not content.over:
                return False
            self._buffer += content.left
        self._go(Request(self._head, self._body, self._number))
        return self._state is _State.HEAD

    def _go(self, request: Request) -> None:
        """Answer a whole request, or send it on."""
        self.rounds.append(Round(request))
        decision = self.model.route(request)
        if isinstance(decision, Own):
            self._own(decision)
            return
        self.rounds[-1].forward = decision
        self._state = _State.WAITING
        self._answer.clear()
        if self._far is not None and not self._far.ended and self._far.address == decision.address:
            self.reached(self._far)
            return
        self._drop()
        self._far = FarSide(self, decision.address)
        self._wait(self.model.times.connect)
        self.driver.dial(decision.address, self._far)

    # what comes in on a far leg

    def reached(self, far: FarSide) -> None:
        """Send the request, now that the upstream is there."""
        if far is not self._far or self._state is not _State.WAITING:
            far.end()
            return
        self._wait(self.model.answer_time(self._forward))
        far.write(self._forward.to_bytes())

    def trouble(self, far: FarSide, trouble: Trouble) -> None:
        """Answer for an upstream that cannot."""
        if far is self._far and self._state in (_State.WAITING, _State.HELD):
            self._own(self.model.failed(self._round.request, self._forward, trouble))

    def heard(self, far: FarSide, data: bytes) -> None:
        """Take bytes of an upstream."""
        if far is not self._far:
            return
        if self._state is _State.TUNNEL:
            self._wait(self.model.tunnel_time(self._forward))
            self._write(data)
        elif self._state is _State.WAITING:
            self._wait(self.model.answer_time(self._forward))
            self._answer += data
            self._read_answers()
        elif self._state is _State.ANSWER:
            self._wait(self.model.answer_time(self._forward))
            self._relay_content(data)

    def left(self, far: FarSide) -> None:
        """Take the FIN of an upstream."""
        if far is not self._far:
            return
        match self._state:
            case _State.WAITING:
                self.trouble(far, Trouble.CLOSED)
            case _State.ANSWER:
                self._relay_content(b"")
                if self._state is _State.ANSWER:  # the content is cut short
                    self._finish()
            case _State.TUNNEL if self.model.half_closes and not self._near_ended:
                self.ending = Ending.FIN
                self.driver.wrote()
            case _State.TUNNEL | _State.HELD:
                self._finish()
            case _:
                self._drop()

    def _read_answers(self) -> None:
        while self._state is _State.WAITING:
            found = self.model.read_answer(bytes(self._answer))
            if found is None:
                return
            assert self._far is not None
            if isinstance(found, Trouble):
                self.trouble(self._far, found)
                return
            head, length = found
            del self._answer[:length]
            self._relay(head)

    def _relay(self, head: ResponseHead) -> None:
        made = self.model.relay(self._round.request, self._forward, head)
        if isinstance(made, Own):
            self._own(made)
            return
        self._round.relays.append((head, made))
        self.log.append(made.log)
        self._write(made.data)
        match made.turn:
            case Turn.FINAL:
                self._state = _State.ANSWER
                self._framing, self._keeps, self._keeps_upstream = made.framing, made.keeps, made.keeps_upstream
                self._content = content_of_answer(self._round.request.head.method, head)
                self._relay_content(bytes(self._answer))
            case Turn.SWITCH:
                self._tunnel()
            case Turn.HELD:
                self._state = _State.HELD

    def _relay_content(self, data: bytes) -> None:
        content = self._content
        assert content is not None
        found = b"" if content.over else content.feed(data)
        if found:
            self._write(chunk(found) if self._framing is Framing.CHUNKED else found)
        if content.broken:
            self._finish()
        elif content.over:
            self._answered()

    def _answered(self) -> None:
        """Go on to the next request, or close, once an answer is whole."""
        if self._framing is Framing.CHUNKED:
            self._write(chunk(b""))
        if not self._keeps_upstream:
            self._drop()
        if not self._keeps or self._framing is Framing.CLOSE or self._near_ended:
            self._finish()
            return
        self._next()

    def _next(self) -> None:
        self._state = _State.HEAD
        self._wait(self.model.times.head if self._buffer else self.model.times.keep_alive)
        self._read()

    def _tunnel(self) -> None:
        """Turn both legs into one: what came early goes first."""
        far = self._far
        assert far is not None
        self._state = _State.TUNNEL
        self._wait(self.model.tunnel_time(self._forward))
        if self._buffer:
            far.write(bytes(self._buffer))
            self._buffer.clear()
        if self._answer:
            self._write(bytes(self._answer))

    # ends

    def _own(self, own: Own) -> None:
        """Give an answer of the proxy's own; the upstream, if there is one, is left."""
        self._drop()
        if self._state is not _State.HEAD and self.rounds:
            self.rounds[-1].own = own
        self.log.append(own.log)
        self._write(own.data)
        if own.closes or self._near_ended:
            self._finish()
        else:
            self._next()

    def _finish(self) -> None:
        """Send our FINs once all is written, and linger."""
        self._drop()
        self._state = _State.LINGERING
        self._buffer.clear()
        if self.ending is Ending.NOT_YET:
            self.ending = Ending.FIN
        self._wait(self.model.times.linger)
        self.driver.wrote()

    def _drop(self) -> None:
        if self._far is not None:
            self._far.end()
            self._far = None

    def _wait(self, seconds: float) -> None:
        self._due = self.driver.clock() + seconds

    @property
    def _round(self) -> Round:
        return self.rounds[-1]

    @property
    def _forward(self) -> Forward:
        forward = self._round.forward
        assert forward is not None
        return forward


def _expects_continue(head: RequestHead) -> bool:
    return any(each.lower() == "100-continue" for each in head.fields.elements("Expect"))
