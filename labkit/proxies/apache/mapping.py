"""Where a request goes: the virtual host, then mod_rewrite, ProxyPass and Redirect, in httpd's own order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from labkit.proxies.apache.hosts import Host, chosen
from labkit.proxies.apache.patterns import compiled, filled
from labkit.proxies.apache.rewriting import Rewritten, Rules, rules_of
from labkit.proxies.apache.settings import NONE, Settings
from labkit.proxies.apache.targets import Target, encoded, read_target
from labkit.proxies.apache.workers import (
    GENERIC,
    Balancer,
    Pass,
    Worker,
    balancers_of,
    find_worker,
    lowered,
    passes_of,
    workers_of,
)
from labkit.proxies.directive import Directive
from labkit.wire.http1 import RequestHead

__all__ = ["Backend", "Local", "Mapper", "Moved", "alias_length"]

_HOST_PORT = re.compile(r":[0-9]+$")
_KNOWN_PORTS = {"http": "80", "ws": "80", "https": "443", "wss": "443"}
_STATUSES = {"permanent": 301, "temp": 302, "seeother": 303, "gone": 410}


class Backend(NamedTuple):
    """A request that goes to a backend.

    Args:
        scheme: of its URL, in lower case.
        authority: its HOST or HOST:PORT; not one that can be looked up where `lost`.
        target: the request-target, encoded.
        worker: the backend as httpd keeps it.
        directive: which chose it.
        lost: whether the URL ran together with the rest of the path: a slash is missing.
    """

    scheme: str
    authority: str
    target: str
    worker: Worker
    directive: Directive
    lost: bool = False


class Local(NamedTuple):
    """A request that stays here: there is no content, so mostly 404; `status` where a directive says another.

    Args:
        status: 404, 403 or 410; 0 for what the default handler says.
        directive: which says so.
    """

    status: int = 0
    directive: Directive = NONE


class Moved(NamedTuple):
    """A redirect of httpd's own."""

    status: int
    location: str
    directive: Directive


def alias_length(path: str, fake: str) -> int:
    """Return how much of a path a ProxyPass takes, 0 for nothing (`alias_match` of mod_proxy.c).

    Slashes match in any number; behind a last segment without one, a slash or the end must follow.

    >>> alias_length("/ws/chat", "/ws"), alias_length("/wsx", "/ws"), alias_length("/ws", "/ws/")
    (3, 0, 0)
    """
    at = begin = 0
    while begin < len(fake) and at < len(path):
        if fake[begin] == "/":
            if path[at] != "/":
                return 0
            begin += len(fake) - begin - len(fake[begin:].lstrip("/"))
            at += len(path) - at - len(path[at:].lstrip("/"))
        elif path[at] != fake[begin]:
            return 0
        else:
            at, begin = at + 1, begin + 1
    if at == len(path) and begin != len(fake):
        return 0
    if not fake or (fake[begin - 1] != "/" and path[at : at + 1] not in ("", "/")):
        return 0
    return at


@dataclass(frozen=True)
class Mapper:
    """Where the requests of one configuration go.

    Args:
        hosts: the virtual hosts behind the door.
        loaded: the proxy modules that are loaded.
        door: the port that the client dials.
    """

    hosts: tuple[Host, ...]
    loaded: frozenset[str]
    door: int

    @cached_property
    def maps(self) -> dict[int, _Map]:
        """What leads where, by the place of the virtual host."""
        return {id(host): _Map.of(host) for host in self.hosts}

    def host(self, name: str) -> Host:
        """Return the virtual host for a host name."""
        return chosen(self.hosts, name)

    def read(self, head: RequestHead) -> tuple[Target, Host, str]:
        """Read the target of a request; return it, the virtual host, and what the client calls the server."""
        first = self.hosts[0].server
        merge = first.on("MergeSlashes", default=True)
        target = read_target(head.target, slashes=first.word("AllowEncodedSlashes", "off").lower(), merge=merge)
        absolute = target.authority if target.scheme == "http" else ""
        named = absolute or head.fields.get("Host") or ""
        name = _HOST_PORT.sub("", named).rstrip(".").lower()
        return target, self.host(name), absolute

    def module(self, scheme: str, settings: Settings) -> str:
        """Return which module sends to a scheme: "http", "wstunnel", or none (AH01144)."""
        if scheme in ("ws", "wss") and "proxy_wstunnel" in self.loaded:
            back = settings.on("ProxyWebsocketFallbackToProxyHttp", default=True)
            if not (back and "proxy_http" in self.loaded):
                return "wstunnel"
        return "http" if "proxy_http" in self.loaded and scheme in _KNOWN_PORTS else ""

    def route(self, head: RequestHead, target: Target, host: Host, named: str, number: int) -> Backend | Local | Moved:
        """Decide where a request goes; `number` is which one it is on its connection, for balancers."""
        there = self.maps[id(host)]
        path, query, settings = target.path, target.query, host.at(host.within(target.path))
        done = there.rules.apply(head, target, named or host.name)
        if done is not None and done.kind != "path":
            return _rewritten(done, there, number)
        if done is not None:
            path, query = done.text, done.query
        for one in there.passes(host, path):
            found = self._passed(one, head, target._replace(path=path, query=query), settings)
            if found is not None:
                return Local(0, one.directive) if found == "!" else there.backend(found, target, query, one, number)
        return _redirect(there.redirects, path, target.query)

    def _passed(self, one: Pass, head: RequestHead, target: Target, settings: Settings) -> str | None:
        """Return the URL that a ProxyPass makes of a path, `!` where it excludes it, None where it does not fit."""
        path = target.path
        if one.pattern is not None:
            match = one.pattern.search(path)
            if match is None:
                return None
            made = filled(one.real, match)
            url = made if made != one.real or one.real == "!" else f"{one.real}{path}"
        else:
            length = alias_length(path, one.fake)
            if not length:
                return None
            url = one.real if one.real == "!" else f"{one.real}{path[length:]}"
        scheme = url.partition(":")[0].lower()
        waits = scheme in ("ws", "wss") and self.module(scheme, settings) == "wstunnel"
        return None if url != "!" and waits and "Upgrade" not in head.fields else url


@dataclass(frozen=True)
class _Map:
    """What a virtual host has to map with."""

    rules: Rules
    listed: tuple[Pass, ...]
    located: dict[int, Pass]
    workers: tuple[Worker, ...]
    balancers: dict[str, Balancer]
    redirects: tuple[Directive, ...]
    slashes: str

    @classmethod
    def of(cls, host: Host) -> _Map:
        """Return the map of a virtual host."""
        located = {}
        for place, section in enumerate(host.sections):
            for one in passes_of(section.directive.block or (), section.directive):
                located[place] = one
        return cls(
            rules_of(host.rewriting, host.own),
            (*passes_of(host.base), *passes_of(host.own)),
            located,
            workers_of(host.blocks),
            balancers_of(host.blocks),
            tuple(each for each in (*host.own, *host.base) if each.name.lower().startswith("redirect")),
            host.server.word("AllowEncodedSlashes", "off").lower(),
        )

    def passes(self, host: Host, path: str) -> tuple[Pass, ...]:
        """Return what may fit a path: the ProxyPass of the last location that it lies in, then the listed ones."""
        inside = [self.located[place] for place in host.within(path) if place in self.located]
        return (*inside[-1:], *self.listed)

    def backend(self, url: str, target: Target, query: str | None, one: Pass, number: int) -> Backend | Local:
        """Return the backend of the URL that a ProxyPass made."""
        scheme, _, rest = url.partition("://")
        authority, slash, path = rest.partition("/")
        lost = not slash and one.pattern is None and rest != one.real.partition("://")[2]
        if "nocanon" in one.flags and one.pattern is None and alias_length(target.raw, one.fake):
            raw = target.raw[alias_length(target.raw, one.fake) :]
            path, query = f"{one.real.partition('://')[2].partition('/')[2]}{raw}", None
            sent = f"/{path}"
        else:
            sent = f"/{encoded(path, slashes=self.slashes)}"
        asked = "" if query is None or "noquery" in one.flags else f"?{query}"
        return self.sent(scheme.lower(), authority, sent, asked, one.directive, number, lost=lost)

    def sent(
        self, scheme: str, authority: str, path: str, query: str, by: Directive, number: int, *, lost: bool = False
    ) -> Backend | Local:
        """Return the backend of a URL in its parts; of a balancer, its next member."""
        if scheme != "balancer":
            worker = find_worker(self.workers, f"{scheme}://{authority}{path}{query}") or GENERIC
            return Backend(scheme, _authority(scheme, authority), path + query, worker, by, lost)
        balancer = self.balancers.get(authority.lower())
        if balancer is None or not balancer.members:
            return Local(503, by)
        member = balancer.members[(number - 1) % len(balancer.members)]
        scheme, _, rest = member.url.partition("://")
        authority, _, begin = rest.partition("/")
        begin = f"/{begin}" if begin else ""
        return Backend(scheme, _authority(scheme, authority), f"{begin}{path}{query}", member, by)


def _authority(scheme: str, authority: str) -> str:
    """Return HOST:PORT without a port that the scheme has anyway."""
    name = authority.rpartition("@")[2]
    return lowered(f"x://{name}")[4:].removesuffix(f":{_KNOWN_PORTS.get(scheme, '80')}")


def _rewritten(done: Rewritten, there: _Map, number: int) -> Backend | Local | Moved:
    if done.kind in ("forbidden", "gone"):
        return Local(done.status, done.directive)
    query = "" if done.query is None else f"?{done.query}"
    if done.kind == "redirect":
        return Moved(done.status, f"{done.text}{query}", done.directive)
    scheme, _, rest = done.text.partition("://")
    authority, _, path = rest.partition("/")
    sent = f"/{path}" if done.raw else f"/{encoded(path)}"
    return there.sent(scheme.lower(), authority, sent, query, done.directive, number)


def _redirect(redirects: tuple[Directive, ...], path: str, query: str | None) -> Local | Moved:
    """Return what mod_alias does with a path that no ProxyPass took."""
    for each in redirects:
        name, args = each.name.lower(), list(each.args)
        status = {"redirectpermanent": 301, "redirecttemp": 302}.get(name, 302)
        if name in ("redirect", "redirectmatch") and args and (args[0].lower() in _STATUSES or args[0].isdecimal()):
            word = args.pop(0).lower()
            status = _STATUSES.get(word) or int(word)
        fake, url = [*args, "", ""][:2]
        if name == "redirectmatch":
            match = compiled(fake, each).search(path)
            found = filled(url, match) if match else None
        else:
            length = alias_length(path, fake)
            found = f"{url}{path[length:]}" if length else None
        if found is not None:
            asked = f"?{query}" if query is not None and "?" not in found else ""
            return Moved(status, found + asked, each) if status < 400 else Local(status, each)
    return Local()
