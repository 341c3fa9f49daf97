"""HAProxy, described by its own configuration: sections of lines; completed, and run for real only.

global, defaults, frontend, backend, listen      what matters to an exchange; others are left out as a whole
bind                                             the door, or another listener on a spare port
server, server-template                          an upstream, pointed at the lab
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from labkit.errors import Refused, Unmodelled, WrongUse
from labkit.proxies import haproxy_words as known
from labkit.proxies.described import Place, Proxy, is_loopback
from labkit.proxies.directive import Directive, Note, NoteKind, Upstream
from labkit.proxies.haproxy_lines import Line, joined, lines
from labkit.proxies.model import Model

__all__ = ["Haproxy"]

_UPSTREAMS = {"server": 2, "server-template": 3, "dispatch": 1}  # and which word is the address
_PORT = re.compile(r":(\d+)(?:-\d+)?$")


@dataclass(frozen=True)
class _Section:
    """A section: the line that opens it, and those inside it."""

    head: Line
    lines: tuple[Line, ...]

    @property
    def kind(self) -> str:
        return self.head.words[0]

    @property
    def name(self) -> str:
        return self.head.words[1] if len(self.head.words) > 1 else ""

    def first(self, *words: str) -> Line | None:
        """Return its first line that begins with these words."""
        return next((line for line in self.lines if line.words[: len(words)] == words), None)

    @property
    def leads(self) -> bool:
        """Whether it hands requests to a server."""
        return any(line.words[0] in ("default_backend", "use_backend", "server", "server-template", "dispatch")
                   for line in self.lines)  # fmt: skip


class _Read(NamedTuple):
    """What a text was read into."""

    sections: tuple[_Section, ...]
    door: Line
    notes: tuple[Note, ...]

    @property
    def lines(self) -> Iterator[Line]:
        return (line for section in self.sections for line in section.lines)


@dataclass(frozen=True, repr=False)
class Haproxy(Proxy):
    """HAProxy, by its own configuration: some lines of a section, sections, or a whole `haproxy.cfg`.

    It is run for real; there is no model of it. See `Proxy` for the arguments.

    >>> Haproxy("server one 10.0.0.7:3000 check").upstreams
    (Upstream(line=1, written='10.0.0.7:3000', directive='server'),)
    """

    program = "haproxy"
    name = "haproxy"
    _is: _Read = field(init=False, compare=False)

    def _read(self) -> None:
        cut = _sections(self.text)
        notes = [note for section in cut for line in (section.head, *section.lines) for note in _unset(line)]
        sections = _with_backends(_completed(cut, notes), notes)
        kept = tuple(_Sifting(section, notes, self.allow).sifted() for section in sections)
        door = self._chosen([(section, line) for section in kept for line in section.lines if line.words[0] == "bind"])
        notes += self._pointed(_Read(kept, door, ()).lines)
        object.__setattr__(self, "_is", _Read(kept, door, tuple(sorted(notes, key=lambda note: note.line))))

    def _chosen(self, binds: list[tuple[_Section, Line]]) -> Line:
        """Return the `bind` line that the client dials."""
        if not binds:
            raise WrongUse("nothing listens here: give a `frontend` or a `listen` section, or the lines of one")
        if self.door is None:
            return next((line for section, line in binds if section.leads), binds[0][1])
        found = [line for _, line in binds if _port(line) == self.door]
        if not found:
            ports = ", ".join(str(_port(line)) for _, line in binds)
            raise WrongUse(f"nothing listens on port {self.door} here: the ports are {ports}")
        return found[0]

    def _pointed(self, lines: Iterable[Line]) -> Iterator[Note]:
        for line in lines:
            if line.number and line.words[0] == "bind":
                yield Note(NoteKind.POINTED, line.number, line.raw, "it listens on a free port of 127.0.0.1")
            elif line.words[0] in _UPSTREAMS and self.keep_upstreams:
                _check_kept(line)
            elif line.number and line.words[0] in _UPSTREAMS:
                yield Note(NoteKind.POINTED, line.number, line.raw, "the lab's server answers in its place")

    @property
    def notes(self) -> tuple[Note, ...]:
        """What the lab added, pointed at itself and set aside, in the order of the lines."""
        return self._is.notes

    @property
    def upstreams(self) -> tuple[Upstream, ...]:
        """Every server's address as it is written."""
        lines = (line for line in self._is.lines if line.number and line.words[0] in _UPSTREAMS)
        return tuple(Upstream(line.number, _address(line), line.words[0]) for line in lines)

    @property
    def other_ports(self) -> tuple[int, ...]:
        """The ports that it listens on beside the door; 0 for what is no port."""
        binds = (line for line in self._is.lines if line.words[0] == "bind")
        return tuple(_port(line) for line in binds if line is not self._is.door)

    def completed(self, place: Place) -> str:
        """Return the whole configuration file that HAProxy is given."""
        spare = iter(place.spare)
        written: list[str] = []
        for section in self._is.sections:
            if section.kind in known.WHOLE:
                continue
            written.append(_told(section.head, joined(section.head.words)))
            for line in section.lines:
                text = joined(line.words)
                if line.words[0] == "bind":
                    text = f"bind 127.0.0.1:{place.port if line is self._is.door else next(spare)}"
                elif line.words[0] in _UPSTREAMS:
                    text = _server(line, "" if self.keep_upstreams else place.upstream)
                written.append(f"    {_told(line, text)}")
        return "\n".join(written) + "\n"

    def model(self) -> Model:
        """Refuse: there is no model of HAProxy.

        Raises:
            Unmodelled: always.
        """
        raise Unmodelled('there is no model of HAProxy: run it for real, run(…, proxies="real")')

    @property
    def directives(self) -> tuple[Directive, ...]:
        """Its sections and their lines, as HAProxy is given them."""
        return tuple(
            Directive(
                section.kind, section.head.words[1:], section.head.number,
                tuple(Directive(line.words[0], line.words[1:], line.number) for line in section.lines),
            )
            for section in self._is.sections
        )  # fmt: skip


def _sections(text: str) -> list[_Section]:
    """Cut a text into sections; lines before the first one are those of a `listen`."""
    found: list[tuple[Line, list[Line]]] = []
    for line in lines(text):
        if line.words[0] in (*known.SECTIONS, *known.WHOLE, "program"):
            found.append((line, []))
        else:
            if not found:
                found.append((_added("listen lab"), []))
            found[-1][1].append(line)
    if not found:
        raise WrongUse("the configuration is empty: give the lines of a `listen` section, say")
    return [_Section(head, tuple(inside)) for head, inside in found]


def _unset(line: Line) -> Iterator[Note]:
    for name in line.variables:
        yield Note(NoteKind.NOTED, line.number, f"${name}", "the lab does not look into the environment: it is not set")


def _added(text: str, *more: str) -> Line:
    words = (*text.split(), *more)
    return Line(0, words, joined(words))


def _completed(sections: list[_Section], notes: list[Note]) -> list[_Section]:
    """Add what a snippet lacks: a door, time limits, the mode, a log."""

    def add(what: str, why: str) -> Line:
        notes.append(Note(NoteKind.ADDED, 0, what, why))
        return _added(what)

    if not sections[0].head.number:
        notes.append(Note(NoteKind.ADDED, 0, "listen lab", "lines stand in a section"))
    if not any(section.kind == "defaults" for section in sections):
        lines = [add("mode http", "else HAProxy relays bytes as they are")]
        lines += [add(f"{name} {time}", "as Debian's own configuration has it") for name, time in known.TIMES]
        place = next((at for at, section in enumerate(sections) if section.kind != "global"), len(sections))
        sections.insert(place, _Section(_added("defaults"), tuple(lines)))
    backends = [section.name for section in sections if section.kind == "backend"]
    if backends and not any(section.kind in ("frontend", "listen") for section in sections):
        head = add("frontend lab", "somebody must listen")
        sections.append(_Section(head, (_added("default_backend", backends[0]),)))
    log = [add("log stderr format raw local0", "the lab keeps its own log")]
    for at, section in enumerate(sections):
        if section.kind in ("frontend", "listen"):
            lines = (
                [] if section.first("bind") else [add("bind 127.0.0.1:80", f"{section.kind} {section.name} has none")]
            )
            sections[at] = replace(section, lines=(*lines, *section.lines, *map(_added, known.LOG)))
    if not any(section.kind == "global" for section in sections):
        sections.insert(0, _Section(_added("global"), ()))
    first = next(at for at, section in enumerate(sections) if section.kind == "global")
    sections[first] = replace(sections[first], lines=(*sections[first].lines, *log))
    return sections


def _with_backends(sections: list[_Section], notes: list[Note]) -> list[_Section]:
    """Add the backends that are named and not there."""
    there = {section.name for section in sections if section.kind in ("backend", "listen")}
    for section in list(sections):
        for line in section.lines:
            wanted = line.words[1] if line.words[0] in ("default_backend", "use_backend") and line.words[1:] else ""
            if wanted and wanted not in there and "%[" not in wanted:
                there.add(wanted)
                notes.append(
                    Note(NoteKind.ADDED, 0, f"backend {wanted}", f"line {line.number} names it; the lab is in it")
                )
                sections.append(_Section(_added("backend", wanted), (_added("server lab 127.0.0.1:80"),)))
    return sections


@dataclass
class _Sifting:
    """Takes out of a section what the lab runs it without."""

    section: _Section
    notes: list[Note]
    allow: tuple[str, ...]

    def sifted(self) -> _Section:
        """Return the section without it."""
        head = self.section.head
        self._check(head, "program")
        if head.words[0] in known.WHOLE:
            self._note(NoteKind.SET_ASIDE, head, known.WHOLE[head.words[0]])
            return replace(self.section, lines=())
        return replace(self.section, lines=tuple(self._kept()))

    def _kept(self) -> Iterator[Line]:
        tls = any("ssl" in line.words for line in self.section.lines if line.words[0] == "bind")
        for line in self.section.lines:
            if line.number and (why := self._why_not(line, tls=tls)):
                kind = NoteKind.SKIPPED if why is known.NO_FILE else NoteKind.SET_ASIDE
                self._note(kind, line, why)
            elif line.words[0] in ("server", "server-template", "default-server", "bind"):
                yield self._bare(line)
            else:
                yield line

    def _why_not(self, line: Line, *, tls: bool) -> str:
        """Return why a line is left out; empty where it stays."""
        one, two = line.words[0], " ".join(line.words[:2])
        self._check(line, one, two)
        if (
            one == "maxconn"
            and line.words[1:]
            and line.words[1].isdecimal()
            and int(line.words[1]) > known.MOST_CONNECTIONS
        ):
            return f"more than {known.MOST_CONNECTIONS} connections need more descriptors than the lab has"
        if tls and "redirect" in line.words[:2] and "https" in line.words:
            return "the lab serves without TLS: this would send everybody round in a circle"
        prefix = next((why for begin, why in known.ASIDE_PREFIX if one.startswith(begin)), "")
        why = known.ASIDE.get(two) or known.ASIDE.get(one) or prefix
        if not why:
            self._check_files(line)
        return why

    def _check(self, line: Line, *names: str) -> None:
        for name in names:
            if name in known.EXECUTES and line.words[0] == name.split()[0] and name not in self.allow:
                raise Refused(
                    f"line {line.number}: `{line.raw}` runs or loads what is not part of the text: "
                    f'take it out, or allow it by name: allow=["{name}"]'
                )

    def _check_files(self, line: Line) -> None:
        for found in known.READS.finditer(" ".join(line.words)):
            if found[1] not in self.allow:
                raise Refused(
                    f"line {line.number}: `{line.raw}` reads {found[1]}, which is not part of the text: "
                    f'take it out, or allow it by name: allow=["{found[1]}"]'
                )

    def _bare(self, line: Line) -> Line:
        """Return a line without the parameters that the lab runs it without; each lot is noted once."""
        words = list(line.words)
        kept, dropped = words[:3], list[str]()
        if words[0] == "default-server":
            kept = words[:1]
        elif words[0] == "server-template":
            kept = words[:4]
        elif words[0] == "bind":
            if words[2:]:
                self._note(
                    NoteKind.SET_ASIDE, line, known.NO_TLS if "ssl" in words else "the lab dials in plain", words[2:]
                )
            return line
        whys: list[str] = []
        at = len(kept)
        while at < len(words):
            more, why = known.SERVER.get(words[at], (0, ""))
            (dropped if why else kept).extend(words[at : at + 1 + more])
            whys += [why] if why else []
            at += 1 + more
        if dropped:
            self._note(NoteKind.SET_ASIDE, line, "; ".join(dict.fromkeys(whys)), dropped)
        return line._replace(words=tuple(kept))

    def _note(self, kind: NoteKind, line: Line, why: str, words: Iterable[str] = ()) -> None:
        self.notes.append(Note(kind, line.number, " ".join(words) or line.raw, why))


def _port(line: Line) -> int:
    """Return the port of a `bind` line, 0 where it has none."""
    found = _PORT.search(line.words[1].split(",")[0]) if line.words[1:] else None
    return int(found[1]) if found else 0


def _address(line: Line) -> str:
    at = _UPSTREAMS[line.words[0]]
    return line.words[at] if len(line.words) > at else ""


def _check_kept(line: Line) -> None:
    host = _PORT.sub("", _address(line)).removeprefix("ipv4@").removeprefix("ipv6@")
    if not is_loopback(host):
        raise Refused(
            f"line {line.number}: `{line.raw}` may lead off this machine; without keep_upstreams the lab stands there"
        )


def _server(line: Line, upstream: str) -> str:
    at = _UPSTREAMS[line.words[0]]
    words = list(line.words)
    if upstream and len(words) > at:
        words[at] = upstream
    return joined(words)


def _told(line: Line, text: str) -> str:
    """Return a line of the completed configuration, with the line that it is made from."""
    return f"{text}  # line {line.number}" if line.number else text
