"""Remedies for a configuration: edits of its lines, tried until the upgrade goes through.

The text is changed as little as can be: the smallest set of remedies after which the exchange switches.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

from labkit.errors import LabError
from labkit.proxies.described import Proxy
from labkit.proxies.directive import Directive, walk

__all__ = ["Edit", "Remedy", "at", "edited", "mend", "remedies"]

_MOST_TOGETHER = 3
_TAKES = "mod_proxy_http takes Upgrade out unless the line says which protocol may pass"
_NARROW = frozenset(("if", "limit_except"))


class Edit(NamedTuple):
    """One change of a line.

    Args:
        line: the line, from 1.
        was: what stands in it.
        now: what comes in its place; it may begin with `was`, and may be several lines.
        told: the change in words.
    """

    line: int
    was: str
    now: str
    told: str


class Remedy(NamedTuple):
    """A change, why it is needed, and where that is written; `more` are the same change of further lines."""

    edit: Edit
    why: str
    clause: str
    more: tuple[Edit, ...] = ()

    @property
    def edits(self) -> tuple[Edit, ...]:
        """All of them, the first first."""
        return (self.edit, *self.more)


# nginx: the directive, with the field name where it sets one; what to write; why; the clause.
_NGINX = (
    ("proxy_http_version", "", "proxy_http_version 1.1;",
     "nginx speaks HTTP/1.0 to its upstream unless told (before 1.29.7), and HTTP/1.0 knows no upgrade",
     "RFC 9110, 7.8"),
    ("proxy_set_header", "Upgrade", "proxy_set_header Upgrade $http_upgrade;",
     "Upgrade is for one hop: nginx does not forward it unless told", "RFC 9110, 7.6.1"),
    ("proxy_set_header", "Connection", 'proxy_set_header Connection "upgrade";',
     "nginx sends `Connection: close` upstream unless told, and an Upgrade needs its connection option",
     "RFC 9110, 7.8"),
    ("proxy_set_header", "Host", "proxy_set_header Host $host;",
     "nginx sends the upstream's name as Host; a server that compares it with Origin then refuses", "RFC 6455, 10.2"),
)  # fmt: skip


_FILE = re.compile(r"# configuration file (\S+):$")


def at(text: str, line: int) -> str:
    r"""Return where a line is; in the output of `nginx -T`, also in which file.

    >>> at("server {\n}", 2)
    'line 2'
    >>> at("# configuration file /etc/nginx/nginx.conf:\nevents {\n}", 3)
    'line 3, which is line 2 of /etc/nginx/nginx.conf'
    """
    for number, each in reversed(list(enumerate(text.splitlines()[:line], 1))):
        if found := _FILE.match(each):
            return f"line {line}, which is line {line - number} of {found[1]}"
    return f"line {line}"


def remedies(proxy: Proxy, directives: Sequence[Directive], line: int) -> list[Remedy]:
    """Return what could mend the way through one directive: the proxy_pass or ProxyPass in `line`."""
    make = {"nginx": _nginx, "apache": _apache}.get(proxy.name)
    whole = Directive("", block=tuple(directives))  # what is outside of all blocks has one, too
    way = _way((whole,), line) if line else None
    return list(make(proxy.text.splitlines(), way)) if make and way else []


def _way(directives: Sequence[Directive], line: int) -> tuple[Directive, ...] | None:
    """Return the directive of a line that leads to an upstream, with the blocks around it, the outermost first."""
    for each in directives:
        if each.line == line and each.block is None and re.match(r"(?i)proxy_?pass|rewriterule", each.name):
            return (each,)
        if inside := _way(each.block or (), line):
            return (each, *inside)
    return None


def _nginx(lines: list[str], way: tuple[Directive, ...]) -> Iterator[Remedy]:
    *around, passing = way
    place = passing
    while around[-1].name in _NARROW:  # the directives of a proxy may not stand in it, and count from around it
        around.pop()
        place = next((each for each in reversed(around[-1].block or ()) if each.block is None and each.line), passing)
    mapped = _mapped(way[0])
    for name, field, usual, why, clause in _NGINX:
        written = usual.replace('"upgrade"', mapped) if mapped else usual
        own = _last(around[-1:], name, field)
        # Lines of its own end what a block inherits: a further one belongs beside those that count here.
        beside = own or _last(around[::-1], name, "") or place
        edit = _instead(lines, own, written) if own else _below(lines, beside, written)
        if edit:
            yield Remedy(edit, why, clause)


def _mapped(whole: Directive) -> str:
    """Return the variable that a map of the text makes of the client's Upgrade; "" where it has none."""
    maps = (each for each in walk((whole,)) if each.name == "map" and each.args[:1] == ("$http_upgrade",))
    return next((each.args[-1] for each in maps for row in each.inside("default") if row.args == ("upgrade",)), "")


def _last(blocks: Sequence[Directive], name: str, field: str) -> Directive | None:
    """Return the last directive of a name, and for a field, in the innermost block that has one."""
    for block in blocks:
        found = [each for each in block.inside(name) if each.line and (not field or _sets(each, field))]
        if found:
            return found[-1]
    return None


def _sets(directive: Directive, field: str) -> bool:
    return bool(directive.args) and directive.args[0].lower() == field.lower()


def _statement(lines: list[str], directive: Directive) -> str:
    """Return a directive of nginx's as it stands in its line, up to its semicolon; "" where it goes on below."""
    line = lines[directive.line - 1] if 0 < directive.line <= len(lines) else ""
    first = rf"\s+[\"']?{re.escape(directive.args[0])}" if directive.args else ""
    found = re.search(rf"{re.escape(directive.name)}{first}[^;]*;", line)
    return found[0] if found else ""


def _instead(lines: list[str], directive: Directive, written: str) -> Edit | None:
    was = _statement(lines, directive)
    if not was or was == written:
        return None
    return Edit(directive.line, was, written, f"in place of `{was}` write `{written}`")


def _below(lines: list[str], directive: Directive, written: str) -> Edit | None:
    was = _statement(lines, directive)
    if not was:
        return None
    line = lines[directive.line - 1]
    before, _, after = line.partition(was)
    if not before.strip() and re.match(r"\s*(#|$)", after):
        return Edit(directive.line, line, f"{line}\n{before}{written}", f"below it add `{written}`")
    return Edit(directive.line, was, f"{was} {written}", f"behind `{was}` add `{written}`")


def _apache(lines: list[str], way: tuple[Directive, ...]) -> Iterator[Remedy]:
    *around, passing = way
    beside = walk(around[-1].block or ()) if around else ()
    yield from (_moved(lines, passing, each) for each in beside if _hidden(passing, each))
    line = lines[passing.line - 1]
    words = " ".join(passing.args).lower()
    takes = passing.name.lower() in ("proxypass", "proxypassmatch") and line[-1:] != "\\"
    if takes and "http://" in words and "upgrade=" not in words:
        yield Remedy(_written(passing.line, line, f"{line.rstrip()} upgrade=websocket"), _TAKES, "RFC 9110, 7.6.1")
        if passing.name.lower() == "proxypassmatch":  # where its URL has $1, the parameter does not count
            yield Remedy(_written(passing.line, line, line.replace("http://", "ws://", 1)), _TAKES, "RFC 9110, 7.6.1")
    if members := [each for each in _members(way[0], words) if "upgrade=" not in str(each)]:
        first, *more = [_written(each.line, old := lines[each.line - 1], f"{old.rstrip()} upgrade=websocket")
                        for each in members]  # fmt: skip
        yield Remedy(first, _TAKES, "RFC 9110, 7.6.1", tuple(more))


def _written(line: int, was: str, now: str) -> Edit:
    return Edit(line, was, now, f"write `{now.strip()}`")


def _members(whole: Directive, words: str) -> Iterator[Directive]:
    """Yield the members, by http, of the balancer that a line leads to: they have the parameter, not the line."""
    for each in walk((whole,)):
        if each.name.lower() == "proxy" and each.args and f"{each.args[0].lower()}/" in f"{words}/":
            yield from (one for one in each.inside("BalancerMember") if "http://" in str(one) and one.line)


def _hidden(passing: Directive, later: Directive) -> bool:
    """Tell whether an earlier ProxyPass takes what a later, more special one is for."""
    both = passing.name.lower() == later.name.lower() == "proxypass" and passing.args and later.args
    return bool(both) and later.line > passing.line and later.args[0].startswith(passing.args[0])


def _moved(lines: list[str], passing: Directive, later: Directive) -> Remedy:
    line, moved = lines[passing.line - 1], lines[later.line - 1]
    return Remedy(
        Edit(passing.line, line, f"{moved}\n{line}", f"above it write `{moved.strip()}`, which stands too late"),
        f"the first ProxyPass that matches counts, and the one in line {later.line} is never reached", "RFC 9110, 7.8",
    )  # fmt: skip


def edited(text: str, edits: Sequence[Edit]) -> str:
    r"""Return a text with these changes made; of several behind the same words, the first comes first.

    >>> edited("a\nb", [Edit(1, "a", "a\nx", ""), Edit(1, "a", "a\ny", ""), Edit(2, "b", "c", "")])
    'a\nx\ny\nc'
    """
    lines = text.splitlines()
    for edit in reversed(edits):
        lines[edit.line - 1] = lines[edit.line - 1].replace(edit.was, edit.now, 1)
    return "\n".join(lines)


def mend(
    proxy: Proxy, found: Sequence[Remedy], works: Callable[[Proxy], bool]
) -> tuple[tuple[Remedy, ...], Proxy] | None:
    """Return the fewest remedies after which `works` says yes, and the mended proxy; None where nothing helps."""
    for count in range(1, min(_MOST_TOGETHER, len(found)) + 1):
        for chosen in combinations(found, count):
            try:
                mended = replace(proxy, text=edited(proxy.text, [edit for remedy in chosen for edit in remedy.edits]))
                if works(mended):
                    return chosen, mended
            except LabError:  # a remedy that makes no configuration is none
                continue
    return None
