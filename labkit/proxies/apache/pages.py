"""The answers that httpd gives itself: their heads, and the pages, word for word as 2.4.71 prints them."""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass

from labkit.parties.clocks import lab_date
from labkit.proxies.apache.directives import BUILD, PROVEN
from labkit.proxies.apache.settings import Settings
from labkit.wire.fields import Fields
from labkit.wire.http1 import RequestHead, ResponseHead
from labkit.wire.upgrade import options

__all__ = ["ALLOW", "DROPPING", "TITLES", "Style", "answer", "keeps", "kept_lines", "page"]

DROPPING = frozenset((400, 408, 411, 413, 414, 500, 501, 503))
"""After these httpd closes the connection (`ap_status_drops_connection`)."""

ALLOW = ("GET", "POST", "OPTIONS", "HEAD", "TRACE")
"""The methods of a path without a backend; httpd gives them in an order that differs from start to start."""

_DOCTYPE = '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">\n'
_TYPE = "text/html; charset=iso-8859-1"
_BANNERS = {
    "prod": "Apache", "productonly": "Apache", "major": "Apache/2", "minor": "Apache/2.4", "min": f"Apache/{PROVEN}",
    "minimal": f"Apache/{PROVEN}",
}  # fmt: skip
_FULL = f"Apache/{BUILD}"

TITLES = {
    301: "Moved Permanently", 302: "Found", 303: "See Other", 307: "Temporary Redirect", 308: "Permanent Redirect",
    400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout",
    410: "Gone", 413: "Request Entity Too Large", 414: "Request-URI Too Long", 417: "Expectation Failed",
    426: "Upgrade Required",
    500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
}  # fmt: skip

_MOVED = '<p>The document has moved <a href="{location}">here</a>.</p>\n'
_ELSEWHERE = '<p>The answer to your request is located <a href="{location}">here</a>.</p>\n'
_TEXTS = {  # http_protocol.c, get_canned_error_string
    301: _MOVED, 302: _MOVED, 303: _ELSEWHERE, 307: _MOVED, 308: _MOVED,
    400: "<p>Your browser sent a request that this server could not understand.<br />\n{notes}</p>\n",
    403: "<p>You don't have permission to access this resource.{notes}</p>\n",
    404: "<p>The requested URL was not found on this server.</p>\n",
    405: "<p>The requested method {method} is not allowed for this URL.</p>\n",
    408: "<p>Server timeout waiting for the HTTP request from the client.</p>\n",
    410: "<p>The requested resource is no longer available on this server and there is no forwarding address.\n"
         "Please remove all references to this resource.</p>\n",
    413: "The requested resource does not allow request data with {method} requests, or the amount of data provided "
         "in\nthe request exceeds the capacity limit.\n",
    414: "<p>The requested URL's length exceeds the capacity\nlimit for this server.<br />\n{notes}</p>\n",
    417: "<p>The expectation given in the Expect request-header\nfield could not be met by this server.\n"
         "The client sent<pre>\n    Expect: {expect}\n</pre>\n{notes}</p>"
         "<p>Only the 100-continue expectation is supported.</p>\n",
    426: "<p>The requested resource can only be retrieved\nusing SSL.  The server is willing to upgrade the current\n"
         "connection to SSL, but your client doesn't support it.\n"
         "Either upgrade your client, or try requesting the page\nusing https://\n",
    501: "<p>{method} not supported for current URL.<br />\n{notes}</p>\n",
    502: "<p>The proxy server received an invalid\r\nresponse from an upstream server.<br />\r\n{notes}</p>\n",
    503: "<p>The server is temporarily unable to service your\nrequest due to maintenance downtime or capacity\n"
         "problems. Please try again later.</p>\n",
}  # fmt: skip
_INTERNAL = (
    "<p>The server encountered an internal error or\nmisconfiguration and was unable to complete\nyour request.</p>\n"
    "<p>Please contact the server administrator at \n {admin} to inform them of the time this error occurred,\n"
    " and the actions you performed just before this error.</p>\n"
    "<p>More information about this error may be available\nin the server error log.</p>\n"
)
_REASON = "The proxy server could not handle the request<p>Reason: <strong>{reason}</strong></p>"


@dataclass(frozen=True)
class Style:
    """How httpd's own answers look.

    Args:
        banner: the Server field.
        admin: the address of its administrator.
        signature: the last line of a page; empty where there is none.
    """

    banner: str = _FULL
    admin: str = "[no address given]"
    signature: str = ""

    @classmethod
    def of(cls, settings: Settings, host: str, port: str) -> Style:
        """Return the style that directives give, for a request to a host and a port."""
        banner = _BANNERS.get(settings.word("ServerTokens", "full").lower(), _FULL)
        admin = settings.word("ServerAdmin", "[no address given]")
        told = settings.word("ServerSignature", "off").lower()
        name = html.escape(host, quote=False)
        if told == "email":
            name = f'<a href="mailto:{html.escape(admin, quote=False)}">{name}</a>'
        line = f"<address>{banner} Server at {name} Port {port}</address>\n"
        return cls(banner, admin, "" if told == "off" else f"<hr>\n{line}")


def page(status: int, style: Style, head: RequestHead, *, reason: str = "", notes: str = "", location: str = "") -> str:
    """Return a page, `reason` being what the proxy says, or `notes` what another part of httpd does."""
    title = "Proxy Error" if reason else TITLES[status]
    if reason:
        notes = _REASON.format(reason=html.escape(reason, quote=False))
    if status == 500:
        text = f"{notes}<p />\n" if notes else _INTERNAL.format(admin=html.escape(style.admin, quote=False))
    else:
        text = _TEXTS[status].format(
            method=html.escape(head.method, quote=False),
            expect=html.escape(head.fields.get("Expect") or "", quote=False),
            location=html.escape(location),
            notes=notes,
        )
    return (
        f"{_DOCTYPE}<html><head>\n<title>{status} {title}</title>\n</head><body>\n<h1>{title}</h1>\n"
        f"{text}{style.signature}</body></html>\n"
    )


def keeps(head: RequestHead, number: int, settings: Settings, status: int) -> bool:
    """Tell whether httpd keeps the connection after an answer of this status, as `ap_set_keepalive` does."""
    most = settings.number("MaxKeepAliveRequests", 100)
    asked = _asked(head)
    return (
        settings.on("KeepAlive", default=True)
        and settings.seconds("KeepAliveTimeout", 5.0) > 0
        and (not most or number <= most)
        and status not in DROPPING
        and "close" not in asked
        and (head.version not in ("HTTP/1.0", "HTTP/0.9") or "keep-alive" in asked)
        and not ("Transfer-Encoding" in head.fields and "Content-Length" in head.fields)
    )


def _asked(head: RequestHead) -> frozenset[str]:
    return frozenset(word.partition(";")[0].strip() for word in options(head.fields))


def kept_lines(head: RequestHead, number: int, settings: Settings, *, kept: bool) -> tuple[tuple[str, str], ...]:
    """Return the field lines that tell the client whether the connection is kept."""
    if not kept:
        return (("Connection", "close"),)
    if "keep-alive" not in _asked(head):
        return ()
    most = settings.number("MaxKeepAliveRequests", 100)
    left = f", max={most - number + 1}" if most else ""
    told = f"timeout={int(settings.seconds('KeepAliveTimeout', 5.0))}{left}"
    return (("Keep-Alive", told), ("Connection", "Keep-Alive"))


def merged(lines: Iterable[tuple[str, str]]) -> Fields:
    """Return field lines with those called Connection joined into the first, as httpd has them."""
    found: list[tuple[str, str]] = []
    for name, value in lines:
        at = next((place for place, line in enumerate(found) if line[0] == name == "Connection"), None)
        if at is None:
            found.append((name, value))
        else:
            found[at] = (name, f"{found[at][1]}, {value}")
    return Fields(tuple(found))


def answer(  # noqa: PLR0913  all but four by name
    status: int,
    style: Style,
    head: RequestHead,
    body: str,
    *,
    title: str = "",
    lines: Iterable[tuple[str, str]] = (),
    ending: Iterable[tuple[str, str]] = (),
    type_: str = _TYPE,
    length: bool = True,
) -> bytes:
    """Return an answer of httpd's own; of one to HTTP/0.9 the body alone, of one to HEAD the head alone."""
    data = body.encode("latin-1", "replace")
    if head.version == "HTTP/0.9":
        return data
    found = [("Date", lab_date()), ("Server", style.banner), *lines]
    silent = head.method == "HEAD"
    if length and (not silent or not type_):
        found.append(("Content-Length", str(len(data))))
    fields = merged([*found, *ending, *([("Content-Type", type_)] if type_ else [])])
    made = ResponseHead(status, title or TITLES.get(status, "OK"), fields).to_bytes()
    return made if silent else made + data
