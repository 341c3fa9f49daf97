"""A curl command line with its secrets starred out, fit to be shown to others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from labkit.commandlines.curl_line import CurlLine
from labkit.dissection.secrets import masked_bytes, masked_words

__all__ = ["starred"]


def _field(line: str) -> str:
    return masked_bytes(line.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")


def _cookie(value: str) -> str:
    return _field(f"Cookie: {value}").removeprefix("Cookie: ")


def _password(value: str) -> str:
    user, colon, secret = value.partition(":")
    return f"{user}{colon}{'*' * len(secret)}"


def _all(value: str) -> str:
    return "*" * len(value)


# What each option's value holds; in every other one, and in the URL, only what a URL or a form may hold is starred.
_SECRETS: dict[str, Callable[[str], str]] = {
    "header": _field,
    "proxy-header": _field,
    "cookie": _cookie,
    "user": _password,
    "proxy-user": _password,
    "oauth2-bearer": _all,
    "tlspassword": _all,
    "pass": _all,
}


def starred(line: CurlLine) -> CurlLine:
    """Return a line with its secrets starred out; names, schemes and users stay.

    >>> starred(CurlLine("http://x/?token=abc", (("header", "Cookie: id=7"), ("user", "me:secret")))).arguments()
    ['-H', 'Cookie: id=*', '-u', 'me:******', 'http://x/?token=***']
    """
    options = tuple((name, value and _SECRETS.get(name, masked_words)(value)) for name, value in line.options)
    return replace(line, url=masked_words(line.url), options=options)
