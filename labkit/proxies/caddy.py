"""Caddy, described by its Caddyfile: global options, snippets and sites; completed, and run for real only.

{ … }                   global options: the lab's own, and the few that cannot matter to where it runs
(name) { … }            a snippet, kept for `import name`
address, … { … }        a site; the one that leads to an upstream is the door, and answers for every host
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from textwrap import shorten
from typing import NamedTuple

from labkit.errors import Refused, Unmodelled, WrongUse
from labkit.proxies import caddy_words as known
from labkit.proxies.caddy_text import parsed, without_environment, written
from labkit.proxies.described import Place, Proxy, is_loopback
from labkit.proxies.directive import Directive, Note, NoteKind, Upstream, walk
from labkit.proxies.model import Model

__all__ = ["Caddy"]

_ADDRESS = re.compile(
    r"""(?:(?P<scheme>https?)://)?(?P<host>\[[^\]\s]*\]|[^:/\s"`\#\\]*)(?::(?P<port>\d+))?(?P<path>/[^\s"`\#\\]*)?"""
)
_WIDEST = 200  # characters of a directive that are told


class _Site(NamedTuple):
    """A site: the block it is, and what each of its addresses is taken apart into."""

    block: Directive
    addresses: tuple[_At, ...]

    @property
    def leads(self) -> bool:
        return any(each.name in known.UPSTREAMS for each in walk(self.block.block or ()))


class _At(NamedTuple):
    """An address of a site."""

    host: str
    port: int
    path: str

    def written(self, port: int, *, any_host: bool) -> str:
        return f"http://{'' if any_host else self.host}:{port}{self.path}"


class _Read(NamedTuple):
    """What a text was read into."""

    others: tuple[Directive, ...]  # global options and snippets
    sites: tuple[_Site, ...]
    door: tuple[int, int]  # which site, and which port
    notes: tuple[Note, ...]
    upstreams: tuple[Upstream, ...]

    @property
    def ports(self) -> list[int]:
        """Return every port, the door's first."""
        return list(dict.fromkeys([self.door[1], *(at.port for site in self.sites for at in site.addresses)]))


@dataclass(frozen=True, repr=False)
class Caddy(Proxy):
    """Caddy, by its Caddyfile: some directives, a site, or all of it.

    It is run for real; there is no model of it. See `Proxy` for the arguments.

    >>> Caddy("reverse_proxy /ws/* localhost:3000").upstreams
    (Upstream(line=1, written='localhost:3000', directive='reverse_proxy'),)
    """

    program = "caddy"
    name = "caddy"
    _is: _Read = field(init=False, compare=False)

    def _read(self) -> None:
        if self.text.lstrip().startswith('{"'):
            raise WrongUse("this is Caddy's JSON; the lab reads a Caddyfile: `caddy adapt` turns one into the other")
        notes: list[Note] = []
        others, blocks = _parts(parsed(without_environment(self.text, notes)), notes)
        sifting = _Sifting(notes, self.allow, frozenset(each.name for each in others), keep=self.keep_upstreams)
        others = [replace(each, block=tuple(sifting.sifted(each.block or (), site=bool(each.name)))) for each in others]
        sites = tuple(
            _Site(replace(block, block=tuple(sifting.sifted(block.block or (), site=True))), _addresses(block, notes))
            for block in blocks
        )
        door = self._chosen(sites)
        notes.sort(key=lambda note: note.line)
        object.__setattr__(self, "_is", _Read(tuple(others), sites, door, tuple(notes), tuple(sifting.upstreams)))

    def _chosen(self, sites: tuple[_Site, ...]) -> tuple[int, int]:
        """Return the site that the client dials, by its place, and the port of it."""
        if self.door is None:
            place = next((place for place, site in enumerate(sites) if site.leads), 0)
            return place, sites[place].addresses[0].port
        found = [place for place, site in enumerate(sites) for at in site.addresses if at.port == self.door]
        if not found:
            ports = ", ".join(str(at.port) for site in sites for at in site.addresses)
            raise WrongUse(f"nothing listens on port {self.door} here: the ports are {ports}")
        return next((place for place in found if sites[place].leads), found[0]), self.door

    @property
    def notes(self) -> tuple[Note, ...]:
        """What the lab added, pointed at itself, set aside and skipped, in the order of the lines."""
        return self._is.notes

    @property
    def upstreams(self) -> tuple[Upstream, ...]:
        """Every upstream address as it is written."""
        return self._is.upstreams

    @property
    def other_ports(self) -> tuple[int, ...]:
        """The ports that it listens on beside the door."""
        return tuple(self._is.ports[1:])

    def completed(self, place: Place) -> str:
        """Return the whole Caddyfile that Caddy is given."""
        ports = dict(zip(self._is.ports, (place.port, *place.spare), strict=True))
        own = [Directive("storage", ("file_system", f"{place.folder}/storage"))]
        own += [Directive(*_split(line)) for line in known.OWN]
        kept = [each for block in self._is.others if not block.name for each in block.block or ()]
        lines = list(written([Directive("", (), 0, (*own, *kept))]))
        lines += written(_placed(each, place, keep=self.keep_upstreams) for each in self._is.others if each.name)
        blocks = (*self._is.others, *(site.block for site in self._is.sites))
        files = any(each.name == "file_server" for each in walk(blocks))
        for number, site in enumerate(self._is.sites):
            names = list(dict.fromkeys(self._name(at, number, ports[at.port]) for at in site.addresses))
            inside = [_placed(each, place, keep=self.keep_upstreams) for each in site.block.block or ()]
            first = [Directive("bind", ("127.0.0.1",))]
            if files:
                first.append(Directive("root", ("*", f"{place.folder}/www")))
            named, *others = [*(f"{name}," for name in names[:-1]), names[-1]]
            lines += written([Directive(named, tuple(others), site.block.line, (*first, *inside))])
        return "\n".join(lines) + "\n"

    def _name(self, at: _At, number: int, port: int) -> str:
        """Return an address as Caddy is given it; the door's site answers for any host that no other one has."""
        others = (each for place, site in enumerate(self._is.sites) if place != number for each in site.addresses)
        taken = any(not each.host and (each.port, each.path) == (at.port, at.path) for each in others)
        return at.written(port, any_host=(number, at.port) == self._is.door and not taken)

    def model(self) -> Model:
        """Refuse: there is no model of Caddy.

        Raises:
            Unmodelled: always.
        """
        raise Unmodelled('there is no model of Caddy: run it for real, run(…, proxies="real")')

    @property
    def directives(self) -> tuple[Directive, ...]:
        """Its options, snippets and sites, as they were kept."""
        return (*self._is.others, *(site.block for site in self._is.sites))


def _split(line: str) -> tuple[str, tuple[str, ...]]:
    name, *args = line.split()
    return name, tuple(args)


def _parts(found: list[Directive], notes: list[Note]) -> tuple[list[Directive], list[Directive]]:
    """Tell global options and snippets from sites; give a snippet of directives, or of one address, its site."""
    if not found:
        raise WrongUse("the Caddyfile is empty: give a site, or the directives of one")
    others = [each for each in found if each.block is not None and (not each.name or each.name.startswith("("))]
    rest = [each for each in found if each not in others]
    first = rest[0] if rest else Directive("")
    if not rest:
        raise WrongUse("there is no site in this Caddyfile: give its address and its directives")
    if first.name in known.DIRECTIVES or first.name.startswith("@"):
        notes.append(Note(NoteKind.ADDED, 0, ":80", "directives stand in a site"))
        return others, [Directive(":80", (), 0, tuple(rest))]
    if first.block is None and first.name != "import":  # an address, and all that follows is its site
        return others, [replace(first, block=tuple(rest[1:]))]
    for each in rest:
        if each.block is None:
            raise WrongUse(f"line {each.line}: `{_shown(each)}` stands outside of a site")
    return others, rest


def _addresses(block: Directive, notes: list[Note]) -> tuple[_At, ...]:
    """Take apart the addresses of a site."""
    words = [word for each in (block.name, *block.args) for word in each.split(",") if word]
    found = []
    for word in words:
        match = _ADDRESS.fullmatch(word)
        if not match or int(match["port"] or 0) >= 1 << 16:
            raise WrongUse(f"line {block.line}: {word!r} is no address of a site, nor a directive that the lab knows")
        usual = 80 if match["scheme"] == "http" else 443
        found.append(_At(match["host"].strip("*") and match["host"], int(match["port"] or usual), match["path"] or ""))
    if not found:
        raise WrongUse(f"line {block.line}: {_shown(block)!r} is no address of a site")
    if block.line:
        notes.append(
            Note(NoteKind.POINTED, block.line, ", ".join(words), "it listens on a free port of 127.0.0.1, without TLS")
        )
    return tuple(found)


@dataclass
class _Sifting:
    """Takes out of a Caddyfile what the lab runs it without, and notes it; collects the upstreams."""

    notes: list[Note]
    allow: tuple[str, ...]
    snippets: frozenset[str]
    keep: bool
    upstreams: list[Upstream] = field(default_factory=list)

    def sifted(self, block: Iterable[Directive], *, site: bool = True) -> Iterator[Directive]:
        """Yield what is kept of global options or a snippet, or of a site."""
        for each in block:
            self._check(each)
            if why := self._why_not(each, site=site):
                self._note(NoteKind.SET_ASIDE, each, why)
            elif each.name == "import":
                yield from self._import(each)
            elif each.name in known.UPSTREAMS:
                yield self._proxy(each)
            else:
                if each.name == "root":
                    self._note(NoteKind.POINTED, each, "files are served from the lab's folder, which is empty")
                yield replace(each, block=None if each.block is None else tuple(self.sifted(each.block)))

    def _import(self, each: Directive) -> Iterator[Directive]:
        """Yield an import of a snippet, or of a file that is allowed by name."""
        if each.args and (f"({each.args[0]})" in self.snippets or each.args[0] in self.allow):
            yield replace(each, block=None if each.block is None else tuple(self.sifted(each.block)))
        else:
            self._note(NoteKind.SKIPPED, each, "the file is not part of the text")

    def _why_not(self, each: Directive, *, site: bool) -> str:
        if site:
            return known.ASIDE.get(each.name, "")
        return "" if each.name in known.GLOBAL else "it says where and as whom Caddy runs, and the lab does"

    def _check(self, each: Directive) -> None:
        name = "dynamic exec" if str(each).startswith("dynamic exec") else each.name
        if name in known.EXECUTES and name not in self.allow:
            raise Refused(
                f'line {each.line}: `{_shown(each)}` runs a program: take it out, or allow it: allow=["{name}"]'
            )
        if "{args" in each.name:
            raise Refused(f"line {each.line}: `{_shown(each)}`: what it does depends on an import: write its name")
        if "{file." in str(each) and "file" not in self.allow:
            raise Refused(f'line {each.line}: `{_shown(each)}` reads a file: take it out, or allow it: allow=["file"]')

    def _proxy(self, proxy: Directive) -> Directive:
        """Note the upstreams of `reverse_proxy`, and take out what leads elsewhere."""
        at = 1 if proxy.args and proxy.args[0][:1] in ("/", "*", "@") else 0
        self._found(proxy, proxy.args[at:])
        inside = None if proxy.block is None else tuple(self._inside(proxy.block))
        return replace(proxy, block=inside)

    def _inside(self, block: Iterable[Directive]) -> Iterator[Directive]:
        for each in block:
            self._check(each)
            if each.name == "transport" and each.args[:1] == ("fastcgi",):
                self._note(NoteKind.SET_ASIDE, each, "the lab's server speaks no FastCGI")
            elif why := known.INSIDE.get(each.name):
                self._note(NoteKind.SET_ASIDE, each, why)
            elif each.name == "import":
                yield from self._import(each)
            elif each.name in known.UPSTREAMS:
                yield self._proxy(each)
            elif each.name == "dynamic":
                self._found(each, (each.args[0] if each.args else "dynamic",))
                yield Directive("to", ("dynamic",), each.line)
            else:
                if each.name == "to":
                    self._found(each, each.args)
                yield replace(each, block=None if each.block is None else tuple(self._inside(each.block)))

    def _found(self, directive: Directive, words: Iterable[str]) -> None:
        for word in words:
            self.upstreams.append(Upstream(directive.line, word, directive.name))
            if self.keep:
                _check_kept(directive, word)
            else:
                why = "the lab's server answers in its place"
                self.notes.append(
                    Note(NoteKind.POINTED, directive.line, _shown(Directive(directive.name, (word,))), why)
                )

    def _note(self, kind: NoteKind, each: Directive, why: str) -> None:
        self.notes.append(Note(kind, each.line, _shown(each), why))


def _check_kept(directive: Directive, word: str) -> None:
    host = re.sub(r"^https?://|:\d+(-\d+)?$", "", word)
    if host and not is_loopback(host):
        raise Refused(
            f"line {directive.line}: `{_shown(directive)}` may lead off this machine; without keep_upstreams the lab "
            "stands there"
        )


def _placed(each: Directive, place: Place, *, keep: bool) -> Directive:
    """Return a directive with its upstreams pointed at the lab, and its root in the private folder."""
    if each.name == "root":
        return replace(each, args=(*each.args[:-1], f"{place.folder}/www"))
    args = each.args
    if each.name in known.UPSTREAMS and not keep:
        at = 1 if args and args[0][:1] in ("/", "*", "@") else 0
        args = (*args[:at], *(place.upstream for _ in args[at:]))
    if each.name == "to" and not keep:
        args = tuple(place.upstream for _ in args)
    inside = None if each.block is None else tuple(_placed(one, place, keep=keep) for one in each.block)
    return replace(each, args=args, block=inside)


def _shown(each: Directive) -> str:
    """Return a directive on one line, as far as it is readable."""
    return shorten(str(each), _WIDEST, placeholder=" …")
