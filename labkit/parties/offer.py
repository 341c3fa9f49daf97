"""What a client asks for: an offer, immutable, that prints itself as the head it will send."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise

from labkit.errors import WrongUse
from labkit.wire.fields import Fields
from labkit.wire.http1 import RequestHead, scan
from labkit.wire.upgrade import SAMPLE_KEY, offered

__all__ = ["SAMPLE_HOST", "Offer"]

SAMPLE_HOST = "server.example.com"
"""The host of RFC 6455's own example; offers name it whatever address is dialled."""


@dataclass(frozen=True, repr=False)
class Offer:
    """A request that offers to switch to another protocol, or any bytes at all.

    Args:
        fields: the field lines, in order.
        method: the request's method.
        target: its request-target.
        version: its HTTP-version.
        content: the bytes of its content; the field line that frames them is the caller's.
        early: bytes sent right behind it, without waiting for the answer.
        raw: bytes sent in place of all of the above.
        cuts: offsets at which the bytes are cut into segments, each sent by itself.

    >>> print(Offer.bare())
    GET / HTTP/1.1
    Host: server.example.com
    Upgrade: websocket
    Connection: Upgrade
    """

    fields: Fields = field(default_factory=Fields)
    method: str = "GET"
    target: str = "/"
    version: str = "HTTP/1.1"
    content: bytes = b""
    early: bytes = b""
    raw: bytes | None = None
    cuts: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        kinds = {"fields": Fields, "method": str, "target": str, "version": str, "content": bytes, "early": bytes}
        for name, kind in kinds.items():
            if not isinstance(getattr(self, name), kind):
                raise WrongUse(f"{name} of an offer is {kind.__name__}, not {getattr(self, name)!r}")
        if not isinstance(self.raw, bytes | None):
            raise WrongUse(f"raw of an offer is bytes, or None, not {self.raw!r}")
        if not isinstance(self.cuts, Iterable) or not all(isinstance(each, int) for each in self.cuts):
            raise WrongUse(f"cuts of an offer is a tuple of offsets, not {self.cuts!r}")

    @classmethod
    def websocket(
        cls,
        target: str = "/",
        *,
        key: str = SAMPLE_KEY,
        subprotocols: tuple[str, ...] = (),
        deflate: bool = False,
        host: str = SAMPLE_HOST,
    ) -> Offer:
        """Return a whole WebSocket opening handshake (RFC 6455, 4.1).

        The key is the RFC's own, so that the bytes can be found there; a real client draws a fresh one.
        """
        if isinstance(subprotocols, str):
            raise WrongUse(f"subprotocols is a list of texts, not one text: write [{subprotocols!r}]")
        lines = [("Host", host), ("Upgrade", "websocket"), ("Connection", "Upgrade"),
                 ("Sec-WebSocket-Key", key), ("Sec-WebSocket-Version", "13")]  # fmt: skip
        if subprotocols:
            lines.append(("Sec-WebSocket-Protocol", ", ".join(subprotocols)))
        if deflate:
            lines.append(("Sec-WebSocket-Extensions", "permessage-deflate"))
        return cls(Fields.of(lines), target=target)

    @classmethod
    def bare(cls, target: str = "/", *, host: str = SAMPLE_HOST) -> Offer:
        """Return the two field lines of the well-known curl example, and no more."""
        return cls(Fields.of([("Host", host), ("Upgrade", "websocket"), ("Connection", "Upgrade")]), target=target)

    @classmethod
    def custom(cls, protocol: str, target: str = "/", *, host: str = SAMPLE_HOST) -> Offer:
        """Return an offer of any other protocol, `name` or `name/version` (RFC 9110, 7.8)."""
        return cls(Fields.of([("Host", host), ("Upgrade", protocol), ("Connection", "Upgrade")]), target=target)

    @classmethod
    def plain(cls, target: str = "/", *, host: str = SAMPLE_HOST) -> Offer:
        """Return a plain GET, which offers nothing."""
        return cls(Fields.of([("Host", host)]), target=target)

    @classmethod
    def of_bytes(cls, raw: bytes) -> Offer:
        """Return an offer that sends exactly these bytes."""
        return cls(raw=bytes(raw))

    def without(self, name: str) -> Offer:
        """Return this offer less every field line of `name`."""
        return replace(self._lines(), fields=self.fields.without(name))

    def with_field(self, name: str, value: str) -> Offer:
        """Return this offer with `name` set to `value`; in its place where it has one, else at the end."""
        return replace(self._lines(), fields=self.fields.replaced(name, value))

    def cut(self, *offsets: int) -> Offer:
        """Return this offer sent in segments, cut at these offsets."""
        size = len(self.to_bytes())
        if any(not 0 < offset < size for offset in offsets):
            raise WrongUse(f"a cut lies between 0 and {size}, the size of the offer in bytes")
        return replace(self, cuts=tuple(sorted(set(offsets))))

    def _lines(self) -> Offer:
        if self.raw is not None:
            raise WrongUse("this offer is raw bytes: it has no field lines to change")
        return replace(self, cuts=())

    @property
    def head(self) -> RequestHead:
        """The request's head; of raw bytes, what can be read as one."""
        if self.raw is None:
            return RequestHead(self.method, self.target, self.fields, self.version)
        found = scan(self.raw).value
        return found if isinstance(found, RequestHead) else RequestHead("GET", "/")

    @property
    def protocols(self) -> tuple[str, ...]:
        """The protocols it offers."""
        return tuple(str(protocol) for protocol in offered(self.head.fields))

    def to_bytes(self) -> bytes:
        """Return all bytes that are sent before the answer is waited for."""
        return self.raw if self.raw is not None else self.head.to_bytes() + self.content + self.early

    def segments(self) -> list[bytes]:
        """Return the bytes in the segments that they are sent in."""
        data = self.to_bytes()
        places = [0, *self.cuts, len(data)]
        return [data[start:end] for start, end in pairwise(places) if end > start]

    def __str__(self) -> str:
        text = self.to_bytes().decode("latin-1").replace("\r\n", "\n")
        return "".join(char if char.isprintable() or char == "\n" else f"\\x{ord(char):02x}" for char in text).rstrip()

    def __repr__(self) -> str:
        what = f"{self.method} {self.target}" if self.raw is None else f"{len(self.raw)} raw bytes"
        names = f" for {', '.join(self.protocols)}" if self.protocols else ""
        return f"<Offer {what}{names}>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": str(self)}
