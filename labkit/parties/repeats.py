"""Offers that were switched for before: one that differs from such an offer in its key alone is answered alike.

What a server decides follows from what it is told and from the head; of a key, from its form alone, and of
the answer only the Accept is the key's. So an offer is tested and negotiated once, by the tables of `heads`
and `decide` and by websockets' core. What comes again, as offers of one program do, is looked up.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from labkit.parties.decide import Switch
from labkit.wire.fields import Fields, Pair
from labkit.wire.http1 import RequestHead
from labkit.wire.upgrade import accept_key

__all__ = ["Repeat", "Repeats"]

# A request with none of these is complete with its head (RFC 9112, 6.3), and asks for no 100 before the answer.
_OF_CONTENT = frozenset(("content-length", "transfer-encoding", "expect"))
_MOST = 64  # offers; the oldest goes where there are more
_KEY = re.compile(rb"\nSec-WebSocket-Key: ([A-Za-z0-9+/]{21}[AQgw]==)\r\n", re.IGNORECASE)


class Repeat(NamedTuple):
    """An offer that was made before, maybe with another key.

    Args:
        head: the head, with the key of now.
        switch: what was decided on it then; its field lines have the Accept of then.
        answer: the bytes of the 101, with the Accept of now.
    """

    head: RequestHead
    switch: Switch
    answer: bytes


class Repeats:
    """The offers that one server has switched for; all its connections share them."""

    def __init__(self) -> None:
        self._known: dict[bytes, _Known] = {}

    def keep(self, raw: bytes, head: RequestHead, switch: Switch) -> None:
        """Remember an offer and its answer, where another key changes nothing but the Accept.

        Args:
            raw: the bytes of the head; where it announces content, nothing is remembered.
            head: what was read of them.
            switch: what was decided.
        """
        key = _KEY.search(raw)
        if not key or head.fields.all("Sec-WebSocket-Key") != [key[1].decode()]:
            return
        if any(name.lower() in _OF_CONTENT for name, _ in head.fields):
            return
        if not switch.websocket or switch.extensions:  # an extension has a state of its own on each connection
            return
        while len(self._known) >= _MOST:
            del self._known[next(iter(self._known))]
        place = next(place for place, line in enumerate(head.fields) if line[0].lower() == "sec-websocket-key")
        lines, accept = head.fields.lines, accept_key(key[1].decode())
        before, _, after = switch.head.to_bytes().partition(accept.encode())
        self._known[_less(raw, key)] = _Known(
            head, lines[:place], lines[place][0], lines[place + 1 :], switch, before, after
        )

    def find(self, raw: bytes) -> Repeat | None:
        """Return what there is to a head, given as bytes, that repeats an offer but for its key."""
        key = _KEY.search(raw)
        known = self._known.get(_less(raw, key)) if key else None
        if key is None or known is None:
            return None
        value = key[1].decode()
        fields = Fields((*known.lines_before, (known.name, value), *known.lines_after))
        head = RequestHead(known.head.method, known.head.target, fields, known.head.version)
        return Repeat(head, known.switch, known.before + accept_key(value).encode() + known.after)


class _Known(NamedTuple):
    """An offer and its answer, each in the parts that stand before and after the key, or the Accept."""

    head: RequestHead
    lines_before: tuple[Pair, ...]
    name: str
    lines_after: tuple[Pair, ...]
    switch: Switch
    before: bytes
    after: bytes


def _less(raw: bytes, key: re.Match[bytes]) -> bytes:
    return raw[: key.start(1)] + raw[key.end(1) :]
