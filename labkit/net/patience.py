"""How long whoever runs something is ready to wait: a number of seconds, checked in one place."""

from __future__ import annotations

from labkit.errors import WrongUse

__all__ = ["LONGEST", "check_patience"]

LONGEST = 3600.0
"""Seconds: the most that anything is waited for."""


def check_patience(patience: object, most: float = LONGEST) -> None:
    """Refuse what is no number of seconds above 0, or more than `most`.

    Raises:
        WrongUse: it is.
    """
    if type(patience) not in (int, float) or not 0 < patience <= most:  # type: ignore[operator]
        raise WrongUse(f"patience is above 0 and at most {most:g} seconds, not {patience!r}")
