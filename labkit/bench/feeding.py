"""A live feed under load: 200 subscribers, 50 messages a second; how many are lost, and how late they come.

As a process it is the feed that is measured: the lab's own server with a `Feed`, tracing as it does unless told. It
says where it listens as `labkit serve` does, and ends with its input.
"""

# ruff: noqa: T201  its output is how it is talked to

from __future__ import annotations

import json
import sys
from statistics import median, quantiles
from typing import Any

from labkit.bench.children import child
from labkit.bench.load import PATIENCE
from labkit.bench.measurement import Row, Target
from labkit.errors import Failed
from labkit.measured import Measurement
from labkit.net.server import UpgradeServer
from labkit.parties.feed import Feed

__all__ = ["feed", "main"]


def feed(*, quick: bool = False) -> list[Row]:
    """Publish at a steady rate to many subscribers that all read: none of their messages may be lost."""
    subscribers, count, rounds = (20, 20, 2) if quick else (200, 500, 7)
    taken = [_round(subscribers, count) for _ in range(rounds)]
    lost = tuple(float(each["lost"]) for each in taken)
    beside = (
        Measurement("median delay", "ms", tuple(median(each["delays"]) for each in taken), connections=subscribers),
        Measurement("p99", "ms", tuple(_p99(each["delays"]) for each in taken), connections=subscribers),
        Measurement("delivered", "/s", tuple(len(each["delays"]) / each["seconds"] for each in taken)),
    )
    name = f"feed, {subscribers} subscribers, 50 messages/s: lost"
    return [Row(Measurement(name, "messages", lost), Target(0, at_least=False), beside)]


def _p99(values: list[float]) -> float:
    return quantiles(values, n=100)[98]


def _round(subscribers: int, count: int) -> dict[str, Any]:
    """Run a server, and a load in a process of its own; return what that heard."""
    with child("-m", "labkit.bench.feeding") as server:
        port = server.line().rpartition(":")[2]
        words = (port, str(subscribers), str(count))
        with child("-m", "labkit.bench.listening", *words, patience=3 * PATIENCE) as load:
            answer: dict[str, Any] = json.loads(load.line())
    if "problem" in answer:
        raise Failed(f"the feed at port {port}: {answer['problem']}")
    return answer


def main() -> None:
    """Serve until the input ends."""
    served = Feed(producer="/publish", heartbeat=60.0)  # longer than a round, so that only messages are counted
    with UpgradeServer(protocols={"websocket": served}, deflate="off") as server:
        print(f"listening on {server.url.rstrip('/')}", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
