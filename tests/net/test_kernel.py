"""The notebook's own channel: asked for in a real kernel of a real Jupyter server, and nothing leaks."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from labkit.dissection import dissect
from labkit.formats.jsonl import load
from labkit.net import kernel as room
from labkit.net.kernel import NoChannel, kernel_upgrade
from labkit.trace import Direction, How, Trace
from labkit.wire.http1 import RequestHead, ResponseHead
from labkit.wire.upgrade import accept_key

TOKEN = "a-token-that-must-not-leak"
BASE = "/user/ada/"  # as behind a JupyterHub, and so on Binder


class Jupyter:
    """A Jupyter server with a home of its own, and one kernel in it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "IPYTHON"))}
        environment |= {"HOME": str(home), "IPYTHONDIR": str(home / "ipython"), "http_proxy": "http://127.0.0.1:9"}
        for kind in ("CONFIG", "DATA", "RUNTIME"):
            environment[f"JUPYTER_{kind}_DIR"] = str(home / kind.lower())
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "jupyter_server", "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0", "--no-browser",
                "--allow-root", f"--IdentityProvider.token={TOKEN}", f"--ServerApp.base_url={BASE}",
                f"--ServerApp.root_dir={home}",
            ],
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.port = self._wait_for_port()
        self.kernel = json.loads(self.ask("POST", "api/kernels", '{"name": "python3"}'))["id"]

    def _wait_for_port(self) -> int:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            for told in (self.home / "runtime").glob("jpserver-*.json"):
                try:
                    self.port = json.loads(told.read_text())["port"]
                    self.ask("GET", "api/status")
                except (ValueError, OSError):
                    continue
                return self.port
            time.sleep(0.05)
        raise TimeoutError("Jupyter did not start")

    def ask(self, method: str, path: str, body: str | None = None) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, BASE + path, body, {"Authorization": f"token {TOKEN}"})
        answer = connection.getresponse().read()
        connection.close()
        return answer

    def execute(self, code: str) -> str:
        """Run code in the kernel over its channel, as a notebook does; return what it printed."""
        header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "username": "", "session": "s"}
        message = {
            "header": {**header, "version": "5.3", "date": ""}, "parent_header": {}, "metadata": {}, "channel": "shell",
            "content": {"code": code, "silent": False, "allow_stdin": False, "stop_on_error": True},
        }  # fmt: skip
        url = f"ws://127.0.0.1:{self.port}{BASE}api/kernels/{self.kernel}/channels"
        printed, authorization = "", {"Authorization": f"token {TOKEN}"}
        with connect(url, additional_headers=authorization, proxy=None, open_timeout=60) as channel:
            channel.send(json.dumps(message))
            while True:
                said = json.loads(channel.recv(timeout=30))
                if said["parent_header"].get("msg_id") != header["msg_id"]:
                    continue
                content: dict[str, Any] = said["content"]
                if said["msg_type"] == "stream":
                    printed += content["text"]
                elif said["msg_type"] == "error":
                    raise AssertionError("\n".join(content["traceback"]))
                elif said["msg_type"] == "status" and content["execution_state"] == "idle":
                    return printed

    def stop(self) -> None:
        self.ask("DELETE", f"api/kernels/{self.kernel}")
        self.process.terminate()
        self.process.wait(15)


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    server = Jupyter(tmp_path_factory.mktemp("home"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def saved(jupyter: Jupyter) -> Path:
    """Save what the kernel recorded, with the secrets that a save would else take out."""
    path = jupyter.home / "own.jsonl"
    jupyter.execute(f"import labkit\nlabkit.kernel_upgrade().save({str(path)!r}, keep_secrets=True)")
    return path


@pytest.fixture
def trace(saved: Path) -> Trace:
    return load(saved)


def heads(trace: Trace) -> tuple[RequestHead, ResponseHead]:
    ways = (trace.stream(Direction.TO_SERVER), trace.stream(Direction.TO_CLIENT))
    asked, answered = (stream[: stream.index(b"\r\n\r\n") + 4] for stream in ways)
    return RequestHead.parse(asked), ResponseHead.parse(answered)


def test_channel_began_with_a_101(jupyter: Jupyter, trace: Trace):
    """The kernel's own channel is a WebSocket: asked for under the server's base path, answered 101, key proved."""
    asked, answered = heads(trace)
    assert asked.target == f"{BASE}api/kernels/{jupyter.kernel}/channels"
    assert answered.status == 101
    assert answered.fields.get("Sec-WebSocket-Accept") == accept_key(asked.fields.get("Sec-WebSocket-Key") or "")
    assert answered.fields.get("Sec-WebSocket-Protocol") == "v1.kernel.websocket.jupyter.org"
    assert dissect(trace).outcome == "switched"


def test_both_closing_handshakes_are_there(trace: Trace):
    """The channel is closed as RFC 6455, 7.1.2 asks, by both sides; the key of the Close frame is a fresh one."""
    to_server, to_client = (trace.stream(way).partition(b"\r\n\r\n")[2] for way in Direction)
    assert to_server[:2] == b"\x88\x82"
    assert to_server[2:6] not in (b"\0\0\0\0", bytes.fromhex("37fa213d"))
    assert to_client == b"\x88\x02\x03\xe8"
    assert trace.end(Direction.TO_CLIENT) is How.FIN


def test_no_secret_in_the_saved_file(saved: Path):
    """The token is nowhere in the file, not even where secrets were to be kept; nor is the cookie's value."""
    text = saved.read_text()
    _, answered = heads(load(saved))
    assert TOKEN not in text
    assert "Set-Cookie" in {name for name, _ in answered.fields}
    cookie = (answered.fields.get("Set-Cookie") or "").partition(";")[0].partition("=")[2]
    assert set(cookie) == {"*"}


def test_notebook_keeps_its_connection(jupyter: Jupyter):
    """The channel that the cell itself came over goes on working; a second look is another exchange."""
    code = "import labkit\na, b = labkit.kernel_upgrade(), labkit.kernel_upgrade()\nprint(a == b, type(a).__name__)"
    assert jupyter.execute(code) == "False Trace\n"


def test_kernel_that_speaks_is_not_recorded(jupyter: Jupyter):
    """What the kernel tells all its clients is somebody's work: it is counted in the trace, and not kept."""
    code = (
        "import labkit, threading, time\n"
        "from labkit.net import kernel\n"
        "def chat():\n"
        "    for n in range(200):\n"
        "        print('my-own-words', flush=True); time.sleep(0.005)\n"
        "real = kernel._read\n"
        "def late(*given):\n"
        "    time.sleep(0.3)\n"
        "    return real(*given)\n"
        "kernel._read = late\n"
        "talker = threading.Thread(target=chat); talker.start()\n"
        "trace = labkit.kernel_upgrade()\n"
        "talker.join()\n"
        "kernel._read = real\n"
        "cuts = [e.length > 0 for e in trace.events if type(e).__name__ == 'Cut']\n"
        "print('Result', cuts, b'my-own-words' in trace.stream(labkit.Direction.TO_CLIENT))\n"
    )
    assert jupyter.execute(code).endswith("Result [True] False\n")


def test_outside_a_kernel():
    """Without a kernel there is one sentence, and no error."""
    answer = kernel_upgrade()
    assert isinstance(answer, NoChannel)
    assert repr(answer) == str(answer) == "No kernel runs this code, so there is no kernel channel to show."


def test_kernel_without_a_server(monkeypatch: pytest.MonkeyPatch):
    """Under nbconvert and nbval a kernel runs with no Jupyter server before it; the sentence says what to do."""
    monkeypatch.setattr(room, "_own_kernel", lambda: "no-such-kernel")
    monkeypatch.setattr(room, "_servers", lambda: iter(()))
    assert str(kernel_upgrade()) == (
        "No Jupyter server stands before this kernel, so there is no 101 to show: open it in JupyterLab."
    )


def test_server_that_is_gone_is_passed_over(monkeypatch: pytest.MonkeyPatch):
    """A server whose port nobody listens on any more, or that speaks no HTTP, is not the one."""
    monkeypatch.setattr(room, "_own_kernel", lambda: "k")
    monkeypatch.setattr(room, "_servers", lambda: iter([room._Server("127.0.0.1", 1, "/", "t")]))
    assert "No Jupyter server" in str(kernel_upgrade())


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"hostname": "localhost", "port": 8888, "base_url": "/", "token": "t"}, ("127.0.0.1", 8888, "/", "t")),
        ({"hostname": "0.0.0.0", "port": 1, "base_url": BASE, "token": "t"}, ("127.0.0.1", 1, BASE, "t")),
        ({"hostname": "::", "port": 1, "base_url": "/", "token": "t"}, ("::1", 1, "/", "t")),
        ({"hostname": "127.0.0.1", "port": 1, "base_url": "/", "token": ""}, ("127.0.0.1", 1, "/", "of-the-hub")),
        ({"hostname": "192.0.2.7", "port": 1, "base_url": "/", "token": "t"}, None),
        ({"hostname": "localhost", "port": 1, "base_url": "/", "token": "t", "secure": True}, None),
        ({"hostname": "localhost", "port": 0, "base_url": "/", "token": "t", "sock": "/run/jupyter.sock"}, None),
    ],
)  # fmt: skip
def test_servers_on_loopback_alone(
    monkeypatch: pytest.MonkeyPatch, told: dict[str, Any], expected: tuple[Any, ...] | None
):
    """Only a server that can be reached on loopback in plain HTTP is asked; a hub's token serves where there is none."""
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "of-the-hub")
    monkeypatch.setattr("jupyter_server.serverapp.list_running_servers", lambda: [told])
    assert [tuple(server) for server in room._servers()] == ([expected] if expected else [])
