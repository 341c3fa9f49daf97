"""Where to listen and whom to dial: loopback, unless the caller allows more in so many words."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from labkit.errors import Refused, WrongUse

__all__ = ["AS_WRITTEN", "Address", "bracketed", "check_loopback", "is_loopback", "parse_address", "parse_url", "place"]

AS_WRITTEN = ("127.0.0.1", "localhost", "[::1]")
"""Hosts of this machine, as a URL has them, that programs dial as they are written, whoever plays the others."""

_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_NAME = re.compile(r"[A-Za-z0-9.\-_:%]+")


@dataclass(frozen=True, slots=True)
class Address:
    """A host, a port, whether TLS is spoken, and the request-target that a URL named."""

    host: str
    port: int
    tls: bool = False
    target: str = "/"

    @property
    def authority(self) -> str:
        """Host and port as the Host field has them: the port is left out where it is the scheme's own."""
        own = self.port == (443 if self.tls else 80)
        return bracketed(self.host) if own else f"{bracketed(self.host)}:{self.port}"


def parse_url(url: str) -> Address:
    """Read a ws, wss, http or https URL.

    Raises:
        WrongUse: it is none.

    >>> parse_url("ws://127.0.0.1:8101/chat?room=1")
    Address(host='127.0.0.1', port=8101, tls=False, target='/chat?room=1')
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise WrongUse(f"{url!r} is no URL: after the host comes a port, a number up to 65535") from None
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or not parts.hostname or not _NAME.fullmatch(parts.hostname):
        raise WrongUse(f"{url!r} is no URL to trace: write ws://HOST:PORT/PATH, or wss, http, https")
    if port == 0:
        raise WrongUse(f"{url!r}: nothing listens on port 0")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if re.search(r"[^!-~]", target):
        raise WrongUse(f"{url!r}: write characters other than ASCII, and spaces, as %XX")
    return Address(parts.hostname, port or _PORTS[scheme], scheme in ("https", "wss"), target)


def parse_address(text: str, *, lowest: int = 1) -> Address:
    """Read HOST:PORT, PORT alone, or a URL; ports below `lowest` are wrong.

    Raises:
        WrongUse: it is none of these.

    >>> parse_address("8101")
    Address(host='127.0.0.1', port=8101, tls=False, target='/')
    """
    if "://" in text:
        return parse_url(text)
    host, _, port = text.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    right = port.isdecimal() and len(port) < 6 and lowest <= int(port) < 1 << 16 and _NAME.fullmatch(host)
    if not right or (":" in host and _ip(host) is None):
        raise WrongUse(f"{text!r} is no address: write HOST:PORT, such as 127.0.0.1:8101")
    return Address(host, int(port))


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def bracketed(host: str) -> str:
    """Return a host as a URL has it: an IPv6 address in brackets (RFC 3986, 3.2.2).

    >>> bracketed("::1"), bracketed("localhost")
    ('[::1]', 'localhost')
    """
    return f"[{host}]" if ":" in host else host


def place(host: str, port: int) -> str:
    """Return an address as HOST:PORT, as one dials it: what listens everywhere is dialled on loopback.

    >>> place("0.0.0.0", 8101), place("::1", 8101)
    ('127.0.0.1:8101', '[::1]:8101')
    """
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  compared only
    return f"{bracketed(host)}:{port}"


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine's own.

    >>> is_loopback("127.0.0.1"), is_loopback("server.example.com")
    (True, False)
    """
    address = _ip(host)
    return host.lower() == "localhost" or (address is not None and address.is_loopback)


def check_loopback(host: str, allow_remote: bool, flag: str = "allow_remote=True") -> None:  # noqa: FBT001
    """Refuse a host that is not this machine's own.

    Raises:
        Refused: it is not, and `allow_remote` is False.
    """
    if allow_remote or is_loopback(host):
        return
    raise Refused(f"{host} is not this machine: the lab stays on loopback unless you say {flag}")
