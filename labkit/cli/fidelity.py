"""The command that holds the models of proxies against the real programs."""

# ruff: noqa: T201  what a command says is what it prints

from __future__ import annotations

import argparse
import sys

from labkit.errors import WrongUse

__all__ = ["fidelity"]


def fidelity(arguments: argparse.Namespace) -> int:
    """Hold cells of the grid against the real programs; 1 where a model is wrong."""
    from labkit.cases.grid import cells  # noqa: PLC0415
    from labkit.net.fidelity import Held, hold_all  # noqa: PLC0415

    chosen = [cell for cell in cells() if cell.name.startswith(arguments.cells)]
    if not chosen:
        raise WrongUse(f"no cell of the grid begins with {arguments.cells!r}; try nginx, apache or nginx/seed")

    def told(held: Held) -> None:
        if arguments.verbose or not held.equal:
            print(held, flush=True)
        elif sys.stderr.isatty():
            print(f"\r{held.cell.name:60}", end="", file=sys.stderr, flush=True)

    report = hold_all(chosen, told)
    print(f"{report}")
    return 1 if report.different else 0
