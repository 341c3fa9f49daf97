"""Runs one command, and turns whatever goes wrong into one line and an exit code."""

# ruff: noqa: T201  what a command says is what it prints

from __future__ import annotations

import argparse
import contextlib
import io
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from labkit import __version__
from labkit.cli.options import parser
from labkit.errors import Absent, Failed, LabError, WrongUse

__all__ = ["run"]

_DONE, _FAILED, _WRONG, _OWN_FAULT, _INTERRUPTED = 0, 1, 2, 70, 130


def run(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    code = _DONE
    try:
        _make_writable()
        code = _command(argv)
        sys.stdout.flush()  # here, where a reader that is gone can still be told apart from a fault
    except LabError as error:
        return _complain(str(error), _FAILED if isinstance(error, (Failed, Absent)) else _WRONG)
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        _give_up(sys.stdout)
        return code
    except KeyboardInterrupt:
        return _complain("stopped", _INTERRUPTED)
    except OSError as error:  # the machine's fault, not the lab's: a disk that is full, say
        _give_up(sys.stdout)
        return _complain(str(error), _FAILED)
    except Exception as error:  # noqa: BLE001  the one place that catches what nobody expected
        return _complain(_report(error), _OWN_FAULT)
    return code


def _command(argv: list[str] | None) -> int:
    try:
        arguments = parser().parse_args(argv)
    except SystemExit:
        sys.stdout.flush()  # the help that was asked for
        raise
    command: Callable[[argparse.Namespace], int] = arguments.command
    return command(arguments)


def _make_writable() -> None:
    """Let every character of a diagram be written, whatever the terminal or the locale can show.

    Raises:
        WrongUse: there is no standard output.
    """
    if sys.stderr is None:  # closed by the caller: messages are dropped, and not mixed into the output
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  open until the program ends
    if sys.stdout is None:
        raise WrongUse("standard output is closed: there is nowhere to write")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")


def _give_up(stream: TextIO) -> None:
    """Drop what a stream still holds where it cannot be written, so that Python's own end does not fail."""
    try:
        stream.flush()
    except OSError:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _complain(text: str, code: int) -> int:
    with contextlib.suppress(OSError):
        line = " ".join(text.splitlines())
        print("labkit: " + "".join(char if char.isprintable() else repr(char)[1:-1] for char in line), file=sys.stderr)
    _give_up(sys.stderr)
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
