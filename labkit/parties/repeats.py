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

__all__ = ["Repeats"]

_MOST = 64  # offers; the oldest goes where there are more
_KEY = re.compile(rb"\nSec-WebSocket-Key: ([A-Za-z0-9+/]{21}[AQgw]==)\r\n", re.IGNORECASE)


class Repeats:
    """The offers that one server has switched for; all its connections share them."""

    def __init__(self) -> None:
        self._known: dict[bytes, _Known] = {}

    def keep(self, raw: bytes, head: RequestHead, switch: Switch) -> None:
        """Remember an offer and its answer, where another key changes nothing but the Accept.

        Args:
            raw: the bytes of the head; they announce no content.
            head: what was read of them.
            switch: what was decided.
        """
        key = _KEY.search(raw)
        if not key or head.fields.all("Sec-WebSocket-Key") != [key[1].decode()]:
            return
        if not switch.websocket or switch.extensions:  # an extension has a state of its own on each connection
            return
        while len(self._known) >= _MOST:
            del self._known[next(iter(self._known))]
        asked, answered = _Gap.at("sec-websocket-key", head.fields), _Gap.at("sec-websocket-accept", switch.fields)
        self._known[_less(raw, key)] = _Known(head, asked, switch, answered)

    def find(self, raw: bytes) -> tuple[RequestHead, Switch] | None:
        """Return what the bytes of a head say and what was decided, where they repeat an offer but for the key."""
        key = _KEY.search(raw)
        known = self._known.get(_less(raw, key)) if key else None
        if key is None or known is None:
            return None
        head, switch, value = known.head, known.switch, key[1].decode()
        fields = known.answered.filled(accept_key(value))
        return (
            RequestHead(head.method, head.target, known.asked.filled(value), head.version),
            Switch(switch.protocol, fields, websocket=True, subprotocol=switch.subprotocol),
        )


class _Gap(NamedTuple):
    """Field lines around one whose value is left out."""

    before: tuple[Pair, ...]
    name: str
    after: tuple[Pair, ...]

    @classmethod
    def at(cls, name: str, fields: Fields) -> _Gap:
        place = next(place for place, line in enumerate(fields) if line[0].lower() == name)
        return cls(fields.lines[:place], fields.lines[place][0], fields.lines[place + 1 :])

    def filled(self, value: str) -> Fields:
        return Fields((*self.before, (self.name, value), *self.after))


class _Known(NamedTuple):
    head: RequestHead
    asked: _Gap
    switch: Switch
    answered: _Gap


def _less(raw: bytes, key: re.Match[bytes]) -> bytes:
    return raw[: key.start(1)] + raw[key.end(1) :]
