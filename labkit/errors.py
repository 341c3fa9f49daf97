"""The lab's errors: one base, a few leaves.

Each message names what was wrong, where, and what to do.

    LabError
    ├── WireError     bytes that are not what a codec was asked to read
    ├── WrongUse      a call, an option or a setting that makes no sense
    ├── Refused       what the lab does not do unless it is told to (another host, say)
    ├── Failed        an exchange that could not take place, or a server that could not start
    ├── Unreadable    a file that is not what was expected
    ├── Unmodelled    a proxy that the lab can run and cannot predict
    └── Absent        a program or a package that is not on this machine
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["Absent", "Failed", "LabError", "Refused", "Unmodelled", "Unreadable", "WireError", "WrongUse"]


class LabError(Exception):
    """Any error of the lab's own; its text is fit to be shown as it is.

    In a notebook it draws as that one line, not as a traceback.

    >>> print(WrongUse("say what to open"))
    say what to open
    """

    def _render_traceback_(self) -> Sequence[str]:
        # IPython asks an exception how it wants to be shown.
        return [f"{type(self).__name__}: {self}"]


class WireError(LabError):
    """Bytes that are not what a codec was asked to read."""


class WrongUse(LabError):  # noqa: N818  the word says it
    """A call, an option or a setting that makes no sense; also a wrong value, as `ValueError` is."""


class Refused(LabError):  # noqa: N818  the word says it
    """What the lab does not do unless it is told to; the text names the flag that allows it."""


class Failed(LabError):  # noqa: N818  the word says it
    """An exchange that could not take place, or a server that could not start; the text says why."""


class Unreadable(LabError):  # noqa: N818  the word says it
    """A file that is not what was expected; the text names the file and the line or offset."""


class Unmodelled(LabError):  # noqa: N818  the word says it
    """What no model of a proxy answers for; the text names it, and says to run it for real."""


class Absent(LabError):  # noqa: N818  the word says it
    """A program or package that is not on this machine; the text says how to install it."""
