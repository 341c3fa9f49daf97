"""Workers: the backends as httpd keeps them, with the parameters that a ProxyPass gave them.

A worker is known by its URL. Two ProxyPass share one where the URL of the first is a prefix of the second's; the
parameters of the second are then ignored (AH01146), `upgrade=` among them. A request goes to the worker whose URL
is the longest prefix of the one it is sent to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from labkit.proxies.apache.patterns import LOCATIONS, by_expression, compiled
from labkit.proxies.apache.settings import NONE, seconds
from labkit.proxies.directive import Directive

__all__ = ["GENERIC", "Balancer", "Pass", "Worker", "balancers_of", "find_worker", "passes_of", "workers_of"]

_FLAGS = frozenset(("nocanon", "noquery", "interpolate"))
_STOP = re.compile(r"[\s,;]+")


@dataclass(frozen=True)
class Worker:
    """A backend with its parameters.

    Args:
        url: what it is known by, scheme and host in lower case.
        params: of its ProxyPass, BalancerMember and ProxySet, by name in lower case.
        directive: which made it.
        pattern: where its URL has a $1.
    """

    url: str
    params: Mapping[str, str] = field(default_factory=dict)
    directive: Directive = NONE
    pattern: re.Pattern[str] | None = None

    @property
    def upgrade(self) -> str:
        """The protocols that it may upgrade to; `*` for any, empty where nothing is said."""
        told = self.params.get("upgrade", "")
        return "*" if told.upper() == "ANY" else told

    @property
    def reusable(self) -> bool:
        """Whether its connections are kept for another request."""
        reuse = self.params.get("enablereuse", "on").lower() != "off"
        return reuse and self.params.get("disablereuse", "off").lower() != "on" and bool(self.url) and not self.pattern

    def timeout(self, default: float) -> float:
        """Return how long it may be silent, in seconds."""
        return seconds(self.params.get("timeout", ""), default)

    def lets(self, offered: str, default: str = "") -> bool:
        """Tell whether it may upgrade to what is offered, as `ap_proxy_worker_can_upgrade` does.

        A name matches what begins with it: `websocket` also lets `websocket, h2c` through.
        """
        told = self.upgrade
        if not told:
            return bool(default) and default.lower() == offered.lower()
        names = [name for name in _STOP.split(told) if name]
        return told in ("*", offered) or any(offered.lower().startswith(name.lower()) for name in names)

    def fits(self, url: str) -> bool:
        """Tell whether a URL, scheme and host in lower case, is one of its own."""
        if len(self.url) < len(_origin(url)) or len(self.url) > len(url):
            return False
        return self.pattern.match(url) is not None if self.pattern else url.startswith(self.url)


GENERIC = Worker("")
"""The worker of a URL that no directive named: it keeps no connection."""


@dataclass(frozen=True)
class Pass:
    """A ProxyPass or ProxyPassMatch.

    Args:
        fake: the path, or the expression.
        real: the URL, or `!`.
        pattern: of an expression.
        flags: such as nocanon.
        directive: as it is written.
    """

    fake: str
    real: str
    pattern: re.Pattern[str] | None
    flags: frozenset[str]
    directive: Directive


@dataclass(frozen=True)
class Balancer:
    """A balancer:// with its members, in order."""

    name: str
    members: tuple[Worker, ...]


def passes_of(directives: Iterable[Directive], section: Directive | None = None) -> Iterator[Pass]:
    """Yield the ProxyPass directives among these, which stand in a section or in none."""
    for each in directives:
        if each.name.lower() in ("proxypass", "proxypassmatch") and each.block is None:
            yield _pass(each, section)


def _pass(directive: Directive, section: Directive | None) -> Pass:
    args = list(directive.args)
    match = directive.name.lower() == "proxypassmatch"
    if section is not None:
        fake = section.args[-1]
        match = match or by_expression(section)
    else:
        if args[:1] == ["~"]:
            match, args = True, args[1:]
        fake, args = (args[0], args[1:]) if args else ("", [])
    real, rest = (args[0], args[1:]) if args else ("!", [])
    flags = frozenset(word.lower() for word in rest if word.lower() in _FLAGS)
    return Pass(fake, real, compiled(fake, directive) if match else None, flags, directive)


def params_of(words: Iterable[str]) -> dict[str, str]:
    """Return the parameters among the arguments of a directive.

    >>> params_of(["ws://b/", "upgrade=websocket", "nocanon"])
    {'upgrade': 'websocket'}
    """
    pairs = (word.partition("=") for word in words if "=" in word and "://" not in word.partition("=")[0])
    return {name.lower(): value for name, _, value in pairs}


def workers_of(directives: Iterable[Directive]) -> tuple[Worker, ...]:
    """Return the workers that these directives make, and those in their sections, in order."""
    found: list[Worker] = []
    for directive, section in _walked(directives):
        _take(found, directive, section)
    return tuple(found)


def _walked(directives: Iterable[Directive]) -> Iterator[tuple[Directive, Directive | None]]:
    for each in directives:
        if each.name.lower() in LOCATIONS:
            yield from ((inside, each) for inside in each.block or ())
        else:
            yield each, None


def _take(found: list[Worker], directive: Directive, section: Directive | None) -> None:
    name = directive.name.lower()
    if name == "proxy" and directive.block is not None:
        url, params = (directive.args or ("",))[0], _set_inside(directive)
        if "://" not in url or url.startswith("balancer://") or "*" in url or (not params and not directive.block):
            return
    elif name in ("proxypass", "proxypassmatch"):
        one = _pass(directive, section)
        url, params = one.real, params_of(directive.args)
        if url == "!" or "://" not in url or url.startswith("balancer://"):
            return
    elif name == "proxyset" and directive.args and "://" in directive.args[0]:
        url, params = directive.args[0], params_of(directive.args)
    else:
        return
    url = lowered(url)
    shared = find_worker(found, url)
    if shared is None:
        found.append(Worker(url, params, directive, _dollar(url)))
    elif name in ("proxy", "proxyset"):
        found[found.index(shared)] = Worker(shared.url, {**shared.params, **params}, shared.directive, shared.pattern)


def _set_inside(section: Directive) -> dict[str, str]:
    return {name: value for each in section.inside("ProxySet") for name, value in params_of(each.args).items()}


def _dollar(url: str) -> re.Pattern[str] | None:
    parts = re.split(r"[$][0-9]", url)
    return re.compile(".*".join(re.escape(part) for part in parts), re.DOTALL) if len(parts) > 1 else None


def find_worker(workers: Iterable[Worker], url: str) -> Worker | None:
    """Return the worker of a URL: the one whose own is the longest prefix of it."""
    url = lowered(url)
    fitting = [worker for worker in workers if worker.fits(url)]
    return max(fitting, key=lambda worker: len(worker.url), default=None)


def lowered(url: str) -> str:
    """Return a URL with scheme and host in lower case.

    >>> lowered("WS://Backend/Path")
    'ws://backend/Path'
    """
    origin = _origin(url)
    return origin.lower() + url[len(origin) :]


def _origin(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def balancers_of(directives: Iterable[Directive]) -> dict[str, Balancer]:
    """Return the balancers by name: those of <Proxy balancer://…>, and BalancerMember outside of it."""
    members: dict[str, list[Worker]] = {}
    for each in directives:
        name = each.name.lower()
        if name == "proxy" and each.block is not None and each.args[:1] and each.args[0].startswith("balancer://"):
            found = members.setdefault(_balancer(each.args[0]), [])
            found += [_member(inside.args, inside) for inside in each.inside("BalancerMember") if inside.args]
        elif name == "balancermember" and len(each.args) > 1 and each.args[0].startswith("balancer://"):
            members.setdefault(_balancer(each.args[0]), []).append(_member(each.args[1:], each))
    return {name: Balancer(name, tuple(those)) for name, those in members.items()}


def _member(args: tuple[str, ...], directive: Directive) -> Worker:
    return Worker(lowered(args[0]), params_of(args[1:]), directive)


def _balancer(url: str) -> str:
    return url.removeprefix("balancer://").partition("/")[0].lower()
