"""The model of nginx 1.22.1 as a proxy of upgrades, made from its configuration."""

from __future__ import annotations

from labkit.errors import Unmodelled
from labkit.proxies.directive import Directive
from labkit.proxies.model import Forward, Model, Own, Relay, Request, Trouble
from labkit.proxies.nginx.answer_heads import read_answer
from labkit.proxies.nginx.answering import Answering, Why
from labkit.proxies.nginx.fields import DEFAULTS, RULE
from labkit.proxies.nginx.heads import Wrong, read_request
from labkit.proxies.nginx.layout import Layout
from labkit.proxies.nginx.levels import Level, seconds, size
from labkit.proxies.nginx.locations import find_server
from labkit.proxies.nginx.relaying import Relaying
from labkit.proxies.nginx.routing import Passing, Routing
from labkit.proxies.nginx.targets import Target, parse_target
from labkit.proxies.nginx.trip import Trip
from labkit.wire.fields import Fields
from labkit.wire.http1 import RequestHead, ResponseHead

__all__ = ["PROVEN", "NginxModel", "nginx_model"]

PROVEN = "1.22.1"
"""The version that the model was held against."""

_BUFFER = "4k"  # proxy_buffer_size
_NOT_PROVEN = "its defaults of {} are known from nginx's change log, and were not held against the program"


class NginxModel(Model):
    """What nginx does with a request; see `nginx_model`."""

    def __init__(self, layout: Layout) -> None:
        version = layout.version
        super().__init__("nginx", version, layout.times())
        self.part_counts = False  # proxy_read_timeout runs from the request to the end of the answer's head
        self.note = "" if version == PROVEN else _NOT_PROVEN.format(version)
        self.layout = layout
        self._answering = Answering(layout, version)
        self._routing = Routing(layout, self._answering)
        self._relaying = Relaying(layout, self._answering, self._routing)
        self._limits = layout.limits
        self._buffer = size(layout.default.word("proxy_buffer_size", _BUFFER))

    def read_head(self, data: bytes) -> tuple[RequestHead, int] | Own | None:
        """Read a request's head as nginx does."""
        found = read_request(data, self._limits, self.layout.options)
        if found is None:
            return None
        if isinstance(found, Wrong):
            return self._refused(found)
        return found.head, found.length

    def _refused(self, wrong: Wrong) -> Own:
        server, _ = find_server(self.layout.servers, self.layout.door, wrong.host)
        head = RequestHead(wrong.method, "", Fields(), wrong.version)
        trip = Trip(head, server, server, self.layout.door, self.layout.tls, wrong.host, Target(""))
        why = Why(f"{RULE}: what it reads as a request", log=wrong.log)
        made = self._answering.special(trip, wrong.status, b"", why)
        return (made if isinstance(made, Own) else self._answering.page(trip, wrong.status, why))._replace(closes=True)

    def read_answer(self, data: bytes) -> tuple[ResponseHead, int] | Trouble | None:
        """Read an upstream's answer as nginx does; what is none is an answer of HTTP/0.9."""
        found = read_answer(data, self._buffer)
        return Trouble.GARBAGE if isinstance(found, str) else found

    def route(self, request: Request) -> Forward | Own:
        """Decide where a request goes."""
        if not _is_valid(request.head, self.layout):
            return self._refused(Wrong(400, "client sent invalid request", request.head.method, request.head.version))
        return self._routing.route(request)

    def answers_at_once(self, head: RequestHead) -> bool:
        """Tell whether nginx answers a request itself, and does not wait for its content."""
        return isinstance(self.route(Request(head)), Own)

    def relay(self, request: Request, forward: Forward, answer: ResponseHead) -> Relay | Own | Forward:  # noqa: ARG002
        """Decide what is made of an answer."""
        assert isinstance(forward, Passing)
        return self._relaying.relay(forward, answer)

    def failed(self, request: Request, forward: Forward, trouble: Trouble) -> Own | Forward:  # noqa: ARG002
        """Answer for an upstream that cannot."""
        assert isinstance(forward, Passing)
        return self._relaying.failed(forward, trouble)

    def overdue(self, waiting: str) -> Own:
        """Close: nginx does not answer a client that is too slow."""
        what = "headers" if waiting == "head" else "body"
        log = f"client timed out (110: Connection timed out) while reading client request {what}"
        return Own(b"", f"client_{'header' if waiting == 'head' else 'body'}_timeout", log=log)

    def cut(self, data: bytes) -> Own:  # noqa: ARG002
        """Close: nobody is left to answer."""
        return Own(b"", RULE, log="client prematurely closed connection while reading client request")

    def broken(self, head: RequestHead) -> Own:
        """Answer content that is none."""
        wrong = Wrong(400, "client sent invalid chunked body", head.method, head.version, "")
        return self._refused(wrong)

    def too_long(self, head: RequestHead, length: int) -> Own | None:
        """Answer content that is too long."""
        found = self._routing.route(Request(head, b""))
        if not isinstance(found, Passing) or found.trip is None:
            return None
        if self._routing.too_long(found.trip, length):
            made = self._answering.special(found.trip, 413, b"", self._routing.why_long(found.trip, length))
            return made._replace(closes=True) if isinstance(made, Own) else None
        return super().too_long(head, length)

    def silence(self, *, tunnel: bool) -> str:
        """Return what the error log says of a silent upstream."""
        what = "proxying upgraded connection" if tunnel else "reading upstream"
        return f"upstream timed out (110: Connection timed out) while {what}"

    def tunnel_time(self, forward: Forward) -> float:
        """Return how long a tunnel may be silent: proxy_read_timeout, as before the answer."""
        return self.answer_time(forward)

    def answer_time(self, forward: Forward) -> float:
        """Return how long an upstream may be silent."""
        level = forward.trip.where if isinstance(forward, Passing) and forward.trip else self.layout.http
        return seconds(level.word("proxy_read_timeout", "60s"))


def _is_valid(head: RequestHead, layout: Layout) -> bool:
    return parse_target(head.target, merge=layout.default.on("merge_slashes", default=True)) is not None


def nginx_model(directives: tuple[Directive, ...], door: int | None = None, version: str = PROVEN) -> NginxModel:
    """Return the model of a configuration.

    Args:
        directives: the whole of it, with a block http whose servers listen on plain ports.
        door: the port that the client dials; the first of them unless told.
        version: whose defaults hold: 1.22.1, which the model was held against, or 1.29.7.

    Raises:
        Unmodelled: a directive could matter that the model does not know; it and its line are named.
    """
    http = next((each for each in directives if each.name == "http"), None)
    if http is None or not http.inside("server"):
        raise Unmodelled("there is no server in this configuration: nothing would listen")
    if version not in DEFAULTS:
        raise Unmodelled(f"the model knows nginx {' and '.join(DEFAULTS)}, not {version}")
    if door is None:
        first = next((each.args[0] for server in http.inside("server") for each in server.inside("listen")), "80")
        door = int(first.rpartition(":")[2])
    return NginxModel(Layout(Level(http), door, version))
