from __future__ import annotations

import pytest

from labkit.parties.described import Server
from labkit.proxies.apache import Apache
from labkit.proxies.model import Fate, Own, Request
from labkit.wire.fields import Fields
from labkit.wire.http1 import RequestHead
from tests.proxies.apache.through import FULL, HTTP, UPGRADE, WSTUNNEL, raw, through

HOPS = (
    "Host: a", "TE: trailers", "Keep-Alive: 5", "Trailer: x", "Proxy-Connection: x", "Proxy-Authorization: x",
    "X-Forwarded-For: 1.1.1.1", "Via: 1.0 z", "Connection: x-a, keep-alive", "X-A: b", "Cookie: a=b", "X: 1", "X: 2",
)  # fmt: skip


def test_what_goes_upstream_is_as_measured():
    """Hop-by-hop fields and those that Connection names are dropped, lines of one name joined."""
    assert through(UPGRADE, raw("/ws/x", *HOPS), modules=HTTP).sent == {
        "connection": "Keep-Alive", "cookie": "a=b", "host": "backend.example.com", "proxy-authorization": "x",
        "via": "1.0 z", "x": "1, 2", "x-forwarded-for": "1.1.1.1, 127.0.0.1", "x-forwarded-host": "a",
        "x-forwarded-server": "localhost",
    }  # fmt: skip


# Measured: the directives, the request's own lines, the field that the backend saw, and its value.
SENT = [
    ("", ("Host: a",), "host", "backend.example.com"),
    ("ProxyPreserveHost On", ("Host: a.b",), "host", "a.b"),
    ("ProxyPreserveHost On\nServerName example.com", (), "host", "example.com"),
    ("ProxyAddHeaders Off", ("Host: a",), "x-forwarded-for", None),
    ("", (), "x-forwarded-host", None),
    ("ServerName example.com", ("Host: a",), "x-forwarded-server", "example.com"),
    ("ProxyVia On\nServerName example.com", ("Host: a", "Via: 1.0 q"), "via", "1.0 q, 1.0 example.com"),
    ("ProxyVia Full\nServerName example.com", ("Host: a",), "via", "1.0 example.com (Apache/2.4.71)"),
    ("ProxyVia Block", ("Host: a", "Via: 1.0 q"), "via", None),
    ('RequestHeader set X-Forwarded-Proto "https"', ("Host: a",), "x-forwarded-proto", "https"),
    ("RequestHeader unset Cookie", ("Host: a", "Cookie: c"), "cookie", None),
    ("RequestHeader append X b", ("Host: a", "X: a"), "x", "a, b"),
    ("RequestHeader set Host q", ("Host: a",), "x-forwarded-host", "q"),
    ('RequestHeader set X "%{REMOTE_ADDR}s"', ("Host: a",), "x", "(null)"),
    ("RequestHeader set X expr=%{REQUEST_SCHEME}", ("Host: a",), "x", "http"),
    ("RequestHeader set Connection Upgrade", ("Host: a",), "connection", "Keep-Alive"),
    ("SetEnv proxy-nokeepalive 1", ("Host: a",), "connection", "close"),
    ("SetEnv force-proxy-request-1.0 1", ("Host: a",), "connection", None),
    ("", ("Host: a", "Max-Forwards: 3"), "max-forwards", "2"),
]


@pytest.mark.parametrize(("lines", "own", "name", "value"), SENT)
def test_a_field_goes_upstream_as_measured(lines, own, name, value):
    """Asked in HTTP/1.0, which does without a Host."""
    came = through(f"{lines}\n{UPGRADE}", raw("/ws/x", *own, version="HTTP/1.0"), modules=HTTP)
    assert came.sent.get(name) == value


def test_an_old_request_is_no_upgrade():
    """force-proxy-request-1.0 sends HTTP/1.0, and takes Upgrade off."""
    came = through(f"SetEnv force-proxy-request-1.0 1\n{UPGRADE}", FULL, Server(ignore=True), HTTP)
    assert came.seen[0].first == "GET /x HTTP/1.0"
    assert "upgrade" not in came.sent


def test_an_upgrade_can_be_asked_for_by_the_proxy():
    """RequestHeader runs before mod_proxy_http looks at Upgrade; the 101 is then the client's to understand."""
    came = through(f"RequestHeader set Upgrade websocket\n{UPGRADE}", raw("/ws/x", "Host: a"), modules=HTTP)
    assert (came.sent["upgrade"], came.sent["connection"]) == ("websocket", "Upgrade")


@pytest.mark.parametrize(
    ("framing", "content"),
    [("Content-Length: 5", b"hello"), ("Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n")],
)
def test_short_content_goes_on_with_its_length(framing, content):
    """Chunks too, as long as they fit into 16 KiB."""
    data = raw("/ws/x", "Host: a", framing, method="POST").to_bytes() + content
    assert through(UPGRADE, raw("/ws/x").of_bytes(data), modules=HTTP).sent["content-length"] == "5"


def account(text, modules=None):
    """Return what became of each line of an opening handshake."""
    head = RequestHead("GET", "/ws/x", Fields((*FULL.fields, ("TE", "x"))))
    forward = Apache(text, modules=modules).model().route(Request(head))
    assert not isinstance(forward, Own)
    return {change.name: change for change in forward.changes}


def test_each_line_is_accounted_for():
    """With the directive that did it, and its line."""
    found = account(f"RequestHeader unset Sec-WebSocket-Version\n{UPGRADE}", HTTP)
    fates = {name: change.fate for name, change in found.items()}
    assert fates == {
        "Host": Fate.REWRITTEN, "Upgrade": Fate.FORWARDED, "Connection": Fate.FORWARDED, "TE": Fate.DROPPED,
        "Sec-WebSocket-Key": Fate.FORWARDED, "Sec-WebSocket-Version": Fate.DROPPED, "X-Forwarded-For": Fate.ADDED,
        "X-Forwarded-Host": Fate.ADDED, "X-Forwarded-Server": Fate.ADDED,
    }  # fmt: skip
    assert (found["Sec-WebSocket-Version"].by, found["Sec-WebSocket-Version"].line) == (
        "RequestHeader unset Sec-WebSocket-Version",
        1,
    )
    assert found["Upgrade"].line == 2
    assert "ProxyPreserveHost Off" in found["Host"].by


def test_wstunnel_writes_its_own_upgrade():
    """And says so."""
    found = account("ProxyPass /ws/ ws://b/", WSTUNNEL)["Upgrade"]
    assert (found.fate, found.went) == (Fate.REWRITTEN, "WebSocket")
    assert "mod_proxy_wstunnel writes these itself" in found.by
