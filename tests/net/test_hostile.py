"""Texts that try to lead a real program astray: to another address, to another file, to another program."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from labkit.cli import main
from labkit.errors import LabError, Refused, WrongUse
from labkit.net.programs import find
from labkit.net.real import start
from labkit.net.run import run
from labkit.net.server import UpgradeServer
from labkit.proxies.apache import Apache
from labkit.proxies.caddy import Caddy
from labkit.proxies.described import Place, Proxy
from labkit.proxies.haproxy import Haproxy
from labkit.proxies.haproxy_lines import joined
from labkit.proxies.nginx import Nginx
from labkit.scenario import Scenario
from labkit.simulation import simulate


class Elsewhere:
    """A place that is none of the lab's: it notes who comes."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.place = f"127.0.0.9:{listener.getsockname()[1]}"
        self.came = 0

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                with closing(self.listener.accept()[0]) as there:
                    self.came += 1
                    there.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nelsewhere")


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    """Listen at another address of loopback, in the place of the world."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.9", 0))
        listener.listen()
        there = Elsewhere(listener)
        serving = threading.Thread(target=there.serve)
        serving.start()
        yield there
        listener.shutdown(socket.SHUT_RDWR)
        serving.join(5)


def through(proxy: Proxy, target: str = "/") -> bytes:
    """Start the program of a proxy, ask it for something, and return its answer."""
    if not find(proxy.program):
        pytest.skip(f"{proxy.program} is not on this machine")
    with (
        UpgradeServer() as server,
        start(proxy, f"127.0.0.1:{server.port}") as started,
        socket.create_connection(("127.0.0.1", started.port), 5) as client,
    ):
        client.sendall(f"GET {target} HTTP/1.1\r\nHost: lab.example\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: client.recv(65536), b""))


@pytest.mark.parametrize("value", ["it's", r"a\.b \x41", 'say "x" $HOME #1', r"tail\\"])
def test_haproxy_reads_what_is_written(value: str):
    """HAProxy answers with the very words that it was given."""
    line = joined(["http-request", "return", "status", "200", "content-type", "text/plain", "string", value])
    assert through(Haproxy(f"listen l\n bind :80\n {line}\n server s a:1")).endswith(value.encode())


@pytest.mark.parametrize(
    "text", ["listen l\n bind :80\n dispatch {}", "server s a:1 socks4 {}", "listen l\n bind :80\n dispatch '{}'"]
)
def test_haproxy_does_not_go_elsewhere(text: str, elsewhere: Elsewhere):
    """No line of HAProxy's leads past the lab's server."""
    assert through(Haproxy(text.format(elsewhere.place))).startswith(b"HTTP/1.1 200 OK")
    assert not elsewhere.came


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("location /x {{ set $b app; return 200; }} location ~ \"^/y(?'b'.*)$\" {{ proxy_pass http://$b; }}", "/y{}"),
        (
            "map $arg_x $b {{ default app; ranges {}; }} server {{ location / {{ proxy_pass http://$b; }} }}",
            "/?x=ranges",
        ),
        ("location / {{ proxy_pass http://1$args; }}", "/?{tail}"),
        (
            "geo $b {{ default app; 127.0.0.1 {}; proxy 127.0.0.1; }} server {{ location / {{ proxy_pass http://$b; }} }}",
            "/",
        ),
    ],
)
def test_nginx_does_not_go_elsewhere(text: str, target: str, elsewhere: Elsewhere):
    """Neither a capture nor a value that looks like a setting leads nginx past the lab's server."""
    site = Nginx(text.format(elsewhere.place))
    assert through(site, target.format(elsewhere.place, tail=elsewhere.place[1:])).startswith(b"HTTP/1.1 200 OK")
    assert not elsewhere.came


@pytest.mark.parametrize(
    "text",
    [
        "location / { set $lab_upstream_1 192.0.2.1; proxy_pass http://$arg_x; }",
        "location ~ /(?<lab_upstream_1>.*) { proxy_pass http://$arg_x; }",
        "location / { set $b http://1; proxy_pass $b$args; }",
    ],
)
def test_nginx_is_not_told_where_the_lab_is(text: str):
    """The lab's own variables are given their values by the lab alone, and no query makes half of an address."""
    with pytest.raises(LabError, match=r"line 1: .*(the lab's own|leads where)"):
        Nginx(text)


def test_nginx_dials_from_loopback():
    """Whatever it might be led to, the system lets nobody off this machine who comes from 127.0.0.1."""
    assert "\n    proxy_bind 127.0.0.1;" in Nginx("location / { proxy_pass http://a; }").completed(
        Place("/f", 1, "127.0.0.1:2")
    )


@pytest.mark.parametrize(
    "text",
    [
        "<Proxy balancer://x>\nBalancerMember loadfactor=1 http://{}\n</Proxy>\nProxyPass / balancer://x/",
        "BalancerMember balancer://x loadfactor=1 http://{}\nProxyPass / balancer://x/",
    ],
)
def test_apache_does_not_go_elsewhere(text: str, elsewhere: Elsewhere):
    """Parameters before a member's address do not lead Apache past the lab's server."""
    assert through(Apache(text.format(elsewhere.place))).startswith(b"HTTP/1.1 200 OK")
    assert not elsewhere.came


@pytest.mark.parametrize("flag", ["H=%1", "T=$1", "handler=%{HTTP:X}"])
def test_no_client_chooses_the_handler_of_apache(flag: str):
    """A handler that is made of what a client sends could be proxy:http://elsewhere."""
    with pytest.raises(Refused, match="line 2: RewriteRule: what a client sends chooses the handler"):
        Apache(f"RewriteEngine On\nRewriteRule ^ - [{flag}]\nProxyPass / http://a/")


@pytest.mark.parametrize(
    "lines",
    [
        '<Location "/">\nRequire all granted\n</Location>\nRewriteRule ^/x(.*) /etc$1 [L]',
        '<DirectoryMatch "^/etc">\nRequire all granted\n</DirectoryMatch>\nRewriteRule ^/x(.*) /etc$1 [L]',
        "<If true>\nRequire all granted\n</If>\nRewriteRule ^/x(.*) %{DOCUMENT_ROOT}/../../../../etc$1 [L]",
        "<Location />\nSatisfy any\nAllow from all\n</Location>\nRewriteRule ^/x(.*) /etc$1 [L]",
    ],
)
@pytest.mark.parametrize("host", ["{}", "<VirtualHost *:80>\n{}\n</VirtualHost>"])
def test_apache_reads_no_file_elsewhere(lines: str, host: str):
    """Whatever is granted, no rule leads Apache to a file outside of its folder."""
    site = Apache(host.format(f"RewriteEngine On\n{lines}\nProxyPass /ws http://a/"))
    assert b"root:" not in through(site, "/x/passwd")


@pytest.mark.parametrize("odd", [None, 3, [], Nginx])
def test_what_is_no_scenario_is_told(odd: object):
    """An odd argument is one line, and no traceback."""
    for play in (simulate, run):
        with pytest.raises(WrongUse, match="is a Scenario, not"):
            play(odd)
    with pytest.raises(WrongUse, match='proxies is "real" or "model"'):
        run(Scenario(), proxies=odd)


@pytest.mark.parametrize(
    "proxy",
    [
        Haproxy("server s a:1 cookie '\x1b[31m'\nlog x\x1b]0;t\x07"),
        Caddy("reverse_proxy a\x1b[31m"),
        Apache("ProxyPass / http://a\x1b[31m/"),
    ],
)
def test_no_text_speaks_to_the_terminal(proxy: Proxy):
    """What the lab notes of a text has nothing in it that a terminal would act on."""
    assert all(str(note).isprintable() for note in proxy.notes)


def test_no_error_speaks_to_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Nor has an error of the command line."""
    file = tmp_path / "a\x1b[31m"
    file.mkdir()
    assert main(["draw", str(file)]) == 2
    assert "\x1b" not in capsys.readouterr().err
