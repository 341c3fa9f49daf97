"""The real curl, run against the lab: bounded, recorded, and with its exit code explained.

    curl(url, offer)          asks url with the offer's field lines
    curl("curl -i … URL")     a pasted command line, read without a shell; any host in it is the lab's server

Both become one `CurlLine`; the lab's own options go before those that were given, and curl ends by itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from labkit.commandlines.curl_line import CurlLine, read_curl, read_words
from labkit.commandlines.curl_secrets import starred
from labkit.commandlines.words import quoted
from labkit.errors import WrongUse
from labkit.net.address import Address, check_loopback, is_loopback, parse_url, place
from labkit.net.client import fresh_key
from labkit.net.curl_codes import Seen, meaning
from labkit.net.curl_stdin import feed, from_stdin
from labkit.net.listener import Listener
from labkit.net.patience import check_patience
from labkit.net.process import Finished, run_child
from labkit.net.programs import Program, find
from labkit.net.ran import Ran, named
from labkit.net.reach import NOBODY, Reached, connect_to, in_place, reach
from labkit.parties.described import Server
from labkit.parties.http2 import http2_server
from labkit.parties.offer import Offer
from labkit.parties.stream import echo
from labkit.snippets.curl import arguments
from labkit.trace import Direction
from labkit.wire.upgrade import SAMPLE_KEY

__all__ = ["curl"]

_MOST_PATIENCE = 60.0  # seconds
_LEAST_PATIENCE = 0.01  # seconds; curl counts milliseconds, and takes none of them for ever
_GRACE = 2.0  # seconds beyond its own --max-time, in which curl ends by itself
_MOST_STDIN = 1 << 20  # bytes
_SPEAKS_H2C = Server(protocols={"websocket": echo, "h2c": http2_server})
_PLAIN = {"https": "http", "wss": "ws"}


def curl(
    what: str,
    offer: Offer | None = None,
    *,
    options: Sequence[str] = (),
    stdin: Sequence[bytes] = (),
    to: Listener | None = None,
    patience: float = 2.0,
    allow_remote: bool = False,
) -> Ran:
    """Run the real curl, and tell what it did, what it printed, and what crossed the wire.

    Straight to the lab's own server, which records; before any other server a tap is put. curl ends by
    its own `--max-time`, so that what it holds in its buffer is printed: one that is killed prints
    nothing. Its configuration file and the proxy settings of the environment are not looked at. One program at a
    time dials a server; what others connect meanwhile, such as `ask` in another thread, is among the traces.

    Args:
        what: a URL; or a whole command line as it is pasted, also as "Copy as cURL" writes it, which is
            read without a shell. In that one any host but loopback is answered by the lab's server.
        offer: the field lines to send; without it curl's own alone. Not with a pasted line.
        options: more of curl's options, such as "--http2".
        stdin: bytes to send after the 101, each piece once the one before was answered: frames.
        to: the server that answers in the place of the host; for a pasted line, unless told, the one that runs.
        patience: the most seconds that curl may take.
        allow_remote: allow a URL of another host than loopback.

    Raises:
        Absent: there is no curl on this machine.
        Refused: the host is not loopback, or an option would read or write files, or reach another host.
        WrongUse: the line cannot be read.

    >>> from labkit.net.server import UpgradeServer
    >>> with UpgradeServer() as server:
    ...     ran = curl(server.url, Offer.bare())
    >>> ran.status, ran.code
    (400, 0)
    """
    if not isinstance(what, str):
        raise WrongUse(f"what curl asks is a URL or a command line, not {what!r}")
    pasted = len(what.split()) > 1 or what.strip() in ("curl", "curl.exe")  # a URL holds no blank
    _check(offer, stdin, patience, pasted=pasted)
    program = find("curl").required()
    with ExitStack() as stack:
        if pasted:
            line = _with(read_curl(what), options)
            call = _in_place(stack, line, to, speaks_ws="speaks" in program.note)
        else:
            call = _to_url(stack, what, offer, options, to, allow_remote=allow_remote)
        return _run(program, call, list(stdin), patience)


def _check(offer: Offer | None, stdin: Sequence[bytes], patience: float, *, pasted: bool) -> None:
    if not isinstance(offer, Offer | None):
        raise WrongUse(f"offer is an Offer, such as Offer.websocket(), not {offer!r}")
    if pasted and offer is not None:
        raise WrongUse("a pasted line says itself what to offer: leave the offer out, or give the URL alone")
    check_patience(patience, _MOST_PATIENCE)
    if not isinstance(stdin, (list, tuple)) or not all(isinstance(piece, bytes) for piece in stdin):
        raise WrongUse(f"stdin is a list of pieces of bytes, not {stdin!r}")
    if sum(map(len, stdin)) > _MOST_STDIN:
        raise WrongUse(f"stdin is at most {_MOST_STDIN} bytes long")


@dataclass(frozen=True)
class _Call:
    """What is to be run: the line, where it leads, and what had to be changed."""

    line: CurlLine
    reached: Reached
    leading: tuple[tuple[str, str | None], ...] = ()
    notes: tuple[str, ...] = ()


def _with(line: CurlLine, options: Sequence[str]) -> CurlLine:
    if not isinstance(options, (list, tuple)) or not all(isinstance(each, str) for each in options):
        raise WrongUse(f"options is a list of texts, such as ['--http2'], not {options!r}")
    more = read_words([*options, line.url])
    return replace(line, options=(*line.options, *more.options), notes=(*line.notes, *more.notes))


def _to_url(
    stack: ExitStack, url: str, offer: Offer | None, options: Sequence[str], to: Listener | None, *, allow_remote: bool
) -> _Call:
    address = parse_url(url)
    if to is None:
        check_loopback(address.host, allow_remote)
    reached = stack.enter_context(reach(address, allow_remote=allow_remote) if to is None else in_place(to))
    if (
        offer is not None
        and not reached.own
        and offer.raw is None
        and offer.fields.get("Sec-WebSocket-Key") == SAMPLE_KEY
    ):
        offer = offer.with_field("Sec-WebSocket-Key", fresh_key())
    line = read_words(arguments(offer, url) if offer else ["--include", url])
    unbounded = tuple(option for option in line.options if option[0] != "max-time")  # `patience` says how long
    line = _with(replace(line, options=unbounded), options)
    kept = () if allow_remote else _kept(line)
    return _Call(line, reached, (*_leading(address, reached), *kept))


def _in_place(stack: ExitStack, line: CurlLine, to: Listener | None, *, speaks_ws: bool) -> _Call:
    """Let a pasted line reach the lab's server in the place of its host, or the loopback server that it names."""
    address = parse_url(line.url)
    if to is None and is_loopback(address.host):
        reached = stack.enter_context(reach(address))
        return _Call(line, reached, (*_leading(address, reached), *_kept(line)))
    asks_h2c = any(name == "http2" for name, _ in line.options)
    reached = stack.enter_context(in_place(to, _SPEAKS_H2C if asks_h2c else None))
    line, notes = _spoken_here(line, speaks_ws=speaks_ws)
    entries = connect_to(reached.place) if to is None else (f"::{reached.place}",)
    return _Call(line, reached, tuple(("connect-to", each) for each in entries), notes)


def _kept(line: CurlLine) -> tuple[tuple[str, str | None], ...]:
    """Return what keeps a redirect on this machine: wherever else it points, nobody listens there."""
    if not any(name in ("location", "location-trusted", "follow") for name, _ in line.options):
        return ()
    entries = [("connect-to", each) for each in connect_to(NOBODY)]
    return (*entries, ("proto-redir", "=http,https"))


def _leading(address: Address, reached: Reached) -> tuple[tuple[str, str | None], ...]:
    """Return what leads curl to a listener that stands at another address than the URL's."""
    if reached.watch is None or reached.place == place(address.host, address.port):
        return ()
    return (("connect-to", f"{place(address.host, address.port)}:{reached.place}"),)


def _spoken_here(line: CurlLine, *, speaks_ws: bool) -> tuple[CurlLine, tuple[str, ...]]:
    """Change a pasted URL's scheme to what the lab and this curl speak; say so."""
    scheme, _, rest = line.url.partition("://")
    if not rest:
        return line, ()
    was, scheme, notes = scheme, scheme.lower(), []
    if scheme in _PLAIN:
        scheme = _PLAIN[scheme]
        notes.append(f"{was} was changed to {scheme}: the lab speaks no TLS")
        if line.value("proto"):
            line = replace(line, options=tuple(each for each in line.options if each[0] != "proto"))
            notes.append("--proto was left out: it may forbid what the URL was changed to")
    offers = any(name == "header" and (value or "").lower().startswith("upgrade:") for name, value in line.options)
    if scheme == "ws" and (offers or not speaks_ws):
        scheme = "http"
        why = "the line makes the offer itself" if offers else "this curl speaks no ws"
        notes.append(f"ws was changed to http: {why}")
    return replace(line, url=f"{scheme}://{rest}"), tuple(notes)


def _run(program: Program, call: _Call, pieces: list[bytes], patience: float) -> Ran:
    line, notes = _bounded(call, patience)
    if pieces:
        line = replace(line, options=(*line.options, *from_stdin(program.version)))
    words = ["-q", *line.arguments()]
    watch = call.reached.watch
    given = feed(watch, pieces, patience) if watch and pieces else None
    done = run_child([program.path, *words], patience=patience + _GRACE, feed=given)
    name = f"curl {program.version}".rstrip()
    traces = named(call.reached.traces(), name)
    shown = quoted(["curl", "-q", *starred(line).arguments()])
    command = quoted(["curl", *words])
    ran = Ran(name, command, done.code, "", done.out, done.err, done.dropped, traces, notes, shown)
    if len(traces) > 1:
        ran = replace(ran, notes=(*ran.notes, f"{len(traces)} connections reached the server; the last one is shown"))
    if pieces:
        said = f"{sum(map(len, pieces))} bytes after the 101" if ran.status == 101 else "nothing: there was no 101"
        ran = replace(ran, notes=(*ran.notes, f"standard input gave {said}"))
    return replace(ran, meaning=_meaning(ran, done, line, program.version))


def _bounded(call: _Call, patience: float) -> tuple[CurlLine, tuple[str, ...]]:
    """Put the lab's own options before those of the line, and see that curl ends by itself in time."""
    line, notes = call.line, [*call.line.notes, *call.notes]
    kept = tuple((name, value) for name, value in line.options if name != "max-time")
    asked = _seconds(line.value("max-time"))
    if asked is not None and asked > patience:
        notes.append(f"--max-time was lowered from {asked:g} to {patience:g}")
    most = max(patience if asked is None else min(asked, patience), _LEAST_PATIENCE)
    own = (("noproxy", "*"), ("silent", None), ("show-error", None), ("max-time", f"{most:g}"))
    return replace(line, options=(*own, *call.leading, *kept)), tuple(notes)


def _seconds(text: str | None) -> float | None:
    """Return curl's own number of seconds; None where it is absent, none, or 0, which means for ever."""
    try:
        seconds = float(text or "")
    except ValueError:
        return None
    return seconds if 0 < seconds < math.inf else None


def _meaning(ran: Ran, done: Finished, line: CurlLine, version: str) -> str:
    if done.code is None:
        return done.ended
    scheme = line.url.partition("://")[0].lower() if "://" in line.url else "http"
    heard = bool(ran.trace.stream(Direction.TO_CLIENT))
    return meaning(done.code, Seen(ran.status, scheme, frozenset(name for name, _ in line.options), version, heard))
