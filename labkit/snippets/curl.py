"""An offer as a curl command line."""

from __future__ import annotations

from labkit.commandlines.words import quoted
from labkit.errors import WrongUse
from labkit.parties.offer import Offer
from labkit.snippets.libcurl import Instructions, instructions
from labkit.snippets.wanted import Wanted, Written, dialled

__all__ = ["ALWAYS", "BOUND", "arguments", "write"]

ALWAYS = ("User-Agent: curl/…", "Accept: */*")
"""What curl adds, unless the offer has its own."""

BOUND = 2
"""Seconds: behind a 101 curl waits for the end of the connection, which may never come."""

_SAID = "what is said after the 101: curl sends no frames by itself"
_WIDE = 100  # characters of a line


def arguments(offer: Offer, url: str = "") -> list[str]:
    """Return curl's arguments for an offer, without the word curl.

    Bytes beyond ASCII are surrogates, as a program is started with them (`os.fsencode`).

    Args:
        offer: what is asked.
        url: where to dial; the offer's own host unless told. Its path does not count: the offer has its own.

    Raises:
        WrongUse: curl cannot say this offer; the part is named.

    >>> arguments(Offer.custom("shout"), "http://127.0.0.1:8101/")[3:-1]
    ['-H', 'Host: server.example.com', '-H', 'Upgrade: shout', '-H', 'Connection: Upgrade']
    """
    to = dialled(offer, url)
    return [word for option in _options(offer, instructions("curl", offer, to, ALWAYS), tls=to.tls) for word in option]


def write(wanted: Wanted) -> Written:
    """Print an offer as a command line for bash."""
    how = instructions("curl", wanted.offer, wanted.to, ALWAYS)
    options = _options(wanted.offer, how, tls=wanted.to.tls)
    pieces = [quoted(option) for option in options]
    text = " ".join(["curl", *pieces])
    if len(text) > _WIDE:
        text = " \\\n  ".join([f"curl {pieces[0]} {pieces[1]}", *pieces[2:]])
    return Written(text, how.adds, (_SAID,) if wanted.speaks else ())


def _options(offer: Offer, how: Instructions, *, tls: bool) -> list[list[str]]:
    """Return curl's options, each with its value, the URL last."""
    options = [["-i"], ["--max-time", str(BOUND)]]
    if offer.version == "HTTP/1.0":
        options.append(["--http1.0"])
    elif tls:
        options.append(["--http1.1"])  # in HTTP/2 there is no Upgrade (RFC 9113, 8.6)
    if how.head:
        options.append(["--head"])
    if how.method:
        options.append(["-X", _word(how.method)])
    if how.target is not None:
        options.append(["--request-target", _word(how.target)])
    options += [["-H", _word(line)] for line in how.lines]
    if offer.content:
        if b"\0" in offer.content:
            raise WrongUse("curl takes no zero byte on its command line (content of this offer)")
        options.append(["--data-raw", _argument(offer.content)])
    return [*options, [how.url]]


def _word(text: str) -> str:
    """Return a head's text, a byte for each character, as a word of a command line."""
    return _argument(text.encode("latin-1"))


def _argument(data: bytes) -> str:
    """Return bytes as a text that a program can be started with; all but ASCII is a surrogate, so that none is lost."""
    return data.decode("ascii", "surrogateescape")
