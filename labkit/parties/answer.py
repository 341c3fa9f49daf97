"""A final answer, and the field lines that its status asks for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import NamedTuple

from labkit.errors import WrongUse
from labkit.wire.fields import Fields
from labkit.wire.http1 import RequestHead, ResponseHead
from labkit.wire.lines import TOKEN
from labkit.wire.upgrade import options

__all__ = [
    "ALLOW", "CARRIED", "NO_CONTENT", "Answer", "Carried", "check_utf8", "checked", "final_head", "phrase", "started",
]  # fmt: skip

ALLOW = ("Allow", "GET, HEAD, POST, OPTIONS")
"""The methods that the lab's server allows."""

NO_CONTENT = frozenset((204, 304))
"""The final statuses whose answer ends with its head (RFC 9112, 6.3)."""

_NAME = re.compile(TOKEN.decode())
_VALUE = re.compile(r"([!-~\x80-\xff]([\t -~\x80-\xff]*[!-~\x80-\xff])?)?")  # RFC 9110, 5.5
_FRAMING = frozenset(("content-length", "transfer-encoding"))
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


class Answer(NamedTuple):
    """A final answer that is no 101: a page, or a decline of an offer.

    Args:
        status: its status code, 200 to 599.
        reason: the text of its content, a line or a page; empty for none.
        fields: more field lines, as pairs of name and value. What the status must carry is added where
            it is not among them.

    >>> Answer(405, "not so").completed().fields
    (('Allow', 'GET, HEAD, POST, OPTIONS'),)
    """

    status: int
    reason: str = ""
    fields: tuple[tuple[str, str], ...] = ()

    @property
    def closes(self) -> bool:
        """Whether it says `Connection: close`, behind which no request is served (RFC 9112, 9.6)."""
        return "close" in options(Fields(self.fields))

    def completed(self, upgrade: str = "websocket") -> Answer:
        """Return this answer with the field lines that its status asks for, where it has none of the name.

        Args:
            upgrade: what a 426 asks for: the protocols of the server.
        """
        own = {name.lower() for name, _ in self.fields}
        wanted = (row for row in CARRIED if self.status in row.statuses and row.name.lower() not in own)
        return self._replace(fields=(*self.fields, *((row.name, row.value or upgrade) for row in wanted)))


class Carried(NamedTuple):
    """A field line that belongs to a status: how strictly, by which clause, and the value that the lab gives it."""

    statuses: tuple[int, ...]
    name: str
    value: str
    level: str
    clause: str


CARRIED = (
    Carried((300, 301, 302, 303, 307, 308), "Location", "/", "SHOULD", "RFC 9110, 15.4"),
    Carried((401,), "WWW-Authenticate", 'Basic realm="labkit"', "MUST", "RFC 9110, 15.5.2"),
    Carried((405,), *ALLOW, "MUST", "RFC 9110, 15.5.6"),
    Carried((407,), "Proxy-Authenticate", 'Basic realm="labkit"', "MUST", "RFC 9110, 15.5.8"),
    Carried((426,), "Upgrade", "", "MUST", "RFC 9110, 15.5.22"),  # the server's own protocols
    Carried((426,), "Connection", "Upgrade", "MUST", "RFC 9110, 7.8"),
    Carried((503,), "Retry-After", "1", "MAY", "RFC 9110, 15.6.4"),
)
"""What an answer of some statuses carries beside its content."""


def phrase(status: int) -> str:
    """Return the reason phrase of a status code; empty where none is registered.

    >>> phrase(426), phrase(299)
    ('Upgrade Required', '')
    """
    return _PHRASES.get(status, "")


def started(answer: Answer, date: str, *, close: bool) -> Fields:
    """Return the field lines that every final answer has, less those of its framing."""
    lines = Fields.of([("Date", date), *answer.fields])
    if close:
        others = [each for each in lines.elements("Connection") if each.lower() != "close"]
        lines = lines.replaced("Connection", ", ".join(["close", *others]))
    return lines


def final_head(
    answer: Answer, date: str, *, close: bool, content: bytes | None = None, asked: RequestHead | None = None
) -> tuple[ResponseHead, bytes]:
    """Return the head of a final answer with its framing, and the bytes behind it; HEAD gets none of them.

    Args:
        answer: the answer.
        date: the value of its Date field.
        close: whether the connection ends with it.
        content: its content; unless told the reason, or the page, as a line.
        asked: the head of the request, where it could be read.
    """
    status, lines = answer.status, started(answer, date, close=close)
    if content is None:
        content = f"{answer.reason}\n".encode() if answer.reason else b""
    if status == 205:  # it says that there is nothing to show (RFC 9110, 15.3.6)
        content = b""
    if status not in NO_CONTENT:
        if "Content-Type" not in lines:
            lines = lines.with_line("Content-Type", "text/plain; charset=utf-8")
        lines = lines.with_line("Content-Length", str(len(content)))
    silent = status in NO_CONTENT or (asked is not None and asked.method == "HEAD")
    return ResponseHead(status, phrase(status), lines), b"" if silent else content


def checked(answer: object, what: str = "decline is a status code or") -> Answer:
    """Return an answer that was given as a status code, or as an `Answer`.

    Args:
        answer: what was given.
        what: how an error begins: what it was given as, and what else it may be.

    Raises:
        WrongUse: it is neither, or could not be sent.
    """
    if type(answer) is int:
        answer = Answer(answer, f"no upgrade here: the server is told to answer {answer}")
    if not isinstance(answer, Answer):
        raise WrongUse(f"{what} an Answer(status, reason, fields), not {answer!r}")
    if type(answer.status) is not int or not 200 <= answer.status <= 599:
        raise WrongUse(f"the status of a final answer is 200 to 599, not {answer.status!r}")
    if not isinstance(answer.reason, str):
        raise WrongUse(f"the reason of an answer is a text, not {answer.reason!r}")
    check_utf8("the reason of an answer", answer.reason)
    return answer._replace(fields=_lines(answer.fields))


def check_utf8(what: str, text: str) -> None:
    """Check that a text can be sent as the content of an answer, in UTF-8.

    Raises:
        WrongUse: it holds half of a surrogate pair, which no UTF-8 stands for.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        where = f"{text[error.start]!r} (character {error.start})"
        raise WrongUse(f"{what} is text in UTF-8, which has no {where}") from None


def _lines(fields: object) -> tuple[tuple[str, str], ...]:
    lines: list[tuple[str, str]] = []
    for row in fields if isinstance(fields, Iterable) and not isinstance(fields, str) else [fields]:
        if not isinstance(row, tuple) or len(row) != 2 or not all(isinstance(each, str) for each in row):
            raise WrongUse(f"fields of an answer are pairs (name, value), not {row!r}")
        name, value = row
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise WrongUse(f"{name!r}: {value!r} is no field line")
        if name.lower() in _FRAMING:
            raise WrongUse(f"{name} is written by the server itself: leave it out of the answer's fields")
        lines.append((name, value))
    return tuple(lines)
