"""The Upgrade field and what hangs on it: protocol names, connection options, the WebSocket key."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import NamedTuple

from labkit.wire.fields import Fields, text_bytes

__all__ = ["SAMPLE_KEY", "TOKENS", "Protocol", "Token", "accept_key", "is_key", "offered", "options"]

SAMPLE_KEY = "dGhlIHNhbXBsZSBub25jZQ=="
"""The key of RFC 6455's own example (1.3): base64 of "the sample nonce"."""

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
_NONCE_SIZE = 16  # bytes that a key stands for (RFC 6455, 4.1)


@dataclass(frozen=True, slots=True)
class Protocol:
    """A protocol name and, after a slash, its version (RFC 9110, 7.8). Compared without case in the name.

    >>> Protocol.parse("HTTP/2.0")
    Protocol(name='HTTP', version='2.0')
    >>> Protocol.parse("WebSocket").same(Protocol.parse("websocket"))
    True
    """

    name: str
    version: str = ""

    @classmethod
    def parse(cls, text: str) -> Protocol:
        """Read `name` or `name/version`; never raises."""
        name, _, version = text.strip(" \t").partition("/")
        return cls(name, version)

    def same(self, other: Protocol) -> bool:
        """Tell whether both name one protocol; names ignore case (RFC 9110, 7.8: SHOULD)."""
        return self.name.lower() == other.name.lower() and self.version == other.version

    def __str__(self) -> str:
        return f"{self.name}/{self.version}" if self.version else self.name


def offered(fields: Fields) -> tuple[Protocol, ...]:
    """Return the protocols of the Upgrade field, in the sender's order (RFC 9110, 7.8).

    >>> [str(p) for p in offered(Fields.of([("Upgrade", "h2c, websocket")]))]
    ['h2c', 'websocket']
    """
    return tuple(Protocol.parse(element) for element in fields.elements("Upgrade"))


def options(fields: Fields) -> frozenset[str]:
    """Return the connection options, in lower case (RFC 9110, 7.6.1).

    >>> sorted(options(Fields.of([("Connection", "keep-alive, Upgrade")])))
    ['keep-alive', 'upgrade']
    """
    return frozenset(element.lower() for element in fields.elements("Connection"))


def accept_key(key: str) -> str:
    """Return the Sec-WebSocket-Accept that proves `key` was read (RFC 6455, 4.2.2, step 5.4).

    >>> accept_key("dGhlIHNhbXBsZSBub25jZQ==")
    's3pPLMBiTxaQ9kYGzzhZRbK+xOo='

    Raises:
        WireError: the key holds a character that is no single byte.
    """
    digest = hashlib.sha1(text_bytes(key) + _GUID, usedforsecurity=False).digest()
    return base64.b64encode(digest).decode("ascii")


def is_key(key: str) -> bool:
    """Tell whether `key` is the base64 of 16 bytes, as RFC 6455, 4.2.1 (5) asks.

    >>> is_key(SAMPLE_KEY), is_key("AAAA")
    (True, False)
    """
    try:
        return len(base64.b64decode(key, validate=True)) == _NONCE_SIZE
    except ValueError:
        return False


class Token(NamedTuple):
    """What is known of a protocol name: what it becomes after the 101, its source, if IANA lists it."""

    meaning: str
    source: str
    registered: bool


TOKENS: dict[str, Token] = {
    "websocket": Token("WebSocket: messages in frames, both ways", "RFC 6455", True),
    "h2c": Token("HTTP/2 without TLS; taken back by RFC 9113", "RFC 7540, 3.2", True),
    "tls": Token("TLS on the same connection", "RFC 2817, 3", True),
    "http": Token("another version of HTTP", "RFC 9110, 16.7", True),
    "connect-udp": Token("UDP proxied in capsules", "RFC 9298, 3.2", True),
    "connect-ip": Token("IP proxied in capsules", "RFC 9484, 4", True),
    "tcp": Token("a raw byte stream, as Docker's exec and attach use it", "Docker Engine API", False),
    "spdy": Token("SPDY streams, as Kubernetes' exec used them", "Kubernetes API", False),
    "derp": Token("Tailscale's relay protocol", "tailscale derp", False),
}
"""Protocol names in lower case; the registry is IANA's "Hypertext Transfer Protocol (HTTP) Upgrade Token"."""
