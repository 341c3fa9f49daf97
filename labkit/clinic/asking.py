"""Where to ask a configuration for an upgrade: the paths and names that lead to an upstream, and those meant for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from labkit.proxies.described import Proxy
from labkit.proxies.directive import Directive, walk

__all__ = ["PASSES", "Ask", "asked"]

PASSES = frozenset(("proxy_pass", "proxypass", "proxypassmatch", "rewriterule"))
"""The directives that lead to an upstream, in lower case."""

_SERVERS = frozenset(("server", "virtualhost"))
_SPOKEN = re.compile(r"(?i)(^|[/_.-])(wss?|(web)?sockets?|sockjs|cable|hubs?|channels|kernels|terminals)([/_.-]|$)")
_NAME = re.compile(r"[\w.-]+\.[\w-]+")
_GROUP = re.compile(r"\((?:\?:)?([^()|]*)(?:\|[^()]*)?\)\??")
_MOST = 8


class Ask(NamedTuple):
    """Where to ask.

    Args:
        path: the request-target.
        host: the name that the virtual host has; empty where any will do.
        meant: whether the text shows that upgrades are to pass there: by a field, a scheme, or the path's own name.
    """

    path: str
    host: str = ""
    meant: bool = False

    def __str__(self) -> str:
        return f"{self.host}{self.path}"


def asked(proxy: Proxy, path: str = "") -> list[Ask]:
    """Return where to ask, what is meant for upgrades first; of a path that is given, the name that has it.

    >>> from labkit.proxies.nginx import Nginx
    >>> site = "location / { proxy_pass http://app; } location /ws/ { proxy_pass http://app; }"
    >>> [(each.path, each.meant) for each in asked(Nginx(site))]
    [('/ws/', True), ('/', False)]
    """
    first = {(each.host, each.path): each for each in sorted(_asks(proxy), key=lambda each: each.meant)}
    found = _several(sorted(first.values(), key=lambda each: not each.meant))
    if not path:
        return found[:_MOST]
    host, slash, rest = path.partition("/")
    if host:
        return [Ask(f"{slash or '/'}{rest}", host, meant=True)]
    around = max((each for each in found if path.startswith(each.path)), key=lambda each: len(each.path), default=None)
    return [Ask(path, around.host if around else "", meant=True)]


def _several(found: list[Ask]) -> list[Ask]:
    """Leave the names out where there is only one."""
    return found if len({each.host for each in found}) > 1 else [each._replace(host="") for each in found]


def _asks(proxy: Proxy) -> Iterator[Ask]:
    directives = getattr(proxy, "directives", ())
    yield from _targets(directives, Ask("/"))
    door = getattr(proxy, "door_port", 0)
    for each in walk(directives):
        if each.name.lower() in _SERVERS and door in _ports(each):
            yield from _targets(each.block or (), Ask("/", _named(each)))


def _ports(server: Directive) -> set[int]:
    """Return the ports of a server; httpd's are in the section's own arguments."""
    words = [each.args[0] for each in server.inside("listen") if each.args] or server.args or ("80",)
    found = (re.search(r"(?:^|:)(\d+|\*)$", word) for word in words)
    return {int(each[1]) if each and each[1] != "*" else 80 for each in found}


def _named(server: Directive) -> str:
    names = (name for each in server.inside("server_name", "servername") for name in each.args)
    return next((name for name in names if _NAME.fullmatch(name)), "")


def _targets(directives: Iterable[Directive], around: Ask) -> Iterator[Ask]:
    beside = tuple(directives)
    for each in beside:
        name, here = each.name.lower(), around
        if name in _SERVERS:  # these are asked by their names
            continue
        if name in ("location", "locationmatch") and each.args:
            here = around._replace(path=_sample(each.args[-1]))
        if name in PASSES and each.args and each.args[-1] != "!":
            inside = name == "proxy_pass" or len(each.args) == 1
            path = here.path if inside else _sample(each.args[0])
            yield here._replace(path=path, meant=_is_meant(path, each, beside))
        yield from _targets(each.block or (), here)


def _is_meant(path: str, passing: Directive, beside: tuple[Directive, ...]) -> bool:
    words = " ".join(passing.args).lower()
    fields = (each.args[0].lower() for each in beside if each.name == "proxy_set_header" and each.args)
    return bool(_SPOKEN.search(path)) or "upgrade" in fields or bool(re.search(r"\bwss?://|\bupgrade=", words))


def _sample(pattern: str) -> str:
    r"""Return a path that a prefix or a regular expression takes, as far as one can be read off it.

    >>> _sample("^/(ws|live)/(.*)$"), _sample("/jupyter/"), _sample(r"\.php$")
    ('/ws/', '/jupyter/', '/.php')
    """
    text = pattern.lstrip("^").strip("\"'")
    while text != (text := _GROUP.sub(r"\1", text)):
        pass
    plain = re.match(r"/?[\w/.~-]*", re.sub(r"\.[*+?].*", "", text.replace("\\", "")))
    found = plain[0] if plain else ""
    return found if found.startswith("/") else f"/{found}"
