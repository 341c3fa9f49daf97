from __future__ import annotations

import pytest

from labkit.parties.offer import Offer
from labkit.proxies.apache.mapping import alias_length
from tests.proxies.apache.through import HTTP, WSTUNNEL, raw, through

LOCATIONS = """
<Location /ws/>
ProxyPass http://b/l/ upgrade=websocket
</Location>
<Location /ws/deep>
ProxyPass http://b/d
</Location>
<LocationMatch ^/lm/(.*)$>
ProxyPass http://b/lm/$1
</LocationMatch>
ProxyPass /ws/ http://b/other/
"""
REWRITE = r"""
RewriteEngine On
RewriteCond %{HTTP:Upgrade} =websocket [NC]
RewriteRule /ws/(.*) ws://b/$1 [P,L]
RewriteCond %{HTTP:Upgrade} !=websocket [NC]
RewriteRule /ws/(.*) http://b/h/$1 [P,L]
RewriteRule ^/red http://elsewhere/x [R=301,L]
RewriteRule ^/loc$ /there [R]
RewriteRule ^/f - [F]
RewriteRule ^/g - [G]
RewriteRule ^/t/(.*) /pt/$1 [PT]
ProxyPass /pt/ http://b/through/
"""
# Measured on 2.4.71: the request-target that the backend saw, or the status of Apache's own answer.
PATHS = [
    ("ProxyPass / http://b/a/\nProxyPass /ws/ http://b/c/", "/ws/x", "/a/ws/x"),
    ("ProxyPass /ws/ http://b/\nProxyPass / http://b/q/", "/ws/x", "/x"),
    ("ProxyPass /ws/no !\nProxyPass /ws/ http://b/", "/ws/no/x", 404),
    ("ProxyPass /ws/no !\nProxyPass /ws/ http://b/", "/ws/nox", "/nox"),
    ("ProxyPass /q http://b/q?a=b", "/q?c=d", "/q%3Fa=b?c=d"),
    ("ProxyPass /ws http://b/", "/ws", "/"),
    ("ProxyPass /ws http://b/", "/ws/x", "//x"),
    ("ProxyPass /ws http://b/", "/wsx", 404),
    ("ProxyPass /ws/ http://b/", "/ws", 404),
    ("ProxyPass /t/ http://b", "/t/x", 500),
    ("ProxyPass /p http://b/p", "/p/x?y", "/p/x?y"),
    ("ProxyPassMatch ^/ws/(.*)$ http://b/m/$1", "/ws/a%20b?y", "/m/a%20b?y"),
    ("ProxyPassMatch ^/g/ http://b", "/g/h", "/g/h"),
    ("ProxyPass /ws/ http://b/", "/ws//x/../%2e/y%3fz%41", "/y%3FzA"),
    ("ProxyPass /ws/ http://b/", "//ws//x", "/x"),
    ("ProxyPass /ws/ http://b/", "/ws/a%2fb", 404),
    ("ProxyPass /ws/ http://b/", "/ws/%zz", 400),
    ("ProxyPass /ws/ http://b/", "/ws/../../x", 400),
    ("AllowEncodedSlashes NoDecode\nProxyPass /ws/ http://b/", "/ws/a%2Fb%20c", "/a%2Fb%20c"),
    ("AllowEncodedSlashes On\nProxyPass /ws/ http://b/", "/ws/a%2Fb%20c", "/a/b%20c"),
    ("ProxyPass /ws/ http://b/ nocanon", "/ws/a%20b?q", "/a%20b?q"),
    (LOCATIONS, "/ws/x", "/l/x"),
    (LOCATIONS, "/ws/deep/x", "/d/x"),
    (LOCATIONS, "/ws/deeper", "/l/deeper"),
    (LOCATIONS, "/lm/x", "/lm/x"),
    (LOCATIONS, "/ws", 404),
    (REWRITE, "/ws/x?y=1", "/h/x?y=1"),
    (REWRITE, "/xx/ws/q", "/h/q"),
    (REWRITE, "/red?q", 301),
    (REWRITE, "/loc", 302),
    (REWRITE, "/f", 403),
    (REWRITE, "/g", 410),
    (REWRITE, "/t/x", "/through/x"),
    (REWRITE, "/ws/a%3fb", 403),
    ("Redirect permanent /old https://new.example/n\nProxyPass /ws/ http://b/", "/old/x?y", 301),
    ("Redirect 410 /gone\nProxyPass /ws/ http://b/", "/gone", 410),
    ("RedirectMatch ^/rm/(.*) http://x/$1\nProxyPass /ws/ http://b/", "/rm/z", 302),
    ("<Location /ws/>\nRequire all denied\n</Location>\nProxyPass /ws/ http://b/", "/ws/x", 403),
]


@pytest.mark.parametrize(("text", "target", "expected"), PATHS)
def test_a_path_goes_where_it_was_measured_to_go(text, target, expected):
    """The first that fits counts; slashes are as they are written."""
    came = through(text, raw(target, "Host: a"), modules=HTTP)
    assert (came.target or came.statuses[-1]) == expected


@pytest.mark.parametrize(
    ("text", "target", "location"),
    [
        (REWRITE, "/red?q", "http://elsewhere/x?q"),
        (REWRITE, "/loc?q", "http://a/there?q"),
        ("Redirect /o2 /there\nProxyPass /ws/ http://b/", "/o2", "http://a/there"),
        ("Redirect permanent /old https://n.example/n\nProxyPass /w http://b/", "/old/x?y", "https://n.example/n/x?y"),
    ],
)
def test_a_redirect_is_a_url(text, target, location):
    """A path is given the name that the client used."""
    assert through(text, raw(target, "Host: a"), modules=HTTP).fields["location"] == location


SHARED = "ProxyPass / http://b/\nProxyPass /ws/ http://b/ws/ upgrade=websocket"
APART = "ProxyPass /ws/ http://b/ws/ upgrade=websocket\nProxyPass / http://b/"
SAME = "ProxyPass /ws/ http://b/ upgrade=websocket\nProxyPass / http://b/"


@pytest.mark.parametrize(
    ("text", "path", "connection"),
    [
        (SHARED, "/ws/x", "Keep-Alive"),
        (APART, "/ws/x", "Upgrade"),
        (APART, "/y", "Keep-Alive"),
        (SAME, "/y", "Upgrade"),
    ],
)
def test_a_shared_worker_ignores_the_second_upgrade(text, path, connection):
    """AH01146: two ProxyPass to one backend share a worker where the first URL begins the second."""
    assert through(text, Offer.websocket(path), modules=HTTP).sent["connection"] == connection


def test_the_idiom_with_rewrite_tells_upgrades_apart():
    """Upgrades go to ws://, everything else to http://."""
    assert through(REWRITE, Offer.websocket("/ws/x?y=1")).target == "/x?y=1"
    assert through(REWRITE, Offer.plain("/ws/x")).sent["connection"] == "close"  # no worker is kept for it


def test_wstunnel_leaves_what_is_no_upgrade_to_the_next():
    """With [P] there is no next, and the answer is 426."""
    two = "ProxyWebsocketFallbackToProxyHttp Off\nProxyPass /ws/ ws://b/\nProxyPass / http://b/other/"
    assert through(two, Offer.plain("/ws/x")).target == "/other/ws/x"
    rule = "RewriteEngine On\nRewriteRule /ws/(.*) ws://b/$1 [P]"
    assert through(rule, Offer.plain("/ws/x"), modules=WSTUNNEL).statuses == (426,)


BALANCER = """
<Proxy balancer://c>
BalancerMember ws://b1/m
BalancerMember ws://b2/n
</Proxy>
ProxyPass /ws/ balancer://c/q/
"""


def test_a_balancer_takes_turns():
    """The first request goes to the first member, the second to the second."""
    twice = Offer.of_bytes(b"GET /ws/x HTTP/1.1\r\nHost: a\r\n\r\n" * 2)
    assert [each.first.split(" ")[1] for each in through(BALANCER, twice).seen] == ["/m/q/x", "/n/q/x"]
    assert through(BALANCER, Offer.websocket("/ws/x")).statuses == (101,)


HOSTS = """
<VirtualHost *:80>
ProxyPass /ws/ http://b/1/
</VirtualHost>
<VirtualHost *:80>
ServerName b.example
ServerAlias *.c.example d
ProxyPass /ws/ http://b/2/
</VirtualHost>
ProxyPass /m/ http://b/main/
"""


@pytest.mark.parametrize(
    ("host", "target", "server"),
    [
        ("zz", "/1/x", "localhost"),
        ("B.example:99", "/2/x", "b.example"),
        ("x.C.example", "/2/x", "b.example"),
        ("d.", "/2/x", "b.example"),
    ],
)
def test_the_virtual_host_is_the_first_of_that_name_else_the_first(host, target, server):
    """Without a ServerName of its own it has the main server's."""
    came = through(HOSTS, raw("/ws/x", f"Host: {host}"), modules=HTTP)
    assert (came.target, came.sent["x-forwarded-server"]) == (target, server)


def test_a_virtual_host_has_the_main_server_s_paths_too():
    """They come first."""
    assert through(HOSTS, raw("/m/x", "Host: d"), modules=HTTP).target == "/main/x"


@pytest.mark.parametrize(
    ("path", "fake", "length"),
    [("/a//b/c", "/a/b", 5), ("/a/b", "/a/b/", 0), ("/ab", "/a", 0), ("/a", "/a", 2), ("/", "", 0)],
)
def test_a_prefix_is_compared_by_segments(path, fake, length):
    """Slashes match in any number."""
    assert alias_length(path, fake) == length
