"""One real run at a time, bounded: a learner who clicks twice, or a program that hangs, costs nobody else anything."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late

from labkit.errors import Failed
from labkit.net.run import run
from labkit.scenario import Scenario
from labkit.trace import Trace

__all__ = ["LONGEST", "Runs"]

LONGEST = 40.0
"""Seconds that a run may take; a browser starts in some of them."""


class Runs:
    """Real runs, one at a time.

    Args:
        longest: the most seconds of one.

    >>> Runs().run(Scenario()).hops[0].client
    'client'
    """

    def __init__(self, longest: float = LONGEST) -> None:
        self._longest = longest
        self._now: Future[Trace] | None = None

    def run(self, scenario: Scenario) -> Trace:
        """Run a scenario with real programs, and return what crossed; all that was started has ended then.

        Raises:
            Absent: the client or a proxy is not on this machine.
            Failed: it could not take place, took too long, or the one before has not ended yet.
            WrongUse: the client cannot say this offer.
        """
        if self._now is not None and not self._now.done():
            raise Failed("the last run has not ended yet: wait until its programs have stopped")
        pool = ThreadPoolExecutor(1, thread_name_prefix="labkit workbench")
        self._now = pool.submit(run, scenario)
        pool.shutdown(wait=False)
        try:
            return self._now.result(self._longest)
        except Late:
            raise Failed(f"the run did not end within {self._longest:g} s; its programs are being stopped") from None
