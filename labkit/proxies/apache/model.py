"""The model of Apache httpd 2.4.71 (Debian) as a proxy of upgrades, held against the real program."""

from __future__ import annotations

import html
from collections.abc import Iterable

from labkit.errors import Unmodelled
from labkit.proxies.apache.editing import apply, parts_of
from labkit.proxies.apache.fields import Sending, to_backend
from labkit.proxies.apache.heads import Refused, read_answer, read_request, stopped
from labkit.proxies.apache.hosts import Host, hosts_of
from labkit.proxies.apache.known import check
from labkit.proxies.apache.ledger import Ledger
from labkit.proxies.apache.mapping import Backend, Local, Mapper, Moved
from labkit.proxies.apache.pages import ALLOW, Style, answer, keeps, kept_lines, page
from labkit.proxies.apache.relaying import Problem, Way, final, interim, switch
from labkit.proxies.apache.settings import NONE, Settings
from labkit.proxies.apache.targets import Target
from labkit.proxies.content import chunk
from labkit.proxies.directive import Directive
from labkit.proxies.model import Forward, Model, Own, Relay, Request, Times, Trouble
from labkit.wire.fields import Fields
from labkit.wire.http1 import RequestHead, ResponseHead

__all__ = ["VERSION", "ApacheModel", "apache_model"]

VERSION = "2.4.71 (Debian)"
"""What the model was held against."""

_FOR_EVER = 1e9
_SPOOLED = 16384 - 80  # content in chunks that is shorter goes on with its length (MAX_MEM_SPOOL)
_TIMEOUT = 60.0
_METHODS = frozenset((
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PROPFIND", "PROPPATCH", "MKCOL",
    "COPY", "MOVE", "LOCK", "UNLOCK", "VERSION-CONTROL", "CHECKOUT", "UNCHECKOUT", "CHECKIN", "UPDATE", "LABEL",
    "REPORT", "MKWORKSPACE", "MKACTIVITY", "BASELINE-CONTROL", "MERGE",
))  # fmt: skip
_RULE = "Apache's own rule"


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
    _check_sections(hosts)
    waits = {host.server.seconds("KeepAliveTimeout", 5.0) for host in hosts}
    if len(waits) > 1:
        raise Unmodelled("KeepAliveTimeout differs between virtual hosts of one port: the model of Apache knows one")
    mapper = Mapper(hosts, frozenset(loaded), door)
    mapper.maps  # noqa: B018  what cannot be mapped is told now
    return ApacheModel(mapper)


def _check_sections(hosts: tuple[Host, ...]) -> None:
    for each in (inside for host in hosts for section in host.sections for inside in section.directive.block or ()):
        if each.name.lower().startswith(("rewrite", "redirect")):
            raise Unmodelled(
                f"line {each.line}: {each.name} inside a location: the model of Apache knows it outside of them; "
                "run it for real"
            )


class ApacheModel(Model):
    """What httpd does, as far as the model knows it.

    Args:
        mapper: where requests go.
    """

    def __init__(self, mapper: Mapper) -> None:
        settings = mapper.hosts[0].server
        timeout = settings.seconds("Timeout", _TIMEOUT)
        wait = settings.seconds("KeepAliveTimeout", 5.0)
        super().__init__("apache", VERSION, Times(timeout, timeout, wait, timeout, timeout, timeout, 30.0))
        self.mapper = mapper
        self.continues = False  # it asks the backend for the 100, and passes it on
        self.half_closes = True
        self.eof_aborts = False
        self._style = self._styled(mapper.hosts[0], mapper.hosts[0].name, "")

    # heads

    def read_head(self, data: bytes) -> tuple[RequestHead, int] | Own | None:
        """Read a request's head as HttpProtocolOptions Strict has it."""
        found = read_request(data, self.mapper.hosts[0].server)
        return self._refused(found) if isinstance(found, Refused) else found

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
        named = absolute or head.fields.get("Host") or ""
        if target.path == "*":
            return self._ok(request, host, ())
        if head.method == "CONNECT":
            return self._page(request, host, named, 405, _RULE, lines=(("Allow", ",".join(ALLOW)),))
        if target.status:
            log = (
                f"AH10244: invalid URI path ({target.raw})"
                if target.status == 400
                else "AH00026: found %2f in URI path"
            )
            return self._page(request, host, named, target.status, _RULE, log=log)
        settings = host.at(host.within(target.path))
        found = self.mapper.route(head, target, host, absolute or host.name, request.number)
        denied = _denied(settings, host, proxied=isinstance(found, Backend))
        if isinstance(found, Moved):
            return self._moved(request, host, named, found)
        if denied is not NONE:
            log = f"AH01630: client denied by server configuration: {target.path}"
            return self._page(request, host, named, 403, denied, log=log)
        if isinstance(found, Local):
            return self._local(request, host, named, found, settings)
        return self._proxied(request, host, absolute, settings, found)

    def _proxied(
        self, request: Request, host: Host, absolute: str, settings: Settings, backend: Backend
    ) -> Forward | Own:
        head, by = request.head, backend.directive
        named = absolute or head.fields.get("Host") or ""
        if own := self._before(request, host, named, settings, backend):
            return own
        module = self.mapper.module(backend.scheme, settings)
        if not module:
            log = (
                f"AH01144: No protocol handler was valid for the URL {head.target} (scheme '{backend.scheme}'). If you "
                "are using a DSO version of mod_proxy, make sure the proxy submodules are included in the configuration "
                "using LoadModule."
            )
            return self._page(request, host, named, 500, by, log=log)
        edited = Ledger.of(head.fields)
        apply(edited, settings.all("RequestHeader"))
        offered = edited.get("Upgrade")
        lets = offered is not None and backend.worker.lets(offered, "WebSocket" if backend.scheme[0] == "w" else "")
        if module == "wstunnel":
            wanted = backend.worker.upgrade or "WebSocket"
            if not lets:
                log = (
                    f"AH02900: require upgrade for URL {backend.scheme}://{backend.authority}{backend.target} "
                    f"(Upgrade header is {'missing' if offered is None else offered}, expecting {wanted})"
                )
                lines = (("Connection", "Upgrade"), ("Upgrade", wanted))
                return self._page(request, host, named, 426, by, log=log, lines=lines)
            upgrade: str | None = "WebSocket" if wanted.upper() == "NONE" else wanted
        else:
            plain = not (backend.worker.upgrade or backend.scheme[0] == "w")
            oldest = settings.env("force-proxy-request-1.0") is not NONE
            upgrade = offered if lets and not plain and not oldest else None
        sending = Sending(
            head, host, settings, module, backend.worker, backend.scheme, backend.authority, upgrade, absolute, by
        )
        return self._way(request, sending, backend)

    def _way(self, request: Request, sending: Sending, backend: Backend) -> Way:
        opaque = sending.module == "wstunnel"
        length, content = _content(request, opaque=opaque)
        host, port = sending.host, self._port(sending.named or request.head.fields.get("Host") or "")
        shown = "" if port == "80" else f":{port}"
        ledger = to_backend(sending, length, shown)
        oldest = sending.settings.env("force-proxy-request-1.0") is not NONE
        head = RequestHead(
            request.head.method, backend.target, ledger.fields(), "HTTP/1.0" if oldest and not opaque else "HTTP/1.1"
        )
        named = self._called(host, sending.settings, sending.named or request.head.fields.get("Host") or "")
        return Way(
            backend.authority, head, content, ledger.changes(), str(backend.directive), backend.directive.line,
            opaque=opaque, half_closes=not opaque, sending=sending,
            style=self._styled(host, sending.named or request.head.fields.get("Host") or "", port),
            place=f"http://{named}{shown}", port=shown,
        )  # fmt: skip

    def _before(self, request: Request, host: Host, named: str, settings: Settings, backend: Backend) -> Own | None:
        """Answer what mod_proxy answers before it asks a backend."""
        head, by = request.head, backend.directive
        if (left := head.fields.get("Max-Forwards")) is not None:
            told = ""
            if not left.isdecimal() or len(left) > 18:
                told = "Max-Forwards request header could not be parsed"
            elif int(left) == 0 and head.method == "TRACE":
                return self._echo(request, host)
            elif int(left) == 0 and head.method == "OPTIONS":
                return self._ok(request, host, (("Allow", "TRACE"),))
            elif int(left) == 0:
                told = "Max-Forwards has reached zero - proxy loop?"
            if told:
                return self._page(request, host, named, 400, _RULE, reason=told)
        if head.method == "TRACE" and not settings.on("TraceEnable", default=True):
            return self._page(request, host, named, 405, settings.last("TraceEnable"), lines=(("Allow", ""),))
        if backend.lost:
            told = f"DNS lookup failure for: {backend.authority}"
            return self._page(request, host, named, 500, by, reason=told, log=f"AH00898: {told}")
        coding = head.fields.get("Transfer-Encoding")
        if coding is not None and coding.lower() != "chunked":
            return self._page(
                request, host, named, 500, _RULE, log=f"AH01093: {coding} Transfer-Encoding is not supported"
            )
        return None

    # answers

    def relay(self, request: Request, forward: Forward, answer: ResponseHead) -> Relay | Own:
        """Decide what is made of an answer."""
        assert isinstance(forward, Way)
        try:
            if answer.status == 101 and answer.version.startswith("HTTP/1."):
                return switch(request, forward, answer)
            if answer.status // 100 == 1 and answer.version.startswith("HTTP/1."):
                return interim(request, forward, answer)
            return final(request, forward, answer)
        except Problem as problem:
            return self._trouble(request, forward, problem)

    def failed(self, request: Request, forward: Forward, trouble: Trouble) -> Own:
        """Answer for a backend that cannot."""
        assert isinstance(forward, Way)
        if trouble in (Trouble.REFUSED, Trouble.UNREACHABLE):
            log = f"AH00957: attempt to connect to {forward.address} failed"
            return self._trouble(request, forward, Problem(503, "", log))
        if forward.opaque:
            body = page(502, forward.style, request.head)
            return Own(body.encode("latin-1", "replace"), "the backend closed at once: the page comes without a head")
        if trouble is Trouble.GARBAGE:
            log = f"AH01106: bad HTTP/1.1 header returned by {request.head.target} ({request.head.method})"
            return self._trouble(request, forward, Problem(502, "", log))
        log = f"AH01102: error reading status line from remote server {forward.address}"
        if trouble is Trouble.CLOSED and request.number > 1:
            return Own(b"", f"{_RULE}: on a kept connection the client may ask again", log=f"{log}; AH01104")
        return self._trouble(request, forward, Problem(502, "Error reading from remote server", log))

    def _trouble(self, request: Request, way: Way, problem: Problem) -> Own:
        assert way.sending is not None
        host, settings = way.sending.host, way.sending.settings
        chunked = problem.bare and problem.status == 502
        return self._page(
            request, host, "", problem.status, f"{_RULE}: {problem.reason or problem.log}", reason=problem.reason,
            log=problem.log, style=way.style, settings=settings, length=not problem.bare, chunked=chunked,
        )  # fmt: skip

    # what the client does not do

    def overdue(self, waiting: str) -> Own:
        """Answer a client that took too long."""
        return self._refused(Refused(408, f"{waiting} was not complete in time"))

    def late(self, waiting: str, data: bytes) -> Own:
        """Close without an answer where not even a request line came."""
        if waiting == "head" and b"\n" not in data.lstrip(b"\r\n"):
            return Own(b"", f"{_RULE}: no request line came in time")
        return self.overdue(waiting)

    def cut(self, data: bytes) -> Own:
        """Answer a client that closes in the middle of a request."""
        if data and b"\n" not in data.lstrip(b"\r\n"):
            return Own(b"", f"{_RULE}: not even a request line came")
        return self._refused(Refused(400, "AH00567: request failed: error reading the headers"))

    def broken(self, head: RequestHead) -> Own:
        """Answer a client whose content cannot be read."""
        host = self.mapper.hosts[0]
        log = "AH01590: Error reading/parsing chunk"
        return self._page(Request(head), host, head.fields.get("Host") or "", 400, _RULE, log=log, length=False)

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

    # answers of its own

    def _called(self, host: Host, settings: Settings, named: str) -> str:
        """Return what httpd calls itself, without a port."""
        name = named if named.startswith("[") else named.partition(":")[0]
        return host.name if settings.on("UseCanonicalName", default=False) or not name else name.rstrip(".").lower()

    def _port(self, named: str) -> str:
        port = named.rpartition(":")[2] if ":" in named and not named.endswith("]") else ""
        return port or str(self.mapper.door)

    def _styled(self, host: Host, named: str, port: str) -> Style:
        return Style.of(host.server, self._called(host, host.server, named), port or self._port(named))

    def _refused(self, refused: Refused) -> Own:
        """Answer what is no request; nothing behind it is read."""
        host, head = self.mapper.hosts[0], refused.head
        body = page(refused.status, self._style, head, notes=refused.notes)
        ending = (("Connection", "close"),) if refused.closes else ()
        data = answer(refused.status, self._style, head, body, ending=ending, lines=_always(host.server))
        return Own(data, refused.log or _RULE, log=refused.log)

    def _page(
        self, request: Request, host: Host, named: str, status: int, by: Directive | str, *,
        reason: str = "", notes: str = "", log: str = "", location: str = "", lines: tuple[tuple[str, str], ...] = (),
        style: Style | None = None, settings: Settings | None = None, length: bool = True, chunked: bool = False,
    ) -> Own:  # fmt: skip
        settings = settings or host.server
        style = style or self._styled(host, named, "")
        kept = keeps(request.head, request.number, settings, status)
        body = page(status, style, request.head, reason=reason, notes=notes, location=location)
        ending = kept_lines(request.head, request.number, settings, kept=kept)
        title = "Proxy Error" if reason else ""
        more = (*_always(settings), *((("Location", location),) if location else ()), *lines)
        if chunked:
            data = answer(
                status, style, request.head, "", title=title, lines=(*more, *_LATE), ending=ending, length=False
            )
            data += chunk(body.encode("latin-1", "replace")) + chunk(b"") if request.head.method != "HEAD" else b""
        else:
            data = answer(status, style, request.head, body, title=title, lines=more, ending=ending, length=length)
        told, line = (str(by), by.line) if isinstance(by, Directive) else (by, 0)
        return Own(data, told or _RULE, line, closes=not kept, log=log)

    def _moved(self, request: Request, host: Host, named: str, moved: Moved) -> Own:
        location = moved.location
        if location.startswith("/"):
            port = self._port(named)
            shown = "" if port == "80" else f":{port}"
            location = f"http://{self._called(host, host.server, named)}{shown}{location}"
        return self._page(request, host, named, moved.status, moved.directive, location=html.unescape(location))

    def _local(self, request: Request, host: Host, named: str, local: Local, settings: Settings) -> Own:
        """Answer what no backend is asked for: there is no content."""
        head, by = request.head, local.directive if local.directive is not NONE else f"{_RULE}: no backend is asked"
        trace = settings.on("TraceEnable", default=True)
        allowed = (("Allow", ",".join(ALLOW if trace else ALLOW[:-1])),)
        if local.status:
            return self._page(request, host, named, local.status, by)
        if head.method == "OPTIONS":
            return self._ok(request, host, allowed)
        if head.method == "TRACE":
            return (
                self._echo(request, host)
                if trace
                else self._page(request, host, named, 405, by, lines=(("Allow", ""),))
            )
        if head.method not in _METHODS:
            return self._page(request, host, named, 501, by, lines=allowed)
        if head.method not in ("GET", "HEAD", "POST"):
            return self._page(request, host, named, 405, by, lines=allowed)
        return self._page(request, host, named, 404, by, log=f"AH00128: File does not exist: {head.target}")

    def _ok(self, request: Request, host: Host, lines: tuple[tuple[str, str], ...]) -> Own:
        kept = keeps(request.head, request.number, host.server, 200)
        ending = kept_lines(request.head, request.number, host.server, kept=kept)
        style = self._styled(host, "", "")
        data = answer(
            200, style, request.head, "", title="OK", lines=(*_always(host.server), *lines), ending=ending, type_=""
        )
        return Own(data, f"{_RULE}: OPTIONS is answered here", closes=not kept)

    def _echo(self, request: Request, host: Host) -> Own:
        """Answer TRACE with the request itself."""
        kept = keeps(request.head, request.number, host.server, 200)
        ending = (("Transfer-Encoding", "chunked"), *kept_lines(request.head, request.number, host.server, kept=kept))
        head = RequestHead("GET", "/", Fields(), request.head.version)
        style = self._styled(host, "", "")
        data = answer(200, style, head, "", title="OK", ending=ending, type_="message/http", length=False)
        return Own(
            data + chunk(request.head.to_bytes()) + chunk(b""), f"{_RULE}: TRACE is answered here", closes=not kept
        )


_LATE = (("Expires", "*"), ("Transfer-Encoding", "chunked"))


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


def _always(settings: Settings) -> tuple[tuple[str, str], ...]:
    """Return the lines that `Header always` adds to httpd's own answers."""
    ledger = Ledger()
    apply(ledger, (each for each in settings.all("Header") if parts_of(each)[4]))
    return tuple(ledger.fields())
