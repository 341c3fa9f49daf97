"""HTTP/2 after a 101 to h2c: two ordinary handlers, one for each side, over h2's core.

    Server(protocols={"h2c": http2_server})           the answer to the upgraded request comes on stream 1
    Scenario(Offer.h2c(), say=http2_client, …)        it is read, and the connection ends with GOAWAY
    Scenario(Offer.h2c(), say=http2_asks("/b"), …)    and before that, more is asked for, on streams 3, 5 …

The upgrade is of RFC 7540, 3.2; RFC 9113, 3.1 took it back, and curl still offers it.
"""

from __future__ import annotations

import base64
from typing import Any

from labkit.errors import Failed, WrongUse
from labkit.parties.http2_core import Http2Side
from labkit.parties.stream import Closed, Handler, Stream
from labkit.wire.http2 import pairs
from labkit.wire.upgrade import settings_payload

__all__ = ["http2_asks", "http2_client", "http2_server"]

_FIRST = 1  # the stream of the request that was upgraded (RFC 7540, 3.2)
_FIELD = "HTTP2-Settings"
_PATIENCE = 5.0  # seconds for the answer


async def http2_server(stream: Stream) -> None:
    """Speak HTTP/2 as a server: answer the upgraded request, and every other, with a line of text.

    >>> import labkit
    >>> server = labkit.Server(protocols={"h2c": http2_server})
    >>> trace = labkit.simulate(labkit.Scenario(labkit.Offer.h2c(), say=http2_client, server=server))
    >>> b"GET / over HTTP/2, stream 1" in trace.stream(labkit.Direction.TO_CLIENT)
    True
    """
    speaker = _Server(stream)
    await stream.send(speaker.begin())
    while not speaker.over:
        try:
            data = await stream.receive()
        except Closed:
            return
        await stream.send(speaker.take(_bytes(data)))


async def http2_client(stream: Stream) -> None:
    """Speak HTTP/2 as the client whose request was upgraded: read its answer, then say goodbye.

    Raises:
        Failed: the answer did not come whole.
    """
    await _asked(stream, ())


def http2_asks(*targets: str) -> Handler:
    """Return a client like `http2_client` that asks for more in the same connection, one request after the other.

    Whoever stands between has seen the first request alone: what follows is bytes of a tunnel.

    >>> import labkit
    >>> server = labkit.Server(protocols={"h2c": http2_server})
    >>> trace = labkit.simulate(labkit.Scenario(labkit.Offer.h2c(), say=http2_asks("/b"), server=server))
    >>> b"GET /b over HTTP/2, stream 3" in trace.stream(labkit.Direction.TO_CLIENT)
    True
    """
    for target in targets:
        if not isinstance(target, str) or not target.startswith("/"):
            raise WrongUse(f"what is asked for is a path, such as '/', not {target!r}")

    async def client(stream: Stream) -> None:
        await _asked(stream, targets)

    return client


async def _asked(stream: Stream, more: tuple[str, ...]) -> None:
    speaker = _Client(stream, more)
    until = stream.clock() + _PATIENCE  # of all answers
    await stream.send(speaker.begin())
    while not speaker.over:
        await stream.send(speaker.take(await _heard(stream, until - stream.clock(), speaker.number)))
    if speaker.problem:
        raise Failed(speaker.problem)


async def _heard(stream: Stream, left: float, number: int) -> bytes:
    """Return what came within the seconds that are left; much that comes is no answer yet."""
    late = Failed(f"no answer came on stream {number} within {_PATIENCE:g} s")
    if left <= 0:
        raise late
    try:
        return _bytes(await stream.receive(left))
    except TimeoutError:
        raise late from None
    except Closed:
        raise Failed(f"the connection ended before the answer on stream {number} did") from None


class _Speaker(Http2Side):
    """One side of an HTTP/2 connection that began with an upgrade."""

    def __init__(self, stream: Stream, *, client: bool) -> None:
        super().__init__(client=client)
        self.request = stream.request
        self.settings = settings_payload(stream.request.fields.get(_FIELD) or "") or b""


class _Server(_Speaker):
    """Answers requests; what a window does not let through waits for the next one."""

    def __init__(self, stream: Stream) -> None:
        super().__init__(stream, client=False)
        self._asked: dict[int, tuple[str, str]] = {}
        self._left: dict[int, bytes] = {}

    def begin(self) -> bytes:
        """Return the server's preface, and the answer to the upgraded request."""
        try:
            self.core.initiate_upgrade_connection(base64.urlsafe_b64encode(self.settings))
            self._answer(_FIRST, self.request.method, self.request.target)
        except self._h2.exceptions.ProtocolError:  # a setting out of its range (RFC 9113, 6.5.2)
            self.over = True
            return self._goodbye()
        return self.written()

    def note(self, kind: str, event: Any) -> None:
        """Answer whole requests, and give back the room that their content took."""
        if kind == "RequestReceived":
            fields = dict(event.headers)
            self._asked[event.stream_id] = (fields.get(":method", "GET"), fields.get(":path", "*"))
        elif kind == "DataReceived":
            self.core.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif kind == "StreamEnded":
            self._answer(event.stream_id, *self._asked.pop(event.stream_id))
        elif kind == "StreamReset":
            self._asked.pop(event.stream_id, None)
            self._left.pop(event.stream_id, None)
        elif kind in ("WindowUpdated", "RemoteSettingsChanged"):
            for number in list(self._left):
                self._go_on(number)
        elif kind == "ConnectionTerminated":
            self.over = True

    def _answer(self, number: int, method: str, target: str) -> None:
        content = f"{method} {target} over HTTP/2, stream {number}.\n".encode()
        fields = [(":status", "200"), ("content-type", "text/plain; charset=utf-8"),
                  ("content-length", str(len(content)))]  # fmt: skip
        self.core.send_headers(number, fields, end_stream=method == "HEAD")
        if method != "HEAD":
            self._left[number] = content
            self._go_on(number)

    def _go_on(self, number: int) -> None:
        """Send as much of an answer as the windows allow (RFC 9113, 5.2)."""
        content = self._left.pop(number)
        while content:
            room = min(self.core.local_flow_control_window(number), self.core.max_outbound_frame_size)
            if room <= 0:
                self._left[number] = content
                return
            piece, content = content[:room], content[room:]
            self.core.send_data(number, piece, end_stream=not content)


class _Client(_Speaker):
    """Waits for the answer on stream 1; then asks for more, where it is told to."""

    def __init__(self, stream: Stream, more: tuple[str, ...] = ()) -> None:
        super().__init__(stream, client=True)
        self.number = _FIRST  # of the stream on which an answer is waited for
        self._more = list(more)

    def begin(self) -> bytes:
        """Return the client's preface; its SETTINGS say what HTTP2-Settings said already."""
        try:
            told = self._h2.settings.Settings(client=True, initial_values=dict(pairs(self.settings)))
        except self._h2.exceptions.ProtocolError as error:
            raise Failed(f"{_FIELD} of the offer cannot be meant: {error}") from None
        self.core.local_settings = told
        self.core.initiate_upgrade_connection()
        return self.written()

    def note(self, kind: str, event: Any) -> None:
        """Read each answer to its end."""
        if kind == "DataReceived":
            self.core.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif kind == "StreamEnded" and self._more:
            self._ask(self._more.pop(0))
        elif kind == "StreamEnded":
            self.core.close_connection()
            self.over = True
        elif kind in ("StreamReset", "ConnectionTerminated"):
            self.over = True
            self.problem = f"the server ended the answer with error {int(event.error_code)}"

    def _ask(self, target: str) -> None:
        host = self.request.fields.get("Host") or ""
        fields = [(":method", "GET"), (":scheme", "http"), (":authority", host), (":path", target)]
        self.number = self.core.get_next_available_stream_id()
        self.core.send_headers(self.number, fields, end_stream=True)


def _bytes(message: str | bytes) -> bytes:
    assert isinstance(message, bytes)  # a stream that is no WebSocket has no text
    return message
