"""Remedies for a configuration: edits of its lines, tried until the upgrade goes through.

The text is changed as little as can be: the smallest set of remedies after which the exchange switches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

from labkit.errors import LabError
from labkit.proxies.described import Proxy
from labkit.proxies.directive import Directive, walk

__all__ = ["Edit", "Remedy", "edited", "mend", "remedies"]

_MOST_TOGETHER = 3


class Edit(NamedTuple):
    """One change of a text.

    Args:
        line: the line, from 1.
        text: what to write.
        replaces: whether it takes the place of the line; else it comes behind it.
    """

    line: int
    text: str
    replaces: bool = False

    def __str__(self) -> str:
        return f"line {self.line}: {'write' if self.replaces else 'add below'}: {self.text}"


class Remedy(NamedTuple):
    """A change, why it is needed, and where that is written."""

    edit: Edit
    why: str
    clause: str


# nginx: the directive, with the field name where it sets one; what to write; why; the clause.
_NGINX = (
    ("proxy_http_version", "", "proxy_http_version 1.1;",
     "nginx speaks HTTP/1.0 to its upstream unless told (before 1.29.7), and HTTP/1.0 knows no upgrade",
     "RFC 9110, 7.8"),
    ("proxy_set_header", "upgrade", "proxy_set_header Upgrade $http_upgrade;",
     "Upgrade is for one hop: nginx does not forward it unless told", "RFC 9110, 7.6.1"),
    ("proxy_set_header", "connection", 'proxy_set_header Connection "upgrade";',
     "nginx sends `Connection: close` upstream unless told, and an Upgrade needs its connection option",
     "RFC 9110, 7.8"),
    ("proxy_set_header", "host", "proxy_set_header Host $host;",
     "nginx sends the upstream's name as Host; a server that compares it with Origin then refuses", "RFC 6455, 10.2"),
)  # fmt: skip


def remedies(proxy: Proxy, directives: Sequence[Directive], line: int) -> list[Remedy]:
    """Return what could mend the way through one directive: the proxy_pass or ProxyPass in `line`."""
    make = {"nginx": _nginx, "apache": _apache}.get(proxy.name)
    found = next((each for each in _parents(directives) if each[1].line == line and line), None)
    return list(make(proxy.text, *found)) if make and found else []


def _parents(
    directives: Sequence[Directive], parent: Directive | None = None
) -> Iterator[tuple[Directive | None, Directive]]:
    for each in directives:
        yield parent, each
        yield from _parents(each.block or (), each)


def _nginx(text: str, parent: Directive | None, passing: Directive) -> Iterator[Remedy]:
    lines = text.splitlines()
    indent = _indent(lines[passing.line - 1])
    block = parent.block or () if parent else ()
    for name, field, written, why, clause in _NGINX:
        own = [
            each
            for each in block
            if each.name == name and (not field or each.args[:1] and each.args[0].lower() == field)
        ]
        if own and own[0].line:
            at = own[0].line
            if lines[at - 1].strip() != written:
                yield Remedy(Edit(at, _indent(lines[at - 1]) + written, replaces=True), why, clause)
        else:
            yield Remedy(Edit(passing.line, indent + written), why, clause)


def _apache(text: str, parent: Directive | None, passing: Directive) -> Iterator[Remedy]:
    lines = text.splitlines()
    line = lines[passing.line - 1]
    joined = " ".join(passing.args).lower()
    if passing.name.lower() == "proxypass" and "http://" in joined and "upgrade=" not in joined:
        yield Remedy(
            Edit(passing.line, f"{line.rstrip()} upgrade=websocket", replaces=True),
            "mod_proxy_http takes Upgrade out unless the line says which protocol may pass", "RFC 9110, 7.6.1",
        )  # fmt: skip
    siblings = [each for each in walk(parent.block or ()) if each.name.lower() == "proxypass"] if parent else []
    for later in siblings:
        if later.line > passing.line and later.args[:1] and later.args[0].startswith(passing.args[0]):
            moved = lines[later.line - 1]
            yield Remedy(
                Edit(passing.line, f"{moved}\n{line}", replaces=True),
                f"the first ProxyPass that matches counts: `{moved.strip()}` in line {later.line} is never reached",
                "RFC 9110, 7.8",
            )


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def edited(text: str, edits: Sequence[Edit]) -> str:
    r"""Return a text with these changes made.

    >>> edited("a\nb", [Edit(1, "x"), Edit(2, "y", replaces=True)])
    'a\nx\ny'
    """
    lines: list[list[str]] = [[line] for line in text.splitlines()]
    for edit in edits:
        if edit.replaces:
            lines[edit.line - 1][0] = edit.text
        else:
            lines[edit.line - 1].append(edit.text)
    return "\n".join(line for group in lines for line in group)


def mend(
    proxy: Proxy, found: Sequence[Remedy], works: Callable[[Proxy], bool]
) -> tuple[tuple[Remedy, ...], Proxy] | None:
    """Return the fewest remedies after which `works` says yes, and the mended proxy; None where nothing helps."""
    for count in range(1, min(_MOST_TOGETHER, len(found)) + 1):
        for chosen in combinations(found, count):
            try:
                mended = replace(proxy, text=edited(proxy.text, [remedy.edit for remedy in chosen]))
                if works(mended):
                    return chosen, mended
            except LabError:  # a remedy that makes no configuration is none
                continue
    return None
