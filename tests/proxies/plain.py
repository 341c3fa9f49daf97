from __future__ import annotations

import re
from dataclasses import dataclass

from labkit.proxies.content import chunk
from labkit.proxies.described import Place, Proxy
from labkit.proxies.model import Change, Fate, Forward, Framing, Model, Own, Relay, Request, Times, Trouble, Turn
from labkit.wire.fields import Fields
from labkit.wire.http1 import RequestHead, ResponseHead, head_length, scan
from labkit.wire.upgrade import offered, options

STATUS = {Trouble.SILENT: 504, Trouble.UNREACHABLE: 504}


def own(status: int, *, closes: bool = False) -> Own:
    head = ResponseHead(status, "", Fields((("Content-Length", "0"),)))
    return Own(head.to_bytes(), "the plain proxy", closes=closes, log=f"answered {status}")


class Plain(Model):
    """A gateway that passes heads on as they came, with a Via; `/own` it answers itself.

    Words in its text: half, pool, patient, chunk (content without a length goes on in chunks), and times (`answer=0.2`).
    """

    def __init__(self, text: str) -> None:
        times = {name: float(value) for name, value in re.findall(r"(\w+)=([\d.]+)", text)}
        super().__init__("plain", "1", Times(2, 3, 4, 5, 6, 7, 1)._replace(**times))
        self.chunks = "chunk" in text
        self.half_closes = "half" in text
        self.pools = "pool" in text
        self.eof_aborts = "patient" not in text

    def read_head(self, data):
        length = head_length(data)
        if length is None:
            return None
        head = scan(data[:length])
        return (
            (head.value, length) if isinstance(head.value, RequestHead) and not head.faults else own(400, closes=True)
        )

    def read_answer(self, data):
        length = head_length(data)
        if length is None:
            return Trouble.GARBAGE if not b"HTTP/".startswith(data[:5]) else None
        head = scan(data[:length]).value
        return (head, length) if isinstance(head, ResponseHead) else Trouble.GARBAGE

    def route(self, request: Request):
        if request.head.target == "/own":
            return own(404)
        head = RequestHead(request.head.method, request.head.target, request.head.fields.with_line("Via", "1.1 plain"))
        content = request.content
        if "Transfer-Encoding" in head.fields:
            content = (chunk(content) if content else b"") + chunk(b"")
        return Forward("upstream", head, content, (Change("Via", Fate.ADDED, "", "1.1 plain", "the plain proxy"),))

    def relay(self, request: Request, forward: Forward, answer: ResponseHead):
        if answer.status == 101:
            return Relay(Turn.SWITCH, answer.to_bytes()) if offered(request.head.fields) else Relay(Turn.HELD)
        if answer.status < 200:
            return Relay(Turn.INTERIM, answer.to_bytes())
        bounded = "Content-Length" in answer.fields or answer.status in (204, 304)
        framing = Framing.LENGTH if bounded else Framing.CHUNKED if self.chunks else Framing.CLOSE
        keeps = framing is not Framing.CLOSE and "close" not in options(answer.fields)
        return Relay(Turn.FINAL, answer.to_bytes(), framing, keeps=keeps, keeps_upstream=self.pools)

    def failed(self, request: Request, forward: Forward, trouble: Trouble):
        return own(STATUS.get(trouble, 502))

    def overdue(self, waiting: str):
        return own(408, closes=True)

    def cut(self, data: bytes):
        return own(400, closes=True)


@dataclass(frozen=True, repr=False)
class PlainProxy(Proxy):
    """The proxy that the plain model is of."""

    program = name = "plain"

    def _read(self) -> None:
        pass

    def completed(self, place: Place) -> str:
        return self.text

    def model(self) -> Plain:
        return Plain(self.text)
