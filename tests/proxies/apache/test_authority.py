import os
import re
import socket
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from labkit import Apache
from labkit.errors import Refused
from labkit.net.listener import Listener
from labkit.net.programs import find
from labkit.net.real import start
from labkit.net.server import UpgradeServer
from labkit.proxies.apache.authority import begins_with_slash, stays_rooted
from labkit.proxies.apache.reading import every, read
from labkit.proxies.described import Place

PLACE = Place("/lab", 8080, "127.0.0.1:9000")
ON = "RewriteEngine On\n"
LOOSE = "RewriteRule ^/x/(.*) $1\n"

# Measured on 2.4.71: most of these dial another server for a request such as /@127.0.0.1:PORT/. The others may, with
# another version or a few rules more. Beside each, what to write instead.
ASTRAY = [
    ("RewriteRule ^/(.*) http://b$1 [P]", "http://b/$1"),
    ("RewriteRule ^/(.*) ws://b:81$1 [P,L]", "ws://b:81/$1"),
    ("RewriteRule ^/(.*) unix:/s|http://b$1 [P]", "http://b/$1"),
    ("RewriteRule ^/(.*) http://b#$1 [P]", "http://b/$1"),
    ("RewriteRule ^ http://b#@elsewhere/ [P]", "http://b/@elsewhere/"),
    ("RewriteRule ^/a(.*) http://b$1 [P]", "http://b/$1"),
    ("RewriteRule ^/(.*)(/x) http://b$1$2 [P]", "http://b/$1$2"),
    ("RewriteRule ^(/a)?(.*) http://b$1$2 [P]", "http://b/$1$2"),
    ("RewriteRule ^/(.*) http://b?$1 [P,QSL]", "http://b/?$1"),
    ("<Directory />\nRewriteRule ^(.*) http://b$1 [P]\n</Directory>", "http://b/$1"),
    (LOOSE + "RewriteRule ^(.*) http://b$1 [P]", "http://b/$1"),
    (LOOSE + "RewriteRule ^ http://b%{REQUEST_URI} [P]", "http://b/%{REQUEST_URI}"),
    ("RewriteOptions AllowAnyURI\nRewriteRule ^(.*) http://b$1 [P]", "http://b/$1"),
    ("HttpProtocolOptions Unsafe\nRewriteRule ^(.*) http://b$1 [P]", "http://b/$1"),
    ("ProxyPassMatch ^/a/(.*)$ http://b$1", "http://b/$1"),
    ("ProxyPassMatch ^/a/(.*)$ http://b?$1", "http://b/?$1"),
    ("ProxyPassMatch ^/a/ http://b?@elsewhere/", "http://b/?@elsewhere/"),
    ("ProxyPass ~ ^/(.*) http://b$1", "http://b/$1"),
    ("ProxyPass /a http://b?@elsewhere/", "http://b/?@elsewhere/"),
    ("ProxyPass /a http://b#@elsewhere/", "http://b/@elsewhere/"),
    ("ProxyPass / http://b$1", "http://b/$1"),
    ("<LocationMatch ^/a(.*)>\nProxyPass http://b$1\n</LocationMatch>", "http://b/$1"),
    ("<Location ~ ^/a(.*)>\nProxyPass http://b$1\n</Location>", "http://b/$1"),
    ("<Location /a>\nSetHandler proxy:http://b#@elsewhere:80\n</Location>", "http://b/@elsewhere:80"),
    ("BalancerMember balancer://c http://b#@elsewhere", "http://b/@elsewhere"),
]
# These read well, and are not run: the slash that is missing makes the path part of the host.
LACKING = [
    "ProxyPass / http://b",
    "ProxyPass /a/ http://b upgrade=websocket",
    "ProxyPass / http://b nocanon",
    "ProxyPass / http://b${X} interpolate",
    "ProxyPass /${X} http://b interpolate",
    "<Location /a/>\nProxyPass http://b\n</Location>",
]
SAFE = [
    "RewriteRule ^/(.*) http://b/$1 [P]",
    "RewriteRule ^(.*)$ http://b:3000$1 [P]",
    "RewriteRule ^(/.*)?$ http://b$1 [P]",
    "RewriteRule ^/(.*)(/x) http://b$2$1 [P]",
    "RewriteRule ^/a((?:/x|/y).*) http://b$1 [P]",
    "RewriteRule ^ ws://b%{REQUEST_URI} [P]",
    "RewriteRule ^ ws://b%{request_uri}?a [P]",
    "RewriteRule ^/a ws://b [P]",
    "RewriteRule ^/(.*) ws://b?q=$1 [P]",
    "RewriteRule !^/a ws://b$1 [P]",
    "RewriteRule ^/(.*) http://$1.local/ [P]",
    "RewriteRule ^/(.*) http://b$1 [R]",
    "<VirtualHost *:80>\nRewriteRule ^(.*) http://b$1 [P]\n</VirtualHost>",
    "ProxyPassMatch ^/a/(.*)$ http://b/$1",
    "ProxyPassMatch ^/a(/.*)$ http://b$1",
    "ProxyPassMatch ^(.*)$ http://b$1",
    "ProxyPassMatch ^/a http://b",
    "ProxyPass /a http://b",
    "ProxyPass /a http://b nocanon",
    "ProxyPass / http://b/",
    "ProxyPass /a/ !",
    "<Location /a>\nProxyPass http://b\n</Location>",
    "<Location /a/>\nProxyPass http://b/\n</Location>",
    "<LocationMatch ^/a(/.*)>\nProxyPass http://b$1\n</LocationMatch>",
    "<Location /a/>\nSetHandler proxy:http://b\n</Location>",
    "<Proxy balancer://c>\nBalancerMember http://b\n</Proxy>\nProxyPass / balancer://c/",
    "ProxyPassReverse / http://b",
]


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize(("text", "instead"), ASTRAY)
def test_what_a_request_can_lead_astray_is_refused(text, instead, keep):
    """The error names the line and the directive, says why, and what to write."""
    text = text.replace("://b", "://localhost") if keep else text
    with pytest.raises(Refused) as caught:
        Apache(ON + text, keep_upstreams=keep, allow=["RewriteRule", "/s"])
    lines = (ON + text).splitlines()
    number = next(at for at, line in enumerate(lines, 1) if line.split()[-1] not in ("$1", "On") and "://" in line)
    name = lines[number - 1].split()[0]
    assert str(caught.value).startswith(f"line {number}: {name}: the path of a request runs on from the host")
    assert str(caught.value).endswith(f"; write {instead.replace('://b', '://localhost') if keep else instead}")


@pytest.mark.parametrize("text", LACKING)
def test_a_slash_that_is_missing_is_told_and_not_run(text):
    """The reader takes it, for it is a mistake that people make and the model explains; it is not run for real."""
    site = Apache(text)
    (note,) = (each for each in site.notes if "runs on from the host" in each.why)
    assert note.why.endswith("write http://b/, or it is not run for real") or "${X}" in text
    with pytest.raises(Refused, match=r"^line [12]: ProxyPass: .*so the lab does not run it; write http://b"):
        site.completed(PLACE)


@pytest.mark.parametrize("text", SAFE)
def test_what_no_request_can_lead_astray_is_taken(text):
    """A slash behind the host, or what begins with one in any case."""
    assert Apache(ON + text).completed(PLACE)


@pytest.mark.skipif(not find("apache2") and not os.environ.get("CI"), reason="needs apache2")
def test_what_is_taken_dials_the_lab_alone():
    """For real: no path that names another server in any of these places reaches that one, by socket or without."""
    paths = ("/{}/", "/a{}/", "/a/{}/", "/x{}", "/x/{}/x", "/a/x?{}/", "/?{}/?x", "/a?/{}/")
    for at, text in enumerate(SAFE):
        with UpgradeServer(ignore=True) as lab, UpgradeServer(ignore=True) as other:
            with start(Apache(ON + text), f"127.0.0.1:{lab.port}", listens=at % 2 == 0) as started:
                for path in paths:
                    _ask(started.port, path.format(f"@127.0.0.1:{other.port}"))
            assert not _reached(other), text


def _ask(port: int, path: str) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
        assert client.recv(12).startswith(b"HTTP/1.1 ")


def _reached(other: Listener) -> bool:
    time.sleep(0.02)
    return bool(other.recordings)


@pytest.mark.parametrize(
    ("pattern", "number", "expected"),
    [
        ("^/a(/.*)", 1, True),
        (r"^/a(\/.*)", 1, True),
        ("^/a(/?.*)", 1, False),
        ("^/a(/*)", 1, False),
        ("^/a(/{0}x)", 1, False),
        ("(/a|/b)", 1, True),
        ("(/a|b)", 1, False),
        ("(/a|)", 1, False),
        ("((/a)|(?:/b))", 1, True),
        ("((/a)?x)", 1, False),
        ("((?=/)x)", 1, False),
        ("()", 1, False),
        ("[(](/a)", 1, True),
        ("[]()](/a)", 1, True),
        ("[^])](/a)", 1, True),
        ("[[:alpha:])](/a)", 1, True),
        (r"\((/a)", 1, True),
        (r"[\]](x)(/a)", 2, True),
        ("(x)(/a)", 3, False),
        ("^/a|/b", 0, True),
        ("a", 0, False),
        ("(?i)(/a)", 1, False),
        ("(?<n>x)(/a)", 1, False),
        ("(?|(/a)|(b))", 1, False),
        (r"\Q(\E(/a)", 1, False),
        (r"\c((/a)(x)", 2, False),
        ("(/ ?a)", 1, False),
        ("(" * 100 + "/a", 1, False),
        ("(/a)" + "x" * 1000, 1, False),
        ("(/a", 1, True),
        ("[", 1, False),
        ("\\", 1, False),
        ("^(.*)", 1, False),
    ],
)
def test_a_group_that_begins_with_a_slash_is_known(pattern, number, expected):
    """Only what is sure is: no expression that may capture something else is taken for one that does not."""
    assert begins_with_slash(pattern, number) is expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("^(.*)$", True), ("^(.)*", False), ("^(.)+", False), ("^(.){2}", False), ("(.*)", False), ("^(x)?", True)],
)
def test_a_group_at_the_beginning_of_a_path_begins_with_its_slash(pattern, expected):
    """A path begins with a slash, so what is captured from its beginning does, unless it is captured again further on."""
    assert begins_with_slash(pattern, 1, rooted=True) is expected


_PIECES = st.lists(
    st.sampled_from(
        ["/", "a", "(", "(?:", ")", "|", "?", "*", "+", "^", "$", ".", "[", "]", "[^/]", "\\/", "\\(", "{0,1}"]
    ),
    max_size=12,
).map("".join)


@example("^((.)|/)x", "/ax", 2)
@given(_PIECES, st.text("/ax(", max_size=8), st.integers(0, 3))
def test_what_is_known_of_a_group_is_so(pattern, subject, number):
    """Held against Python's own expressions, which do not differ here."""
    try:
        compiled = re.compile(pattern)
    except (re.error, FutureWarning):  # no expression, or one that may mean something else some day
        return
    for rooted, held in ((False, subject), (True, f"/{subject}")):
        if begins_with_slash(pattern, number, rooted=rooted):
            for found in (compiled.search(held), compiled.match(held)):
                assert not found or not found[number] or found[number].startswith("/"), (pattern, held)


@pytest.mark.parametrize(
    ("text", "rooted"),
    [
        ("RewriteRule ^/a - [F]", True),
        ("RewriteRule ^/a /b [PT]", True),
        ("RewriteRule ^/a https://b/ [R]", True),
        ("RewriteRule ^/a/(.*) $1 [PT]", False),
        ("<VirtualHost *>\nRewriteRule ^/a b\n</VirtualHost>", False),
        ("RewriteRule ^/a b", False),
        ("RewriteOptions Inherit", True),
        ("RewriteOptions Inherit AllowAnyURI", False),
        ("HttpProtocolOptions strict", True),
        ("RewriteRule", True),
    ],
)
def test_whether_paths_stay_rooted(text, rooted):
    """A rule may leave a path without its first slash, and some options let one in that never had any."""
    assert stays_rooted(every(read(text))) is rooted
