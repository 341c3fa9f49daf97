"""An HTTP/2 client of h2's own, driven against the lab's server by hand."""

from __future__ import annotations

import h2.config
import h2.connection
import h2.events
import h2.settings

from labkit.parties.clocks import lab_date
from labkit.parties.described import Server
from labkit.parties.server import ServerParty
from labkit.wire.websocket import CLOSE, SAMPLE_MASK, TEXT, close_payload, frame
from tests.parties.driving import Driven

HELLO = frame(TEXT, b"Hello", mask=SAMPLE_MASK)
ECHO = frame(TEXT, b"Hello")
GOODBYE = frame(CLOSE, close_payload(1000), mask=SAMPLE_MASK)


def connect(path: str = "/chat", *more: tuple[str, str], protocol: str = "websocket") -> list[tuple[str, str]]:
    pseudo = [
        (":method", "CONNECT"),
        (":protocol", protocol),
        (":scheme", "http"),
        (":path", path),
        (":authority", "a"),
    ]
    return [*pseudo, ("sec-websocket-version", "13"), *more]


def get(path: str = "/", method: str = "GET") -> list[tuple[str, str]]:
    return [(":method", method), (":scheme", "http"), (":path", path), (":authority", "a")]


class Peer:
    """A client that begins with the preface, and gives room anew where it `reads`; `fields`, `data` and `ended` are what the server sent, by stream."""

    def __init__(self, server: Server, *, reads: bool = True, **settings: int) -> None:
        self.reads = reads
        self.core = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="latin-1"))
        codes = {getattr(h2.settings.SettingCodes, name): value for name, value in settings.items()}
        self.core.local_settings = h2.settings.Settings(client=True, initial_values=codes)
        self.server = Driven(lambda driver: ServerParty(server, driver, lab_date))
        self.fields: dict[int, dict[str, str]] = {}
        self.data: dict[int, bytes] = {}
        self.ended: list[int] = []
        self.reset: dict[int, int] = {}
        self.goodbye: int | None = None
        self.core.initiate_connection()
        self.go_on()

    def ask(self, lines: list[tuple[str, str]], *, end: bool = False) -> int:
        number = self.core.get_next_available_stream_id()
        self.core.send_headers(number, lines, end_stream=end)
        self.go_on()
        return number

    def say(self, number: int, data: bytes, *, end: bool = False) -> None:
        self.core.send_data(number, data, end_stream=end)
        self.go_on()

    def go_on(self) -> None:
        while data := self.core.data_to_send():
            self.take(self.server.feed(data))

    def wait(self, seconds: float) -> None:
        self.take(self.server.wait(seconds))
        self.go_on()

    def take(self, data: bytes) -> None:
        for event in self.core.receive_data(data):
            match event:
                case h2.events.ResponseReceived():
                    self.fields[event.stream_id] = dict(event.headers)
                case h2.events.DataReceived():
                    self.data[event.stream_id] = self.data.get(event.stream_id, b"") + event.data
                    if self.reads:
                        self.core.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                case h2.events.StreamEnded():
                    self.ended.append(event.stream_id)
                case h2.events.StreamReset():
                    self.reset[event.stream_id] = int(event.error_code)
                case h2.events.ConnectionTerminated():
                    self.goodbye = int(event.error_code)
