"""The machine under every model of a proxy: a near leg to the client, far legs to upstreams, and what passes.

    reading ─▶ waiting ─▶ answer ─▶ reading …      one request after the other, each with its answer
                  ├─ 101 ─▶ tunnel                 bytes both ways, whatever they are
                  └─ held                          the answer is kept back, and the client waits
    (any of them) ─▶ lingering                     our FIN is out; read on, so that it is not lost

The model decides, the machine carries out; both do no I/O. Whoever drives it opens the far legs, see `Driver.dial`.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum

from labkit.parties.conversation import MOST_WAITING
from labkit.parties.party import Driver, Ending
from labkit.proxies.answers import Answers
from labkit.proxies.far import FarSide
from labkit.proxies.model import Forward, Framing, Model, Own, Relay, Request, Trouble, Turn
from labkit.proxies.near import MOST_KEPT, NearSide
from labkit.proxies.requests import Requests
from labkit.proxies.rounds import Round
from labkit.wire.http1 import ResponseHead

__all__ = ["ProxyParty", "Round"]


class _State(StrEnum):
    READING = "reading"
    WAITING = "waiting"
    ANSWER = "answer"
    HELD = "held"
    TUNNEL = "tunnel"
    LINGERING = "lingering"


class ProxyParty(NearSide):
    """One client connection of a proxy, as its near party, with the far ones that it makes.

    Args:
        model: what it does.
        driver: its clock, and the way to dial.
    """

    def __init__(self, model: Model, driver: Driver) -> None:
        super().__init__(driver, driver.clock() + model.times.head)  # the first head's time is the connection's
        self.model = model
        self.rounds: deque[Round] = deque(maxlen=MOST_KEPT)
        self._state = _State.READING
        self._requests = Requests(model)
        self._answers = Answers(model)
        self._made: Relay
        self._far: FarSide | None = None
        self._next_step: Forward | Own | None = None
        self._reading = self._sending = self._near_ended = False
        self._head_begun = True
        self._closing = False  # as soon as the content has come of what was answered without it
        self._unread = False  # a tunnel that was one from the first byte on, and of which nothing was heard yet

    # what comes in on the near leg

    def receive(self, data: bytes) -> None:
        """Take bytes from the client."""
        match self._state:
            case _State.LINGERING:
                pass
            case _State.TUNNEL:
                self._wait(self.model.tunnel_time(self._forward))
                self._upstream.write(self._requests.take_rest() + data)
            case _:
                self._requests.buffer += data
                self._read()

    def receive_eof(self) -> None:
        """Take the client's FIN."""
        if self._near_ended or self._state is _State.LINGERING:
            return
        self._near_ended = True
        match self._state:
            case _State.READING:
                self._read()
            case _State.TUNNEL:
                self._end_half()
            case _ if self.model.eof_aborts:
                self._finish()

    def gone(self) -> None:
        """Take note that the client's connection is no more: nobody is left to answer."""
        self._finish()
        self._writes.clear()
        self._due = None

    def tick(self) -> None:
        """Do what is due."""
        if not self._is_due():
            return
        waiting = self._requests.waiting
        match self._state:
            case _State.LINGERING:
                self.ending = Ending.RESET
            case _State.READING if waiting and not self._requests.unread:
                self._refuse(self.model.late(waiting, bytes(self._requests.buffer)))
            case _State.READING:
                self._finish()
            case _State.WAITING:
                far = self._upstream
                self.trouble(far, self._answers.stopped(Trouble.SILENT) if far.reached else Trouble.UNREACHABLE)
            case _:
                self.log.append(self.model.silence(tunnel=self._state is _State.TUNNEL))
                self._write(self._answers.silent())
                self._finish()

    @property
    def full(self) -> bool:
        """Whether no more bytes should be read from the client for now."""
        tunnel = self._state is _State.TUNNEL
        return self._upstream.choked if tunnel else len(self._requests.buffer) > MOST_WAITING

    def writable(self, ready: bool) -> None:  # noqa: FBT001
        """Take note whether the client takes more; the upstream is read from, or not, accordingly."""
        self.choked = not ready
        if self._far is not None:
            self._far.changed()

    def shut(self) -> None:
        """Close at once, both ways."""
        self._finish()

    # requests

    def _read(self) -> None:
        """Read requests until one has to wait for its answer; what answers at once comes back here, and returns."""
        if self._reading:
            return
        self._reading = True
        while self._state is _State.READING:
            found = self._requests.read()
            if self._closing and not self._requests.unread:
                self._finish()
            elif found is None:
                break
            else:
                self._take(found)
        self._reading = False
        if self._state is _State.READING:
            self._await_client()

    def _take(self, found: Request | ResponseHead | Own) -> None:
        if isinstance(found, ResponseHead):
            self._write(found.to_bytes())
        elif isinstance(found, Own):
            self._refuse(found)
        else:
            self._go(found)

    def _await_client(self) -> None:
        waiting = self._requests.waiting
        if self._near_ended and waiting:
            self._refuse(self.model.cut(bytes(self._requests.buffer)))
        elif self._near_ended:
            self._finish()
        elif waiting == "content":
            self._wait(self.model.times.linger if self._requests.unread else self.model.times.content)
        elif waiting and not self._head_begun:
            self._head_begun = True
            self._wait(self.model.times.head)

    def _go(self, request: Request) -> None:
        """Answer a whole request, or send it on."""
        self._state = _State.WAITING
        self.rounds.append(Round(request))
        self._send(self.model.route(request))

    def _send(self, decision: Forward | Own) -> None:
        """Do what was decided; an upstream that fails at once comes back here, and returns."""
        self._next_step = decision
        if self._sending:
            return
        self._sending = True
        while (step := self._next_step) is not None:
            self._next_step = None
            if isinstance(step, Own):
                self._own(step)
            else:
                self._ask(step)
        self._sending = False

    def _ask(self, decision: Forward) -> None:
        """Ask an upstream: the one that was kept, if it is the same."""
        self._state, self._unread = _State.WAITING, False
        self._round.forward = decision
        if self._far is not None and self._far.address == decision.address:
            self.reached(self._far)
            return
        self._drop()
        self._far = FarSide(self, decision.address, self.model.times.linger)
        self._wait(self.model.times.connect)
        self._far.dial()

    # what comes in on a far leg; one that was left says nothing any more

    def reached(self, far: FarSide) -> None:
        """Send the request, now that the upstream is there."""
        if far is self._far:
            self._wait(self.model.answer_time(self._forward))
            far.write(self._forward.to_bytes())
            if self._forward.opaque:
                self._pass_unread()

    def trouble(self, far: FarSide, trouble: Trouble) -> None:
        """Answer for an upstream that cannot."""
        if far is self._far:
            decision = self.model.failed(self._round.request, self._forward, trouble)
            self._drop()
            self._send(decision)

    def heard(self, far: FarSide, data: bytes) -> None:
        """Take bytes of an upstream."""
        if far is not self._far:
            return
        match self._state:
            case _State.TUNNEL:
                self._unread = False
                self._wait(self.model.tunnel_time(self._forward))
                self._write(data)
            case _State.WAITING | _State.ANSWER:
                if self._state is _State.ANSWER or self.model.part_counts:
                    self._wait(self.model.answer_time(self._forward))
                self._answers.buffer += data
                self._read_answers(far)
            case _State.READING:  # it was kept, and nobody asked
                self._drop()

    def left(self, far: FarSide) -> None:
        """Take the FIN of an upstream."""
        if far is not self._far:
            return
        match self._state:
            case _State.ANSWER:
                self._relay_content(self._answers.end())
            case _State.TUNNEL if not self._near_ended and self.model.ends_half(self._forward):
                self._fin()
            case _:
                self.lost(far)

    def lost(self, far: FarSide) -> None:
        """Take note that the connection to an upstream is no more."""
        if far is not self._far:
            return
        match self._state:
            case _State.WAITING:
                self.trouble(far, self._answers.stopped(Trouble.CLOSED))
            case _State.TUNNEL if self._unread:
                self.trouble(far, Trouble.CLOSED)
            case _State.READING:
                self._drop()
            case _:
                self._write(self._answers.let_go())
                self._finish()

    # answers

    def _read_answers(self, far: FarSide) -> None:
        while self._state is _State.WAITING and (found := self._answers.read_head()) is not None:
            if isinstance(found, Trouble):
                self.trouble(far, found)
            else:
                self._relay(found)
        if self._state is _State.ANSWER:
            self._relay_content(self._answers.read_content())

    def _relay(self, head: ResponseHead) -> None:
        made = self.model.relay(self._round.request, self._forward, head)
        if not isinstance(made, Relay):
            self._drop()
            self._send(made)
            return
        self._round.relays.append((head, made))
        self.log.append(made.log)
        match made.turn:
            case Turn.FINAL:
                self._wait(self.model.answer_time(self._forward))
                self._state, self._made = _State.ANSWER, made
                self._answers.begin_content(self._round.request.head.method, head, made)
            case Turn.SWITCH:
                self._write(made.data)
                self._tunnel()
            case Turn.HELD:
                self._state = _State.HELD
            case Turn.INTERIM:
                self._write(made.data)

    def _relay_content(self, data: bytes) -> None:
        self._write(self._answers.released(data))
        if self._answers.broken:
            self._finish()
        elif self._answers.over:
            self._answered(self._made)

    def _answered(self, made: Relay) -> None:
        """Go on to the next request, or close."""
        if not (made.keeps_upstream and self._answers.clean) or self._upstream.ended:
            self._drop()
        if made.keeps and made.framing is not Framing.CLOSE:
            self._next()
        else:
            self._finish()

    def _next(self) -> None:
        self._round.drop_content()
        self._state = _State.READING
        self._head_begun = False
        self._wait(self.model.times.keep_alive)
        self._read()

    # the tunnel

    def _tunnel(self) -> None:
        """Turn both legs into one: what came early goes first."""
        self._state = _State.TUNNEL
        self._wait(self.model.tunnel_time(self._forward))
        self._upstream.write(self._requests.take_rest())
        self._write(self._answers.take_rest())
        if self._near_ended:
            self._end_half()

    def _pass_unread(self) -> None:
        """Make a tunnel of both legs at once; what the client sent already is held until it sends more."""
        self._state, self._unread = _State.TUNNEL, True
        self._requests.held = self._forward.content
        self._wait(self.model.tunnel_time(self._forward))
        if self._near_ended:
            self._end_half()

    def _end_half(self) -> None:
        """End the client's direction of a tunnel, or all of it."""
        self._upstream.write(self._requests.take_rest())
        if self._unread:
            self.trouble(self._upstream, Trouble.CLOSED)
        elif self.model.ends_half(self._forward) and not self._upstream.ended:
            self._upstream.fin()
        else:
            self._finish()

    # ends

    def _refuse(self, own: Own) -> None:
        """Answer what is no whole request: nothing that may follow can be read."""
        self._say(own)
        self._finish()

    def _own(self, own: Own) -> None:
        """Answer a request; the content that is still to come of it is read, and dropped."""
        self._say(own)
        if own.closes and (self._near_ended or not self._requests.unread):
            self._finish()
        else:
            self._closing = own.closes
            self._next()

    def _say(self, own: Own) -> None:
        """Give an answer of the proxy's own; the upstream, if there is one, is left."""
        self._drop()
        if self._state is not _State.READING:
            self._round.own = own
        self.log.append(own.log)
        self._write(own.data)

    def _finish(self) -> None:
        """Send our FINs once all is written, and linger."""
        self._drop()
        if self.rounds:
            self._round.drop_content()
        self._state = _State.LINGERING
        self._requests.buffer.clear()
        self._fin()
        self._wait(self.model.times.linger)

    def _drop(self) -> None:
        self._answers.buffer.clear()
        if self._far is not None:
            self._far.end()
            self._far = None

    @property
    def _upstream(self) -> FarSide:
        assert self._far is not None
        return self._far

    @property
    def _round(self) -> Round:
        return self.rounds[-1]

    @property
    def _forward(self) -> Forward:
        forward = self._round.forward
        assert forward is not None
        return forward
