"""Measure the studies that are kept anew: `python -m labkit.bench.stored [NAME …]`, some minutes for all."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from labkit.bench.progress import progress
from labkit.bench.stored import STORED, path
from labkit.bench.studies import BROKEN_OFF, measure
from labkit.errors import LabError, WrongUse

__all__ = ["main"]


def main(names: Sequence[str]) -> int:
    """Measure, and write over what is kept, unless Ctrl-C ended it; return 0 where all is written."""
    try:
        if unknown := [name for name in names if name not in STORED]:
            raise WrongUse(f"no study called {unknown[0]!r} is kept; there are {', '.join(STORED)}")
        for name in names or STORED:
            with progress(lines=True) as told:
                study = measure(name, told=told)
            if BROKEN_OFF in study.note:
                return 130
            print(study.thinned().save(path(name)).name)  # noqa: T201  a command's output
    except LabError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
