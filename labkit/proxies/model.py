"""What a model of a proxy decides, and in which terms; the machine that carries it out is `gateway`.

A model is made from a configuration and knows its program: which heads it reads, where a request goes, what
it makes of the field lines, what it does with each answer, and how long it waits. It does no I/O and keeps
no state of a connection.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from labkit.wire.fields import Fields
from labkit.wire.http1 import RequestHead, ResponseHead

__all__ = ["Change", "Fate", "Forward", "Framing", "Model", "Own", "Relay", "Request", "Times", "Trouble", "Turn"]

_MOST_CONTENT = 4 << 20  # bytes of a request's content that a proxy holds, whatever its configuration says


class Fate(StrEnum):
    """What became of a field line between two hops."""

    FORWARDED = "forwarded"
    REWRITTEN = "rewritten"
    ADDED = "added"
    DROPPED = "dropped"


class Change(NamedTuple):
    """What became of one field line, and what did it.

    Args:
        name: of the field, as it came or, where it was added, as it went.
        fate: what became of it.
        came: the value that came; empty where it was added.
        went: the value that went on; empty where it was dropped.
        by: the directive, or the program's own rule in a few words.
        line: the directive's line in the text; 0 for a rule of the program's own.
    """

    name: str
    fate: Fate
    came: str
    went: str
    by: str
    line: int = 0


class Trouble(StrEnum):
    """What can go wrong with an upstream before there is an answer that can be relayed."""

    REFUSED = "refused"  # nothing listens there
    UNREACHABLE = "unreachable"  # no answer to the dialling in time
    CLOSED = "closed"  # it closed before its head was complete
    GARBAGE = "garbage"  # what came is no head
    SILENT = "silent"  # nothing came in time


class Turn(StrEnum):
    """What follows an answer that is relayed."""

    INTERIM = "interim"  # the final answer is still to come
    FINAL = "final"  # of an interim status too, where the program takes it for one: what follows is its content
    SWITCH = "switch"  # a tunnel
    HELD = "held"  # nothing is sent, and nothing more is expected: the client waits


class Framing(StrEnum):
    """How the end of content is told (RFC 9112, 6.3)."""

    NONE = "none"
    LENGTH = "length"
    CHUNKED = "chunked"
    CLOSE = "close"


class Request(NamedTuple):
    """A whole request that came in on the near leg.

    Args:
        head: its head.
        content: its content, whatever framed it.
        number: which one it is on its connection, from 1.
    """

    head: RequestHead
    content: bytes = b""
    number: int = 1


class Own(NamedTuple):
    """An answer of the proxy's own; `data` empty with `closes` is a close without an answer.

    Args:
        data: its bytes, head and content.
        by: the directive or the rule that made it.
        line: the directive's line; 0 where it is a rule.
        closes: whether the connection is closed behind it.
        log: what the program's error log says, in its own words; may be empty.
    """

    data: bytes
    by: str
    line: int = 0
    closes: bool = True
    log: str = ""


@dataclass(frozen=True, slots=True)
class Forward:
    """A request on its way to an upstream.

    Args:
        address: the upstream's, as the configuration has it.
        head: as it goes on.
        content: the bytes behind the head, framed.
        changes: what became of the field lines.
        by: the directive that chose the upstream.
        line: its line.
        opaque: whether the upstream's bytes are passed on unread, from the first on, and the client's too; what
            the client sent behind the head, and `content`, then wait until it sends more.
        half_closes: in place of the model's own, where it depends on the way.
    """

    address: str
    head: RequestHead
    content: bytes = b""
    changes: tuple[Change, ...] = ()
    by: str = ""
    line: int = 0
    opaque: bool = False
    half_closes: bool | None = None

    def to_bytes(self) -> bytes:
        """Return the bytes that are sent upstream."""
        return self.head.to_bytes() + (b"" if self.opaque else self.content)


@dataclass(frozen=True, slots=True)
class Relay:
    """What a proxy makes of an upstream's answer.

    Args:
        turn: what follows.
        data: the bytes of the head as it goes to the client; empty where nothing is sent.
        framing: how its content is framed towards the client.
        keeps: whether the client's connection goes on after it.
        keeps_upstream: whether the upstream's connection is kept for the next request.
        changes: what became of the field lines.
        log: what the program's error log says; may be empty.
        held: how many bytes of content wait, with the head, until the answer is whole or there are more of them; where
            the upstream is silent for too long the head alone goes, and content that came in chunks. 0 where nothing
            waits; content that cannot be read is then lost together with what waits.
        reads: a head by whose fields the end of the content is found, where the program reads them in its own way.
    """

    turn: Turn
    data: bytes = b""
    framing: Framing = Framing.NONE
    keeps: bool = True
    keeps_upstream: bool = False
    changes: tuple[Change, ...] = ()
    log: str = ""
    held: int = 0
    reads: ResponseHead | None = None


class Times(NamedTuple):
    """How long a proxy waits, in seconds, and what it does then is `Model.overdue`'s to say.

    Args:
        head: for a whole request head, from the first byte (or the connection).
        content: between two reads of a request's content.
        keep_alive: for the next request.
        connect: for an upstream to take the connection.
        answer: between two reads of an upstream's answer.
        tunnel: without a byte either way, after a switch.
        linger: for the other side's FIN, after the proxy's own.
    """

    head: float = 60.0
    content: float = 60.0
    keep_alive: float = 75.0
    connect: float = 60.0
    answer: float = 60.0
    tunnel: float = 60.0
    linger: float = 5.0


@dataclass
class Model(ABC):
    """A proxy's behaviour, held against a real program of one version.

    Args:
        name: what its program is called as a party of a trace, see `Proxy.name`.
        version: the version it was held against.
        times: how long it waits where nothing else is said.
    """

    name: str
    version: str
    times: Times = field(default_factory=Times)

    continues: bool = True
    """Whether it sends 100 (Continue) itself to a client that waits for one."""

    half_closes: bool = False
    """Whether a tunnel goes on in one direction when the other has ended."""

    eof_aborts: bool = True
    """Whether a client's FIN before the answer ends the exchange."""

    part_counts: bool = True
    """Whether a part of an answer's head gives the upstream its time anew; else all of it must come in that time."""

    note: str = ""
    """What a trace says of it beside its version; empty where nothing."""

    @abstractmethod
    def read_head(self, data: bytes) -> tuple[RequestHead, int] | Own | None:
        """Read the head that `data` begins with: it and its length, the answer to what is no head, or None for more."""

    @abstractmethod
    def read_answer(self, data: bytes) -> tuple[ResponseHead, int] | Trouble | None:
        """Read the head of an answer: it and its length, GARBAGE for what is none, or None for more."""

    @abstractmethod
    def route(self, request: Request) -> Forward | Own:
        """Decide where a request goes, and how it goes on."""

    @abstractmethod
    def relay(self, request: Request, forward: Forward, answer: ResponseHead) -> Relay | Own | Forward:
        """Decide what is made of an answer of the upstream's, interim ones included; a Forward asks another one."""

    @abstractmethod
    def failed(self, request: Request, forward: Forward, trouble: Trouble) -> Own | Forward:
        """Answer for an upstream that cannot; a Forward asks another one, or the same again."""

    @abstractmethod
    def overdue(self, waiting: str) -> Own:
        """Answer a client whose "head" or "content" took too long."""

    @abstractmethod
    def cut(self, data: bytes) -> Own:
        """Answer a client that closes its direction in the middle of a request."""

    def answers_at_once(self, head: RequestHead) -> bool:  # noqa: ARG002  a model may look at it
        """Tell whether `route` gives an answer of the proxy's own, for which the content is not waited for."""
        return False

    def late(self, waiting: str, data: bytes) -> Own:  # noqa: ARG002
        """Do what `overdue` does, where it matters what of the head had come."""
        return self.overdue(waiting)

    def stopped(self, data: bytes, trouble: Trouble) -> Trouble:  # noqa: ARG002
        """Tell what it is when an upstream closes, or is silent, behind these bytes of a head."""
        return trouble

    def broken(self, head: RequestHead) -> Own:  # noqa: ARG002  a model may look at it
        """Answer a client whose content cannot be read: a chunk that is none, a length that is no number."""
        return self.cut(b"")

    def too_long(self, head: RequestHead, length: int) -> Own | None:  # noqa: ARG002
        """Answer a client whose content is `length` bytes long, or says so ahead; None where that is not too long."""
        if length <= _MOST_CONTENT:
            return None
        answer = ResponseHead(413, "Content Too Large", Fields((("Content-Length", "0"), ("Connection", "close"))))
        return Own(answer.to_bytes(), f"the lab's limit of {_MOST_CONTENT} bytes of content")

    def silence(self, *, tunnel: bool) -> str:
        """Return what the error log says where a tunnel, or an upstream in the middle of its answer, is silent."""
        return f"the {'tunnel' if tunnel else 'upstream'} was silent for too long"

    def ends_half(self, forward: Forward) -> bool:
        """Tell whether this tunnel goes on in one direction when the other has ended."""
        return self.half_closes if forward.half_closes is None else forward.half_closes

    def tunnel_time(self, forward: Forward) -> float:  # noqa: ARG002
        """Return how long a tunnel may be silent, in seconds."""
        return self.times.tunnel

    def answer_time(self, forward: Forward) -> float:  # noqa: ARG002
        """Return how long an upstream may be silent before and in its answer, in seconds."""
        return self.times.answer
