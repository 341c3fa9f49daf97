"""The WebSocket core that both parties use: websockets' own, with what it leaves out completed.

| what websockets 17 does                                 | what is asked                              |
|---------------------------------------------------------|--------------------------------------------|
| answers a Ping or Close as soon as it is read           | in order, after the messages before it     |
| fails a Close between two fragments with 1002           | control frames may interleave (6455, 5.4)  |
| checks the UTF-8 of a message at its end, or not at all | fail (6455, 8.1), and here at once         |
| counts a control frame against the message size         | the limit is for messages (RFC 6455, 10.4) |
| bounds the number of fragments only in its I/O layers   | a limit (RFC 6455, 10.4)                   |
| draws masking keys by itself                            | the caller gives them                      |

In order, because otherwise the answer would depend on how reads fall.
"""

from __future__ import annotations

import codecs
import logging
import struct
from collections.abc import Generator, Iterator, Sequence
from typing import Any

from websockets.exceptions import ProtocolError
from websockets.extensions.base import Extension
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import Protocol, Side, State
from websockets.streams import StreamReader

from labkit.parties.whole import apply_mask, whole_frame, whole_size
from labkit.wire.websocket import frame as write_frame

__all__ = ["QUIET", "Core", "Failure", "Stored", "StoredFactory"]

QUIET = logging.getLogger("labkit.websocket")
"""A logger that says nothing: what goes wrong is in the trace."""
QUIET.addHandler(logging.NullHandler())
QUIET.propagate = False
QUIET.setLevel(logging.CRITICAL)

Failure = tuple[int, str]  # a close code and its reason
_DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)


class _Reader(StreamReader):
    """websockets' reader, which also keeps what has been read of the frame that is on its way."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[bytearray] = []  # two bytes, a longer length, a masking key: as far as they have come

    def read_exact(self, n: int) -> Generator[None, None, bytearray]:
        """Read so many bytes, as soon as they are there."""
        buffer = self.buffer
        if len(buffer) < n:
            data = yield from super().read_exact(n)
        else:
            data = buffer[:n]
            del buffer[:n]
        self.begun.append(data)
        return data


class Core(Protocol):
    """A WebSocket connection after the opening handshake.

    Events are data frames, control frames and at most one `Failure`, in the order of the bytes; the
    caller gives control frames and failures back to `answer` once all before them has been dealt with.

    Args:
        side: client or server.
        message_limit: the most bytes of a message, before and after inflating.
        fragment_limit: the most fragments of a message.
        keys: masking keys, for a client.
        extensions: those agreed on in the opening handshake.
    """

    def __init__(
        self,
        side: Side,
        message_limit: int,
        fragment_limit: int,
        keys: Iterator[bytes] | None = None,
        extensions: Sequence[Extension] = (),
    ) -> None:
        self._limit = message_limit
        self._most = fragment_limit
        self._keys = keys
        self._size = self._count = 0
        self._utf8: codecs.IncrementalDecoder | None = None
        self._checked = self._ahead = 0  # bytes of text in this message, and in the frame that is on its way
        # Compressed bytes can be a little longer than the message: stored blocks add 5 bytes each.
        longest = max(125, message_limit + 5 * (message_limit // 8000 + 2))
        super().__init__(side, max_size=(None, longest), logger=QUIET)
        self.longest = longest
        self.reader: _Reader = _Reader()
        self.parser = self.parse()  # of this reader
        next(self.parser)
        self.stopped = False
        self.unsent = 0
        self.extensions = list(extensions)

    @property
    def message_limit(self) -> int:
        """The most bytes of a message."""
        return self._limit

    @property
    def plain(self) -> bool:
        """Whether the next byte begins a client's frame of which no extension and no open message has a say."""
        reader = self.reader
        return (
            not (reader.buffer or reader.begun or self.stopped or self.extensions)
            and self.current_size is None
            and self.side is Side.SERVER
        )

    def due(self, data: bytes, at: int) -> int:
        """Return how many bytes to read of `data` from `at` on: those of one frame, or fewer; or all."""
        if self.stopped or self.extensions or self.side is Side.CLIENT:
            return len(data) - at
        reader = self.reader
        begun = b"".join(reader.begun)
        start = begun + reader.buffer[:14] + data[at : at + 14]  # no header is longer
        return whole_size(start) - len(begun) - len(reader.buffer)

    def receive_data(self, data: bytes | bytearray) -> None:
        """Take bytes; look into a frame of which only a part has come."""
        super().receive_data(data)
        if self.reader.begun and not self.stopped:
            self._look_ahead()

    def _look_ahead(self) -> None:
        """Refuse a message that becomes too long, and text with a bad byte, before the frame is whole."""
        begun = self.reader.begun
        first, second = begun[0]
        opcode, size, masked = first & 0x0F, second & 0x7F, second >> 7
        if len(begun) < 1 + (size > 125) + masked or first & 0x70 or opcode > Opcode.BINARY:
            return  # its header is not whole, or it is none of data; what is compressed cannot be looked into
        goes_on = self.current_size is not None
        if goes_on is not (opcode == Opcode.CONT) or (goes_on and self._packed):
            return
        if not goes_on and not self._ahead:
            self._begin(text=opcode == Opcode.TEXT)
        if not self._fits(int.from_bytes(begun[1], "big") if size > 125 else size) or self._utf8 is None:
            return
        piece = bytes(memoryview(self.reader.buffer)[self._ahead :])
        if masked:
            turn = self._ahead % 4
            piece = apply_mask(piece, bytes(begun[-1][turn:] + begun[-1][:turn]))
        self._ahead += len(piece)
        self._check(piece, end=False)

    @property
    def _packed(self) -> bool:
        """Whether the fragments of the message on its way are compressed."""
        return any(isinstance(each, PerMessageDeflate) and each.decode_cont_data for each in self.extensions)

    def recv_frame(self, frame: Frame) -> None:
        """Check one frame and queue it; nothing is answered here."""
        self.reader.begun.clear()
        opcode = frame.opcode
        if opcode is Opcode.CLOSE:
            Close.parse(frame.data)  # raises where the code or the reason is broken
            self.current_size = None  # a Close may stand between fragments
            self._stop()
        elif opcode in _DATA and not self._data_frame(frame):
            return
        self.events.append(frame)

    def _data_frame(self, frame: Frame) -> bool:
        opcode, size = frame.opcode, len(frame.data)
        if opcode is Opcode.CONT:
            if self.current_size is None:
                raise ProtocolError("unexpected continuation frame")
        elif self.current_size is not None:
            raise ProtocolError("expected a continuation frame")
        elif self._ahead:
            pass  # its beginning was looked into
        elif frame.fin and size <= self._limit:  # the common case: a message of one frame
            if opcode is Opcode.TEXT:
                codecs.utf_8_decode(frame.data, "strict", True)
            return True
        else:
            self._begin(text=opcode is Opcode.TEXT)
        if not self._fits(size):
            return False
        self._size += size
        self._count += 1
        self.current_size = None if frame.fin else self._size
        rest, self._ahead = self._ahead, 0
        return self._utf8 is None or self._check(bytes(frame.data[rest:]), end=frame.fin)

    def _begin(self, *, text: bool) -> None:
        """Begin to count a message."""
        self._size = self._count = self._checked = 0
        self._utf8 = codecs.getincrementaldecoder("utf-8")() if text else None

    def _fits(self, size: int) -> bool:
        """Tell whether the message may have a fragment more, of this size; refuse it where not."""
        if self._size + size > self._limit:
            return self._refuse(1009)
        if self._count + 1 > self._most:
            return self._refuse(1008, f"a message has at most {self._most} fragments here")
        return True

    def _check(self, piece: bytes, *, end: bool) -> bool:
        """Tell whether text may go on like this; refuse it where not, by where in the message that is."""
        assert self._utf8 is not None
        before = self._checked - len(self._utf8.getstate()[0])
        try:
            self._utf8.decode(piece, end)
        except UnicodeDecodeError as error:
            return self._refuse(1007, f"{error.reason} at position {before + error.start}")
        self._checked += len(piece)
        held = self._utf8.getstate()[0]
        if held[:1] == b"\xed" and held[1:] > b"\x9f":  # a surrogate: Python's decoder waits for its third byte
            return self._refuse(1007, f"invalid continuation byte at position {self._checked - 2}")
        return True

    def _refuse(self, code: int, reason: str = "") -> bool:
        self.fail(code, reason)
        return False

    def fail(self, code: int, reason: str = "") -> None:
        """Queue a failure behind what was received before it."""
        if code == 1009:  # websockets names the limit of a frame, and that is not the message's
            reason = f"a message is at most {self._limit} bytes long here"
        self.events.append((code, reason))  # type: ignore[arg-type]
        self._stop()

    def _stop(self) -> None:
        self.stopped = True
        self.parser = self._hold()
        next(self.parser)

    def _hold(self) -> Generator[None, None, None]:
        while not (yield from self.reader.at_eof()):
            self.reader.discard()
        yield

    def answer(self, event: Frame | Failure) -> None:
        """Do what a control frame or a failure asks for: a Pong, a Close, the end."""
        if isinstance(event, tuple):
            super().fail(*event)
        elif event.opcode is Opcode.PING:
            self.send_frame(Frame(Opcode.PONG, event.data))
        elif event.opcode is Opcode.CLOSE:
            super().recv_frame(event)
            self.events.pop()

    def send_whole(self, message: str | bytes) -> None:
        """Queue a message in one frame."""
        text = isinstance(message, str)
        data = message.encode() if isinstance(message, str) else message
        if (
            self._keys is None
            and not self.extensions
            and self.state is State.OPEN
            and not self.expect_continuation_frame
        ):
            raw = whole_frame(data, text=text)
            self.writes.append(raw)
            self.unsent += len(raw)
        elif text:
            self.send_text(data)
        else:
            self.send_binary(data)

    def send_frame(self, frame: Frame) -> None:
        """Queue one frame; the masking key comes from the caller, not from chance."""
        frame.check()
        for extension in self.extensions:
            frame = extension.encode(frame)
        rsv = frame.rsv1 << 2 | frame.rsv2 << 1 | frame.rsv3
        mask = next(self._keys) if self._keys is not None else b""
        raw = write_frame(frame.opcode, bytes(frame.data), fin=frame.fin, rsv=rsv, mask=mask)
        self.writes.append(raw)
        self.unsent += len(raw)


class Stored(PerMessageDeflate):
    """permessage-deflate that compresses nothing: stored blocks, the same bytes whatever zlib is here.

    RFC 7692, 7.2.3.3 shows such a message: c1 0b 00 05 00 fa ff 48 65 6c 6c 6f 00.
    """

    def encode(self, frame: Frame) -> Frame:
        """Wrap a data frame's payload in stored blocks (RFC 1951, 3.2.4)."""
        if frame.opcode not in _DATA:
            return frame
        data = bytes(frame.data)
        pieces = [data[at : at + 0xFFFF] for at in range(0, len(data), 0xFFFF)]
        out = b"".join(b"\0" + struct.pack("<HH", len(p), len(p) ^ 0xFFFF) + p for p in pieces)
        # A message ends in the header of an empty block, less the four bytes that RFC 7692 takes off.
        out += b"\0" if frame.fin else b"\0\0\0\xff\xff"
        first = frame.opcode is not Opcode.CONT
        return Frame(frame.opcode, out, frame.fin, rsv1=first)


class StoredFactory(ServerPerMessageDeflateFactory):
    """Agrees to permessage-deflate as websockets does, and then sends stored blocks."""

    def process_request_params(
        self, params: Sequence[tuple[str, str | None]], accepted_extensions: Sequence[Extension]
    ) -> tuple[list[tuple[str, str | None]], Any]:
        """Agree on parameters; see websockets, which declines a window of 8 bits: zlib has none so small."""
        smallest = ("server_max_window_bits", "8")  # no stored block looks back at what was before it
        asked = [(name, "9") if (name, value) == smallest else (name, value) for name, value in params]
        answer, agreed = super().process_request_params(asked, accepted_extensions)
        if smallest in params:
            answer = [smallest if name == smallest[0] else (name, value) for name, value in answer]
        stored = Stored(
            agreed.remote_no_context_takeover,
            agreed.local_no_context_takeover,
            agreed.remote_max_window_bits,
            agreed.local_max_window_bits,
        )
        return answer, stored
