"""The whole configuration that the real nginx is given: a site at one place.

It differs from the site's tree in addresses, ports and folders alone, and keeps what a backend can see of
them. Where a variable would tell the difference, a map gives back what the text says:

    $server_port   the port of the text                        $lab_port
    $scheme        https behind a port that speaks TLS         $lab_scheme
    $https         on, there                                   $lab_https
    $proxy_host    the written name of an upstream             $lab_host
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from labkit.errors import WrongUse
from labkit.proxies.described import Place
from labkit.proxies.directive import Directive, walk
from labkit.proxies.nginx.grammar import DATA
from labkit.proxies.nginx.redirects import with_redirects
from labkit.proxies.nginx.site import Site
from labkit.proxies.nginx.tables import FILES
from labkit.proxies.nginx.writing import written

__all__ = ["complete"]

_FOLDER = re.compile(r"/[^\x00-\x1f$\"'{};]*[^\x00-\x1f$\"'{};/]")
_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")  # each has its _temp_path
_TOLD = {"server_port": "lab_port", "scheme": "lab_scheme", "https": "lab_https"}
_TELLS = re.compile(
    r"\$(?:\{(server_port|scheme|https|proxy_host)\}|(server_port|scheme|https|proxy_host)\b)", re.IGNORECASE
)
_TESTS = frozenset({"-f", "!-f", "-d", "!-d", "-e", "!-e", "-x", "!-x"})
_ONLY_NEWER = re.compile(r"resolve|service=.*")  # of a server in an upstream: names are looked up again and again


def complete(site: Site, place: Place) -> str:
    """Return a site as the text of nginx.conf, to be started as `nginx -p FOLDER -c FOLDER/nginx.conf`.

    Raises:
        WrongUse: the place has too few ports, or its folder's name is none for a configuration.
    """
    if not _FOLDER.fullmatch(place.folder):
        raise WrongUse(f"the folder is an absolute path without quotes and without $, not {place.folder!r}")
    if len(place.spare) < len(site.others):
        raise WrongUse(f"{len(site.others)} other ports are listened on, and {len(place.spare)} are spare")
    return written(_Completer(site, place).main())


@dataclass(slots=True)
class _Completer:
    """Walks the tree of a site, and puts a place into it."""

    site: Site
    place: Place
    caches: int = 0

    @property
    def ports(self) -> dict[int, int]:
        """Each port of the text → the port at this place."""
        return {self.site.door: self.place.port, **dict(zip(self.site.others, self.place.spare, strict=False))}

    @property
    def renames(self) -> bool:
        return bool(self.site.aims.renamed) and not self.site.kept

    def main(self) -> Iterator[Directive]:
        folder = self.place.folder
        yield Directive("pid", (f"{folder}/nginx.pid",))
        yield Directive("error_log", (f"{folder}/error.log", "info"))
        yield Directive("worker_processes", ("1",))
        yield from self.site.main
        yield Directive("events", (), 0, (Directive("worker_connections", ("512",)),))
        inside = self._inside(self.site.http, ())
        yield replace(self.site.http, block=(*self._added(), *inside))

    def _added(self) -> Iterator[Directive]:
        """Yield what stands at the top of http: logs, folders, maps, upstream blocks."""
        folder = self.place.folder
        yield Directive("access_log", (f"{folder}/access.log",))
        if not self.site.kept:
            yield Directive("proxy_bind", ("127.0.0.1",))  # from there the system lets nobody off this machine
        yield from (Directive(f"{each}_temp_path", (f"{folder}/{each}",)) for each in _TEMPORARY)
        used = {name for each in walk([self.site.http]) for arg in each.args for name in _named(arg)}
        back = {str(here): str(there) for there, here in self.ports.items()}
        secure = [here for here, there in back.items() if int(there) in self.site.tls]
        if "server_port" in used:
            yield _map("$server_port", "$lab_port", {"default": "$server_port", **back})
        if "scheme" in used:
            yield _map("$server_port", "$lab_scheme", {"default": "http", **dict.fromkeys(secure, "https")})
        if "https" in used:
            yield _map("$server_port", "$lab_https", {"default": "", **dict.fromkeys(secure, "on")})
        if not self.site.kept:
            yield from self._renamed()

    def _renamed(self) -> Iterator[Directive]:
        aims = self.site.aims
        for new in aims.renamed.values():
            yield Directive("upstream", (new,), 0, (Directive("server", (self.place.upstream,)),))
        for variable, name in aims.computed.values():
            yield _map("", f"${variable}", {"default": aims.name(name)})
        if aims.renamed:
            given = {new: self._told(old) for old, new in aims.renamed.items()}
            found = _map("$proxy_host", "$lab_host", {"default": "$proxy_host", **given})
            volatile = Directive("volatile")  # another proxy_pass of the same request has another name
            yield replace(found, block=(volatile, *(found.block or ())))

    def _inside(self, block: Directive, redirects: tuple[Directive, ...]) -> tuple[Directive, ...]:
        """Return what stands in a block, at this place.

        Args:
            block: the block of the site.
            redirects: the proxy_redirect lines that it inherits.
        """
        redirects = block.inside("proxy_redirect") or redirects
        found: list[Directive] = []
        for each in block.block or ():
            if each.block is None:
                found.append(self._simple(each, block))
            elif block.name in DATA:
                found.append(each)
            else:
                found.append(replace(each, args=self._args(each), block=self._inside(each, redirects)))
        if not self.site.kept:
            found = list(with_redirects(block, found, redirects, self.site.aims.url))
        return tuple(self._with_host(block, found) if self.renames else found)

    def _simple(self, each: Directive, block: Directive) -> Directive:
        """Return a directive that is no block, at this place."""
        if not self.site.kept and self._gives(each, block):
            return replace(each, args=(*each.args[:-1], self.site.aims.value(each.args[-1])))
        args = () if block.name in DATA else self._placed(each, block)
        return replace(each, args=args or self._args(each))

    def _placed(self, each: Directive, block: Directive) -> tuple[str, ...]:
        """Return the arguments of a directive that names a port, an upstream or a folder; none for any other."""
        match each.name:
            case "listen" if block.name == "server":
                default = each.args[-1:] if each.args[-1] == "default_server" else ()
                return (f"127.0.0.1:{self.ports[int(each.args[0])]}", *default)
            case "server" if block.name == "upstream" and not self.site.kept:
                return (self.place.upstream, *(arg for arg in each.args[1:] if not _ONLY_NEWER.fullmatch(arg)))
            case "proxy_pass" if not self.site.kept:
                return (self._told(self.site.aims.url(each.args[0])),)
            case name if name in FILES:
                return self._folder(each)
        return ()

    def _gives(self, each: Directive, block: Directive) -> bool:
        """Tell whether a line gives a value to a variable that decides where a proxy_pass leads."""
        if each.name == "set":
            variable = each.args[0]
        elif block.name in ("map", "geo", "split_clients") and len(each.args) == 1:
            variable = block.args[-1]
        else:
            return False
        return variable[1:].lower() in self.site.aims.defined

    def _folder(self, each: Directive) -> tuple[str, ...]:
        if each.name in ("root", "alias"):
            slash = "/" if each.args[-1].endswith("/") else ""
            return (f"{self.place.folder}/html{slash}",)
        self.caches += 1
        return (f"{self.place.folder}/cache_{self.caches}", *each.args[1:])

    def _args(self, each: Directive) -> tuple[str, ...]:
        if each.name == "if" and each.args[0] in _TESTS and each.args[-1].startswith("/"):
            return (each.args[0], f"{self.place.folder}/html{each.args[-1]}")
        return tuple(self._told(arg) for arg in each.args)

    def _told(self, arg: str) -> str:
        """Put the variable that tells what the text says in the place of one that tells of this place."""
        told = {**_TOLD, "proxy_host": "lab_host"} if self.renames else _TOLD

        def here(found: re.Match[str]) -> str:
            name = found[1] or found[2]
            return found[0].replace(name, told.get(name.lower(), name))

        return _TELLS.sub(here, arg)

    def _with_host(self, block: Directive, found: Iterable[Directive]) -> Iterator[Directive]:
        """Say Host where nginx would send $proxy_host by itself.

        That is in http, and in every block whose own proxy_set_header lines keep it from inheriting others.
        """
        yield from found
        own = block.inside("proxy_set_header")
        if (own or block.name == "http") and not any(each.args[0].lower() == "host" for each in own):
            yield Directive("proxy_set_header", ("Host", "$lab_host"))


def _named(arg: str) -> set[str]:
    return {(found[1] or found[2]).lower() for found in _TELLS.finditer(arg)}


def _map(source: str, variable: str, values: dict[str, str]) -> Directive:
    return Directive("map", (source, variable), 0, tuple(Directive(key, (value,)) for key, value in values.items()))
