"""What becomes of each directive: the tables. What is in none of them is kept as it is.

Set aside: it has nothing to do with an upgrade, or the lab serves without it. Refused: it executes, writes, or reads
or connects elsewhere, and the configuration would mean something else without it; it can be allowed by name.
"""

from __future__ import annotations

from labkit.proxies.apache.directives import names_of

__all__ = ["ASIDE", "EMPTY", "NOWHERE", "REFUSED"]

_PLAIN = "the lab serves in plain; behind TLS the HTTP/1.1 is the same"
_LOGS = "the lab keeps its own error log, in its own folder"
_OWN = "the lab has a private folder of its own for it"
_TUNING = "how many processes and threads: the lab runs one small process"
_PROGRAMS = "the lab runs no programs; what it would answer is missing"
_CACHES = "the lab keeps no cache"
_CONTENT = "content of its own, of which the lab has none"
_SPEAKS = "the lab's server speaks HTTP/1.1, no other protocol"

_ASIDE_MODULES = {
    "ssl": _PLAIN,
    "http2": "an upgrade is HTTP/1.1's (RFC 9113, 8.6); the lab's door speaks no HTTP/2",
    "md": "it would fetch certificates from the internet",
    "mpm": _TUNING,
    "unixd": "who runs it is the lab's to say",
    "log_config": _LOGS,
    "log_debug": _LOGS,
    "log_forensic": _LOGS,
    "logio": _LOGS,
    "usertrack": _LOGS,
    "dumpio": _LOGS,
    "ident": _LOGS,
    "cgi": _PROGRAMS,
    "cgid": _PROGRAMS,
    "actions": _PROGRAMS,
    "include": _PROGRAMS,
    "suexec": _PROGRAMS,
    "cache": _CACHES,
    "cache_disk": _CACHES,
    "cache_socache": _CACHES,
    "file_cache": _CACHES,
    "socache_memcache": _CACHES,
    "socache_redis": _CACHES,
    "authn_socache": _CACHES,
    "userdir": _CONTENT,
    "vhost_alias": _CONTENT,
    "imagemap": _CONTENT,
    "cern_meta": _CONTENT,
    "mime_magic": _CONTENT,
    "echo": _SPEAKS,
    "proxy_fcgi": _SPEAKS,
    "proxy_scgi": _SPEAKS,
    "proxy_ftp": _SPEAKS,
    "proxy_connect": "the lab's proxy is a reverse proxy, which knows no CONNECT",
    "proxy_hcheck": "health checks would reach the server between the exchanges",
    "ldap": "the lab asks no directory",
    "watchdog": "nothing is watched in the lab",
    "case_filter": _CONTENT,
    "case_filter_in": _CONTENT,
}

_ASIDE_NAMES = {
    "ErrorLog": _LOGS,
    "ErrorLogFormat": _LOGS,
    "LogLevel": _LOGS,
    "ServerRoot": _OWN,
    "DefaultRuntimeDir": _OWN,
    "PidFile": _OWN,
    "ScoreBoardFile": _OWN,
    "CoreDumpDirectory": _OWN,
    "Mutex": _OWN,
    "Protocols": "the door speaks HTTP/1.1 alone, as an upgrade needs it (RFC 9113, 8.6)",
    "ProtocolsHonorOrder": "the door speaks HTTP/1.1 alone",
    "Protocol": "the door speaks HTTP/1.1 alone",
    "AcceptFilter": "a matter of the operating system",
    "HostnameLookups": "the lab looks up no names",
    "NameVirtualHost": "httpd 2.4 does without it",
    "AllowOverride": "there is no .htaccess in the lab",
    "AllowOverrideList": "there is no .htaccess in the lab",
    "AccessFileName": "there is no .htaccess in the lab",
    "RLimitCPU": _PROGRAMS,
    "RLimitMEM": _PROGRAMS,
    "RLimitNPROC": _PROGRAMS,
    "CGIVar": _PROGRAMS,
    "CGIPassAuth": _PROGRAMS,
    "MaxMemFree": _TUNING,
    "ThreadStackSize": _TUNING,
    "MaxConnectionsPerChild": _TUNING,
    "MaxRequestsPerChild": _TUNING,
    "ReceiveBufferSize": _TUNING,
    "ScriptAlias": _PROGRAMS,
    "ScriptAliasMatch": _PROGRAMS,
    "AddHandler": _PROGRAMS,
    "TypesConfig": "the lab gives it an empty list of types",
    "PassEnv": "the lab's environment is not the server's",
    "ProxySourceAddress": "the lab has one address, 127.0.0.1",
    "ProxyBlock": "it would look up names; all upstreams are in the lab",
    "NoProxy": "it belongs to forward proxies",
    "ProxyDomain": "it belongs to forward proxies",
    "RemoteIPInternalProxyList": "it reads another file",
    "RemoteIPTrustedProxyList": "it reads another file",
    "RemoteIPProxiesHeader": _LOGS,
}

_REFUSED_MODULES = {
    "ext_filter": "it executes programs",
    "lua": "it executes programs",
    "dav": "it writes files",
    "dav_fs": "it writes files",
    "dav_lock": "it writes files",
    "dbd": "it connects to a database",
    "authn_dbd": "it connects to a database",
    "authz_dbd": "it connects to a database",
    "session_dbd": "it connects to a database",
    "authn_dbm": "it reads another file",
    "authz_dbm": "it reads another file",
    "authnz_ldap": "it connects to another machine",
    "authnz_fcgi": "it connects to another program",
    "proxy_express": "it reads another file, to learn where to connect",
    "heartbeat": "it sends to the network",
    "heartmonitor": "it listens on the network",
    "lbmethod_heartbeat": "it reads another file",
}

_REFUSED_NAMES = {
    "LoadFile": "it loads code from another file",
    "ChrootDir": "it changes what the program sees",
    "ProxyRemote": "it sends requests to another proxy",
    "ProxyRemoteMatch": "it sends requests to another proxy",
    "SessionCryptoPassphraseFile": "it reads another file",
    "SessionCryptoPassphrase": "it can execute programs",
}


def _table(modules: dict[str, str], names: dict[str, str]) -> dict[str, str]:
    found = {name: why for module, why in modules.items() for name in names_of(module)}
    return {**found, **{name.lower(): why for name, why in names.items()}}


REFUSED: dict[str, str] = _table(_REFUSED_MODULES, _REFUSED_NAMES)
"""Directive, in lower case -> what it does that the lab does not, unless it is allowed by name."""

ASIDE: dict[str, str] = {
    name: why for name, why in _table(_ASIDE_MODULES, _ASIDE_NAMES).items() if name != "listen" and name not in REFUSED
}
"""Directive, in lower case -> why the lab does without it."""

NOWHERE = ("authuserfile", "authgroupfile")
"""Files of passwords: /dev/null in the lab, so that nobody is let in, as in life without the right password."""

EMPTY = ("documentroot", "alias", "aliasmatch")
"""Folders of content: the lab's own folder, which has none."""
