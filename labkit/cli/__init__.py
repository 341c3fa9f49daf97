"""The command line: `labkit` and `python -m labkit`.

Exit codes: 0 done, 1 the exchange failed, 2 wrong use, 70 a fault of the lab's own, 130 interrupted. What
a program may want to read goes to standard output, and nothing else does; messages go to standard error.
"""

# ruff: noqa: T201  what a command says is what it prints

from __future__ import annotations

import argparse
import io
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

from labkit import __version__
from labkit.cli.options import parser
from labkit.errors import Absent, Failed, LabError

__all__ = ["main"]

_DONE, _FAILED, _WRONG, _OWN_FAULT, _INTERRUPTED = 0, 1, 2, 70, 130


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    _make_writable()
    arguments = parser().parse_args(argv)
    try:
        command: Callable[[argparse.Namespace], int] = arguments.command
        code = command(arguments)
        sys.stdout.flush()  # here, where a reader that is gone can still be told apart from a fault
    except (Failed, Absent) as error:
        return _complain(str(error), _FAILED)
    except LabError as error:
        return _complain(str(error), _WRONG)
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _DONE
    except KeyboardInterrupt:
        return _complain("stopped", _INTERRUPTED)
    except Exception as error:  # noqa: BLE001  the one place that catches what nobody expected
        return _complain(_report(error), _OWN_FAULT)
    return code


def _make_writable() -> None:
    """Let every character of a diagram be written, whatever the terminal or the locale can show."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")


def _complain(text: str, code: int) -> int:
    print(f"labkit: {' '.join(text.splitlines())}", file=sys.stderr)
    return code


def _report(error: BaseException) -> str:
    trace, place = error.__traceback__, "outside of labkit"
    own = Path(__file__).parent.parent
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        if path.is_relative_to(own):
            place = f"{path.relative_to(own).as_posix()}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return (
        f"a fault in labkit itself: {type(error).__name__}: {error} ({place}; labkit {__version__}, "
        f"Python {platform.python_version()}); please report it with this line and what you typed"
    )
