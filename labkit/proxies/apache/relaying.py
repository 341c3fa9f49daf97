"""What mod_proxy_http 2.4.71 makes of a backend's answer: of a 101, of interim answers, and of final ones."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from labkit.parties.answer import phrase
from labkit.parties.clocks import lab_date
from labkit.proxies.apache.editing import apply, parts_of
from labkit.proxies.apache.fields import Sending, connection_names, via
from labkit.proxies.apache.ledger import Ledger
from labkit.proxies.apache.pages import TITLES, Style, keeps, kept_lines
from labkit.proxies.apache.settings import Settings
from labkit.proxies.directive import Directive
from labkit.proxies.model import Forward, Framing, Relay, Request, Turn
from labkit.wire.fields import Fields
from labkit.wire.http1 import TOKEN, ResponseHead
from labkit.wire.upgrade import options

__all__ = ["Problem", "Way", "final", "interim", "switch"]

_HOP = ("Keep-Alive", "Proxy-Authenticate", "TE", "Trailer", "Upgrade")
_ITS_OWN = "Apache's own rule: hop-by-hop fields end at the proxy"
_AGAIN = "Apache's own rule: on a 101 it writes these itself, whatever the backend's Connection says"
_KEPT = "Apache's own rule: whether the client's connection is kept"
_FRAMED = "Apache's own rule: the content is framed anew"
_REVERSED = ("Location", "Content-Location", "URI", "Destination")
_NAME = re.compile(TOKEN.decode())
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]")
_MOST_INTERIM = 10


@dataclass(frozen=True, slots=True)
class Way(Forward):
    """A request on its way, with what is needed when its answer comes.

    Args:
        sending: how it was sent; None where nothing was.
        style: of httpd's own pages.
        place: scheme, host and port as the client has them, for redirects.
        port: what follows the proxy's name in Via.
        interim: the statuses of the interim answers so far.
    """

    sending: Sending | None = None
    style: Style = field(default_factory=Style)
    place: str = ""
    port: str = ""
    interim: list[int] = field(default_factory=list)


class Problem(NamedTuple):
    """Why an answer is not passed on, and what httpd answers instead.

    Args:
        status: of its own answer.
        reason: what the page says; empty for none.
        log: what the error log says.
        bare: whether the answer has no Content-Length.
    """

    status: int
    reason: str = ""
    log: str = ""
    bare: bool = False


def _upgrade(answer: ResponseHead) -> str | None:
    found = answer.fields.all("Upgrade")
    return found[0] if found else None


def _cleared(answer: ResponseHead) -> Ledger:
    ledger = Ledger.of(answer.fields)
    for name in ("Proxy-Connection", "Connection"):
        ledger.unset(name, _ITS_OWN)
    for name in connection_names(answer.fields):
        ledger.unset(name, _ITS_OWN)
    for name in _HOP:
        ledger.unset(name, _ITS_OWN)
    return ledger


def switch(request: Request, way: Way, answer: ResponseHead) -> Relay | Problem:
    """Pass a 101 on, where its Upgrade is what the backend was asked for; one of HTTP/1.0 gets no bytes of it.

    Returns:
        What is sent, or the problem: it is not: 502.
    """
    sending = way.sending
    assert sending is not None
    named, asked = _upgrade(answer), sending.upgrade
    if named is None or asked is None or named.lower() != asked.lower():
        told = f"Unexpected Upgrade: {_or_none(named)} (expecting {_or_none(asked)})"
        return Problem(502, told, f"AH00898: {told} returned by {request.head.target}")
    ledger = _cleared(answer)
    _sign(ledger, request, way)
    if sending.head.version == "HTTP/1.0":
        log = "the client speaks HTTP/1.0: the 101 is kept from it, and the tunnel is there all the same"
        return Relay(Turn.SWITCH, changes=ledger.changes(), log=log)
    _say_again(ledger, named)
    return Relay(Turn.SWITCH, _head(answer, ledger.fields()), changes=ledger.changes())


def _say_again(ledger: Ledger, named: str) -> None:
    """Put Connection and Upgrade back as httpd writes them."""
    ledger.again("Connection", "Upgrade", _AGAIN)
    ledger.again("Upgrade", named, _AGAIN)


def _or_none(text: str | None) -> str:
    return "n/a" if text is None else text


def interim(request: Request, way: Way, answer: ResponseHead) -> Relay | Problem:
    """Pass an interim answer on, a 100 where the client waits for it.

    Returns:
        What is sent, or the problem: it is one too many: 502.
    """
    way.interim.append(answer.status)
    if len(way.interim) >= _MOST_INTERIM:
        told = f"Too many ({_MOST_INTERIM}) interim responses from origin server"
        return Problem(502, told, f"AH00898: {told} returned by {request.head.target}")
    waits = "Expect" in request.head.fields and way.interim.count(100) == 1
    if request.head.version == "HTTP/1.0" or (answer.status == 100 and not waits):
        return Relay(Turn.INTERIM)
    ledger = _cleared(answer)
    _sign(ledger, request, way)
    return Relay(Turn.INTERIM, _head(answer, ledger.fields()), changes=ledger.changes())


def _head(answer: ResponseHead, fields: Fields) -> bytes:
    return ResponseHead(answer.status, answer.reason, fields).to_bytes()


def final(request: Request, way: Way, answer: ResponseHead) -> Relay | Problem:
    """Pass a final answer on.

    Returns:
        What is sent, or the problem: it cannot be passed on: 500 or 502.
    """
    sending = way.sending
    assert sending is not None
    if not answer.version.startswith(("HTTP/1.", "HTTP/0.")):
        told = f"Corrupt status line returned by remote server: {answer.reason}"
        return Problem(502, told, f"AH00898: {told} returned by {request.head.target}")
    ledger = _cleared(answer)
    if "Transfer-Encoding" in answer.fields:
        ledger.unset("Content-Length", "Apache's own rule: Transfer-Encoding overrides it (RFC 9112, 6.3)")
    length = ledger.get("Content-Length")
    if length is not None and not re.fullmatch("[0-9]+", length):
        return Problem(502, "", "AH01587: Invalid Content-Length", bare=True)
    if answer.version.startswith("HTTP/1."):
        _reverse(ledger, way, sending.settings)
        _sign(ledger, request, way)
        _offer_back(ledger, sending, answer)
    elif request.head.method == "HEAD":
        ledger.add("Content-Length", str(len(answer.reason)), _FRAMED)
    always = _edit(ledger, sending.settings)
    return _check(ledger) or _passed(request, way, answer, ledger, always)


def _passed(request: Request, way: Way, answer: ResponseHead, ledger: Ledger, always: Ledger) -> Relay:
    """Frame an answer, and say what becomes of both connections."""
    sending, head = way.sending, request.head
    assert sending is not None
    framing = _framing(request, answer, ledger)
    kept = framing is not Framing.CLOSE and keeps(head, request.number, sending.settings, answer.status)
    kept = kept and ("Expect" not in head.fields or 100 in way.interim)
    _finish(ledger, way, request, kept=kept)
    lines = Fields((*always.fields(), *ledger.fields()))
    data = b"" if head.version == "HTTP/0.9" else ResponseHead(answer.status, _reason(answer), lines).to_bytes()
    if answer.version.startswith("HTTP/0."):
        data += _line(answer.reason.encode("latin-1"), framing)
    closes = "close" in options(answer.fields) or answer.version != "HTTP/1.1"
    reuses = sending.worker.reusable and not closes and "close" not in options(way.head.fields)
    both = "Transfer-Encoding" in answer.fields and "Content-Length" in answer.fields
    changes = (*always.changes(), *ledger.changes())
    return Relay(Turn.FINAL, data, framing, keeps=kept, keeps_upstream=reuses and not both, changes=changes)


def _reason(answer: ResponseHead) -> str:
    """Return the backend's reason phrase, or httpd's own where it cannot be sent."""
    if answer.version.startswith("HTTP/1.") and not _CONTROL.search(answer.reason):
        return answer.reason
    return TITLES.get(answer.status) or phrase(answer.status)


def _line(line: bytes, framing: Framing) -> bytes:
    """Return the first line of an answer without a head, which was read before it was known to be content."""
    if framing is Framing.CHUNKED:
        return b"%x\r\n%b\r\n" % (len(line), line) if line else b""
    return b"" if framing is Framing.NONE else line


def _reverse(ledger: Ledger, way: Way, settings: Settings) -> None:
    """Change URLs of the backend to the proxy's own, as ProxyPassReverse says."""
    for name in _REVERSED:
        url = ledger.get(name)
        found = reversed_url(url, settings, way.place) if url else None
        if found is not None:
            ledger.set(_named(ledger, name), found[0], str(found[1]), found[1])


def _named(ledger: Ledger, name: str) -> str:
    return next(each.name for each in ledger.entries if each.went and each.name.lower() == name.lower())


def reversed_url(url: str, settings: Settings, place: str) -> tuple[str, Directive] | None:
    """Return what ProxyPassReverse makes of a URL, and which one; None where none fits."""
    for each in settings.all("ProxyPassReverse"):
        fake, real = [*each.args, ""][:2] if len(each.args) > 1 else ("", (each.args or ("",))[0])
        part = url
        if real.startswith("/") and "://" in url:
            rest = url.partition("://")[2]
            part = f"/{rest.partition('/')[2]}" if "/" in rest else url
        if real and part[: len(real)].lower() == real.lower():
            made = f"{fake}{part[len(real) :]}"
            return (made if "://" in made else f"{place}{made}"), each
    return None


def _sign(ledger: Ledger, request: Request, way: Way) -> None:
    """Add what ProxyVia asks for; it does so to a 101 too."""
    if way.sending is not None:
        text, directive = via(way.sending.settings, way.sending.host, request.head.version, way.port)
        if text:
            ledger.add("Via", text, str(directive), directive)


def _offer_back(ledger: Ledger, sending: Sending, answer: ResponseHead) -> None:
    """Put Upgrade back where the worker lets it through: a 426 keeps what it asks for."""
    named, websocket = _upgrade(answer), "WebSocket" if sending.scheme.startswith("ws") else ""
    if named is not None and sending.worker.lets(named, websocket):
        _say_again(ledger, named)


def _edit(ledger: Ledger, settings: Settings) -> Ledger:
    """Do what Header says; return the lines that `Header always` makes, which are a table of their own."""
    always = Ledger()
    headers = settings.all("Header")
    apply(always, (each for each in headers if parts_of(each)[4]))
    apply(ledger, (each for each in headers if not parts_of(each)[4]))
    return always


def _check(ledger: Ledger) -> Problem | None:
    """Return the problem with a field line that no server may send; None where there is none."""
    for name, value in ledger.fields():
        if not _NAME.fullmatch(name):
            log = f"AH02429: Response header name '{name}' contains invalid characters, aborting request"
            return Problem(500, "", log, bare=True)
        if _CONTROL.search(value):
            log = f"AH02430: Response header '{name}' value of '{value}' contains invalid characters, aborting request"
            return Problem(500, "", log, bare=True)
    return None


def _framing(request: Request, answer: ResponseHead, ledger: Ledger) -> Framing:
    """Say how the content is framed for the client, and frame it so."""
    if answer.status in (204, 304):
        ledger.unset("Content-Length", _FRAMED)
        ledger.unset("Transfer-Encoding", _FRAMED)
        return Framing.NONE
    length = ledger.get("Content-Length")
    if request.head.method == "HEAD":
        if length == "0":
            ledger.unset("Content-Length", "Apache's own rule: no Content-Length: 0 for HEAD")
        return Framing.NONE
    if length is not None:
        ledger.set("Content-Length", length, _FRAMED)
        return Framing.LENGTH
    if request.head.version in ("HTTP/1.0", "HTTP/0.9"):
        ledger.unset("Transfer-Encoding", "Apache's own rule: HTTP/1.0 knows no chunks")
        return Framing.CLOSE
    ledger.set("Transfer-Encoding", "chunked", _FRAMED)
    return Framing.CHUNKED


def _finish(ledger: Ledger, way: Way, request: Request, *, kept: bool) -> None:
    """Add what every answer has: Date, Server, and what becomes of the connection."""
    settings = way.sending.settings if way.sending else Settings()
    varies = ledger.get("Vary")
    if varies is not None:
        values = ",".join(line[1] for line in ledger.fields() if line[0].lower() == "vary")
        words: dict[str, str] = {}
        for word in (part.strip() for part in values.split(",")):
            words.setdefault(word.lower(), word)
        ledger.set("Vary", ",".join(word for word in words.values() if word), "Apache's own rule: each name once")
    if ledger.get("Date") is None:
        ledger.add("Date", lab_date(), "Apache's own rule: the backend sent none")
    if ledger.get("Server") is None:
        ledger.add("Server", way.style.banner, "Apache's own rule: the backend sent none")
    for name in ("Server", "Date"):
        ledger.first(name)
    for name, value in kept_lines(request.head, request.number, settings, kept=kept):
        ledger.merge(name, value, _KEPT) if name == "Connection" else ledger.set(name, value, _KEPT)
