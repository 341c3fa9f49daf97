"""The field lines that go to the backend, as mod_proxy 2.4.71 writes them (`ap_proxy_create_hdrbrgd`)."""

from __future__ import annotations

from dataclasses import dataclass

from labkit.proxies.apache.directives import PROVEN
from labkit.proxies.apache.editing import apply
from labkit.proxies.apache.hosts import Host
from labkit.proxies.apache.ledger import Ledger
from labkit.proxies.apache.settings import NONE, Settings
from labkit.proxies.apache.workers import Worker
from labkit.proxies.directive import Directive
from labkit.wire.fields import Fields
from labkit.wire.http1 import RequestHead

__all__ = ["CLIENT", "Sending", "connection_names", "to_backend", "via"]

CLIENT = "127.0.0.1"
"""The client's address, in the lab."""

_HOP = ("Keep-Alive", "Upgrade", "Trailer", "TE")
_ITS_OWN = "Apache's own rule: hop-by-hop fields end at the proxy"
_NAMED = "Apache's own rule: the Connection of the client names it"
_FORWARDED = "Apache's own rule: who asked, and whom (ProxyAddHeaders On)"
_HOST = "Apache's own rule: the backend's own name (ProxyPreserveHost Off)"
_FRAMED = "Apache's own rule: the content is framed anew"
_MODULE = {"http": "mod_proxy_http", "wstunnel": "mod_proxy_wstunnel"}


@dataclass(frozen=True)
class Sending:
    """A request on its way to a backend.

    Args:
        head: as it came, its lines of one name joined.
        host: the virtual host.
        settings: what holds for its path.
        module: which sends it, "http" or "wstunnel".
        worker: the backend.
        scheme: of the backend's URL.
        authority: the backend's HOST or HOST:PORT.
        upgrade: what the Upgrade field says that goes on; None where there is none.
        named: what the client calls the server, from its Host or the request line.
        by: the directive that lets an upgrade through, or that chose the backend.
    """

    head: RequestHead
    host: Host
    settings: Settings
    module: str
    worker: Worker
    scheme: str
    authority: str
    upgrade: str | None
    named: str
    by: Directive


def connection_names(fields: Fields) -> tuple[str, ...]:
    """Return the field names that Connection lists, as httpd splits it: at commas and semicolons."""
    text = ",".join(fields.all("Connection")).replace(";", ",")
    return tuple(name for part in text.split(",") if (name := part.strip(" \t")))


def via(settings: Settings, host: Host, version: str, port: str) -> tuple[str, Directive]:
    """Return what is added to Via, and by what; empty where nothing is."""
    directive = settings.last("ProxyVia")
    told = settings.word("ProxyVia", "off").lower()
    if told not in ("on", "full"):
        return "", directive
    name = f"{version.removeprefix('HTTP/')} {host.name}{port}"
    return (f"{name} (Apache/{PROVEN})" if told == "full" else name), directive


def to_backend(sending: Sending, length: int | None, port: str) -> Ledger:
    """Return the field lines that go on, with an account of each.

    Args:
        sending: the request.
        length: of its content; None where there is none, -1 where it goes in chunks.
        port: what follows the proxy's name in Via.
    """
    settings = sending.settings
    ledger = Ledger.of(sending.head.fields)
    if sending.named:
        ledger.set("Host", sending.named, "Apache's own rule: the host of the request line counts (RFC 9112, 3.2.2)")
    apply(ledger, settings.all("RequestHeader"))
    saved = ledger.get("Host")
    for name in ("Transfer-Encoding", "Content-Length"):
        ledger.unset(name, _FRAMED)
    _without_hops(ledger, ledger.fields())
    _host(ledger, sending, saved)
    _proxy_lines(ledger, sending, port)
    if "Expect" in sending.head.fields and settings.word("Proxy100Continue", "on").lower() == "off":
        ledger.unset("Expect", "Proxy100Continue Off", settings.last("Proxy100Continue"))
    if settings.on("ProxyAddHeaders", default=True):
        ledger.merge("X-Forwarded-For", CLIENT, _FORWARDED)
        if saved is not None:
            ledger.merge("X-Forwarded-Host", saved, _FORWARDED)
        ledger.merge("X-Forwarded-Server", sending.host.name, _FORWARDED)
    ledger.first("Host")
    _end(ledger, sending, length)
    return ledger


def _without_hops(ledger: Ledger, fields: Fields) -> None:
    names = connection_names(fields)
    ledger.unset("Proxy-Connection", _ITS_OWN)
    ledger.unset("Connection", _ITS_OWN)
    for name in names:
        ledger.unset(name, _ITS_OWN if name.lower() == "upgrade" else _NAMED)
    for name in _HOP:
        ledger.unset(name, _ITS_OWN)


def _host(ledger: Ledger, sending: Sending, saved: str | None) -> None:
    kept = sending.settings.last("ProxyPreserveHost")
    if not sending.settings.on("ProxyPreserveHost", default=False):
        ledger.set("Host", sending.authority, _HOST if kept is NONE else str(kept), kept)
    elif not saved:
        ledger.set("Host", sending.host.name, "Apache's own rule: the client named no host (AH01092)")
    else:
        ledger.set("Host", saved, str(kept), kept)


def _proxy_lines(ledger: Ledger, sending: Sending, port: str) -> None:
    text, directive = via(sending.settings, sending.host, sending.head.version, port)
    if text:
        ledger.merge("Via", text, str(directive), directive)
    elif sending.settings.word("ProxyVia", "off").lower() == "block":
        ledger.unset("Via", str(directive), directive)
    left = ledger.get("Max-Forwards")
    if left is not None:
        ledger.set("Max-Forwards", str(max(int(left) - 1, 0)), "Apache's own rule: one hop less (RFC 9110, 7.6.2)")


def _end(ledger: Ledger, sending: Sending, length: int | None) -> None:
    """Write the lines at the end of a head: framing, and what the module says of the connection."""
    settings, by = sending.settings, sending.by
    if sending.module == "wstunnel":
        ledger.unset("Expect", f"{by}: {_MODULE['wstunnel']} waits for no 100", by)
        why = f"{by}: {_MODULE['wstunnel']} writes these itself, whatever the client sent"
        ledger.again("Upgrade", sending.upgrade or "", why, by)
        ledger.again("Connection", "Upgrade", why, by)
        return
    if length is not None:
        name, value = ("Transfer-Encoding", "chunked") if length < 0 else ("Content-Length", str(length))
        ledger.again(name, value, _FRAMED)
    oldest = settings.env("force-proxy-request-1.0")
    if oldest is not NONE:
        ledger.unset("Expect", str(oldest), oldest)
    elif sending.upgrade is not None:
        ledger.again("Connection", "Upgrade", f"{by}: {_MODULE['http']} lets this upgrade through", by)
        ledger.again("Upgrade", sending.upgrade, f"{by}: {_MODULE['http']} lets this upgrade through", by)
    elif sending.worker.reusable and settings.env("proxy-nokeepalive") is NONE:
        ledger.again("Connection", "Keep-Alive", "Apache's own rule: the backend's connection is kept")
    else:
        ledger.again("Connection", "close", "Apache's own rule: the backend's connection is not kept", by)
