"""Apache httpd, described by its own configuration text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from labkit.errors import WrongUse
from labkit.proxies.apache.completing import Site, written
from labkit.proxies.apache.doors import door_of, listened, virtual_hosts
from labkit.proxies.apache.known import effect
from labkit.proxies.apache.model import apache_model
from labkit.proxies.apache.modules import ALWAYS, CHOSEN, chosen, needed
from labkit.proxies.apache.reading import Line, directives, every, read, shown
from labkit.proxies.apache.resolving import Resolver
from labkit.proxies.apache.treating import Treater
from labkit.proxies.apache.upstreams import find
from labkit.proxies.described import Effect, Place, Proxy
from labkit.proxies.directive import Directive, Note, NoteKind, Upstream, walk

if TYPE_CHECKING:
    from labkit.proxies.model import Model

__all__ = ["Apache"]

_ACTING = ("dir", "reqtimeout")  # modules that act without a directive


@dataclass(frozen=True, repr=False)
class Apache(Proxy):
    """Apache httpd, described by the text of its own configuration.

    Args:
        text: a few lines, a `<VirtualHost>`, a site file, or all of it.
        modules: the proxy modules to load, such as ("proxy", "proxy_wstunnel"); None takes those that the text's
            LoadModule lines name, else proxy, proxy_http, proxy_wstunnel and what the directives need.

    The other arguments are those of every `Proxy`.

    >>> site = Apache('ProxyPass "/ws/" "ws://websocketserver.example.com/"')
    >>> site.upstreams
    (Upstream(line=1, written='websocketserver.example.com', directive='ProxyPass'),)
    >>> site.loaded
    ('proxy', 'proxy_http', 'proxy_wstunnel')
    """

    modules: tuple[str, ...] | None = None
    _site: Site = field(init=False, repr=False, compare=False)
    _notes: tuple[Note, ...] = field(init=False, repr=False, compare=False)

    program: ClassVar[str] = "apache2"
    name: ClassVar[str] = "apache"
    by_socket: ClassVar[bool] = True

    def _read(self) -> None:
        object.__setattr__(self, "modules", chosen(self.modules))
        if not self.text.strip():
            raise WrongUse("the configuration is empty; give at least one line, such as ProxyPass /ws/ ws://backend/")
        resolver = Resolver(self.modules, self.allow)
        lines = resolver.resolve(read(self.text))
        treater = Treater(self.keep_upstreams, self.allow, resolver.modules)
        kept = treater.treat(lines)
        led = [*treater.found, *treater.workers]
        keys = dict.fromkeys(each.backend.key for each in led)
        site = Site(
            lines=kept,
            found=tuple(treater.found),
            places={key: number for number, key in enumerate(keys)},
            door=door_of(kept, self.door, _leads),
            proxies=_proxies(resolver.modules, kept),
            also=tuple(name for name in _ACTING if name in resolver.loads),
            keep_upstreams=self.keep_upstreams,
            unsafe=treater.unsafe,
        )
        object.__setattr__(self, "_site", site)
        given = sorted([*resolver.notes, *treater.notes, *_doors(site)], key=lambda note: note.line)
        object.__setattr__(self, "_notes", (*_added(site), *given, *_said(site)))

    @property
    def notes(self) -> tuple[Note, ...]:
        """What the lab added; then, in the order of the lines, what it pointed at itself, set aside and skipped."""
        return self._notes

    @property
    def upstreams(self) -> tuple[Upstream, ...]:
        """Every backend as it is written."""
        return tuple(
            Upstream(
                each.line.line,
                f"unix:{each.backend.socket}" if each.backend.socket else each.backend.address,
                each.line.name,
            )
            for each in self._site.found
        )

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What each directive of the text does to an upgrade, in the order of the lines; also those that do nothing."""
        rows = (Effect(each.line, str(each), effect(each)) for each in walk(self.directives) if each.line)
        return tuple(sorted(rows, key=lambda row: row.line))

    @property
    def other_ports(self) -> tuple[int, ...]:
        """The ports that it listens on beside the door, as the text has them."""
        return self._site.other_ports

    @property
    def door_port(self) -> int:
        """The port, as the text has it, that the client dials."""
        return self._site.door

    @property
    def directives(self) -> tuple[Directive, ...]:
        """What takes part, as it is written: variables expanded, sections that ask what httpd is resolved."""
        return directives(self._site.lines)

    @property
    def loaded(self) -> tuple[str, ...]:
        """The proxy modules that are loaded, by their short names."""
        return self._site.proxies

    def completed(self, place: Place) -> str:
        """Return the whole configuration file that httpd is given.

        Raises:
            Refused: a request could choose another host than the lab's.
        """
        return "".join(f"{each.text}\n" for each in written(self._site, place))

    def line_of(self, place: Place, number: int) -> int:
        """Return which line of the given text stands on a line of the completed one; 0 where the lab added it."""
        lines = list(written(self._site, place))
        return lines[number - 1].line if 0 < number <= len(lines) else 0

    def model(self) -> Model:
        """Return the model of it.

        Raises:
            Unmodelled: a directive could matter that the model does not know; it is named, with its line.
        """
        return apache_model(self.directives, self.loaded, self.door_port)


def _leads(line: Line) -> bool:
    """Tell whether a line leads to a backend, or to a balancer of them."""
    if line.key == "proxypassreverse":
        return False
    balanced = line.block is None and any("balancer://" in word for word in line.args)
    return balanced or any(find(line, around) for around in ((), ("location",)))


def _proxies(modules: tuple[str, ...] | None, kept: tuple[Line, ...]) -> tuple[str, ...]:
    if modules is not None:
        return modules
    return tuple(dict.fromkeys([*CHOSEN, *(name for name in needed(kept) if name.startswith("proxy"))]))


def _doors(site: Site) -> Iterable[Note]:
    for line in every(site.lines):
        if line.key == "listen":
            port = listened(line)
            what = "the port that the client dials" if port == site.door else "another port"
            yield Note(NoteKind.POINTED, line.line, shown(line), f"{what}: a free one of 127.0.0.1")
        elif line.key == "proxypassreverse" and not site.keep_upstreams:
            found = find(line, ()) or find(line, ("location",))
            if found is not None and found.backend.key in site.places:
                yield Note(NoteKind.POINTED, line.line, shown(line), "the same backend, so that it does what it did")
    for host in virtual_hosts(site.lines):
        yield Note(NoteKind.POINTED, host.line, shown(host), "its ports are free ones of 127.0.0.1 in the lab")


def _added(site: Site) -> Iterable[Note]:
    def added(what: str, why: str) -> Note:
        return Note(NoteKind.ADDED, 0, what, why)

    names = [name for name in site.modules if name not in ALWAYS]
    if names:
        yield added(f"LoadModule {', '.join(names)}", "the modules that its directives belong to; a2enmod enables them")
    yield added(f"LoadModule {', '.join(ALWAYS)}", "without them httpd does not start, or lets nobody in")
    yield added("ServerRoot, PidFile, ErrorLog, Mutex", "all that httpd writes goes to a private folder")
    yield added("User, Group", "nobody: as root, httpd wants to know whom to become")
    if not any(line.key == "servername" for line in site.lines):
        yield added("ServerName localhost", "of the main server; else httpd looks up the name of the machine")
    for port in site.unheard:
        yield added(f"Listen {port}", _unheard(site))
    yield added("DocumentRoot", "the private folder: there is no content")


def _unheard(site: Site) -> str:
    if any(line.key == "listen" for line in every(site.lines)):
        return "no Listen of the text opens that port: on a server another file does, or nobody gets in"
    if virtual_hosts(site.lines):
        return "a <VirtualHost> says which requests it takes, not where httpd listens; Debian has that in ports.conf"
    return "the snippet does not say where httpd listens"


def _said(site: Site) -> Iterable[Note]:
    """Yield what a learner is told once, of the whole."""
    if not site.found or site.keep_upstreams:
        return
    if not any(line.key == "proxypreservehost" and line.args[:1] == ("On",) for line in every(site.lines)):
        first = site.found[0].backend.address
        why = (
            f"Apache sends the address of the backend, as in Host: {first}; so it does here, through a unix socket, "
            "and where none can stand it sends the lab's 127.0.0.1"
        )
        yield Note(NoteKind.NOTED, 0, "Host", why)
    if len(site.places) > 1:
        why = "several backends: httpd tells them apart by name; without a socket these are 127.0.0.1, 127.0.0.01 …"
        yield Note(NoteKind.NOTED, 0, "upstreams", why)
