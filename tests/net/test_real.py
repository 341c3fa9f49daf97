"""Proxies' programs for real: started on free ports, read in their own words, and gone without a trace."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from labkit.dissection import dissect
from labkit.errors import Absent, Failed, WrongUse
from labkit.net import programs, real
from labkit.net.client import ask
from labkit.net.ports import answers
from labkit.net.programs import find, is_root
from labkit.net.real import start
from labkit.net.server import UpgradeServer
from labkit.proxies.apache import Apache
from labkit.proxies.caddy import Caddy
from labkit.proxies.haproxy import Haproxy
from labkit.proxies.nginx import Nginx
from labkit.trace import Direction
from tests.net.proxies import BY_SOCKET, EACH, EVERY, SPOILT, WholeNginx, needs
from tests.proxies import test_caddy, test_haproxy

NOBODY = "127.0.0.1:1"
only_root = pytest.mark.skipif(not is_root(), reason="only root can be somebody else")


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give each test a place for its folders, and see that none is left there."""
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        place.chmod(0o755)  # root's programs run as nobody
        monkeypatch.setattr(tempfile, "tempdir", made)
        monkeypatch.setenv("TMPDIR", made)
        yield place
        assert [each.name for each in place.glob("labkit-proxy-*")] == []


def is_gone(group: int) -> bool:
    """Tell whether no process of a group runs any more; waits a moment for init to take note of orphans."""
    for _ in range(100):
        if group not in running_groups():
            return True
        time.sleep(0.02)
    return False


def running_groups() -> set[int]:
    """Return the groups of the processes that run and are no zombies, as Linux tells them: proc_pid_stat(5)."""
    found = set()
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, group = file.read_text("utf-8", "replace").rpartition(")")[2].split()[:3]
            found |= {int(group)} if state != "Z" else set()
    assert found, "these tests need /proc"
    return found


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder in which a test can put a program of its own in the place of nginx."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        place.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        yield place


def put(folder: Path, script: str) -> WholeNginx:
    """Write a program that is called nginx, and return a proxy for it."""
    file = folder / "nginx"
    file.write_text(f'#!/bin/sh\nif [ "$1" = -v ]; then echo "nginx version: nginx/9.8.7" >&2; exit; fi\n{script}\n')
    file.chmod(0o755)
    return WholeNginx("events {}\nhttp { oh; }\n")


@pytest.mark.parametrize("name", EVERY)
def test_each_is_started_and_stopped(name: str):
    """It answers on its port, relays to the lab, and is gone when the block is left; its log stays."""
    with UpgradeServer() as server:
        with start(EACH[name], f"127.0.0.1:{server.port}") as started:
            assert started.url == f"http://127.0.0.1:{started.port}/"
            assert dissect(ask(started.url)).status == 101
            assert started.program == find(name)
            assert f"127.0.0.1:{started.port}" in started.text.replace("http://:", "127.0.0.1:")
            pid = started.pid
        assert is_gone(pid)
        assert not answers(started.port)
        assert started.said == ()
        assert "labkit-proxy" not in started.log
        assert f"{started.program.version}, real" in repr(started)


@pytest.mark.parametrize("name", EVERY)
def test_what_is_spoilt_does_not_start(name: str):
    """The program's own message is the error, with the line of the text as it was given, and no path."""
    with pytest.raises(Failed, match="does not start: ") as error, start(SPOILT[name], NOBODY):
        pass
    line = next(at for at, line in enumerate(SPOILT[name].text.splitlines(), 1) if "oo bar" in line)
    assert f"line {line}" in str(error.value)
    assert "oo" in str(error.value)
    assert "labkit-proxy" not in str(error.value)
    assert "\n" not in str(error.value)


@needs("apache2")
def test_a_line_that_was_changed_is_told_as_it_was_given():
    """What the lab points at itself reads otherwise to the program; an error in it still names the text's own line."""
    text = "RewriteEngine On\n\nProxyPass /ws/ ws://app:3000/ timeout=soon"
    with pytest.raises(Failed, match=r"Syntax error on line 3: ProxyPass Timeout"), start(Apache(text), NOBODY):
        pass


@pytest.mark.parametrize("name", EVERY)
def test_its_log_says_what_went_wrong(name: str):
    """A dead upstream is told in the program's own words, without the ports of this run."""
    with start(EACH[name], NOBODY) as started:
        trace = ask(started.url)
    assert dissect(trace).status in (502, 503)
    assert started.said
    assert str(started.port) not in " ".join(started.said)


@pytest.mark.parametrize(
    "proxy",
    [
        pytest.param(Haproxy(test_haproxy.SITE), marks=needs("haproxy"), id="haproxy"),
        pytest.param(Caddy(test_caddy.SITE.replace("@ws localhost", "localhost")), marks=needs("caddy"), id="caddy"),
    ],
)
def test_whole_files_run(proxy):
    """What was completed from a whole site file is taken by the program, and leads to the lab for any host."""
    with UpgradeServer() as server, start(proxy, f"127.0.0.1:{server.port}") as started:
        assert dissect(ask(started.url)).status == 101


def test_an_absent_program_names_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Nothing takes the place of what is not here."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "_SBIN", ())
    with pytest.raises(Absent, match="haproxy is not on this machine; install it: sudo apt install haproxy"):
        start(EACH["haproxy"], NOBODY).__enter__()


def test_a_program_that_ends_at_once_is_told(program: Path):
    """Its last words are the error; where it has none, how it ended."""
    with pytest.raises(Failed, match=r"^nginx 9.8.7 does not start: it ended at once, exit 3$"):
        start(put(program, "exit 3"), NOBODY).__enter__()
    with pytest.raises(Failed, match=r"^nginx 9.8.7 does not start: oh dear on line 2$"):
        start(put(program, 'echo "nginx: [emerg] oh dear in $PWD/nginx.conf:2" >&2; exit 1'), NOBODY).__enter__()


def test_a_program_that_hangs_at_start_is_told(program: Path):
    """It is ended after its time, with every process that it started."""
    began = time.monotonic()
    with pytest.raises(Failed, match=r"^nginx 9.8.7 does not start: it did not answer within 0.3 s$"):
        start(put(program, "sleep 60 & sleep 60"), NOBODY, patience=0.3).__enter__()
    assert time.monotonic() - began < 3


def test_a_program_that_does_not_end_is_ended(program: Path, monkeypatch: pytest.MonkeyPatch):
    """One that hears no SIGTERM is killed, and so is what it started."""
    monkeypatch.setattr(real, "answers", lambda _: True)
    with start(put(program, 'trap "" TERM; sleep 60 & while :; do sleep 1; done'), NOBODY) as started:
        time.sleep(0.1)
    assert is_gone(started.pid)


def test_a_port_that_was_taken_is_tried_again(program: Path, monkeypatch: pytest.MonkeyPatch):
    """Another port is chosen, a few times; then it is told."""
    monkeypatch.setattr(real, "_TRIES", 2)
    count = program / "count"
    count.touch()
    count.chmod(0o666)
    script = f'echo x >> {count}; echo "nginx: [emerg] bind() failed (98: Address already in use)" >&2; exit 1'
    with pytest.raises(Failed, match="Address already in use"):
        start(put(program, script), NOBODY).__enter__()
    assert count.read_text() == "x\nx\n"


@pytest.mark.parametrize("name", EVERY)
def test_one_that_dies_says_so(name: str):
    """A program that ended by itself is told in what it said."""
    with start(EACH[name], NOBODY) as started:
        os.killpg(started.pid, signal.SIGKILL)
        time.sleep(0.1)
    assert started.said[-1] == "it ended by itself, by signal 9"


@pytest.mark.parametrize("name", EVERY)
def test_the_interpreters_end_is_its_end(name: str):
    """Where nobody leaves the block, the end of Python stops the program and removes the folder."""
    script = (
        "from tests.net.proxies import EACH; from labkit.net.real import start;"
        f"kept = start(EACH[{name!r}], '127.0.0.1:1'); print(kept.__enter__().pid)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=Path(__file__).parents[2],
    )
    assert is_gone(int(done.stdout))


@needs("apache2")
def test_one_that_dials_a_socket_names_the_host_as_it_is_written():
    """The server sees the host of the configuration, and not the address that the lab put in its place."""
    with UpgradeServer() as server, start(BY_SOCKET, f"127.0.0.1:{server.port}") as started:
        assert dissect(ask(started.url)).status == 101
        (trace,) = server.traces
    assert b"\r\nHost: app.example:3000\r\n" in trace.stream(Direction.TO_SERVER)
    assert "/upstream|http://app.example:3000/" in started.text
    assert started.said == ()


@needs("apache2")
def test_where_nothing_listens_it_dials_the_address():
    """A socket would take the connection, and what the program says of a dead upstream would be lost."""
    with UpgradeServer(listens=False) as server:
        with start(BY_SOCKET, f"127.0.0.1:{server.port}", listens=False) as started:
            assert dissect(ask(started.url)).status == 503
        assert "unix:" not in started.text
        assert "127.0.0.1:UPSTREAM" in started.log
        assert str(server.port) not in started.log


@needs("apache2")
def test_a_socket_in_the_log_has_no_folder():
    """The private folder's name is taken out of what is said of the socket, as of all else."""
    with start(BY_SOCKET, NOBODY) as started:
        assert dissect(ask(started.url)).status in (502, 503)
        Path(started.text.partition("unix:")[2].partition("|")[0]).unlink()
        assert dissect(ask(started.url)).status == 503
    assert any("socket upstream" in each for each in started.said)
    assert "labkit-proxy" not in started.log


@needs("apache2")
@pytest.mark.parametrize("why", ["long", pytest.param("closed", marks=only_root)])
def test_where_no_socket_can_stand_it_dials_the_address(why: str, folder: Path, monkeypatch: pytest.MonkeyPatch):
    """A path too long for a socket, or a folder that nobody can enter, which is who root's Apache becomes."""
    place = folder / ("x" * 100 if why == "long" else "closed")
    place.mkdir(0o755 if why == "long" else 0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    with UpgradeServer() as server, start(BY_SOCKET, f"127.0.0.1:{server.port}") as started:
        assert dissect(ask(started.url)).status == 101
        assert f"http://127.0.0.1:{server.port}/" in started.text


def test_what_is_no_proxy_is_told():
    """A text, or a proxy without a program of the lab's, is refused."""
    with pytest.raises(WrongUse, match="what is started is a proxy"):
        start("server one app:3000", NOBODY).__enter__()

    class Other(WholeNginx):
        program = "squid"

    with pytest.raises(WrongUse, match="the lab cannot start 'squid'; it can start nginx, apache2, haproxy, caddy"):
        start(Other(""), NOBODY).__enter__()


@pytest.mark.parametrize("name", [*EVERY, pytest.param("by socket", marks=needs("apache2"))])
def test_starting_and_one_exchange_are_quick(name: str):
    """Less than half a second, on a machine that does nothing else; here the best of three."""
    took = []
    proxy = EACH.get(name, BY_SOCKET)
    with UpgradeServer() as server:
        for _ in range(3):
            began = time.monotonic()
            with start(proxy, f"127.0.0.1:{server.port}") as started:
                ask(started.url)
                took.append(time.monotonic() - began)
    assert min(took) < 0.5


@only_root
@pytest.mark.parametrize("name", EVERY)
def test_roots_programs_run_as_nobody(name: str, folder: Path):
    """Where the lab is root's, no program is: as nobody it can write in its own folder, and nowhere else."""
    with start(EACH[name], NOBODY) as started:
        for file in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                if file.read_text("utf-8", "replace").rpartition(")")[2].split()[2] == str(started.pid):
                    assert file.parent.stat().st_uid == 65534
        [place] = folder.glob("labkit-proxy-*")
        assert (place.stat().st_uid, place.stat().st_mode & 0o777) == (65534, 0o700)


@needs("haproxy")
def test_a_folder_that_nobody_can_enter_stays_roots(folder: Path):
    """Where temporary files are root's alone, the program runs as root, too."""
    folder.chmod(0o700)
    with start(EACH["haproxy"], NOBODY) as started:
        assert answers(started.port)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_interpreter_leaves_nothing(name: str, number: int, folder: Path):
    """Where Python is killed and can do nothing more, the program ends all the same, and its folder goes away."""
    script = (
        "import time; from tests.net.proxies import EACH; from labkit.net.real import start;"
        f"kept = start(EACH[{name!r}], '127.0.0.1:1'); print(kept.__enter__().pid, flush=True); time.sleep(60)"
    )
    words = [sys.executable, "-c", script]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout
        group = int(process.stdout.readline())
        process.send_signal(number)
    assert is_gone(group)
    for _ in range(100):
        if not list(folder.glob("labkit-proxy-*")):
            break
        time.sleep(0.02)


def test_more_ports_than_the_lab_opens_are_refused():
    """A text that listens on thousands of ports is refused in one line."""
    listening = "".join(f"listen {port};" for port in range(1, 3000))
    with pytest.raises(WrongUse, match="listens on 2999 ports; the lab opens 100"):
        start(Nginx(f"server {{ {listening} location / {{ proxy_pass http://a; }} }}"), NOBODY).__enter__()
