"""What is spoken once an offer is taken up: the same after a 101 and on a stream of HTTP/2."""

from __future__ import annotations

from functools import partial

from websockets.protocol import Side

from labkit.parties.conversation import Conversation
from labkit.parties.core import Core
from labkit.parties.decide import Switch
from labkit.parties.described import Server
from labkit.parties.party import Driver
from labkit.parties.raw import Raw
from labkit.parties.websocket import WebSocket
from labkit.wire.http1 import RequestHead

__all__ = ["begun"]


def begun(server: Server, switch: Switch, head: RequestHead, driver: Driver) -> Conversation:
    """Return the server's conversation in the protocol of a switch, with its handler started."""
    limits = server.limits
    after: Conversation
    if switch.websocket:
        core = partial(Core, Side.SERVER, limits.message, limits.fragments, extensions=switch.extensions)
        after = WebSocket(driver, core, limits.close_time)
    else:
        after = Raw(driver, limits.close_time)
    after.begin(server.protocols[switch.protocol], head, switch.protocol, switch.subprotocol)
    return after
