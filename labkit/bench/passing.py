"""A proxy that passes all on as it comes: what the machine under every model costs, without a model's own work.

As a process it stands before the server at a port, says where it listens as `labkit serve` does, and ends with
its input.
"""

# ruff: noqa: T201  its output is how it is talked to

from __future__ import annotations

import sys
from dataclasses import dataclass

from labkit.errors import WireError
from labkit.net.model_proxy import ModelProxy
from labkit.proxies.described import Place, Proxy
from labkit.proxies.model import Forward, Framing, Model, Own, Relay, Request, Trouble, Turn
from labkit.wire.fields import Fields
from labkit.wire.http1 import RequestHead, ResponseHead, head_length

__all__ = ["Passing", "main"]


class _Model(Model):
    """Reads heads strictly, changes nothing in them, and answers 502 for all that goes wrong."""

    def read_head(self, data: bytes) -> tuple[RequestHead, int] | Own | None:
        length = head_length(data)
        try:
            return None if length is None else (RequestHead.parse(data[:length]), length)
        except WireError:
            return _own(400)

    def read_answer(self, data: bytes) -> tuple[ResponseHead, int] | Trouble | None:
        length = head_length(data)
        try:
            return None if length is None else (ResponseHead.parse(data[:length]), length)
        except WireError:
            return Trouble.GARBAGE

    def route(self, request: Request) -> Forward:
        return Forward("upstream", request.head, request.content)

    def relay(self, request: Request, forward: Forward, answer: ResponseHead) -> Relay:  # noqa: ARG002
        turn = Turn.SWITCH if answer.status == 101 else Turn.INTERIM if answer.status < 200 else Turn.FINAL
        return Relay(turn, answer.to_bytes(), Framing.CLOSE, keeps=False)

    def failed(self, request: Request, forward: Forward, trouble: Trouble) -> Own:  # noqa: ARG002
        return _own(502)

    def overdue(self, waiting: str) -> Own:  # noqa: ARG002
        return _own(408)

    def cut(self, data: bytes) -> Own:  # noqa: ARG002
        return _own(400)


def _own(status: int) -> Own:
    head = ResponseHead(status, "", Fields((("Content-Length", "0"), ("Connection", "close"))))
    return Own(head.to_bytes(), "the measurement")


@dataclass(frozen=True, repr=False)
class Passing(Proxy):
    """The proxy that is measured; its text says nothing."""

    text: str = ""
    program = name = "passing"

    def _read(self) -> None:
        """Read nothing."""

    def completed(self, place: Place) -> str:  # noqa: ARG002  no program runs it
        """Return the text."""
        return self.text

    def model(self) -> Model:
        """Return the model."""
        return _Model(self.name, "1")


def main() -> None:
    """Stand before a server until the input ends."""
    with ModelProxy(Passing(), f"127.0.0.1:{int(sys.argv[1])}", recorded=1 << 26) as proxy:
        print(f"listening on {proxy.url.rstrip('/')}", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
