"""The real nginx for these tests: started from a completed configuration, with a backend that tells what it saw."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from tempfile import gettempdir

import pytest

from labkit.net.programs import find
from labkit.proxies.described import Place
from labkit.proxies.nginx import Nginx

NGINX = find("nginx")
needs_nginx = pytest.mark.skipif(not NGINX and "CI" not in os.environ, reason="nginx is not on this machine")
SITES = sorted((Path(__file__).parents[1] / "sites" / "nginx").glob("*.conf"))
PATIENCE = 10.0  # seconds


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def command(folder: Path, *more: str) -> list[str]:
    path = NGINX.required().path
    return [path, "-p", str(folder), "-e", "stderr", "-c", f"{folder}/nginx.conf", "-g", "daemon off;", *more]


def place_in(folder: Path, nginx: Nginx, upstream: str = "127.0.0.1:9") -> Place:
    port, *spare = free_ports(1 + len(nginx.other_ports))
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # its workers are another user's
        for each in takewhile(lambda each: each != Path(gettempdir()).resolve(), (folder, *folder.parents)):
            each.chmod(0o711)
    place = Place(str(folder), port, upstream, tuple(spare))
    (folder / "nginx.conf").write_text(nginx.completed(place))
    return place


def looked_over(folder: Path, nginx: Nginx, **options) -> subprocess.CompletedProcess[str]:
    """Let the real nginx read a completed configuration."""
    place_in(folder, nginx)
    return subprocess.run(
        command(folder, "-t"), check=False, capture_output=True, text=True, timeout=PATIENCE, **options
    )


class Backend:
    """Answers every request 200 with the head that it saw as its content; or as it is told."""

    def __init__(self) -> None:
        self.answer = b""
        self.heads: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(PATIENCE)
                head = b""
                while b"\r\n\r\n" not in head and (data := connection.recv(65536)):
                    head += data
                self.heads.append(head.decode("latin-1"))
                connection.sendall(self.answer or b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # ends the waiting accept
        self._listener.close()


class Running:
    """A running nginx and its backend."""

    def __init__(self, place: Place, backend: Backend) -> None:
        self.place = place
        self.backend = backend

    def ask(self, path: str, *lines: str, host: str = "example.com", port: int = 0) -> str:
        """Return the answer's head and content."""
        request = "\r\n".join([f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: close", *lines, "", ""])
        with socket.create_connection(("127.0.0.1", port or self.place.port), PATIENCE) as client:
            client.settimeout(PATIENCE)
            client.sendall(request.encode())
            answer = b""
            while data := client.recv(65536):
                answer += data
        return answer.decode("latin-1")

    def seen(self, path: str, *lines: str, host: str = "example.com", port: int = 0) -> dict[str, str]:
        """Return what the backend saw: the request line under "", the fields by their names in lower case."""
        before = len(self.backend.heads)
        self.ask(path, *lines, host=host, port=port)
        assert len(self.backend.heads) > before, "the backend was not asked"
        first, *fields = self.backend.heads[-1].split("\r\n\r\n")[0].split("\r\n")
        return {"": first, **{name.lower(): value for name, _, value in (each.partition(": ") for each in fields)}}


@contextmanager
def running(folder: Path, text: str, **settings) -> Iterator[Running]:
    """Run the real nginx with a configuration as people write it."""
    backend = Backend()
    nginx = Nginx(text, **settings)
    place = place_in(folder, nginx, backend.address)
    process = subprocess.Popen(command(folder), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        wait_for(place.port, process)
        yield Running(place, backend)
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)
        backend.close()


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        assert process.poll() is None, process.communicate()[1].decode()
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("nginx did not begin to listen")
