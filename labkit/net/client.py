"""The lab's own client: one exchange over a real connection, any bytes, any cut."""

from __future__ import annotations

import asyncio
import base64
import errno
import os
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from labkit.errors import Failed, Unreadable, WrongUse
from labkit.net.address import Address, check_loopback, parse_url
from labkit.net.listener import is_own
from labkit.net.loop import LoopThread
from labkit.net.patience import check_patience
from labkit.net.wire import Wire
from labkit.parties.client import ClientParty, Say, talk
from labkit.parties.clocks import lab_masks
from labkit.parties.described import Limits
from labkit.parties.offer import Offer
from labkit.parties.party import Driver
from labkit.recording import DEFAULT_LIMIT, Recording
from labkit.trace import Direction, Trace
from labkit.wire.upgrade import SAMPLE_KEY

__all__ = ["Outcome", "ask", "exchange", "fresh_key", "fresh_masks"]

_CONNECT_TIME = 5.0  # seconds
_CLOSE_TIME = 2.0  # seconds for the closing alerts of TLS
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
    ca: str | Path | None = None,
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
        ca: a file of certificates to trust, PEM, instead of the system's: your own server's, say.

    Raises:
        Refused: the host is not loopback.
        Failed: no connection could be made.
        Unreadable: `ca` is no file of certificates.
    """
    return exchange(url, offer, say, patience=patience, allow_remote=allow_remote, recorded=recorded, ca=ca).trace


def exchange(
    url: str,
    offer: Offer | None = None,
    say: Say = ("Hello",),
    *,
    patience: float = 5.0,
    allow_remote: bool = False,
    recorded: int = DEFAULT_LIMIT,
    ca: str | Path | None = None,
) -> Outcome:
    """Do what `ask` does, and tell the status and what went wrong beside the trace."""
    address = parse_url(url)
    check_loopback(address.host, allow_remote)
    check_patience(patience)
    if not isinstance(offer, Offer | None):
        raise WrongUse(f"offer is an Offer, such as Offer.websocket(), not {offer!r}")
    if not callable(say) and not isinstance(say, Iterable):
        raise WrongUse(f"say is a list of messages, or a handler, not {say!r}")
    Limits(recorded=recorded)  # the same bounds
    own = is_own(address)
    offer = _offer_for(address, offer, own=own)
    offer.to_bytes()  # what cannot be said, here or in `say`, is told before anything is dialled
    handler = talk(say, patience)
    call = _Call(
        address, _trusted(ca, http2=offer.http2) if address.tls else None, Recording(monotonic, limit=recorded)
    )

    def make(driver: Driver) -> ClientParty:
        return ClientParty(offer, handler, driver, lab_masks() if own else fresh_masks(), patience=patience)

    thread = LoopThread("labkit client")
    thread.start()
    try:
        return thread.run(call.made(make))
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


def _trusted(ca: str | Path | None, *, http2: bool) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca)
    except ssl.SSLError:
        raise Unreadable(f"{ca}: no certificates in it; expected PEM, -----BEGIN CERTIFICATE-----") from None
    except OSError as error:
        raise Unreadable(f"{ca}: cannot be read: {error.strerror}") from None
    context.set_alpn_protocols(["h2" if http2 else "http/1.1"])  # in HTTP/2 there is no Upgrade (RFC 9113, 8.6)
    return context


@dataclass(frozen=True)
class _Call:
    """One connection to be made: where to, whom to trust, and where to record it."""

    address: Address
    tls: ssl.SSLContext | None
    recording: Recording

    async def made(self, make: Callable[[Driver], ClientParty]) -> Outcome:
        """Make the connection, wait for its end, and tell how it was."""
        over = asyncio.Event()
        wire = Wire(make, Direction.TO_SERVER, self.recording, lambda _: over.set())
        await self._connect(wire)
        party = wire.party
        assert isinstance(party, ClientParty)
        try:
            async with asyncio.timeout(_WHOLE_TIME):
                await over.wait()
        except TimeoutError:
            party.problem = party.problem or f"the exchange did not end within {_WHOLE_TIME:g} s"
        finally:
            wire.abort()
        note = "recorded by the client" + (f"; {party.problem}" if party.problem else "")
        return Outcome(self.recording.trace(note=note), party.status, party.problem)

    async def _connect(self, wire: Wire) -> None:
        address = self.address
        where = f"{address.host}:{address.port}"
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_CONNECT_TIME):
                await loop.create_connection(
                    lambda: wire,
                    address.host,
                    address.port,
                    ssl=self.tls,
                    ssl_shutdown_timeout=_CLOSE_TIME if self.tls else None,
                )
        except TimeoutError:
            raise Failed(f"{where} did not answer{' in TLS' if self.tls else ''} within {_CONNECT_TIME:g} s") from None
        except ssl.SSLCertVerificationError as error:
            raise Failed(f"{where}: its certificate is not trusted: {error.verify_message}") from None
        except ssl.SSLError as error:
            raise Failed(f"{where} does not speak TLS here ({error.reason}): try ws or http") from None
        except socket.gaierror:
            raise Failed(f"no host is called {address.host}: check the name, or the network") from None
        except OSError as error:
            if isinstance(error, ConnectionRefusedError) or f"[Errno {errno.ECONNREFUSED}]" in str(error):
                raise Failed(f"nothing listens on {where}: is the server running?") from None
            raise Failed(f"{where} cannot be reached: {error.strerror or error}") from None
