"""What is to be copied: an offer, what is said after it, and where it is dialled; the same for every form."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple
from urllib.parse import urlsplit

from labkit.errors import WrongUse
from labkit.parties.offer import Offer
from labkit.parties.stream import Fragments, Message
from labkit.scenario import Scenario
from labkit.wire.fields import Fields
from labkit.wire.upgrade import SAMPLE_KEY
from labkit.wire.uri import HOST, ORIGIN

__all__ = [
    "KEY", "PATIENCE", "Dialled", "Wanted", "Written", "added", "dialled", "in_one_piece", "in_url", "is_sample",
    "pair", "parts_of", "wanted",
]  # fmt: skip

KEY = "Sec-WebSocket-Key"

PATIENCE = 3
"""Seconds that a printed program waits, for a connection and for each answer; fewer than the lab waits for it."""

_MOST = 30_000  # bytes; a shell takes 128 KiB as one word, and each byte may be written in four characters
_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_NAME = re.compile(r"[A-Za-z0-9.\-_:]+")
_DOTS = re.compile(r"/(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Dialled:
    """Where a client dials.

    Args:
        host: a name or an address, without brackets.
        port: the port.
        tls: whether TLS is spoken.
    """

    host: str
    port: int
    tls: bool = False

    @property
    def authority(self) -> str:
        """Host and port as a client writes them in Host: the port is left out where it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"

    def url(self, scheme: str, path: str = "/") -> str:
        """Return the URL of a path here; `scheme` is http or ws, made https or wss where TLS is spoken."""
        return f"{scheme}{'s' * self.tls}://{self.authority}{path}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a form is to print.

    Args:
        offer: what is asked.
        say: the messages that are said after a 101, each once the one before was answered.
        handled: whether a handler of Python code speaks instead.
        to: where it is dialled.
    """

    offer: Offer
    say: tuple[Message | Fragments, ...]
    handled: bool
    to: Dialled

    @property
    def speaks(self) -> bool:
        """Whether anything is to be said after a 101."""
        return bool(self.say or self.handled) and bool(self.offer.protocols)


class Written(NamedTuple):
    """What a form printed, what its client adds, and what it leaves out: a few words each."""

    text: str
    adds: tuple[str, ...] = ()
    leaves_out: tuple[str, ...] = ()


def wanted(what: Offer | Scenario, url: str = "", key: str = "") -> Wanted:
    """Return what is to be printed of an offer or a scenario.

    Args:
        what: the offer, or the scenario.
        url: where to dial: ws, wss, http or https; its path does not count, the offer has its own. The host
            of the Host field unless told.
        key: what stands in the place of the RFC's own key.

    Raises:
        WrongUse: it is neither, the URL is none, or it is too long to print.
    """
    if not isinstance(what, (Offer, Scenario)):
        raise WrongUse(f"an Offer or a Scenario can be copied, not {what!r}")
    say = what.say if isinstance(what, Scenario) else ()
    offer = what.offer if isinstance(what, Scenario) else what
    if offer.http2:
        raise WrongUse('only the lab\'s own client (client="lab") asks by extended CONNECT in HTTP/2')
    messages = () if callable(say) else tuple(_checked(each) for each in say)
    size = len(offer.to_bytes()) + sum(map(_size, messages))
    if size > _MOST:
        raise WrongUse(f"{size} bytes are too many to print; at most {_MOST} are copied")
    to = dialled(offer, url)
    return Wanted(_keyed(offer, key), messages, callable(say), to)


def _keyed(offer: Offer, key: str) -> Offer:
    """Return an offer with another key in the place of the RFC's own; raw bytes stay as they are."""
    if not key or offer.raw is not None:
        return offer
    lines = [(name, key if is_sample((name, value)) else value) for name, value in offer.fields]
    return replace(offer, fields=Fields.of(lines))


def is_sample(line: Pair) -> bool:
    """Tell whether a field line carries the RFC's own key, which a real client must not send again."""
    return line[0].lower() == KEY.lower() and line[1] == SAMPLE_KEY


def dialled(offer: Offer, url: str = "") -> Dialled:
    """Return where to dial: at a URL, or where none is told at the host that the offer names.

    Raises:
        WrongUse: the URL is none, or the offer names no host.

    >>> dialled(Offer.bare(), "ws://127.0.0.1:8101/chat").url("http")
    'http://127.0.0.1:8101/'
    >>> dialled(Offer.bare()).url("http")
    'http://server.example.com/'
    """
    if not isinstance(url, str):
        raise WrongUse(f"url is a text, such as http://127.0.0.1:8101/, not {url!r}")
    if not url:
        hosts = offer.head.fields.all("Host")
        if len(hosts) != 1 or not hosts[0] or not HOST.fullmatch(hosts[0]):
            raise WrongUse("this offer does not name one host in its Host field: say where to dial with url=")
        url = f"http://{hosts[0]}/"
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise WrongUse(f"{url!r} is no URL: after the host comes a port, a number up to 65535") from None
    host, scheme = _host(parts.netloc), parts.scheme.lower()
    if scheme not in _PORTS or not _NAME.fullmatch(host) or port == 0 or "@" in parts.netloc:
        raise WrongUse(f"{url!r} is no URL to dial: write ws://HOST:PORT/, or wss, http, https")
    return Dialled(host, port or _PORTS[scheme], scheme in ("https", "wss"))


def _host(netloc: str) -> str:
    """Return the host of an authority, its letters as they are, without brackets."""
    if netloc.startswith("["):
        return netloc[1:].partition("]")[0]
    return netloc.partition(":")[0]


def parts_of(message: Message | Fragments) -> list[str | bytes]:
    """Return the fragments of a message; a message that is none is one."""
    return [message] if isinstance(message, (str, bytes)) else list(message)


def _checked(message: Message | Fragments) -> Message | Fragments:
    parts = parts_of(message) if isinstance(message, Sequence) else []
    kind = str if parts and isinstance(parts[0], str) else bytes
    if not parts or not all(isinstance(part, kind) for part in parts):
        raise WrongUse(f"a message is a text, bytes, or fragments of one of them, not {message!r}")
    for part in parts:
        if isinstance(part, str) and any("\ud800" <= char <= "\udfff" for char in part):
            raise WrongUse(f"{part!r} is no text in UTF-8 (RFC 6455, 5.6): send it as bytes")
    return message


def _size(message: Message | Fragments) -> int:
    return sum(len(part.encode() if isinstance(part, str) else part) for part in parts_of(message))


def pair(line: str) -> Pair:
    """Return the name and the value of a field line that is written in one."""
    name, _, value = line.partition(": ")
    return name, value


def in_url(target: str) -> bool:
    """Tell whether a request-target can stand in a URL, and a client writes it as it stands there.

    Clients take dot segments out of a path (RFC 3986, 5.2.4), and some the question mark of an empty query.

    >>> [in_url(target) for target in ("/chat?room=1", "*", "/a/../b", "/?")]
    [True, False, False, False]
    """
    return bool(ORIGIN.fullmatch(target)) and not target.endswith("?") and not _DOTS.search(target.partition("?")[0])


_WHOLE: tuple[tuple[str, Callable[[Offer], bool], str], ...] = (
    ("raw", lambda offer: offer.raw is not None, "any bytes in the place of a request"),
    ("early", lambda offer: bool(offer.early), "bytes behind the request before the answer is there"),
    ("cuts", lambda offer: bool(offer.cuts), "a request in segments"),
)


def in_one_piece(form: str, offer: Offer) -> None:
    """Check that an offer is one request, sent at once; all that a form but the raw socket can say.

    Raises:
        WrongUse: it is more; the part is named.
    """
    for name, has, what in _WHOLE:
        if has(offer):
            raise WrongUse(f"{form} cannot send {what} ({name} of this offer)")
    for name, value in offer.fields:
        if re.search(r"[\r\n\0]", name + value):
            raise WrongUse(f"{form} sends no line end and no zero byte inside the field line {name!r}, folded or not")


def added(form: str, offer: Offer, sent: Sequence[Pair], always: Sequence[str]) -> tuple[str, ...]:
    """Return what a form's client adds to an offer; what it sends has to hold all that is offered.

    Args:
        form: its name.
        offer: what is asked.
        sent: the field lines that the client will send, the key aside.
        always: what it adds by itself, `name: value` each.

    Raises:
        WrongUse: a field line would be missing, or one would come that nobody asked for.
    """
    offered, there = Counter(offer.fields), Counter(sent)
    for name, _ in offered - there:
        raise WrongUse(f"{form} cannot send the field line {name!r} as this offer has it")
    own = {line.partition(":")[0]: line for line in always}
    extra = [name for name, _ in (there - offered).elements()]
    for name in extra:
        if name not in own:
            raise WrongUse(f"{form} always sends a field line {name!r}, and this offer has none, or another")
    common = [line for line in sent if line in offered]
    moved = () if common == list(offer.fields) else ("the field lines stand in another order",)
    return (*(own[name] for name in extra), *moved)
