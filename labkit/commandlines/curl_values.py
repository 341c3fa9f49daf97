"""What the values of curl's options may be in a pasted line, and which options are left out of it."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["LEFT_OUT", "VALUES", "ValueTest"]

LEFT_OUT = {
    "disable": "the lab's curl never reads a .curlrc",
    "noproxy": "the lab's curl uses no proxy",
    "out-null": "what curl prints is shown",
}
"""Options that may stand in a line and are left out, with the reason; and `--output`, see `VALUES`."""


class ValueTest(NamedTuple):
    """What an option's value has to match, and what it means that it does not."""

    allowed: re.Pattern[str]
    refused: str


def _test(pattern: str, refused: str) -> ValueTest:
    return ValueTest(re.compile(pattern, re.DOTALL | re.IGNORECASE), refused)


_NO_AT = _test(r"(?!@).*", "a value that begins with @ is read from a file; write the text itself")
_ENCODED = _test(r"[^@]*|[^=]*=.*", "an @ before any = names a file to be read; write = before the text")
_STDOUT = _test("-", "it writes a file; only - is taken, the standard output")
_SCHEMES = _test(r"[=+-]?(https?|wss?)(,[=+-]?(https?|wss?))*", "only http, https, ws and wss are spoken here")

# A value that matches is curl's own text; the rest is a file's name, or more (curl's manual, of each option).
VALUES: dict[str, ValueTest] = {
    "continue-at": _test(r"\d+", "only a number is taken; - asks a file for its size"),
    "cookie": _test(r"(?!@).*=.*|", "a value without = is a file's name; write name=value"),
    "cookie-jar": _STDOUT,
    "data": _NO_AT,
    "data-ascii": _NO_AT,
    "data-binary": _NO_AT,
    "data-urlencode": _ENCODED,
    "dump-header": _STDOUT,
    "form": _test(
        r"(?!(?:[^=]*=)?\s*[@<])(?!.*;\s*headers\s*=\s*\"?[@<])[^=]*=.*",
        "it reads a file; write name=text, or --form-string for a text that begins with @ or <",
    ),
    "header": _NO_AT,
    "json": _NO_AT,
    "output": _test(r"-|/dev/null|nul:?", "it writes a file; leave it out, what curl prints is shown"),
    "pinnedpubkey": _test(r"sha256//.*", "it reads a file; write the hash, sha256//…"),
    "proto": _SCHEMES,
    "proto-default": _test(r"https?|wss?", "only http, https, ws and wss are spoken here"),
    "proto-redir": _SCHEMES,
    "stderr": _STDOUT,
    "trace": _test(r"(?!)", "it shows secrets in hexadecimal; write --trace-ascii -, where they can be starred"),
    "trace-ascii": _STDOUT,
    "upload-file": _test(r"[-.]", "it reads a file; only - and . are taken, the standard input"),
    "url": _NO_AT,
    "url-query": _test(r"[^@]*|[^=]*=.*|\+.*", "an @ before any = names a file to be read; write = before the text"),
    "user": _test(r"[^:]*:.*", "without a colon curl asks for the password at the terminal; write user:password"),
    "write-out": _test(r"(?!@)(?!.*%output\{).*", "it reads or writes a file; write the format itself"),
}
"""What the value of an allowed option has to be."""
