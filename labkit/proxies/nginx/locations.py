"""Which server and which location a request comes to (ngx_http_core_find_location)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from labkit.proxies.directive import Directive
from labkit.proxies.nginx.levels import Level, caught, pattern

__all__ = ["Found", "Location", "Server", "compile_servers", "find_location", "find_server"]


@dataclass(eq=False)
class Location(Level):
    """A location, with those inside it.

    Args:
        name: its path, pattern, or name with an at sign.
        modifier: how it is compared: "=", "^~", "~", "~*" or nothing.
        regex: the pattern, where it is one.
        inside: the locations inside it.
    """

    name: str = ""
    modifier: str = ""
    regex: re.Pattern[str] | None = None
    inside: tuple[Location, ...] = ()

    @property
    def redirects(self) -> bool:
        """Whether a path that lacks but the last slash is redirected to it: it is passed on, and ends in a slash."""
        return self.regex is None and self.name.endswith("/") and bool(self.own("proxy_pass", "grpc_pass"))


@dataclass(eq=False)
class Server(Level):
    """A server: its names, its locations."""

    names: tuple[str, ...] = ()
    patterns: tuple[re.Pattern[str] | None, ...] = ()
    inside: tuple[Location, ...] = ()
    listens: dict[int, tuple[str, ...]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The first of its names, $server_name."""
        return self.names[0].removeprefix(".") if self.names else ""

    def named(self, name: str) -> Location | None:
        """Return a location by its name with the at sign."""
        return next((each for each in self.inside if each.name == name), None)


@dataclass(slots=True)
class Found:
    """What a path came to.

    Args:
        location: where; None where the server itself answers.
        redirect: whether to the same path with a slash.
        captures: what a pattern caught, from the whole on.
        names: what it caught by name.
    """

    location: Location | None
    redirect: bool = False
    captures: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)


def compile_servers(http: Level) -> tuple[Server, ...]:
    """Return the servers of a block http, whose `listen` name plain ports."""
    return tuple(_server(each, http) for each in http.own("server"))


def _server(directive: Directive, http: Level) -> Server:
    names = tuple(name for each in directive.inside("server_name") for name in each.args)
    patterns = tuple(
        pattern(name[1:], directive, caseless=True) if name.startswith("~") else _wildcard(name) for name in names
    )
    heard = {int(each.args[0].rpartition(":")[2]): each.args[1:] for each in directive.inside("listen")}
    server = Server(directive, http, names=names, patterns=patterns, listens=heard or {80: ()})
    server.inside = tuple(_locations(server, directive))
    return server


def _wildcard(name: str) -> re.Pattern[str] | None:
    if name.startswith("."):
        return re.compile(rf"(?:.+\.)?{re.escape(name[1:].lower())}")
    if name.startswith("*."):
        return re.compile(rf".+{re.escape(name[1:].lower())}")
    if name.endswith(".*"):
        return re.compile(rf"{re.escape(name[:-1].lower())}.+")
    return None


def _locations(level: Level, directive: Directive) -> Iterator[Location]:
    for each in directive.inside("location"):
        modifier, name = _split(each)
        regex = pattern(name, each, caseless=modifier == "~*") if modifier.startswith("~") else None
        location = Location(each, level, name=name, modifier=modifier, regex=regex)
        location.inside = tuple(_locations(location, each))
        yield location


def _split(directive: Directive) -> tuple[str, str]:
    if len(directive.args) > 1:
        return directive.args[0], directive.args[1]
    name = directive.args[0] if directive.args else "/"
    modifier = next((each for each in ("^~", "~*", "=", "~") if name.startswith(each)), "")
    return modifier, name[len(modifier) :]


def find_server(servers: Iterable[Server], port: int, host: str) -> tuple[Server, re.Match[str] | None]:
    """Return the server for a host on a port (ngx_http_find_virtual_server), and what its pattern caught."""
    there = [each for each in servers if port in each.listens]
    for server in there:
        if host and any(name.lower() in (host, f".{host}") for name in server.names):
            return server, None
    stars = [(name, server) for name, server, regex in _patterns(there) if name[0] != "~" and regex.fullmatch(host)]
    if stars:  # one with its star in front goes first, then the longest
        return max(stars, key=lambda star: (not star[0].endswith(".*"), len(star[0])))[1], None
    for name, server, regex in _patterns(there):
        found = regex.search(host) if name.startswith("~") and host else None
        if found:
            return server, found
    return next((each for each in there if "default_server" in each.listens[port]), there[0]), None


def _patterns(servers: Iterable[Server]) -> Iterator[tuple[str, Server, re.Pattern[str]]]:
    for server in servers:
        for name, regex in zip(server.names, server.patterns, strict=True):
            if regex is not None:
                yield name, server, regex


def find_location(inside: tuple[Location, ...], uri: str) -> Found:
    """Return what a path comes to among these locations.

    First the plain ones: exactly, then by the longest beginning, in which others may lie; then the patterns
    in their order, unless the longest beginning is a `^~`.
    """
    plain = _plain(inside, uri)
    best = plain.location
    if plain.redirect or (best is not None and best.modifier == "="):
        return plain
    deeper = find_location(best.inside, uri) if best is not None else Found(None)
    if deeper.location is not None and (deeper.redirect or deeper.location.modifier == "=" or deeper.captures):
        return deeper
    found = _by_pattern(inside, uri) if best is None or best.modifier != "^~" else None
    return found or (deeper if deeper.location is not None else plain)


def _plain(inside: tuple[Location, ...], uri: str) -> Found:
    """Return the location that has no pattern (ngx_http_core_find_static_location)."""
    there = [each for each in inside if each.regex is None and not each.name.startswith("@")]
    same = sorted((each for each in there if each.name == uri), key=lambda each: each.modifier != "=")
    if same:
        return Found(same[0])
    slashed = next((each for each in there if each.name == f"{uri}/" and each.redirects), None)
    if slashed is not None:
        return Found(slashed, redirect=True)
    begins = [each for each in there if each.modifier != "=" and uri.startswith(each.name)]
    return Found(max(begins, key=lambda each: len(each.name), default=None))


def _by_pattern(inside: tuple[Location, ...], uri: str) -> Found | None:
    for each in inside:
        match = each.regex.search(uri) if each.regex is not None else None
        if match is None:
            continue
        captures, names = caught(match)
        deeper = find_location(each.inside, uri)
        if deeper.location is not None:
            return Found(deeper.location, False, deeper.captures or captures, {**names, **deeper.names})
        return Found(each, captures=captures, names=names)
    return None
