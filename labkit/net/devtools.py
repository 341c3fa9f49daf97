r"""A browser's DevTools protocol over two pipes: commands go in, answers and events come out, each ended by a NUL.

    lab ── {"id": 1, "method": "Page.enable"}\0 ──▶ browser
    lab ◀── {"id": 1, "result": {}}\0 ───────────── browser
    lab ◀── {"method": "Log.entryAdded", …}\0 ───── browser

A browser that is driven so opens no port that others could use, and ends when its pipe is closed: none outlives the
lab, however the lab ends.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

from labkit.errors import Failed

__all__ = ["MOST_MESSAGE", "DevTools", "piped"]

MOST_MESSAGE = 32 << 20
"""Bytes of one message of the browser's; a longer one ends the connection."""

_READ = 1 << 16  # bytes, as much as a pipe holds
# The protocol's descriptors are 3 and 4; a child is given 0 and 1, and the shell moves them.
_MOVED = ("/bin/sh", "-c", 'exec "$@" 3<&0 4>&1 </dev/null 1>&2', "sh")


def piped(command: Sequence[str]) -> list[str]:
    """Return the command of a browser with its DevTools protocol on standard input and output.

    Args:
        command: the browser's path and its arguments.

    >>> piped(["/usr/bin/chromium", "--headless=new"])[-3:]
    ['/usr/bin/chromium', '--headless=new', '--remote-debugging-pipe']
    """
    return [*_MOVED, *command, "--remote-debugging-pipe"]


class DevTools:
    """The lab's end of the two pipes; it reads only while it is told to.

    Args:
        process: the browser, started by the command of `piped`, its standard input and output being pipes.
        hear: called with the name and the parameters of every event.
    """

    def __init__(self, process: subprocess.Popen[bytes], hear: Callable[[str, dict[str, Any]], None]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin.fileno(), process.stdout.fileno()
        for pipe in (self._in, self._out):
            os.set_blocking(pipe, False)
        self._hear = hear
        self._session = ""
        self._sent = 0
        self._awaited: dict[int, Callable[[dict[str, Any]], None]] = {}
        self._waiting = bytearray()  # bytes to be written
        self._read = bytearray()
        self._looked = 0  # how many bytes of them are known to hold no NUL
        self.over = ""
        """Why nothing more will come, in a few words; empty while the connection stands."""

    def post(self, method: str, then: Callable[[dict[str, Any]], None] = lambda _: None, **parameters: Any) -> None:
        """Send a command, without waiting.

        Args:
            method: its name, such as `Page.navigate`.
            then: called with the whole answer, once it comes.
            parameters: the command's own.
        """
        self._sent += 1
        self._awaited[self._sent] = then
        command = {"id": self._sent, "method": method, "params": parameters}
        if self._session:
            command["sessionId"] = self._session
        self._waiting += json.dumps(command).encode() + b"\0"

    def call(self, method: str, until: float, **parameters: Any) -> dict[str, Any]:
        """Send a command, wait for its answer, and return its result; events are heard meanwhile.

        Args:
            method: its name.
            until: the moment of the monotonic clock when waiting ends.
            parameters: the command's own.

        Raises:
            Failed: there was no answer in time, or the browser says that it cannot.
        """
        answers: list[dict[str, Any]] = []
        self.post(method, answers.append, **parameters)
        while not answers:
            if not self.listen(until):
                raise Failed(f"the browser did not answer {method}: {self.over or 'its time was over'}")
        if "error" in answers[0]:
            raise Failed(f"the browser could not do {method}: {answers[0]['error'].get('message', '')}")
        result: dict[str, Any] = answers[0].get("result", {})
        return result

    def attach(self, until: float) -> None:
        """Open an empty page; from here on every command is for that page.

        Raises:
            Failed: the browser opened none in time.
        """
        page = self.call("Target.createTarget", until, url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", until, targetId=page, flatten=True)["sessionId"]

    def listen(self, until: float) -> bool:
        """Wait for one message, and pass it on; return whether one came.

        Args:
            until: the moment of the monotonic clock when waiting ends.
        """
        message = self._next(until)
        if message is None:
            return False
        if "id" in message:
            self._awaited.pop(message["id"])(message)
        else:
            self._hear(message.get("method", ""), message.get("params", {}))
        return True

    def _next(self, until: float) -> dict[str, Any] | None:
        """Return the next message; None where the time or the connection is over."""
        while not self.over:
            end = self._read.find(b"\0", self._looked)
            if end >= 0:
                data = bytes(self._read[:end])
                del self._read[: end + 1]
                self._looked = 0
                message: dict[str, Any] = json.loads(data.decode("utf-8", "replace"))
                return message
            self._looked = len(self._read)
            left = until - monotonic()
            if left <= 0:
                return None
            self._move(left)
        return None

    def _move(self, seconds: float) -> None:
        """Wait for either pipe, write what it takes, and read what is there."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._out, selectors.EVENT_READ)
            if self._waiting:
                selector.register(self._in, selectors.EVENT_WRITE)
            ready = [key.fd for key, _ in selector.select(seconds)]
        try:
            if self._in in ready:
                del self._waiting[: os.write(self._in, self._waiting)]
            if self._out in ready:
                data = os.read(self._out, _READ)
                self._read += data
                self.over = "" if data else "it has ended"
        except OSError:
            self.over = "it has ended"
        if len(self._read) > MOST_MESSAGE:
            self.over = f"a message of more than {MOST_MESSAGE >> 20} MiB came from it"
