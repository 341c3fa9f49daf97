"""What the lab keeps of a configuration, what it sets aside, what it refuses, and where it leads."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from labkit.errors import Refused
from labkit.proxies.apache.authority import runs_on, stays_rooted
from labkit.proxies.apache.directives import SECTIONS, foreign, likely, module_of
from labkit.proxies.apache.patterns import LOCATIONS
from labkit.proxies.apache.reading import Line, every, plain, shown
from labkit.proxies.apache.treatment import ASIDE, EMPTY, NOWHERE, REFUSED
from labkit.proxies.apache.upstreams import SPOKEN, Found, find, flags, loopback
from labkit.proxies.directive import Note, NoteKind

__all__ = ["Treater"]

_MOST_BACKENDS = 100
_READS = re.compile(r"%\{\s*(file|filesize|filemod)\s*:|\b(file|filesize|filemod)\s*\(", re.IGNORECASE)
_HANDLED = re.compile(r"(^|=)proxy:")
_SERVERS_OWN = {"server-status", "server-info", "balancer-manager", "default-handler", "none", "proxy-server"}
_ELSEWHERE = {"loadmodule", "include", "includeoptional"}  # kept before, as allowed by name
_ADDRESS = re.compile(r"[0-9a-fA-F.:]+(/[0-9.]+)?")
_CHECKS = re.compile(r"hc(method|passes|fails|interval|uri|expr|template)=", re.IGNORECASE)


@dataclass
class Treater:
    """Goes through the lines of one configuration.

    Args:
        keep_upstreams: leave the addresses of backends as they are.
        allow: names of directives, files and sockets that would be refused.
        chosen: the proxy modules that were chosen; None where all are there.
    """

    keep_upstreams: bool
    allow: tuple[str, ...]
    chosen: tuple[str, ...] | None
    notes: list[Note] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)
    workers: list[Found] = field(default_factory=list)
    unsafe: str = ""  # why it is not run for real; empty where it is
    _open: list[Line] = field(default_factory=list)
    _rooted: bool = True
    _keys: set[tuple[str, str]] = field(default_factory=set)

    def treat(self, lines: tuple[Line, ...]) -> tuple[Line, ...]:
        """Return the lines that are kept, their backends as they are written."""
        if not self._open:
            self._rooted = stays_rooted(every(lines))
        return tuple(kept for line in lines if (kept := self._one(line)) is not None)

    def note(self, kind: NoteKind, line: Line, why: str) -> None:
        """Keep a note on a line."""
        self.notes.append(Note(kind, line.line, shown(line), why))

    def _one(self, line: Line) -> Line | None:
        if line.key in _ELSEWHERE:
            return line
        if self._allowed(line.name) and (line.key in REFUSED or foreign(line.name)):
            self.note(NoteKind.NOTED, line, "allowed by name: kept as it is")
            kept: Line | None = line
        elif self._is_aside(line):
            return None
        else:
            self._check(line)
            kept = _SPECIAL[line.key](self, line) if line.key in _SPECIAL else line
        if kept is None or kept.block is None:
            return kept
        self._open.append(kept)
        inside = self.treat(kept.block)
        self._open.pop()
        return replace(kept, block=inside)

    @property
    def _around(self) -> list[str]:
        return [line.key for line in self._open]

    def _allowed(self, name: str) -> bool:
        return name.lower() in {each.lower() for each in self.allow if isinstance(each, str)}

    def _is_aside(self, line: Line) -> bool:
        why = ASIDE.get(line.key, "")
        if module := foreign(line.name):
            why = f"a directive of {module}, which is no part of httpd"
        if why:
            self.note(NoteKind.SET_ASIDE, line, why)
        return bool(why)

    def _check(self, line: Line) -> None:
        """Raise where a line is unknown or refused."""
        section = line.block is not None
        module = module_of(line.name, section=section)
        if not module:
            raise line.wrong(_unknown(line))
        if line.key in REFUSED:
            raise self._refused(line, REFUSED[line.key])
        if module.startswith("proxy") and self.chosen is not None and module not in self.chosen:
            raise line.wrong(f"a directive of mod_{module}, which is not loaded; httpd calls it an Invalid command")
        if _READS.search(line.rest) and not self._allowed("file"):
            raise Refused(f"{line.place}: its expression reads a file; allow=['file'] allows it")
        if line.key != "sethandler" and any(_HANDLED.search(word) for word in line.args):
            self._unless_allowed(line, "it makes a proxy of a handler, which the lab cannot point at itself")

    def _refused(self, line: Line, why: str) -> Refused:
        return Refused(f"{line.place}: {why}; allow=[{line.name!r}] allows it")

    # directives with a meaning of their own

    def _unless_allowed(self, line: Line, why: str) -> Line:
        if not self._allowed(line.name):
            raise self._refused(line, why)
        self.note(NoteKind.NOTED, line, "allowed by name: kept as it is")
        return line

    def _map(self, line: Line) -> Line:
        if len(line.args) > 1 and line.args[1].startswith("int:"):
            return line
        return self._unless_allowed(line, "it executes a program or reads another file")

    def _requests(self, line: Line) -> Line:
        if [word.lower() for word in line.args] != ["on"]:
            return line
        return self._unless_allowed(line, "a forward proxy connects to whatever a client names")

    def _require(self, line: Line) -> Line:
        if "forward-dns" in [word.lower() for word in line.args]:
            return self._unless_allowed(line, "it looks up a name for every request")
        return line

    def _trusted(self, line: Line) -> Line | None:
        if all(_ADDRESS.fullmatch(word) for word in line.args):
            return line
        self.note(NoteKind.SET_ASIDE, line, "it would look up a name")
        return None

    def _pattern(self, line: Line) -> Line:
        if not self.keep_upstreams:
            self.note(NoteKind.NOTED, line, "its pattern is held against backends as they are pointed at the lab")
        return line

    def _folder(self, line: Line) -> Line:
        self.note(NoteKind.POINTED, line, "the lab's own folder, without content: what is no proxy's is 404 or 403")
        return line

    def _passwords(self, line: Line) -> Line:
        self.note(NoteKind.POINTED, line, "an empty list: the lab has no passwords, so nobody is let in")
        return line

    def _handler(self, line: Line) -> Line | None:
        name = line.args[0] if line.args else ""
        if name.startswith("proxy:"):
            return self._leading(line)
        if name.lower() in _SERVERS_OWN or not name:
            return line
        self.note(NoteKind.SET_ASIDE, line, "the lab runs no programs; what it would answer is missing")
        return None

    def _leading(self, line: Line) -> Line | None:
        """Keep a line that leads to a backend, and the backend."""
        self._check_leading(line)
        found = find(line, self._around)
        if found is None:
            return line
        if found.backend.scheme not in SPOKEN:
            why = (
                f"the lab's server speaks HTTP/1.1, not {plain(found.backend.scheme)}; what it would answer is missing"
            )
            self.note(NoteKind.SET_ASIDE, line, why)
            return None
        self._check_host(found, line)
        self._count(found, line)
        self.found.append(found)
        if self.keep_upstreams:
            loopback(found, allow=self.allow)
        else:
            self.note(NoteKind.POINTED, line, _pointed(found))
        return self._without_checks(line)

    def _check_host(self, found: Found, line: Line) -> None:
        """Raise where a request could name another host; for a slash that is merely missing, when it is run."""
        instead = runs_on(found, self._open, rooted=self._rooted)
        if not instead:
            return
        why = (
            f"{line.place}: the path of a request runs on from the host, and may name another one, as /@elsewhere/ does"
        )
        if found.backend.tail or line.key != "proxypass":
            raise Refused(f"{why}; write {instead}")
        self.unsafe = self.unsafe or f"{why}, so the lab does not run it; write {instead}"
        self.note(NoteKind.NOTED, line, f"the path runs on from the host; write {instead}, or it is not run for real")

    def _count(self, found: Found, line: Line) -> None:
        self._keys.add(found.backend.key)
        if len(self._keys) > _MOST_BACKENDS:
            raise line.wrong(
                f"the text leads to more than {_MOST_BACKENDS} different backends; the lab keeps no more apart"
            )

    def _without_checks(self, line: Line) -> Line:
        words = [word for word in line.args if not _CHECKS.match(word)]
        if len(words) == len(line.args):
            return line
        self.note(NoteKind.SET_ASIDE, line, "its health checks would reach the server between the exchanges")
        return line.with_words(*words)

    def _check_leading(self, line: Line) -> None:
        args, located = line.args, any(name in LOCATIONS for name in self._around)
        if line.key in ("proxypass", "proxypassmatch"):
            at = 0 if located else 2 if args[:1] == ("~",) else 1
            if len(args) <= at:
                missing = "the URL of the backend" if args or located else "the path, and the URL of the backend"
                raise line.wrong(f"{missing} is missing; httpd takes {line.name} /path/ http://backend/")
            if args[at] != "!" and not re.match(r"(unix:[^|]*\|)?[a-z][a-z0-9+.-]*://", args[at], re.IGNORECASE):
                raise line.wrong(f"{args[at]!r} is no URL; a backend is written with its scheme, as http://backend/")
        if "#" in args:
            raise line.wrong("# begins a comment only at the start of a line; put it on a line of its own")

    def _rule(self, line: Line) -> Line | None:
        """Treat a RewriteRule: with the flag P it leads to a backend, and needs a URL that can be pointed."""
        told = flags(line)
        if any(mark in told.get(name, "") for name in ("h", "handler", "t", "type") for mark in "%$"):
            return self._unless_allowed(line, "what a client sends chooses the handler, and so may lead anywhere")
        if not {"p", "proxy"} & set(told):
            return line
        if not re.match(r"(unix:[^|]*\|)?[a-z][a-z0-9+.-]*://", line.args[1], re.IGNORECASE):
            return self._unless_allowed(line, "its target is no URL as it stands, so the lab cannot point it at itself")
        return self._leading(line)

    def _worker(self, line: Line) -> Line | None:
        """Treat <Proxy URL> and ProxySet URL, which name a worker that other lines lead to."""
        found = find(line, self._around)
        if found is None:
            return line
        if found.backend.scheme not in SPOKEN:
            self.note(NoteKind.SET_ASIDE, line, f"the lab's server speaks HTTP/1.1, not {plain(found.backend.scheme)}")
            return None
        self._count(found, line)
        self.workers.append(found)
        if self.keep_upstreams:
            loopback(found, allow=self.allow)
        return line


_SPECIAL: dict[str, Callable[[Treater, Line], Line | None]] = {
    **dict.fromkeys(EMPTY, Treater._folder),  # noqa: SLF001  the table belongs to the class
    **dict.fromkeys(NOWHERE, Treater._passwords),  # noqa: SLF001
    "rewritemap": Treater._map,  # noqa: SLF001
    "proxyrequests": Treater._requests,  # noqa: SLF001
    "sethandler": Treater._handler,  # noqa: SLF001
    "require": Treater._require,  # noqa: SLF001
    "remoteipinternalproxy": Treater._trusted,  # noqa: SLF001
    "remoteiptrustedproxy": Treater._trusted,  # noqa: SLF001
    "remoteipproxyprotocolexceptions": Treater._trusted,  # noqa: SLF001
    "proxymatch": Treater._pattern,  # noqa: SLF001
    "proxypass": Treater._leading,  # noqa: SLF001
    "proxypassmatch": Treater._leading,  # noqa: SLF001
    "balancermember": Treater._leading,  # noqa: SLF001
    "rewriterule": Treater._rule,  # noqa: SLF001
    "proxy": Treater._worker,  # noqa: SLF001
    "proxyset": Treater._worker,  # noqa: SLF001
}


def _pointed(found: Found) -> str:
    url = found.backend
    text = "at the lab's server; the path stays"
    if SPOKEN[url.scheme] != url.scheme:
        text += f", and {url.scheme} becomes {SPOKEN[url.scheme]}, for the lab has no TLS"
    if url.dynamic:
        text += ", and the address that is made at run time is the lab's each time"
    return text


def _unknown(line: Line) -> str:
    if line.block is None and line.key in SECTIONS:
        return f"it is a section: write <{plain(line.name)} …> and, where it ends, </{plain(line.name)}>"
    meant = likely(line.name)
    if line.block is not None and meant and meant.lower() == line.key:
        return f"it is no section: write {meant} without < and >"
    hint = f"; did you mean {meant}?" if meant else ""
    return f"no directive of httpd 2.4{hint}"
