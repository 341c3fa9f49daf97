"""The model of Apache httpd 2.4.71 (Debian) as a proxy of upgrades, held against the real program."""

from __future__ import annotations

from collections.abc import Iterable

from labkit.errors import Unmodelled
from labkit.proxies.apache.answering import RULE, Asked, Says, echo, local, moved, ok, own, refused
from labkit.proxies.apache.directives import BUILD
from labkit.proxies.apache.editing import apply
from labkit.proxies.apache.fields import Sending, to_backend
from labkit.proxies.apache.heads import Wrong, read_answer, read_request, stopped
from labkit.proxies.apache.hosts import Host, hosts_of
from labkit.proxies.apache.known import check
from labkit.proxies.apache.ledger import Ledger
from labkit.proxies.apache.mapping import Backend, Local, Mapper, Moved
from labkit.proxies.apache.pages import ALLOW, page
from labkit.proxies.apache.relaying import Problem, Way, final, interim, switch
from labkit.proxies.apache.settings import NONE, Settings
from labkit.proxies.content import chunk
from labkit.proxies.directive import Directive, unmodelled
from labkit.proxies.model import Forward, Model, Own, Relay, Request, Times, Trouble
from labkit.wire.http1 import RequestHead, ResponseHead

__all__ = ["ApacheModel", "apache_model"]

_FOR_EVER = 1e9
_SPOOLED = 16384 - 80  # content in chunks that is shorter goes on with its length (MAX_MEM_SPOOL)
_TIMEOUT = 60.0
_LINGER = 30.0  # MAX_SECS_TO_LINGER


def apache_model(directives: Iterable[Directive], loaded: Iterable[str], door: int = 80) -> ApacheModel:
    """Return the model of a configuration.

    Args:
        directives: the whole configuration, upstreams as they are written.
        loaded: the proxy modules that are loaded, by their short names.
        door: the port that the client dials, as the configuration has it.

    Raises:
        Unmodelled: a directive could matter that the model does not know; it is named, with its line.

    >>> apache_model([Directive("ProxyPass", ("/ws/", "ws://b/"), 1)], ("proxy", "proxy_http")).version
    '2.4.71 (Debian)'
    """
    whole = tuple(directives)
    check(whole)
    hosts = hosts_of(whole, door)
    _check_hosts(hosts)
    return ApacheModel(Mapper(hosts, frozenset(loaded), door))


def _check_hosts(hosts: tuple[Host, ...]) -> None:
    """Check what depends on where a directive stands."""
    for each in (inside for host in hosts for section in host.sections for inside in section.directive.block or ()):
        if each.name.lower().startswith(("rewrite", "redirect")):
            raise unmodelled(each, "the model of Apache knows it outside of locations only")
    if len({host.server.seconds("KeepAliveTimeout", 5.0) for host in hosts}) > 1:
        raise Unmodelled("KeepAliveTimeout differs between virtual hosts of one port: the model of Apache knows one")


class ApacheModel(Model):
    """What httpd does, as far as the model knows it.

    Args:
        mapper: where requests go.
    """

    def __init__(self, mapper: Mapper) -> None:
        settings = mapper.hosts[0].server
        timeout = settings.seconds("Timeout", _TIMEOUT)
        wait = settings.seconds("KeepAliveTimeout", 5.0)
        super().__init__("apache", BUILD, Times(timeout, timeout, wait, timeout, timeout, timeout, _LINGER))
        self.mapper = mapper
        self.continues = False  # it asks the backend for the 100, and passes it on
        self.half_closes = True
        self.eof_aborts = False

    # heads

    def read_head(self, data: bytes) -> tuple[RequestHead, int] | Own | None:
        """Read a request's head as HttpProtocolOptions Strict has it."""
        found = read_request(data, self.mapper.hosts[0].server)
        return self._refused(found) if isinstance(found, Wrong) else found

    def read_answer(self, data: bytes) -> tuple[ResponseHead, int] | Trouble | None:
        """Read an answer's head as mod_proxy_http does."""
        return read_answer(data)

    def stopped(self, data: bytes, trouble: Trouble) -> Trouble:
        """Tell what it is when a backend stops in the middle of a head."""
        return stopped(data, trouble)

    # requests

    def route(self, request: Request) -> Forward | Own:
        """Decide where a request goes."""
        head = request.head
        target, host, absolute = self.mapper.read(head)
        settings = host.at(host.within(target.path))
        asked = Asked(request, host, absolute or head.fields.get("Host") or "", settings, self.mapper.door)
        if target.path == "*":
            return ok(asked)
        if head.method == "CONNECT":
            return own(asked, Says(405, lines=(("Allow", ",".join(ALLOW)),)))
        if target.status:
            logs = {400: f"AH10244: invalid URI path ({target.raw})"}
            log = logs.get(target.status, f"AH00026: found %2f (encoded '/') in URI path ({target.raw}), returning 404")
            return own(asked, Says(target.status, log=log))
        found = self.mapper.route(head, target, host, absolute or host.name, request.number)
        if isinstance(found, Moved):
            return moved(asked, found)
        denied = _denied(settings, host, proxied=isinstance(found, Backend))
        if denied is not NONE:
            log = f"AH01630: client denied by server configuration: {target.path}"
            return own(asked, Says(403, denied, log=log))
        return local(asked, found) if isinstance(found, Local) else self._proxied(asked, absolute, found)

    def _proxied(self, asked: Asked, absolute: str, backend: Backend) -> Forward | Own:
        head, settings, by = asked.request.head, asked.settings, backend.directive
        if answered := _before(asked, backend):
            return answered
        module = self.mapper.module(backend.scheme, settings)
        if not module:
            log = (
                f"AH01144: No protocol handler was valid for the URL {head.target} (scheme '{backend.scheme}'). If you "
                "are using a DSO version of mod_proxy, make sure the proxy submodules are included in the "
                "configuration using LoadModule."
            )
            return own(asked, Says(500, by, log=log))
        offered = _offered(asked)
        upgrade = _through_http(asked, backend, offered) if module == "http" else _through_wstunnel(backend, offered)
        if module == "wstunnel" and upgrade is None:
            wanted = backend.worker.upgrade or "WebSocket"
            log = (
                f"AH02900: require upgrade for URL {backend.scheme}://{backend.authority}{backend.target} "
                f"(Upgrade header is {'missing' if offered is None else offered}, expecting {wanted})"
            )
            return own(asked, Says(426, by, log=log, lines=(("Connection", "Upgrade"), ("Upgrade", wanted))))
        sending = Sending(
            head, asked.host, settings, module, backend.worker, backend.scheme, backend.authority, upgrade, absolute, by
        )
        return _way(asked, sending, backend)

    # answers

    def relay(self, request: Request, forward: Forward, answer: ResponseHead) -> Relay | Own:
        """Decide what is made of an answer."""
        assert isinstance(forward, Way)
        made = final
        if answer.version.startswith("HTTP/1.") and answer.status // 100 == 1:
            made = switch if answer.status == 101 else interim
        found = made(request, forward, answer)
        return self._trouble(request, forward, found) if isinstance(found, Problem) else found

    def failed(self, request: Request, forward: Forward, trouble: Trouble) -> Own:
        """Answer for a backend that cannot."""
        assert isinstance(forward, Way)
        if trouble in (Trouble.REFUSED, Trouble.UNREACHABLE):
            log = f"AH00957: attempt to connect to {forward.address} failed"
            return self._trouble(request, forward, Problem(503, "", log))
        if forward.opaque:
            body = "" if request.head.method == "HEAD" else page(502, forward.style, request.head)
            return Own(body.encode("latin-1", "replace"), f"{RULE}: the backend said nothing; a page without a head")
        if trouble is Trouble.GARBAGE:
            log = f"AH01106: bad HTTP/1.1 header returned by {request.head.target} ({request.head.method})"
            return self._trouble(request, forward, Problem(502, "", log))
        log = f"AH01102: error reading status line from remote server {forward.address}"
        if trouble is Trouble.CLOSED and request.number > 1:
            return Own(b"", f"{RULE}: on a kept connection the client may ask again", log=f"{log}; AH01104")
        return self._trouble(request, forward, Problem(502, "Error reading from remote server", log))

    def _trouble(self, request: Request, way: Way, problem: Problem) -> Own:
        sending = way.sending
        assert sending is not None
        named = sending.named or request.head.fields.get("Host") or ""
        asked = Asked(request, sending.host, named, sending.settings, self.mapper.door, 100 in way.interim)
        by = f"{RULE}: {problem.reason or problem.log}"
        return own(asked, Says(problem.status, by, problem.reason, problem.log, bare=problem.bare))

    # what the client does not do

    def overdue(self, waiting: str) -> Own:
        """Answer a client that took too long."""
        return self._refused(Wrong(408, f"the {waiting} was not complete in time"))

    def late(self, waiting: str, data: bytes) -> Own:
        """Close without an answer where not even a request line came."""
        if waiting == "head" and b"\n" not in data.lstrip(b"\r\n"):
            return Own(b"", f"{RULE}: no request line came in time")
        return self.overdue(waiting)

    def cut(self, data: bytes) -> Own:
        """Answer a client that closes in the middle of a request."""
        if data and b"\n" not in data.lstrip(b"\r\n"):
            return Own(b"", f"{RULE}: not even a request line came")
        return self._refused(Wrong(400, "AH00567: request failed: error reading the headers"))

    def broken(self, head: RequestHead) -> Own:
        """Answer a client whose content cannot be read."""
        return self._refused(Wrong(400, "AH01590: Error reading/parsing chunk", head=head, bare=True))

    def _refused(self, what: Wrong) -> Own:
        host = self.mapper.hosts[0]
        return refused(Asked(Request(what.head), host, "", host.server, self.mapper.door), what)

    # times

    def answer_time(self, forward: Forward) -> float:
        """Return timeout= of the worker, else ProxyTimeout, else Timeout."""
        assert isinstance(forward, Way)
        if forward.opaque or forward.sending is None:
            return _FOR_EVER
        settings = forward.sending.settings
        usual = settings.seconds("ProxyTimeout", settings.seconds("Timeout", _TIMEOUT))
        return forward.sending.worker.timeout(usual)

    def tunnel_time(self, forward: Forward) -> float:
        """Return the longer one of the two connections' times; mod_proxy_wstunnel waits for ever."""
        assert isinstance(forward, Way)
        if forward.opaque or forward.sending is None:
            return _FOR_EVER
        return max(self.answer_time(forward), forward.sending.settings.seconds("Timeout", _TIMEOUT))

    def silence(self, *, tunnel: bool) -> str:
        """Return what the error log says: of a tunnel nothing."""
        return "" if tunnel else "AH01110: error reading response"


def _before(asked: Asked, backend: Backend) -> Own | None:
    """Answer what mod_proxy answers before it asks a backend."""
    head, by = asked.request.head, backend.directive
    if (left := head.fields.get("Max-Forwards")) is not None and (answered := _last_hop(asked, left)):
        return answered
    if head.method == "TRACE" and not asked.settings.on("TraceEnable", default=True):
        return own(asked, Says(405, asked.settings.last("TraceEnable"), lines=(("Allow", ""),)))
    if backend.lost:
        told = f"DNS lookup failure for: {backend.authority}"
        return own(asked, Says(500, by, told, f"AH00898: {told} returned by {head.target}"))
    coding = head.fields.get("Transfer-Encoding")
    if coding is not None and coding.lower() != "chunked":
        return own(asked, Says(500, log=f"AH01093: {coding} Transfer-Encoding is not supported"))
    return None


def _last_hop(asked: Asked, left: str) -> Own | None:
    """Answer a request that may go no further (RFC 9110, 7.6.2); None where it may."""
    told = "Max-Forwards has reached zero - proxy loop?"
    if not left.isdecimal() or len(left) > 18:
        told = "Max-Forwards request header could not be parsed"
    elif int(left):
        return None
    elif asked.request.head.method == "TRACE":
        return echo(asked)
    elif asked.request.head.method == "OPTIONS":
        return ok(asked, (("Allow", "TRACE"),))
    return own(asked, Says(400, reason=told))


def _offered(asked: Asked) -> str | None:
    """Return the Upgrade field of a request, as RequestHeader leaves it."""
    edited = Ledger.of(asked.request.head.fields)
    apply(edited, asked.settings.all("RequestHeader"))
    return edited.get("Upgrade")


def _through_http(asked: Asked, backend: Backend, offered: str | None) -> str | None:
    """Return what mod_proxy_http offers on; None for nothing."""
    websocket = backend.scheme.startswith("ws")
    if not (backend.worker.upgrade or websocket) or asked.settings.env("force-proxy-request-1.0") is not NONE:
        return None
    lets = offered is not None and backend.worker.lets(offered, "WebSocket" if websocket else "")
    return offered if lets else None


def _through_wstunnel(backend: Backend, offered: str | None) -> str | None:
    """Return what mod_proxy_wstunnel asks for, in its own spelling; None where it asks for nothing."""
    if offered is None or not backend.worker.lets(offered, "WebSocket"):
        return None
    told = backend.worker.upgrade or "WebSocket"
    return "WebSocket" if told.upper() == "NONE" else told


def _way(asked: Asked, sending: Sending, backend: Backend) -> Way:
    opaque = sending.module == "wstunnel"
    length, content = _content(asked.request, opaque=opaque)
    ledger = to_backend(sending, length, asked.shown)
    oldest = asked.settings.env("force-proxy-request-1.0") is not NONE
    head = RequestHead(asked.request.head.method, backend.target, ledger.fields(), "HTTP/1.0" if oldest else "HTTP/1.1")
    return Way(
        backend.authority, head, content, ledger.changes(), str(backend.directive), backend.directive.line,
        opaque=opaque, half_closes=not opaque, sending=sending, style=asked.style,
        place=f"http://{asked.called}{asked.shown}", port=asked.shown,
    )  # fmt: skip


def _content(request: Request, *, opaque: bool) -> tuple[int | None, bytes]:
    """Return the length that is announced, None for none and -1 for chunks, and the content as it is sent."""
    head, content = request.head, request.content
    chunked = "Transfer-Encoding" in head.fields
    if opaque:
        return None, (chunk(content) if content else b"") + chunk(b"") if chunked else content
    if chunked and len(content) > _SPOOLED:
        return -1, chunk(content) + chunk(b"")
    return (len(content) if chunked or "Content-Length" in head.fields else None), content


def _denied(settings: Settings, host: Host, *, proxied: bool) -> Directive:
    """Return the Require that keeps everybody out, `NONE` where none does."""
    found = settings.last("Require")
    if proxied and found is NONE:
        sections = [each for each in host.blocks if each.name.lower() == "proxy" and each.args in (("*",), ())]
        inside = [each for section in sections for each in section.inside("Require")]
        found = inside[-1] if inside else NONE
    return found if " ".join(found.args).lower() == "all denied" else NONE
