"""The command that measures the ways to talk."""

# ruff: noqa: T201  what a command says is what it prints

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from labkit.errors import LabError, WrongUse

if TYPE_CHECKING:
    from labkit.measured import Study

__all__ = ["bench"]

_PICTURES = (".png", ".svg", ".pdf")


def bench(arguments: argparse.Namespace) -> int:
    """Make studies, tell and keep what they found; 1 where one could not be made, 130 where Ctrl-C ended one."""
    from labkit.bench.studies import BROKEN_OFF, STUDIES  # noqa: PLC0415

    if unknown := [each for each in arguments.study if each not in STUDIES]:
        raise WrongUse(f"no study is called {unknown[0]!r}; there are {', '.join(STUDIES)}")
    names = [each for each in STUDIES if each in arguments.study] or list(STUDIES)
    _check_files(arguments)
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that child processes are ended
    code = 0
    try:
        for name in names:
            try:
                study = _made(name, arguments)
                _keep(study, arguments, among=names)
            except LabError as error:
                if len(names) == 1:
                    raise
                print(f"labkit: {name}: {error}", file=sys.stderr, flush=True)
                code = 1
                continue
            if BROKEN_OFF in study.note:
                return 130
    finally:
        signal.signal(signal.SIGTERM, before)
    return code


def _check_files(arguments: argparse.Namespace) -> None:
    """Tell before the work, and not after it, what cannot be written."""
    for path in filter(None, (arguments.json, arguments.plot)):
        if not path.parent.is_dir():
            raise WrongUse(f"cannot write {path}: there is no folder {path.parent}")
    if arguments.plot and arguments.plot.suffix.lower() not in _PICTURES:
        raise WrongUse(f"{arguments.plot}: a plot is saved as {', '.join(_PICTURES)}: end its name so")


def _made(name: str, arguments: argparse.Namespace) -> Study:
    from labkit.bench.progress import progress  # noqa: PLC0415
    from labkit.bench.studies import measure  # noqa: PLC0415

    with progress(lines=True) as told:
        return measure(name, quick=arguments.quick, ways=arguments.way, vias=_vias(arguments), told=told)


def _vias(arguments: argparse.Namespace) -> list[str] | None:
    """Return what stands between, by its name in a study: "direct" is nothing."""
    return arguments.via and ["" if each == "direct" else each for each in arguments.via]


def _keep(study: Study, arguments: argparse.Namespace, among: list[str]) -> None:
    """Tell what a study found, and write it where that was asked for."""
    print(_told(study), flush=True)
    try:
        if arguments.json:
            kept = study.thinned(arguments.values) if arguments.values else study
            path = kept.save(_own(arguments.json, study, among))
            print(f"labkit: saved {path}", file=sys.stderr, flush=True)
        if arguments.plot:
            from labkit.render.plots import plot  # noqa: PLC0415

            path = plot(study).save(_own(arguments.plot, study, among))
            print(f"labkit: drew {path}", file=sys.stderr, flush=True)
    except OSError as error:
        raise WrongUse(f"cannot write {error.filename}: {error.strerror}") from None


def _own(path: Path, study: Study, among: list[str]) -> Path:
    """Return the file of one study: where there are several, each has its name in its file's."""
    return path if len(among) == 1 else path.with_name(f"{path.stem}-{study.name}{path.suffix}")


def _told(study: Study) -> str:
    from labkit.render.columns import text_table  # noqa: PLC0415

    rows = [
        (
            each.name,
            each.way,
            each.via or "direct",
            "" if each.size is None else f"{each.size:,}",
            str(each.connections),
            str(each),
        )
        for each in study.measurements
    ]
    head = f"{study.name}{', quick' if study.quick else ''}{', ' + study.date if study.date else ''}"
    where = "\n".join(f"{name}: {value}" for name, value in study.machine.items())
    table = text_table(("what", "way", "via", "bytes", "connections", "median (middle half, n)"), rows)
    return "\n".join(filter(None, (head, study.note, where, "", table, "")))
