"""What a test of a request is, and how a table of them is made: in order, up to the first that is not passed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

from labkit.parties.answer import Answer
from labkit.parties.described import Server
from labkit.wire.http1 import RequestHead

__all__ = ["IGNORED", "Look", "Made", "Result", "Test", "first", "lines"]

IGNORED: Literal["ignored"] = "ignored"
"""The result of a test on an offer that is not taken up: the request is answered as a plain one."""

Result = Answer | Literal["ignored"] | None
"""None where the request passes, the answer where it is declined, or IGNORED."""

Look = Callable[[Server, RequestHead], str]
"""Tells what a test looked at; it is made for showing alone."""


class Test(NamedTuple):
    """One test of a request: what it asks, the clause, the function that answers, and what it looks at."""

    name: str
    clause: str
    run: Callable[[Server, RequestHead], Result]
    look: Look


Made = list[tuple[Test, Result]]
"""The tests that were made, in order, each with its result."""


def lines(*names: str) -> Look:
    """Return what shows the field lines of these names."""

    def look(_: Server, head: RequestHead) -> str:
        found = [f"{own}: {value}" for own, value in head.fields if own.lower() in {name.lower() for name in names}]
        return "; ".join(found) or f"no {' and no '.join(names)}"

    return look


def first(tests: Iterable[Test], server: Server, head: RequestHead, made: Made | None) -> Result:
    """Make tests up to the first that the request does not pass; return its result.

    Args:
        tests: the tests, in order.
        server: what the server is told to be.
        head: the request's head.
        made: takes every test that is made, with its result; None where nobody wants to know.
    """
    for test in tests:
        result = test.run(server, head)
        if made is not None:
            made.append((test, result))
        if result is not None:
            return result
    return None
