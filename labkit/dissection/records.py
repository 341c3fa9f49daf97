"""Records of protocols that are taken apart no further: TLS, and the streams of a container in one.

TLS (RFC 8446, 5.1)                                Docker Engine API, "Attach to a container"

     1      2         2                                 1        3          4
    ┌──────┬─────────┬────────┬──────────              ┌────────┬──────────┬────────┬──────────
    │ type │ version │ length │ fragment               │ stream │ zeros    │ length │ bytes
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from labkit.dissection.opaque import OpaquePart
from labkit.dissection.spans import Span
from labkit.dissection.websocket import shown

__all__ = ["RECORDS", "stream_frames", "tls_records"]


class Kind(NamedTuple):
    """A row of a table of types: its name, and what it is."""

    name: str
    meaning: str


_TLS_CLAUSE = "RFC 8446, 5.1"
_CHANGE, _ALERT, _HANDSHAKE, _DATA = range(20, 24)
_TYPES = {
    _CHANGE: Kind("change cipher spec", "in TLS 1.3 it says nothing; before, that all behind it is encrypted"),
    _ALERT: Kind("alert", "a warning, an error, or the goodbye"),
    _HANDSHAKE: Kind("handshake", "how keys are agreed on, and who the server is"),
    _DATA: Kind("application data", "encrypted; in TLS 1.3 the rest of the handshake, too"),
}
_MESSAGES = {
    1: Kind("ClientHello", "what the client can do, and a random number"),
    2: Kind("ServerHello", "what the server chose, and a random number"),
    4: Kind("NewSessionTicket", "for coming back sooner"),
    11: Kind("Certificate", "who the server is"),
    12: Kind("ServerKeyExchange", "the server's part of the key"),
    13: Kind("CertificateRequest", "who is the client?"),
    14: Kind("ServerHelloDone", "the client's turn"),
    15: Kind("CertificateVerify", "proves that the key of the certificate is at hand"),
    16: Kind("ClientKeyExchange", "the client's part of the key"),
}
_VERSIONS = {0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2; TLS 1.3 writes so, too"}
_ALERTS = {0: "close notify", 40: "handshake failure", 42: "bad certificate", 48: "unknown CA", 70: "protocol version"}
_LARGEST = (1 << 14) + 2048  # bytes of a fragment (RFC 5246, 6.2.3; TLS 1.3 allows 256 more than 2^14)


def tls_records(data: bytes, start: int) -> list[OpaquePart]:
    """Return the TLS records from `start` on, as far as there are any; the last may be cut short. Never raises.

    >>> [part.label for part in tls_records(bytes.fromhex("1603010004 01000000 1503030002 0100"), 0)]
    ['TLS record: ClientHello', 'TLS record: alert, close notify']
    """
    found: list[OpaquePart] = []
    at, secret, left = start, False, 0
    while at < len(data) and data[at] in _TYPES and data[at + 1 : at + 2] in (b"\3", b""):
        length = int.from_bytes(data[at + 3 : at + 5].ljust(2, b"\0"), "big")
        if length > _LARGEST:
            break
        end = min(at + 5 + length, len(data))
        kind = data[at]
        label, body, left = _fragment(data, (at + 5, end), kind, secret=secret, left=left)
        cut = len(data) < at + 5 + length or len(data) < at + 5
        fault = f"the bytes end before the record does ({_TLS_CLAUSE})" if cut else ""
        inside = (*_header(data, at, end), *body)
        found.append(OpaquePart(at, end, f"TLS record: {label}", _TYPES[kind].meaning, _TLS_CLAUSE, fault, inside))
        secret = secret or kind == _CHANGE
        at = end
    return found


def _header(data: bytes, at: int, end: int) -> list[Span]:
    version = int.from_bytes(data[at + 1 : at + 3], "big")
    length = int.from_bytes(data[at + 3 : at + 5], "big")
    pieces = (
        (1, "type", f"{data[at]}: {_TYPES[data[at]].name}"),
        (2, "version", f"{version:#06x}: {_VERSIONS.get(version, 'unknown')}"),
        (2, "length", f"{length:,} bytes"),
    )
    return _laid_out(at, end, pieces, _TLS_CLAUSE)


def _laid_out(at: int, end: int, pieces: tuple[tuple[int, str, str], ...], clause: str) -> list[Span]:
    """Return a leaf for each piece, as far as the bytes go."""
    spans = []
    for size, label, meaning in pieces:
        stop = min(at + size, end)
        if at < stop:
            spans.append(Span(at, stop, label, meaning if stop - at == size else "cut short", clause))
        at = stop
    return spans


def _fragment(
    data: bytes, where: tuple[int, int], kind: int, *, secret: bool, left: int
) -> tuple[str, list[Span], int]:
    """Return what a fragment is, its leaves, and how many bytes of a handshake message go on in the next record."""
    at, end = where
    if at >= end:
        return _TYPES[kind].name, [], left
    if kind == _HANDSHAKE and not secret:
        return _handshake(data, at, end, left)
    if kind == _ALERT and end - at == 2:
        label = f"alert, {_ALERTS.get(data[at + 1], data[at + 1])}"
        pieces = ((1, "level", "warning" if data[at] == 1 else "fatal"), (1, "description", label[7:]))
        return label, _laid_out(at, end, pieces, "RFC 8446, 6"), left
    hidden = kind in (_HANDSHAKE, _ALERT, _DATA)
    leaf = Span(at, end, "fragment", "encrypted" if hidden else shown(data[at:end]), _TLS_CLAUSE)
    return _TYPES[kind].name + (", encrypted" if hidden and kind != _DATA else ""), [leaf], left


def _handshake(data: bytes, at: int, end: int, left: int) -> tuple[str, list[Span], int]:
    """Take handshake messages apart as far as their headers (RFC 8446, 4); one may go on in the next record."""
    spans, names = [], []
    if left:
        stop = min(at + left, end)
        spans.append(Span(at, stop, "handshake message, continued", "", "RFC 8446, 4"))
        left, at = left - (stop - at), stop
        names.append("handshake, continued")
    while at < end:
        row = _MESSAGES.get(data[at], Kind(f"handshake type {data[at]}", ""))
        size = int.from_bytes(data[at + 1 : at + 4], "big")
        stop = min(at + 4, end)
        pieces = ((1, "handshake type", f"{data[at]}: {row.name}"), (3, "length", f"{size:,} bytes"))
        spans += _laid_out(at, stop, pieces, "RFC 8446, 4")
        last = min(stop + size, end)
        if stop < last:
            spans.append(Span(stop, last, row.name, row.meaning, "RFC 8446, 4"))
        names.append(row.name)
        at, left = last, size - (last - stop)
    return ", ".join(names[:4]), spans, left


_STREAMS = {0: "stdin, sent back", 1: "stdout", 2: "stderr"}
_DOCKER = "Docker Engine API, Attach to a container"


def stream_frames(data: bytes, start: int) -> list[OpaquePart]:
    r"""Return the frames of a multiplexed stream, where all of the bytes have its shape; none where they are raw.

    Which of the two it is says the Content-Type, and only to who asked; so it is told by the shape.

    >>> [part.label for part in stream_frames(b"\2\0\0\0\0\0\0\3no\n", 0)]
    ['stderr']
    """
    found: list[OpaquePart] = []
    at = start
    while at < len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "big")
        end = at + 8 + length
        if data[at] not in _STREAMS or any(data[at + 1 : at + 4]) or end > len(data) or len(data) < at + 8:
            return []
        pieces = (
            (1, "stream", f"{data[at]}: {_STREAMS[data[at]]}"),
            (3, "zeros", ""),
            (4, "length", f"{length:,} bytes"),
        )
        body = (Span(at + 8, end, "bytes", shown(data[at + 8 : end]), _DOCKER),) if length else ()
        inside = (*_laid_out(at, at + 8, pieces, _DOCKER), *body)
        found.append(OpaquePart(at, end, _STREAMS[data[at]], "one of several streams in one", _DOCKER, "", inside))
        at = end
    return found


RECORDS: dict[str, Callable[[bytes, int], list[OpaquePart]]] = {"tls": tls_records, "tcp": stream_frames}
"""What takes the records of a protocol apart, by its name in lower case."""
