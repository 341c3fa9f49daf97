"""The commands on the failure catalogue: list it, search it, and show a case broken and fixed."""

# ruff: noqa: T201  what a command says is what it prints

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING

from labkit.errors import Failed

if TYPE_CHECKING:
    from labkit.cases.seen import Seen
    from labkit.scenario import Scenario
    from labkit.trace import Trace

__all__ = ["cases", "run_case", "simulate_case"]

_MOST = 3  # findings that are told of a run
_WIDTH = 80  # columns
_LINES = 6  # the most of one heading


def cases(arguments: argparse.Namespace) -> int:
    """List the failure catalogue, or what of it a message speaks of; a case that is named is told in full."""
    from labkit.cases.catalogue import failures  # noqa: PLC0415
    from labkit.render.catalogue import case, catalogue  # noqa: PLC0415

    about = " ".join(arguments.about)
    if about in {each.name for each in failures()}:
        print(case(about))
        return 0
    found = catalogue(about)
    if not found:
        raise Failed(f"no case speaks of {about[:200]!r}; labkit cases lists all of them")
    print(found)
    if about:
        print(f"\nlabkit cases {found.failures[0].name} tells the first in full")
    return 0


def simulate_case(arguments: argparse.Namespace) -> int:
    """Predict a case: the broken run, then the fixed one."""
    from labkit.simulation import simulate  # noqa: PLC0415

    return _show(arguments.name, simulate)


def run_case(arguments: argparse.Namespace) -> int:
    """Run a case over real sockets: the broken run, then the fixed one."""
    from labkit.net.run import run  # noqa: PLC0415

    return _show(arguments.name, run)


def _show(name: str, how: Callable[[Scenario], Trace]) -> int:
    """Draw both runs of a case; 1 where one of them is not as the catalogue says."""
    from labkit.cases.catalogue import failure  # noqa: PLC0415
    from labkit.cases.reproduced import reproduced  # noqa: PLC0415

    made, found = reproduced(name), failure(name)
    broken, fixed = how(made.broken()), how(made.fixed())
    staged = f" ({found.staged})" if found.staged else ""
    _heading(f"{found.title}{staged}\n\n── broken: {found.cause}")
    failed = _draw(broken, made.fails)
    _heading(f"\n── fixed: {found.fix}")
    worked = _draw(fixed, made.works)
    return 0 if failed and worked else 1


def _heading(text: str) -> None:
    from labkit.render.measure import wrap  # noqa: PLC0415

    for line in text.split("\n"):
        print("\n".join(wrap(line, _WIDTH, _LINES)))
    print()


def _draw(trace: Trace, seen: Seen) -> bool:
    """Draw one run with its first findings; tell whether it is as the catalogue says."""
    from labkit.cases.seen import unmet  # noqa: PLC0415

    verdict = trace.check()
    print(f"{trace}\n")
    for finding in islice(verdict, _MOST):
        print(f"✗ {finding}")
    if len(verdict) > _MOST:
        print(f"  and {len(verdict) - _MOST} more findings")
    if not verdict:
        print("  the check finds no rule broken")
    missing = unmet(seen, trace)
    for text in missing:
        print(f"! not as the catalogue says: {text}")
    if not missing:
        print(f"  as the catalogue says: {seen}")
    return not missing
