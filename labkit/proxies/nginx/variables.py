"""Variables of nginx, and what they stand for in a request: those that can matter to an upgrade.

A variable of another kind, such as a time or a number of the operating system's, cannot be foretold: the model
refuses a configuration that uses one where a head would show it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from difflib import get_close_matches

from labkit.errors import Unmodelled
from labkit.proxies.directive import Directive, unmodelled, walk
from labkit.proxies.nginx.expressions import names_in, parts_of
from labkit.proxies.nginx.levels import Level, caught, pattern
from labkit.proxies.nginx.trip import CLIENT, Trip

__all__ = ["CERTAIN", "OWN", "Variables"]


def _join(trip: Trip, name: str, by: str) -> str:
    return by.join(value for value in trip.head.fields.all(name))


def _query(trip: Trip, name: str) -> str:
    for part in trip.args.split("&"):
        key, equals, value = part.partition("=")
        if equals and key.lower() == name.lower():
            return value
    return ""


def _cookie(trip: Trip, name: str) -> str:
    for line in trip.head.fields.all("Cookie"):
        for part in line.split(";"):
            key, equals, value = part.strip(" ").partition("=")
            if equals and key.strip(" ").lower() == name.lower():
                return value.strip(" ")
    return ""


def _field(trip: Trip, name: str) -> str:
    """Return the first field of a name whose hyphens are written as underscores."""
    return next((value for key, value in trip.head.fields if key.lower().replace("-", "_") == name), "")


_OF_REQUEST = {"http": _field, "arg": _query, "cookie": _cookie}  # $http_name, $arg_name, $cookie_name


def _forwarded_for(trip: Trip) -> str:
    came = _join(trip, "X-Forwarded-For", ", ")
    return f"{came}, {CLIENT}" if came else CLIENT


def _request_line(trip: Trip) -> str:
    line = f"{trip.head.method} {trip.head.target}"
    return line if trip.headless else f"{line} {trip.version}"


CERTAIN: dict[str, Callable[[Trip], str]] = {  # ngx_http_core_variables, ngx_http_proxy_vars
    "arg_": lambda _: "",  # a beginning: $arg_name
    "args": lambda trip: trip.args,
    "content_length": lambda trip: "" if trip.length is None else str(trip.length),
    "content_type": lambda trip: trip.field("Content-Type"),
    "document_uri": lambda trip: trip.uri,
    "host": lambda trip: trip.host or trip.server.name,
    "http2": lambda _: "",
    "http_cookie": lambda trip: _join(trip, "Cookie", "; "),
    "http_x_forwarded_for": lambda trip: _join(trip, "X-Forwarded-For", ", "),
    "https": lambda trip: "on" if trip.tls else "",
    "is_args": lambda trip: "?" if trip.args else "",
    "proxy_add_x_forwarded_for": _forwarded_for,
    "proxy_host": lambda trip: trip.proxy[0],
    "proxy_port": lambda trip: trip.proxy[1],
    "query_string": lambda trip: trip.args,
    "realip_remote_addr": lambda _: CLIENT,
    "remote_addr": lambda _: CLIENT,
    "remote_user": lambda _: "",
    "request": _request_line,
    "request_id": lambda _: "0" * 32,  # drawn anew for every request; the lab writes zeros
    "request_method": lambda trip: trip.method,
    "request_uri": lambda trip: trip.target.unparsed,
    "scheme": lambda trip: "https" if trip.tls else "http",
    "server_addr": lambda _: CLIENT,
    "server_name": lambda trip: trip.server.name,
    "server_port": lambda trip: str(trip.port),
    "server_protocol": lambda trip: "" if trip.headless else trip.version,
    "uri": lambda trip: trip.uri,
}
"""The variables whose values follow from the request and the configuration."""

OWN = frozenset({
    "binary_remote_addr", "body_bytes_sent", "bytes_sent", "connection", "connection_requests",
    "connection_time", "content_length", "content_type", "document_root", "document_uri", "host", "hostname",
    "https", "is_args", "msec", "nginx_version", "pid", "pipe", "query_string", "realpath_root", "remote_addr",
    "remote_port", "remote_user", "request", "request_body", "request_body_file", "request_completion",
    "request_filename", "request_id", "request_length", "request_method", "request_time", "request_uri",
    "scheme", "server_addr", "server_name", "server_port", "server_protocol", "status", "time_iso8601",
    "time_local", "uri",
})  # fmt: skip
"""Variables of nginx's own that no text may give a value (ngx_http_core_variables); `args` may be given one."""

_DEEPEST = 100  # variables in variables: "cycle while evaluating variable", says nginx, and takes nothing for it
_LONGEST = 1 << 20  # characters of a text with its variables
_LAST = frozenset({"map", "geo", "split_clients"})  # their variable stands last
_GIVING = frozenset({"set", "auth_request_set", *_LAST})
_BY_CHANCE = "$by_chance"  # no variable of nginx's
_EMPTY = ("ssl_", "proxy_protocol_", "geoip_", "geoip2_")  # without TLS, PROXY and a database they are empty
_BEGINNINGS = ("http_", "arg_", "cookie_", *_EMPTY)


class _Map:
    """A `map`: the first that fits of exact words, names with stars, patterns, and the default."""

    def __init__(self, directive: Directive) -> None:
        self.source = directive.args[0]
        self.default = ""
        self.words: dict[str, str] = {}
        self.stars: list[tuple[str, str]] = []
        self.patterns: list[tuple[re.Pattern[str], str]] = []
        hostnames = any(each.name == "hostnames" for each in directive.block or ())
        for each in directive.block or ():
            self._take(each, hostnames=hostnames)

    def _take(self, each: Directive, *, hostnames: bool) -> None:
        key, value = each.name, each.args[0] if each.args else ""
        if key in ("hostnames", "volatile") and not each.args:
            return
        if key == "include":
            raise unmodelled(each, "the values of a map are in another file")
        if key == "default":
            self.default = value
        elif key.startswith("~"):
            caseless = key.startswith("~*")
            self.patterns.append((pattern(key[1 + caseless :], each, caseless=caseless), value))
        elif hostnames and (key.startswith((".", "*.")) or key.endswith(".*")):
            self.stars.append((key.lower(), value))
        else:
            self.words.setdefault(key.removeprefix("\\").lower(), value)

    def value(self, trip: Trip, variables: Variables) -> str:
        came = variables.text(self.source, trip)
        found = self.words.get(came.lower())
        if found is None:
            found = self._star(came.lower())
        if found is None:
            for regex, value in self.patterns:
                match = regex.search(came)
                if match:
                    trip.catch(*caught(match))
                    found = value
                    break
        return variables.text(self.default if found is None else found, trip)

    def _star(self, came: str) -> str | None:
        fitting = []
        for key, value in self.stars:
            if key.endswith(".*"):
                fits = came.startswith(key[:-1]) and len(came) > len(key) - 1
            else:
                end = key.lstrip("*")
                fits = (came.endswith(end) and len(came) > len(end)) or (key[0] == "." and came == key[1:])
            if fits:
                fitting.append((not key.endswith(".*"), len(key), value))
        return max(fitting)[2] if fitting else None


class Variables:
    """The variables of one configuration.

    Args:
        http: its block http.

    Raises:
        Unmodelled: a map says what the model does not know.
    """

    def __init__(self, http: Level) -> None:
        self._maps = {each.args[1].lstrip("$").lower(): _Map(each) for each in http.own("map")}
        every = list(walk([http.directive]))
        texts = (arg for each in every for arg in (each.name, *each.args))
        self._caught = {name.lower() for text in texts for name in re.findall(r"\(\?P?<(\w+)>", text)}
        self._given = dict(_given(every))
        self._unsure = self._find_unsure()
        self._depth = 0

    def _find_unsure(self) -> frozenset[str]:
        """Return the variables whose values come from what the model does not know."""
        unsure: set[str] = set()
        while True:
            more = {name for name, texts in self._given.items() if any(self._unknown(texts, unsure))} - unsure
            if not more:
                return frozenset(unsure)
            unsure |= more

    def _unknown(self, texts: Iterable[str], unsure: Collection[str]) -> Iterator[str]:
        for name in (name for text in texts for name in names_in(text)):
            known = name in CERTAIN or name in self._caught or name in self._given or name.isdigit()
            if name in unsure or not (known or name.startswith(_BEGINNINGS)):
                yield name

    def text(self, text: str, trip: Trip) -> str:
        """Return a text with its variables replaced."""
        if "$" not in text:
            return text
        self._depth += 1
        try:
            return self._filled(text, trip) if self._depth <= _DEEPEST else ""
        finally:
            self._depth -= 1

    def _filled(self, text: str, trip: Trip) -> str:
        parts: list[str] = []
        length = 0
        for before, name in parts_of(text):
            parts.append(before + (self.value(name, trip) if name else ""))
            length += len(parts[-1])
            if length > _LONGEST:
                raise Unmodelled(f"the variables make {text[:80]!r} longer than {_LONGEST} characters")
        return "".join(parts)

    def value(self, name: str, trip: Trip) -> str:
        """Return the value of a variable."""
        if name.isdigit():
            return trip.captures[int(name)] if int(name) < len(trip.captures) else ""
        if name in self._maps and name not in trip.variables:
            trip.variables[name] = self._maps[name].value(trip, self)
        if name in trip.variables:
            return trip.variables[name]
        if name in CERTAIN:
            return CERTAIN[name](trip)
        beginning, _, rest = name.partition("_")
        return _OF_REQUEST[beginning](trip, rest) if beginning in _OF_REQUEST else ""

    def check(self, texts: Iterable[str], directive: Directive) -> None:
        """Check that the model knows every variable of some texts.

        Raises:
            Unmodelled: it does not; the variable, the directive and the line are named.
        """
        for name in self._unknown(texts, self._unsure):
            here = {*CERTAIN, "http_upgrade", "http_connection", *self._given} - {name}
            close = get_close_matches(name, sorted(here), 1, 0.85)
            meant = f" (did you mean ${close[0]}?)" if close else ""
            raise unmodelled(directive, f"the model does not know what ${name} will be{meant}")


def _given(directives: Iterable[Directive]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the variables that a text gives values, each with the texts that these are made of.

    Raises:
        Unmodelled: one is nginx's own, with which it does not start.
    """
    texts: dict[str, tuple[str, ...]] = {}
    for each in directives:
        if each.name not in _GIVING or not each.args or not each.args[-1 if each.name in _LAST else 0].startswith("$"):
            continue
        name = each.args[-1 if each.name in _LAST else 0].lstrip("$").lower()
        if name in OWN or name.startswith("http_"):
            raise Unmodelled(f'line {each.line}: {each.name}: nginx does not start: the duplicate "{name}" variable')
        lines = (arg for line in each.block or () for arg in line.args)
        made = each.args[1:2] if each.name == "set" else (each.args[0], *lines) if each.name == "map" else (_BY_CHANCE,)
        texts[name] = (*texts.get(name, ()), *made)
    yield from texts.items()
