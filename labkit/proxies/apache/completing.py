"""From what is kept of a configuration to the whole text that httpd is given."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from labkit.errors import Refused, WrongUse
from labkit.proxies.apache.doors import addresses, listened, ports_of
from labkit.proxies.apache.modules import ALWAYS, in_order, named, needed
from labkit.proxies.apache.reading import Line, every, quoted
from labkit.proxies.apache.treatment import EMPTY, NOWHERE
from labkit.proxies.apache.upstreams import Found, backend, find, pointed, reversed_at
from labkit.proxies.described import Place

__all__ = ["Site", "Written", "written"]

_OWN = r"^(httpd\.conf|httpd\.pid|error\.log)$"
_NOBODY = "#65534"  # nobody, in Debian as in Red Hat; a number needs no entry of that name


class Written(NamedTuple):
    """A line of the completed text, and the line of the given text that it comes from; 0 where the lab added it."""

    text: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class Site:
    """A configuration as it was read: what is kept, and what completing it needs to know.

    Args:
        lines: what is kept.
        found: the backends that its lines lead to.
        places: the backends by their keys, numbered.
        door: the port that the client dials.
        proxies: the proxy modules to load.
        also: other modules that the text loads, and that act without a directive.
        keep_upstreams: leave the addresses of backends as they are.
        unsafe: why it is not to be run for real; empty where it is.
    """

    lines: tuple[Line, ...]
    found: tuple[Found, ...]
    places: dict[tuple[str, str], int]
    door: int
    proxies: tuple[str, ...]
    also: tuple[str, ...]
    keep_upstreams: bool
    unsafe: str = ""

    @property
    def other_ports(self) -> tuple[int, ...]:
        """The ports beside the door."""
        return tuple(port for port in ports_of(self.lines) if port != self.door)

    @property
    def modules(self) -> tuple[str, ...]:
        """All modules, in an order in which they can be loaded."""
        others = (name for name in needed(self.lines) if not name.startswith("proxy"))
        more = ("slotmem_shm",) if "proxy_balancer" in self.proxies else ()
        return in_order([*ALWAYS, *self.proxies, *self.also, *others, *more])

    @property
    def unheard(self) -> tuple[int, ...]:
        """The ports of virtual hosts that no Listen of the text opens."""
        heard = {listened(line) for line in every(self.lines) if line.key == "listen"}
        return tuple(port for port in ports_of(self.lines) if port not in heard)


def written(site: Site, place: Place) -> Iterator[Written]:
    """Yield the completed text, line by line.

    Raises:
        Refused: a request could choose another host.
        WrongUse: the place has too few ports.
    """
    if site.unsafe:
        raise Refused(site.unsafe)
    wanted = len(site.other_ports)
    if len(place.spare) < wanted:
        raise WrongUse(f"the configuration listens on {wanted} other ports, and the place has {len(place.spare)} spare")
    ports = {site.door: place.port, **dict(zip(site.other_ports, place.spare, strict=False))}
    yield from (Written(text) for text in _before(site, place, ports))
    roots = frozenset(_absolute(line.args[-1]) for line in every(site.lines) if _is_root(line))
    yield from _Pointing(site, place, ports, roots).lines(site.lines, ())


def _before(site: Site, place: Place, ports: dict[int, int]) -> Iterator[str]:
    folder = place.folder
    yield "# Completed by the lab. What was given follows below."
    yield f"ServerRoot {quoted(folder)}"
    yield f"DefaultRuntimeDir {quoted(folder)}"
    yield from _loading(site.modules, place)
    yield f"PidFile {quoted(f'{folder}/httpd.pid')}"
    yield f"Mutex {quoted(f'file:{folder}')} default"
    yield f"ErrorLog {quoted(f'{folder}/error.log')}"
    yield from (f"User {_NOBODY}", f"Group {_NOBODY}")
    yield "<IfModule mpm_event_module>"
    yield from ("ServerLimit 1", "StartServers 1", "ThreadLimit 32", "ThreadsPerChild 32", "MaxRequestWorkers 32")
    yield from ("MinSpareThreads 1", "MaxSpareThreads 33")
    yield "</IfModule>"
    if not any(line.key == "servername" for line in site.lines):
        yield "ServerName localhost"
    yield from (f"Listen 127.0.0.1:{ports[port]}" for port in site.unheard)
    if "mime" in site.modules:
        yield "TypesConfig /dev/null"
    yield f"DocumentRoot {quoted(folder)}"
    yield from ('<Directory "/">', "AllowOverride None", "Require all denied", "</Directory>")
    yield from (f"<Directory {quoted(folder)}>", "Require all granted")
    yield from (f"<FilesMatch {quoted(_OWN)}>", "Require all denied", "</FilesMatch>", "</Directory>")


def _loading(modules: tuple[str, ...], place: Place) -> Iterator[str]:
    if not place.modules:
        return
    built_in = {named(name) for name in place.built_in}
    for name in modules:
        if name not in built_in and not (name.startswith("mpm_") and any(each.startswith("mpm_") for each in built_in)):
            yield f"LoadModule {name}_module {quoted(f'{place.modules}/mod_{name}.so')}"


@dataclass(frozen=True, slots=True)
class _Pointing:
    """Points the lines of a site at a place."""

    site: Site
    place: Place
    ports: dict[int, int]
    roots: frozenset[str]

    def lines(self, lines: tuple[Line, ...], around: tuple[str, ...]) -> Iterator[Written]:
        for line in lines:
            now = self._pointed(line, around)
            if line.block is None:
                yield Written(_whole(str(now)), line.line)
            else:
                yield Written(str(now), line.line)
                yield from self.lines(line.block, (*around, line.key))
                yield Written(f"</{line.name}>", line.line)
        if around in ((), ("virtualhost",)):
            yield from self._matched(lines, around)
            yield from map(Written, self._within_folder())

    def _within_folder(self) -> Iterator[str]:
        """Keep files elsewhere from being read where a rule may lead there, whatever a section grants.

        An <If> comes after all other sections, and of two the last one counts.
        """
        if not any(map(_leads_to_files, every(self.site.lines))):
            return
        mine = f"{self.place.folder}/*".replace("\\", "\\\\").replace("'", "\\'")
        outside = f"%{{REQUEST_FILENAME}} =~ m#^/# && !(%{{REQUEST_FILENAME}} -strmatch '{mine}')"
        yield from (f"<If {quoted(outside)}>", "Require all denied")
        yield from ("<IfModule mod_access_compat.c>", "Satisfy all", "</IfModule>", "</If>")

    def _pointed(self, line: Line, around: tuple[str, ...]) -> Line:
        if (line.key, line.block is not None) in _POINTED:
            return _POINTED[line.key, line.block is not None](self, line)
        found = None if self.site.keep_upstreams else find(line, around)
        if found is None:
            return line
        if line.key == "proxypassreverse":
            new = reversed_at(found.backend, self.place.upstream, self.site.places)
            return line.with_word(found.word, new) if new else line
        return line.with_word(found.word, pointed(found, self.place.upstream, self.site.places))

    def _matched(self, lines: tuple[Line, ...], around: tuple[str, ...]) -> Iterator[Written]:
        """Name the workers of ProxyPassMatch.

        With a unix socket and a $1 in its URL, httpd 2.4.71 finds no worker of its own, and would look the name up.
        """
        if not self.place.upstream.startswith("unix:") or self.site.keep_upstreams:
            return
        found = list(_within(lines, around))
        there = {self._root(each) for each in found if each.line.key == "proxypass" and each.backend.tail in ("", "/")}
        matched = [each for each in found if each.line.key == "proxypassmatch" and "$" in each.backend.tail]
        for url in dict.fromkeys(self._root(each) for each in matched):
            if url not in there:
                yield Written(f"<Proxy {quoted(url)} retry=60>")  # httpd's own default; without one there is no worker
                yield Written("</Proxy>")

    def _root(self, found: Found) -> str:
        bare = found._replace(backend=found.backend._replace(tail="/"))
        return pointed(bare, self.place.upstream, self.site.places)

    def _listen(self, line: Line) -> Line:
        return replace(line, rest=f"127.0.0.1:{self.ports[listened(line)]}")

    def _host(self, line: Line) -> Line:
        mine = [f"*:{self.ports[port]}" if port else "*" for _, port in addresses(line)]
        return replace(line, rest=" ".join(dict.fromkeys(mine)))

    def _folder(self, line: Line) -> Line:
        if not line.args:
            return line
        slash = "/" if line.key == "alias" and any(word.endswith("/") for word in line.args) else ""
        return line.with_word(len(line.args) - 1, f"{self.place.folder}{slash}")

    def _nowhere(self, line: Line) -> Line:
        return line.with_words("/dev/null")

    def _directory(self, line: Line) -> Line:
        return line.with_word(0, self._mirrored(line.args[0])) if line.args and line.args[0] != "~" else line

    def _mirrored(self, path: str) -> str:
        """Return where a folder of the text lies in the lab: all its roots of content are the lab's own folder."""
        path = _absolute(path)
        if any(root == path or root.startswith(f"{path.rstrip('/')}/") for root in self.roots) or path == "/":
            return self.place.folder
        root = next((root for root in self.roots if path.startswith(f"{root}/")), "")
        return f"{self.place.folder}{path.removeprefix(root)}"


_POINTED: dict[tuple[str, bool], Callable[[_Pointing, Line], Line]] = {
    ("listen", False): _Pointing._listen,  # noqa: SLF001  the table belongs to the class
    ("virtualhost", True): _Pointing._host,  # noqa: SLF001
    ("directory", True): _Pointing._directory,  # noqa: SLF001
    **{(name, False): _Pointing._folder for name in EMPTY},  # noqa: SLF001
    **{(name, False): _Pointing._nowhere for name in NOWHERE},  # noqa: SLF001
}


def _absolute(path: str) -> str:
    return posixpath.normpath("/" + path.lstrip("/"))


def _leads_to_files(line: Line) -> bool:
    return line.key == "rewriterule" and line.args[1:2] != ("-",) and "://" not in "".join(line.args[1:2])


def _is_root(line: Line) -> bool:
    return line.key in EMPTY and line.block is None and bool(line.args)


def _within(lines: tuple[Line, ...], around: tuple[str, ...]) -> Iterator[Found]:
    """Yield the backends inside these lines, but not those of virtual hosts inside them."""
    for line in lines:
        found = find(line, around)
        if found is not None and backend(line.args[found.word]) is not None:
            yield found
        if line.block is not None and line.key != "virtualhost":
            yield from _within(line.block, (*around, line.key))


def _whole(text: str) -> str:
    """Keep a backslash at the end of a line from continuing it."""
    return f"{text} " if text.endswith("\\") else text
