"""A child process, bounded: in time, in what it may write, and in what it may leave behind."""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from labkit.errors import Failed
from labkit.net.machine import for_real

try:
    import resource
except ImportError:  # Windows has no such limit
    resource = None  # type: ignore[assignment]

__all__ = ["MOST_KEPT", "Finished", "bounded", "clean_environment", "run_child", "running_child"]

MOST_KEPT = 1 << 20
"""Bytes that are kept of each of a child's two outputs."""

_MOST_WRITTEN = 64 << 20  # bytes; a child that writes more is ended
_LOOK = 0.02  # seconds between two looks at a child
_PROXIES = ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy", "ws_proxy", "wss_proxy")


@dataclass(frozen=True, slots=True)
class Finished:
    """How a child process ended, and what it wrote.

    Args:
        code: its exit code, below 0 the number of the signal that ended it; None where the lab ended it.
        out: the first bytes of its standard output.
        err: the first bytes of its standard error.
        dropped: how many bytes of both were not kept.
        ended: why the lab ended it, in a few words; empty where it ended by itself.
    """

    code: int | None
    out: bytes = b""
    err: bytes = b""
    dropped: int = 0
    ended: str = ""


def clean_environment() -> dict[str, str]:
    """Return this process's environment less its proxy settings, and with messages in English.

    >>> any(name.lower() == "http_proxy" for name in clean_environment())
    False
    """
    kept = {name: value for name, value in os.environ.items() if name.lower() not in _PROXIES}
    return {**kept, "LC_ALL": "C.UTF-8"}


def run_child(
    command: Sequence[str],
    *,
    patience: float,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    feed: Iterator[bytes | None] | None = None,
    most: int = MOST_KEPT,
) -> Finished:
    """Run a program to its end, or end it, with every process that it started.

    Its outputs go into files that nobody else sees, so a process that outlives it holds up nothing.

    Args:
        command: the program's path and its arguments; no shell.
        patience: the most seconds it may run.
        environment: all of its environment; `clean_environment()` unless told.
        folder: where it runs.
        feed: what it reads from standard input, asked again and again: bytes to write, None for "not
            yet"; its end closes the input. Without it the input is empty.
        most: the most bytes to keep of each output.

    Raises:
        Absent: this Python can start no programs: it runs in a browser.
        Failed: it could not be started.

    >>> import sys
    >>> run_child([sys.executable, "-c", "print(6 * 7)"], patience=30).out.split()
    [b'42']
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        with running_child(
            command,
            stdin=subprocess.DEVNULL if feed is None else subprocess.PIPE,
            stdout=out,
            stderr=err,
            environment=environment,
            folder=folder,
        ) as process:
            ended = _watch(process, patience, (out, err), feed)
            code = process.returncode  # none yet where the lab has to end it
        kept = [_first(each, most) for each in (out, err)]
        dropped = _size(out) + _size(err) - len(kept[0]) - len(kept[1])
        return Finished(code, kept[0], kept[1], dropped, ended)


@contextmanager
def running_child(
    command: Sequence[str],
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int | IO[bytes] = subprocess.DEVNULL,
    stderr: int | IO[bytes] = subprocess.DEVNULL,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    user: int | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program, and end it with every process that it started when the `with` block is left.

    It is ended too where the interpreter ends first. Pipes are not buffered, and are closed at the end.

    Args:
        command: the program's path and its arguments; no shell.
        stdin: `subprocess.PIPE`, say; empty unless told.
        stdout: a file or a pipe; dropped unless told.
        stderr: likewise.
        environment: all of its environment; `clean_environment()` unless told.
        folder: where it runs.
        user: the number of the user, and of the group, that it runs as; those of this process unless told.

    Raises:
        Absent: this Python can start no programs: it runs in a browser.
        Failed: it could not be started.

    >>> import sys
    >>> with running_child([sys.executable, "-c", "print(6 * 7)"], stdout=subprocess.PIPE) as process:
    ...     process.communicate()[0].split()
    [b'42']
    """
    for_real()
    whose: dict[str, Any] = {} if user is None else {"user": user, "group": user, "extra_groups": ()}
    try:
        process = subprocess.Popen(  # noqa: S603  a path that was found by its name; no shell
            command,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=clean_environment() if environment is None else environment,
            cwd=folder,
            bufsize=0,
            start_new_session=True,
            **whose,
        )
    except (OSError, ValueError) as error:
        raise Failed(f"{command[0]} could not be started: {error}") from None
    _RUNNING.add(process)
    try:
        yield process
    finally:
        _end(process)
        _RUNNING.discard(process)


def bounded(process: subprocess.Popen[bytes], most: int) -> None:
    """See that no file that a child writes grows beyond `most` bytes, where the system can be told so."""
    limit = getattr(resource, "prlimit", None)
    if limit is not None:
        with suppress(OSError):
            limit(process.pid, resource.RLIMIT_FSIZE, (most, most))


def _watch(
    process: subprocess.Popen[bytes], patience: float, outputs: Sequence[IO[bytes]], feed: Iterator[bytes | None] | None
) -> str:
    """Wait for the end of a child, and feed it; return why it has to be ended, or nothing where it ended."""
    until = time.monotonic() + patience
    given = _Input(process.stdin, feed)
    while True:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_LOOK)
            return ""
        if time.monotonic() > until:
            return f"it had not ended after {patience:g} s"
        if sum(_size(each) for each in outputs) > _MOST_WRITTEN:
            return f"it wrote more than {_MOST_WRITTEN >> 20} MiB"
        given.go_on()


class _Input:
    """What a child is given to read, as far as it takes it; never waits for it."""

    def __init__(self, pipe: IO[bytes] | None, feed: Iterator[bytes | None] | None) -> None:
        self._pipe = pipe
        self._feed = feed
        self._left = b""
        if pipe is not None and hasattr(os, "set_blocking"):
            os.set_blocking(pipe.fileno(), False)

    def go_on(self) -> None:
        """Write what there is to write, and close the input where nothing more will come."""
        if self._pipe is None or self._feed is None:
            return
        try:
            while self._left or self._next():
                taken = self._pipe.write(self._left)
                if not taken:  # it takes no more for now
                    return
                self._left = self._left[taken:]
        except OSError:  # it reads no more
            self._feed = None

    def _next(self) -> bool:
        """Fetch the next bytes; tell whether there are any yet."""
        assert self._pipe is not None
        assert self._feed is not None
        try:
            self._left = next(self._feed) or b""
        except StopIteration:
            self._pipe.close()
            self._pipe = None
        return bool(self._left)


def _size(file: IO[bytes]) -> int:
    return os.fstat(file.fileno()).st_size


def _first(file: IO[bytes], most: int) -> bytes:
    file.seek(0)
    return file.read(most)


_RUNNING: set[subprocess.Popen[bytes]] = set()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a child and its whole group; it may have ended, and left others behind."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()


@atexit.register
def _end_all() -> None:
    for process in list(_RUNNING):
        _end(process)
