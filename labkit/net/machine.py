"""What doing it for real takes: sockets, threads and processes. A Python inside a browser has none of them."""

from __future__ import annotations

import sys

from labkit.errors import Absent

__all__ = ["IN_BROWSER", "NOT_IN_BROWSER", "for_real"]

IN_BROWSER = sys.platform == "emscripten"
"""Whether this Python is Pyodide, as in JupyterLite: it runs inside a browser, and there is no server behind it."""

NOT_IN_BROWSER = (
    "this takes real sockets, threads and processes, and this Python has none: it runs in a browser; "
    "what works here is labkit.simulate(labkit.Scenario(…)), and all that is made of its trace"
)
"""What is said of whatever cannot be done in a browser."""


def for_real() -> None:
    """Go on where this Python can listen, dial and start programs.

    Raises:
        Absent: it runs in a browser; the text names what works there.

    >>> for_real()
    """
    if IN_BROWSER:
        raise Absent(NOT_IN_BROWSER)
