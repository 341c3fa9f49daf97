"""What the server carries: echo and handshakes, against websockets' server and against no tracing."""

from __future__ import annotations

from functools import partial

from labkit.bench.children import load, rival, serving
from labkit.bench.measurement import Row, Target, alternate, costs, ratios
from labkit.measured import Measurement

__all__ = ["echo", "handshakes"]

_RECORDED = str(1 << 26)  # bytes kept per connection, above all that a round sends


def echo(*, quick: bool = False) -> list[Row]:
    """Echo 64-byte messages, sent without waiting for the answers, on one connection."""
    rates = _rates("echo", count=300 if quick else 5_000, rounds=2 if quick else 61)
    return _rows("echo, 64 bytes, pipelined", rates, Target(2.5))


def handshakes(*, quick: bool = False) -> list[Row]:
    """Connect, switch, close with both Close frames, many at the same time."""
    rates = _rates("handshakes", count=60 if quick else 200, rounds=2 if quick else 61)
    return _rows("handshakes", rates, Target(1.6))


Rates = tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]


def _rates(order: str, count: int, rounds: int) -> Rates:
    """Return per second, round by round: the lab's server, the same without tracing, websockets' server."""
    with (
        load() as source,
        serving("--no-deflate", "--max-bytes", _RECORDED) as tracing,
        serving("--no-deflate", "--no-trace") as silent,
        rival() as other,
    ):
        turns = [partial(source.rate, order, port, count) for port in (tracing, silent, other)]
        ours, free, theirs = alternate(rounds, *turns)
    return ours, free, theirs


def _rows(what: str, rates: Rates, target: Target) -> list[Row]:
    ours, free, theirs = rates
    beside = (Measurement("labkit", "/s", ours), Measurement("websockets", "/s", theirs))
    off = (Measurement("with", "/s", ours), Measurement("without", "/s", free))
    return [
        Row(Measurement(f"{what}: labkit ÷ websockets", "×", ratios(ours, theirs)), target, beside),
        Row(
            Measurement(f"{what.partition(',')[0]}: what tracing costs", "%", costs(ours, free)),
            Target(10, at_least=False),
            off,
        ),
    ]
