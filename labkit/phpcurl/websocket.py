"""After a 101, what PHP does not have: bytes and frames on the connection, under libcurl's own names.

    CONNECT_ONLY 1   curl_easy_send, curl_easy_recv   the connection alone: the request too is yours to send
    CONNECT_ONLY 2   curl_ws_send, curl_ws_recv       libcurl makes the handshake for a ws:// URL, and speaks frames

In C they return a code, and the rest by reference. Here they return what PHP would: the value, or False, and then
`curl_errno` tells the code; what else C gives by reference is the second of two values.
"""

from __future__ import annotations

import selectors
import time
from collections.abc import Callable
from typing import Any

from labkit.errors import WrongUse
from labkit.phpcurl.codes import CURLE_AGAIN, CURLE_SEND_ERROR
from labkit.phpcurl.easy import patience
from labkit.phpcurl.handle import CurlHandle, check_idle
from labkit.phpcurl.info_names import CURLINFO_ACTIVESOCKET
from labkit.phpcurl.strings import c_int, php_bytes, php_int, php_text
from labkit.phpcurl.values import CURLWS_TEXT

__all__ = ["curl_easy_recv", "curl_easy_send", "curl_ws_recv", "curl_ws_send"]

_MOST_READ = 16 << 20  # bytes at once


def curl_easy_send(handle: CurlHandle, buffer: str | bytes) -> int | bool:
    """Send bytes on the connection that a transfer with CURLOPT_CONNECT_ONLY 1 made (curl_easy_send(3)).

    Args:
        handle: after its curl_exec.
        buffer: what to send: the request's head, after the 101 frames; texts in UTF-8.

    Returns:
        How many bytes were sent, which is all of them; False where they could not be.
    """
    check_idle("curl_easy_send", handle)
    left = memoryview(php_bytes(buffer))
    size = len(left)
    while left:
        sent = _patiently(handle, handle.curl.send, bytes(left), writing=True)
        if sent is False:
            return False
        left = left[sent:]
    return size


def curl_easy_recv(handle: CurlHandle, buflen: int) -> str | bool:
    """Receive bytes on the connection that a transfer with CURLOPT_CONNECT_ONLY 1 made (curl_easy_recv(3)).

    It waits for the first of them as long as a transfer may take, and then returns what is there.

    Args:
        handle: after its curl_exec.
        buflen: the most bytes to return.

    Returns:
        What came, a character for each byte; "" where the other side closed; False where nothing came, and then
        `curl_errno` is 81, CURLE_AGAIN.
    """
    check_idle("curl_easy_recv", handle)
    data = _patiently(handle, handle.curl.recv, _size(buflen))
    return data if data is False else php_text(data)


def curl_ws_send(handle: CurlHandle, buffer: str | bytes, flags: int = CURLWS_TEXT) -> int | bool:
    """Send a frame on the connection that a transfer with CURLOPT_CONNECT_ONLY 2 made (curl_ws_send(3)).

    Args:
        handle: after its curl_exec of a ws:// URL.
        buffer: its payload; texts in UTF-8.
        flags: what it is, of CURLWS_TEXT, _BINARY, _PING, _PONG, _CLOSE, and _CONT where fragments follow.

    Returns:
        How many bytes of payload were sent; False where they could not be.
    """
    check_idle("curl_ws_send", handle)
    data = php_bytes(buffer)
    sent = _patiently(handle, handle.curl.ws_send, data, _flags(flags), writing=True)
    return False if sent is False else len(data) if sent is None else int(sent)


def _flags(flags: object) -> int:
    if (number := c_int(flags)) < 0:
        raise WrongUse(f"flags are of CURLWS_TEXT and its like, not {flags!r}")
    return number


def curl_ws_recv(handle: CurlHandle, buflen: int = 1 << 16) -> tuple[str | bool, dict[str, int] | None]:
    """Receive a frame, or a part of one, on the connection that a transfer with CURLOPT_CONNECT_ONLY 2 made.

    Args:
        handle: after its curl_exec of a ws:// URL.
        buflen: the most bytes of payload to return.

    Returns:
        The payload, a character for each byte, and what C tells of it in a `curl_ws_frame`: `flags` (of CURLWS_TEXT
        and so on), `offset`, `bytesleft`, `len`. Where nothing came, False and None; `curl_errno` is then 81, or 52
        where the other side closed the connection.
    """
    check_idle("curl_ws_recv", handle)
    got = _patiently(handle, handle.curl.ws_recv, _size(buflen))
    if got is False:
        return False, None
    data, frame = got
    return php_text(data), {
        "flags": frame.flags, "offset": frame.offset, "bytesleft": frame.bytesleft, "len": len(data),
    }  # fmt: skip


def _size(buflen: int) -> int:
    return max(1, min(php_int(buflen), _MOST_READ))


def _patiently(handle: CurlHandle, function: Callable[..., Any], *arguments: Any, writing: bool = False) -> Any:
    """Call libcurl, again and again while it says E_AGAIN, as long as a transfer of this handle may take."""
    until = time.monotonic() + (handle.told.timeout / 1000 or patience())
    while True:
        try:
            result = handle.call(function, *arguments)
        except BlockingIOError:  # pycurl's word for E_AGAIN
            handle.note(CURLE_AGAIN)
            result = False
        left = until - time.monotonic()
        if result is not False or handle.errno != CURLE_AGAIN or left <= 0:
            return result
        socket = handle.curl.getinfo(CURLINFO_ACTIVESOCKET)
        if socket < 0:
            handle.note(CURLE_SEND_ERROR)
            return False
        with selectors.DefaultSelector() as selector:  # select() takes no number above 1023
            selector.register(socket, selectors.EVENT_WRITE if writing else selectors.EVENT_READ)
            selector.select(left)
