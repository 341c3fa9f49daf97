"""What each directive of httpd does to an upgrade, and whether the model knows it.

Two tables: the model acts on a directive of the one, and a directive of the other cannot matter to an upgrade.
One that is in neither, or has a form that the model does not know, could matter: then there is no model, and the
error names it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from labkit.proxies.apache.editing import SIMPLE, parts_of, value_of
from labkit.proxies.apache.effects import on_backend, on_balanced, on_header, on_reverse, on_rule, on_switch
from labkit.proxies.directive import Directive, unmodelled, walk

__all__ = ["KNOWN", "Known", "check", "effect"]


class Known(NamedTuple):
    """What is known of a directive.

    Args:
        effect: what it does to an upgrade, in a sentence without its end.
        unknown: tells which form of it the model does not know; empty for none.
        told: in place of `effect`, where it depends on the arguments.
    """

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
    """Return a check that the first argument is one of these words; of none, that there is no argument."""
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
    "proxypass": Known("leads a path to a backend", _passed, on_backend),
    "proxypassmatch": Known("leads a path to a backend", _passed, on_backend),
    "proxypassreverse": Known("", told=on_reverse),
    "balancermember": Known("names a backend of a balancer", _members, on_balanced),
    "proxyset": Known("gives a backend its parameters, `upgrade=` among them", _balanced),
    "proxy": Known("gives a backend or a balancer its parameters", _proxy),
    "location": Known("holds for one path", _tested),
    "locationmatch": Known("holds for the paths of an expression", _tested),
    "virtualhost": Known("takes the requests for its names"),
    "servername": Known("names the virtual host: an upgrade with another Host goes to the first one"),
    "serveralias": Known("names the virtual host too"),
    "proxywebsocketfallbacktoproxyhttp": Known("", _only("on", "off"), on_switch),
    "proxypreservehost": Known(
        "On, the backend sees the Host of the client, which checks of the Origin need",
        _only("on", "off"),
    ),
    "proxyaddheaders": Known("On, the backend is told who asked (X-Forwarded-For, -Host, -Server)", _only("on", "off")),
    "proxyvia": Known(
        "adds Via to requests and answers, a 101 too, and does nothing else",
        _only("on", "off", "full", "block"),
    ),
    "proxytimeout": Known(
        "bounds the wait for the backend's answer; a tunnel is cut after this time or Timeout without a "
        "byte, whichever is longer, and never by mod_proxy_wstunnel",
    ),
    "timeout": Known(
        "cuts a tunnel of mod_proxy_http that is silent for so long, unless ProxyTimeout or timeout= is "
        "longer; mod_proxy_wstunnel waits for ever",
    ),
    "keepalive": Known("is of requests that were not upgraded", _only("on", "off")),
    "keepalivetimeout": Known("is of requests that were not upgraded: how long the next may take"),
    "maxkeepaliverequests": Known("is of requests that were not upgraded"),
    "requestheader": Known("changes a field line of the request", _edited, on_header),
    "header": Known("changes a field line of answers, but never of a 101", _edited),
    "rewriteengine": Known("switches RewriteRule on", _only("on", "off")),
    "rewritecond": Known("says for which requests the RewriteRule below it is"),
    "rewriterule": Known("", told=on_rule),
    "redirect": Known("answers with a redirect, which no WebSocket client of a browser follows"),
    "redirectmatch": Known("answers with a redirect, which no WebSocket client of a browser follows"),
    "redirectpermanent": Known("answers with a redirect, which no browser's WebSocket follows"),
    "redirecttemp": Known("answers with a redirect, which no browser's WebSocket follows"),
    "require": Known("lets requests in, upgrades and others alike", _required),
    "setenv": Known("can switch httpd's ways: force-proxy-request-1.0 forbids every upgrade", _variable),
    "servertokens": Known("does nothing to an upgrade: it is the Server field of other answers"),
    "serversignature": Known("does nothing to an upgrade: it is of error pages"),
    "serveradmin": Known("does nothing to an upgrade: it is of error pages"),
    "traceenable": Known("does nothing to an upgrade: it is of TRACE", _only("on", "off")),
    "usecanonicalname": Known("does nothing to an upgrade: it is of redirects", _only("on", "off")),
    "allowencodedslashes": Known(
        "Off, a path with %2F is 404 before any backend is asked", _only("on", "off", "nodecode")
    ),
    "mergeslashes": Known("makes one slash of several", _only("on", "off")),
    "limitrequestline": Known("bounds the request line: a long token in the query can be 414"),
    "limitrequestfields": Known("bounds the number of field lines"),
    "limitrequestfieldsize": Known("bounds a field line: a long cookie can be 400"),
    "httpprotocoloptions": Known(
        "says how strictly request heads are read",
        lambda directive: (
            ""
            if {word.lower() for word in directive.args} <= {"strict", "allow0.9", "lenientmethods"}
            else " ".join(directive.args)
        ),
    ),
    "proxy100continue": Known("is of requests with content that wait for a 100", _only("on", "off")),
    "proxyrequests": Known("Off, which is the default, does nothing: it would make a forward proxy", _only("off")),
}

_NOTHING = "does nothing to an upgrade"
_OF_FILES = """
    documentroot alias aliasmatch directoryindex directoryslash directory directorymatch files
    filesmatch options indexoptions indexignore addtype addlanguage addcharset addencoding typesconfig
    languagepriority forcelanguagepriority defaulticon addicon addiconbytype addiconbyencoding
    readmename headername fileetag enablemmap enablesendfile limitxmlrequestbody adddefaultcharset
    contentdigest expiresactive allowoverride
"""
_OF_PROGRAM = """
    listen loadmodule define undefine user group customlog logformat loglevel errorlog include
    includeoptional
"""
_OF_BYTES = """
    proxyiobuffersize proxyreceivebuffersize proxystatus balancerpersist balancergrowth balancerinherit
    maxrangeoverlaps maxrangereversals maxranges flushmaxthreshold flushmaxpipelined readbuffersize
    extendedstatus deflatecompressionlevel deflatememlevel deflatewindowsize deflatebuffersize
"""
_NOTED: dict[str, Known] = {
    **dict.fromkeys(
        _OF_FILES.split(),
        Known(f"{_NOTHING}: it is of files, and a proxied path is none"),
    ),
    **dict.fromkeys(
        _OF_PROGRAM.split(),
        Known(f"{_NOTHING}: it is of the program as a whole"),
    ),
    **dict.fromkeys(
        _OF_BYTES.split(),
        Known(f"{_NOTHING}: it is of how bytes are held and measured"),
    ),
    "proxybadheader": Known("is of broken answers alone", _only("iserror")),
    "proxyerroroverride": Known("Off, the backend's own error pages are passed on", _only("off")),
    "proxypassinterpolateenv": Known(_NOTHING, _only("off")),
    "proxypassinherit": Known(_NOTHING, _only("on")),
    "proxypassreversecookiepath": Known(f"{_NOTHING}, unless its answer sets a cookie"),
    "proxypassreversecookiedomain": Known(f"{_NOTHING}, unless its answer sets a cookie"),
    "rewriteoptions": Known(_NOTHING, _only()),
    "sethandler": Known(f"{_NOTHING}: it is of other paths", _only()),
    "browsermatch": Known("sets variables for some browsers", _variables),
    "browsermatchnocase": Known("sets variables for some browsers", _variables),
    "setenvif": Known("sets variables for some requests", _variables),
    "setenvifnocase": Known("sets variables for some requests", _variables),
    "allow": Known(
        "lets requests in, upgrades and others alike",
        lambda directive: "" if " ".join(directive.args).lower() == "from all" else " ".join(directive.args),
    ),
    "order": Known("is of Allow and Deny"),
    "requireall": Known("lets requests in", lambda _: "a section of Require"),
    "usecanonicalphysicalport": Known(_NOTHING, _only("off")),
    "stricthostcheck": Known(_NOTHING, _only("off")),
    "limitrequestbody": Known("is of requests with content", _only("0", "1073741824")),
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
