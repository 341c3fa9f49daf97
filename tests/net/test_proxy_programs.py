"""How proxies' programs are started, and what is read in their logs."""

from __future__ import annotations

from pathlib import Path

import pytest

from labkit.errors import WrongUse
from labkit.net import proxy_programs
from labkit.net.programs import KNOWN, Program, find
from labkit.net.proxy_programs import HOW, built_in, modules, said
from tests.net.proxies import EACH, needs

NGINX = """\
2026/01/02 03:04:05 [notice] 7#7: using the "epoll" event method
2026/01/02 03:04:05 [warn] 7#7: the "user" directive makes sense only if the master process runs with super-user
2026/01/02 03:04:05 [info] 7#7: *1 client closed connection while waiting for request, client: 127.0.0.1, server: x
2026/01/02 03:04:05 [error] 7#7: *2 connect() failed (111: Connection refused) while connecting to upstream, client: 1
nginx: [emerg] unknown directive "foo" in nginx.conf:7
"""
APACHE = """\
[Sat Nov 28 02:05:07.23 2026] [mpm_event:notice] [pid 7:tid 8] AH00489: Apache/2.4.71 (Debian) configured
AH00558: apache2: Could not reliably determine the server's fully qualified domain name, using ::1
[Sat Nov 28 02:05:07.25 2026] [proxy:error] [pid 7:tid 8] (111)Connection refused: AH00957: http: attempt failed
[Sat Nov 28 02:05:07.25 2026] [proxy:error] [pid 7:tid 8] [client 127.0.0.1:9] AH01114: HTTP: failed
AH00526: Syntax error on line 2 of httpd.conf:
"""
HAPROXY = """\
[NOTICE]   (7) : haproxy version is 2.6.12-1+deb12u4
[ALERT]    (7) : config : parsing [haproxy.cfg:3] : unknown keyword 'foo' in 'listen' section
[ALERT]    (7) : config : Fatal errors found in configuration.
127.0.0.1:5 [28/Nov/2026:02:05:07.358] lab lab/a 0/0/0/1/3 101 143 - - ---- 1/1/0/0/0 0/0 "GET / HTTP/1.1"
127.0.0.1:5 [28/Nov/2026:02:05:07.358] lab lab/a 0/0/-1/-1/3003 503 217 - - SC-- 1/1/0/0/3 0/0 "GET / HTTP/1.1"
127.0.0.1:5 [28/Nov/2026:02:05:07.358] lab lab/<NOSRV> -1/-1/-1/-1/0 400 0 - - PR-- 1/1/0/0/0 0/0 "<BADREQ>"
127.0.0.1:5 [28/Nov/2026:02:05:07.358] lab lab/a 0/0/0/1/3 101 143 - - sD-- 1/1/0/0/0 0/0 "GET / HTTP/1.1"
"""
CADDY = """\
{"level":"info","ts":1.5,"msg":"using provided configuration"}
{"level":"warn","ts":1.5,"logger":"admin","msg":"admin endpoint disabled"}
{"level":"error","ts":1.5,"logger":"http.log.error","msg":"dial tcp: connection refused","status":502}
Error: adapting config using caddyfile: Caddyfile:2: unrecognized directive: foo
"""


@pytest.mark.parametrize(
    ("name", "log", "told"),
    [
        ("nginx", NGINX, (
            "connect() failed (111: Connection refused) while connecting to upstream",
            'unknown directive "foo" in nginx.conf:7',
        )),
        ("apache2", APACHE, (
            "(111)Connection refused: AH00957: http: attempt failed", "AH01114: HTTP: failed",
            "AH00526: Syntax error on line 2 of httpd.conf:",
        )),
        ("haproxy", HAPROXY, (
            "parsing [haproxy.cfg:3] : unknown keyword 'foo' in 'listen' section",
            'lab/a 0/0/-1/-1/3003 503 217 - - SC-- 1/1/0/0/3 0/0 "GET / HTTP/1.1"',
            'lab/<NOSRV> -1/-1/-1/-1/0 400 0 - - PR-- 1/1/0/0/0 0/0 "<BADREQ>"',
            'lab/a 0/0/0/1/3 101 143 - - sD-- 1/1/0/0/0 0/0 "GET / HTTP/1.1"',
        )),
        ("caddy", CADDY, (
            "http.log.error: dial tcp: connection refused",
            "adapting config using caddyfile: Caddyfile:2: unrecognized directive: foo",
        )),
    ],
)  # fmt: skip
def test_of_a_log_the_troubles_are_told(name: str, log: str, told: tuple[str, ...]):
    """What a program says of itself is left out, what went wrong is told without its time and its process."""
    assert said(name, log) == told


def test_a_long_log_is_told_in_a_few_lines():
    """Of many troubles the first few are told, each once and shortened, and how many more there are."""
    log = "".join(f"[error] 7#7: *1 trouble {number % 9} {'x ' * 400}\n" for number in range(90))
    told = said("nginx", log)
    assert len(told) == 5
    assert told[-1] == "and 5 more lines"
    assert max(map(len, told)) <= 300


def test_every_program_is_known():
    """What can be started can be looked for, and told what to install."""
    assert set(HOW) <= set(KNOWN)
    assert set(HOW) == set(EACH)


@needs("apache2")
def test_apaches_modules_are_found():
    """The folder holds the modules, and what is built in is as Apache lists it."""
    program = find("apache2")
    assert Path(modules(program), "mod_proxy.so").is_file()
    assert {"core.c", "http_core.c"} <= set(built_in(program))


def test_red_hats_folder_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """The first folder that holds the modules is taken; where none does, it is told."""
    folder = tmp_path / "modules"
    folder.mkdir()
    monkeypatch.setattr(proxy_programs, "_FOLDERS", (str(tmp_path / "other"), str(folder)))
    httpd = Program("apache2", str(tmp_path / "sbin" / "deep" / "httpd"))
    with pytest.raises(WrongUse, match=r"the modules of .* are in none of"):
        modules(httpd)
    (folder / "mod_proxy.so").touch()
    assert modules(httpd) == str(folder)
    assert modules(Program("nginx", "/usr/sbin/nginx")) == ""
    assert built_in(Program("nginx", "/usr/sbin/nginx")) == ()


def test_an_old_nginx_is_not_asked_what_it_does_not_know():
    """`-e` came with 1.19.5."""
    words = HOW["nginx"].words
    assert "-e" not in words(Program("nginx", "/n", "1.18.0"), "/f", "/f/nginx.conf")
    assert words(Program("nginx", "/n", "1.22.1"), "/f", "/f/nginx.conf")[2:4] == ("-e", "stderr")
