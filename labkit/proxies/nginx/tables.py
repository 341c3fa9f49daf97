"""What the lab does not let nginx do, as tables: the first row that fits decides.

Nothing here changes what becomes of an upgrade, unless the reason says so. A row of REFUSED is an error
that names the line; `allow=["name"]` lets the directive stay, as it does for a row that says so.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache
from typing import NamedTuple

__all__ = ["ASIDE", "FILES", "PASSED", "REFUSED", "Row", "row_for"]


class Row(NamedTuple):
    """Names of directives, with stars; why; and whether `allow` lets them stay."""

    names: str
    why: str
    allowable: bool = False


REFUSED: tuple[Row, ...] = (
    Row("perl perl_*", "runs Perl code inside nginx", True),
    Row("js_*", "runs JavaScript code inside nginx", True),
    Row("*_by_lua *_by_lua_block *_by_lua_file lua_*", "runs Lua code inside nginx", True),
    Row("passenger_* unit_*", "starts other programs", True),
    Row("proxy_store fastcgi_store uwsgi_store scgi_store", "writes what comes from the upstream into files", True),
    Row("dav_methods", "lets clients write and delete files", True),
)

ASIDE: tuple[Row, ...] = (
    # of the process: the lab starts it, in the foreground and without privileges
    Row("user daemon master_process pid lock_file", "the lab starts nginx itself, unprivileged and in the foreground"),
    Row("worker_* timer_resolution thread_pool pcre_jit", "one worker with nginx's defaults is enough here"),
    Row("env working_directory debug_points ssl_engine", "it is about the machine that nginx runs on"),
    Row("google_perftools_profiles", "it writes files"),
    Row("load_module", "it loads code; the lab uses what nginx has built in", True),
    Row("stream mail rtmp", "it is not HTTP: the lab does not serve it"),
    Row("events accept_mutex accept_mutex_delay", "nginx's defaults are right here"),
    # TLS: the lab serves in plain, so that the bytes can be seen
    Row("ssl ssl_*", "the lab serves in plain, so that the bytes can be seen"),
    Row("http2 http2_* spdy_* http3 http3_* quic_*", "an Upgrade is of HTTP/1.1: the lab's client speaks nothing else"),
    Row("proxy_ssl_* grpc_ssl_* uwsgi_ssl_*", "the lab's server is spoken to in plain"),
    # files
    Row("access_log error_log open_log_file_cache", "the lab keeps both logs in a private folder"),
    Row("*_temp_path", "the lab has a private folder for these"),
    Row("auth_basic auth_basic_user_file", "the lab has no file of passwords, so it asks for none"),
    # the network
    Row("resolver resolver_timeout", "no name is looked up: every upstream is the lab's server"),
    Row(
        "proxy_bind grpc_bind fastcgi_bind uwsgi_bind scgi_bind memcached_bind", "it is about this machine's addresses"
    ),
    # loadable or foreign modules that do not touch an upgrade
    Row("geoip_* geoip2_* geoip2", "a loadable module: it reads a database of addresses"),
    Row("image_filter image_filter_* xslt_* xml_entities", "a loadable module: it changes content, not heads"),
    Row("brotli brotli_* zstd zstd_* pagespeed", "a foreign module: it compresses content"),
    Row("vhost_traffic_status vhost_traffic_status_*", "a foreign module: it counts"),
    Row(
        "opentracing opentracing_* otel_* opentelemetry opentelemetry_*", "a foreign module: it sends what it measures"
    ),
    Row("modsecurity modsecurity_*", "a foreign module: a firewall; what it would refuse, the lab does not know"),
)

PASSED: dict[str, str] = {
    "fastcgi_pass": "FastCGI",
    "uwsgi_pass": "uWSGI",
    "scgi_pass": "SCGI",
    "memcached_pass": "memcached's protocol",
    "grpc_pass": "gRPC over HTTP/2",
}
"""Directives that pass requests on in another protocol than HTTP/1.1, and that protocol."""

FILES: dict[str, str] = {
    "root": "an empty folder: the lab has none of its files",
    "alias": "an empty folder: the lab has none of its files",
    "proxy_cache_path": "a private folder",
    "fastcgi_cache_path": "a private folder",
    "uwsgi_cache_path": "a private folder",
    "scgi_cache_path": "a private folder",
}
"""Directives whose first argument is a folder, and what it becomes."""


@lru_cache(maxsize=4096)
def row_for(table: tuple[Row, ...], name: str) -> Row | None:
    """Return the first row that a name fits.

    >>> row_for(ASIDE, "ssl_certificate").names
    'ssl ssl_*'
    """
    return next((row for row in table if any(fnmatchcase(name, each) for each in row.names.split())), None)
