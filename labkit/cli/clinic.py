"""The command that says why an upgrade fails."""

# ruff: noqa: T201  what a command says is what it prints

from __future__ import annotations

import argparse
import sys

from labkit.errors import Failed, WrongUse

__all__ = ["tell_why"]


def tell_why(arguments: argparse.Namespace) -> int:
    """Say why an upgrade fails, in five answers; write the mended configuration where that is asked for."""
    from labkit.clinic import why  # noqa: PLC0415

    what = sys.stdin.read() if arguments.what == ["-"] else " ".join(arguments.what)
    found = why(what, path=arguments.path, patience=arguments.patience, allow_remote=arguments.allow_remote)
    print(found)
    if arguments.draw and found.broken is not None:
        print(f"\n── as it is\n\n{found.broken}")
        if found.fixed is not None:
            print(f"\n── mended\n\n{found.fixed}")
    if arguments.output is not None:
        if not found.mended:
            raise Failed("there is no mended configuration to write: nothing was mended")
        try:
            arguments.output.write_text(found.mended.rstrip("\n") + "\n", encoding="utf-8")
        except OSError as error:
            raise WrongUse(f"cannot write {arguments.output}: {error.strerror}") from None
        print(f"labkit: wrote {arguments.output}", file=sys.stderr)
    return 0
