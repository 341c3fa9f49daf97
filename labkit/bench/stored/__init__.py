"""Studies of one machine, kept in the package: what notebook 10 draws, the same wherever it is read.

    python -m labkit.bench.stored       measures all of them anew, in earnest, and writes them here

Each is what `measure(name)` gave, in minutes, on a small machine with nginx and Apache that had other work as well:
the rates go up and down by half; the ways took turns, so that their ratios do so less. Of a long measurement 500 values
at the most are kept (`Study.thinned`). The machine, the day and the versions stand in each. The bytes of a message are
not among them: `measure("overhead")` counts those on the spot, exactly.
"""

from __future__ import annotations

from pathlib import Path

from labkit.errors import WrongUse
from labkit.measured import Study

__all__ = ["STORED", "path", "stored"]

STORED = ("throughput", "latency", "handshakes", "duplex", "switch", "tap")
"""The names of the studies that are kept."""


def stored(name: str) -> Study:
    """Return a study that was measured once, on one machine, and is kept here.

    Raises:
        WrongUse: none of that name is kept.

    >>> study = stored("latency")
    >>> study.quick, len(study.named("round trip")) > 8, "processor" in study.machine
    (False, True, True)
    """
    if name not in STORED:
        raise WrongUse(f"no study called {name!r} is kept; there are {', '.join(STORED)}")
    return Study.load(path(name))


def path(name: str) -> Path:
    """Return the file of a study that is kept."""
    return Path(__file__).with_name(f"{name}.json")
