"""What a directive does to an upgrade, where that depends on its arguments: sentences for a learner."""

from __future__ import annotations

from labkit.proxies.apache.editing import parts_of
from labkit.proxies.apache.reading import Line
from labkit.proxies.apache.upstreams import flags
from labkit.proxies.directive import Directive

__all__ = ["on_backend", "on_balanced", "on_header", "on_reverse", "on_rule", "on_switch"]

_WS = (
    "lets upgrades to websocket through: mod_proxy_http does it where it is loaded, else mod_proxy_wstunnel, which "
    "answers requests without an upgrade with 404"
)

_BALANCED = "leads to a balancer, whose members say which upgrades get through"
_TAKES = (
    "takes Upgrade and its Connection option off every request: no upgrade gets through, for want of upgrade=websocket"
)


def _url(directive: Directive) -> str:
    return next((word for word in directive.args if "://" in word.partition("=")[0]), "")


def _upgrade(directive: Directive) -> str | None:
    found = [word.partition("=")[2] for word in directive.args if word.lower().startswith("upgrade=")]
    return found[-1] if found else None


def on_backend(directive: Directive) -> str:
    """Say what a ProxyPass does to an upgrade.

    >>> on_backend(Directive("ProxyPass", ("/ws/", "http://b/")))
    'takes Upgrade and its Connection option off every request: no upgrade gets through, for want of upgrade=websocket'
    """
    if "!" in directive.args[:2]:
        return "keeps a path from the backends: an upgrade there is answered by Apache itself"
    upgrade, websocket = _upgrade(directive), _url(directive).lower().startswith(("ws:", "wss:"))
    if upgrade is None:
        balanced = _url(directive).lower().startswith("balancer:")
        return _WS if websocket else _BALANCED if balanced else _TAKES
    if upgrade.upper() == "NONE":
        return "lets no upgrade through (upgrade=NONE)"
    if upgrade.upper() == "ANY":
        return (
            "lets every upgrade through that a client asks for, h2c too (upgrade=ANY); with mod_proxy_wstunnel the "
            "backend is sent `Upgrade: *`, which no server knows"
        )
    return f"lets upgrades to {upgrade} through, and no others (upgrade={upgrade})"


def on_balanced(directive: Directive) -> str:
    """Say what a BalancerMember does to an upgrade."""
    return on_backend(Directive("ProxyPass", ("/", *directive.args[-2:]), directive.line))


def on_reverse(directive: Directive) -> str:
    """Say what a ProxyPassReverse does to an upgrade: nothing.

    >>> on_reverse(Directive("ProxyPassReverse", ("/ws/", "ws://b/")))
    'does nothing to an upgrade: it would change a Location that begins with ws://b/, and a redirect has http://'
    """
    url = _url(directive)
    if url.lower().startswith(("ws:", "wss:")):
        why = f"it would change a Location that begins with {url}, and a redirect has http://"
        return f"does nothing to an upgrade: {why}"
    return "does nothing to an upgrade: it changes the Location of a redirect"


def on_rule(directive: Directive) -> str:
    """Say what a RewriteRule does to an upgrade."""
    told = flags(Line("RewriteRule", " ".join(f'"{word}"' for word in directive.args)))
    url = _url(directive)
    if {"p", "proxy"} & set(told):
        if url.lower().startswith(("ws:", "wss:")):
            return f"leads what its conditions choose to a backend of its own, past every ProxyPass, and {_WS}"
        return "leads a path to a backend, past every ProxyPass, and lets no upgrade through"
    if {"r", "redirect"} & set(told) or url:
        return "answers with a redirect, which no WebSocket client of a browser follows"
    if {"f", "forbidden", "g", "gone"} & set(told):
        return "answers itself: an upgrade fails"
    return "changes the path before ProxyPass looks at it, with [PT]"


def on_switch(directive: Directive) -> str:
    """Say what ProxyWebsocketFallbackToProxyHttp does to an upgrade."""
    if (directive.args or ("on",))[0].lower() == "off":
        return (
            "lets mod_proxy_wstunnel serve ws://: it checks nothing of the answer, never times out, and leaves "
            "requests without an upgrade to the next ProxyPass"
        )
    return "On, which is the default, lets mod_proxy_http serve ws:// where it is loaded"


def on_header(directive: Directive) -> str:
    """Say what a RequestHeader does to an upgrade."""
    name = parts_of(directive)[1].lower()
    if name == "connection":
        return "does nothing to an upgrade: Apache takes Connection off, and writes its own"
    if name == "upgrade":
        return "changes what is asked for; without ws:// or upgrade= it is taken off again"
    if name.startswith("sec-websocket"):
        return "changes the opening handshake itself"
    return "does nothing to an upgrade by itself: it is for the backend to read"
