"""Server-sent events: the lines of a `text/event-stream` (HTML, 9.2)."""

from __future__ import annotations

from labkit.errors import WrongUse

__all__ = ["event"]


def event(data: str, *, name: str = "", number: str = "") -> bytes:
    r"""Return the bytes of one event.

    Args:
        data: its data; each line of it becomes a line of the event, and the browser joins them again.
        name: its type, for `addEventListener`; "message" where there is none.
        number: its id, which a browser that connects again sends as Last-Event-ID.

    >>> event("one\ntwo", name="tick")
    b'event: tick\ndata: one\ndata: two\n\n'
    """
    for value in (name, number):
        if "\n" in value or "\r" in value or "\0" in value:
            raise WrongUse(f"the type and the id of an event are one line each, not {value!r}")
    lines = [f"event: {name}"] * bool(name) + [f"id: {number}"] * bool(number)
    lines += [f"data: {line}" for line in data.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    return "".join(f"{line}\n" for line in [*lines, ""]).encode()
