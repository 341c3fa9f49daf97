"""The handshake corpus over real sockets: every case on a fresh connection, to a server on loopback.

Each case has one deadline: `patience` seconds from its last byte sent, or the case's own `wait` where that is
less. What comes within it counts, however slowly or endlessly it comes; what comes later does not. Sending may
take `patience` seconds too, beside short pauses between segments, and 64 KiB are read at most. So no server
can prolong a run.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterable
from time import monotonic, sleep

from labkit.cases.corpus import PLAIN, Case, Judged, Report, cases, complete, judge, outcome
from labkit.dissection import dissect
from labkit.errors import Failed, Refused, WrongUse
from labkit.net.address import Address, check_loopback, parse_address, place
from labkit.net.patience import check_patience
from labkit.recording import Recording
from labkit.trace import Direction, How, Trace
from labkit.wire.uri import ORIGIN

__all__ = ["run_case", "run_corpus"]

_BETWEEN_SEGMENTS = 0.02  # seconds
_CONNECT_TIME = 5.0  # seconds
_MOST_READ = 1 << 16  # bytes taken of what a server sends for one case: their dissection takes time as well
_QUIET = 0.005  # seconds without a byte, after which what has come is looked at
_MOST_PATIENCE = 60.0  # seconds
_WHOLE_TIME = 900.0  # seconds for all of them
_LONGEST_PATH = 1000  # characters
_MOST_SHOWN = 80  # characters of a value that makes no sense
_DECLINED = "The plain offer was declined: is WebSocket spoken at this path? Then little can be told"


def run_corpus(
    target: str,
    path: str = "/",
    *,
    patience: float = 1.0,
    only: Iterable[Case] | None = None,
    told: Callable[[Judged], None] = lambda _: None,
) -> Report:
    """Run the corpus against a server and return how it did.

    Broken requests are sent, so the server must be on loopback; no flag allows another. A run that is broken
    off, by Ctrl-C, by a server that takes no connection (more) or after 900 s, returns what it has, and says
    why in its note.

    Args:
        target: HOST:PORT, or a URL; its path counts where `path` is not told.
        path: where the server speaks WebSocket.
        patience: the seconds that a server has for each case, from the last byte sent; a case may say less.
        only: some of the cases; all unless told.
        told: called with each case as it is judged.

    Raises:
        Refused: the server is not on loopback.
        WrongUse: the target, the path or the patience makes no sense.
    """
    address = _address(target)
    path = _path(address.target if path == "/" else path)
    check_patience(patience, _MOST_PATIENCE)
    chosen = list(cases() if only is None else only)
    rows: list[Judged] = []
    notes: list[str] = []
    interrupted = False
    try:
        plain = outcome(run_case(address, cases()[0], path, patience=patience))
        if plain.words[-1:] != ("101",):
            notes.append(_DECLINED)
        until = monotonic() + _WHOLE_TIME
        for case in chosen:
            if monotonic() > until:
                notes.append(_broken_off(rows, chosen, f"{_WHOLE_TIME:g} s are over: ask with less patience"))
                break
            found = plain if case.id == PLAIN else outcome(run_case(address, case, path, patience=patience))
            rows.append(judge(case, found, plain))
            told(rows[-1])
    except Failed as error:
        notes.append(_broken_off(rows, chosen, str(error)))
    except KeyboardInterrupt:
        interrupted = True
        notes.append(_broken_off(rows, chosen, "interrupted"))
    whole = len(rows) == len(chosen)
    return Report(f"{address.authority}{path}", tuple(rows), ". ".join(notes), whole, interrupted)


def _broken_off(rows: list[Judged], chosen: list[Case], why: str) -> str:
    return f"Broken off after {len(rows)} of {len(chosen)} cases: {why}"


def _address(target: str) -> Address:
    try:
        address = parse_address(target)
        check_loopback(address.host, allow_remote=False)
    except Refused:
        host = address.host[:_MOST_SHOWN]
        text = f"{host} is not this machine: the corpus sends broken requests, to servers on loopback alone"
        raise Refused(text) from None
    except WrongUse:
        if len(target) <= _MOST_SHOWN:
            raise
        raise WrongUse(f"{_shown(target)} is no address: write HOST:PORT, such as 127.0.0.1:8101") from None
    if address.tls:
        raise WrongUse(f"{_shown(target)}: the corpus speaks plain HTTP: write HOST:PORT, or a ws URL")
    return address


def _path(path: str) -> str:
    if len(path) > _LONGEST_PATH:
        raise WrongUse(f"a path has at most {_LONGEST_PATH:,} characters here, not {len(path):,}: {_shown(path)}")
    if not ORIGIN.fullmatch(path) or "?" in path:
        raise WrongUse(f"{_shown(path)} is no path: write /chat, without a query, other characters as %XX")
    return path


def _shown(value: str) -> str:
    return repr(value if len(value) <= _MOST_SHOWN else f"{value[: _MOST_SHOWN - 1]}…")


def run_case(address: Address, case: Case, path: str = "/", *, patience: float = 1.0) -> Trace:
    """Send one case on a connection of its own and return what crossed it.

    Raises:
        Failed: no connection could be made.
    """
    recording = Recording(monotonic)
    try:
        connection = socket.create_connection((address.host, address.port), timeout=_CONNECT_TIME)
    except OSError as error:
        where, why = place(address.host, address.port), error.strerror or error
        raise Failed(f"case {case.id}: {where} takes no connection: {why}; does it run?") from None
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _send(connection, case.segments(path), recording, patience)
        _listen(connection, case, recording, monotonic() + min(case.wait or patience, patience))
    return recording.trace(case.id, "recorded by the corpus")


def _send(connection: socket.socket, segments: list[bytes], recording: Recording, patience: float) -> None:
    """Send the segments; a server that closes or stalls before they are all out has answered, or will not."""
    left = patience
    for number, segment in enumerate(segments):
        if number:
            sleep(_BETWEEN_SEGMENTS)
        recording.add(Direction.TO_SERVER, segment)
        connection.settimeout(max(left, 0))
        began = monotonic()
        with contextlib.suppress(OSError):
            connection.sendall(segment)
        left -= monotonic() - began


def _listen(connection: socket.socket, case: Case, recording: Recording, until: float) -> None:
    """Read until the case has its answers, the server closes, or time or room ends.

    Looking takes as long as what has come is long, so it is done when that has doubled, or at a pause.
    """
    read = looked = 0
    while read < _MOST_READ and (left := until - monotonic()) > 0:
        connection.settimeout(min(left, _QUIET) if looked < read else left)
        try:
            data = connection.recv(_MOST_READ - read)
        except TimeoutError:
            data = None
        except OSError:
            recording.end(Direction.TO_CLIENT, How.RESET)
            return
        if data == b"":
            recording.end(Direction.TO_CLIENT, How.FIN)
            return
        if data:
            recording.add(Direction.TO_CLIENT, data)
            read += len(data)
        if looked < read < _MOST_READ and (not data or read >= 2 * looked):
            looked = read
            if _enough(recording.trace(), case):
                return


def _enough(trace: Trace, case: Case) -> bool:
    view = dissect(trace).hops[0]
    return bool(view.protocol) or complete(view) >= case.answers
