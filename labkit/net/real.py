"""A real proxy program, started from a described proxy: in a private folder, on a free port, stopped for sure.

    proxy ─▶ completed(Place) ─▶ FOLDER/nginx.conf ─▶ the program ─▶ it answers: Started ─▶ SIGTERM, then SIGKILL

Where this process is root's, the program runs as nobody, as servers do; else as the user that this one runs as.
A program that would name the address that it dials, and not the host that its configuration names, dials a socket in
its folder (`Proxy.by_socket`), which leads to what is behind it.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO

from labkit.errors import Failed, WrongUse
from labkit.net.address import parse_address
from labkit.net.patience import check_patience
from labkit.net.ports import answers, held_ports
from labkit.net.process import bounded, clean_environment, running_child
from labkit.net.programs import Program, find, is_root
from labkit.net.proxy_programs import HOW, built_in, modules, said
from labkit.net.socket_door import can_stand, socket_door
from labkit.proxies.described import Place, Proxy

__all__ = ["Started", "start"]

_LOOK = 0.005  # seconds between two looks whether it answers yet
_STOP_TIME = 1.0  # seconds to end by itself, once it is told to
_TRIES = 3  # where another program takes the port first
_MOST_LOG = 1 << 20  # bytes of what it says
_MOST_WRITTEN = 64 << 20  # bytes of one file
_MOST_PORTS = 100
_NOBODY = 65534
_GUARD = 'read -r _; kill -9 "-$1"; rm -rf -- "$2"'  # its input ends where this process does, however that ends
_TAKEN = re.compile(r"Address already in use|address already in use|cannot bind socket", re.IGNORECASE)
_TOLD = re.compile(r"# line (\d+)$")
_RUNNING: set[ExitStack] = set()


class Started:
    """A proxy program that runs; `start` makes it.

    Args:
        proxy: what it is described by.
        program: the program, and its version.
        place: where it runs.
        text: the configuration that it was given.

    `pid` is the number of its first process.
    """

    def __init__(self, proxy: Proxy, program: Program, place: Place, text: str) -> None:
        self.proxy = proxy
        self.program = program
        self.text = text
        self._place = place
        self._kept: str | None = None
        self._ended = ""
        self.pid = 0

    @property
    def port(self) -> int:
        """The port that it listens on, of 127.0.0.1."""
        return self._place.port

    @property
    def url(self) -> str:
        """Its address as an http URL."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def log(self) -> str:
        """What it has said so far: standard error and its error log, without the private folder's name."""
        if self._kept is not None:
            return self._kept
        folder = Path(self._place.folder)
        files = [folder / "stderr", *sorted(each for each in folder.glob("*error*") if each.is_file())]
        return self._stripped("".join(map(_text, files)))

    @property
    def said(self) -> tuple[str, ...]:
        """What its log says of something that went wrong, shortened; lines are those of the text as it was given."""
        told = said(self.proxy.program, self._translated(self.log))
        return (*told, self._ended) if self._ended else told

    @property
    def named(self) -> str:
        """Its name and version, and that it is no model: "nginx 1.22.1, real"."""
        return f"{self.proxy.name} {self.program.version}, real"

    def keep(self) -> None:
        """Keep what it said: its folder goes away."""
        self._kept = self.log

    def look(self, process: subprocess.Popen[bytes]) -> None:
        """Note where it ended by itself."""
        if process.poll() is not None:
            self._ended = f"it ended by itself, {_how(process)}"

    def _stripped(self, text: str) -> str:
        text = re.sub(re.escape(self._place.folder) + r"/?", "", text)
        for port, word in ((self._place.upstream.rpartition(":")[2], "UPSTREAM"), (str(self.port), "PORT")):
            text = re.sub(rf"(?<=:){re.escape(port)}\b", word, text)
        return text

    def _translated(self, text: str) -> str:
        """Say lines of the configuration as they are numbered in the text that it was made from."""
        file = re.escape(HOW[self.proxy.program].file)
        for form, words in ((r"line (\d+) of %s", "%s"), (r" in %s:(\d+)", " on %s"), (r"\[?%s:(\d+)\]?", "%s")):
            text = re.sub(form % file, lambda found: words % self._line(int(found[1])), text)  # noqa: B023  at once
        return text

    def _line(self, number: int) -> str:
        if line := self.proxy.line_of(self._place, number):
            return f"line {line}"
        return self._lines.get(number, f"line {number} of the completed configuration")

    @cached_property
    def _lines(self) -> dict[int, str]:
        """The lines of the text that those of the completed configuration are made from.

        For proxies that do not keep it themselves, see `Proxy.line_of`. Where a comment says it, that; else the
        k-th line of some words is the k-th one of these words there.
        """
        places: dict[tuple[str, ...], list[int]] = {}
        for number, line in enumerate(self.proxy.text.splitlines(), 1):
            places.setdefault(_words(line), []).append(number)
        found = {}
        for number, line in enumerate(self.text.splitlines(), 1):
            if told := _TOLD.search(line):
                found[number] = f"line {told[1]}"
            elif (words := _words(line)) and places.get(words):
                found[number] = f"line {places[words].pop(0)}"
        return found

    def __repr__(self) -> str:
        return f"<Started {self.named}, port {self.port}>"


def _words(line: str) -> tuple[str, ...]:
    return tuple(re.sub(r"([{};])", r" \1 ", line).split())


def _text(file: Path) -> str:
    """Return the last bytes of a file, as a text; empty where it cannot be read."""
    try:
        with file.open("rb") as opened:
            opened.seek(max(0, os.fstat(opened.fileno()).st_size - _MOST_LOG))
            return opened.read(_MOST_LOG).decode("utf-8", "replace")
    except OSError:
        return ""


@contextmanager
def start(proxy: Proxy, upstream: str, *, listens: bool = True, patience: float = 5.0) -> Iterator[Started]:
    """Start the real program of a proxy, wait until it answers, and stop it when the `with` block is left.

    Args:
        proxy: what it is described by, such as `Nginx(text)`.
        upstream: HOST:PORT, where its upstreams are to be.
        listens: whether anybody listens there; where not, no socket stands before it, for that would take connections.
        patience: the most seconds until it answers.

    Raises:
        Absent: the program is not on this machine.
        Failed: it does not start; in its own words.

    >>> from labkit.proxies.haproxy import Haproxy
    >>> if find("haproxy"):
    ...     with start(Haproxy("server one app:3000"), "127.0.0.1:1") as started:
    ...         assert started.url.startswith("http://127.0.0.1:")
    """
    if not isinstance(proxy, Proxy):
        raise WrongUse(f"what is started is a proxy, such as Nginx(text), not {proxy!r}")
    if proxy.program not in HOW:
        raise WrongUse(f"the lab cannot start {proxy.program or proxy!r}; it can start {', '.join(HOW)}")
    check_patience(patience)
    program = find(proxy.program).required()
    with ExitStack() as stack:
        _RUNNING.add(stack)
        stack.callback(_RUNNING.discard, stack)
        for tries in range(_TRIES):
            attempt = stack.enter_context(ExitStack())
            try:
                started = _started(attempt, proxy, program, upstream, patience, listens=listens)
            except _PortTaken as error:
                attempt.close()
                if tries + 1 == _TRIES:
                    raise Failed(str(error)) from None
            else:
                break
        yield started


class _PortTaken(Failed):
    """Another program was given the port first."""


def _started(
    stack: ExitStack, proxy: Proxy, program: Program, upstream: str, patience: float, *, listens: bool
) -> Started:
    """Start it in a folder of its own; whatever there is to end is on the stack."""
    if len(proxy.other_ports) > _MOST_PORTS:
        raise WrongUse(f"the configuration listens on {1 + len(proxy.other_ports)} ports; the lab opens {_MOST_PORTS}")
    ports = stack.enter_context(held_ports(1 + len(proxy.other_ports)))
    folder = stack.enter_context(_folder())
    if proxy.by_socket and listens:
        upstream = _behind_socket(stack, folder, upstream)
    place = Place(str(folder), ports[0], upstream, ports[1:], modules(program), built_in(program))
    started = Started(proxy, program, place, proxy.completed(place))
    how = HOW[proxy.program]
    file = folder / how.file
    file.write_text(started.text, "utf-8")
    err = stack.enter_context((folder / "stderr").open("wb", buffering=0))
    user = _given_away(folder)
    stack.callback(started.keep)
    words = [program.path, *how.words(program, str(folder), str(file))]
    process = stack.enter_context(_running(words, err, folder, user))
    stack.callback(started.look, process)
    started.pid = process.pid
    until = time.monotonic() + patience
    while not answers(place.port):
        if process.poll() is not None:
            raise _why_not(started, f"it ended at once, {_how(process)}")
        if time.monotonic() > until:
            raise _why_not(started, f"it did not answer within {patience:g} s")
        time.sleep(_LOOK)
    return started


def _behind_socket(stack: ExitStack, folder: Path, upstream: str) -> str:
    """Put a socket before an address and return it; the address itself where none can stand, or nobody could enter."""
    file = folder / "upstream"
    if not can_stand(file) or (is_root() and not _enterable(folder)):
        return upstream
    stack.enter_context(socket_door(file, parse_address(upstream)))
    return f"unix:{file}"


def _how(process: subprocess.Popen[bytes]) -> str:
    code = process.returncode
    return f"by signal {-code}" if code < 0 else f"exit {code}"


def _why_not(started: Started, otherwise: str) -> Failed:
    why = ": ".join(each.rstrip(": ") for each in started.said) or otherwise
    told = f"{started.proxy.name} {started.program.version} does not start: {why}"
    return _PortTaken(told) if _TAKEN.search(started.log) else Failed(told)


@contextmanager
def _running(words: list[str], err: IO[bytes], folder: Path, user: int | None) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program, and let it end by itself before it is ended."""
    own = {name: str(folder) for name in ("HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")}
    with running_child(
        words, stdout=err, stderr=err, environment=clean_environment() | own, folder=folder, user=user
    ) as process:
        bounded(process, _MOST_WRITTEN)
        try:
            with _guarded(process, folder):
                yield process
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_TIME)


@contextmanager
def _guarded(process: subprocess.Popen[bytes], folder: Path) -> Iterator[None]:
    """See that a program and its folder go away even where this process is killed, as far as there is a shell."""
    shell = shutil.which("sh")
    if shell is None or not hasattr(os, "killpg"):
        yield
        return
    words = [shell, "-c", _GUARD, "labkit-guard", str(process.pid), str(folder)]
    with running_child(words, stdin=subprocess.PIPE):
        yield


@contextmanager
def _folder() -> Iterator[Path]:
    """Make a private folder, and remove it with all that is in it."""
    folder = Path(tempfile.mkdtemp(prefix="labkit-proxy-")).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _given_away(folder: Path) -> int | None:
    """Give root's folder to nobody, and return whom it is given to; None where nobody could use it."""
    if not is_root() or not _enterable(folder):
        return None
    try:
        for each in (folder, *folder.iterdir()):
            os.chown(each, _NOBODY, _NOBODY)
    except OSError:  # there is no such user, as in some containers
        return None
    return _NOBODY


def _enterable(folder: Path) -> bool:
    """Tell whether everybody can reach what is in a folder, as far as those around it let them."""
    return all(each.stat().st_mode & 0o001 for each in folder.parents)


@atexit.register
def _end_all() -> None:
    for stack in list(_RUNNING):
        stack.close()
