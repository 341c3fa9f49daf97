"""What the real nginx makes of completed configurations: whether it takes them, and what a backend sees."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from labkit.proxies.nginx import Nginx
from tests.proxies.nginx.real import SITES, looked_over, needs_nginx, running

pytestmark = needs_nginx
SITE = {each.stem: each.read_text() for each in SITES}


@pytest.mark.parametrize("name", SITE)
def test_nginx_takes_every_site(name, tmp_path):
    """The real program finds nothing wrong with any of the completed site files, and warns of nothing."""
    done = looked_over(tmp_path, Nginx(SITE[name]))
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another user")
def test_nginx_takes_it_without_privileges():
    """What root can start, any user can."""
    with TemporaryDirectory() as folder:  # nobody else can enter pytest's
        shutil.chown(folder, 65534, 65534)
        done = looked_over(Path(folder), Nginx(SITE["certbot"]), user=65534, group=65534, extra_groups=[])
    assert done.returncode == 0, done.stderr


def test_the_documents_block_sends_its_own_host():
    """The backend sees the upstream's name as Host; a path without its slash is redirected without a port."""
    with running(SITE["seed"]) as nginx:
        seen = nginx.seen("/ws/a", "Upgrade: websocket", "Connection: Upgrade")
        assert seen == {
            "": "GET /ws/a HTTP/1.1", "host": "websocket_backend", "upgrade": "websocket", "connection": "upgrade",
        }  # fmt: skip
        assert "\r\nLocation: http://example.com/ws/\r\n" in nginx.ask("/ws")
        assert nginx.ask("/nope").startswith("HTTP/1.1 404 ")


@pytest.mark.parametrize(
    ("path", "first", "host"),
    [
        ("/pool", "GET /pool", "pages:8081"),
        ("/target/x", "GET /base", "internal.example"),
        ("/plain", "GET /plain", "10.1.2.3"),
        ("/port/x", "GET /base/x", "10.1.2.3:8000"),
        ("/six", "GET /six", "[2001:db8::1]:8080"),
        ("/file/x", "GET /inside//x", "localhost"),
        ("/tls", "GET /tls", "secure.example"),
        ("/tls8443", "GET /tls8443", "secure.example:8443"),
        ("/by/ann/x", "GET /x", "ann.workers.local:9000"),
        ("/scheme", "GET /scheme", "sockets"),
        ("/usual?a", "GET /usual?a", "10.1.2.4"),
        ("/asked", "GET /asked", "asked:1"),
        ("/if", "GET /if", "two:2"),
    ],
)
def test_host_is_what_nginx_would_send(path, first, host):
    """Names, names with ports, addresses, sockets, TLS and variables: each proxy_pass keeps its Host and its path."""
    with running(SITE["branches"]) as nginx:
        seen = nginx.seen(path, host="app.example")
        assert (seen[""].removesuffix(" HTTP/1.0"), seen["host"]) == (first, host)


def test_values_decide_where_a_request_goes():
    """Variables of a map and conditions still choose, and $proxy_host says what was chosen."""
    with running(SITE["branches"]) as nginx:
        assert nginx.seen("/pool", "Upgrade: websocket")["host"] == "sockets"
        assert nginx.seen("/if", "Upgrade: websocket")["host"] == "one:1"
        assert nginx.seen("/target/x", "Upgrade: websocket")["x-to"] == "127.0.0.1:6001"
        assert nginx.ask("/php").startswith("HTTP/1.1 502 ")
        assert nginx.ask("/static/x").startswith("HTTP/1.1 404 ")


@pytest.mark.parametrize(
    ("sent", "got"),
    [
        ("http://10.1.2.3:8000/base/login", "http://example.com/port/login"),
        ("http://other/login", "http://other/login"),
    ],
)
def test_redirects_of_the_backend_are_rewritten_as_ever(sent, got):
    """`proxy_redirect default` takes the written name out of a Location, not the lab's."""
    text = "port_in_redirect off; location /port/ { proxy_pass http://10.1.2.3:8000/base/; }"
    with running(text) as nginx:
        nginx.backend.answer = (
            f"HTTP/1.1 302 Found\r\nLocation: {sent}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
        )
        assert f"\r\nLocation: {got}\r\n" in nginx.ask("/port/x")


def test_plain_service_of_a_tls_server_tells_https():
    """Behind the door of a TLS server the backend sees https and 443, and nothing redirects in a circle."""
    text = """server { listen 80; listen 443 ssl; server_name a.example;
        if ($scheme != "https") { return 301 https://$host$request_uri; }
        location / { proxy_pass http://app:3000; proxy_set_header X-Forwarded-Proto $scheme;
                     proxy_set_header X-Port ${server_port}; proxy_set_header X-Tls "$https"; } }"""
    with running(text) as nginx:
        seen = nginx.seen("/")
        assert (seen["x-forwarded-proto"], seen["x-port"], seen["x-tls"]) == ("https", "443", "on")
        assert seen["host"] == "app:3000"
        (other,) = nginx.place.spare
        assert "\r\nLocation: https://example.com/\r\n" in nginx.ask("/", port=other)


@pytest.mark.parametrize("name", sorted(set(SITE) - {"seed", "branches", "nginx-proxy"}))
def test_an_upgrade_reaches_the_backend_of_every_site(name):
    """Through each site file the backend is asked for the upgrade that the file is for."""
    paths = {"certbot": "/ws/", "debian": "/live/x", "compose": "/socket", "jupyterhub": "/user/a/terminals/websocket"}
    paths |= {"grafana": "/grafana/api/live/ws", "socketio": "/socket.io/"}
    with running(SITE[name]) as nginx:
        seen = nginx.seen(paths[name], "Upgrade: websocket", "Connection: Upgrade")
        assert (seen["upgrade"], seen["connection"].lower()) == ("websocket", "upgrade")


def test_a_generated_site_chooses_by_host():
    """In front of containers the name decides: another one is answered 503."""
    with running(SITE["nginx-proxy"]) as nginx:
        assert nginx.ask("/").startswith("HTTP/1.1 503 ")
        seen = nginx.seen("/", "Upgrade: websocket", host="whoami.example.com")
        assert (seen["x-forwarded-proto"], seen["x-forwarded-port"], seen["x-forwarded-ssl"]) == ("https", "443", "on")


def test_a_cache_is_kept_in_the_private_folder():
    """A cache works, in the folder that goes away."""
    text = "proxy_cache_path /var/cache/x keys_zone=a:1m; server { location / { proxy_cache a; proxy_pass http://b; } }"
    with running(text) as nginx:
        assert nginx.seen("/")["host"] == "b"
        assert Path(nginx.place.folder, "cache_1").is_dir()
