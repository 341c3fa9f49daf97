"""How far a study is, for who waits: a bar where tqdm is installed, else a line now and then.

The one door to tqdm.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from labkit.bench.making import Progress, Told

__all__ = ["can_be_seen", "progress"]

_LINES = 10  # of a study, where there is no bar


def can_be_seen() -> bool:
    """Tell whether anybody watches: at a terminal, or in a notebook."""
    kernel = sys.modules.get("ipykernel.kernelapp")  # loaded, it may still be another's: a kernel has started it
    return bool(kernel and kernel.IPKernelApp.initialized()) or sys.stderr.isatty()


@contextmanager
def progress(*, lines: bool = False) -> Iterator[Told]:
    """Give what shows how far a study is while the block lasts.

    Args:
        lines: where there is no bar, say so in lines on standard error.
    """
    bar = _bar() if can_be_seen() else None
    if bar is None:
        yield _in_lines(sys.stderr) if lines else lambda _: None
        return
    with bar:
        yield lambda progress: _draw(bar, progress)


def _bar() -> Any:
    """Return a bar; None where tqdm is not installed."""
    try:
        if sys.stderr.isatty():  # whatever else this process has loaded: tqdm's own guess looks at that
            from tqdm.std import tqdm  # noqa: PLC0415  optional
        else:
            from tqdm.auto import tqdm  # noqa: PLC0415  optional
    except ImportError:
        return None
    return tqdm(
        leave=False,
        dynamic_ncols=True,
        mininterval=0,
        bar_format="{desc} {bar} {n_fmt} of {total_fmt}, {remaining} left",
    )


def _draw(bar: Any, progress: Progress) -> None:
    if bar.total != progress.of:
        bar.reset(total=progress.of)
    bar.set_description_str(f"{progress.name}: {progress.now:45.45}", refresh=False)
    bar.update(progress.done - bar.n)


def _in_lines(stream: TextIO) -> Told:
    def tell(progress: Progress) -> None:
        tenth, before = (_LINES * done // progress.of for done in (progress.done, progress.done - 1))
        if tenth != before:
            print(f"{progress.name}: {progress.done} of {progress.of}, {progress.now}", file=stream, flush=True)

    return tell
