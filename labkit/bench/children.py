"""Child processes with an owner: each ends, at the latest, with the block that started it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from labkit.bench.load import PATIENCE
from labkit.errors import Absent, Failed
from labkit.net.machine import for_real

__all__ = ["Child", "Load", "Refuted", "child", "load", "port_of", "relaying", "rival", "serving"]

_END_TIME = 5.0  # seconds a child has to end when it is told to


class Child:
    """A running process whose lines are read with patience."""

    def __init__(self, name: str, process: subprocess.Popen[str], patience: float) -> None:
        self._name = name
        self._process = process
        self._patience = patience

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def line(self) -> str:
        """Return its next line of output.

        Raises:
            Failed: it ended, or said nothing for too long, which ends it.
        """
        assert self._process.stdout is not None
        watch = threading.Timer(self._patience, self._process.kill)
        watch.daemon = True  # should this be interrupted before it is cancelled, it holds up no end
        try:
            watch.start()
            line = self._process.stdout.readline()
        finally:
            watch.cancel()
        if not line:
            raise Failed(f"{self._name} ended, or said nothing for {self._patience:g} s")
        return line.rstrip("\n")

    def tell(self, line: str) -> None:
        """Give it a line of input."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()


@contextmanager
def child(*arguments: str, patience: float = PATIENCE, apart: bool = False) -> Iterator[Child]:
    """Run `python arguments…` while the block lasts.

    Args:
        arguments: of Python.
        patience: the most seconds to wait for a line of it.
        apart: keep a terminal's Ctrl-C from it; for one that ends with its input, should this process be killed.

    Raises:
        Absent: this Python runs in a browser.
    """
    for_real()
    process = subprocess.Popen(  # noqa: S603  this Python, our own modules
        [sys.executable, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        process_group=0 if apart and os.name == "posix" else -1,
    )
    try:
        yield Child(f"python {' '.join(arguments)}", process, patience)
    finally:
        assert process.stdin is not None
        with suppress(OSError):  # it has ended already, with something unread
            process.stdin.close()
        process.terminate()
        try:
            process.wait(_END_TIME)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stdout is not None
        process.stdout.close()


@contextmanager
def serving(*options: str) -> Iterator[int]:
    """Run `labkit serve` with these options while the block lasts; give its port."""
    with child("-m", "labkit", "serve", "--port", "0", *options) as server:
        yield port_of(server)


@contextmanager
def rival(name: str = "websockets") -> Iterator[int]:
    """Run another server, one of `RIVALS`, while the block lasts; give its port.

    Raises:
        Absent: it is not installed.
    """
    with child("-m", "labkit.bench.rival", name) as server:
        yield port_of(server)


@contextmanager
def relaying(port: int) -> Iterator[int]:
    """Run the embedded proxy before the server at a port while the block lasts; give the proxy's port."""
    with child("-m", "labkit.bench.passing", str(port)) as proxy:
        yield port_of(proxy)


def port_of(server: Child) -> int:
    """Return the port that a child says it listens on.

    Raises:
        Absent: it says that it is not installed.
    """
    line = server.line()
    if line.startswith("absent: "):
        raise Absent(line)
    return int(line.rpartition(":")[2])


class Load:
    """The process that makes the load."""

    def __init__(self, process: Child) -> None:
        self._process = process

    def rate(self, order: str, port: int, count: int, **details: int) -> float:
        """Have `count` messages or handshakes made; return how many went through in a second.

        Raises:
            Refuted: what came back is not what was sent.
        """
        return count / float(self.ask(order, port=port, count=count, **details)["seconds"])

    def ask(self, order: str, **details: object) -> dict[str, Any]:
        """Give an order of `labkit.bench.load`; return the answer.

        Raises:
            Refuted: it could not be carried out.
            Failed: the process has ended.
        """
        try:
            self._process.tell(json.dumps({"order": order, **details}))
        except OSError:
            raise Failed("the process that makes the load has ended") from None
        answer: dict[str, Any] = json.loads(self._process.line())
        if "problem" in answer:
            raise Refuted(f"{order} at port {details.get('port')}: {answer['problem']}")
        return answer


class Refuted(Failed):
    """An order that the load could not carry out; the next one may go better."""


@contextmanager
def load() -> Iterator[Load]:
    """Run the load's process while the block lasts."""
    with child("-m", "labkit.bench.load", patience=3 * PATIENCE, apart=True) as process:
        yield Load(process)
