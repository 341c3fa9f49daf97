"""A variable that a map of nginx's makes, where the text has no such map: nginx does not start without it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import NamedTuple

from labkit.clinic.diagnosis import Diagnosis
from labkit.proxies.described import Proxy
from labkit.proxies.directive import walk

__all__ = ["MISSING", "Missing", "map_for", "told", "with_map"]

MISSING = re.compile(r"unknown \W?(connection_upgrade)\W? variable", re.IGNORECASE)
"""What nginx says of it."""

_MAKES = frozenset(("map", "set", "geo", "split_clients", "auth_request_set"))
_LINES = "map $http_upgrade ${name} {{\n    default upgrade;\n    ''      close;\n}}"
_ELSEWHERE = "where nginx does start, another file has the map: give all of them, as `nginx -T` prints them"


class Missing(NamedTuple):
    """What is missing.

    Args:
        name: of the variable, without its $.
        line: where it is used first; 0 where that is not known.
        proxy: the configuration with the map in it, line for line as it was.
    """

    name: str
    line: int
    proxy: Proxy


def map_for(proxy: Proxy) -> Missing | None:
    """Return what is missing in a configuration; None where nothing is.

    >>> from labkit.proxies.nginx import Nginx
    >>> site = "location / { proxy_pass http://app; proxy_set_header Connection $connection_upgrade; }"
    >>> map_for(Nginx(site)).name
    'connection_upgrade'
    """
    if proxy.name != "nginx":
        return None
    found = tuple(walk(getattr(proxy, "directives", ())))
    made = {each.args[place] for each in found if each.name in _MAKES and each.args for place in (0, -1)}
    for each in found:
        if each.name == "proxy_set_header" and each.args[:1] == ("Connection",):
            used = re.fullmatch(r"\$\{?(\w*upgrade\w*)\}?", each.args[-1])
            if used and used[1] != "http_upgrade" and f"${used[1]}" not in made:
                return Missing(used[1], each.line, replace(proxy, text=_added(proxy.text, used[1])))
    return None


def _added(text: str, name: str) -> str:
    """Return the text with the map, behind what moves no line: inside of http, or below the last line."""
    lines = _LINES.format(name=name)
    inside = re.search(r"(?m)^\s*http\s*\{", text)
    if inside is None:
        return f"{text.rstrip()}\n{lines}"
    return f"{text[: inside.end()]} {' '.join(lines.split())}{text[inside.end() :]}"


def told(name: str, line: int = 0, proof: str = "nginx -t") -> Diagnosis:
    """Return what is to be said of a missing map by itself."""
    return Diagnosis(
        f"nginx has no variable ${name}: a map makes it, and here is none, so nginx does not start",
        f"operator, line {line}" if line else "operator",
        "RFC 9110, 7.8; nginx's documentation, WebSocket proxying",
        ("inside http and outside of server add", *_LINES.format(name=name).split("\n")),
        proof, (_ELSEWHERE,),
    )  # fmt: skip


def with_map(missing: Missing, rest: Diagnosis, proof: str) -> Diagnosis:
    """Return what is missing, and what is still wrong once it is there."""
    first = told(missing.name, missing.line, proof)
    if rest.ok:
        proof = f"{proof}: with the map {rest.proof.rpartition(': ')[2]}"
        return replace(first, proof=proof, mended=rest.mended, fixed=rest.fixed)
    return replace(
        first, cause=f"{first.cause}; besides, {rest.cause}", who=f"{first.who}; {rest.who}",
        change=(*first.change, *rest.change), proof=rest.proof, others=(*first.others, *rest.others),
        mended=rest.mended, broken=rest.broken, fixed=rest.fixed,
    )  # fmt: skip
