"""What nginx answers itself: pages, redirects, texts of `return`, and where an error_page leads instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from labkit.parties.clocks import lab_date
from labkit.proxies.directive import Directive
from labkit.proxies.model import Forward, Own
from labkit.proxies.nginx.fields import RULE, added
from labkit.proxies.nginx.layout import Layout
from labkit.proxies.nginx.levels import Level
from labkit.proxies.nginx.pages import REDIRECTS, Out, page, status_line, type_of
from labkit.proxies.nginx.rewriting import Given
from labkit.proxies.nginx.trip import CLIENT, Trip
from labkit.wire.fields import text_bytes

__all__ = ["Answering", "Why"]

_CLOSING = frozenset({400, 413, 414, 494, 495, 496, 497, 500, 501})
"""After these nginx closes (ngx_http_special_response_handler)."""

_PADDING = b"<!-- a padding to disable MSIE and Chrome friendly error page -->\r\n" * 6
_ERRORS = 400  # from here on


class Why(NamedTuple):
    """Why nginx answers itself: the directive or the rule, its line, and what the error log says."""

    by: str
    line: int = 0
    log: str = ""

    @classmethod
    def of(cls, directive: Directive | None, rule: str = RULE, log: str = "") -> Why:
        """Return the directive as a reason, or the rule where there is none."""
        return cls(str(directive), directive.line, log) if directive is not None else cls(rule, 0, log)


class Answering:
    """Makes the answers of one configuration.

    Args:
        layout: the configuration.
        version: which nginx says that it is.
    """

    def __init__(self, layout: Layout, version: str) -> None:
        self.layout = layout
        self.version = version
        self.route: Callable[..., Forward | Own]  # through the phases, see `Routing.through`

    def signature(self, level: Level) -> str:
        """Return what nginx calls itself (server_tokens)."""
        return f"nginx/{self.version}" if level.word("server_tokens", "on") in ("on", "build") else "nginx"

    def special(self, trip: Trip, status: int, content: bytes, why: Why, location: str | None = None) -> Forward | Own:
        """Answer with a status of nginx's own (ngx_http_special_response_handler)."""
        trip.status = 0
        if status in _CLOSING:
            trip.keeps = False
        pages = trip.where.all("error_page") if not trip.paged else ()
        for each in pages:
            codes, overwrite, to = _error_page(each)
            if status in codes and trip.changes:
                trip.paged = not trip.where.on("recursive_error_pages", default=False)
                return self.paged(trip, status if overwrite is None else overwrite, to, content, each)
        return self.page(trip, status, why, location)

    def paged(self, trip: Trip, status: int, to: str, content: bytes, each: Directive) -> Forward | Own:
        """Go where an error_page leads (ngx_http_send_error_page)."""
        trip.status = status  # 0: whatever comes of it
        uri = self.layout.variables.text(to, trip)
        if uri.startswith("/"):
            path, _, args = uri.partition("?")
            trip.get()
            if trip.changes <= 1:
                return self.special(trip, 500, content, Why.of(each))
            trip.redirected(path, args)
            return self.route(trip, content)
        if uri.startswith("@"):
            named = trip.server.named(uri)
            trip.changes -= 1
            if named is None or not trip.changes or not trip.uri:
                return self.special(trip, 500, content, Why.of(each, log=f'could not find named location "{uri}"'))
            trip.internal = True
            return self.route(trip, content, (), named)
        trip.status = 0
        return self.page(trip, status if status in REDIRECTS else 302, Why.of(each), uri)

    def page(self, trip: Trip, status: int, why: Why, location: str | None = None) -> Own:
        """Answer with the page of a status."""
        body = page(status, self.signature(trip.where))
        if body and status >= _ERRORS and not trip.headless and self.pads(trip):
            body += _PADDING
        shown = 400 if status in (494, 495, 496, 497) else status
        return self.own(trip, shown, (body, "text/html" if body else ""), why, location)

    def pads(self, trip: Trip) -> bool:
        """Tell whether a page is padded: for Chrome and the old Internet Explorer."""
        agent = trip.field("User-Agent")
        old = "MSIE " in agent
        other = old or "Opera" in agent or "Gecko/" in agent
        padded = (old and "Opera" not in agent) or (not other and "Chrome/" in agent)
        return padded and trip.where.on("msie_padding", default=True)

    def given(self, trip: Trip, given: Given, content: bytes) -> Forward | Own:
        """Answer what a return or a rewrite gives (ngx_http_send_response)."""
        why = Why.of(given.by)
        if given.status in REDIRECTS:
            return self.special(trip, given.status, content, why, given.text or "")
        if given.text is None and given.status >= _ERRORS:
            return self.special(trip, given.status, content, why)
        body = text_bytes((given.text or "").encode("utf-8").decode("latin-1"))
        types = trip.where.one("types")
        known = {end.lower(): each.name for each in types.block or () for end in each.args} if types else None
        kind = type_of(trip.uri, known, trip.where.word("default_type", "text/plain"))
        return self.own(trip, given.status, (body, kind), why)

    def own(self, trip: Trip, status: int, content: tuple[bytes, str], why: Why, location: str | None = None) -> Own:
        """Return an answer with a head and content; the content comes with its type."""
        body, kind = content
        if trip.headless:
            return Own(body, why.by, why.line, closes=True, log=why.log)
        status = trip.status or status
        absolute, lines = "", []
        if location is not None:
            absolute = self.absolute(location, trip)
            lines = [] if absolute else [("Location", location)]
        bodiless = status in (204, 304)
        out = Out(
            status_line(status), self.signature(trip.where), lab_date(),
            "" if status == 204 else kind, None if status == 204 else len(body), absolute,
            connection="keep-alive" if trip.keeps else "close", keep_alive=keep_alive(trip.where),
            lines=[*lines, *added(status, trip, trip.where, self.layout.variables)[0]],
        )  # fmt: skip
        data = out.to_bytes() + (b"" if trip.method == "HEAD" or trip.head.method == "HEAD" or bodiless else body)
        return Own(data, why.by, why.line, closes=not trip.keeps, log=why.log)

    def absolute(self, location: str, trip: Trip) -> str:
        """Return a Location with a host before it, where nginx writes one; empty where it does not."""
        level = trip.where
        if not location.startswith("/") or not level.on("absolute_redirect", default=True):
            return ""
        named = level.on("server_name_in_redirect", default=False)
        host = trip.server.name if named else trip.host or CLIENT
        port = trip.port if level.on("port_in_redirect", default=True) and trip.port != 80 else 0
        return f"http://{host}{f':{port}' if port else ''}{location}"


def keep_alive(level: Level) -> int:
    """Return the seconds that a Keep-Alive field names: the second argument of keepalive_timeout."""
    found = level.one("keepalive_timeout")
    number = re.match("[0-9]+", found.args[1]) if found and len(found.args) > 1 else None
    return int(number[0]) if number else 0


def _error_page(each: Directive) -> tuple[frozenset[int], int | None, str]:
    """Return for which statuses an error_page is, with which it answers, and where it leads.

    The second is None where it keeps the status, and 0 where it takes that of what it leads to.
    """
    codes = frozenset(int(arg) for arg in each.args[:-1] if arg.isdigit())
    overwrite = next((arg for arg in each.args[:-1] if arg.startswith("=")), None)
    return codes, None if overwrite is None else int(overwrite[1:] or 0), each.args[-1]
