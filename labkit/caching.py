r"""A cache that looks at bytes and not at the protocol: the party for whose sake a client masks (RFC 6455, 10.3).

Such caches stood between browsers and servers. They knew nothing of Upgrade: behind a 101 they went on looking for
requests and answers, and kept what they took for an answer under the name that they took for its request. Whoever chose
the bytes on both sides chose what others were given. This is the simplest of them, as a function of a trace:

    GET http://ads.example/ad.js   ◄── the nth thing in the client's bytes that looks like a request
         ▲ is kept with
    HTTP/1.1 200 …                 ◄── the nth thing in the server's bytes that looks like an answer
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from labkit.errors import WrongUse
from labkit.trace import Direction, Trace
from labkit.wire.http1 import RequestHead, ResponseHead, scan

__all__ = ["cached"]

# The rest of a start-line, field lines and the blank line; bounded, so that no bytes make it look for long.
_LINES = rb"[^\r\n]{1,1000}\r\n(?:[!-9;-~]{1,100}:[^\r\n]{0,1000}\r\n){0,100}\r\n"
_ASKED = re.compile(rb"GET /" + _LINES)
_ANSWERED = re.compile(rb"HTTP/1\.1 " + _LINES)
_SIZE = re.compile(r"[0-9]{1,9}")


def cached(trace: Trace) -> dict[str, str]:
    r"""Return what such a cache on a trace's first hop keeps: URLs, and what it will answer to anybody who asks.

    >>> import labkit
    >>> cached(labkit.simulate(labkit.Scenario(labkit.Offer.plain("/news"))))
    {'http://server.example.com/news': 'A plain page: no upgrade was made.\n'}
    """
    if not isinstance(trace, Trace):
        raise WrongUse(f"what is looked at is a Trace, not {trace!r}")
    kept = {}
    asked = _ASKED.finditer(trace.stream(Direction.TO_SERVER))
    for request, answer in zip(asked, _answers(trace.stream(Direction.TO_CLIENT)), strict=False):
        head = scan(request[0]).value
        if answer is not None and isinstance(head, RequestHead):
            kept[f"http://{head.fields.get('Host') or ''}{head.target}"] = answer
    return kept


def _answers(data: bytes) -> Iterator[str | None]:
    """Yield the content of each answer; None where it is not one to keep."""
    for found in _ANSWERED.finditer(data):
        head = scan(found[0]).value
        size = (
            (head.fields.get("Content-Length") or "") if isinstance(head, ResponseHead) and head.status == 200 else ""
        )
        yield data[found.end() :][: int(size)].decode("latin-1") if _SIZE.fullmatch(size) else None
