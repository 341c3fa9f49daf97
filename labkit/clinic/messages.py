"""What a message tells: a failure of the catalogue, or one that comes before any upgrade is asked for."""

from __future__ import annotations

import re

from labkit.cases.symptoms import notes, plain, recognise
from labkit.clinic import maps
from labkit.clinic.diagnosis import Diagnosis

__all__ = ["of_message"]

_MOST_OTHERS = 3

_UNTRUSTED = Diagnosis(
    "TLS fails before an upgrade is asked for: the certificate is not trusted, is out of date, or names another host",
    "operator",
    "RFC 9110, 4.3.4",
    ("serve a certificate of that name with its whole chain; open https at the same host to see what is wrong",),
    "labkit trace wss://example.com/ws --allow-remote",
)
_CLOSED = Diagnosis(
    "the page's own script called close() while the handshake was under way",
    "client",
    "WebSockets Standard, close()",
    ("find who closes: an effect that runs twice, a time limit of the client library, a page that is left",),
    "labkit trace ws://127.0.0.1:3000/",
    ("where a time limit closed it, the answer came too late or never: labkit cases no response",),
)
_UNLOADED = Diagnosis(
    "the module that the directive belongs to is not loaded, so httpd does not start",
    "operator",
    "httpd's documentation of the directive, the line Module",
    ("sudo a2enmod proxy proxy_http proxy_wstunnel rewrite headers, as far as the text uses them; then restart",),
    "apachectl configtest",
)
# What the catalogue of upgrades does not have, for none was asked for yet.
_BEFORE = (
    (r"err_cert_|certificate (verify failed|has expired)|self.?signed certificate|verify the first certificate",
     _UNTRUSTED),
    (r"websocket (is|was) closed before the connection (is|was) established", _CLOSED),
    (r"invalid command (proxy\w+|rewrite\w+|requestheader)", _UNLOADED),
)  # fmt: skip


def of_message(text: str) -> Diagnosis | None:
    """Return what a message or a few lines of a log tell; None where nothing in them is known.

    >>> of_message("net::ERR_CERT_DATE_INVALID").who
    'operator'
    >>> of_message("all is well")
    """
    lines = plain(text)
    for pattern, diagnosis in _BEFORE:
        if any(re.search(pattern, line, re.IGNORECASE) for line in lines):
            return diagnosis
    if missing := maps.MISSING.search(text):
        return maps.told(missing[1])
    found = recognise(text)
    if not found:
        return None
    first, *rest = found
    others = (f"{each.title}: labkit cases {each.name}" for each in rest[:_MOST_OTHERS])
    change = (first.fix, f"the lines to write: labkit cases {first.name}") if first.lines else (first.fix,)
    return Diagnosis(
        f"{first.title}. {first.cause}", first.party, first.clause, change, first.prove, (*others, *notes(text))
    )
