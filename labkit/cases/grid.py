"""The fidelity grid: configurations × offers × what the server does, each cell a scenario with one proxy.

A cell is run with the real program and simulated with its model, and the two outcomes are compared. The
configurations stand in `grid.toml`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from labkit.errors import WrongUse
from labkit.parties.described import Limits, Server
from labkit.parties.faults import FAULTS
from labkit.parties.offer import Offer
from labkit.parties.stream import Stream, echo
from labkit.proxies.described import Proxy
from labkit.scenario import Scenario
from labkit.wire.websocket import SAMPLE_MASK, TEXT, frame

__all__ = ["PROGRAMS", "Cell", "cells"]

PROGRAMS = ("nginx", "apache")
"""The programs that have a model."""

_PATIENCE = 5.0  # seconds that a client waits; a machine that is busy with other things answers within them
_WAIT = 1.0  # seconds where behind some configurations nothing comes, for the real run waits as long
_IDLE = 0.7  # seconds after which a server leaves
_PATH = "/ws/chat?room=1"
_FULL = Offer.websocket(_PATH)
_PLAIN = Offer.plain(_PATH)
_POST = Offer.plain(_PATH).but(method="POST").with_field("Content-Length", "5").but(content=b"hello")
_CHUNKED = _PLAIN.but(method="POST").with_field("Transfer-Encoding", "chunked").but(content=b"5\r\nhello\r\n0\r\n\r\n")
_EARLY = frame(TEXT, b"early", mask=SAMPLE_MASK)

OFFERS: Mapping[str, Offer] = {
    "full": _FULL,
    "bare": Offer.bare(_PATH),  # the document's curl line
    "plain": _PLAIN,
    "upgrade-only": _FULL.without("Connection"),
    "connection-only": _FULL.without("Upgrade"),
    "spelled": _FULL.with_field("Upgrade", "WebSocket"),
    "keep-alive": _FULL.with_field("Connection", "keep-alive, Upgrade"),
    "http-1.0": _FULL.but(version="HTTP/1.0"),
    "http-1.0-plain": _PLAIN.but(version="HTTP/1.0"),
    "unknown-token": Offer.custom("quote/1.0", _PATH),
    "list": _FULL.with_field("Upgrade", "h2c, websocket"),
    "h2c": Offer.h2c(_PATH),
    "version-12": _FULL.with_field("Sec-WebSocket-Version", "12"),
    "post": _FULL.but(method="POST").with_field("Content-Length", "5").but(content=b"hello"),
    "head": _FULL.but(method="HEAD"),
    "options": _FULL.but(method="OPTIONS"),
    "content": _POST,
    "chunked": _CHUNKED,
    "expect": _POST.with_field("Expect", "100-continue"),
    "early": _FULL.but(early=_EARLY),
    "second": Offer.bare(_PATH).but(early=_PLAIN.with_field("X-Second", "1").to_bytes()),
    "wrong-path": Offer.websocket("/nope"),
    "no-slash": Offer.websocket("/ws"),
    "close": _PLAIN.with_field("Connection", "close"),
    "named-field": _PLAIN.with_field("Connection", "X-Lab").with_field("X-Lab", "1"),
    "no-host": _FULL.without("Host"),
    "fields": _FULL.with_field("Origin", "http://example.com").with_field("X_under", "1").with_field("Cookie", "a=b"),
}
"""What a client asks for."""


async def _waiting(stream: Stream) -> None:
    """Say nothing, and wait for the end."""
    async for _ in stream:
        pass


_BOTH = {"websocket": echo, "quote/1.0": echo}
_SILENT = {"websocket": _waiting}
SERVERS: Mapping[str, Server] = {
    "dead": Server(listens=False),
    "ignores": Server(ignore=True),
    "requires": Server(require=True),
    "refuses": Server(decline=403),
    "redirects": Server(redirect="http://backend.example.com/elsewhere"),
    "switches-any": Server(protocols=_BOTH),
    "leaves": Server(protocols=_SILENT, limits=Limits(idle_time=_IDLE, close_time=0.2)),
    **{
        f"fault-{name}": Server(protocols=_BOTH, faults=(f"{name}={fault.example}" if fault.example else name,))
        for name, fault in FAULTS.items()
    },
}
"""What the server does, beside the echo that it is unless told."""

WAITS: Mapping[str, Server] = {
    "silent": Server(protocols=_SILENT),  # after the switch
    "slow": Server(faults=("late=3",)),
}
"""Servers that put a proxy's patience to the test; behind the configurations that have little of it."""

_IMPATIENT = "impatient"
_SPOILT = {"nginx": ("seed", "naive"), "apache": ("seed", "seed-wstunnel", "upgrade-websocket", "upgrade-any")}
_OF_SERVERS: Mapping[str, str] = {"fault-unasked": "plain", "switches-any": "unknown-token"}
_SILENT_AT = frozenset(("early", "second", "http-1.0", "fault-garbage", "fault-interim", "fault-unasked"))


@dataclass(frozen=True)
class Cell:
    """One cell of the grid.

    Args:
        name: program, configuration, offer and server, with slashes between.
        scenario: what is run and simulated.
    """

    name: str
    scenario: Scenario = field(repr=False)

    @property
    def program(self) -> str:
        """The program that it is of."""
        return self.name.partition("/")[0]


@cache
def configurations() -> Mapping[str, Mapping[str, Proxy]]:
    """Return the configurations of the grid by program and name."""
    from labkit.proxies.apache import Apache  # noqa: PLC0415  they are read when a grid is asked for
    from labkit.proxies.nginx import Nginx  # noqa: PLC0415

    table: dict[str, list[dict[str, Any]]] = tomllib.loads((files("labkit.cases") / "grid.toml").read_text("utf-8"))
    return {
        "nginx": {row["name"]: Nginx(row["text"]) for row in table["nginx"]},
        "apache": {
            row["name"]: Apache(row["text"], modules=tuple(row["modules"]) if "modules" in row else None)
            for row in table["apache"]
        },
    }


def cells(program: str = "") -> tuple[Cell, ...]:
    """Return the cells of the grid, of one program or of all.

    Raises:
        WrongUse: there is no model of such a program.
    """
    if program and program not in PROGRAMS:
        raise WrongUse(f"the grid has no program {program!r}; it has {', '.join(PROGRAMS)}")
    return tuple(cell for each in PROGRAMS if program in ("", each) for cell in _cells(each))


def _cells(program: str) -> Iterator[Cell]:
    for name, proxy in configurations()[program].items():
        if name.startswith(_IMPATIENT):
            yield from (_served(program, name, proxy, server, told) for server, told in WAITS.items())
            continue
        for offer, asked in OFFERS.items():
            yield Cell(f"{program}/{name}/{offer}", Scenario(asked, via=(proxy,), patience=_patience(offer)))
        if name in _SPOILT[program]:
            yield from (_served(program, name, proxy, server, told) for server, told in SERVERS.items())


def _served(program: str, name: str, proxy: Proxy, server: str, told: Server) -> Cell:
    offer = _OF_SERVERS.get(server, "full")
    say = _waiting if server in ("leaves", "silent") else ("Hello",)
    scenario = Scenario(OFFERS[offer], say, via=(proxy,), server=told, patience=_patience(server))
    return Cell(f"{program}/{name}/{offer}/{server}", scenario)


def _patience(name: str) -> float:
    return _WAIT if name in _SILENT_AT else _PATIENCE
