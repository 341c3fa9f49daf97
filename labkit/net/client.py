"""The lab's own client: one exchange over a real connection, any bytes, any cut."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

from labkit.errors import Failed
from labkit.net.address import Address, check_loopback, parse_url
from labkit.net.listener import is_own
from labkit.net.loop import LoopThread
from labkit.net.wire import Wire
from labkit.parties.client import ClientParty, Say
from labkit.parties.clocks import lab_masks
from labkit.parties.offer import Offer
from labkit.parties.party import Host
from labkit.recording import DEFAULT_LIMIT, Recording
from labkit.trace import Direction, Trace
from labkit.wire.upgrade import SAMPLE_KEY

__all__ = ["Outcome", "ask", "exchange", "fresh_key", "fresh_masks"]

_CONNECT_TIME = 5.0  # seconds
_WHOLE_TIME = 120.0  # seconds for one exchange, whatever happens


def fresh_key() -> str:
    """Return a key of 16 random bytes, as a real client must draw it (RFC 6455, 4.1 (7))."""
    return base64.b64encode(os.urandom(16)).decode("ascii")


def fresh_masks() -> Iterator[bytes]:
    """Yield unpredictable masking keys (RFC 6455, 5.3)."""
    while True:
        yield os.urandom(4)


@dataclass(frozen=True)
class Outcome:
    """One exchange: its trace, the status of the final answer, and what went wrong, if anything."""

    trace: Trace
    status: int | None
    problem: str


def ask(
    url: str,
    offer: Offer | None = None,
    say: Say = ("Hello",),
    *,
    patience: float = 5.0,
    allow_remote: bool = False,
    recorded: int = DEFAULT_LIMIT,
) -> Trace:
    """Ask a server to upgrade, over a real connection, and return what crossed it.

    Towards the lab's own servers the bytes are the RFC's examples, the same each time; towards any
    other, key and masks are drawn fresh. Proxy settings of the environment are not looked at.

    Args:
        url: ws, wss, http or https.
        offer: what to ask for; a WebSocket handshake for the URL's path unless told.
        say: what to say after a switch: messages, each answered before the next, or a handler.
        patience: the most seconds to wait for the answer.
        allow_remote: allow hosts other than loopback.
        recorded: the most bytes to keep.

    Raises:
        Refused: the host is not loopback.
        Failed: no connection could be made.
    """
    return exchange(
        url, offer, say, patience=patience, allow_remote=allow_remote, recorded=recorded
    ).trace


def exchange(
    url: str,
    offer: Offer | None = None,
    say: Say = ("Hello",),
    *,
    patience: float = 5.0,
    allow_remote: bool = False,
    recorded: int = DEFAULT_LIMIT,
    flag: str = "allow_remote=True",
) -> Outcome:
    """Do what `ask` does, and tell the status and what went wrong beside the trace."""
    address = parse_url(url)
    check_loopback(address.host, allow_remote, flag)
    own = is_own(address.port)
    offer = _offer_for(address, offer, own=own)
    masks = lab_masks() if own else fresh_masks()
    thread = LoopThread("labkit client")
    thread.start()
    try:
        return thread.run(_exchange(address, offer, say, masks, patience, recorded), _WHOLE_TIME + patience)
    except TimeoutError:
        raise Failed(f"{url}: the exchange did not end within {_WHOLE_TIME + patience:g} s") from None
    finally:
        thread.stop()


def _offer_for(address: Address, offer: Offer | None, *, own: bool) -> Offer:
    if offer is None:
        offer = Offer.websocket(address.target)
        if not own:
            offer = offer.with_field("Host", address.authority)
    if not own and offer.raw is None and offer.fields.get("Sec-WebSocket-Key") == SAMPLE_KEY:
        offer = offer.with_field("Sec-WebSocket-Key", fresh_key())
    return offer


async def _exchange(
    address: Address, offer: Offer, say: Say, masks: Iterator[bytes], patience: float, recorded: int
) -> Outcome:
    loop = asyncio.get_running_loop()
    recording = Recording(loop.time, limit=recorded)
    over = loop.create_future()
    parties: list[ClientParty] = []

    def make(host: Host) -> ClientParty:
        parties.append(ClientParty(offer, say, host, masks, patience=patience))
        return parties[0]

    def ended(_: Wire) -> None:
        if not over.done():
            over.set_result(None)

    await _connect(address, lambda: Wire(make, Direction.TO_SERVER, recording, ended))
    await over
    party = parties[0]
    note = "recorded by the client" + (f"; {party.problem}" if party.problem else "")
    return Outcome(recording.trace(note=note), party.status, party.problem)


async def _connect(address: Address, factory: object) -> None:
    loop = asyncio.get_running_loop()
    context = ssl.create_default_context() if address.tls else None
    if context is not None:
        context.set_alpn_protocols(["http/1.1"])  # in HTTP/2 there is no Upgrade (RFC 9113, 8.6)
    try:
        async with asyncio.timeout(_CONNECT_TIME):
            await loop.create_connection(factory, address.host, address.port, ssl=context)  # type: ignore[arg-type]
    except TimeoutError:
        raise Failed(f"{address.authority} did not answer within {_CONNECT_TIME:g} s") from None
    except ssl.SSLCertVerificationError as error:
        raise Failed(f"{address.authority}: its certificate is not trusted: {error.verify_message}") from None
    except ssl.SSLError as error:
        raise Failed(f"{address.authority} does not speak TLS here ({error.reason}): try ws or http") from None
    except socket.gaierror:
        raise Failed(f"no host is called {address.host}: check the name, or the network") from None
    except ConnectionRefusedError:
        raise Failed(f"nothing listens on {address.authority}: is the server running?") from None
    except OSError as error:
        raise Failed(f"{address.authority} cannot be reached: {error.strerror or error}") from None
