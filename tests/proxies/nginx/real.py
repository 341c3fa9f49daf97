"""The real nginx for these tests: started from a completed configuration, with a backend that tells what it saw."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from labkit.net.ports import held_ports
from labkit.net.programs import find
from labkit.net.proxy_programs import HOW
from labkit.net.real import Started, start
from labkit.proxies.described import Place
from labkit.proxies.nginx import Nginx

NGINX = find("nginx")
needs_nginx = pytest.mark.skipif(not NGINX and "CI" not in os.environ, reason="nginx is not on this machine")
SITES = sorted((Path(__file__).parents[1] / "sites" / "nginx").glob("*.conf"))
PATIENCE = 10.0  # seconds


def looked_over(folder: Path, nginx: Nginx, **options) -> subprocess.CompletedProcess[str]:
    """Let the real nginx read a completed configuration."""
    program, file = NGINX.required(), folder / "nginx.conf"
    with held_ports(1 + len(nginx.other_ports)) as (port, *spare):
        file.write_text(nginx.completed(Place(str(folder), port, "127.0.0.1:9", tuple(spare))))
        words = [program.path, *HOW["nginx"].words(program, str(folder), str(file)), "-t"]
        return subprocess.run(words, check=False, capture_output=True, text=True, timeout=PATIENCE, **options)


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

    def __init__(self, started: Started, backend: Backend) -> None:
        self.place = started._place
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
def running(text: str, **settings) -> Iterator[Running]:
    """Run the real nginx with a configuration as people write it."""
    with closing(Backend()) as backend, start(Nginx(text, **settings), backend.address) as started:
        yield Running(started, backend)
