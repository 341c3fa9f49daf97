"""What a client makes of the answer to its WebSocket handshake: websockets' core checks it (RFC 6455, 4.1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.extensions.base import Extension
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, PerMessageDeflate
from websockets.http11 import Response
from websockets.protocol import Side
from websockets.uri import parse_uri

from labkit.parties.conversation import Conversation
from labkit.parties.core import QUIET, Core, Stored
from labkit.parties.party import Driver
from labkit.parties.raw import Raw
from labkit.parties.websocket import WebSocket
from labkit.wire.fields import Fields

__all__ = ["conversation"]

_MOST_MESSAGE = 16 << 20  # bytes
_MOST_FRAGMENTS = 1 << 20


def conversation(
    protocol: str, asked: Fields, answer: Fields, driver: Driver, masks: Iterator[bytes], patience: float
) -> Conversation:
    """Return what the client says once its offer was taken up.

    Args:
        protocol: what was switched to.
        asked: the field lines of the request.
        answer: those of the 101.
        driver: its clock, ways to wait and to start a coroutine.
        masks: masking keys.
        patience: the most seconds for each step of the closing.

    Raises:
        InvalidHandshake: the answer does not fit the request.
    """
    if protocol.lower() != "websocket":
        return Raw(driver, patience)
    core = partial(Core, Side.CLIENT, _MOST_MESSAGE, _MOST_FRAGMENTS, masks, _agreed(asked, answer))
    return WebSocket(driver, core, patience)


def _agreed(asked: Fields, answer: Fields) -> Sequence[Extension]:
    offers = [e.split(";") for e in asked.elements("Sec-WebSocket-Extensions")]
    deflate = [rest for name, *rest in offers if name.strip() == "permessage-deflate"]
    # the answer may limit the client's window only where the offer says that it can (RFC 7692, 7.1.2.2)
    limited = any(each.split("=")[0].strip() == "client_max_window_bits" for rest in deflate for each in rest)
    factories = [ClientPerMessageDeflateFactory(client_max_window_bits=limited or None)] if deflate else None
    subprotocols = asked.elements("Sec-WebSocket-Protocol") or None
    core = ClientProtocol(
        parse_uri("ws://server.example.com/"),
        extensions=factories,
        subprotocols=subprotocols,  # type: ignore[arg-type]
        logger=QUIET,
    )
    core.key = asked.get("Sec-WebSocket-Key") or ""
    core.process_response(Response(101, "", Headers(answer)))
    return [_stored(each) for each in core.extensions]


def _stored(extension: Extension) -> Extension:
    if not isinstance(extension, PerMessageDeflate):
        return extension
    return Stored(
        extension.remote_no_context_takeover,
        extension.local_no_context_takeover,
        extension.remote_max_window_bits,
        extension.local_max_window_bits,
    )
