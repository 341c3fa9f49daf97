"""The answers that httpd gives itself: errors, redirects, and what is of no backend."""

from __future__ import annotations

from dataclasses import dataclass

from labkit.proxies.apache.editing import apply, parts_of
from labkit.proxies.apache.heads import Wrong
from labkit.proxies.apache.hosts import Host
from labkit.proxies.apache.ledger import Ledger
from labkit.proxies.apache.mapping import Local, Moved
from labkit.proxies.apache.pages import ALLOW, Style, answer, keeps, kept_lines, page
from labkit.proxies.apache.settings import NONE, Settings
from labkit.proxies.content import chunk
from labkit.proxies.directive import Directive
from labkit.proxies.model import Own, Request
from labkit.wire.http1 import RequestHead, ResponseHead

__all__ = ["RULE", "Asked", "Says", "local", "moved", "ok", "own", "refused"]

RULE = "Apache's own rule"

_LATE = (("Expires", "*"), ("Transfer-Encoding", "chunked"))
_CONTINUE = ResponseHead(100, "Continue").to_bytes()
_METHODS = frozenset((
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PROPFIND", "PROPPATCH", "MKCOL",
    "COPY", "MOVE", "LOCK", "UNLOCK", "VERSION-CONTROL", "CHECKOUT", "UNCHECKOUT", "CHECKIN", "UPDATE", "LABEL",
    "REPORT", "MKWORKSPACE", "MKACTIVITY", "BASELINE-CONTROL", "MERGE",
))  # fmt: skip
"""The methods that httpd knows; it passes any other on, too, but answers none of them itself."""


@dataclass(frozen=True)
class Asked:
    """A request, and where it came to.

    Args:
        request: as it came.
        host: the virtual host.
        named: what the client calls the server, with its port; may be empty.
        settings: what holds for its path.
        door: the port that the client dialled, as the configuration has it.
        continued: whether a client that waits for a 100 got it.
    """

    request: Request
    host: Host
    named: str
    settings: Settings
    door: int
    continued: bool = False

    @property
    def canonical(self) -> bool:
        """Whether UseCanonicalName is On."""
        return self.settings.on("UseCanonicalName", default=False)

    @property
    def called(self) -> str:
        """What httpd calls itself, without a port."""
        name = self.named.rpartition("]")[0] + "]" if self.named.startswith("[") else self.named.partition(":")[0]
        return self.host.name if self.canonical or not name else name.rstrip(".").lower()

    @property
    def port(self) -> str:
        """The port that httpd takes to be its own."""
        if self.canonical and self.host.port:
            return self.host.port
        told = self.named.rpartition(":")[2] if ":" in self.named and not self.named.endswith("]") else ""
        return told if told and not self.canonical else str(self.door)

    @property
    def shown(self) -> str:
        """The port behind a name, where it is not the usual one."""
        return "" if self.port == "80" else f":{self.port}"

    @property
    def style(self) -> Style:
        """How its pages look."""
        return Style.of(self.settings, self.called, self.port)

    def keeps(self, status: int) -> bool:
        """Tell whether the connection is kept after an answer."""
        waits = "Expect" in self.request.head.fields and not self.continued
        return keeps(self.request.head, self.request.number, self.settings, status) and not waits

    def ending(self, *, kept: bool) -> tuple[tuple[str, str], ...]:
        """Return the field lines that tell the client whether the connection is kept."""
        return kept_lines(self.request.head, self.request.number, self.settings, kept=kept)


@dataclass(frozen=True)
class Says:
    """What an answer of httpd's own says.

    Args:
        status: its status code.
        by: the directive or the rule that makes it.
        reason: what mod_proxy says in the page; it is then a Proxy Error.
        log: what the error log says.
        location: of a redirect.
        lines: more field lines.
        bare: whether it has no Content-Length.
    """

    status: int
    by: Directive | str = RULE
    reason: str = ""
    log: str = ""
    location: str = ""
    lines: tuple[tuple[str, str], ...] = ()
    bare: bool = False


def own(asked: Asked, says: Says) -> Own:
    """Return an answer with its page."""
    head, status = asked.request.head, says.status
    kept = asked.keeps(status)
    body = page(status, asked.style, head, reason=says.reason, location=says.location)
    located = (("Location", says.location),) if says.location else ()
    lines = (*always(asked.settings), *located, *says.lines)
    late = says.bare and status == 502
    data = answer(
        status, asked.style, head, "" if late else body, title="Proxy Error" if says.reason else "",
        lines=(*lines, *(_LATE if late else ())), ending=asked.ending(kept=kept), length=not says.bare,
    )  # fmt: skip
    if late and head.method != "HEAD":
        data += chunk(body.encode("latin-1", "replace")) + chunk(b"")
    return _made(data, says.by, kept=kept, log=says.log)


def _made(data: bytes, by: Directive | str, *, kept: bool, log: str = "") -> Own:
    told, line = (str(by), by.line) if isinstance(by, Directive) else (by, 0)
    return Own(data, told, line, closes=not kept, log=log)


def refused(asked: Asked, what: Wrong) -> Own:
    """Answer what is no request; nothing behind it is read."""
    body = page(what.status, asked.style, what.head, notes=what.notes)
    ending = (("Connection", "close"),) if what.closes else ()
    lines = always(asked.settings)
    data = answer(what.status, asked.style, what.head, body, ending=ending, lines=lines, length=not what.bare)
    return Own(data, what.log or RULE, log=what.log)


def moved(asked: Asked, to: Moved) -> Own:
    """Answer with a redirect of httpd's own; a path is given a name."""
    location = to.location
    if location.startswith("/"):
        location = f"http://{asked.called}{asked.shown}{location}"
    return own(asked, Says(to.status, to.directive, location=location))


def local(asked: Asked, found: Local) -> Own:
    """Answer what no backend is asked for: there is no content, so mostly with 404.

    The default handler reads the content of the request, and so lets a client go on that waits for a 100.
    """
    by = found.directive if found.directive is not NONE else f"{RULE}: no backend is asked"
    if found.status:
        return own(asked, Says(found.status, by))
    head, trace = asked.request.head, asked.settings.on("TraceEnable", default=True)
    allowed = (("Allow", ",".join(ALLOW if trace else ALLOW[:-1])),)
    waits = "Expect" in head.fields and head.version != "HTTP/1.0" and _has_content(head)
    asked = Asked(asked.request, asked.host, asked.named, asked.settings, asked.door, continued=waits)
    if head.method == "OPTIONS":
        made = ok(asked, allowed)
    elif head.method == "TRACE":
        made = echo(asked) if trace else own(asked, Says(405, by, lines=(("Allow", ""),)))
    elif head.method not in _METHODS:
        made = own(asked, Says(501, by, lines=allowed))
    elif head.method not in ("GET", "HEAD", "POST"):
        made = own(asked, Says(405, by, lines=allowed))
    else:
        made = own(asked, Says(404, by, log=f"AH00128: File does not exist: {head.target}"))
    return made._replace(data=_CONTINUE + made.data) if waits else made


def _has_content(head: RequestHead) -> bool:
    return "Transfer-Encoding" in head.fields or (head.fields.get("Content-Length") or "0").strip("0") != ""


def ok(asked: Asked, lines: tuple[tuple[str, str], ...] = ()) -> Own:
    """Answer OPTIONS."""
    kept, more = asked.keeps(200), (*always(asked.settings), *lines)
    head, ending = asked.request.head, asked.ending(kept=kept)
    data = answer(200, asked.style, head, "", title="OK", lines=more, ending=ending, type_="")
    return _made(data, f"{RULE}: OPTIONS is answered here", kept=kept)


def echo(asked: Asked) -> Own:
    """Answer TRACE with the request itself."""
    kept = asked.keeps(200)
    ending = (("Transfer-Encoding", "chunked"), *asked.ending(kept=kept))
    head = RequestHead("GET", "/", version=asked.request.head.version)
    data = answer(200, asked.style, head, "", title="OK", ending=ending, type_="message/http", length=False)
    content = chunk(asked.request.head.to_bytes()) + chunk(b"")
    return _made(data + content, f"{RULE}: TRACE is answered here", kept=kept)


def always(settings: Settings) -> tuple[tuple[str, str], ...]:
    """Return the lines that `Header always` adds to httpd's own answers."""
    ledger = Ledger()
    apply(ledger, (each for each in settings.all("Header") if parts_of(each)[4]))
    return tuple(ledger.fields())
