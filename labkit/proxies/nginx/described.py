"""nginx, described by its configuration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from labkit.proxies.described import Effect, Place, Proxy
from labkit.proxies.directive import Directive, Note, Upstream
from labkit.proxies.nginx.completing import complete
from labkit.proxies.nginx.effects import effect
from labkit.proxies.nginx.grammar import DATA
from labkit.proxies.nginx.model import PROVEN, nginx_model
from labkit.proxies.nginx.site import Site, read_site

if TYPE_CHECKING:
    from labkit.proxies.model import Model

__all__ = ["Nginx"]


@dataclass(frozen=True, repr=False)
class Nginx(Proxy):
    """nginx, described by its configuration as people write it: a location, a server, a whole file, `nginx -T`.

    Args:
        text: the configuration.
        keep_upstreams: leave the upstream addresses as they are, instead of pointing them at the lab's server;
            they must be on this machine.
        door: the port, as the text has it, that the client dials; unless told the first that leads to an upstream.
        allow: what would be refused, allowed by name: files to include, directives that execute or write.
        version: whose defaults the model has: "1.22.1", which it was held against, or "1.29.7", from which on
            nginx speaks HTTP/1.1 to upstreams and keeps their connections; that is known from its change log alone.

    Raises:
        WrongUse: the text cannot be read; it names the line and the directive.
        Refused: it executes or writes what is not allowed by name.

    >>> nginx = Nginx("location /ws/ { proxy_pass http://backend; }")
    >>> [each.written for each in nginx.upstreams]
    ['backend']
    >>> for note in nginx.notes[:2]: print(note)
    added: events (nginx does not start without it; its defaults are right here)
    added: http (nginx takes servers inside an http block alone)
    """

    version: str = PROVEN

    program: ClassVar[str] = "nginx"
    name: ClassVar[str] = "nginx"

    _site: Site = field(init=False, compare=False)

    def _read(self) -> None:
        site = read_site(self.text, self.allow, self.door, keep=bool(self.keep_upstreams))
        object.__setattr__(self, "_site", site)

    @property
    def directives(self) -> tuple[Directive, ...]:
        """The whole configuration as it counts: names, ports and folders of the text, its lines, what was added."""
        return (*self._site.main, self._site.http)

    @property
    def door_port(self) -> int:
        """The port, as the text has it, that the client dials."""
        return self._site.door

    @property
    def door_host(self) -> str:
        """A Host that leads to an upstream there, the first server_name; empty where the text has none."""
        return self._site.host

    @property
    def tls_ports(self) -> frozenset[int]:
        """The ports that speak TLS where the text comes from, and plain here; there $scheme is https."""
        return self._site.tls

    @property
    def notes(self) -> tuple[Note, ...]:
        """What the lab added, pointed at itself, set aside and skipped, in the order of the lines."""
        return self._site.notes

    @property
    def upstreams(self) -> tuple[Upstream, ...]:
        """Every upstream address as it is written."""
        return self._site.upstreams

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What each directive of the text does to an upgrade, in the order of the lines; also those that do nothing."""
        rows = (Effect(each.line, str(each), effect(each)) for each in _told(self.directives))
        return tuple(sorted(rows, key=lambda row: row.line))

    @property
    def other_ports(self) -> tuple[int, ...]:
        """The ports that it listens on beside the door, as the text has them."""
        return self._site.others

    def completed(self, place: Place) -> str:
        """Return the whole configuration file that the real nginx is given.

        It is started as `nginx -p FOLDER -e stderr -c FOLDER/nginx.conf -g 'daemon off;'`. Its workers must be
        able to go into the folder: where root starts it, they are another user's, so the folder's mode is 0711.
        """
        return complete(self._site, place)

    def model(self) -> Model:
        """Return the model of it, held against nginx 1.22.1; with the defaults of its `version`.

        Raises:
            Unmodelled: a directive could matter that the model does not know; it is named.
        """
        return nginx_model(self.directives, self.door_port, self.version)


def _told(directives: Iterable[Directive]) -> Iterator[Directive]:
    """Yield the directives that stand in the text; the lines of a map are values, and none."""
    for each in directives:
        if each.line:
            yield each
        if each.name not in DATA:
            yield from _told(each.block or ())
