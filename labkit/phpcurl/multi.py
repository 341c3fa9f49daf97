"""PHP's functions of several handles at once. What PHP gives by reference is here the second of two values."""

from __future__ import annotations

import select
import time
from collections import deque
from typing import Any

from labkit.errors import WrongUse
from labkit.phpcurl import values
from labkit.phpcurl.codes import CURLM_ADDED_ALREADY, CURLM_OK, CURLMSG_DONE
from labkit.phpcurl.easy import patience
from labkit.phpcurl.handle import CurlHandle, check_handle, check_idle
from labkit.phpcurl.library import libcurl
from labkit.phpcurl.strings import c_int, php_text, php_type
from labkit.phpcurl.told import Write

__all__ = [
    "CurlMultiHandle", "curl_multi_add_handle", "curl_multi_close", "curl_multi_errno", "curl_multi_exec",
    "curl_multi_getcontent", "curl_multi_info_read", "curl_multi_init", "curl_multi_remove_handle",
    "curl_multi_select", "curl_multi_setopt", "curl_multi_strerror",
]  # fmt: skip

_OPTIONS = {  # those that pycurl can set; the rest of CURLMOPT_ is for pushed responses, which no browser takes either
    values.CURLMOPT_PIPELINING, values.CURLMOPT_MAXCONNECTS, values.CURLMOPT_MAX_HOST_CONNECTIONS,
    values.CURLMOPT_MAX_TOTAL_CONNECTIONS,
}  # fmt: skip
_LEAST_WAIT = 0.001  # seconds; while there is no socket yet, a loop must not burn the processor


class CurlMultiHandle:
    """What `curl_multi_init` returns, opaque as in PHP."""

    def __init__(self) -> None:
        self.multi = libcurl().CurlMulti()
        self.errno = CURLM_OK
        self.handles: list[CurlHandle] = []
        self.messages: deque[tuple[CurlHandle, int]] = deque()

    def __repr__(self) -> str:
        return f"<CurlMultiHandle of {len(self.handles)}>"

    def note(self, code: int) -> int:
        """Keep how a call ended, and return that."""
        self.errno = code
        return code

    def perform(self) -> tuple[int, int]:
        """Go on; return libcurl's code, and how many transfers still run."""
        for handle in self.handles:
            handle.busy = True
        try:
            code, running = self.multi.perform()
        finally:
            for handle in self.handles:
                handle.busy = False
        return code, running

    def ended(self) -> None:
        """Take from libcurl what it says of the transfers that ended.

        Raises:
            Failed: one of them would not have ended in PHP; or what a callback raised.
        """
        _, good, bad = self.multi.info_read()
        done = [(curl, 0, "") for curl in good] + list(bad)
        for curl, code, text in done:
            handle = next(each for each in self.handles if each.curl is curl)
            handle.note(code, text)
            self.messages.append((handle, code))
        for handle in self.handles:
            handle.finish()


def _check(function: str, multi: CurlMultiHandle, *more: CurlHandle) -> None:
    """Say in PHP's words that a function was not given what it takes, or is called from within a callback."""
    if not isinstance(multi, CurlMultiHandle):
        given = php_type(multi)
        raise WrongUse(f"{function}(): Argument #1 ($multi_handle) must be of type CurlMultiHandle, {given} given")
    for handle in more:
        check_handle(function, handle, 2)
    for handle in (*multi.handles, *more):
        check_idle(function, handle)


def curl_multi_init() -> CurlMultiHandle:
    """Make a handle for several transfers at once.

    Raises:
        Absent: pycurl is not installed.
    """
    return CurlMultiHandle()


def curl_multi_add_handle(multi_handle: CurlMultiHandle, handle: CurlHandle) -> int:
    """Add a transfer; return a CURLM_ number.

    Raises:
        Refused: no lab server runs that could answer it.
    """
    _check("curl_multi_add_handle", multi_handle, handle)
    if handle.multi is not None:
        return multi_handle.note(CURLM_ADDED_ALREADY)
    handle.begin(patience())
    multi_handle.multi.add_handle(handle.curl)
    multi_handle.handles.append(handle)
    handle.multi = multi_handle
    return multi_handle.note(CURLM_OK)


def curl_multi_remove_handle(multi_handle: CurlMultiHandle, handle: CurlHandle) -> int:
    """Take a transfer out, whether it ended or not; return a CURLM_ number."""
    _check("curl_multi_remove_handle", multi_handle, handle)
    if handle.multi is multi_handle:
        multi_handle.multi.remove_handle(handle.curl)
        multi_handle.handles.remove(handle)
        handle.multi = None
    return multi_handle.note(CURLM_OK)


def curl_multi_exec(multi_handle: CurlMultiHandle) -> tuple[int, int]:
    r"""Go on with the transfers, as far as that goes without waiting.

    Args:
        multi_handle: from `curl_multi_init`.

    Returns:
        A CURLM_ number, and how many transfers still run; in PHP that is `$still_running`.

    Raises:
        Failed: a transfer for which the script set no limit of time did not end; in PHP the loop would go on for ever.

    >>> from labkit import UpgradeServer
    >>> from labkit.phpcurl import CURLOPT_RETURNTRANSFER, curl_init, curl_setopt
    >>> mh, ch = curl_multi_init(), curl_init("http://example.com/path")
    >>> curl_setopt(ch, CURLOPT_RETURNTRANSFER, True)
    True
    >>> with UpgradeServer() as server:
    ...     status = curl_multi_add_handle(mh, ch)
    ...     running = 1
    ...     while running:
    ...         status, running = curl_multi_exec(mh)
    ...         ready = curl_multi_select(mh)
    >>> curl_multi_getcontent(ch)
    'A plain page: no upgrade was made.\n'
    >>> curl_multi_close(mh)
    """
    _check("curl_multi_exec", multi_handle)
    code, running = multi_handle.perform()
    multi_handle.note(code)
    multi_handle.ended()
    return code, running


def curl_multi_select(multi_handle: CurlMultiHandle, timeout: float = 1.0) -> int:
    """Wait until something happens on a connection; return on how many, 0 where nothing did.

    Args:
        multi_handle: from `curl_multi_init`.
        timeout: the most seconds to wait; libcurl's own plans may make it less.
    """
    _check("curl_multi_select", multi_handle)
    if not isinstance(timeout, (int, float)):
        raise WrongUse(f"curl_multi_select(): Argument #2 ($timeout) must be of type float, {php_type(timeout)} given")
    multi = multi_handle.multi
    planned = multi.timeout()  # milliseconds, -1 where it has no plan
    most = min(timeout, planned / 1000) if planned >= 0 else timeout
    reading, writing, failing = multi.fdset()
    if not reading + writing + failing:
        time.sleep(max(0.0, min(most, _LEAST_WAIT)))
        return 0
    return len({each for ready in select.select(reading, writing, failing, max(0.0, most)) for each in ready})


def curl_multi_getcontent(handle: CurlHandle) -> str | None:
    """Return what came so far, with CURLOPT_RETURNTRANSFER; None without it. An error drops nothing here."""
    check_handle("curl_multi_getcontent", handle)
    return php_text(bytes(handle.buffer)) if handle.told.write is Write.RETURN else None


def curl_multi_info_read(multi_handle: CurlMultiHandle) -> tuple[dict[str, Any] | bool, int]:
    """Tell of a transfer that ended.

    Args:
        multi_handle: from `curl_multi_init`.

    Returns:
        PHP's array with `msg` (CURLMSG_DONE), `result` (a CURLE_ number) and `handle`, False where there is nothing to
        tell; and how many are left to be told of, in PHP `$queued_messages`.
    """
    _check("curl_multi_info_read", multi_handle)
    if not multi_handle.messages:
        return False, 0
    handle, result = multi_handle.messages.popleft()
    return {"msg": CURLMSG_DONE, "result": result, "handle": handle}, len(multi_handle.messages)


def curl_multi_errno(multi_handle: CurlMultiHandle) -> int:
    """Return how the last call ended: a CURLM_ number."""
    _check("curl_multi_errno", multi_handle)
    return multi_handle.errno


def curl_multi_strerror(error_code: int) -> str:
    """Return what libcurl says of a CURLM_ number. The words differ by version."""
    return str(libcurl().multi_strerror(c_int(error_code)))


def curl_multi_setopt(multi_handle: CurlMultiHandle, option: int, value: Any) -> bool:
    """Set an option of several transfers at once, such as CURLMOPT_MAX_TOTAL_CONNECTIONS.

    Raises:
        WrongUse: there is none such, or pycurl cannot set it.
    """
    _check("curl_multi_setopt", multi_handle)
    if type(option) is not int or option not in _OPTIONS:
        raise WrongUse("curl_multi_setopt(): Argument #2 ($option) is not a valid cURL multi option")
    multi_handle.multi.setopt(option, c_int(value))
    return not multi_handle.note(CURLM_OK)


def curl_multi_close(multi_handle: CurlMultiHandle) -> None:
    """Take out every transfer; with that, what is open is closed."""
    _check("curl_multi_close", multi_handle)
    for handle in list(multi_handle.handles):
        curl_multi_remove_handle(multi_handle, handle)
    multi_handle.multi.close()
    multi_handle.multi = libcurl().CurlMulti()  # in PHP 8 it can be used again
