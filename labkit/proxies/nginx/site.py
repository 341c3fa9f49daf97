"""A text, read and put right: the tree that both the real nginx and the model are made from."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from ipaddress import ip_address
from typing import NamedTuple

from labkit.errors import Refused
from labkit.proxies.directive import Directive, Note, NoteKind, Upstream, walk
from labkit.proxies.nginx.aiming import Aims, Target, aims_of, target_of
from labkit.proxies.nginx.grammar import check
from labkit.proxies.nginx.listening import door_of, listens, settle_listens
from labkit.proxies.nginx.pasting import unfold
from labkit.proxies.nginx.reading import at
from labkit.proxies.nginx.settling import settle
from labkit.proxies.nginx.shaping import shape
from labkit.proxies.nginx.writing import shown

__all__ = ["Site", "read_site"]

_NO_BLOCK = (
    "no upstream block defines it: nginx would look it up when it starts, and not start if there is no such host"
)


class Site(NamedTuple):
    """A configuration, whole: names, ports and folders are those of the text.

    Args:
        main: what stands outside http, where `allow` let it stay.
        http: the block http.
        aims: where every proxy_pass leads.
        notes: what was done, in the order of the lines.
        upstreams: every address that requests are passed on to.
        door: the port that the client dials.
        host: a name there whose server leads to an upstream; empty where any name does.
        others: the other ports.
        tls: the ports that speak TLS in the world, and plain here.
        kept: whether the addresses of upstreams stay.
    """

    main: tuple[Directive, ...]
    http: Directive
    aims: Aims
    notes: tuple[Note, ...]
    upstreams: tuple[Upstream, ...]
    door: int
    host: str
    others: tuple[int, ...]
    tls: frozenset[int]
    kept: bool


def read_site(text: str, allow: Collection[str], door: int | None, *, keep: bool) -> Site:
    """Read a text as people write it.

    Args:
        text: a snippet, a file, or the output of `nginx -T`.
        allow: files and directives that are allowed by name.
        door: the port that the client dials, where it is not the first that leads to an upstream.
        keep: leave the addresses of upstreams as they are.

    Raises:
        WrongUse: it cannot be read, or makes no sense; the line is named.
        Refused: it executes or writes what is not allowed, or leads off this machine.
    """
    directives, skipped = unfold(text, allow)
    shaped = shape(directives)
    (*main, http), settled = settle((*shaped.main, shaped.http), allow)
    check((*main, http), allow)
    http, listening = settle_listens(http)
    aims = aims_of(http)
    passed = tuple(_addresses(http, aims))
    if keep:
        for each, address in passed:
            _check_loopback(each, address)
        led: list[Note] = []
    else:
        http, led = _with_blocks(http, aims, [each for each, _ in passed])
    every = [*shaped.notes, *skipped, *settled, *listening, *led]
    heard = [each for server in http.inside("server") for each in listens(server)]
    first, host = door_of(http, door)
    return Site(
        tuple(main), http, aims, tuple(sorted(every, key=lambda note: note.line)),
        tuple(Upstream(each.line, address, each.name) for each, address in passed),
        first, host, tuple(port for port in dict.fromkeys(each.port for each in heard) if port != first),
        frozenset(each.port for each in heard if each.ssl), keep,
    )  # fmt: skip


def _addresses(http: Directive, aims: Aims) -> Iterator[tuple[Directive, str]]:
    """Yield the directives that have the address of an upstream, each with it."""
    for each in walk([http]):
        if each.name == "upstream":
            yield from ((server, server.args[0]) for server in each.inside("server") if server.args)
        elif each.name == "proxy_pass":
            target = target_of(each.args[0])
            if target is None or target.name.lower() not in aims.blocks:
                yield each, target.authority if target else each.args[0]


def _check_loopback(directive: Directive, address: str) -> None:
    host = address.removeprefix("[").partition("]")[0] if address.startswith("[") else address.partition(":")[0]
    try:
        loopback = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise Refused(
            at(
                directive.line,
                f"{shown(directive)} may lead off this machine; without keep_upstreams the lab stands there",
            )
        )


def _with_blocks(http: Directive, aims: Aims, passed: list[Directive]) -> tuple[Directive, list[Note]]:
    """Return the block http with an upstream block for every name that has none, and what is pointed at the lab."""
    notes = [Note(NoteKind.ADDED, 0, f"upstream {name}", _why_added(name)) for name in aims.plain]
    notes += [Note(NoteKind.POINTED, each.line, shown(each), _led(each, aims)) for each in passed]
    blocks = [Directive("upstream", (name,), 0, (_server(name, each),)) for name, each in aims.plain.items()]
    return replace(http, block=(*blocks, *(http.block or ()))), notes


def _why_added(name: str) -> str:
    if name == "localhost" or not re.search("[a-z]", name, re.IGNORECASE) or name.startswith("["):
        return "nginx takes a block of this name before it takes it for an address"
    return _NO_BLOCK


def _server(name: str, passing: Directive) -> Directive:
    """Return where nginx would have found a name that no block defines."""
    target = target_of(passing.args[0])
    if target and target.socket:
        return Directive("server", (target.authority,))
    return Directive("server", (f"{name}:{443 if target and target.scheme == 'https' else 80}",))


def _led(directive: Directive, aims: Aims) -> str:
    """Tell how a directive is led to the lab's server."""
    if directive.name == "server":
        return "the lab's server stands there"
    target = target_of(directive.args[0])
    if target is None:
        return "the lab's server stands where its values lead"
    plain = "; it is spoken to in plain" if target.scheme == "https" else ""
    return f"the lab's server stands there, and $proxy_host stays {_host(target, aims)}{plain}"


def _host(target: Target, aims: Aims) -> str:
    return "what the variables give" if target.computed and target.authority in aims.computed else target.name
