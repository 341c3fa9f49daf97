"""The command that says why an upgrade fails."""

# ruff: noqa: T201  what a command says is what it prints

from __future__ import annotations

import argparse
import sys

from labkit.errors import Failed, WrongUse

__all__ = ["tell_why"]

_MOST_PIPED = 8 << 20  # bytes


def _piped() -> str:
    if sys.stdin is None:
        raise WrongUse("standard input is closed: there is nothing to read")
    data = sys.stdin.buffer.read(_MOST_PIPED + 1)
    if len(data) > _MOST_PIPED:
        raise WrongUse(f"standard input has more than {_MOST_PIPED} bytes; the clinic reads no more")
    return data.decode("utf-8", "replace")


def tell_why(arguments: argparse.Namespace) -> int:
    """Say why an upgrade fails, in five answers; write the mended configuration where that is asked for."""
    from labkit.clinic import why  # noqa: PLC0415
    from labkit.clinic.asked import URL  # noqa: PLC0415
    from labkit.net.address import check_loopback, parse_url  # noqa: PLC0415

    what = _piped() if arguments.what == ["-"] else " ".join(arguments.what)
    if URL.fullmatch(what.strip()):
        check_loopback(parse_url(what).host, arguments.allow_remote, "--allow-remote")
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
