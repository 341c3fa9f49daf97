"""Every directive of nginx that the model has an opinion on: what it does to an upgrade, one table.

The rows are asked from the first on. A directive that no row names is not modelled: it could matter.
"""

from __future__ import annotations

from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache
from typing import NamedTuple

from labkit.proxies.directive import Directive, unmodelled
from labkit.proxies.nginx.grammar import DATA
from labkit.proxies.nginx.trip import is_client

__all__ = ["KNOWN", "Bearing", "Known", "check_known", "known"]


class Bearing(StrEnum):
    """What a directive has to do with an upgrade, and what the model makes of it."""

    MATTERS = "matters"  # and the model does as nginx does
    OTHERS = "other answers"  # it bears on answers that are no switch; the model does as nginx does
    NOTHING = "nothing"  # it cannot matter to an exchange that the lab shows
    REFUSED = "not modelled"  # it could matter, and the model does not know how


class Known(NamedTuple):
    """A row: names of directives, with stars; what they have to do with an upgrade; and what they do, in a sentence.

    Args:
        names: of the directives, with stars.
        bearing: what they have to do with an upgrade.
        does: what they do to one.
        unless: values of the first argument for which a row that is not modelled does not hold.
    """

    names: str
    bearing: Bearing
    does: str
    unless: tuple[str, ...] = ()


_M, _O, _N, _R = Bearing.MATTERS, Bearing.OTHERS, Bearing.NOTHING, Bearing.REFUSED
_OFF = ("off",)

KNOWN: tuple[Known, ...] = (
    # what decides an upgrade (ngx_http_proxy_module)
    Known("proxy_pass", _M, "sends the request on; a path in it replaces the location's own"),
    Known("proxy_http_version", _M, "with 1.0, the default until nginx 1.29.7, few servers upgrade; write 1.1"),
    Known("proxy_set_header", _M, "sets a field of the request that goes on; Upgrade and Connection go on only so, "
          "and one such line keeps the block from inheriting all others"),
    Known("map", _M, "gives a variable its value, such as upgrade or close by what the client's Upgrade says"),
    Known("proxy_read_timeout", _M, "closes a tunnel in which nothing comes for so long, and gives up waiting "
          "(504); 60 s by default"),
    Known("proxy_send_timeout", _N, "bounds the wait for an upstream that takes no bytes; a silent tunnel it "
          "does not end"),
    Known("proxy_connect_timeout", _O, "bounds the wait for the connection to an upstream (504)"),
    Known("proxy_pass_request_headers", _M, "off: of the client's fields only those go on that a "
          "proxy_set_header names"),
    Known("proxy_pass_request_body", _O, "off: the content of requests is kept back"),
    Known("proxy_hide_header", _M, "keeps back a field of the answer; hiding Upgrade or Sec-WebSocket-Accept "
          "breaks the switch"),
    Known("proxy_pass_header", _M, "passes on a field of the answer that nginx would keep back, such as Server"),
    Known("proxy_ignore_headers", _O, "does without an X-Accel field of the answer"),
    Known("proxy_buffering", _M, "on, the default: a 101 that nobody asked for waits for content that never "
          "ends; a tunnel is never held back"),
    Known("proxy_redirect", _O, "rewrites the Location of a redirect; browsers do not follow one with an upgrade"),
    Known("proxy_intercept_errors", _O, "lets error_page answer where the upstream declined"),
    Known("proxy_next_upstream proxy_next_upstream_tries", _O, "says when the next server of a block is asked"),
    Known("proxy_next_upstream_timeout", _N, "bounds how long servers of a block are tried"),
    Known("proxy_buffer_size", _O, "bounds the head of an answer; a longer one is a 502"),
    Known("proxy_buffers proxy_busy_buffers_size proxy_max_temp_file_size proxy_temp_file_write_size "
          "proxy_temp_path proxy_limit_rate proxy_force_ranges proxy_headers_hash_* proxy_send_lowat "
          "proxy_socket_keepalive proxy_store_access", _N, "is about memory and speed"),
    Known("proxy_ssl_* proxy_bind", _N, "is about the way to the upstream; the lab's server is spoken to in plain"),
    Known("proxy_request_buffering", _R, "off: content goes on while it comes, in chunks or not, as it happens "
          "to come", ("on",)),
    Known("proxy_ignore_client_abort", _R, "on: a client that leaves does not end its exchange", _OFF),
    Known("proxy_method", _R, "replaces the method; an upgrade is a GET"),
    Known("proxy_set_body", _R, "replaces the content of requests"),
    Known("proxy_store", _R, "writes answers into files", _OFF),
    Known("proxy_cookie_domain proxy_cookie_path proxy_cookie_flags", _R, "rewrites Set-Cookie", _OFF),
    Known("proxy_cache", _R, "answers from a store; a request for an upgrade then loses its Upgrade and Range "
          "fields", _OFF),
    Known("proxy_cache_* proxy_no_cache", _N, "does nothing without proxy_cache, which is not modelled"),
    # where a request comes to (ngx_http_core_module, ngx_http_rewrite_module)
    Known("http server location upstream", _M, "is a block: what stands in it decides"),
    Known("listen", _M, "is where clients dial; its port and default_server choose the server"),
    Known("server_name", _M, "chooses the server by the client's Host"),
    Known("internal", _O, "answers 404 to whoever asks from outside"),
    Known("try_files", _M, "looks for files first, and goes to its last word, a location say, where there are none"),
    Known("root alias", _O, "answers with a file; the lab has none of the files, so it answers 404"),
    Known("index", _N, "names the file of a folder; the lab has none of the files"),
    Known("return", _M, "answers at once, whatever follows: 301 to https, 403, 444 without an answer"),
    Known("rewrite", _M, "changes the path, or redirects; after one the path goes on decoded and written anew"),
    Known("set", _M, "gives a variable a value"),
    Known("if", _M, "does what is in it where its condition holds; in a location it replaces the location"),
    Known("break", _M, "ends the steps of rewrite, set and if"),
    Known("limit_except", _M, "holds for all methods but those it names"),
    Known("allow deny", _M, "answers 403 to addresses; the lab's client comes from 127.0.0.1"),
    Known("satisfy", _R, "any: one of allow, auth_basic and auth_request is enough", ("all",)),
    Known("error_page", _O, "leads errors elsewhere; a 101 is none"),
    Known("recursive_error_pages", _O, "lets an error page have an error page"),
    # connections and heads
    Known("client_header_timeout client_body_timeout", _O, "closes, without an answer, on a client that is too slow"),
    Known("keepalive_timeout", _O, "closes an idle connection; a tunnel has proxy_read_timeout"),
    Known("keepalive_requests", _O, "closes after so many requests on a connection"),
    Known("client_max_body_size", _O, "answers 413 to longer content; what a tunnel carries is not counted"),
    Known("client_header_buffer_size large_client_header_buffers", _O, "bounds heads: 414 and 400, with a "
          "cookie too long say"),
    Known("underscores_in_headers", _M, "off, the default: a field with an underscore in its name is dropped"),
    Known("ignore_invalid_headers", _M, "on, the default: a field whose name is not letters, digits and hyphens "
          "is dropped"),
    Known("merge_slashes", _M, "on, the default: // is / where locations are compared"),
    Known("absolute_redirect port_in_redirect server_name_in_redirect", _O, "is about the Location of nginx's "
          "own redirects"),
    Known("server_tokens", _O, "off: Server and pages do not say the version"),
    Known("chunked_transfer_encoding", _O, "off: content of unknown length ends with the connection"),
    Known("msie_padding", _O, "makes error pages longer for Chrome"),
    Known("default_type types", _O, "is the type of what `return` answers"),
    Known("add_header", _M, "adds a field to some answers; to a 101 only with `always`"),
    Known("add_trailer", _N, "adds a field behind content in chunks, which a 101 has not"),
    Known("expires", _R, "adds Expires and Cache-Control; to a 101 nothing", _OFF),
    Known("etag if_modified_since max_ranges", _N, "is about files; the lab has none"),
    # upstream blocks (ngx_http_upstream_module)
    Known("keepalive", _O, "keeps connections to the upstream for more requests; one that was switched is never kept"),
    Known("keepalive_time keepalive_disable", _N, "is about connections that are kept for very long, or by old "
          "browsers"),
    Known("zone state hash ip_hash least_conn least_time random sticky sticky_cookie_insert ntlm queue", _N,
          "chooses among the servers of a block; in the lab all are the same one"),
    Known("health_check health_check_timeout match", _N, "asks servers on its own account"),
    # what cannot matter
    Known("user daemon master_process pid lock_file worker_* events use multi_accept accept_mutex* debug_* "
          "timer_resolution thread_pool pcre_jit env working_directory ssl_engine load_module "
          "google_perftools_profiles",
          _N, "is about the program itself"),
    Known("access_log error_log log_format log_not_found log_subrequest open_log_file_cache rewrite_log "
          "uninitialized_variable_warn status_zone", _N, "is about logs"),
    Known("ssl ssl_* http2 http2_* http3 http3_* quic_* spdy_*", _N, "is about TLS and HTTP/2, where nothing is "
          "upgraded; the lab speaks plain HTTP/1.1"),
    Known("sendfile* aio aio_write directio* tcp_nopush tcp_nodelay output_buffers postpone_output read_ahead "
          "open_file_cache* disable_symlinks send_lowat send_timeout reset_timedout_connection lingering_* "
          "connection_pool_size request_pool_size subrequest_output_buffer_size client_body_buffer_size "
          "client_body_in_file_only client_body_in_single_buffer client_body_temp_path *_hash_bucket_size "
          "*_hash_max_size limit_rate limit_rate_after resolver resolver_timeout msie_refresh", _N, "is about "
          "memory, files and speed"),
    Known("gzip", _O, "compresses content for clients that accept it, never a tunnel; the model leaves content "
          "as it is"),
    Known("gzip_* gunzip gunzip_buffers brotli brotli_* zstd zstd_*", _N, "is about compression of content, "
          "which a tunnel does not have"),
    Known("autoindex_*", _N, "is about lists of files"),
    Known("autoindex", _R, "on: answers with a list of files", _OFF),
    Known("limit_conn limit_conn_* limit_req limit_req_* limit_zone", _O,
          "bounds connections and requests of one client: one exchange alone never meets it; a tunnel counts as "
          "one connection"),
    Known("auth_basic", _R, "answers 401 without a password, which browsers cannot send with an upgrade", _OFF),
    Known("auth_basic_user_file", _N, "does nothing without auth_basic, which is not modelled"),
    Known("auth_request", _R, "asks another address whether the client may", _OFF),
    Known("set_real_ip_from", _M, "believes an address in a field from a proxy there; the lab's client is no such one"),
    Known("real_ip_header real_ip_recursive", _N, "does nothing for the lab's client, whom nobody believes"),
    Known("geo split_clients", _N, "gives a variable its value by address or by chance; where it is used matters"),
    Known("charset", _R, "adds a charset to types of content", _OFF),
    Known("charset_map charset_types source_charset override_charset", _N, "does nothing without charset, which "
          "is not modelled"),
    Known("sub_filter sub_filter_*", _R, "replaces words in content; then its length is not told"),
    Known("add_before_body add_after_body addition_types ssi ssi_*", _R, "adds to content; then its length is "
          "not told", _OFF),
    Known("mirror", _R, "sends the request to another upstream too", _OFF),
    Known("userid userid_*", _R, "sets a cookie", _OFF),
    Known("stub_status empty_gif flv mp4 hls f4f random_index secure_link* slice", _R, "answers by itself"),
    Known("*_by_lua* lua_* js_* perl perl_* passenger_* dav_* grpc_* fastcgi_* uwsgi_* scgi_* memcached_*", _R,
          "is another module's, which the model does not know"),
    Known("auth_request_set mirror_request_body", _N, "does nothing without auth_request and mirror, which are not "
          "modelled"),
    Known("valid_referers geoip_* geoip2 geoip2_* ancient_browser* modern_browser*", _N,
          "gives a variable its value; where it is used matters"),
    Known("image_filter* xslt_* xml_entities", _N, "changes content, which a tunnel does not have"),
    Known("stream mail rtmp", _N, "is not HTTP"),
    Known("auth_jwt*", _R, "answers 401 without a token"),
    Known("include", _R, "takes in a file that is not part of the text"),
)  # fmt: skip
"""The table; also what a learner is told of each directive of a snippet."""

_HARMLESS = ("fastcgi_", "uwsgi_", "scgi_", "memcached_", "grpc_")  # where nothing is passed so, they do nothing
_PASSING = ("fastcgi_pass", "uwsgi_pass", "scgi_pass", "memcached_pass", "grpc_pass")


@cache
def known(name: str) -> Known | None:
    """Return the row of a directive; None where there is none.

    >>> known("proxy_send_timeout").bearing
    <Bearing.NOTHING: 'nothing'>
    """
    if name.startswith(_HARMLESS) and name not in _PASSING:
        return Known(name, Bearing.NOTHING, "is about another protocol than HTTP to the upstream")
    return next((row for row in KNOWN if any(fnmatchcase(name, each) for each in row.names.split())), None)


def check_known(block: Directive) -> None:
    """Check that the model knows every directive of a block that could matter.

    Raises:
        Unmodelled: it does not know one; the directive and its line are named.
    """
    for each in block.block or ():
        row = known(each.name)
        if row is None:
            raise unmodelled(each, "the model does not know it, and it could matter")
        if row.bearing is Bearing.REFUSED and each.args[:1] not in [(word,) for word in row.unless]:
            raise unmodelled(each, row.does)
        _check_form(each)
        if each.name not in DATA and each.name not in ("events", "upstream"):
            check_known(each)


def _check_form(each: Directive) -> None:
    """Check for forms of a directive that the model does not know."""
    if each.name == "proxy_redirect" and each.args[:1] and each.args[0].startswith("~"):
        raise unmodelled(each, "with a pattern it is not modelled")
    if each.name == "index" and any(arg.startswith("/") for arg in each.args):
        raise unmodelled(each, "a path that begins with a slash leads elsewhere, and is not modelled")
    if each.name in ("root", "alias") and "$" in "".join(each.args):
        return
    if each.name == "set_real_ip_from" and is_client(each.args[0]):
        raise unmodelled(each, "it believes the lab's client, and takes its address from a field")
    if each.name == "return" and each.args and not each.args[0].isdigit() and len(each.args) > 1:
        raise unmodelled(each, "this form is not modelled")
