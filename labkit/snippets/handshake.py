"""What clients send that make the WebSocket opening handshake themselves: websockets, and a browser."""

from __future__ import annotations

import re

from labkit.errors import WrongUse
from labkit.parties.offer import Offer
from labkit.snippets.wanted import KEY, Dialled, Pair, Wanted, dialled, in_one_piece, in_url
from labkit.wire.lines import TOKEN
from labkit.wire.upgrade import SAMPLE_KEY, is_key

__all__ = [
    "EXTENSIONS",
    "check",
    "host_of",
    "left_out",
    "made",
    "one_value",
    "said",
    "subprotocols",
]

EXTENSIONS = "Sec-WebSocket-Extensions"
_TOKEN = re.compile(TOKEN.decode("ascii"))
_SUBPROTOCOLS = "Sec-WebSocket-Protocol"

_FIXED = (("method", "GET"), ("version", "HTTP/1.1"), ("content", b""))
"""The parts of a request that such a client leaves no choice in (RFC 6455, 4.1)."""


def check(form: str, offer: Offer) -> None:
    """Check that an offer is a WebSocket handshake as such a client makes it (RFC 6455, 4.1).

    Raises:
        WrongUse: it is not; the part is named.
    """
    in_one_piece(form, offer)
    for name, value in _FIXED:
        if getattr(offer, name) != value:
            only = f"GET and HTTP/1.1 and no content: see {name} of this offer"
            raise WrongUse(f"{form} makes the WebSocket handshake itself, with {only}")
    if not in_url(offer.target):
        raise WrongUse(f"{form} takes a URL, in which the target {offer.target!r} cannot stand")
    keys = offer.fields.all(KEY)
    if len(keys) != 1 or not is_key(keys[0]):
        raise WrongUse(f"{form} always sends one {KEY} of 16 bytes, and this offer does not")


def host_of(form: str, wanted: Wanted) -> Dialled:
    """Return what the offer's Host field names, as an address.

    Raises:
        WrongUse: it names no host.
    """
    hosts = wanted.offer.fields.all("Host")
    if len(hosts) != 1:
        raise WrongUse(f"{form} always sends one Host, and this offer has {len(hosts)}")
    try:
        return dialled(wanted.offer, f"http{'s' * wanted.to.tls}://{hosts[0]}/")
    except WrongUse:
        raise WrongUse(f"{form} takes a URL, in which the Host {hosts[0]!r} cannot stand") from None


def made(offer: Offer, host: str) -> list[Pair]:
    """Return the field lines that such a client makes by itself, whatever it is told; the key as it is offered."""
    key = offer.fields.get(KEY) or ""
    return [("Host", host), ("Upgrade", "websocket"), ("Connection", "Upgrade"), (KEY, key),
            ("Sec-WebSocket-Version", "13")]  # fmt: skip


def one_value(form: str, offer: Offer, name: str) -> str | None:
    """Return the value of a field that the client is told by an argument; None where there is none.

    Raises:
        WrongUse: there are several lines of it.
    """
    values = offer.fields.all(name)
    if len(values) > 1:
        raise WrongUse(f"{form} sends one field line {name!r}, and this offer has {len(values)}")
    return values[0] if values else None


def subprotocols(form: str, offer: Offer) -> list[str]:
    """Return the subprotocols that a client is told; it writes them with a comma and a space between.

    Raises:
        WrongUse: it would write them in another way.
    """
    value = one_value(form, offer, _SUBPROTOCOLS)
    if value is None:
        return []
    names = value.split(", ")
    if not all(_TOKEN.fullmatch(name) for name in names) or len(set(names)) != len(names):
        raise WrongUse(f"{form} sends different tokens with a comma and a space between in {_SUBPROTOCOLS!r}")
    return names


def said(names: list[str]) -> list[Pair]:
    """Return the field line for subprotocols; none where there are none."""
    return [(_SUBPROTOCOLS, ", ".join(names))] if names else []


def left_out(wanted: Wanted) -> tuple[str, ...]:
    """Return what such a client does not carry over."""
    drawn = wanted.offer.fields.get(KEY) != SAMPLE_KEY
    key = ("the key of this offer: this client draws its own",) if drawn else ()
    handler = ("what the handler says: it is code for the lab's own streams",) if wanted.handled else ()
    return (*key, *handler)
