"""A cURL handle: libcurl's own, and around it what PHP does with each piece of a transfer."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Self

from labkit.errors import Failed, WrongUse
from labkit.phpcurl.answering import entries_for
from labkit.phpcurl.codes import CURLE_BAD_FUNCTION_ARGUMENT, CURLE_OPERATION_TIMEDOUT
from labkit.phpcurl.info_names import CURLINFO_RESPONSE_CODE
from labkit.phpcurl.library import libcurl
from labkit.phpcurl.strings import php_bytes, php_int, php_text, php_type
from labkit.phpcurl.told import Told, Write, put
from labkit.phpcurl.values import CURLPROTO_HTTP, CURLPROTO_HTTPS, CURLPROTO_WS, CURLPROTO_WSS

__all__ = ["MOST_DATA", "PROTOCOLS", "CurlHandle", "check_handle", "check_idle"]

MOST_DATA = 16 << 20
"""Bytes of content that one transfer may bring."""

PROTOCOLS = CURLPROTO_HTTP | CURLPROTO_HTTPS | CURLPROTO_WS | CURLPROTO_WSS
"""The protocols that are spoken; the library knows more, some of which read files."""

_STOP = -1  # what a callback returns that is not the number of bytes: the transfer ends with 23
_ABORT = 0x10000000  # CURL_READFUNC_ABORT: a transfer whose sending stops so ends with 42
_SAID = {0: b"* ", 1: b"< ", 2: b"> "}  # curl_infotype: a remark, a received line, a sent one


class CurlHandle:
    """What `curl_init` returns, opaque as in PHP: it is given to the other functions.

    >>> from labkit.phpcurl import curl_init
    >>> curl_init("http://example.com/path")
    <CurlHandle http://example.com/path>
    """

    def __init__(self, curl: Any = None, told: Told | None = None) -> None:
        self.curl = libcurl().Curl() if curl is None else curl
        self.told = Told() if told is None else told
        self.errno = 0
        self.error = ""
        self.buffer = bytearray()  # what RETURNTRANSFER gathers
        self.sent_head = b""
        self.status = 0  # of the head that came last; libcurl cannot be asked while it calls back
        self.remembered: dict[int, Any] = {}  # of a closed handle, what curl_getinfo told
        self.bounded = False  # whether the time limit of this transfer is the lab's
        self.busy = False  # libcurl is at work with it: in a callback, or in another thread
        self.multi: object = None  # the CurlMultiHandle it was added to
        self._received = 0
        self._raised: BaseException | None = None
        self._wire()

    def __repr__(self) -> str:
        return f"<CurlHandle {php_text(self.told.url) or 'without a URL'}>"

    def _wire(self) -> None:
        """Lead libcurl's callbacks here, and set what PHP and the lab set on every handle.

        The callbacks hold no handle: one that nobody holds any more is freed at once, and its connections close.
        """
        lib, curl, me = libcurl(), self.curl, weakref.ref(self)

        def led(step: Callable[[CurlHandle, Any], int | bytes], stop: int) -> Callable[[Any], int | bytes]:
            def call(data: Any) -> int | bytes:
                handle = me()
                return stop if handle is None else handle._safely(step, data, stop)  # noqa: SLF001  its own

            return call

        said = led(CurlHandle._said, 0)
        progress = led(CurlHandle._progress, 1)
        curl.setopt(lib.WRITEFUNCTION, led(CurlHandle._write, _STOP))
        curl.setopt(lib.HEADERFUNCTION, led(CurlHandle._header, _STOP))
        curl.setopt(lib.READFUNCTION, led(CurlHandle._read, _ABORT))
        curl.setopt(lib.DEBUGFUNCTION, lambda *what: said(what))
        curl.setopt(lib.XFERINFOFUNCTION, lambda *numbers: progress(numbers))
        curl.setopt(lib.NOPROGRESS, 0)  # so that an interrupt is seen within a second
        curl.setopt(lib.PROXY, "")  # whatever the environment says
        curl.setopt(lib.NOPROXY, "*")

    def plain(self) -> Self:
        """Set what a new handle and a reset one have, which libcurl or pycurl would set otherwise."""
        lib = libcurl()
        self.curl.setopt(lib.USERAGENT, "")  # pycurl would say PycURL; PHP says nothing
        self.curl.setopt(lib.PROTOCOLS, PROTOCOLS)
        self.curl.setopt(lib.REDIR_PROTOCOLS, PROTOCOLS)
        return self

    def copy(self) -> CurlHandle:
        """Return a handle that was told the same; of connections and results it has none."""
        return CurlHandle(self.curl.duphandle(), replace(self.told))

    def reset(self) -> None:
        """Forget all that was told; connections stay."""
        self.curl.reset()
        self.told = Told()
        self._wire()
        self.plain()

    def close(self) -> None:
        """Close the connections; what the last transfer told stays, and so does what the script told."""
        fresh = self.curl.duphandle()
        self.curl.close()
        self.curl = fresh
        self._wire()

    # One transfer

    def begin(self, patience: float) -> None:
        """Make ready for a transfer: nothing of the last one stays, and its place and time are set.

        Args:
            patience: seconds it may take where the script set no limit.

        Raises:
            Refused: nobody answers for the host of the URL.
            WrongUse: several could.
        """
        lib = libcurl()
        self.curl.setopt(lib.CONNECT_TO, entries_for(php_text(self.told.url)))
        self.curl.setopt(lib.VERBOSE, int(self.told.verbose or self.told.header_out))
        self.bounded = not self.told.timeout
        self.curl.setopt(lib.TIMEOUT_MS, self.told.timeout or max(1, round(patience * 1000)))
        self.buffer.clear()
        self.remembered = {}
        self.sent_head, self.status, self._received, self._raised = b"", 0, 0, None
        self.note(0)

    def note(self, code: int, text: str = "") -> bool:
        """Keep how a call ended, for curl_errno and curl_error; return whether it went well."""
        self.errno = code
        self.error = (text or str(libcurl().easy_strerror(code))) if code else ""
        return code == 0

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call libcurl, and keep how that ended; return its result, or False where `errno` says why there is none."""
        try:
            result = function(*arguments)
        except libcurl().error as error:
            code, text = error.args if len(error.args) == 2 else (CURLE_BAD_FUNCTION_ARGUMENT, str(error))
            self.note(code, text)
            return False
        self.note(0)
        return result

    def finish(self) -> None:
        """Raise what a callback raised during the transfer, and what has to be told instead of its result.

        Raises:
            Failed: the lab had to end it: too much came, or no end came in time.
        """
        raised, self._raised = self._raised, None
        if raised is not None:
            raise raised
        if self.bounded and self.errno == CURLE_OPERATION_TIMEDOUT:
            self.buffer.clear()
            self.bounded = False  # it is told once
            raise Failed(_endless(self.curl.getinfo(CURLINFO_RESPONSE_CODE), self.curl.getinfo(libcurl().TOTAL_TIME)))

    # What libcurl calls

    def _safely(self, step: Callable[[CurlHandle, Any], int | bytes], data: Any, stop: int) -> int | bytes:
        """Do a step; what it raises is kept until libcurl has returned, for it cannot be raised through C."""
        try:
            return step(self, data)
        except BaseException as error:  # noqa: BLE001  an interrupt too; `finish` raises it
            self._raised = error
            return stop

    def _write(self, data: bytes) -> int:
        self._received += len(data)
        if self._received > MOST_DATA:
            raise Failed(f"more than {MOST_DATA >> 20} MiB came: set CURLOPT_MAXFILESIZE, or ask for less")
        match self.told.write:
            case Write.RETURN:
                self.buffer += data
            case Write.USER:
                assert self.told.write_function is not None
                return php_int(self.told.write_function(self, php_text(data)))
            case Write.FILE:
                put(self.told.file, data)
            case Write.STDOUT:
                put(None, data)
        return len(data)

    def _header(self, data: bytes) -> int:
        if data.startswith(b"HTTP/"):
            self.status = php_int(data.partition(b" ")[2])
        if self.told.header_function is not None:
            return php_int(self.told.header_function(self, php_text(data)))
        if self.told.header_file is not None:
            put(self.told.header_file, data)
        return len(data)

    def _read(self, size: int) -> bytes | int:
        told = self.told
        if told.read_function is not None:
            given = told.read_function(self, told.infile, size)
            return given if isinstance(given, int) and given else php_bytes(given)[:size]
        return php_bytes(told.infile.read(size)) if told.infile is not None else b""

    def _progress(self, numbers: tuple[int, ...]) -> int:
        if self.told.progress is None or self.told.no_progress:
            return 0
        return php_int(self.told.progress(self, *numbers))

    def _said(self, what: tuple[int, bytes]) -> int:
        kind, data = what
        if self.told.header_out:
            self.sent_head = data if kind == 2 else self.sent_head  # behind a redirect the last (ext/curl, curl_debug)
        elif self.told.verbose and kind in _SAID:
            stream = sys.stderr if self.told.errors is None else self.told.errors
            put(stream, b"".join(_SAID[kind] + line for line in data.splitlines(keepends=True)))
        return 0


def _endless(status: int, seconds: float) -> str:
    if status == 101:
        return (
            "curl_exec would never return: after a 101 libcurl waits for more; set CURLOPT_TIMEOUT, or stop it with a "
            "CURLOPT_HEADERFUNCTION that returns -1 at the blank line"
        )
    return f"curl_exec saw no end of the answer within {seconds:.1f} s; set CURLOPT_TIMEOUT to wait longer, or less"


def check_handle(function: str, handle: object, place: int = 1) -> None:
    """Say in PHP's words that a function was not given a handle.

    Raises:
        WrongUse: it was not.
    """
    if not isinstance(handle, CurlHandle):
        given = php_type(handle)
        raise WrongUse(f"{function}(): Argument #{place} ($handle) must be of type CurlHandle, {given} given")


def check_idle(function: str, handle: CurlHandle, place: int = 1) -> None:
    """Say that a function was not given a handle, or one that is at work: pycurl can do nothing with it then.

    Raises:
        WrongUse: so it is.
    """
    check_handle(function, handle, place)
    if handle.busy:
        raise WrongUse(
            f"{function}(): not while this handle is at work, as in its own callbacks; do it after curl_exec"
        )
