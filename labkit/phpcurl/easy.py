"""PHP's functions of one handle: make it, let it go to work, ask how it went."""

from __future__ import annotations

import sys
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

from labkit.errors import WrongUse
from labkit.net.patience import LONGEST
from labkit.phpcurl.codes import CURLE_BAD_FUNCTION_ARGUMENT, CURLE_FAILED_INIT
from labkit.phpcurl.handle import CurlHandle, check_handle, check_idle
from labkit.phpcurl.info import remember
from labkit.phpcurl.library import libcurl
from labkit.phpcurl.setting import set_url
from labkit.phpcurl.strings import c_int, php_bytes, php_int, php_text
from labkit.phpcurl.told import Write

__all__ = [
    "curl_close", "curl_copy_handle", "curl_errno", "curl_error", "curl_escape", "curl_exec", "curl_init", "curl_pause",
    "curl_reset", "curl_strerror", "curl_unescape", "curl_version", "patience",
]  # fmt: skip


def patience() -> float:
    """Return the seconds a transfer may take for which the script set no limit: `labkit.phpcurl.PATIENCE`.

    Raises:
        WrongUse: it was set to what is no time.
    """
    seconds = sys.modules["labkit.phpcurl"].PATIENCE
    if not isinstance(seconds, (int, float)) or not 0 < seconds <= LONGEST:
        raise WrongUse(f"labkit.phpcurl.PATIENCE is above 0 and at most {LONGEST:g} seconds, not {seconds!r}")
    return seconds


def curl_init(url: str | bytes | None = None) -> CurlHandle:
    """Make a handle.

    Args:
        url: what to ask for; it may be set later, as CURLOPT_URL.

    Raises:
        Absent: pycurl is not installed.
        WrongUse: the URL has a null byte in it.

    >>> curl_init("http://example.com/path")
    <CurlHandle http://example.com/path>
    """
    handle = CurlHandle().plain()
    if url is not None:
        set_url(handle, url, "curl_init")
    return handle


def curl_exec(handle: CurlHandle) -> str | bool:
    r"""Do the transfer that a handle was told of.

    A host that is not loopback is answered by the lab's server; no byte of the request changes by that.

    Args:
        handle: from `curl_init`.

    Returns:
        False where anything went wrong, also where all had come but the end; `curl_errno` says what. Else True, or
        with CURLOPT_RETURNTRANSFER what came, a character for each byte.

    Raises:
        Failed: the script set no limit of time, and in PHP it would wait for ever; or more than 16 MiB came.
        Refused: no lab server runs that could answer.

    >>> from labkit import UpgradeServer
    >>> from labkit.phpcurl import CURLOPT_RETURNTRANSFER, curl_setopt
    >>> ch = curl_init("http://example.com/path")
    >>> curl_setopt(ch, CURLOPT_RETURNTRANSFER, True)
    True
    >>> with UpgradeServer() as server:
    ...     curl_exec(ch)
    'A plain page: no upgrade was made.\n'
    >>> curl_close(ch)
    """
    check_idle("curl_exec", handle)
    if handle.multi is not None:
        return handle.note(CURLE_FAILED_INIT)
    handle.begin(patience())
    handle.busy = True
    try:
        handle.call(handle.curl.perform)
    finally:
        handle.busy = False
    handle.finish()
    if handle.errno:
        handle.buffer.clear()
        return False
    return php_text(bytes(handle.buffer)) if handle.told.write is Write.RETURN else True


def curl_errno(handle: CurlHandle) -> int:
    """Return how the last call of a handle ended: a CURLE_ number, 0 where all was well."""
    check_handle("curl_errno", handle)
    return handle.errno


def curl_error(handle: CurlHandle) -> str:
    """Return what libcurl says of the last error of a handle; "" where there is none. The words differ by version."""
    check_handle("curl_error", handle)
    return handle.error


def curl_strerror(error_code: int) -> str:
    """Return what libcurl says of a CURLE_ number. The words differ by version.

    >>> curl_strerror(28)
    'Timeout was reached'
    """
    return str(libcurl().easy_strerror(c_int(error_code)))


def curl_close(handle: CurlHandle) -> None:
    """Close the connections of a handle.

    In PHP 8 it does nothing: connections close when nobody holds the handle any more. In a notebook a name is held for
    long, and so they close here; the handle can still be asked and used, as in PHP.
    """
    check_idle("curl_close", handle)
    if handle.multi is None:
        remember(handle)
        handle.close()


def curl_reset(handle: CurlHandle) -> None:
    """Take back every option of a handle; its connections stay open."""
    check_idle("curl_reset", handle)
    handle.reset()


def curl_copy_handle(handle: CurlHandle) -> CurlHandle:
    """Return a new handle that was told the same, callbacks too."""
    check_idle("curl_copy_handle", handle)
    return handle.copy()


def curl_pause(handle: CurlHandle, flags: int) -> int:
    """Pause a transfer, or let it go on, with CURLPAUSE_ constants; return a CURLE_ number."""
    check_handle("curl_pause", handle)
    try:
        handle.curl.pause(c_int(flags))
    except libcurl().error as error:
        return php_int(error.args[0]) or CURLE_BAD_FUNCTION_ARGUMENT  # a sentence of pycurl's own
    return 0


def curl_escape(handle: CurlHandle, string: str | bytes) -> str:
    """Return a text as it can stand in a URL (RFC 3986, 2.1); all but letters, digits and -._~ is escaped.

    >>> curl_escape(curl_init(), "a b/ü")
    'a%20b%2F%C3%BC'
    """
    check_handle("curl_escape", handle)
    return quote_from_bytes(php_bytes(string), safe="")


def curl_unescape(handle: CurlHandle, string: str | bytes) -> str:
    """Return a part of a URL as it was before `curl_escape`, a character for each byte.

    >>> curl_unescape(curl_init(), "a%20b%2F")
    'a b/'
    """
    check_handle("curl_unescape", handle)
    return php_text(unquote_to_bytes(php_bytes(string)))


def curl_version() -> dict[str, Any]:
    """Return what the library is; as much of PHP's array as pycurl tells.

    >>> curl_version()["protocols"].count("http")
    1
    """
    age, version, number, host, features, ssl, ssl_number, libz, protocols, *_ = libcurl().version_info()
    return {
        "version_number": number, "age": age, "features": features, "ssl_version_number": ssl_number,
        "version": version, "host": host, "ssl_version": ssl, "libz_version": libz, "protocols": list(protocols),
    }  # fmt: skip
