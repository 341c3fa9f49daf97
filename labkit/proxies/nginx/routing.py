"""Through which phases a request goes, and what comes of it: an answer of nginx's own, or its way to an upstream."""

from __future__ import annotations

from dataclasses import dataclass

from labkit.proxies.model import Change, Forward, Own, Request
from labkit.proxies.nginx.aiming import target_of
from labkit.proxies.nginx.answering import Answering, Why
from labkit.proxies.nginx.fields import RULE, invalid_changes, request_fields
from labkit.proxies.nginx.heads import host_of
from labkit.proxies.nginx.layout import Layout
from labkit.proxies.nginx.levels import Level, caught, size
from labkit.proxies.nginx.locations import Location, find_location, find_server
from labkit.proxies.nginx.rewriting import Given, run_steps
from labkit.proxies.nginx.targets import Target, escape, parse_target
from labkit.proxies.nginx.trip import Trip, is_client
from labkit.wire.fields import Fields
from labkit.wire.http1 import RequestHead

__all__ = ["Passing", "Routing"]

_STATIC = frozenset({"GET", "HEAD", "POST"})
_MOST = 1 << 20  # client_max_body_size
_MANY = 1000  # keepalive_requests


@dataclass(frozen=True, slots=True)
class Passing(Forward):
    """A request on its way to an upstream, with what nginx remembers of it.

    Args:
        trip: the request, as it is inside nginx.
        dropped: what became of lines that never got as far as a variable.
        tried: how many servers of the upstream block were tried, this one among them.
    """

    trip: Trip | None = None
    dropped: tuple[Change, ...] = ()
    tried: int = 1


class Routing:
    """Routes the requests of one configuration."""

    def __init__(self, layout: Layout, answering: Answering) -> None:
        self.layout = layout
        self.answering = answering
        answering.route = self.through

    def begin(self, request: Request) -> Trip:
        """Return a request as nginx has it once its head is read."""
        head = request.head
        host = self._host(head)
        server, found = find_server(self.layout.servers, self.layout.door, host)
        options = self.layout.options(host)
        fields = Fields(tuple(line for line in head.fields if options.takes(line[0])))
        target = parse_target(head.target, merge=server.on("merge_slashes", default=True)) or Target("")
        kept = RequestHead(head.method, head.target, fields, head.version)
        trip = Trip(kept, server, server, self.layout.door, self.layout.tls, host, target, number=request.number)
        if found:
            trip.catch(*caught(found))
        trip.length = _length(fields, request.content)
        trip.keeps = _keeps(trip)
        return trip

    def _host(self, head: RequestHead) -> str:
        if not head.target.startswith("/"):
            authority = head.target.partition("://")[2]
            named = host_of(authority.partition("/")[0].partition("?")[0]) if authority else None
            if named:
                return named
        return next((host_of(value) or "" for value in head.fields.all("Host")), "")

    def route(self, request: Request) -> Forward | Own:
        """Decide where a request goes."""
        trip = self.begin(request)
        options = self.layout.options(trip.host)
        invalid = frozenset(at for at, line in enumerate(request.head.fields) if not options.takes(line[0]))
        dropped = tuple(invalid_changes(request.head.fields, invalid, 0)) if invalid else ()
        return self.through(trip, request.content, dropped)

    def through(
        self, trip: Trip, content: bytes, dropped: tuple[Change, ...] = (), named: Location | None = None
    ) -> Forward | Own:
        """Go through the phases, from the server's own steps on; from a location's where it is named."""
        variables = self.layout.variables
        if named is None:
            trip.where = trip.server
            given, _ = run_steps(self.layout.steps[id(trip.server)], trip, variables)
            if given:
                return self.given(trip, given, content)
        while True:
            own = self.enter(trip, content, named)
            if own is not None:
                return own
            steps = self.layout.steps.get(id(trip.where), ()) if trip.where is not trip.server else ()
            given, changed = run_steps(steps, trip, variables)
            if given:
                return self.given(trip, given, content)
            if not changed:
                break
            named = None
            trip.changes -= 1
            if trip.changes == 0:
                log = f'rewrite or internal redirection cycle while processing "{trip.uri}"'
                return self.answering.special(trip, 500, content, Why(RULE, log=log))
        return self.access(trip, content, dropped)

    def enter(self, trip: Trip, content: bytes, named: Location | None) -> Forward | Own | None:
        """Find the location; an answer where the request comes to none (ngx_http_core_find_config_phase)."""
        redirect = False
        if named is None:
            found = find_location(trip.server.inside, trip.uri)
            trip.where, redirect = found.location or trip.server, found.redirect
            if found.captures:
                trip.catch(found.captures, found.names)
        else:
            trip.where = named
        if trip.where.one("internal") and not trip.internal:
            return self.answering.special(trip, 404, content, Why.of(trip.where.one("internal")))
        self.limit(trip)
        if self.too_long(trip, trip.length or 0):
            return self.answering.special(trip, 413, content, self.why_long(trip, trip.length or 0))
        if redirect and isinstance(trip.where, Location):
            path = escape(trip.where.name) + (f"?{trip.args}" if trip.args else "")
            return self.answering.special(trip, 301, content, Why.of(trip.where.directive), path)
        return None

    def limit(self, trip: Trip) -> None:
        """Take up what the location says of the connection (ngx_http_update_location_config)."""
        excepted = next((each for each in trip.where.own("limit_except") if _excepts(each.args, trip.method)), None)
        if excepted is not None:
            trip.where = Level(excepted, trip.where)
        most = int(trip.where.word("keepalive_requests", str(_MANY)))
        if trip.where.word("keepalive_timeout", "75s") in ("0", "0s") or trip.number >= most:
            trip.keeps = False

    def too_long(self, trip: Trip, length: int) -> bool:
        """Tell whether content is longer than the location allows."""
        most = size(trip.where.word("client_max_body_size", str(_MOST)))
        return 0 < most < length

    @staticmethod
    def why_long(trip: Trip, length: int) -> Why:
        """Return why content is too long."""
        log = f"client intended to send too large body: {length} bytes"
        return Why.of(trip.where.one("client_max_body_size"), "nginx's default: client_max_body_size 1m", log)

    def given(self, trip: Trip, given: Given, content: bytes) -> Forward | Own:
        """Answer what a return or a rewrite gives."""
        by = given.by
        if given.status == 444:
            return Own(b"", str(by), by.line, closes=True)
        return self.answering.given(trip, given, content)

    def access(self, trip: Trip, content: bytes, dropped: tuple[Change, ...]) -> Forward | Own:
        """Ask allow and deny, look for files, then go on to the content."""
        for each in trip.where.all("allow", "deny"):
            if is_client(each.args[0]):
                if each.name == "allow":
                    break
                return self.answering.special(trip, 403, content, Why.of(each, log="access forbidden by rule"))
        tried = trip.where.own("try_files")
        if tried:
            return self.try_files(trip, tried[0].args, content, dropped)
        if trip.where.proxied is not None:
            return self.proxy(trip, trip.where, content, dropped)
        return self.static(trip, content)

    def try_files(
        self, trip: Trip, args: tuple[str, ...], content: bytes, dropped: tuple[Change, ...]
    ) -> Forward | Own:
        """Go to the last of them: the lab has none of the files."""
        last = self.layout.variables.text(args[-1], trip)
        if last.startswith("="):
            return self.answering.special(trip, int(last[1:] or 0), content, Why.of(trip.where.one("try_files")))
        if last.startswith("@"):
            return self.named(trip, last, content, dropped)
        uri, _, query = last.partition("?")
        if trip.changes <= 1:
            why = Why.of(trip.where.one("try_files"), log="rewrite or internal redirection cycle")
            return self.answering.special(trip, 500, content, why)
        trip.redirected(uri, query or trip.args)
        return self.through(trip, content, dropped)

    def named(self, trip: Trip, name: str, content: bytes, dropped: tuple[Change, ...] = ()) -> Forward | Own:
        """Go to a location by its name."""
        location = trip.server.named(name)
        trip.changes -= 1
        if location is None or trip.changes <= 0 or not trip.uri:
            return self.answering.special(trip, 500, content, Why(RULE, log=f'could not find named location "{name}"'))
        trip.internal = True
        return self.through(trip, content, dropped, location)

    def static(self, trip: Trip, content: bytes) -> Forward | Own:
        """Answer for a file: the lab has none of them."""
        if trip.method not in _STATIC:
            return self.answering.special(trip, 405, content, Why(f"{RULE}: a file can be read alone"))
        by = trip.where.one("root") or trip.where.one("alias")
        log = f'open() "{trip.uri}" failed (2: No such file or directory)'
        rule = f"{RULE}: what is not passed on is a file in its own folder"
        return self.answering.special(trip, 404, content, Why.of(by, rule, log))

    def proxy(self, trip: Trip, level: Level, content: bytes, dropped: tuple[Change, ...]) -> Forward | Own:
        """Send a request on (ngx_http_proxy_handler)."""
        passing = level.proxied
        assert passing is not None
        computed = "$" in passing.args[0]
        target = target_of(self.layout.variables.text(passing.args[0], trip) if computed else passing.args[0])
        if target is None or target.scheme not in ("http", "https"):
            return self.answering.special(trip, 500, content, Why.of(passing, log="invalid URL prefix"))
        if self.too_long(trip, len(content)):
            return self.answering.special(trip, 413, content, self.why_long(trip, len(content)))
        port = target.authority.rpartition(":")[2]
        trip.proxy = (target.name, port if port.isdigit() else "443" if target.scheme == "https" else "80")
        pool = self.layout.pool(target.name)
        if not pool.servers:
            log = "no live upstreams while connecting to upstream"
            return self.answering.special(trip, 502, content, Why.of(passing, log=log))
        uri = f"/{target.rest}" if computed and target.rest.startswith("?") else target.rest  # ngx_http_proxy_eval
        path = uri if computed and uri else _path(trip, level, uri)
        defaults = self.layout.defaults
        fields, changes = request_fields(trip, level, self.layout.variables, defaults)
        version = f"HTTP/{level.word('proxy_http_version', defaults.version)}"
        head = RequestHead(trip.method, path, fields, version)
        body = content if level.on("proxy_pass_request_body", default=True) else b""
        return Passing(
            target.name, head, body, (*dropped, *changes), str(passing), passing.line, trip=trip, dropped=dropped
        )


def _length(fields: Fields, content: bytes) -> int | None:
    if "Transfer-Encoding" in fields:
        return len(content)
    value = next(iter(fields.all("Content-Length")), None)
    return int(value) if value is not None and value.isascii() and value.isdigit() else None


def _keeps(trip: Trip) -> bool:
    """Tell whether the client's connection goes on: nginx looks for two words anywhere in each Connection."""
    keeps = trip.chunks
    for value in trip.head.fields.all("Connection"):
        if "close" in value.lower():
            keeps = False
        elif "keep-alive" in value.lower():
            keeps = True
    return keeps


def _excepts(methods: tuple[str, ...], method: str) -> bool:
    allowed = {each.upper() for each in methods}
    return method not in allowed | ({"HEAD"} if "GET" in allowed else set())


def _path(trip: Trip, level: Level, uri: str) -> str:
    """Return the path that the upstream is asked for (ngx_http_proxy_create_request)."""
    if not uri and trip.kept:
        return trip.target.unparsed
    location = level.around
    taken = len(location.name) if isinstance(location, Location) and uri and trip.placed else 0
    rest = trip.uri[taken:]
    if trip.target.quoted or trip.internal:
        rest = escape(rest)
    path = (uri if trip.placed else "") + rest
    return f"{path}?{trip.args}" if trip.args else path
