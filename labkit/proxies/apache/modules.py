"""Which modules httpd is to load for a configuration: those of its directives, and those their arguments name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from labkit.errors import WrongUse
from labkit.proxies.apache.directives import DIRECTIVES, module_of
from labkit.proxies.apache.reading import Line, every

__all__ = ["ALWAYS", "CHOSEN", "chosen", "exists", "in_order", "named", "needed"]

CHOSEN = ("proxy", "proxy_http", "proxy_wstunnel")
"""The proxy modules where nobody chose others: what `a2enmod proxy proxy_http proxy_wstunnel` gives."""

ALWAYS = ("mpm_event", "unixd", "authz_core")
"""Without these httpd does not start, or lets nobody in; Red Hat loads what Debian has built in."""

_WITHOUT_DIRECTIVES = frozenset({
    "asis", "authn_core", "authz_host", "authz_owner", "authz_user", "lbmethod_bybusyness", "lbmethod_byrequests",
    "lbmethod_bytraffic", "mpm_event", "mpm_prefork", "mpm_worker", "proxy_ajp", "proxy_balancer", "proxy_fdpass",
    "proxy_http", "proxy_http2", "proxy_uwsgi", "ratelimit", "slotmem_plain", "slotmem_shm", "socache_dbm",
    "socache_shmcb", "status", "unique_id", "unixd", "version",
})  # fmt: skip

_NEEDS = {  # what else must be loaded, and loaded before it
    "proxy_balancer": ("proxy", "slotmem_shm"),
    "auth_basic": ("authn_core", "authn_file", "authz_user"),
    "auth_digest": ("authn_core", "authn_file", "authz_user"),
    "auth_form": ("authn_core", "authn_file", "authz_user", "request", "session"),
    "authn_file": ("authn_core",),
    "authn_anon": ("authn_core",),
    "session_cookie": ("session",),
    "session_crypto": ("session",),
    "access_compat": ("authz_host",),
    "deflate": ("filter",),
    "proxy_html": ("xml2enc",),
}

_HANDLERS = {"server-status": "status", "server-info": "info", "balancer-manager": "proxy_balancer"}
_FILTERS = {
    "deflate": "deflate", "inflate": "deflate", "brotli_compress": "brotli", "substitute": "substitute",
    "rate_limit": "ratelimit", "proxy-html": "proxy_html", "xml2enc": "xml2enc", "buffer": "buffer", "sed": "sed",
}  # fmt: skip
_FILTERED = {"setoutputfilter", "setinputfilter", "addoutputfilter", "addoutputfilterbytype", "addinputfilter"}
_REQUIRED = {
    "ip": "authz_host", "host": "authz_host", "local": "authz_host", "forward-dns": "authz_host",
    "user": "authz_user", "valid-user": "authz_user", "group": "authz_groupfile", "file-owner": "authz_owner",
}  # fmt: skip
_SCHEMES = {"basic": "auth_basic", "digest": "auth_digest", "form": "auth_form"}
_FIRST = ("mpm_event", "unixd", "authn_core", "authz_core", "slotmem_shm", "proxy", "session", "filter", "xml2enc")


def named(written: str) -> str:
    """Return a module's short name, however it is written.

    >>> [named(each) for each in ("mod_proxy_http.c", "ssl_module", "proxy", "event.c")]
    ['proxy_http', 'ssl', 'proxy', 'mpm_event']
    """
    name = written.removesuffix(".c").removesuffix(".so").removesuffix("_module").removeprefix("mod_")
    return {"event": "mpm_event", "prefork": "mpm_prefork", "worker": "mpm_worker", "util_ldap": "ldap"}.get(name, name)


def exists(module: str) -> bool:
    """Tell whether httpd comes with a module of this short name.

    >>> exists("proxy_http"), exists("php")
    (True, False)
    """
    return module in DIRECTIVES or module in _WITHOUT_DIRECTIVES


def chosen(modules: Iterable[str] | None) -> tuple[str, ...] | None:
    """Return the proxy modules that were chosen, by their short names; None where none were.

    >>> chosen(["mod_proxy", "proxy_http"])
    ('proxy', 'proxy_http')

    Raises:
        WrongUse: one is no proxy module of httpd's.
    """
    if modules is None:
        return None
    if isinstance(modules, str) or not isinstance(modules, Iterable):
        raise WrongUse(f'modules is a list of names, such as ("proxy", "proxy_http"), not {modules!r}')
    names = []
    for each in modules:
        name = named(each) if isinstance(each, str) else ""
        if not name.startswith("proxy") or not exists(name):
            raise WrongUse(f"{each!r} is no proxy module of httpd's; there are {', '.join(CHOSEN)} and others")
        names.append(name)
    if names and "proxy" not in names:
        raise WrongUse(f"modules: {names[0]} is built on proxy; name proxy too")
    return tuple(dict.fromkeys(names))


def needed(lines: Iterable[Line]) -> tuple[str, ...]:
    """Return the modules that these lines need, in alphabetical order.

    >>> needed([Line("RequestHeader", "set X y"), Line("Require", "ip 127.0.0.1")])
    ('authz_core', 'authz_host', 'headers')
    """
    found = set()
    for line in every(lines):
        found.add(module_of(line.name, section=line.block is not None))
        found.update(_by_arguments(line))
    while more := {other for each in found for other in _NEEDS.get(each, ())} - found:
        found |= more
    return tuple(sorted(found - {"", "core", "mpm"}))


def _by_arguments(line: Line) -> Iterator[str]:
    args = [word.lower() for word in line.args]
    if line.key == "require":
        yield from (_REQUIRED[word] for word in args[:2] if word in _REQUIRED)
    elif line.key == "authtype" and args:
        yield _SCHEMES.get(args[0], "authn_core")
    elif line.key == "sethandler" and args:
        yield _HANDLERS.get(args[0], "")
    elif line.key in _FILTERED:
        yield from (_FILTERS[name] for word in args for name in word.split(";") if name in _FILTERS)
    if any("balancer://" in word for word in args):
        yield from ("proxy_balancer", "lbmethod_byrequests")
    yield from (
        f"lbmethod_{word[9:]}" for word in args if word.startswith("lbmethod=") and exists(f"lbmethod_{word[9:]}")
    )


def in_order(modules: Iterable[str]) -> tuple[str, ...]:
    """Return modules in an order in which they can be loaded: those first that others are built on.

    >>> in_order(["proxy_http", "headers", "proxy"])
    ('proxy', 'headers', 'proxy_http')
    """
    return tuple(sorted(set(modules), key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name)))
