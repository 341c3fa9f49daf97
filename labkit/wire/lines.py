"""One line of a head at a time: its pieces, and what in it breaks the grammar (RFC 9112, 2 to 5).

Every byte of a line lands in one piece; a piece that breaks a rule carries the fault that names it.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

__all__ = [
    "CLAUSE", "TOKEN", "Fault", "Line", "Piece", "RequestLine", "StatusLine",
    "cut_short", "empty_line", "field_line", "final_line", "start_line",
]  # fmt: skip

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # RFC 9110, 5.6.2
# What the grammar calls each piece of a head, and where it says so.
CLAUSE = {
    "method": "RFC 9110, 9.1",
    "request-target": "RFC 9112, 3.2",
    "HTTP-version": "RFC 9112, 2.3",
    "status-code": "RFC 9110, 15",
    "reason-phrase": "RFC 9112, 4",
    "start-line": "RFC 9112, 2.1",
    "field line": "RFC 9112, 5",
    "field name": "RFC 9110, 5.1",
    "field value": "RFC 9110, 5.5",
    "colon": "RFC 9112, 5",
    "white space": "RFC 9112, 5.1",
    "space": "RFC 9112, 3",
    "line end": "RFC 9112, 2.2",
    "end of head": "RFC 9112, 2.1",
}


class Fault(StrEnum):
    """What can be wrong with a piece of a head; each sentence names its clause."""

    BARE_LF = "a line ends in LF alone; a sender must write CR LF (RFC 9112, 2.2)"
    BARE_CR = "a CR that no LF follows; a sender must not write one (RFC 9112, 2.2)"
    BAD_METHOD = "the method is not a token (RFC 9110, 9.1)"
    BAD_TARGET = "the request-target holds a character that none may hold (RFC 9112, 3.2)"
    BAD_VERSION = "the version is not HTTP/ and two digits with a dot (RFC 9112, 2.3)"
    BAD_STATUS = "the status code is not three digits (RFC 9112, 4)"
    BAD_REASON = "the reason phrase holds a control character (RFC 9112, 4)"
    NO_SPACE = "the space after the status code is missing (RFC 9112, 4)"
    MORE_SPACE = "white space other than the one space the grammar has (RFC 9112, 3)"
    BAD_START = "this is no start-line of HTTP/1.1 (RFC 9112, 2.1)"
    NO_COLON = "a field line without a colon (RFC 9112, 5)"
    SPACE_BEFORE_COLON = "white space before the colon; a server must answer 400 (RFC 9112, 5.1)"
    SPACE_FIRST = "white space between the start-line and the first field line (RFC 9112, 2.2)"
    BAD_NAME = "the field name is not a token (RFC 9110, 5.1)"
    BAD_VALUE = "the field value holds a control character (RFC 9110, 5.5)"
    FOLDED = "a folded line, obsolete since 2014 (RFC 9112, 5.2)"
    EMPTY_LINE = "an empty line before the start-line; a server ought to skip one (RFC 9112, 2.2)"
    CUT_SHORT = "the bytes end before the head does (RFC 9112, 2.1)"


class Piece(NamedTuple):
    """One piece of a line: the bytes from `start` to `end` of the scanned data, and what they are."""

    start: int
    end: int
    what: str
    fault: Fault | None = None


class Line(NamedTuple):
    """One line of a head: its pieces in order; for a field line, its name and value.

    `folded` marks a line that goes on with the value of the line before it (RFC 9112, 5.2).
    """

    pieces: tuple[Piece, ...]
    name: str = ""
    value: str = ""
    folded: bool = False

    @property
    def start(self) -> int:
        """Offset of the line's first byte."""
        return self.pieces[0].start

    @property
    def end(self) -> int:
        """Offset after the line's last byte."""
        return self.pieces[-1].end


class RequestLine(NamedTuple):
    """What a request line says."""

    method: str
    target: str
    version: str


class StatusLine(NamedTuple):
    """What a status line says."""

    status: int
    reason: str
    version: str


_NAME = re.compile(TOKEN)
_VERSION = re.compile(rb"HTTP/[0-9]\.[0-9]")
_THREE_DIGITS = re.compile(rb"[0-9]{3}")
_FIRST_WORD = re.compile(rb"([^ \t]*)([ \t]*)")
_STATUS = re.compile(rb"(HTTP/[^ \t]*)([ \t]+)([^ \t]+)(?:([ \t])(.*))?", re.DOTALL)
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_NO_TARGET = re.compile(rb"[\x00-\x20\x7f-\xff]")
# How far a piece may have come where the bytes end inside it: not wrong yet, only cut short.
_SO_FAR = {
    Fault.BAD_START: re.compile(
        TOKEN + rb"(?: (?:[\x21-\x7e]+(?: (?:H|HT|HTT|HTTP)?)?)?)?" + rb"|HTTP/(?:[0-9](?:\.(?:[0-9] ?)?)?)?"
    ),
    Fault.BAD_VERSION: re.compile(rb"HTTP/(?:[0-9]\.?)?"),
    Fault.BAD_STATUS: re.compile(rb"[0-9]{1,2}"),
    Fault.NO_SPACE: _THREE_DIGITS,
    Fault.NO_COLON: re.compile(TOKEN + rb"[ \t]*"),
}


class _Pieces:
    """Collects the pieces of one line; empty ones are left out, so that pieces partition the line."""

    def __init__(self, data: bytes, at: int, stop: int) -> None:
        self.at = at
        line = data[at:stop]
        self.ending = next((end for end in (b"\r\n", b"\n", b"\r") if line.endswith(end)), b"")
        if self.ending == b"\r" and stop < len(data):  # not cut between CR and LF: a CR like any other
            self.ending = b""
        self.body = line[: len(line) - len(self.ending)]
        self.pieces: list[Piece] = []

    def take(self, length: int, what: str, fault: Fault | None = None) -> None:
        if length:
            self.pieces.append(Piece(self.at, self.at + length, what, fault))
            self.at += length

    def finish(self) -> tuple[Piece, ...]:
        self.take(len(self.ending), "line end", Fault.BARE_LF if self.ending == b"\n" else None)
        return tuple(self.pieces)


def empty_line(data: bytes, at: int, stop: int) -> int:
    """Return the length in bytes of the empty line at `at`, or 0 where none is."""
    return 2 if data.startswith(b"\r\n", at, stop) else int(data.startswith(b"\n", at, stop))


def final_line(at: int, stop: int) -> Line:
    """Return the empty line from `at` to `stop` that ends a head."""
    return Line((Piece(at, stop, "end of head", Fault.BARE_LF if stop - at == 1 else None),))


def start_line(data: bytes, at: int, stop: int) -> tuple[Line, RequestLine | StatusLine | None]:
    """Read the line from `at` to `stop` as a start-line; None where it says nothing that can be used."""
    pieces = _Pieces(data, at, stop)
    value: RequestLine | StatusLine | None = None
    if status := _STATUS.fullmatch(pieces.body):
        value = _status_line(pieces, status)
    elif words := _request_words(pieces.body):
        value = _request_line(pieces, words)
    else:
        pieces.take(len(pieces.body), "start-line", Fault.BAD_START)
    return Line(pieces.finish()), value


def _request_words(body: bytes) -> tuple[bytes, ...] | None:
    """Split at white space: method, gap, target, gap, version, rest. None where one is missing."""
    stripped = body.rstrip(b" \t")
    cut = max(stripped.rfind(b" "), stripped.rfind(b"\t")) + 1
    before, version, rest = stripped[:cut], stripped[cut:], body[len(stripped) :]
    words = before.rstrip(b" \t")
    first = _FIRST_WORD.match(words)
    if not first or not version.startswith(b"HTTP/"):
        return None
    method, gap = first.groups()
    target = words[first.end() :]
    return (method, gap, target, before[len(words) :], version, rest) if method and target else None


def _request_line(pieces: _Pieces, words: tuple[bytes, ...]) -> RequestLine:
    method, gap, target, gap2, version, rest = words
    pieces.take(len(method), "method", None if _NAME.fullmatch(method) else Fault.BAD_METHOD)
    pieces.take(len(gap), "space", None if gap == b" " else Fault.MORE_SPACE)
    pieces.take(len(target), "request-target", Fault.BAD_TARGET if _NO_TARGET.search(target) else None)
    pieces.take(len(gap2), "space", None if gap2 == b" " else Fault.MORE_SPACE)
    pieces.take(len(version), "HTTP-version", None if _VERSION.fullmatch(version) else Fault.BAD_VERSION)
    pieces.take(len(rest), "white space", Fault.MORE_SPACE)
    return RequestLine(_text(method), _text(target), _text(version))


def _status_line(pieces: _Pieces, match: re.Match[bytes]) -> StatusLine | None:
    version, gap, status, gap2, reason = match.groups(b"")
    good = _THREE_DIGITS.fullmatch(status)
    pieces.take(len(version), "HTTP-version", None if _VERSION.fullmatch(version) else Fault.BAD_VERSION)
    pieces.take(len(gap), "space", None if gap == b" " else Fault.MORE_SPACE)
    fault = None if gap2 else Fault.NO_SPACE
    pieces.take(len(status), "status-code", fault if good else Fault.BAD_STATUS)
    pieces.take(len(gap2), "space", None if gap2 == b" " else Fault.MORE_SPACE)
    pieces.take(len(reason), "reason-phrase", _control_fault(reason, Fault.BAD_REASON))
    return StatusLine(int(status), _text(reason), _text(version)) if good else None


def field_line(data: bytes, at: int, stop: int, *, first: bool = False) -> Line:
    """Read the line from `at` to `stop` as a field line; `first` where only the start-line is before it."""
    pieces = _Pieces(data, at, stop)
    body = pieces.body
    if body[:1] in (b" ", b"\t"):
        return _folded_line(pieces, first=first)
    colon = body.find(b":")
    if colon < 0:
        pieces.take(len(body), "field line", Fault.NO_COLON)
        return Line(pieces.finish())
    name = body[:colon].rstrip(b" \t")
    pieces.take(len(name), "field name", None if _NAME.fullmatch(name) else Fault.BAD_NAME)
    pieces.take(colon - len(name), "white space", Fault.SPACE_BEFORE_COLON)
    pieces.take(1, "colon", None if name else Fault.BAD_NAME)
    value = _value(pieces, body[colon + 1 :])
    return Line(pieces.finish(), _text(name), value)


def _folded_line(pieces: _Pieces, *, first: bool) -> Line:
    text = pieces.body.lstrip(b" \t")
    pieces.take(len(pieces.body) - len(text), "white space", Fault.SPACE_FIRST if first else Fault.FOLDED)
    value = _value(pieces, text)
    return Line(pieces.finish(), "", value, folded=not first)


def _value(pieces: _Pieces, raw: bytes) -> str:
    without_lead = raw.lstrip(b" \t")
    value = without_lead.rstrip(b" \t")
    pieces.take(len(raw) - len(without_lead), "white space")
    pieces.take(len(value), "field value", _control_fault(value, Fault.BAD_VALUE))
    pieces.take(len(without_lead) - len(value), "white space")
    return _text(value)


def _control_fault(text: bytes, fault: Fault) -> Fault | None:
    if not _CONTROL.search(text):
        return None
    return Fault.BARE_CR if b"\r" in text else fault


def cut_short(line: Line, data: bytes) -> Line:
    """Return the last line of a head that the bytes end in, its last piece marked as cut short.

    A piece that was wrong before the end came keeps its own fault.
    """
    last = line.pieces[-1]
    so_far = _SO_FAR.get(last.fault) if last.fault else None
    wrong = last.fault and not (so_far and so_far.fullmatch(data, last.start, last.end))
    fault = last.fault if wrong else Fault.CUT_SHORT
    pieces = (*line.pieces[:-1], Piece(last.start, last.end, last.what, fault))
    return Line(pieces, line.name, line.value, line.folded)


def _text(raw: bytes) -> str:
    return raw.decode("latin-1")
