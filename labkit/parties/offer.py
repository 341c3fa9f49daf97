"""What a client asks for: an offer, immutable, that prints itself as the head it will send."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise

from labkit.errors import WireError, WrongUse
from labkit.parties.client_faults import check_client_faults
from labkit.wire.fields import Fields, text_bytes
from labkit.wire.http1 import RequestHead, scan
from labkit.wire.http2 import PREFACE, settings
from labkit.wire.upgrade import SAMPLE_KEY, offered

__all__ = ["CLIENT_SETTINGS", "SAMPLE_HOST", "SAMPLE_SETTINGS", "Offer"]

SAMPLE_HOST = "server.example.com"
"""The host of RFC 6455's own example; offers name it whatever address is dialled."""

SAMPLE_SETTINGS = "AAMAAABkAAQCAAAAAAIAAAAA"
"""The HTTP2-Settings that curl sends: 100 streams, a window of 32 MiB, no push (base64url, no padding)."""

CLIENT_SETTINGS = {0x2: 0}
"""What the lab's own client says in its SETTINGS: no push (RFC 9113, 6.5.2)."""

_MOST_BESIDE = 99  # offers beside another: 100 streams are what a server usually allows


@dataclass(frozen=True, repr=False)
class Offer:
    """A request that offers to switch to another protocol, or any bytes at all.

    Args:
        fields: the field lines, in order.
        method: the request's method.
        target: its request-target.
        version: its HTTP-version.
        content: the bytes of its content; the field line that frames them, such as Content-Length, is the
            caller's to give: no line is added by itself.
        early: bytes sent right behind it, without waiting for the answer.
        raw: bytes sent in place of all of the above.
        cuts: offsets at which the bytes are cut into segments, each sent by itself.
        faults: what the lab's own client does wrong with the answer on purpose: "loses-early" drops what came
            in one read with the 101, "first-answer" takes an interim answer for the final one.
        http2: speak HTTP/2 from the first byte on, see `connect`; the fields are a field block's, the pseudo-header
            fields but :method and :path among them.
        beside: more offers in HTTP/2, each on a stream of its own in the same connection.

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
    faults: tuple[str, ...] = ()
    http2: bool = False
    beside: tuple[Offer, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.fields, Fields) or not isinstance(self.fields.lines, tuple):
            raise WrongUse(f"fields of an offer is Fields, such as Fields.of([(name, value)]), not {self.fields!r}")
        for name in ("method", "target", "version"):
            _check_text(f"{name} of an offer", getattr(self, name))
        for name in ("content", "early"):
            _check_bytes(f"{name} of an offer", getattr(self, name))
        if self.raw is not None:
            _check_bytes("raw of an offer", self.raw)
        for line in self.fields:
            _check_line(line)
        if self.cuts != ():
            self._check_cuts()
        if self.faults != ():
            object.__setattr__(self, "faults", check_client_faults(self.faults))
        if self.http2 or self.beside:
            self._check_http2()

    def _check_http2(self) -> None:
        """Check that nothing is asked for that HTTP/2 has not, or that only HTTP/2 has."""
        if type(self.http2) is not bool or not self.http2:
            raise WrongUse("only offers in HTTP/2 stand beside each other: begin with Offer.connect(…)")
        if self.early or self.raw is not None or self.cuts or self.faults:
            raise WrongUse("an offer in HTTP/2 has no raw or early bytes, no cuts and no faults: they are of HTTP/1.1")
        beside = (self.beside,) if isinstance(self.beside, Offer) else tuple(self.beside)
        if len(beside) > _MOST_BESIDE:
            raise WrongUse(f"{len(beside)} offers stand beside this one; at most {_MOST_BESIDE} can")
        for each in beside:
            if not isinstance(each, Offer) or not each.http2 or each.beside:
                raise WrongUse(f"beside an offer in HTTP/2 stand others, such as Offer.connect(…), not {each!r}")
        object.__setattr__(self, "beside", beside)

    def _check_cuts(self) -> None:
        """Set the cuts in order, each once; every one of them lies inside the bytes."""
        if isinstance(self.cuts, (str, bytes)) or not isinstance(self.cuts, Iterable):
            raise WrongUse(f"cuts of an offer is a tuple of offsets, not {self.cuts!r}")
        size, cuts = len(self.to_bytes()), tuple(self.cuts)
        for each in cuts:
            if type(each) is not int or not 0 < each < size:
                wanted = f"each a whole number between 0 and {size}, its size in bytes"
                raise WrongUse(f"cuts of an offer is a tuple of offsets, {wanted}; not {each!r}")
        object.__setattr__(self, "cuts", tuple(sorted(set(cuts))))

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
        if not isinstance(subprotocols, Iterable):
            raise WrongUse(f"subprotocols is a list of texts, not {subprotocols!r}")
        subprotocols = tuple(subprotocols)
        for each in subprotocols:
            _check_text("each of the subprotocols", each)
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
    def h2c(cls, target: str = "/", *, settings: str = SAMPLE_SETTINGS, host: str = SAMPLE_HOST) -> Offer:
        """Return an offer of HTTP/2 without TLS (RFC 7540, 3.2; taken back by RFC 9113, 3.1).

        >>> print(Offer.h2c())
        GET / HTTP/1.1
        Host: server.example.com
        Connection: Upgrade, HTTP2-Settings
        Upgrade: h2c
        HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA
        """
        lines = [("Host", host), ("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"),
                 ("HTTP2-Settings", settings)]  # fmt: skip
        return cls(Fields.of(lines), target=target)

    @classmethod
    def tls(cls, target: str = "*", *, host: str = SAMPLE_HOST) -> Offer:
        """Return an offer of TLS on the same connection, asked of the server as a whole (RFC 2817, 3.2).

        >>> print(Offer.tls())
        OPTIONS * HTTP/1.1
        Host: server.example.com
        Upgrade: TLS/1.0
        Connection: Upgrade
        """
        return cls.custom("TLS/1.0", target, host=host).but(method="OPTIONS")

    @classmethod
    def plain(cls, target: str = "/", *, host: str = SAMPLE_HOST) -> Offer:
        """Return a plain GET, which offers nothing."""
        return cls(Fields.of([("Host", host)]), target=target)

    @classmethod
    def connect(
        cls,
        target: str = "/",
        *,
        protocol: str = "websocket",
        subprotocols: tuple[str, ...] = (),
        deflate: bool = False,
        host: str = SAMPLE_HOST,
        beside: tuple[Offer, ...] = (),
    ) -> Offer:
        """Return an extended CONNECT in HTTP/2: what stands for an Upgrade there, on one stream (RFC 8441, 4, 5).

        HTTP/2 is spoken from the first byte on, without TLS: the server has to be known to do so
        (`Server(http2=True)`; RFC 9113, 3.3).

        >>> print(Offer.connect("/chat"))
        :method: CONNECT
        :protocol: websocket
        :scheme: http
        :path: /chat
        :authority: server.example.com
        sec-websocket-version: 13
        """
        lines = [(":protocol", protocol), (":scheme", "http"), (":authority", host)]
        if protocol.lower() == "websocket":
            like = cls.websocket(target, subprotocols=subprotocols, deflate=deflate).fields
            left = ("host", "upgrade", "connection", "sec-websocket-key")
            lines += [(name.lower(), value) for name, value in like if name.lower() not in left]
        return cls(Fields.of(lines), "CONNECT", target, http2=True, beside=beside)

    @classmethod
    def of_bytes(cls, raw: bytes) -> Offer:
        """Return an offer that sends exactly these bytes."""
        if not isinstance(raw, (bytes, bytearray, memoryview)):
            raise WrongUse(f"raw of an offer is bytes, not {raw!r}")
        return cls(raw=bytes(raw))

    def without(self, name: str) -> Offer:
        """Return this offer less every field line of `name`.

        Raises:
            WrongUse: it has none; also where another method is given a name that is not there.
        """
        self._there(name)
        return replace(self._lines(), fields=self.fields.without(name))

    def with_field(self, name: str, value: str) -> Offer:
        """Return this offer with `name` set to `value`; in its place where it has one, else at the end."""
        _check_line((name, value))
        return replace(self._lines(), fields=self.fields.replaced(name, value))

    def twice(self, name: str, value: str | None = None) -> Offer:
        """Return this offer with one more field line of `name`, right behind the last; the same value unless told."""
        at = self._there(name)[-1]
        lines = list(self.fields)
        own, same = lines[at]
        lines.insert(at + 1, (own, same if value is None else value))
        return replace(self._lines(), fields=Fields.of(lines))

    def renamed(self, name: str, new: str) -> Offer:
        """Return this offer with every field line of `name` called `new`."""
        places = self._there(name)
        lines = [(new if at in places else own, value) for at, (own, value) in enumerate(self.fields)]
        return replace(self._lines(), fields=Fields.of(lines))

    def folded(self, name: str) -> Offer:
        r"""Return this offer with the value of `name` going on in a second line (obs-fold; RFC 9112, 5.2).

        It is folded behind its first comma, else at its first space, else before the value. No sender may
        do so; a server answers 400, or reads the line end as a space.

        >>> Offer.bare().folded("Upgrade").to_bytes()[42:65]
        b'Upgrade: \r\n websocket\r\n'
        """
        places = self._there(name)
        lines = [(own, _fold(value) if at in places else value) for at, (own, value) in enumerate(self.fields)]
        return replace(self._lines(), fields=Fields.of(lines))

    def but(
        self,
        *,
        method: str | None = None,
        target: str | None = None,
        version: str | None = None,
        content: bytes | None = None,
        early: bytes | None = None,
    ) -> Offer:
        """Return this offer but for these parts; the field lines stay as they are, whatever the content.

        >>> print(Offer.plain().but(method="POST", content=b"hi").with_field("Content-Length", "2"))
        POST / HTTP/1.1
        Host: server.example.com
        Content-Length: 2
        <BLANKLINE>
        hi
        """
        new = {"method": method, "target": target, "version": version, "content": content, "early": early}
        return replace(self._lines(), **{name: value for name, value in new.items() if value is not None})  # type: ignore[arg-type]

    def cut(self, *offsets: int) -> Offer:
        """Return this offer sent in segments, cut at these offsets."""
        return replace(self, cuts=offsets)

    def wrong(self, *faults: str) -> Offer:
        """Return this offer made by a client that does these things wrong with the answer, see `Offer`.

        >>> Offer.websocket().wrong("loses-early").faults
        ('loses-early',)
        """
        return replace(self, faults=faults)

    def _lines(self) -> Offer:
        if self.raw is not None:
            raise WrongUse("this offer is raw bytes: it has no field lines and no parts to change")
        return replace(self, cuts=())

    def _there(self, name: str) -> list[int]:
        """Return the places of the field lines of `name`; there must be one."""
        _check_text("the name of a field line", name)
        places = [at for at, (own, _) in enumerate(self._lines().fields) if own.lower() == name.lower()]
        if not places:
            names = ", ".join(dict.fromkeys(own for own, _ in self.fields))
            raise WrongUse(f"this offer has no field line {name!r}; it has {names or 'none at all'}")
        return places

    @property
    def head(self) -> RequestHead:
        """The request's head as a recipient reads it; of raw bytes, what can be read as one."""
        if self.http2:
            return RequestHead(self.method, self.target, self.fields, "HTTP/2")
        if self.raw is None and not any("\n" in value for _, value in self.fields):
            return self._written
        found = scan(self.raw if self.raw is not None else self._written.to_bytes()).value
        return found if isinstance(found, RequestHead) else RequestHead("GET", "/")

    @property
    def _written(self) -> RequestHead:
        """The head as it is written, folded lines and all."""
        return RequestHead(self.method, self.target, self.fields, self.version)

    @property
    def protocols(self) -> tuple[str, ...]:
        """The protocols it offers; in HTTP/2 the one that a CONNECT names."""
        if self.http2:
            return tuple(self.fields.all(":protocol"))
        return tuple(str(protocol) for protocol in offered(self.head.fields))

    def to_bytes(self) -> bytes:
        """Return all bytes that are sent before an answer is waited for: in HTTP/2, the preface and SETTINGS."""
        if self.http2:
            return PREFACE + settings(CLIENT_SETTINGS)
        return self.raw if self.raw is not None else self._written.to_bytes() + self.content + self.early

    @property
    def field_block(self) -> tuple[tuple[str, str], ...]:
        """What the HEADERS of an offer in HTTP/2 say, all names in lower case (RFC 9113, 8.2, 8.3)."""
        lines = [(name.lower(), value) for name, value in self.fields]
        lines.sort(key=lambda line: not line[0].startswith(":"))  # pseudo-header fields stand first
        names = [name for name, _ in lines]
        at = names.index(":scheme") + 1 if ":scheme" in names else 0
        return ((":method", self.method), *lines[:at], (":path", self.target), *lines[at:])

    def segments(self) -> list[bytes]:
        """Return the bytes in the segments that they are sent in."""
        data = self.to_bytes()
        places = [0, *self.cuts, len(data)]
        return [data[start:end] for start, end in pairwise(places) if end > start]

    def __str__(self) -> str:
        if self.http2:
            heads = ["\n".join(f"{name}: {value}" for name, value in each.field_block) for each in (self, *self.beside)]
            return "\n\n".join(heads)
        text = self.to_bytes().decode("latin-1").replace("\r\n", "\n")
        return "".join(char if char.isprintable() or char == "\n" else f"\\x{ord(char):02x}" for char in text).rstrip()

    def __repr__(self) -> str:
        what = f"{self.method} {self.target}" if self.raw is None else f"{len(self.raw)} raw bytes"
        names = f" for {', '.join(self.protocols)}" if self.protocols else ""
        return f"<Offer {what}{names}>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": str(self)}


def _check_text(what: str, text: object) -> None:
    """Check that a text can be sent: one byte for each character (ISO 8859-1)."""
    if not isinstance(text, str):
        raise WrongUse(f"{what} is a text, not {text!r}")
    try:
        text_bytes(text)
    except WireError as error:
        raise WrongUse(f"{what}: {error}") from None


def _check_bytes(what: str, data: object) -> None:
    if not isinstance(data, bytes):
        raise WrongUse(f"{what} is bytes, not {data!r}")


def _check_line(line: object) -> None:
    if not isinstance(line, tuple) or len(line) != 2:
        raise WrongUse(f"a field line is a pair (name, value), not {line!r}")
    name, value = line
    _check_text("the name of a field line", name)
    _check_text(f"the value of the field line {name!r}", value)


def _fold(value: str) -> str:
    if "\n" in value:  # it is folded already
        return value
    comma, space = value.find(","), value.find(" ")
    at = comma + 1 if comma >= 0 else max(space, 0)
    return f"{value[:at]}\r\n {value[at:].lstrip(' ')}"
