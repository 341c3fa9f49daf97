"""What a proxy in between costs: an exchange simulated through one, and messages relayed by the embedded one."""

from __future__ import annotations

import time
from functools import partial

from labkit.bench.children import load, relaying, serving
from labkit.bench.measurement import Row, Target, alternate
from labkit.measured import Measurement
from labkit.parties.offer import Offer
from labkit.proxies.described import Proxy
from labkit.proxies.nginx import Nginx
from labkit.scenario import Scenario
from labkit.simulation import simulate
from labkit.trace import Direction
from labkit.wire.websocket import TEXT, frame

__all__ = ["relayed", "simulated"]

_RECORDED = str(1 << 26)  # bytes kept per connection, above all that a round sends


_NGINX = """
server {
    listen 80;
    server_name example.com;
    location /ws/ {
        proxy_pass http://websocket_backend;
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection "upgrade";
    }
}
"""


def simulated(described: Proxy | None = None, *, quick: bool = False) -> list[Row]:
    """Simulate one exchange, a handshake, an echo and the closing, through one proxy; beside it, through none."""
    proxy, offer = described or Nginx(_NGINX), Offer.websocket("/ws/")
    with_one, without = alternate(
        3 if quick else 101, partial(_seconds, Scenario(offer, via=(proxy,))), partial(_seconds, Scenario(offer))
    )
    figure = Measurement(f"one exchange simulated through {proxy.name}", "ms", tuple(1000 * each for each in with_one))
    beside = (Measurement("without a proxy", "ms", tuple(1000 * each for each in without)),)
    return [Row(figure, Target(5, at_least=False), beside)]


def _seconds(scenario: Scenario) -> float:
    began = time.perf_counter()
    trace = simulate(scenario)
    seconds = time.perf_counter() - began
    for hop in range(len(trace.hops)):
        assert frame(TEXT, b"Hello") in trace.stream(Direction.TO_CLIENT, hop)
    return seconds


def relayed(*, quick: bool = False) -> list[Row]:
    """Echo 64-byte messages through the embedded proxy, sent without waiting for the answers, on one connection.

    Server, proxy and load are a process each.
    """
    count = 300 if quick else 5_000
    with (
        load() as source,
        serving("--no-deflate", "--max-bytes", _RECORDED) as server,
        relaying(server) as proxy,
    ):
        turns = [partial(source.rate, "echo", port, count) for port in (proxy, server)]
        through, direct = alternate(2 if quick else 61, *turns)
    figure = Measurement("64-byte messages relayed by the embedded proxy", "/s", through)
    return [Row(figure, Target(40_000), (Measurement("without a proxy", "/s", direct),))]
