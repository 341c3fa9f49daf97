"""Virtual hosts as the model has them: which one a request is for, and what holds in it for a path."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from fnmatch import translate
from functools import cached_property

from labkit.proxies.apache.patterns import LOCATIONS, by_expression, compiled
from labkit.proxies.apache.settings import Settings
from labkit.proxies.directive import Directive, unmodelled

__all__ = ["Host", "Section", "chosen", "hosts_of"]

_PORT = re.compile(r":([0-9]{1,5}|\*)$")
_SCHEME = re.compile(r"^[a-z]+://", re.IGNORECASE)


@dataclass(frozen=True)
class Section:
    """A <Location> or <LocationMatch>.

    Args:
        path: what it begins with; of a LocationMatch, the expression.
        pattern: of a LocationMatch, or of a path with wildcards.
        directive: the section itself.
    """

    path: str
    pattern: re.Pattern[str] | None
    directive: Directive

    def directives(self) -> Iterator[Directive]:
        """Yield what is inside; a ProxyPassReverse with the path that it does not repeat."""
        for each in self.directive.block or ():
            reverses = each.name.lower() == "proxypassreverse" and len(each.args) == 1
            yield replace(each, args=(self.path, *each.args)) if reverses else each

    def holds(self, path: str) -> bool:
        """Tell whether it holds for a path: whole segments, as httpd's `ap_location_walk` compares them."""
        if self.pattern is not None:
            return self.pattern.search(path) is not None
        rest = path[len(self.path) :]
        return path.startswith(self.path) and (self.path.endswith("/") or rest[:1] in ("", "/"))


@dataclass(frozen=True)
class Host:
    """A virtual host, or the main server where there is none.

    Args:
        own: the directives of its own, sections left out.
        base: those of the main server.
        sections: locations, the main server's first, in the order of the text.
        blocks: everything inside it, as it is written.
        name: what it is called: its ServerName, else the main server's.
        aliases: the names that it takes requests for, in lower case; they may have wildcards.
    """

    own: tuple[Directive, ...]
    base: tuple[Directive, ...]
    sections: tuple[Section, ...]
    blocks: tuple[Directive, ...]
    name: str
    port: str
    aliases: tuple[str, ...]
    _settings: dict[tuple[int, ...], Settings] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def server(self) -> Settings:
        """What holds for the server as a whole."""
        return self.at(())

    @cached_property
    def rewriting(self) -> Settings:
        """What mod_rewrite goes by: a virtual host inherits no rules."""
        return Settings.of(self.own)

    def at(self, places: tuple[int, ...]) -> Settings:
        """Return what holds in these sections, by their numbers."""
        found = self._settings.get(places)
        if found is None:
            inside = (each for place in places for each in self.sections[place].directives())
            found = self._settings[places] = Settings.of([*self.base, *self.own, *inside])
        return found

    def within(self, path: str) -> tuple[int, ...]:
        """Return the numbers of the sections that a path lies in."""
        return tuple(place for place, section in enumerate(self.sections) if section.holds(path))

    def answers_to(self, name: str) -> bool:
        """Tell whether it takes requests for a host name."""
        return any(
            name == alias or (("*" in alias or "?" in alias) and re.fullmatch(translate(alias), name))
            for alias in self.aliases
        )


def chosen(hosts: tuple[Host, ...], name: str) -> Host:
    """Return the virtual host for a name: the first that it is named for, else the first of all."""
    return next((host for host in hosts if name and host.answers_to(name)), hosts[0])


def hosts_of(directives: Iterable[Directive], door: int) -> tuple[Host, ...]:
    """Return the virtual hosts behind a port, in order; the main server where there is none.

    Raises:
        Unmodelled: virtual hosts of that port and of any port stand side by side.
    """
    whole = tuple(directives)
    virtual = [each for each in whole if each.name.lower() == "virtualhost" and each.block is not None]
    behind = [each for each in virtual if _behind(each, door)]
    if len({_kind(each, door) for each in behind}) > 1:
        raise unmodelled(
            behind[-1],
            "it stands beside a virtual host of another kind of address; "
            "the model of Apache knows only hosts that all have the port, or none",
        )
    main = tuple(each for each in whole if each not in virtual)
    return tuple(_host(each.block or (), main) for each in behind) or (_host((), main),)


def _behind(host: Directive, door: int) -> bool:
    ports = [found[1] if (found := _PORT.search(word)) else "*" for word in host.args]
    return any(port in ("*", str(door)) for port in ports)


def _kind(host: Directive, door: int) -> bool:
    return any(word.endswith(f":{door}") for word in host.args)


def _host(block: tuple[Directive, ...], main: tuple[Directive, ...]) -> Host:
    base, own = _plain(main), _plain(block)
    names = Settings.of(own)
    called = names.word("ServerName", "") or Settings.of(base).word("ServerName", "localhost")
    name, _, port = _SCHEME.sub("", called).partition(":")
    aliases = [name, *(word for each in names.all("ServerAlias") for word in each.args)]
    sections = (*_sections(main), *_sections(block))
    if not block:
        own, base = base, ()
    lowered = tuple(alias.lower() for alias in aliases)
    return Host(own, base, sections, (*main, *block), name, port, lowered)


def _plain(directives: Iterable[Directive]) -> tuple[Directive, ...]:
    return tuple(each for each in directives if each.block is None)


def _sections(directives: Iterable[Directive]) -> Iterator[Section]:
    for each in directives:
        if each.name.lower() in LOCATIONS and each.block is not None and each.args:
            path = each.args[-1]
            pattern = compiled(path, each) if by_expression(each) else None
            if pattern is None and any(char in path for char in "*?["):
                pattern = re.compile(translate(path).replace(".*", "[^/]*"))
            yield Section(path, pattern, each)
