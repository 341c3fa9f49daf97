"""What this machine has: programs and versions, a loopback port, handing over."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from labkit.errors import Absent, WrongUse
from labkit.net import programs
from labkit.net.programs import KNOWN, Program, can_listen, find


def install(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an empty machine: a PATH of one folder, with no administrators' folders beside it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "_SBIN", ())
    return tmp_path


@pytest.mark.parametrize(
    ("name", "binary", "said", "version"),
    [
        ("curl", "curl", "curl 7.88.1 (x86_64) libcurl/7.88.1", "7.88.1"),
        ("php", "php", "PHP 8.2.36 (cli) (built: Jul  1 2026)", "8.2.36"),
        ("nginx", "nginx", "nginx version: nginx/1.22.1", "1.22.1"),
        ("apache2", "httpd", "Server version: Apache/2.4.71 (Debian)", "2.4.71"),
        ("haproxy", "haproxy", "HAProxy version 2.6.12-1+deb12u1 2023/12/16", "2.6.12"),
        ("caddy", "caddy", "v2.6.2 h1:wKoFIxpmOJLGl3QXoo6PNbYvGW4xLEgo32GPBEjWL8o=", "2.6.2"),
        ("chromium", "google-chrome", "Google Chrome 156.0.8078.79", "156.0.8078.79"),
        ("node", "nodejs", "v20.20.2", "20.20.2"),
    ],
)
def test_version_is_read(bare: Path, name: str, binary: str, said: str, version: str):
    """A program is found under any of its names, and its version is read from either of its outputs."""
    install(bare, binary, f"echo '{said}' >&2")
    program = find(name)
    assert (program.path, program.version) == (str(bare / binary), version)
    assert program.required() is program


@pytest.mark.parametrize(
    ("protocols", "note"), [("http https ws wss", "speaks ws://"), ("http https", "no ws:// in this build")]
)
def test_curl_tells_whether_it_speaks_websocket(bare: Path, protocols: str, note: str):
    """The list of protocols decides; a build with wss alone, or with neither, does not speak ws://."""
    install(bare, "curl", f"echo 'curl 8.14.1'\necho 'Protocols: {protocols}'")
    assert find("curl").note == note


def test_absent_program_names_its_package(bare: Path):
    """A program that is not there is false, and asking for it raises with the command that installs it."""
    program = find("nginx")
    assert not program
    assert program == Program("nginx", note="sudo apt install nginx")
    with pytest.raises(Absent, match="nginx is not on this machine; install it: sudo apt install nginx"):
        program.required()


@pytest.mark.parametrize(
    ("manager", "program", "command"),
    [
        ("apt", "php", "sudo apt install php-cli php-curl"),
        ("dnf", "apache2", "sudo dnf install httpd"),
        ("brew", "node", "brew install node"),
        ("brew", "chromium", "no package of brew puts chromium on the PATH"),
    ],
)
def test_the_command_is_that_of_this_system(bare: Path, manager: str, program: str, command: str):
    """Whichever package manager is there, the note has its command and its name of the package."""
    install(bare, manager, "exit 0")
    assert find(program).note == command


def test_unknown_program_is_wrong_use():
    """A name that the lab does not know raises, and the text lists those that it knows."""
    with pytest.raises(WrongUse, match="knows no program 'netscape'; it knows curl, php"):
        find("netscape")


def test_administrators_folders_are_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Servers lie in /usr/sbin, which is not on every user's PATH; they are found all the same."""
    install(tmp_path, "nginx", "echo nginx/1.22.1")
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(programs, "_SBIN", (str(tmp_path),))
    assert find("nginx").version == "1.22.1"


def test_hanging_program_is_ended_with_its_children(bare: Path, monkeypatch: pytest.MonkeyPatch):
    """A program that does not answer is ended after the time limit, and what it started with it."""
    monkeypatch.setattr(programs, "_PATIENCE", 0.3)
    install(bare, "node", f"/bin/sleep 60 &\necho $! > {bare}/child\nwait")
    began = time.monotonic()
    program = find("node")
    assert time.monotonic() - began < 5
    assert (program.version, program.note) == ("", "gave no version when it was asked")
    child = int((bare / "child").read_text())
    for _ in range(100):
        if not Path(f"/proc/{child}").exists() or "\nState:\tZ" in Path(f"/proc/{child}/status").read_text():
            break
        time.sleep(0.02)
    else:
        pytest.fail("the child is still there")


def test_program_that_cannot_start_is_said(bare: Path):
    """A file that the system will not run is found, and gives no version; nothing is raised."""
    path = bare / "php"
    path.write_bytes(b"\x00\x01\x02")
    path.chmod(0o755)
    assert find("php").note == "gave no version when it was asked"


def test_long_answers_are_bounded(bare: Path):
    """Only the beginning of what a program says is read."""
    install(bare, "caddy", "/usr/bin/head -c 1000000 /dev/zero\necho 2.6.2")
    assert find("caddy").version == ""


def test_all_known_programs_are_reported(bare: Path):
    """`programs` answers for every program of the table, in its order."""
    assert [program.name for program in programs.programs()] == list(KNOWN)


def test_loopback_can_be_listened_on():
    """A free port of 127.0.0.1 can be had here; "" means that it works."""
    assert can_listen() == ""


def test_loopback_failure_gives_the_reason(monkeypatch: pytest.MonkeyPatch):
    """Where no port can be had, the system's reason is returned."""

    def refuse(*_: object) -> None:
        raise OSError(99, "Cannot assign requested address")

    monkeypatch.setattr("socket.socket.listen", refuse)
    assert "Cannot assign requested address" in can_listen()


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be replaced there")
def test_hand_over_replaces_the_process():
    """The command takes the process's place: same process number, its own exit code, the environment added."""
    code = (
        "import os, sys; from labkit.net.programs import hand_over; print(os.getpid());"
        "hand_over([sys.executable, '-c', "
        "'import os, sys; print(os.getpid(), os.environ[\"LAB\"]); sys.exit(3)'], {'LAB': 'yes'})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=20, env=os.environ
    )
    before, after = done.stdout.splitlines()
    assert after == f"{before} yes"
    assert done.returncode == 3
