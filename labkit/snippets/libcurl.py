"""What libcurl makes of an offer, for the two forms that speak through it: curl and PHP.

Found by trying on libcurl 7.88.1; what it does not send as it was told is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from labkit.errors import WrongUse
from labkit.parties.offer import Offer
from labkit.snippets.wanted import Dialled, Pair, added, in_one_piece, in_url, pair

__all__ = ["Instructions", "instructions"]

_VERSIONS = ("HTTP/1.1", "HTTP/1.0")  # that it can be told to say in this way

_BLANK = " \t\v\f"
_NO_WAIT = 1024  # bytes of content; before more of it older versions wait a second for a 100 (Continue)


@dataclass(frozen=True, slots=True)
class Instructions:
    """What libcurl is told.

    Args:
        lines: its own list of field lines: "Name: value", "Name;" for an empty value, "Name:" for none at all.
        target: a request-target that cannot stand in the URL, else None.
        method: the method where it has to be told, else "".
        head: whether it is told by the option for HEAD.
        url: where it dials.
        adds: what it adds, and how it differs.
    """

    lines: tuple[str, ...]
    target: str | None
    method: str
    head: bool
    url: str
    adds: tuple[str, ...]


def instructions(form: str, offer: Offer, to: Dialled, always: Sequence[str]) -> Instructions:
    """Return what libcurl is told so that it sends an offer.

    Args:
        form: the form's name.
        offer: what is asked.
        to: where it dials.
        always: what this client adds by itself, `name: value` each.

    Raises:
        WrongUse: it cannot send this offer; the part is named.
    """
    in_one_piece(form, offer)
    for wrong, what in _REFUSED:
        if wrong(offer):
            raise WrongUse(f"{form} cannot send {what} of this offer as it is")
    for line in offer.fields:
        _check_line(form, line)
    # with several lines of it none is libcurl's own
    lengths = [line for line in offer.fields if line[0].lower() == "content-length"]
    own_length = bool(offer.content) and lengths == [_length(offer)]
    custom = [
        line for line in offer.fields if line[0].lower() != "host" and not (own_length and line == _length(offer))
    ]
    sent = _sent(offer, custom, always, own_length=own_length)
    plain = "POST" if offer.content else "GET"
    head = offer.method == "HEAD" and not offer.content
    straight = in_url(offer.target)
    empty = ("no space behind the colon of an empty field value",) if any(not v for _, v in offer.fields) else ()
    return Instructions(
        lines=(*_host(offer, to), *map(_told_line, custom), *_kept_away(offer)),
        target=None if straight else offer.target,
        method="" if head or offer.method == plain else offer.method,
        head=head,
        url=to.url("http", offer.target if straight else "/"),
        adds=(*added(form, offer, sent, always), *empty),
    )


def _sent(offer: Offer, custom: list[Pair], always: Sequence[str], *, own_length: bool) -> list[Pair]:
    """Return the field lines that it will send: its own first, then the list, then the length of the content."""
    hosts = offer.fields.all("Host")
    own = [pair(line) for line in always if line.partition(":")[0] not in offer.fields]
    length = [_length(offer)] if own_length else []
    return [*(("Host", value) for value in hosts[:1]), *own, *custom, *length]


def _length(offer: Offer) -> Pair:
    return ("Content-Length", str(len(offer.content)))


def _host(offer: Offer, to: Dialled) -> list[str]:
    """Return the line for Host: none where it is that of the URL."""
    hosts = offer.fields.all("Host")
    if not hosts:
        return ["Host:"]
    return [] if hosts[0] == to.authority else [_told_line(("Host", hosts[0]))]


def _told_line(line: Pair) -> str:
    name, value = line
    return f"{name}: {value}" if value else f"{name};"


def _kept_away(offer: Offer) -> list[str]:
    """Return the lines that keep away what content brings with it."""
    if not offer.content:
        return []
    names = ["Content-Type", "Content-Length"] + ["Expect"] * (len(offer.content) > _NO_WAIT)
    return [f"{name}:" for name in names if name not in offer.fields]


_REFUSED: tuple[tuple[Callable[[Offer], bool], str], ...] = (
    (lambda offer: offer.version not in _VERSIONS, "the version"),
    (lambda offer: not offer.method or "\0" in offer.method, "the method"),
    (lambda offer: any(char in offer.method + offer.target for char in "\r\n"), "the request line"),
    (lambda offer: not offer.target or "\0" in offer.target, "the target"),
    # with one it frames content by itself, whatever the content has
    (lambda offer: "Transfer-Encoding" in offer.fields, "the field Transfer-Encoding"),
)
"""What of an offer cannot be said."""


def _check_line(form: str, line: Pair) -> None:
    """Check that a line is read as it is meant: its name ends at a colon, or a semicolon; "@" would name a file."""
    name, value = line
    if not name or name.startswith("@") or any(char in name for char in ":;"):
        raise WrongUse(f"{form} cannot send a field line with the name {name!r}")
    if value and not value.strip(_BLANK):
        raise WrongUse(f"{form} drops the field line {name!r}: its value is white space alone")
