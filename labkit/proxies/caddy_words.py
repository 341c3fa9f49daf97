"""Caddy's words, as the lab runs them: what is left out and why, what is refused, which are a site's directives.

The words are those of the Caddyfile of Caddy 2.6.
"""

from __future__ import annotations

__all__ = ["ASIDE", "DIRECTIVES", "EXECUTES", "GLOBAL", "INSIDE", "OWN", "UPSTREAMS"]

DIRECTIVES = frozenset({
    "abort", "acme_server", "basicauth", "basic_auth", "bind", "encode", "error", "file_server", "forward_auth",
    "handle", "handle_errors", "handle_path", "header", "import", "invoke", "log", "map", "method", "metrics",
    "php_fastcgi", "push", "redir", "request_body", "request_header", "respond", "reverse_proxy", "rewrite", "root",
    "route", "skip_log", "templates", "tls", "tracing", "try_files", "uri", "vars",
})  # fmt: skip
"""The directives of a site, by which a snippet without an address is known."""

GLOBAL = frozenset({"order", "servers", "grace_period", "shutdown_delay", "debug"})
"""Global options that stay; all others are set aside."""

OWN = ("admin off", "auto_https off")
"""Global options of the lab's own."""

UPSTREAMS = frozenset({"reverse_proxy", "forward_auth"})
"""Directives that name upstreams, behind a matcher."""

_NO_TLS = "the lab serves without TLS"
_NO_FASTCGI = "the lab's server speaks no FastCGI"
_CHECK = "a health check would be recorded as a connection"

ASIDE = {  # a site's directives that are left out
    "tls": _NO_TLS,
    "acme_server": _NO_TLS,
    "log": "the lab keeps its own log",
    "skip_log": "the lab keeps its own log",
    "bind": "it listens on 127.0.0.1",
    "php_fastcgi": _NO_FASTCGI,
    "tracing": "the lab sends no traces elsewhere",
}

INSIDE = {  # what is left out inside `reverse_proxy`, and inside its `transport`
    "health_path": _CHECK,
    "health_uri": _CHECK,
    "health_port": _CHECK,
    "health_interval": _CHECK,
    "health_timeout": _CHECK,
    "health_status": _CHECK,
    "health_body": _CHECK,
    "health_headers": _CHECK,
    "tls": "the lab's server speaks no TLS",
    "tls_client_auth": "the lab's server speaks no TLS",
    "tls_insecure_skip_verify": "the lab's server speaks no TLS",
    "tls_timeout": "the lab's server speaks no TLS",
    "tls_trusted_ca_certs": "the lab's server speaks no TLS",
    "tls_server_name": "the lab's server speaks no TLS",
    "tls_renegotiation": "the lab's server speaks no TLS",
    "tls_except_ports": "the lab's server speaks no TLS",
    "versions": "the lab's server speaks HTTP/1.1",
    "forward_proxy_url": "the lab stays on loopback",
    "network_proxy": "the lab stays on loopback",
    "resolvers": "names are not looked up: every upstream is the lab's",
    "proxy_protocol": "the lab's server speaks HTTP/1.1, without a preface",
}

EXECUTES = frozenset({"exec", "events", "cgi", "supervisor", "git", "dynamic exec"})
"""What runs a program, most of it of plugins: refused unless allowed by name."""
