r"""A PHP script for real: the php of this machine, with the lab in the place of every host but loopback.

    script ─▶ rewrite.php (PHP's own tokenizer) ─▶ script.php ─▶ php, prepend.php before it ─▶ the lab's server

The two PHP files lie beside this one, and are copied into the private folder of each run.
"""

from __future__ import annotations

import json
import math
import re
import signal
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from textwrap import shorten
from typing import Any

from labkit.dissection import dissect
from labkit.errors import Absent, Failed, WrongUse
from labkit.net.listener import Listener
from labkit.net.patience import check_patience
from labkit.net.process import MOST_KEPT, Finished, run_child
from labkit.net.programs import Program, find
from labkit.net.ran import Ran, named, readable
from labkit.net.reach import in_place
from labkit.trace import Direction, Trace
from labkit.wire.http1 import RequestHead

__all__ = ["Changed", "PhpRan", "php"]

_MOST_SCRIPT = 1 << 20  # bytes
_MOST_SAID = 16 << 20  # bytes that rewrite.php may say of a script; a change is at least 9 bytes of it
_GRACE = 5  # seconds after which a script ends itself, where nobody is left to end it
_READING = 10.0  # seconds for rewrite.php
_MOST_CHANGES = 20  # that are shown
_LEAST = (8, 0)  # the PHP that has PhpToken
_MOST_LAST = 16 << 10  # bytes at the end of what PHP says that are read for its last words
_MOST_MEANING = 300  # characters
_TOO_LARGE = 25  # SIGXFSZ, which Windows has not
_NO_MEMORY = b"Out of memory"  # PHP's last words where the system gives it none; the code is 255, later 1
_FATAL = 255  # the exit code after an error of PHP's own
_TLS = (b"\x16\x03", b"CONNECT ")  # how TLS begins (RFC 8446, 5.1), and a way through a proxy to it
_MEANT = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::(\d*))?", re.IGNORECASE)  # a Host field

_NO_PROGRAMS = ("exec", "shell_exec", "system", "passthru", "proc_open", "popen", "pcntl_exec", "pcntl_fork")
_SETTINGS = {  # over those of this machine's php.ini, which tells what extensions there are
    "auto_append_file": "",
    "display_errors": "stderr",
    "display_startup_errors": "0",
    "error_reporting": "32767",  # E_ALL
    "log_errors": "0",  # to the terminal they would come twice
    "html_errors": "0",
    "memory_limit": "128M",
    "disable_functions": ",".join([*_NO_PROGRAMS, "mail", "dl"]),
    "ffi.enable": "0",
}
_READER = {"auto_prepend_file": "", "memory_limit": "1G"}  # a script of 1 MiB may have a million tokens

# What PHP says last, and what it means; the code is 255 after all of them, but see _NO_MEMORY.
_ENDS: tuple[tuple[str, str], ...] = (
    (r"^Out of memory\s*\Z", "the system gave it no more memory: Out of memory"),
    (r"^Parse error: +(?:syntax error, )?(.+) in .+ on line (\d+)", "the script has a syntax error: line {2}: {1}"),
    (
        rf"^Fatal error: +Uncaught Error: Call to undefined function ({'|'.join(_NO_PROGRAMS)})\(\) in \S+:(\d+)",
        "line {2}: the lab's PHP starts no programs, and has no {1}",
    ),
    (
        r"^Fatal error: +Allowed memory size of (\d+) bytes exhausted .*in .+ on line (\d+)",
        "line {2}: it asked for more memory than the {1} bytes that it may have",
    ),
    (  # from a function that stands in the place of PHP's own
        r"^Fatal error: +Uncaught (.+), called in script\.php on line (\d+) and defined in",
        "nothing caught an exception: line {2}: {1}",
    ),
    (
        r"^Fatal error: +Uncaught ((?s:.+?)) in \S+:(\d+)\n(?:Stack trace|\n)",
        "nothing caught an exception: line {2}: {1}",
    ),
    (r"^Fatal error: +(.+) in .+ on line (\d+)", "a fatal error ended it: line {2}: {1}"),
    ("", "a fatal error ended it, or the script said exit(255)"),
)


@dataclass(frozen=True, slots=True)
class Changed:
    r"""A word of a script that the lab changed, so that it reaches the lab.

    Args:
        line: its line, from 1.
        was: how the script has it.
        now: how PHP was given it.

    >>> print(Changed(3, "curl_init", "\\labkit\\curl_init"))
    line 3: curl_init -> \labkit\curl_init
    """

    line: int
    was: str
    now: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.was} -> {self.now}"


@dataclass(frozen=True, repr=False)
class PhpRan(Ran):
    """A script's run; beside what every run has, the words that the lab changed in it.

    Args:
        changed: each of them, in the script's order.
    """

    changed: tuple[Changed, ...] = ()

    def _last(self) -> list[str]:
        left = len(self.changed) - _MOST_CHANGES
        more = [f"[changed: {left} more]"] if left > 0 else []
        return [*super()._last(), *(f"[changed: {each}]" for each in self.changed[:_MOST_CHANGES]), *more]


def php(script: str, *, to: Listener | None = None, patience: float = 5.0) -> PhpRan:
    r"""Run a PHP script with the real php, and return what it printed and what crossed the wire.

    `http://example.com` and any other host is answered by the lab's server, without a changed byte in the
    request: each cURL handle is given CURLOPT_CONNECT_TO, sockets are opened to the lab, and PHP's own http://
    (`file_get_contents`) takes the lab for its proxy. For that a few function names of the script are
    changed, in their lines; `changed` lists them. 127.0.0.1, localhost and [::1] go where they say; not so
    in PHP's own http://, where every request comes to the lab.

    It is no sandbox: a name put together at run time (`'curl_' . 'init'`), `socket_connect`, or a proxy that the
    script sets leaves the lab. It runs in a private folder, and opens no files outside; it starts no programs;
    and it is ended when its time, its memory (128 MiB), or what it may write (64 MiB to its outputs, 128 MiB to a file)
    is used up.

    Args:
        script: the text of the script; what stands outside `<?php` and `?>` is printed as it is.
        to: the server, or a tap, that answers; unless told the one server that runs, and where none does, one
            that is started for this run.
        patience: the most seconds it may run.

    Raises:
        Absent: no php is here, or it has no cURL and the script calls for it.
        WrongUse: the script is no text, or too long; several servers run, and none was named.
        Failed: php could not read the script.

    >>> php("<?php echo 6 * 7;").printed if find("php") else "42"
    '42'
    """
    text = _checked(script, patience)
    program = find("php").required()
    with tempfile.TemporaryDirectory(prefix="labkit-php-", ignore_cleanup_errors=True) as folder:
        place = _Place(program, Path(folder).resolve(), text)
        read = place.read()
        with in_place(to) as reached:
            done = place.run(reached.place, patience)
            traces = named(reached.traces(), f"PHP {program.version}")
        code = done.code
        return PhpRan(
            program=f"PHP {program.version}" + (f", libcurl {read.libcurl}" if read.libcurl else ""),
            command="php script.php",
            code=code,
            meaning=_meaning(done, place.stripped(done.err), traces, read),
            out=place.stripped(done.out),
            err=place.stripped(done.err),
            dropped=done.dropped,
            traces=traces,
            notes=tuple(_notes(text, read, traces, reached.port)),
            changed=read.changed,
        )


def _checked(script: object, patience: object) -> bytes:
    if not isinstance(script, str):
        raise WrongUse(f"script is the text of a PHP script, not {type(script).__name__}; read a file with read_text()")
    check_patience(patience)
    try:
        text = script.encode()
    except UnicodeEncodeError as error:
        line = script.count("\n", 0, error.start) + 1
        raise WrongUse(f"line {line} of the script has half a character in it: {script[error.start]!a}") from None
    if len(text) > _MOST_SCRIPT:
        raise WrongUse(f"the script has {len(text)} bytes; the lab runs at most {_MOST_SCRIPT}")
    return text


@dataclass(frozen=True, slots=True)
class _Read:
    """What rewrite.php said of a script."""

    libcurl: str
    curl: bool
    php: bool
    changed: tuple[Changed, ...]


class _Place:
    """The private folder of one run, with the script and the lab's two in it."""

    def __init__(self, program: Program, folder: Path, text: bytes) -> None:
        self._program = program
        self._folder = folder
        (folder / "script.php").write_bytes(text)
        for name in ("rewrite.php", "prepend.php"):
            (folder / name).write_bytes((files("labkit.net") / name).read_bytes())

    def read(self) -> _Read:
        """Change the script's words, and return what was changed."""
        version = tuple(int(number) for number in self._program.version.split(".")[:2] if number)
        if version < _LEAST:
            raise Absent(
                f"the lab needs PHP 8.0 or newer; {self._program.path} is {self._program.version or 'unknown'}"
            )
        done = self._php(["rewrite.php", "script.php"], _READER, _READING, _MOST_SAID)
        (self._folder / "rewrite.php").unlink(missing_ok=True)
        try:
            said: dict[str, Any] = json.loads(done.out)
            changed = tuple(Changed(*each) for each in said.get("changed", ()))
            tokenizer, curl, libcurl, is_php = (said.get(name) for name in ("tokenizer", "curl", "libcurl", "php"))
        except (ValueError, TypeError, AttributeError, RecursionError):  # what runs here is no php
            why = done.ended or self.stripped(done.err).decode("utf-8", "replace").strip()[:300]
            raise Failed(f"php could not read the script: {why or f'exit {done.code}'}") from None
        if not tokenizer:
            raise Absent("this php has no tokenizer; install it: sudo apt install php-common")
        if curl and not libcurl:
            raise Absent("this php has no cURL, and the script calls for it; install it: sudo apt install php-curl")
        return _Read(str(libcurl or ""), bool(curl), bool(is_php), changed)

    def run(self, address: str, patience: float) -> Finished:
        """Run the script, with the lab at an address."""
        alarm = math.ceil(patience) + _GRACE
        own = {
            "auto_prepend_file": f"{self._folder}/prepend.php",
            "labkit.address": f'"{address}"',
            "labkit.alarm": str(alarm),
        }
        return self._php(["script.php"], own, patience)

    def _php(self, words: Sequence[str], settings: dict[str, str], patience: float, most: int = MOST_KEPT) -> Finished:
        private = {"open_basedir": f"{self._folder}/", "sys_temp_dir": str(self._folder)}
        flags = [f"-d{name}={value}" for name, value in (_SETTINGS | private | settings).items()]
        return run_child([self._program.path, *flags, *words], patience=patience, folder=self._folder, most=most)

    def stripped(self, data: bytes) -> bytes:
        """Return an output without the private folder's name: `script.php` is all that a reader knows."""
        folder = re.escape(str(self._folder).encode())
        return re.sub(folder + rb"(/(?=\w))?", lambda found: b"" if found[1] else b".", data)


def _meaning(done: Finished, said: bytes, traces: Sequence[Trace], read: _Read) -> str:
    if done.code is None:
        waits = read.curl and any(dissect(trace).status == 101 for trace in traces)
        return done.ended + (": after a 101 curl_exec waits for ever unless CURLOPT_TIMEOUT is set" if waits else "")
    if done.code == -_TOO_LARGE:
        return "it wrote more than it may into one file, its output or another: 128 MiB"
    if done.code < 0:
        known = -done.code in set(signal.Signals)
        return f"{signal.Signals(-done.code).name if known else f'signal {-done.code}'} ended it"
    if done.code == 0:
        return "the script ran to its end"
    if done.code != _FATAL and not said.rstrip().endswith(_NO_MEMORY):
        return f"the script said exit({done.code})"
    text = readable(said[-_MOST_LAST:])
    ends = ((re.search(pattern, text, re.MULTILINE), sentence) for pattern, sentence in _ENDS)
    sentence = next(sentence.format(found[0], *found.groups()) for found, sentence in ends if found)
    return shorten(sentence, _MOST_MEANING, placeholder=" …")


def _notes(text: bytes, read: _Read, traces: Sequence[Trace], port: int) -> Iterator[str]:
    if text and not read.php:
        yield "no <?php in it: PHP prints it as it is"
    if any(trace.stream(Direction.TO_SERVER).startswith(_TLS) for trace in traces):
        yield "the lab's server speaks no TLS: write http:// in place of https://"
    for host in dict.fromkeys(map(_host, traces)):
        found = _MEANT.fullmatch(host)
        if found and found[1] != str(port):
            yield f"a request for {host} came to the lab, as all of PHP's own http:// do: take cURL or a socket there"


def _host(trace: Trace) -> str:
    exchange = dissect(trace).exchange
    value = exchange.request.value if exchange and exchange.request else None
    return (value.fields.get("Host") or "") if isinstance(value, RequestHead) else ""
