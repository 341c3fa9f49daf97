"""HAProxy's words, as the lab runs them: what is left out and why, what is refused, what is added.

The words are those of HAProxy's configuration manual, version 2.6.
"""

from __future__ import annotations

import re

__all__ = [
    "ASIDE", "ASIDE_PREFIX", "EXECUTES", "LOG", "MOST_CONNECTIONS", "NO_FILE", "NO_TLS", "READS", "SECTIONS", "SERVER",
    "TIMES", "WHOLE",
]  # fmt: skip

SECTIONS = ("global", "defaults", "frontend", "backend", "listen", "userlist", "cache")
WHOLE = {  # sections that are left out: what they need is not on loopback, or not part of the text
    "resolvers": "names are not looked up: every server is the lab's",
    "peers": "there is no other HAProxy",
    "mailers": "the lab sends no mail",
    "ring": "the lab keeps its own log",
    "log-forward": "the lab keeps its own log",
    "http-errors": "its files are not part of the text",
    "fcgi-app": "the lab's server speaks no FastCGI",
    "crt-store": "the lab serves without TLS",
}
_OWN_PLACE = "the lab runs it as itself, in a private folder"
NO_TLS = "the lab serves without TLS"
_OWN_LOG = "the lab keeps its own log"
NO_FILE = "the file is not part of the text"
ASIDE = {  # lines that are left out, by their first word, or their first two
    "chroot": _OWN_PLACE, "user": _OWN_PLACE, "group": _OWN_PLACE, "uid": _OWN_PLACE, "gid": _OWN_PLACE,
    "daemon": _OWN_PLACE, "pidfile": _OWN_PLACE, "master-worker": _OWN_PLACE, "mworker-max-reloads": _OWN_PLACE,
    "nbproc": _OWN_PLACE, "ulimit-n": _OWN_PLACE, "node": _OWN_PLACE, "setenv": _OWN_PLACE, "localpeer": _OWN_PLACE,
    "stats socket": _OWN_PLACE, "stats timeout": _OWN_PLACE, "stats maxconn": _OWN_PLACE,
    "stats bind-process": _OWN_PLACE, "server-state-file": _OWN_PLACE, "server-state-base": _OWN_PLACE,
    "load-server-state-from-file": _OWN_PLACE,
    "ca-base": NO_TLS, "crt-base": NO_TLS, "issuers-chain-path": NO_TLS,
    "log": _OWN_LOG, "log-tag": _OWN_LOG, "log-send-hostname": _OWN_LOG,
    "errorfile": NO_FILE, "errorfiles": NO_FILE,
    "email-alert": "the lab sends no mail",
    "source": "the lab stays on loopback", "transparent": "the lab stays on loopback",
    "option transparent": "the lab stays on loopback", "option http_proxy": "the lab stays on loopback",
    "h1-case-adjust-file": NO_FILE, "default-path": _OWN_PLACE, "stats-file": _OWN_PLACE,
    "option httpchk": "a health check would be recorded as a connection",
    "http-check": "a health check would be recorded as a connection",
    "tcp-check": "a health check would be recorded as a connection",
    "option tcp-check": "a health check would be recorded as a connection",
}  # fmt: skip
ASIDE_PREFIX = (("ssl-", NO_TLS), ("tune.ssl.", NO_TLS))
MOST_CONNECTIONS = 1000
EXECUTES = {  # what runs a program or loads code: refused unless allowed by name
    "lua-load", "lua-load-per-thread", "lua-prepend-path", "external-check", "option external-check", "program",
    "insecure-fork-wanted", "filter spoe", "filter opentracing", "filter ot", "51degrees-data-file",
    "wurfl-data-file", "deviceatlas-json-file",
}  # fmt: skip
READS = re.compile(  # what reads a file, and its name
    r"(?:\bmap(?:_[a-z]+)*\(\s*[\"']*|(?:^|\s)(?:-f|lf-file|file|errorfile)\s+)([^\s,)\"']+)"
)

# Parameters of `server` lines that are left out, and how many words each takes with it.
_CHECK, _TLS, _NAME, _PREFACE = (
    "a health check would be recorded as a connection", "the lab's server speaks no TLS",
    "names are not looked up: every server is the lab's", "the lab's server speaks HTTP/1.1, without a preface",
)  # fmt: skip
SERVER = {
    "check": (0, _CHECK), "inter": (1, _CHECK), "fastinter": (1, _CHECK), "downinter": (1, _CHECK),
    "rise": (1, _CHECK), "fall": (1, _CHECK), "port": (1, _CHECK), "addr": (1, _CHECK), "agent-check": (0, _CHECK),
    "agent-port": (1, _CHECK), "agent-addr": (1, _CHECK), "agent-inter": (1, _CHECK), "agent-send": (1, _CHECK),
    "observe": (1, _CHECK), "on-error": (1, _CHECK), "error-limit": (1, _CHECK), "on-marked-down": (1, _CHECK),
    "on-marked-up": (1, _CHECK), "slowstart": (1, _CHECK), "track": (1, _CHECK), "check-ssl": (0, _CHECK),
    "check-sni": (1, _CHECK), "check-alpn": (1, _CHECK), "check-proto": (1, _CHECK), "check-send-proxy": (0, _CHECK),
    "ssl": (0, _TLS), "verify": (1, _TLS), "verifyhost": (1, _TLS), "ca-file": (1, _TLS), "crl-file": (1, _TLS),
    "crt": (1, _TLS), "sni": (1, _TLS), "alpn": (1, _TLS), "npn": (1, _TLS), "ciphers": (1, _TLS),
    "ciphersuites": (1, _TLS), "ssl-min-ver": (1, _TLS), "ssl-max-ver": (1, _TLS), "force-tlsv12": (0, _TLS),
    "force-tlsv13": (0, _TLS), "no-sslv3": (0, _TLS), "no-tlsv10": (0, _TLS), "no-tlsv11": (0, _TLS),
    "no-ssl-reuse": (0, _TLS), "no-tls-tickets": (0, _TLS),
    "resolvers": (1, _NAME), "init-addr": (1, _NAME), "resolve-prefer": (1, _NAME), "resolve-net": (1, _NAME),
    "resolve-opts": (1, _NAME),
    "send-proxy": (0, _PREFACE), "send-proxy-v2": (0, _PREFACE), "send-proxy-v2-ssl": (0, _PREFACE),
    "send-proxy-v2-ssl-cn": (0, _PREFACE), "proxy-v2-options": (1, _PREFACE), "proto": (1, _PREFACE),
    "source": (1, "the lab stays on loopback"), "socks4": (1, "the lab stays on loopback"),
    "check-via-socks4": (0, _CHECK),
}  # fmt: skip

TIMES = (("timeout connect", "5s"), ("timeout client", "50s"), ("timeout server", "50s"))  # Debian's haproxy.cfg
LOG = ("log global", "option httplog", "option dontlognull")
