"""What each directive of httpd does to an upgrade, and whether the model knows it.

One table. A directive that is in it as MODELLED the model acts on; one that is NOTED cannot matter to an upgrade.
One that is in neither, or has a form that the model does not know, could matter: then there is no model, and the
error names it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

from labkit.proxies.apache.editing import SIMPLE, parts_of, value_of
from labkit.proxies.apache.effects import on_backend, on_balanced, on_header, on_reverse, on_rule, on_switch
from labkit.proxies.directive import Directive, unmodelled, walk

__all__ = ["KNOWN", "Known", "Matters", "check", "effect"]


class Matters(StrEnum):
    """What the model makes of a directive."""

    MODELLED = "modelled"
    NOTED = "noted"


class Known(NamedTuple):
    """What is known of a directive.

    Args:
        matters: what the model makes of it.
        effect: what it does to an upgrade, in a sentence without its end.
        unknown: tells which form of it the model does not know; empty for none.
        told: in place of `effect`, where it depends on the arguments.
    """

    matters: Matters
    effect: str
    unknown: Callable[[Directive], str] = lambda _: ""
    told: Callable[[Directive], str] | None = None


_ACTIVE = (  # variables of SetEnv and others that httpd itself looks at (env.html)
    "no-proxy", "proxy-sendcl", "proxy-sendchunked", "proxy-sendchunks", "proxy-chain-auth", "proxy-initial-not-pooled",
    "proxy-interim-response", "proxy-nohalfclose", "proxy-prefetch-nonblocking", "proxy-scheme", "proxy-status",
    "downgrade-1.0", "force-response-1.0", "nokeepalive", "force-no-vary", "no-gzip", "suppress-error-charset",
    "redirect-carefully", "force-gzip",
)  # fmt: skip
_PARAMETERS = frozenset((
    "upgrade", "timeout", "connectiontimeout", "disablereuse", "enablereuse", "retry", "min", "max", "smax", "acquire",
    "ttl", "keepalive", "flushpackets", "flushwait", "iobuffersize", "receivebuffersize", "loadfactor", "route",
    "lbset",    "stickysession", "scolonpathdelim", "nofailover", "lbmethod", "maxattempts", "failontimeout", "growth",
    "forcerecovery", "stickysessionsep", "addressttl", "redirect",
))  # fmt: skip
_WORDS = frozenset(("nocanon", "noquery"))
_SCHEMES = re.compile(r"(?:unix:[^|]*\|)?(?:https?|wss?|balancer)://", re.IGNORECASE)


def _only(*words: str) -> Callable[[Directive], str]:
    """Return a check that the first argument is one of these words."""
    return lambda directive: "" if (directive.args or ("",))[0].lower() in words else " ".join(directive.args)


def _parameters(directive: Directive) -> str:
    pairs = [word for word in directive.args if "=" in word and "://" not in word.partition("=")[0]]
    names = [word.partition("=")[0].lower() for word in pairs]
    unknown = [name for name in names if name not in _PARAMETERS]
    return f"the parameter {unknown[0]}" if unknown else ""


def _passed(directive: Directive) -> str:
    urls = [word for word in directive.args if "://" in word.partition("=")[0]]
    extra = [word for word in directive.args if word.lower() == "interpolate" or word.lower().startswith("mapping=")]
    strange = [url for url in urls if not _SCHEMES.match(url)]
    inside = [url for url in urls if url.startswith("unix:")]
    return next((f"{word}" for word in (*strange, *extra, *inside)), "") or _parameters(directive)


def _members(directive: Directive) -> str:
    pairs = dict(word.lower().partition("=")[::2] for word in directive.args if "=" in word)
    if pairs.get("loadfactor", "1") not in ("1", "1.0") or pairs.get("status", "") or pairs.get("lbset", "0") != "0":
        return "members of different weight"
    return _passed(directive)


def _balanced(directive: Directive) -> str:
    pairs = dict(word.lower().partition("=")[::2] for word in directive.args if "=" in word)
    if pairs.get("lbmethod", "byrequests") != "byrequests" or "stickysession" in pairs:
        return "a way to balance other than by turns"
    return _parameters(directive)


def _edited(directive: Directive) -> str:
    action, name, value, left, _ = parts_of(directive)
    if action not in SIMPLE or not name:
        return f"the action {action}"
    if action != "unset" and value_of(value) is None:
        return f"the value {value}"
    return left


def _required(directive: Directive) -> str:
    text = " ".join(directive.args).lower()
    return "" if text in ("all granted", "all denied", "local") or text.startswith("method ") else text


def _variable(directive: Directive) -> str:
    name = (directive.args or ("",))[0].lower()
    return f"the variable {name}" if name in _ACTIVE else ""


def _variables(directive: Directive) -> str:
    names = [word.partition("=")[0].lstrip("!").lower() for word in directive.args]
    active = [
        name for name in names if name in _ACTIVE or name.startswith("proxy-") or name == "force-proxy-request-1.0"
    ]
    return f"the variable {active[0]}" if active else ""


def _proxy(directive: Directive) -> str:
    text = (directive.args or ("",))[0]
    return "a pattern" if "*" in text and text != "*" else ""


def _tested(directive: Directive) -> str:
    return "" if directive.block is not None else "as a line"


_MODELLED: dict[str, Known] = {
    "proxypass": Known(Matters.MODELLED, "leads a path to a backend", _passed, on_backend),
    "proxypassmatch": Known(Matters.MODELLED, "leads a path to a backend", _passed, on_backend),
    "proxypassreverse": Known(Matters.MODELLED, "", told=on_reverse),
    "balancermember": Known(Matters.MODELLED, "names a backend of a balancer", _members, on_balanced),
    "proxyset": Known(Matters.MODELLED, "gives a backend its parameters, `upgrade=` among them", _balanced),
    "proxy": Known(Matters.MODELLED, "gives a backend or a balancer its parameters", _proxy),
    "location": Known(Matters.MODELLED, "holds for one path", _tested),
    "locationmatch": Known(Matters.MODELLED, "holds for the paths of an expression", _tested),
    "virtualhost": Known(Matters.MODELLED, "takes the requests for its names"),
    "servername": Known(Matters.MODELLED, "names the virtual host: an upgrade with another Host goes to the first one"),
    "serveralias": Known(Matters.MODELLED, "names the virtual host too"),
    "proxywebsocketfallbacktoproxyhttp": Known(Matters.MODELLED, "", _only("on", "off"), on_switch),
    "proxypreservehost": Known(
        Matters.MODELLED,
        "On, the backend sees the Host of the client, which checks of the Origin need",
        _only("on", "off"),
    ),
    "proxyaddheaders": Known(
        Matters.MODELLED, "On, the backend is told who asked (X-Forwarded-For, -Host, -Server)", _only("on", "off")
    ),
    "proxyvia": Known(
        Matters.MODELLED,
        "adds Via to requests and answers, a 101 too, and does nothing else",
        _only("on", "off", "full", "block"),
    ),
    "proxytimeout": Known(
        Matters.MODELLED,
        "bounds the wait for the backend's answer; a tunnel is cut after this time or Timeout without a "
        "byte, whichever is longer, and never by mod_proxy_wstunnel",
    ),
    "timeout": Known(
        Matters.MODELLED,
        "cuts a tunnel of mod_proxy_http that is silent for so long, unless ProxyTimeout or timeout= is "
        "longer; mod_proxy_wstunnel waits for ever",
    ),
    "keepalive": Known(Matters.MODELLED, "is of requests that were not upgraded", _only("on", "off")),
    "keepalivetimeout": Known(Matters.MODELLED, "is of requests that were not upgraded: how long the next may take"),
    "maxkeepaliverequests": Known(Matters.MODELLED, "is of requests that were not upgraded"),
    "requestheader": Known(Matters.MODELLED, "changes a field line of the request", _edited, on_header),
    "header": Known(Matters.MODELLED, "changes a field line of answers, but never of a 101", _edited),
    "rewriteengine": Known(Matters.MODELLED, "switches RewriteRule on", _only("on", "off")),
    "rewritecond": Known(Matters.MODELLED, "says for which requests the RewriteRule below it is"),
    "rewriterule": Known(Matters.MODELLED, "", told=on_rule),
    "redirect": Known(Matters.MODELLED, "answers with a redirect, which no WebSocket client of a browser follows"),
    "redirectmatch": Known(Matters.MODELLED, "answers with a redirect, which no WebSocket client of a browser follows"),
    "redirectpermanent": Known(Matters.MODELLED, "answers with a redirect, which no browser's WebSocket follows"),
    "redirecttemp": Known(Matters.MODELLED, "answers with a redirect, which no browser's WebSocket follows"),
    "require": Known(Matters.MODELLED, "lets requests in, upgrades and others alike", _required),
    "setenv": Known(
        Matters.MODELLED, "can switch httpd's ways: force-proxy-request-1.0 forbids every upgrade", _variable
    ),
    "servertokens": Known(Matters.MODELLED, "does nothing to an upgrade: it is the Server field of other answers"),
    "serversignature": Known(Matters.MODELLED, "does nothing to an upgrade: it is of error pages"),
    "serveradmin": Known(Matters.MODELLED, "does nothing to an upgrade: it is of error pages"),
    "traceenable": Known(Matters.MODELLED, "does nothing to an upgrade: it is of TRACE", _only("on", "off")),
    "usecanonicalname": Known(Matters.MODELLED, "does nothing to an upgrade: it is of redirects", _only("on", "off")),
    "allowencodedslashes": Known(
        Matters.MODELLED, "Off, a path with %2F is 404 before any backend is asked", _only("on", "off", "nodecode")
    ),
    "mergeslashes": Known(Matters.MODELLED, "makes one slash of several", _only("on", "off")),
    "limitrequestline": Known(Matters.MODELLED, "bounds the request line: a long token in the query can be 414"),
    "limitrequestfields": Known(Matters.MODELLED, "bounds the number of field lines"),
    "limitrequestfieldsize": Known(Matters.MODELLED, "bounds a field line: a long cookie can be 400"),
    "httpprotocoloptions": Known(
        Matters.MODELLED,
        "says how strictly request heads are read",
        lambda directive: (
            ""
            if {word.lower() for word in directive.args} <= {"strict", "allow0.9", "lenientmethods"}
            else " ".join(directive.args)
        ),
    ),
    "proxy100continue": Known(Matters.MODELLED, "is of requests with content that wait for a 100", _only("on", "off")),
    "proxyrequests": Known(
        Matters.MODELLED, "Off, which is the default, does nothing: it would make a forward proxy", _only("off")
    ),
}

_NOTHING = "does nothing to an upgrade"
_NOTED: dict[str, Known] = {
    **dict.fromkeys(
        (
            "documentroot",
            "alias",
            "aliasmatch",
            "directoryindex",
            "directoryslash",
            "directory",
            "directorymatch",
            "files",
            "filesmatch",
            "options",
            "indexoptions",
            "indexignore",
            "addtype",
            "addlanguage",
            "addcharset",
            "addencoding",
            "typesconfig",
            "languagepriority",
            "forcelanguagepriority",
            "defaulticon",
            "addicon",
            "addiconbytype",
            "addiconbyencoding",
            "readmename",
            "headername",
            "fileetag",
            "enablemmap",
            "enablesendfile",
            "limitxmlrequestbody",
            "adddefaultcharset",
            "contentdigest",
            "expiresactive",
            "allowoverride",
        ),
        Known(Matters.NOTED, f"{_NOTHING}: it is of files, and a proxied path is none"),
    ),
    **dict.fromkeys(
        (
            "listen",
            "loadmodule",
            "define",
            "undefine",
            "user",
            "group",
            "customlog",
            "logformat",
            "loglevel",
            "errorlog",
            "include",
            "includeoptional",
        ),
        Known(Matters.NOTED, f"{_NOTHING}: it is of the program as a whole"),
    ),
    **dict.fromkeys(
        (
            "proxyiobuffersize",
            "proxyreceivebuffersize",
            "proxystatus",
            "balancerpersist",
            "balancergrowth",
            "balancerinherit",
            "maxrangeoverlaps",
            "maxrangereversals",
            "maxranges",
            "flushmaxthreshold",
            "flushmaxpipelined",
            "readbuffersize",
            "extendedstatus",
            "deflatecompressionlevel",
            "deflatememlevel",
            "deflatewindowsize",
            "deflatebuffersize",
        ),
        Known(Matters.NOTED, f"{_NOTHING}: it is of how bytes are held and measured"),
    ),
    "proxybadheader": Known(Matters.NOTED, "is of broken answers alone", _only("iserror")),
    "proxyerroroverride": Known(Matters.NOTED, "Off, the backend's own error pages are passed on", _only("off")),
    "proxypassinterpolateenv": Known(Matters.NOTED, _NOTHING, _only("off")),
    "proxypassinherit": Known(Matters.NOTED, _NOTHING, _only("on")),
    "proxypassreversecookiepath": Known(Matters.NOTED, f"{_NOTHING}, unless its answer sets a cookie"),
    "proxypassreversecookiedomain": Known(Matters.NOTED, f"{_NOTHING}, unless its answer sets a cookie"),
    "rewriteoptions": Known(
        Matters.NOTED, _NOTHING, lambda directive: "" if not directive.args else " ".join(directive.args)
    ),
    "sethandler": Known(Matters.NOTED, f"{_NOTHING}: it is of other paths", lambda directive: " ".join(directive.args)),
    "browsermatch": Known(Matters.NOTED, "sets variables for some browsers", _variables),
    "browsermatchnocase": Known(Matters.NOTED, "sets variables for some browsers", _variables),
    "setenvif": Known(Matters.NOTED, "sets variables for some requests", _variables),
    "setenvifnocase": Known(Matters.NOTED, "sets variables for some requests", _variables),
    "allow": Known(
        Matters.NOTED,
        "lets requests in, upgrades and others alike",
        lambda directive: "" if " ".join(directive.args).lower() == "from all" else " ".join(directive.args),
    ),
    "order": Known(Matters.NOTED, "is of Allow and Deny"),
    "requireall": Known(Matters.NOTED, "lets requests in", lambda _: "a section of Require"),
    "usecanonicalphysicalport": Known(Matters.NOTED, _NOTHING, _only("off")),
    "stricthostcheck": Known(Matters.NOTED, _NOTHING, _only("off")),
    "limitrequestbody": Known(Matters.NOTED, "is of requests with content", _only("0", "1073741824")),
}

KNOWN: dict[str, Known] = {**_MODELLED, **_NOTED}
"""Directive, in lower case -> what is known of it."""


def effect(directive: Directive) -> str:
    """Return what a directive does to an upgrade, in a sentence; empty where that is not known.

    >>> effect(Directive("ProxyRequests", ("Off",)))
    'Off, which is the default, does nothing: it would make a forward proxy'
    """
    known = KNOWN.get(directive.name.lower())
    if known is None or known.unknown(directive):
        return ""
    return known.told(directive) if known.told else known.effect


def check(directives: Iterable[Directive]) -> None:
    """Check that the model knows all that could matter.

    Raises:
        Unmodelled: it does not; the directive is named, with its line.
    """
    for each in _acting(directives):
        known = KNOWN.get(each.name.lower())
        what = each.name if known is None else known.unknown(each)
        if what:
            form = "it" if known is None else what
            raise unmodelled(each, f"{form} could matter to an upgrade, and the model of Apache does not know it")


def _acting(directives: Iterable[Directive]) -> Iterator[Directive]:
    """Yield the directives that act on a proxied request: what is inside <Directory> and <Files> does not."""
    for each in directives:
        yield each
        if each.name.lower() not in ("directory", "directorymatch", "files", "filesmatch"):
            yield from _acting(each.block or ())


def names(directives: Iterable[Directive]) -> frozenset[str]:
    """Return the names of all directives, in lower case."""
    return frozenset(each.name.lower() for each in walk(directives))
