"""What the server carries: echo and handshakes, against other servers and against no tracing."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial

from labkit.bench.children import load, rival, serving
from labkit.bench.measurement import Missing, Row, Target, alternate, costs, ratios
from labkit.bench.rival import ON_UVLOOP, RIVALS
from labkit.errors import Absent
from labkit.measured import Measurement
from labkit.net.loop import new_loop

__all__ = ["UVLOOP", "echo", "handshakes", "large", "larger", "ours"]

UVLOOP = "labkit on uvloop"
_ALONE = "labkit, no tracing"
_RECORDED = str(1 << 26)  # bytes kept per connection, above all that a round of small messages sends

Rates = dict[str, tuple[float, ...]]
Targets = Mapping[tuple[str, str], Target]


def echo(*, quick: bool = False) -> list[Row | Missing]:
    """Echo 64-byte messages, sent without waiting for the answers, on one connection; all is recorded."""
    rates, absent = _rates("echo", quick, 5_000, "--max-bytes", _RECORDED)
    targets = {
        ("labkit", "websockets"): Target(2.5),
        ("labkit", "aiohttp"): Target(1.0),
        (UVLOOP, "picows on uvloop"): Target(0.9),
    }
    return _rows("echo, 64 bytes", rates, absent, targets)


def large(*, quick: bool = False) -> list[Row | Missing]:
    """Echo messages of 16 KiB in the same way; recorded as far as a server does unless it is told otherwise."""
    rates, absent = _rates("echo", quick, 500, size=16 << 10)
    return _rows("echo, 16 KiB", rates, absent, _EQUAL)


def larger(*, quick: bool = False) -> list[Row | Missing]:
    """Echo messages of 1 MiB in the same way."""
    rates, absent = _rates("echo", quick, 16, size=1 << 20)
    return _rows("echo, 1 MiB", rates, absent, _EQUAL)


def handshakes(*, quick: bool = False) -> list[Row | Missing]:
    """Connect, switch, close with both Close frames, many at the same time."""
    rates, absent = _rates("handshakes", quick, 200)
    targets = {(UVLOOP, "websockets"): Target(2.0), (UVLOOP, "picows on uvloop"): Target(0.9)}
    return _rows("handshakes", rates, absent, targets)


_EQUAL: Targets = {("labkit", "websockets"): Target(1.0), ("labkit", "aiohttp"): Target(1.0)}


def ours() -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """Return the lab's servers that can be had, with their options, and how to come by the others."""
    servers: dict[str, tuple[str, ...]] = {"labkit": (), _ALONE: ("--no-trace",), UVLOOP: ("--uvloop",)}
    try:
        new_loop(uvloop=True).close()
    except Absent:
        del servers[UVLOOP]
        return servers, {UVLOOP: "absent: pip install uvloop"}
    return servers, {}


def _rates(order: str, quick: bool, count: int, *options: str, **details: int) -> tuple[Rates, dict[str, str]]:  # noqa: FBT001
    """Return per second, round by round, what each server carries; and what is absent, and how to come by it."""
    count = max(4, count // 16) if quick else count
    servers, absent = ours()
    with ExitStack() as stack:
        source = stack.enter_context(load())
        ports = {name: stack.enter_context(serving("--no-deflate", *more, *options)) for name, more in servers.items()}
        for name in RIVALS:
            try:
                ports[name] = stack.enter_context(rival(name))
            except Absent as error:
                absent[name] = str(error)
        turns = [partial(source.rate, order, port, count, **details) for port in ports.values()]
        rates = alternate(2 if quick else 31, *turns)
    return dict(zip(ports, rates, strict=True)), absent


def _rows(what: str, rates: Rates, absent: Mapping[str, str], targets: Targets) -> list[Row | Missing]:
    """Return what is held against targets first, then how it stands with the others, then what tracing costs."""
    others = {(UVLOOP if name in ON_UVLOOP else "labkit", name): None for name in RIVALS}
    rows: list[Row | Missing] = []
    for (own, other), target in {**targets, **{pair: None for pair in others if pair not in targets}}.items():
        name = f"{what}: {own} ÷ {other}"
        if why := absent.get(own) or absent.get(other):
            rows.append(Missing(name, why))
        else:
            beside = tuple(Measurement(each, "/s", rates[each]) for each in (own, other))
            rows.append(Row(Measurement(name, "×", ratios(rates[own], rates[other])), target, beside))
    traced, silent = rates["labkit"], rates[_ALONE]
    off = (Measurement("with", "/s", traced), Measurement("without", "/s", silent))
    cost = Measurement(f"{what}: what tracing costs", "%", costs(traced, silent))
    return [*rows, Row(cost, Target(10, at_least=False), off)]
