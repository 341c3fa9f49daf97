"""curl_setopt and curl_setopt_array: what a script tells a handle, checked and turned as PHP does it."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from labkit.errors import Refused, WrongUse
from labkit.phpcurl import option_names as opt
from labkit.phpcurl.codes import CURLE_BAD_FUNCTION_ARGUMENT, CURLE_OK
from labkit.phpcurl.handle import PROTOCOLS, CurlHandle, check_idle
from labkit.phpcurl.info_names import CURLINFO_HEADER_OUT
from labkit.phpcurl.library import libcurl
from labkit.phpcurl.options import KINDS, NAMES, REFUSED, Kind
from labkit.phpcurl.strings import php_bytes, php_int, php_text, php_type
from labkit.phpcurl.told import Write

__all__ = ["curl_setopt", "curl_setopt_array", "set_url"]

_MOST_LONG = 1 << 63


def curl_setopt(handle: CurlHandle, option: int, value: Any) -> bool:
    """Set an option of a handle.

    Args:
        handle: from `curl_init`.
        option: a CURLOPT_ constant, or CURLINFO_HEADER_OUT.
        value: texts are sent in UTF-8, bytes as they are; PHP's arrays are lists, or for POSTFIELDS a dictionary;
            callbacks get the handle first; streams are file objects opened in binary mode.

    Returns:
        Whether libcurl took it; where it did not, `curl_errno` and `curl_error` say why.

    Raises:
        Refused: the option would read or write files by name, or lead a transfer away from the lab.
        WrongUse: there is no such option, or its value is of the wrong type; in PHP a ValueError or TypeError.

    >>> from labkit.phpcurl import CURLOPT_TIMEOUT, curl_errno, curl_init
    >>> ch = curl_init()
    >>> curl_setopt(ch, CURLOPT_TIMEOUT, 2), curl_setopt(ch, CURLOPT_TIMEOUT, -1), curl_errno(ch)
    (True, False, 43)
    """
    check_idle("curl_setopt", handle)
    if type(option) is not int:
        raise WrongUse(f"curl_setopt(): Argument #2 ($option) must be of type int, {php_type(option)} given")
    if option in REFUSED:
        raise Refused(f"{NAMES[option]} is not taken here: {REFUSED[option]}")
    if option not in KINDS:
        raise WrongUse("curl_setopt(): Argument #2 ($option) is not a valid cURL option")
    code = _OWN[option](handle, value) if KINDS[option] is Kind.OWN else _passed_on(handle, option, value)
    return handle.note(code) if code else not handle.errno


def curl_setopt_array(handle: CurlHandle, options: Mapping[int, Any]) -> bool:
    """Set several options, in their order, up to the first that libcurl does not take.

    Args:
        handle: from `curl_init`.
        options: the values by option.

    Returns:
        Whether all were taken.

    Raises:
        Refused: as `curl_setopt` does.
        WrongUse: as `curl_setopt` does.

    >>> from labkit.phpcurl import CURLOPT_HEADER, CURLOPT_URL, curl_init
    >>> curl_setopt_array(curl_init(), {CURLOPT_URL: "http://example.com/", CURLOPT_HEADER: True})
    True
    """
    check_idle("curl_setopt_array", handle)
    if not isinstance(options, Mapping):
        raise WrongUse(f"curl_setopt_array(): Argument #2 ($options) must be of type array, {php_type(options)} given")
    for option, value in options.items():
        if type(option) is not int:
            raise WrongUse("curl_setopt_array(): Argument #2 ($options) contains an invalid cURL option")
        if option not in KINDS and option not in REFUSED:
            raise WrongUse("curl_setopt_array(): Argument #2 ($options) must contain only valid cURL options")
        if not curl_setopt(handle, option, value):
            return False
    return True


def _passed_on(handle: CurlHandle, option: int, value: Any) -> int:
    """Give an option to libcurl, which says itself what it thinks of the value."""
    kind = KINDS[option]
    if kind is Kind.NUMBER:
        return _number(handle, option, php_int(value))
    if kind is Kind.LIST:
        _set_list(handle, option, value)
    elif kind is Kind.ERASABLE and value is None:
        handle.call(handle.curl.unsetopt, option)
    else:
        handle.call(handle.curl.setopt, option, _string(value))
    return CURLE_OK


def _number(handle: CurlHandle, option: int, number: int) -> int:
    if not -_MOST_LONG <= number < _MOST_LONG:
        return CURLE_BAD_FUNCTION_ARGUMENT
    handle.call(handle.curl.setopt, option, number)
    return CURLE_OK


def _string(value: Any, function: str = "curl_setopt") -> bytes:
    data = php_bytes(value)
    if b"\0" in data:
        raise WrongUse(f"{function}(): cURL option must not contain any null bytes")
    return data


def _set_list(handle: CurlHandle, option: int, value: Any) -> None:
    if not isinstance(value, (list, tuple, dict)):
        raise WrongUse(f"curl_setopt(): The {NAMES[option]} option must have an array value")
    lines = [php_bytes(each).partition(b"\0")[0] for each in (value.values() if isinstance(value, dict) else value)]
    if lines:
        handle.call(handle.curl.setopt, option, lines)
    else:
        handle.call(handle.curl.unsetopt, option)


def set_url(handle: CurlHandle, value: Any, function: str = "curl_setopt") -> int:
    """Say what to ask for."""
    url = _string(value, function)
    handle.call(handle.curl.setopt, opt.CURLOPT_URL, url)
    handle.told.url = url
    return CURLE_OK


# What PHP keeps itself; each returns a code of libcurl's


def _own(handle: CurlHandle) -> int:
    """Say that all is well: nothing of it reaches libcurl."""
    handle.note(CURLE_OK)
    return CURLE_OK


def _return_transfer(handle: CurlHandle, value: Any) -> int:
    handle.told.write = Write.RETURN if value else Write.STDOUT
    return _own(handle)


def _stream(value: Any, method: str) -> Any:
    """Return a stream, if it is one that can be used so."""
    if value is not None and not callable(getattr(value, method, None)):
        raise WrongUse("curl_setopt(): supplied argument is not a valid File-Handle resource")
    if method == "read" and isinstance(value, io.TextIOBase):
        raise WrongUse('a stream that is sent has to be opened in binary mode, such as open(name, "rb")')
    return value


def _file(handle: CurlHandle, value: Any) -> int:
    handle.told.file = _stream(value, "write")
    handle.told.write = Write.STDOUT if value is None else Write.FILE
    return _own(handle)


def _write_header(handle: CurlHandle, value: Any) -> int:
    handle.told.header_file, handle.told.header_function = _stream(value, "write"), None
    return _own(handle)


def _infile(handle: CurlHandle, value: Any) -> int:
    handle.told.infile = _stream(value, "read")
    return _own(handle)


def _errors(handle: CurlHandle, value: Any) -> int:
    handle.told.errors = _stream(value, "write")
    return _own(handle)


def _callback(name: str, value: Any) -> Any:
    if value is not None and not callable(value):
        raise WrongUse(f"{name} takes a function, such as one that was made with def, not {value!r:.60}")
    return value


def _write_function(handle: CurlHandle, value: Any) -> int:
    handle.told.write_function = _callback("CURLOPT_WRITEFUNCTION", value)
    handle.told.write = Write.STDOUT if value is None else Write.USER
    return _own(handle)


def _header_function(handle: CurlHandle, value: Any) -> int:
    handle.told.header_function, handle.told.header_file = _callback("CURLOPT_HEADERFUNCTION", value), None
    return _own(handle)


def _read_function(handle: CurlHandle, value: Any) -> int:
    handle.told.read_function = _callback("CURLOPT_READFUNCTION", value)
    return _own(handle)


def _progress(handle: CurlHandle, value: Any) -> int:
    handle.told.progress = _callback("CURLOPT_PROGRESSFUNCTION", value)
    return _own(handle)


def _switch(name: str) -> Callable[[CurlHandle, Any], int]:
    def switch(handle: CurlHandle, value: Any) -> int:
        setattr(handle.told, name, bool(php_int(value)))
        return _own(handle)

    return switch


def _timeout(unit: int) -> Callable[[CurlHandle, Any], int]:
    """Keep the limit that was set last, seconds or milliseconds, as libcurl does; 0 takes it back."""
    option = opt.CURLOPT_TIMEOUT if unit > 1 else opt.CURLOPT_TIMEOUT_MS

    def timeout(handle: CurlHandle, value: Any) -> int:
        number = php_int(value)
        if not 0 <= number < 1 << 31:
            return CURLE_BAD_FUNCTION_ARGUMENT
        handle.call(handle.curl.setopt, option, number)
        handle.told.timeout = number * unit
        return CURLE_OK

    return timeout


def _private(handle: CurlHandle, value: Any) -> int:
    handle.told.private = value
    return _own(handle)


def _safe_upload(handle: CurlHandle, value: Any) -> int:
    if not value:
        raise WrongUse("curl_setopt(): Disabling safe uploads is no longer supported")
    return _own(handle)


def _verify_host(handle: CurlHandle, value: Any) -> int:
    level = php_int(value)
    if level == 1:
        text = "curl_setopt(): CURLOPT_SSL_VERIFYHOST no longer accepts the value 1, value 2 will be used instead"
        warnings.warn(text, UserWarning, stacklevel=3)
        level = 2
    return _number(handle, opt.CURLOPT_SSL_VERIFYHOST, level)


def _protocols(option: int) -> Callable[[CurlHandle, Any], int]:
    def protocols(handle: CurlHandle, value: Any) -> int:
        handle.call(handle.curl.setopt, option, php_int(value) & PROTOCOLS)
        return CURLE_OK

    return protocols


def _cookie_file(handle: CurlHandle, value: Any) -> int:
    if php_bytes(value):
        raise Refused(
            'CURLOPT_COOKIEFILE takes only "" here, which remembers cookies: it would read a file by its name'
        )
    handle.call(handle.curl.setopt, opt.CURLOPT_COOKIEFILE, b"")
    return CURLE_OK


def _post_fields(handle: CurlHandle, value: Any) -> int:
    """Set the content: a string as it is; an array as multipart/form-data, but for an empty one (ext/curl)."""
    if isinstance(value, (list, tuple)):
        value = dict(enumerate(value))
    if value == {}:
        value = b""
    if isinstance(value, dict):
        mime = libcurl().CurlMime(handle.curl)
        for name, part in value.items():
            mime.add_field(php_text(php_bytes(name)), php_bytes(part))
        handle.call(handle.curl.setopt, libcurl().MIMEPOST, mime)
    else:
        handle.call(handle.curl.setopt, opt.CURLOPT_POSTFIELDS, php_bytes(value))
    return CURLE_OK


_OWN: Mapping[int, Callable[[CurlHandle, Any], int]] = MappingProxyType({
    CURLINFO_HEADER_OUT: _switch("header_out"),
    opt.CURLOPT_BINARYTRANSFER: lambda handle, _: _own(handle),  # without effect since PHP 5.1.3
    opt.CURLOPT_COOKIEFILE: _cookie_file,
    opt.CURLOPT_FILE: _file,
    opt.CURLOPT_HEADERFUNCTION: _header_function,
    opt.CURLOPT_INFILE: _infile,  # CURLOPT_READDATA is the same number
    opt.CURLOPT_NOPROGRESS: _switch("no_progress"),
    opt.CURLOPT_POSTFIELDS: _post_fields,
    opt.CURLOPT_PRIVATE: _private,
    opt.CURLOPT_PROGRESSFUNCTION: _progress,
    opt.CURLOPT_PROTOCOLS: _protocols(opt.CURLOPT_PROTOCOLS),
    opt.CURLOPT_READFUNCTION: _read_function,
    opt.CURLOPT_REDIR_PROTOCOLS: _protocols(opt.CURLOPT_REDIR_PROTOCOLS),
    opt.CURLOPT_RETURNTRANSFER: _return_transfer,
    opt.CURLOPT_SAFE_UPLOAD: _safe_upload,
    opt.CURLOPT_SSL_VERIFYHOST: _verify_host,
    opt.CURLOPT_STDERR: _errors,
    opt.CURLOPT_TIMEOUT: _timeout(1000),
    opt.CURLOPT_TIMEOUT_MS: _timeout(1),
    opt.CURLOPT_URL: set_url,
    opt.CURLOPT_VERBOSE: _switch("verbose"),
    opt.CURLOPT_WRITEFUNCTION: _write_function,
    opt.CURLOPT_WRITEHEADER: _write_header,
    opt.CURLOPT_XFERINFOFUNCTION: _progress,
})  # fmt: skip
