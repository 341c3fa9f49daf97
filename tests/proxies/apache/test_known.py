from __future__ import annotations

import pytest

from labkit.errors import Unmodelled
from labkit.proxies.apache.directives import BY_NAME
from labkit.proxies.apache.known import KNOWN, check, effect
from labkit.proxies.apache.reading import directives, read

# What a learner is told of each directive of a snippet.
EFFECTS = [
    ("ProxyPassReverse /ws/ ws://b/", "does nothing"),
    ("ProxyPassReverse /ws/ http://b/", "changes the Location of a redirect"),
    ("ProxyRequests Off", "does nothing"),
    ("ProxyPass /ws/ http://b/", "no upgrade gets through"),
    ("ProxyPass /ws/ http://b/ upgrade=websocket", "lets upgrades to websocket through"),
    ("ProxyPass /ws/ http://b/ upgrade=ANY", "every upgrade"),
    ("ProxyPass /ws/ http://b/ upgrade=NONE", "no upgrade through"),
    ("ProxyPass /ws/ ws://b/", "lets upgrades to websocket through"),
    ("ProxyPass /ws/ balancer://c/", "whose members say"),
    ("ProxyPass /ws/ !", "answered by Apache itself"),
    ("BalancerMember ws://b/", "lets upgrades to websocket through"),
    ("RewriteRule ^/ws/(.*) ws://b/$1 [P,L]", "past every ProxyPass"),
    ("RewriteRule ^/ws/(.*) http://b/$1 [P,L]", "lets no upgrade through"),
    ("RewriteRule ^ https://%{HTTP_HOST}%{REQUEST_URI} [R=301]", "redirect"),
    ("RewriteRule ^/x - [F]", "an upgrade fails"),
    ("RewriteRule ^/x /y [PT]", "changes the path"),
    ("ProxyWebsocketFallbackToProxyHttp Off", "mod_proxy_wstunnel"),
    ("ProxyWebsocketFallbackToProxyHttp On", "mod_proxy_http"),
    ("RequestHeader set Connection Upgrade", "does nothing"),
    ("RequestHeader set Upgrade websocket", "taken off again"),
    ("RequestHeader set Sec-WebSocket-Key x", "opening handshake"),
    ("RequestHeader set X y", "for the backend"),
    ("Header set X y", "never of a 101"),
    ("DocumentRoot /var/www", "of files"),
]


@pytest.mark.parametrize(("line", "told"), EFFECTS)
def test_a_learner_is_told_what_each_directive_does(line, told):
    """Also of those that do nothing."""
    assert told in effect(directives(read(line))[0])


@pytest.mark.parametrize(
    "line",
    [
        "ProxyPass /ws/ http://b/ ping=1",
        "ProxyPass /ws/ fcgi://b/",
        "ProxyPassMatch ^/(.*) http://b/$1 interpolate",
        "BalancerMember http://b loadfactor=2",
        "ProxySet lbmethod=bytraffic",
        "Header edit Location a b",
        "RequestHeader set X %{UNIQUE_ID}e",
        "RequestHeader set X y env=z",
        "Require user x",
        "SetEnv proxy-nohalfclose 1",
        'SetEnvIf Request_URI "^/ws" proxy-sendcl=1',
        "HttpProtocolOptions Unsafe",
        "Substitute s/a/b/",
        "RemoteIPHeader X-Forwarded-For",
    ],
)
def test_what_could_matter_and_is_not_known_is_named(line):
    """With its line; and a learner is told nothing of it."""
    found = directives(read(f"\n{line}"))
    with pytest.raises(Unmodelled, match=rf"^line 2: {found[0].name}\b"):
        check(found)
    assert effect(found[0]) == ""


def test_what_is_inside_a_folder_is_of_files():
    """A proxied path lies in none."""
    check(directives(read("<Directory /var/www>\nRequire user x\n</Directory>")))


def test_the_table_names_directives_that_exist():
    """Each is one of httpd's, and each has something to say."""
    assert set(KNOWN) <= {name.lower().lstrip("<") for name in BY_NAME}
    assert all(known.effect or known.told for known in KNOWN.values())
