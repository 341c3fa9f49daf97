r"""How the reads of a stream fall, and what a reader of the answer makes of them.

TCP carries bytes, not messages: the head of a 101 and the first frame behind it may come in one read or in several,
cut anywhere, and which it is is chance. `Seam` holds such an answer and cuts it at any place; a reader is held against
every cut.

    def reader(recv):                    recv() gives the next read, as a socket's would, and b"" at the end
        …
        return frames                    all bytes that go to the reader of frames
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from labkit.dissection import dissect
from labkit.errors import WrongUse
from labkit.parties.conversation import told
from labkit.trace import Direction, Trace, Transfer

__all__ = ["Kind", "Reader", "Reading", "Seam", "mended", "naive"]

Reader = Callable[[Callable[[], bytes]], bytes]
"""Reads the head of an answer, and returns all bytes that it hands to the reader of frames."""

_MOST_EMPTY = 100  # reads behind the end: who has not seen it then never will


def naive(recv: Callable[[], bytes]) -> bytes:
    """Read an answer as it is done in many places: what came with the head counts as head."""
    head = recv()
    while b"\r\n\r\n" not in head:
        head += recv()
    return b"".join(iter(recv, b""))


def mended(recv: Callable[[], bytes]) -> bytes:
    """Read an answer, and keep what stands behind its blank line: those bytes are the new protocol's."""
    data = recv()
    while b"\r\n\r\n" not in data:
        data += recv()
    _head, _, frames = data.partition(b"\r\n\r\n")
    return frames + b"".join(iter(recv, b""))


class Kind(StrEnum):
    """What became of the bytes behind the seam."""

    ALL = "all"
    LOST = "lost"
    TORN = "torn"
    WRONG = "wrong"
    FAILED = "failed"


@dataclass(frozen=True)
class Reading:
    """What a reader made of an answer that was cut at one place.

    Args:
        kind: ALL where every byte behind the seam was handed on, LOST where none was, TORN where it begins in the
            middle of a frame, WRONG where bytes were handed on that do not stand there, FAILED where it raised.
        given: the bytes that it handed on.
        problem: what it raised, in a line.
    """

    kind: Kind
    given: bytes = b""
    problem: str = ""


@dataclass(frozen=True)
class Seam:
    r"""The head of a 101 and the first frame behind it: bytes that may come in any reads.

    Args:
        data: the bytes.
        at: the offset of the seam: of the first byte behind the blank line (RFC 9110, 15.2.2; RFC 9112, 2.1).

    >>> seam = Seam(b"HTTP/1.1 101 \r\n\r\n" + b"\x81\x02Hi", 17)
    >>> seam.cut(5)
    (b'HTTP/', b'1.1 101 \r\n\r\n\x81\x02Hi')
    >>> seam.read(naive, 5).kind, seam.read(naive, 17).kind, seam.read(naive, 19).kind, seam.read(mended, 19).kind
    (<Kind.LOST: 'lost'>, <Kind.ALL: 'all'>, <Kind.TORN: 'torn'>, <Kind.ALL: 'all'>)
    """

    data: bytes
    at: int

    @classmethod
    def of(cls, trace: Trace) -> Seam:
        """Return the seam of a trace's last hop with a WebSocket frame behind its 101.

        Raises:
            WrongUse: there is no 101, or no frame behind it.
        """
        if not isinstance(trace, Trace):
            raise WrongUse(f"the seam is looked for in a trace, not in {trace!r}")
        for view in reversed(dissect(trace).hops):
            frames = view.frames(Direction.TO_CLIENT)
            if frames and frames.frames:
                first = frames.frames[0]
                return cls(trace.stream(Direction.TO_CLIENT, view.hop)[: first.end], view.seam[Direction.TO_CLIENT])
        raise WrongUse("this trace has no frame behind a 101: let the server speak first, and record again")

    @property
    def head(self) -> bytes:
        """The head of the answer, with its blank line."""
        return self.data[: self.at]

    @property
    def frame(self) -> bytes:
        """The first frame."""
        return self.data[self.at :]

    @property
    def places(self) -> range:
        """Where it can be cut; the last place is its end, where all comes in one read."""
        return range(1, len(self.data) + 1)

    def cut(self, *places: int) -> tuple[bytes, ...]:
        """Return the reads, where one ends at each of these places.

        Raises:
            WrongUse: there is no such place.
        """
        for place in places:
            if type(place) is not int or place not in self.places:
                raise WrongUse(f"the cut is at one of the places 1 to {len(self.data)}, not at {place!r}")
        ends = sorted({*places, len(self.data)})
        return tuple(self.data[start:end] for start, end in pairwise([0, *ends]))

    def read(self, reader: Reader, *places: int) -> Reading:
        """Let a reader read it, cut at these places; whatever the reader raises is told, not raised."""
        if not callable(reader):
            raise WrongUse(f"a reader is a function of recv, not {reader!r}")
        recv = _recv(self.cut(*places))
        try:
            given = reader(recv)
        except Exception as error:  # noqa: BLE001  a learner's own code may raise anything
            return Reading(Kind.FAILED, problem=told(error))
        if not isinstance(given, (bytes, bytearray, memoryview)):
            return Reading(Kind.FAILED, problem=f"it returned {type(given).__name__}, not bytes")
        return self._judged(bytes(given))

    def _judged(self, given: bytes) -> Reading:
        if given == self.frame:
            kind = Kind.ALL
        elif not given:
            kind = Kind.LOST
        else:
            kind = Kind.TORN if self.frame.endswith(given) else Kind.WRONG
        return Reading(kind, given)

    def every(self, reader: Reader) -> tuple[Reading, ...]:
        """Let a reader read it at each of its places."""
        return tuple(self.read(reader, place) for place in self.places)

    def understood(self, given: bytes) -> Trace:
        """Return a trace in which the bytes that a reader handed on stand behind the head, to be read as frames."""
        ask = Transfer(0, Direction.TO_SERVER, _ASKED)
        return Trace((ask, Transfer(0, Direction.TO_CLIENT, self.head + given)))


_ASKED = b"GET / HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"


def _recv(reads: tuple[bytes, ...]) -> Callable[[], bytes]:
    """Return what gives read after read, and then the end, but not for ever."""

    def falling() -> Iterator[bytes]:
        yield from reads
        for _ in range(_MOST_EMPTY):
            yield b""

    left = falling()

    def recv(_most: int = 0) -> bytes:
        for read in left:
            return read
        raise EOFError(f"it read {_MOST_EMPTY} times behind the end: b'' from recv() says that nothing more comes")

    return recv
