"""TLS on the same connection, after a 101 (RFC 2817): a handler that holds another one inside.

    Server(protocols={"TLS/1.0": tls_server()})       the answer to the upgraded request comes inside TLS
    ask(url, Offer.tls(), say=client)                 the client's side, where client = tls_client()
    client.heard                                      what it heard inside

What is inside is a handler like any other: it is given a stream, whose bytes are those inside TLS. TLS draws
fresh numbers, so it is run and not simulated.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from labkit.errors import Failed, WrongUse
from labkit.net.process import run_child
from labkit.net.programs import find
from labkit.parties.offer import SAMPLE_HOST
from labkit.parties.party import Need
from labkit.parties.stream import Closed, Fragments, Handler, Message, Stream

__all__ = ["Certificate", "TlsHandler", "lab_certificate", "tls_client", "tls_server"]

_READ = 1 << 16  # bytes taken out of TLS at once
_PATIENCE = 5.0  # seconds for openssl, for a handshake, and for an answer
_MOST_HEARD = 1 << 16  # bytes

Wrap = Callable[[ssl.MemoryBIO, ssl.MemoryBIO], ssl.SSLObject]


class Certificate(NamedTuple):
    """A certificate and its key, both PEM, in files."""

    cert: Path
    key: Path


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="labkit-tls-")  # removed when this process ends


@cache
def lab_certificate() -> Certificate:
    """Return a certificate for server.example.com, made by openssl for this process, which nobody else trusts.

    Raises:
        Absent: openssl is not on this machine.
        Failed: it makes none.
    """
    openssl, folder = find("openssl").required(), Path(_folder().name)
    made = Certificate(folder / "cert.pem", folder / "key.pem")
    ask = [openssl.path, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
           "-days", "30", "-subj", "/CN=labkit", "-addext", f"subjectAltName=DNS:{SAMPLE_HOST}",
           "-out", str(made.cert), "-keyout", str(made.key)]  # fmt: skip
    done = run_child(ask, patience=_PATIENCE)
    if done.code != 0:
        raise Failed(f"openssl made no certificate: {done.err.decode('utf-8', 'replace').strip()[-200:]}")
    return made


async def _answer(stream: Stream) -> None:
    """Answer the request that was upgraded, as HTTP/1.1 does, and end the connection."""
    request = stream.request
    text = f"{request.method} {request.target}, answered inside TLS.\n"  # which is ASCII, as they are
    head = f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\n\r\n"
    await stream.send(head if request.method == "HEAD" else head + text)  # RFC 9110, 9.3.2


async def _listen(stream: Stream) -> None:
    """Read to the end of what the server says."""
    size = 0
    while size < _MOST_HEARD:
        try:
            size += len(await stream.receive(_PATIENCE))
        except Closed:
            return


def tls_server(inside: Handler = _answer, certificate: Certificate | None = None) -> TlsHandler:
    """Return a handler that speaks TLS as a server, and gives what is inside to another.

    Args:
        inside: the handler of what is inside; it answers the upgraded request unless told (RFC 2817, 3.3).
        certificate: what it shows; the lab's own unless told.

    Raises:
        Absent: openssl, which makes the lab's own, is not on this machine.
    """
    shown = certificate or lab_certificate()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown.cert, shown.key)
    return TlsHandler(inside, lambda coming, going: context.wrap_bio(coming, going, server_side=True))


def tls_client(inside: Handler = _listen, ca: Path | None = None, name: str = SAMPLE_HOST) -> TlsHandler:
    """Return a handler that speaks TLS as a client, checks who answers, and gives what is inside to another.

    Args:
        inside: the handler of what is inside; it reads the answer unless told.
        ca: a file of certificates to trust, PEM; the lab's own alone unless told.
        name: the name that the certificate has to show.

    Raises:
        Absent: openssl, which makes the lab's own, is not on this machine.
    """
    context = ssl.create_default_context(cafile=ca or lab_certificate().cert)
    return TlsHandler(inside, lambda coming, going: context.wrap_bio(coming, going, server_hostname=name))


class TlsHandler:
    """A handler that speaks TLS, and what it met: `heard` is what came inside, `version` what TLS it was, at last.

    Args:
        inside: the handler of what is inside.
        wrap: makes the TLS between two buffers.
    """

    def __init__(self, inside: Handler, wrap: Wrap) -> None:
        self._inside = inside
        self._wrap = wrap
        self.heard = b""
        self.version = ""

    async def __call__(self, stream: Stream) -> None:
        """Make the handshake, and hand over."""
        self.heard = b""
        inner = _Inside(stream, self._wrap, self._note)
        self.version = await inner.begin()
        try:
            await self._inside(inner)
        except Closed:
            return
        await inner.close()

    def _note(self, data: bytes) -> None:
        self.heard = (self.heard + data)[:_MOST_HEARD]

    def __repr__(self) -> str:
        return f"<TlsHandler {self.version or 'not yet used'}>"


class _Inside(Stream):
    """The stream inside TLS: bytes go through two buffers in memory, and the stream outside moves these."""

    def __init__(self, outside: Stream, wrap: Wrap, note: Callable[[bytes], None]) -> None:
        super().__init__(
            outside._speech, outside._driver, outside.request, outside.protocol, outside.subprotocol  # noqa: SLF001
        )  # fmt: skip
        if self._driver.park is Need:
            raise WrongUse("TLS draws fresh numbers each time: run it; it cannot be simulated")
        self._outside, self._note = outside, note
        self._coming, self._going = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = wrap(self._coming, self._going)

    async def begin(self) -> str:
        """Make the TLS handshake, and return which version it agreed on.

        Raises:
            Failed: it does not come about.
        """
        try:
            await self._done(self._tls.do_handshake, _PATIENCE)
        except ssl.SSLCertVerificationError as error:
            await self._flush()  # the alert
            raise Failed(f"the certificate is not trusted: {error.verify_message}") from None
        except ssl.SSLError as error:
            await self._flush()
            raise Failed(f"no TLS handshake came about: {error.reason or error}") from None
        except (Closed, TimeoutError) as error:
            raise Failed(f"no TLS handshake came about: {error}") from None
        return self._tls.version() or ""

    async def _done(self, step: Callable[[], Any], timeout: float | None) -> Any:  # noqa: ASYNC109  as `receive`
        """Do what TLS may need more bytes for."""
        while True:
            try:
                made = step()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fill(timeout)
            else:
                await self._flush()
                return made

    async def _fill(self, timeout: float | None) -> None:  # noqa: ASYNC109
        try:
            data = await self._outside.receive(timeout)
        except Closed:
            if self._coming.eof:
                raise
            self._coming.write_eof()
        else:
            assert isinstance(data, bytes)
            self._coming.write(data)

    async def _flush(self) -> None:
        if self._going.pending:
            await self._outside.send(self._going.read())

    async def receive(self, timeout: float | None = None) -> Message:  # noqa: ASYNC109
        """Return what one record brings."""
        try:
            data = await self._done(lambda: self._tls.read(_READ), timeout)
        except ssl.SSLError:
            data = b""  # the other side's goodbye, or an end without one
        if not data:
            raise Closed("the other side ended the conversation")
        self._note(data)
        return bytes(data)

    async def send(self, message: Message | Fragments) -> None:
        """Send bytes in a record; text goes out as UTF-8."""
        parts = [message] if isinstance(message, (str, bytes)) else message
        for part in parts:
            self._tls.write(part.encode() if isinstance(part, str) else part)
        await self._flush()

    async def send_bytes(self, data: bytes) -> None:
        """Send bytes in a record."""
        await self.send(data)

    async def close(self, code: int | None = 1000, reason: str = "") -> None:
        """Say goodbye inside TLS, with an alert, and then outside."""
        with suppress(ssl.SSLError):  # the other side's goodbye is not waited for (RFC 8446, 6.1)
            self._tls.unwrap()
        await self._flush()
        await self._outside.close(code, reason)
