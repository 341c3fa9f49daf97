"""Where a directive may stand, and with how many arguments: crossplane's table, which nginx's sources gave.

The table is of nginx 1.17; what later versions added is named below, and checked by the program alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches

from crossplane.analyzer import CONTEXTS, DIRECTIVES, NGX_CONF_BLOCK, analyze
from crossplane.errors import NgxParserDirectiveError

from labkit.errors import WrongUse
from labkit.proxies.directive import Directive
from labkit.proxies.nginx.reading import at

__all__ = ["DATA", "Context", "allowed", "check", "unknown"]

Context = tuple[str, ...]

DATA = frozenset({"map", "geo", "types", "split_clients", "charset_map", "match"})
"""Blocks whose lines are values, not directives."""

_NEWER = frozenset({  # nginx's CHANGES since 1.17
    "absolute_redirect", "add_header_inherit", "add_trailer_inherit", "auth_delay", "early_hints", "http2",
    "http3", "http3_hq", "http3_max_concurrent_streams", "http3_stream_buffer_size", "keepalive_min_timeout",
    "keepalive_time", "limit_conn_dry_run", "limit_req_dry_run", "max_headers", "mp4_start_key_frame",
    "proxy_cookie_flags", "proxy_pass_trailers", "proxy_request_dynamic_buffering",
    "quic_active_connection_id_limit", "quic_bpf", "quic_gso", "quic_host_key", "quic_retry",
    "ssl_certificate_cache", "ssl_certificate_compression", "ssl_conf_command", "ssl_early_data", "ssl_ocsp",
    "ssl_ocsp_cache", "ssl_ocsp_responder", "ssl_object_cache_inheritable", "ssl_reject_handshake",
})  # fmt: skip


def allowed(name: str, *context: str) -> bool:
    """Tell whether a directive may stand in a block.

    >>> allowed("listen", "http", "server"), allowed("listen", "http")
    (True, False)
    """
    return any(mask & CONTEXTS[context] for mask in DIRECTIVES.get(name, ()))


def check(directives: Iterable[Directive], allow: Collection[str], context: Context = ()) -> None:
    """Check that every directive is known, may stand where it stands, and has as many arguments as it takes.

    Args:
        directives: what stands in a block.
        allow: names that are let pass unknown, for a build that has them.
        context: the blocks round it, from the outermost.

    Raises:
        WrongUse: one is wrong; the line and the directive are named.
    """
    for each in directives:
        if context in CONTEXTS:
            _check_one(each, allow, context)
        if each.block is not None and each.name not in DATA:
            check(each.block, allow, _entered(each.name, context))


def _entered(name: str, context: Context) -> Context:
    return ("http", "location") if name == "location" and context[:1] == ("http",) else (*context, name)


def _check_one(directive: Directive, allow: Collection[str], context: Context) -> None:
    name = directive.name
    if name not in DIRECTIVES:
        if name not in _NEWER and name not in allow:
            raise WrongUse(at(directive.line, unknown(name)))
        return
    stmt = {"directive": name, "line": directive.line, "args": list(directive.args)}
    try:
        analyze("", stmt, ";" if directive.block is None else "{", context)
    except NgxParserDirectiveError as error:
        raise WrongUse(at(directive.line, _reason(str(error.strerror), directive, context))) from None


def unknown(name: str) -> str:
    """Return what to say of a directive that is not known."""
    close = get_close_matches(name, DIRECTIVES, 1, 0.8)
    if close:
        return f"nginx has no directive {name!r}; did you mean {close[0]}?"
    return f"nginx has no directive {name!r}; if your nginx has a module with it, write allow=[{name!r}]"


def _reason(reason: str, directive: Directive, context: Context) -> str:
    if "not allowed here" in reason:
        where = f"in {context[-1]}" if context else "outside http"
        return f"{directive.name} is not allowed {where}"
    if "is not terminated" in reason or "has no opening" in reason:
        block = all(mask & NGX_CONF_BLOCK for mask in DIRECTIVES[directive.name])
        return f"{directive.name} is a block, and has no {{" if block else f"{directive.name} is no block"
    if "invalid number" in reason:
        count = len(directive.args)
        if not count:
            return f"{directive.name} needs an argument"
        if following := next((arg for arg in directive.args[1:] if arg in DIRECTIVES), ""):
            return f"{directive.name} is not ended: a semicolon is missing before {following}"
        return f"{directive.name} does not take {count} argument{'s' * (count != 1)}"
    return reason.replace('"', "")
