"""A snippet put into the blocks that it lacks, so that it is a whole file.

Each line at the top of a snippet goes to the outermost place where it may stand. Lines that may stand in
several places, such as proxy_set_header, go where the innermost of the others goes: that is where the
snippet was cut out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from labkit.errors import WrongUse
from labkit.proxies.directive import Directive, Note, NoteKind
from labkit.proxies.nginx.grammar import allowed, unknown
from labkit.proxies.nginx.reading import at
from labkit.proxies.nginx.writing import shown

__all__ = ["Shape", "shape"]

_LEVELS: tuple[tuple[str, ...], ...] = ((), ("http",), ("http", "server"), ("http", "location"))
_MAIN, _HTTP, _SERVER, _LOCATION = range(4)


class Shape(NamedTuple):
    """What stands outside http, the block http, and what was added."""

    main: tuple[Directive, ...]
    http: Directive
    notes: list[Note]


def shape(directives: tuple[Directive, ...]) -> Shape:
    """Put a text into the blocks that it lacks.

    Raises:
        WrongUse: there is nothing to serve, or lines stand where nginx does not take them.
    """
    if not directives:
        raise WrongUse(
            "the configuration is empty, or only names other files; paste a location, a server, or all of nginx.conf"
        )
    https = [each for each in directives if each.name == "http"]
    if len(https) > 1:
        raise WrongUse(at(https[1].line, f"a second http block; the first is on line {https[0].line}"))
    if https:
        return _whole(directives, https[0])
    return _wrapped(directives)


def _whole(directives: tuple[Directive, ...], http: Directive) -> Shape:
    main = tuple(each for each in directives if each is not http)
    for each in main:
        if not allowed(each.name) and _levels(each):
            raise WrongUse(at(each.line, f"{each.name} is not allowed outside http"))
    if http.block is None:
        raise WrongUse(at(http.line, "http is a block, and has no {"))
    if not http.inside("server"):
        raise WrongUse(at(http.line, "there is no server block in http: nginx would listen nowhere"))
    return Shape(main, http, _events(main))


def _events(main: Iterable[Directive]) -> list[Note]:
    if any(each.name == "events" for each in main):
        return []
    return [Note(NoteKind.ADDED, 0, "events", "nginx does not start without it; its defaults are right here")]


def _wrapped(directives: tuple[Directive, ...]) -> Shape:
    main = tuple(each for each in directives if _main(each))
    inside = [each for each in directives if not _main(each)]
    for each in inside:
        if each.name == "server" and each.block is None:
            raise WrongUse(at(each.line, f"{shown(each)} belongs into an upstream block, as in upstream NAME {{ … }}"))
    own = max((_levels(each)[-1] for each in inside if len(_levels(each)) == 1), default=None)
    if own is None:
        own = max((_levels(each)[-1] for each in inside if _levels(each)), default=_HTTP)
    at_level: list[list[Directive]] = [[], [], [], []]
    for each in inside:
        levels = _levels(each)
        at_level[levels[0] if len(levels) == 1 else own].append(each)
    http, notes = _nested(at_level)
    return Shape(main, http, [*_events(main), *notes])


def _nested(at_level: list[list[Directive]]) -> tuple[Directive, list[Note]]:
    notes = [Note(NoteKind.ADDED, 0, "http", "nginx takes servers inside an http block alone")]
    servers = [each for each in at_level[_HTTP] if each.name == "server"]
    loose = [*at_level[_SERVER], *at_level[_LOCATION]]
    if servers and loose:
        first = min(loose, key=lambda each: each.line)
        raise WrongUse(at(first.line, f"{first.name} stands beside a server block; it belongs into one"))
    inside = list(at_level[_SERVER])
    if at_level[_LOCATION]:
        inside.append(Directive("location", ("/",), 0, tuple(at_level[_LOCATION])))
        notes.append(Note(NoteKind.ADDED, 0, "location /", "these lines need a path, and none is given: it takes all"))
    http = list(at_level[_HTTP])
    if inside:
        http.append(Directive("server", (), 0, tuple(inside)))
        notes.append(Note(NoteKind.ADDED, 0, "server", "nginx takes locations inside a server alone"))
    elif not servers:
        for each in http:
            if not _levels(each):
                raise WrongUse(at(each.line, unknown(each.name)))
        raise WrongUse("there is no server and no location in the configuration: nginx would listen nowhere")
    return Directive("http", (), 0, tuple(http)), notes


def _main(directive: Directive) -> bool:
    return directive.name in ("events", "stream", "mail", "load_module") or (
        allowed(directive.name) and not _levels(directive)
    )


def _levels(directive: Directive) -> tuple[int, ...]:
    """Return where a line at the top of a snippet may stand: in http, in a server, in a location."""
    return tuple(_reach(directive.name))


def _reach(name: str) -> Iterable[int]:
    if name in ("server", "upstream"):
        return [_HTTP]
    if name == "location":  # it may stand in another, but is cut out of a server
        return [_SERVER]
    return [level for level in (_HTTP, _SERVER, _LOCATION) if allowed(name, *_LEVELS[level])]
