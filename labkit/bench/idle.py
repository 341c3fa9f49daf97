"""What connections cost that do nothing: memory, that no file backs, as the kernel counts it for the server's process.

As a process, `python -m labkit.bench.idle PORT COUNT`, it holds so many WebSocket connections until its input ends.
"""

# ruff: noqa: T201  its output is how it is talked to

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path

from labkit.bench.children import Child, child, port_of
from labkit.bench.load import connected
from labkit.bench.measurement import Missing, Row, Target, alternate
from labkit.bench.rival import RIVALS
from labkit.bench.traffic import ours
from labkit.errors import Absent, Failed
from labkit.measured import Measurement

__all__ = ["held", "idle", "main"]

_COUNTED = Path("/proc/self/smaps_rollup")


def idle(*, quick: bool = False) -> list[Row | Missing]:
    """Measure what one idle WebSocket connection of many takes, tracing on: by how much the server grows.

    Every server runs in a process of its own, a new one for each round; a row gives KiB per connection.
    """
    count = 50 if quick else 1_000
    what = f"memory of one of {count:,} idle connections"
    if not _COUNTED.exists():
        return [Missing(what, "absent: the kernel of this machine does not tell what a process takes")]
    servers, absent = ours()
    commands = {name: ("-m", "labkit", "serve", "--no-deflate", *more) for name, more in servers.items()}
    commands |= {name: ("-m", "labkit.bench.rival", name) for name in RIVALS}
    for name in list(commands):
        try:
            with child(*commands[name]) as server:
                port_of(server)
        except Absent as error:
            absent[name] = str(error)
            del commands[name]
    results = alternate(2 if quick else 5, *(lambda told=told: held(told, count) for told in commands.values()))
    found = dict(zip(commands, results, strict=True))
    rows: list[Row | Missing] = [Missing(f"{what}: {name}", why) for name, why in absent.items()]
    for name, sizes in found.items():
        target = Target(Measurement("", "", found["websockets"]).median, at_least=False) if name == "labkit" else None
        rows.append(Row(Measurement(f"{what}: {name}", "KiB", sizes), target))
    return rows


def held(command: tuple[str, ...], count: int) -> float:
    """Start a server, hold so many connections to it, and return by how many KiB each made its process grow."""
    with child(*command) as server:
        port = str(port_of(server))
        with child("-m", "labkit.bench.idle", port, "20") as few:  # what the first ones load is no connection's own
            few.line()
            before = _kib(server)
            with child("-m", "labkit.bench.idle", port, str(count - 20)) as many:
                many.line()
                return (_kib(server) - before) / (count - 20)


def _kib(server: Child) -> float:
    """Return the memory of a process that no file backs: what it loads, and shares, is no connection's."""
    text = Path(f"/proc/{server.pid}/smaps_rollup").read_text(encoding="ascii")
    line = next(line for line in text.splitlines() if line.startswith("Anonymous:"))
    return float(line.split()[1])


def main() -> None:
    """Hold connections until the input ends."""
    port, count = (int(each) for each in sys.argv[1:])
    with ExitStack() as stack:
        try:
            for _ in range(count):
                stack.enter_context(connected(port))
        except (OSError, Failed) as error:
            sys.exit(f"labkit.bench.idle: {error}")
        print("held", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
