"""The Upgrade field and what hangs on it: protocol names, connection options, the WebSocket key."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from labkit.wire.fields import Fields, text_bytes

__all__ = [
    "SAMPLE_KEY", "SETTING_SIZE", "TOKENS", "Protocol", "Token", "accept_key", "is_key", "offered", "options",
    "settings_payload", "why_wrong",
]  # fmt: skip

SAMPLE_KEY = "dGhlIHNhbXBsZSBub25jZQ=="
"""The key of RFC 6455's own example (1.3): base64 of "the sample nonce"."""

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
SETTING_SIZE = 6
"""Bytes of one setting: an identifier of 2, a value of 4 (RFC 9113, 6.5.1)."""

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")
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


def settings_payload(value: str) -> bytes | None:
    r"""Return the bytes that an HTTP2-Settings field value stands for; None where it is not base64url.

    A `=` at its end, which it should not have, is passed over (RFC 7540, 3.2.1).

    >>> settings_payload("AAMAAABk"), settings_payload("?")
    (b'\x00\x03\x00\x00\x00d', None)
    """
    text = value.rstrip("=")
    if not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        return None
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def why_wrong(key: str, accept: str) -> str:
    """Return what is wrong with the Accept that answers a key, in a few words; "" where it is the right one.

    The usual mistakes are made, one after the other, until one of them gives this value.

    Raises:
        WireError: the key or the Accept holds a character that is no single byte.

    >>> why_wrong(SAMPLE_KEY, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    ''
    >>> why_wrong(SAMPLE_KEY, "Kfh9QIsMVZcl6xEPYxPHzW8SZ8w=")
    'the Accept is that of the empty key: the key was lost on the way'
    >>> why_wrong(SAMPLE_KEY, "b37a4f2cc0624f1690f64606cf385945b2bec4ea")
    'the Accept is the digest in hexadecimal, not in base64'
    """
    raw, said = text_bytes(key), text_bytes(accept)
    if said == text_bytes(accept_key(key)):
        return ""
    for what, proof in _MISTAKES:
        if said and said == proof(raw):
            return f"the Accept is {what}"
    return "the Accept is not that of this key, nor a mistake that is known" if said else "the Accept is empty"


def _sha1(text: bytes) -> bytes:
    return hashlib.sha1(text, usedforsecurity=False).digest()


def _decoded(key: bytes) -> bytes:
    try:
        return base64.b64decode(key, validate=True)
    except ValueError:
        return key


def _mistake(digest: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    return lambda key: base64.b64encode(digest(key))


_MISTAKES: tuple[tuple[str, Callable[[bytes], bytes]], ...] = (
    ("that of the empty key: the key was lost on the way", _mistake(lambda _: _sha1(_GUID))),
    ("that of the key alone, without the GUID", _mistake(_sha1)),
    (
        "the hash of the key after decoding; it is hashed as it was sent",
        _mistake(lambda key: _sha1(_decoded(key) + _GUID)),
    ),
    ("that of the key after decoding, without the GUID", _mistake(lambda key: _sha1(_decoded(key)))),
    ("the digest in hexadecimal, not in base64", lambda key: _sha1(key + _GUID).hex().encode()),
    (
        "the base64 of the digest in hexadecimal, not of its 20 bytes",
        _mistake(lambda key: _sha1(key + _GUID).hex().encode()),
    ),
    ("made with the GUID before the key", _mistake(lambda key: _sha1(_GUID + key))),
    ("made with the GUID in lower case", _mistake(lambda key: _sha1(key + _GUID.lower()))),
    ("made with a line end behind the key", _mistake(lambda key: _sha1(key + b"\r\n" + _GUID))),
    ("made with a line feed behind the key", _mistake(lambda key: _sha1(key + b"\n" + _GUID))),
    ("made with a line feed behind the GUID", _mistake(lambda key: _sha1(key + _GUID + b"\n"))),
    ("made with the space before the key", _mistake(lambda key: _sha1(b" " + key + _GUID))),
    ("made of the key less its padding", _mistake(lambda key: _sha1(key.rstrip(b"=") + _GUID))),
    ("the right one less its padding", lambda key: base64.b64encode(_sha1(key + _GUID)).rstrip(b"=")),
    ("in the base64 for URLs", lambda key: base64.urlsafe_b64encode(_sha1(key + _GUID))),
    ("that of RFC 6455's own key: a constant", lambda _: text_bytes(accept_key(SAMPLE_KEY))),
    ("made with SHA-256 in the place of SHA-1", _mistake(lambda key: hashlib.sha256(key + _GUID).digest())),
    (
        "made with MD5 in the place of SHA-1",
        _mistake(lambda key: hashlib.md5(key + _GUID, usedforsecurity=False).digest()),
    ),
    ("the key and the GUID in base64, not hashed", _mistake(lambda key: key + _GUID)),
    ("the key and the GUID as they are, not hashed", lambda key: key + _GUID),
    ("the key itself", lambda key: key),
)
"""What goes wrong with an Accept, and how to go wrong in the same way."""


class Token(NamedTuple):
    """What is known of a protocol name: what it becomes after the 101, its source, if IANA lists it."""

    meaning: str
    source: str
    registered: bool


TOKENS: dict[str, Token] = {
    "websocket": Token("WebSocket: messages in frames, both ways", "RFC 6455", True),
    "h2c": Token("HTTP/2 without TLS; deprecated", "RFC 7540, 3.2; RFC 9113, 3.1", True),
    "tls": Token("TLS on the same connection", "RFC 2817, 3", True),
    "http": Token("another version of HTTP", "RFC 9110, 16.7", True),
    "connect-udp": Token("UDP proxied in capsules", "RFC 9298, 3.2", True),
    "connect-ip": Token("IP proxied in capsules", "RFC 9484, 4", True),
    "tcp": Token("a raw byte stream, as Docker's exec and attach use it", "Docker Engine API", False),
    "spdy": Token("SPDY streams, as Kubernetes' exec used them", "Kubernetes API", False),
    "derp": Token("Tailscale's relay protocol", "tailscale derp", False),
}
"""Protocol names in lower case; the registry is IANA's "Hypertext Transfer Protocol (HTTP) Upgrade Token"."""
