"""The command line: `labkit` and `python -m labkit`.

Exit codes: 0 done, 1 the exchange failed or breaks a rule, 2 wrong use, 70 a fault of the lab's own, 130
interrupted. What a program may want to read goes to standard output, and nothing else does; messages go
to standard error.
"""

from __future__ import annotations

__all__ = ["main"]


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        from labkit.cli.run import run  # noqa: PLC0415  the import takes time, in which Ctrl-C may come

        return run(argv)
    except KeyboardInterrupt:
        return 130
