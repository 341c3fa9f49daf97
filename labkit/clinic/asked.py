"""`why`: what was given, and whom to ask."""

from __future__ import annotations

import re
from pathlib import Path

from labkit.clinic.configurations import of_configuration, read_configuration
from labkit.clinic.diagnosis import Diagnosis
from labkit.clinic.messages import of_message
from labkit.clinic.traces import of_trace
from labkit.errors import Unreadable, WrongUse
from labkit.formats.jsonl import load
from labkit.proxies.described import Proxy
from labkit.trace import Trace

__all__ = ["URL", "why"]

URL = re.compile(r"(wss?|https?)://\S+")
"""What is taken for a URL to ask."""

_MOST_FILE = 8 << 20  # bytes


def why(what: object, *, path: str = "", patience: float = 5.0, allow_remote: bool = False) -> Diagnosis:
    """Say why an upgrade fails: the likeliest cause, who, the clause, what to change, and what proves it.

    Args:
        what: an error message or a few lines of a log; a configuration of nginx or Apache, as text or as
            `Nginx(text)`; a trace, or the name of a file with a trace or a configuration; or a URL to ask.
        path: for a configuration, the request-target to ask for; unless told each that leads to an upstream.
        patience: for a URL, the most seconds to wait for its answer.
        allow_remote: allow a URL beyond loopback.

    Raises:
        WrongUse: it is none of these, or nothing in it is known.
        Unreadable: the file cannot be read.
        Refused: the URL is not on loopback.

    >>> why("Unexpected response code: 400").who
    'proxy'
    """
    if isinstance(what, Proxy):
        return of_configuration(what, path)
    if isinstance(what, Trace):
        return of_trace(what, "trace.check()")
    if isinstance(what, Path):
        return _file(what, path)
    if not isinstance(what, str) or not what.strip():
        raise WrongUse(f"say what went wrong: a message, a configuration, a trace or a URL; not {what!r}")
    if URL.fullmatch(what.strip()):
        from labkit.net.client import exchange  # noqa: PLC0415  sockets, and only where a server is asked

        outcome = exchange(what.strip(), patience=patience, allow_remote=allow_remote)
        return of_trace(outcome.trace, f"labkit trace {what.strip()}")
    if "\n" not in what and _is_file(what):
        return _file(Path(what), path)
    proxy = read_configuration(what)
    return of_configuration(proxy, path) if proxy else _message(what)


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _file(file: Path, path: str) -> Diagnosis:
    if not _is_file(str(file)) and file.exists():
        raise Unreadable(f"{file} is no file that could be read to its end")
    try:
        with file.open("rb") as opened:
            data = opened.read(_MOST_FILE + 1)
    except (OSError, ValueError) as error:
        raise Unreadable(f"{file}: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > _MOST_FILE:
        raise Unreadable(f"{file} has more than {_MOST_FILE} bytes; the clinic reads no more")
    if data.lstrip().startswith(b'{"'):
        return of_trace(load(file), f"labkit check {file}")
    text = data.decode("utf-8", "replace")
    proxy = read_configuration(text)
    return of_configuration(proxy, path, f"labkit why {file}") if proxy else _message(text)


def _message(text: str) -> Diagnosis:
    found = of_message(text)
    if found is None:
        raise WrongUse(
            "no failure of the catalogue looks like this: paste the message as it was printed, the configuration or a "
            "trace (labkit tap --to HOST:PORT -o hop.jsonl); `labkit cases` lists what is known"
        )
    return found
