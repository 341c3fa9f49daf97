"""A configuration made ready for requests: its servers, what each level does, its upstream blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from labkit.proxies.directive import Directive, unmodelled
from labkit.proxies.model import Times
from labkit.proxies.nginx.fields import DEFAULTS, Defaults
from labkit.proxies.nginx.heads import Limits, Options
from labkit.proxies.nginx.known import check_known
from labkit.proxies.nginx.levels import Level, seconds, size
from labkit.proxies.nginx.locations import Location, Server, compile_servers, find_location, find_server
from labkit.proxies.nginx.rewriting import Step, compile_steps
from labkit.proxies.nginx.variables import Variables

__all__ = ["Layout", "Pool"]

_SHOWN = ("proxy_set_header", "add_header", "proxy_pass", "proxy_redirect", "try_files", "error_page")
"""Directives whose variables a head would show."""

_TIMES = {
    "client_header_timeout": 60.0, "client_body_timeout": 60.0,
    "keepalive_timeout": 75.0, "proxy_connect_timeout": 60.0,
}  # fmt: skip


@dataclass(frozen=True)
class Pool:
    """An upstream block: how many servers it may try, and whether connections to it are kept."""

    servers: int = 1
    keeps: bool = False


@dataclass
class Layout:
    """All that a model of nginx knows of its configuration.

    Args:
        http: its block http.
        door: the port that the client dials.
        version: whose defaults hold.

    Raises:
        Unmodelled: it says what the model does not know; the directive and the line are named.
    """

    http: Level
    door: int
    version: str
    variables: Variables = field(init=False)
    servers: tuple[Server, ...] = field(init=False)
    pools: dict[str, Pool] = field(init=False)
    steps: dict[int, tuple[Step, ...]] = field(init=False)

    def __post_init__(self) -> None:
        self.variables = Variables(self.http)
        self.servers = compile_servers(self.http)
        check_known(self.http.directive)
        self.steps = {id(level): compile_steps(level, self.variables) for level in self._levels()}
        for level in (self.http, *self._levels()):
            for each in level.own(*_SHOWN):
                self.variables.check(each.args[-1:] if each.name == "try_files" else each.args, each)
        for server in self.servers:
            _check_pages(server)
        self.pools = {each.args[0].lower(): self._pool(each) for each in self.http.own("upstream")}
        self.default, _ = find_server(self.servers, self.door, "")
        self._options = {id(server): _options(server) for server in self.servers}

    def _levels(self) -> Iterator[Level]:
        for server in self.servers:
            yield server
            yield from _within(server.inside)

    def _pool(self, block: Directive) -> Pool:
        alive = [each for each in block.inside("server") if "down" not in each.args]
        count = block.inside("keepalive")
        keeps = bool(count) or self.defaults.pools
        return Pool(len(alive), keeps and not any(each.args[:1] == ("0",) for each in count))

    @property
    def defaults(self) -> Defaults:
        """What nginx of this version sends to upstreams by default."""
        return DEFAULTS[self.version]

    @property
    def tls(self) -> bool:
        """Whether the door speaks TLS where the text comes from."""
        return any("ssl" in each.listens.get(self.door, ()) for each in self.servers)

    @property
    def limits(self) -> Limits:
        """How long a head may be."""
        large = self.default.one("large_client_header_buffers")
        number, each = (int(large.args[0]), size(large.args[1])) if large else (4, 8192)
        return Limits(size(self.default.word("client_header_buffer_size", "1k")), number, each)

    def options(self, host: str) -> Options:
        """Return what the server of a host lets pass in field names."""
        server, _ = find_server(self.servers, self.door, host)
        return self._options[id(server)]

    def pool(self, name: str) -> Pool:
        """Return the upstream block of a name; one server where there is none."""
        return self.pools.get(name.lower(), Pool())

    def times(self) -> Times:
        """Return how long nginx waits, as far as that is the same everywhere.

        Raises:
            Unmodelled: a time is set more than once, and differs.
        """
        found = {name: self._time(name, default) for name, default in _TIMES.items()}
        return Times(
            head=found["client_header_timeout"], content=found["client_body_timeout"],
            keep_alive=found["keepalive_timeout"], connect=found["proxy_connect_timeout"],
            linger=seconds(self.default.word("lingering_timeout", "5s")),
        )  # fmt: skip

    def _time(self, name: str, default: float) -> float:
        """Return a time that holds everywhere; 0, which only keepalive_timeout knows, is the location's to say."""
        usual = f"{default}"
        held = {seconds(level.word(name, usual)) for level in self._levels() if self._heard(level)} - {0.0}
        if len(held) > 1:
            first = next(each for level in (self.http, *self._levels()) for each in level.own(name))
            raise unmodelled(first, "it differs from place to place, and the model keeps one time")
        return next(iter(held), default)

    def _heard(self, level: Level) -> bool:
        server = level.server
        return not isinstance(server, Server) or self.door in server.listens


_EARLY = frozenset({"400", "405", "414", "494", "501", "505"})  # before a request has a location


def _check_pages(server: Server) -> None:
    """Check that no error of a head that is none leads to an upstream."""
    for each in server.all("error_page"):
        to = each.args[-1]
        if _EARLY.isdisjoint(each.args[:-1]) or to.startswith("http"):
            continue
        location = server.named(to) if to.startswith("@") else find_location(server.inside, to).location
        if "$" in to or (location is not None and location.proxied is not None):
            raise unmodelled(each, "it sends on what nginx could not read as a request, and that is not modelled")


def _options(server: Level) -> Options:
    return Options(
        server.on("underscores_in_headers", default=False), server.on("ignore_invalid_headers", default=True)
    )


def _within(inside: Iterable[Location]) -> Iterator[Level]:
    for each in inside:
        yield each
        yield from (Level(one, each) for one in each.own("limit_except", "if"))
        yield from _within(each.inside)
