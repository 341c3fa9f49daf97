"""What a directive of nginx does to an upgrade, for a learner: the sentence of the table, or one for its arguments."""

from __future__ import annotations

from labkit.proxies.directive import Directive
from labkit.proxies.nginx.known import known

__all__ = ["effect"]


def effect(directive: Directive) -> str:
    """Say what a directive does to an upgrade; nothing where the lab does not know.

    >>> effect(Directive("proxy_set_header", ("Upgrade", "$http_upgrade")))
    "passes the client's Upgrade on, whatever it asks for; without it the server never hears of the upgrade"
    """
    said = _BY_NAME[directive.name](directive.args) if directive.name in _BY_NAME and directive.args else ""
    row = known(directive.name)
    return said or (row.does if row else "")


def _set_header(args: tuple[str, ...]) -> str:
    name, value = args[0].lower(), args[-1] if len(args) > 1 else ""
    match name:
        case "upgrade":
            return _upgrade(value)
        case "connection":
            return _connection(value)
        case "host":
            return "is what the server sees as Host; to compare it with Origin it needs the client's own, $host say"
        case "origin":
            return "changes what the server compares with Host before it lets a browser in"
    if name.startswith("sec-websocket"):
        return "touches the WebSocket handshake itself: the server answers what it sees, the client checks what it sent"
    return ""


def _upgrade(value: str) -> str:
    if not value:
        return "drops the client's Upgrade, as nginx does by itself: no upgrade gets through"
    if value == "$http_upgrade":
        return "passes the client's Upgrade on, whatever it asks for; without it the server never hears of the upgrade"
    return f"asks the server for {value}, whatever the client asks for" if "$" not in value else ""


def _connection(value: str) -> str:
    words = [word.strip().lower() for word in value.split(",")]
    if not value or words == ["close"]:
        return "takes the option upgrade out of Connection: no upgrade gets through"
    if "upgrade" in words:
        return "says upgrade on every request, those that ask for none included; the map says it where it is meant"
    if value == "$http_connection":
        return "passes on what the client says, keep-alive and all; a client without it is not mended"
    return "says upgrade where the variable does" if value.startswith("$") else "says no upgrade: none gets through"


def _version(args: tuple[str, ...]) -> str:
    if args[0] == "1.1":
        return "speaks HTTP/1.1 to the server, which an upgrade needs; it is the default from nginx 1.29.7 on"
    return f"speaks HTTP/{args[0]} to the server: few upgrade then"


def _add_header(args: tuple[str, ...]) -> str:
    always = args[-1] == "always"
    return "adds a field to every answer, a 101 too" if always else "adds a field to some answers, and never to a 101"


def _buffering(args: tuple[str, ...]) -> str:
    if args[0] == "off":
        return "passes content on as it comes; a tunnel is never held back, with or without it"
    return ""


_BY_NAME = {
    "proxy_set_header": _set_header, "proxy_http_version": _version, "add_header": _add_header,
    "proxy_buffering": _buffering,
}  # fmt: skip
