"""httpd itself: what the reader makes of a text is what httpd makes of it, and what is completed runs."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from labkit import Apache
from labkit.net.process import run_child
from labkit.net.programs import find, is_root
from labkit.net.proxy_programs import built_in, modules
from labkit.net.real import start
from labkit.proxies.apache.directives import PROVEN
from labkit.proxies.apache.reading import words
from labkit.proxies.described import Place

pytestmark = pytest.mark.skipif(not find("apache2") and not os.environ.get("CI"), reason="needs apache2")

SITES = sorted((Path(__file__).parents[1] / "sites" / "apache").glob("*.conf"))
FULL = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nyes"
SEED = (
    'ProxyPass "/ws/" "ws://websocketserver.example.com/"\nProxyPassReverse "/ws/" "ws://websocketserver.example.com/"'
)


class Upstream:
    """A server that switches whoever asks for it, echoes, and keeps the heads that it saw."""

    def __init__(self, listener: socket.socket) -> None:
        self.heads: list[str] = []
        self.listener = listener
        self.listener.settimeout(10)
        self.listener.listen()
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                with connection, contextlib.suppress(OSError):
                    connection.settimeout(5)
                    self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            more = connection.recv(1)
            if not more:
                return
            head += more
        self.heads.append(head.decode("latin-1"))
        if "\nUpgrade:" not in self.heads[-1]:
            connection.sendall(PAGE)
            return
        connection.sendall(SWITCH)
        connection.sendall(connection.recv(100))

    def field(self, name: str) -> str:
        """Return a field of the last head."""
        found = re.search(rf"^{name}: (.*)\r$", self.heads[-1], re.MULTILINE | re.IGNORECASE)
        return found[1] if found else ""


@contextmanager
def upstream() -> Iterator[Upstream]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = Upstream(listener)
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            server.thread.join(10)


def ask(port: int, path: str, more: str = FULL, host: str = "example.com") -> str:
    """Ask, say hello in the tunnel if there is one, and return all that came."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n".encode())
        data = client.recv(65536)
        if data.startswith(b"HTTP/1.1 101"):
            client.sendall(b"hello")
            while not data.endswith(b"hello") and (part := client.recv(100)):
                data += part
    return data.decode("latin-1")


@contextmanager
def running(text: str, *, by_socket: bool = True, **more) -> Iterator[tuple[int, Upstream]]:
    """Run a text before an upstream; without a socket between, it is dialled at its address, as a dead one is."""
    with upstream() as server:
        where = f"127.0.0.1:{server.listener.getsockname()[1]}"
        with start(Apache(text, **more), where, listens=by_socket) as started:
            yield started.port, server


def syntax(text: str, folder: Path) -> str:
    """Return what `apache2 -t` says of a text, without times and with its backslashes as they were."""
    (folder / "httpd.conf").write_text(text, "utf-8")
    ran = run_child([find("apache2").path, "-t", "-f", str(folder / "httpd.conf")], patience=10)
    return (ran.out + ran.err).decode().replace("\\\\", "\\")


def bare(text: str, folder: Path) -> str:
    """Return what `apache2 -t` says of lines of httpd's, behind what it needs."""
    program = find("apache2")
    there = {name.removeprefix("mod_").removesuffix(".c") for name in built_in(program)}
    wanted = [name for name in ("mpm_event", "unixd", "authz_core", "proxy", "rewrite", "macro") if name not in there]
    loads = [f"LoadModule {name}_module {modules(program)}/mod_{name}.so" for name in wanted]
    return syntax("\n".join([f"ServerRoot {folder}", "ErrorLog e", "ServerName x", *loads, text, ""]), folder)


# what httpd makes of words


@pytest.mark.parametrize(
    "word",
    [
        r"a\\b",
        r"a\b",
        r'"a\"b"',
        r"'a\"b'",
        r'"a\\b"',
        '"a b',
        '"a"b',
        r'"a\nb"',
        r"'a\'b'",
        r"\"a",
        "a\\\n b",
        r"a\\\\b",
    ],
)
def test_httpd_reads_words_as_the_reader_does(word, tmp_path):
    """A word is quoted, unquoted and continued by httpd exactly as the reader does it."""
    said = bare(f"ProxyPass / {word}", tmp_path)
    read_as = words(word.replace("\\\n", "").rstrip())[0].text
    expected = (
        "URL must be absolute!: " + read_as if len(words(word.replace("\\\n", ""))) == 1 else "in the form 'key=value'"
    )
    assert expected in said


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (r'"^/a\"b" c [Q]', "bad flag delimiters"),
        (r"^a\ b c [Q]", "unknown flag 'Q'"),
        ("'^a' 'b\"c' [Q]", "unknown flag 'Q'"),
        ('^a "b c" "[R=301, L]"', "Syntax OK"),
    ],
)
def test_httpd_reads_rewrite_rules_as_the_reader_does(rule, told, tmp_path):
    """mod_rewrite's own way of splitting: the third word is what it takes for the flags."""
    assert told in bare(f"RewriteRule {rule}", tmp_path)
    third = words(rule, rewrite=True)[2].text
    assert third.startswith("[") == (told != "bad flag delimiters")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<VirtualHost *:1>", "was not closed"),
        ("</VirtualHost>", "without matching"),
        ("<VirtualHost *:1>\n</Location>\n</VirtualHost>", "Expected </VirtualHost> but saw </Location>"),
        ("<VirtualHost *:1\n</VirtualHost>", "missing closing '>'"),
        ("<Location /a>\n</location >", "missing closing '>'"),
        ("<Location /a></Location>", "was not closed"),
        ("ProxPass / http://b/", "Invalid command 'ProxPass'"),
        ("ProxyPass / b", "URL must be absolute"),
        ("ProxyPass /x http://b/ # c", "in the form 'key=value'"),
        ("Use M", "no macro defined before Use"),
        ("Define A b c", "takes 1-2 arguments"),
        ("Listen x", "Port must be"),
    ],
)
def test_what_the_reader_does_not_take_httpd_does_not(text, told, tmp_path):
    """Where the reader raises, httpd itself does not start; the reader's error is the friendlier one."""
    from labkit.errors import WrongUse

    assert told in bare(text, tmp_path)
    with pytest.raises(WrongUse, match=r"^line \d+: "):
        Apache(text)


@pytest.mark.parametrize(
    "text",
    ["<Location /a>\n</LOCATION> x", '<Location "/a b">\n</Location>', "# a \\\nb", "ServerAdmin a\\\nb", '"ServerAdmin" a',
     "Define V b\nServerAdmin ${V}", "<IfModule nope.c>\nNope\n</IfModule>", "<Macro M $a>\nServerAdmin $a\n</Macro>\nUse m x"],
)  # fmt: skip
def test_what_httpd_takes_the_reader_takes(text, tmp_path):
    """Odd but right is right for both."""
    assert "Syntax OK" in bare(text, tmp_path)
    assert Apache(text).completed(Place(str(tmp_path), 1, "127.0.0.1:2"))


# what is completed


@pytest.mark.parametrize("over", ["127.0.0.1:9", "unix:/nowhere"])
@pytest.mark.parametrize("site", SITES, ids=lambda path: path.stem)
def test_httpd_takes_every_site_file(site, over, tmp_path):
    """Completed, the site files are configurations that httpd takes without a complaint."""
    described = Apache(site.read_text())
    program = find("apache2")
    spare = tuple(range(18001, 18001 + len(described.other_ports)))
    place = Place(str(tmp_path), 18000, over, spare, modules(program), built_in(program))
    assert syntax(described.completed(place), tmp_path).strip() == "Syntax OK"


def test_the_version_is_the_one_that_was_measured():
    """What is asked of httpd's version is asked of 2.4.x; another is told here before it is in a lesson."""
    assert find("apache2").version.split(".")[:2] == PROVEN.split(".")[:2]


@pytest.mark.parametrize("by_socket", [True, False])
def test_the_document_s_example_runs(by_socket):
    """Through real httpd, the path is stripped, the switch is made, and the tunnel carries bytes."""
    with running(SEED, by_socket=by_socket) as (port, server):
        said = ask(port, "/ws/chat")
        assert said.startswith("HTTP/1.1 101 ")
        assert said.endswith("\r\n\r\nhello")
        assert server.heads[-1].startswith("GET /chat HTTP/1.1\r\n")
        there = f"127.0.0.1:{server.listener.getsockname()[1]}"
        assert server.field("Host") == ("websocketserver.example.com" if by_socket else there)
        assert server.field("X-Forwarded-Host") == "example.com"
        assert server.field("X-Forwarded-Server") == "localhost"
        assert ask(port, "/nope", "Connection: close\r\n").startswith("HTTP/1.1 404 ")
        assert ask(port, "/httpd.conf", "Connection: close\r\n").startswith("HTTP/1.1 403 ")


def test_over_a_socket_the_host_is_the_backend_s():
    """Pointed at a unix socket, httpd sends the backend's own name in Host, also for a match and a rewrite."""
    text = f"""{SEED}
ProxyPassMatch "^/m/(.*)$" "ws://match.example/x/$1"
RewriteEngine On
RewriteRule "^/r/(.*)" "ws://rule.example:81/$1" [P,L]
"""
    with running(text) as (port, server):
        for asked, host, target in (
            ("/ws/a", "websocketserver.example.com", "/a"),
            ("/m/b", "match.example", "/x/b"),
            ("/r/c", "rule.example:81", "/c"),
        ):
            assert ask(port, asked).endswith("hello"), asked
            assert server.field("Host") == host
            assert server.heads[-1].startswith(f"GET {target} HTTP/1.1\r\n")


@pytest.mark.parametrize("by_socket", [True, False])
def test_backends_that_differ_do_not_share_a_worker(by_socket):
    """With one address for both, `upgrade=` of the second ProxyPass would be ignored (AH01146)."""
    text = "ProxyPass /a/ http://a/\nProxyPass /b/ http://b/ upgrade=websocket"
    with running(text, by_socket=by_socket) as (port, server):
        assert ask(port, "/b/").startswith("HTTP/1.1 101 ")
        assert ask(port, "/a/").startswith("HTTP/1.1 200 ")
        assert server.field("Upgrade") == ""
    same = "ProxyPass /a/ http://a/\nProxyPass /b/ http://a/x/ upgrade=websocket"
    with running(same, by_socket=by_socket) as (port, _):
        assert ask(port, "/b/").startswith("HTTP/1.1 200 ")  # as in life: it is one backend


@pytest.mark.parametrize(
    ("chosen", "switched", "plain"),
    [
        (("proxy",), "500", "500"),
        (("proxy", "proxy_wstunnel"), "101", "404"),
        (("proxy", "proxy_http"), "101", "200"),
        (None, "101", "200"),
    ],
)
def test_the_modules_are_those_that_were_chosen(chosen, switched, plain):
    """With mod_proxy alone nothing goes; mod_proxy_wstunnel takes upgrades alone; mod_proxy_http takes both."""
    with running(SEED, modules=chosen) as (port, _):
        assert ask(port, "/ws/")[9:12] == switched
        assert ask(port, "/ws/", "Connection: close\r\n")[9:12] == plain


def test_a_site_with_a_certificate_is_served_in_plain():
    """The door of certbot's site is its port 443; the rule for port 80 is there, too."""
    text = next(site for site in SITES if site.stem == "certbot").read_text()
    with running(text) as (port, server):
        assert ask(port, "/ws").startswith("HTTP/1.1 101 ")
        assert server.heads[-1].startswith("GET /ws HTTP/1.1\r\n")
        assert server.field("X-Forwarded-Proto") == "https"
        assert server.field("X-Forwarded-Server") == "example.com"
    with running(text, door=80) as (port, _):
        said = ask(port, "/ws")
        assert said.startswith("HTTP/1.1 301 ")
        assert "\r\nLocation: https://example.com/ws\r\n" in said


@pytest.mark.parametrize(
    ("by_socket", "hosts"), [(True, {"10.0.0.12:3000", "10.0.0.12:3001"}), (False, {"127.0.0.1", "127.0.0.01"})]
)
def test_a_balancer_balances(by_socket, hosts):
    """Both members of a balancer are used, though they are one place; the client keeps the one that it has."""
    text = next(site for site in SITES if site.stem == "balancer").read_text()
    with running(text, by_socket=by_socket) as (port, server):
        for _ in range(4):
            assert ask(port, "/socket.io/?transport=websocket").endswith("hello")
        there = f":{server.listener.getsockname()[1]}"
    assert {re.search(r"^Host: (.*)\r$", head, re.MULTILINE)[1].removesuffix(there) for head in server.heads} == hosts


@pytest.mark.skipif(not is_root(), reason="only root can start it as root; the other tests start it as somebody else")
def test_it_starts_as_root(tmp_path):
    """Started by root, httpd becomes nobody, and writes nothing beside its log and its number."""
    tmp_path.chmod(0o755)
    program = find("apache2")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    place = Place(str(tmp_path), port, "127.0.0.1:9", (), modules(program), built_in(program))
    (tmp_path / "httpd.conf").write_text(Apache(SEED).completed(place))
    command = [program.path, "-f", str(tmp_path / "httpd.conf"), "-DFOREGROUND"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(500):
                with contextlib.suppress(OSError):
                    assert ask(port, "/ws/").startswith("HTTP/1.1 503 ")
                    break
                assert process.poll() is None, (tmp_path / "error.log").read_text()
                threading.Event().wait(0.01)
            assert sorted(each.name for each in tmp_path.iterdir()) == ["error.log", "httpd.conf", "httpd.pid"]
        finally:
            process.terminate()
            process.wait(10)
    log = (tmp_path / "error.log").read_text()
    assert "AH00957" in log
    assert not re.search(r":(warn|crit|alert|emerg)\]|mpm_event:error", log)
