"""`python -m labkit.bench`: measure, print a table, and keep every value if asked to."""

# ruff: noqa: T201  what a command says is what it prints

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from labkit.bench import feeding, idle, pictures, proxied, traffic
from labkit.bench.machine import machine
from labkit.bench.measurement import Missing, Row
from labkit.errors import LabError

__all__ = ["FIGURES", "main"]

FIGURES: dict[str, Callable[..., Sequence[Row | Missing]]] = {
    "exchange": pictures.exchange,
    "edit": pictures.edit,
    "echo": traffic.echo,
    "large": traffic.large,
    "larger": traffic.larger,
    "handshakes": traffic.handshakes,
    "feed": feeding.feed,
    "idle": idle.idle,
    "simulated": proxied.simulated,
    "relayed": proxied.relayed,
    "frames": pictures.frames,
    "diagram": pictures.diagram,
    "start": pictures.start,
}
"""What can be measured, by name, in the order of the table."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is named, or everything; return 0, or 1 where something could not be measured."""
    told = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that child processes are ended
    where = machine()
    print(", ".join(f"{name} {value}" for name, value in where.items()))
    print("median (middle half, n rounds); what is compared takes turns in one run", flush=True)
    rows: list[Row | Missing] = []
    code = 0
    for name in told.name or FIGURES:
        try:
            found = FIGURES[name](quick=told.quick)
        except (LabError, OSError) as error:  # a child that is gone cannot be written to
            print(f"labkit.bench: {name}: {error}", file=sys.stderr)
            code = 1
            continue
        for row in found:
            print(row, flush=True)
        rows += found
    if told.json:
        kept = {"machine": where, "quick": told.quick, "rows": [row.as_data() for row in rows]}
        told.json.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m labkit.bench", description=__doc__)
    parser.add_argument("name", nargs="*", choices=[[], *FIGURES], help="what to measure; everything unless told")
    parser.add_argument(
        "--quick", action="store_true", help="a few rounds only: to see that it works, not how fast it is"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep every value, the machine and the versions")
    return parser


if __name__ == "__main__":
    sys.exit(main())
