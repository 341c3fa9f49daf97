"""Which answers of upstreams nginx reads (ngx_http_parse_status_line, ngx_http_proxy_process_header)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from labkit.proxies.nginx.heads import FIELD, FIELD_SO_FAR, lines_of
from labkit.wire.fields import Fields
from labkit.wire.http1 import ResponseHead

__all__ = ["ANSWER_TOO_LONG", "NO_HEAD", "Answer", "read_answer"]


@dataclass(frozen=True, slots=True)
class Answer(ResponseHead):
    """An answer's head as nginx read it, with the text of its status line behind the version."""

    said: str = ""


NO_HEAD = Answer(200, "", Fields(), "HTTP/0.9")
"""What nginx takes bytes for that begin with no status line: an answer of HTTP/0.9, all content."""

ANSWER_TOO_LONG = "upstream sent too big header while reading response header from upstream"

_STATUS = re.compile(rb"(HTTP/[1-9][0-9]{0,2}\.[0-9]{1,3}) +([0-9] *[0-9] *[0-9](?:[ .][^\r\n]*)?)\r?\n")
_STATUS_SO_FAR = re.compile(
    rb"H?|HT|HTT|HTTP|HTTP/|HTTP/[1-9][0-9]{0,2}|HTTP/[1-9][0-9]{0,2}\.|HTTP/[1-9][0-9]{0,2}\.[0-9]{1,3}"
    rb"(?: [0-9 ]*(?:[ .][^\r\n]*)?\r?)?"
)


def read_answer(data: bytes, most: int) -> tuple[Answer, int] | str | None:
    """Read the answer head that `data` begins with; a text where nginx gives it up, None where more is needed.

    Args:
        data: what has come.
        most: bytes of a head, `proxy_buffer_size`.

    >>> read_answer(b"220 mail.example.com ESMTP", 4096) == (NO_HEAD, 0)
    True
    """
    found = _STATUS.match(data)
    if not found:
        if not _STATUS_SO_FAR.fullmatch(data):
            return NO_HEAD, 0
        return ANSWER_TOO_LONG if len(data) >= most else None
    lines: list[tuple[str, str]] = []
    for begin, end in lines_of(data, found.end()):
        if (end or len(data)) > most or (not end and len(data) == most):
            return ANSWER_TOO_LONG
        raw = data[begin : end or len(data)]
        line = FIELD.fullmatch(raw[:-1]) if end else FIELD_SO_FAR.fullmatch(raw)
        if raw in (b"\n", b"\r\n"):
            return _answer(found, lines), end
        if raw.startswith(b"HTTP/"):  # a second status line is passed over
            continue
        if not line:
            return _invalid(raw)
        if end:
            lines.append((line[1].decode("latin-1"), (line[2] or b"").decode("latin-1")))
    return None


def _invalid(raw: bytes) -> str:
    text = raw.rstrip(b"\r\n").decode("latin-1")
    return f'upstream sent invalid header: "{text}" while reading response header from upstream'


def _answer(status: re.Match[bytes], lines: list[tuple[str, str]]) -> Answer:
    said = status[2].decode("latin-1")
    code, _, reason = said.partition(" ")
    number = int(code[:3]) if code[:3].isdigit() and len(code) >= 3 else int(said.replace(" ", "")[:3])
    return Answer(number, reason, Fields(tuple(lines)), status[1].decode("latin-1"), said)
