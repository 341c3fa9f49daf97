"""What every side of an HTTP/2 connection has here: h2's core, bytes in and bytes out, and its end.

The one file that imports h2.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import suppress
from typing import Any

from labkit.errors import Absent
from labkit.wire.http2 import HEADER, PREFACE

__all__ = ["Http2Side", "need_h2"]


class Http2Side(ABC):
    """One side of an HTTP/2 connection: bytes in, bytes out.

    Args:
        client: whether it is the client's.
    """

    def __init__(self, *, client: bool) -> None:
        self._h2 = need_h2()
        self.over = False
        self.problem = ""
        config = self._h2.config.H2Configuration(client_side=client, header_encoding="latin-1")
        self.core = self._h2.connection.H2Connection(config)
        self._skip = 0 if client else len(PREFACE)  # bytes until the next frame begins
        self._header = b""

    def take(self, data: bytes) -> bytes:
        """Take bytes; return those to send, the GOAWAY where they cannot be read among them."""
        broken = self._h2.exceptions.ProtocolError
        try:
            events = self.core.receive_data(data)
        except broken as error:
            self.over = True
            self.problem = f"the other side's HTTP/2 cannot be read: {error or type(error).__name__}"
            return self.written() or self._goodbye()  # h2 says none itself where the preface is wrong
        if longest := self._too_long(data):
            self.over = True
            self.problem = f"the other side's HTTP/2 cannot be read: a frame of {longest:,} bytes begins"
            return self.written() + self._goodbye("FRAME_SIZE_ERROR")
        for event in events:
            with suppress(broken):  # its stream was reset in the same bytes
                self.note(type(event).__name__, event)
        return self.written()

    def written(self) -> bytes:
        """Return, and forget, what there is to send."""
        data: bytes = self.core.data_to_send()
        return data

    def _goodbye(self, code: str = "PROTOCOL_ERROR") -> bytes:
        """Return a GOAWAY that says what is wrong (RFC 9113, 5.4.1)."""
        self.core.close_connection(self._h2.errors.ErrorCodes[code])
        return self.written()

    def _too_long(self, data: bytes) -> int:
        """Return the length of a frame that begins here and is longer than allowed: h2 would wait for all of it."""
        at = 0
        while at < len(data):
            passed = min(self._skip, len(data) - at)
            self._skip -= passed
            at += passed
            piece = data[at : at + HEADER - len(self._header)]
            self._header += piece
            at += len(piece)
            if len(self._header) == HEADER:
                self._skip = int.from_bytes(self._header[:3], "big")
                self._header = b""
                if self._skip > self.core.max_inbound_frame_size:
                    return self._skip
        return 0

    @abstractmethod
    def note(self, kind: str, event: Any) -> None:
        """Do what an event of h2 asks for."""


def need_h2() -> Any:
    """Return the package h2.

    Raises:
        Absent: it is not installed.
    """
    try:
        import h2.config  # noqa: PLC0415  optional
        import h2.connection  # noqa: PLC0415
        import h2.errors  # noqa: PLC0415
        import h2.exceptions  # noqa: PLC0415
        import h2.settings  # noqa: PLC0415
    except ImportError:
        raise Absent('HTTP/2 needs the package h2: python -m pip install "http101-labkit[h2c]"') from None
    return h2
