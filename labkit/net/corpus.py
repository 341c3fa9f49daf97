"""The handshake corpus over real sockets: every case on a fresh connection, to a server on loopback."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Callable, Iterable
from time import monotonic, sleep

from labkit.cases.corpus import PLAIN, Case, Judged, Outcome, Report, cases, complete, judge, outcome
from labkit.dissection import dissect
from labkit.errors import Failed, Refused, WrongUse
from labkit.net.address import Address, check_loopback, parse_address
from labkit.recording import Recording
from labkit.trace import Direction, How, Trace

__all__ = ["run_case", "run_corpus"]

_BETWEEN_SEGMENTS = 0.02  # seconds
_CONNECT_TIME = 5.0  # seconds
_MOST_READ = 1 << 20  # bytes kept of what a server sends for one case
_LONGEST = 10.0  # seconds for one case, whatever comes
_MOST_PATIENCE = 60.0  # seconds
_WHOLE_TIME = 900.0  # seconds for all of them
_PATH = re.compile(r"/[!-\"$-~]*")
_DECLINED = "the plain offer was declined: is WebSocket spoken at this path? Then little can be told"


def run_corpus(
    target: str,
    path: str = "/",
    *,
    patience: float = 1.0,
    only: Iterable[Case] | None = None,
    told: Callable[[Judged], None] = lambda _: None,
) -> Report:
    """Run the corpus against a server and return how it did.

    Broken requests are sent, so the server must be on loopback; no flag allows another.

    Args:
        target: HOST:PORT, or a URL; its path counts where `path` is not told.
        path: where the server speaks WebSocket.
        patience: the most seconds to wait for an answer; a case may say less.
        only: some of the cases; all unless told.
        told: called with each case as it is judged.

    Raises:
        Refused: the server is not on loopback.
        Failed: nothing listens there, or no more.
        WrongUse: the target, the path or the patience makes no sense.
    """
    address = _address(target)
    path = address.target if path == "/" else path
    if not _PATH.fullmatch(path) or "?" in path:
        raise WrongUse(f"{path!r} is no path: write /chat, without a query, other characters as %XX")
    if not 0 < patience <= _MOST_PATIENCE:
        raise WrongUse(f"patience is above 0 and at most {_MOST_PATIENCE:g} seconds, not {patience!r}")
    chosen = list(cases() if only is None else only)
    first = cases()[0]
    plain = outcome(run_case(address, first, path, patience=patience))
    rows: list[Judged] = []
    until = monotonic() + _WHOLE_TIME
    for case in chosen:
        if monotonic() > until:
            raise Failed(f"case {case.id} was not reached within {_WHOLE_TIME:g} s: ask with less patience")
        found = plain if case.id == PLAIN else outcome(run_case(address, case, path, patience=patience))
        rows.append(judge(case, found, plain))
        told(rows[-1])
    return Report(f"{address.authority}{path}", tuple(rows), "" if _switched(plain) else _DECLINED)


def _switched(plain: Outcome) -> bool:
    return plain.words[-1:] == ("101",)


def _address(target: str) -> Address:
    address = parse_address(target)
    try:
        check_loopback(address.host, allow_remote=False)
    except Refused:
        text = f"{address.host} is not this machine: the corpus sends broken requests, to servers on loopback alone"
        raise Refused(text) from None
    if address.tls:
        raise WrongUse(f"{target!r}: the corpus speaks plain HTTP: write HOST:PORT, or a ws URL")
    return address


def run_case(address: Address, case: Case, path: str = "/", *, patience: float = 1.0) -> Trace:
    """Send one case on a connection of its own and return what crossed it.

    Raises:
        Failed: no connection could be made.
    """
    recording = Recording(monotonic, limit=_MOST_READ)
    until = monotonic() + _LONGEST
    try:
        connection = socket.create_connection((address.host, address.port), timeout=_CONNECT_TIME)
    except OSError as error:
        where = f"{address.host}:{address.port}"
        raise Failed(f"case {case.id}: {where} takes no connection: {error.strerror or error}; does it run?") from None
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _send(connection, case.segments(path), recording)
        _listen(connection, case, recording, min(case.wait or patience, patience), until)
    return recording.trace(case.id, "recorded by the corpus")


def _send(connection: socket.socket, segments: list[bytes], recording: Recording) -> None:
    """Send the segments; a server that closes before they are all out has answered, or will not."""
    connection.settimeout(_CONNECT_TIME)
    for number, segment in enumerate(segments):
        if number:
            sleep(_BETWEEN_SEGMENTS)
        recording.add(Direction.TO_SERVER, segment)
        with contextlib.suppress(OSError):
            connection.sendall(segment)


def _listen(connection: socket.socket, case: Case, recording: Recording, patience: float, until: float) -> None:
    """Read until the case has its answers, the server closes, or patience or room ends."""
    read = 0
    while read < _MOST_READ and (left := until - monotonic()) > 0:
        connection.settimeout(min(patience, left))
        try:
            data = connection.recv(65536)
        except TimeoutError:
            return
        except OSError:
            recording.end(Direction.TO_CLIENT, How.RESET)
            return
        if not data:
            recording.end(Direction.TO_CLIENT, How.FIN)
            return
        recording.add(Direction.TO_CLIENT, data)
        read += len(data)
        if _enough(recording.trace(), case):
            return


def _enough(trace: Trace, case: Case) -> bool:
    view = dissect(trace).hops[0]
    return bool(view.protocol) or complete(view) >= case.answers
