"""curl_getinfo: what a transfer was like, with PHP's keys in PHP's order."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from labkit.errors import WrongUse
from labkit.phpcurl import info_names as info
from labkit.phpcurl.handle import CurlHandle, check_handle
from labkit.phpcurl.library import libcurl
from labkit.phpcurl.strings import php_int, php_text
from labkit.phpcurl.values import CURLPROTO_HTTP, CURLPROTO_HTTPS, CURLPROTO_WS, CURLPROTO_WSS

__all__ = ["KEYS", "curl_getinfo", "remember"]

KEYS = MappingProxyType({  # ext/curl/interface.c, curl_getinfo
    "url": info.CURLINFO_EFFECTIVE_URL,
    "content_type": info.CURLINFO_CONTENT_TYPE,
    "http_code": info.CURLINFO_HTTP_CODE,
    "header_size": info.CURLINFO_HEADER_SIZE,
    "request_size": info.CURLINFO_REQUEST_SIZE,
    "filetime": info.CURLINFO_FILETIME,
    "ssl_verify_result": info.CURLINFO_SSL_VERIFYRESULT,
    "redirect_count": info.CURLINFO_REDIRECT_COUNT,
    "total_time": info.CURLINFO_TOTAL_TIME,
    "namelookup_time": info.CURLINFO_NAMELOOKUP_TIME,
    "connect_time": info.CURLINFO_CONNECT_TIME,
    "pretransfer_time": info.CURLINFO_PRETRANSFER_TIME,
    "size_upload": info.CURLINFO_SIZE_UPLOAD,
    "size_download": info.CURLINFO_SIZE_DOWNLOAD,
    "speed_download": info.CURLINFO_SPEED_DOWNLOAD,
    "speed_upload": info.CURLINFO_SPEED_UPLOAD,
    "download_content_length": info.CURLINFO_CONTENT_LENGTH_DOWNLOAD,
    "upload_content_length": info.CURLINFO_CONTENT_LENGTH_UPLOAD,
    "starttransfer_time": info.CURLINFO_STARTTRANSFER_TIME,
    "redirect_time": info.CURLINFO_REDIRECT_TIME,
    "redirect_url": info.CURLINFO_REDIRECT_URL,
    "primary_ip": info.CURLINFO_PRIMARY_IP,
    "certinfo": info.CURLINFO_CERTINFO,
    "primary_port": info.CURLINFO_PRIMARY_PORT,
    "local_ip": info.CURLINFO_LOCAL_IP,
    "local_port": info.CURLINFO_LOCAL_PORT,
    "http_version": info.CURLINFO_HTTP_VERSION,
    "protocol": info.CURLINFO_PROTOCOL,
    "ssl_verifyresult": info.CURLINFO_PROXY_SSL_VERIFYRESULT,
    "scheme": info.CURLINFO_SCHEME,
    "appconnect_time_us": info.CURLINFO_APPCONNECT_TIME_T,
    "connect_time_us": info.CURLINFO_CONNECT_TIME_T,
    "namelookup_time_us": info.CURLINFO_NAMELOOKUP_TIME_T,
    "pretransfer_time_us": info.CURLINFO_PRETRANSFER_TIME_T,
    "redirect_time_us": info.CURLINFO_REDIRECT_TIME_T,
    "starttransfer_time_us": info.CURLINFO_STARTTRANSFER_TIME_T,
    "total_time_us": info.CURLINFO_TOTAL_TIME_T,
    "effective_method": info.CURLINFO_EFFECTIVE_METHOD,
})  # fmt: skip
"""The keys of the array that curl_getinfo returns, and what each is asked as."""

_NUMBERS = frozenset(number for name, number in vars(info).items() if name.startswith("CURLINFO_"))
_DEPRECATED = frozenset({  # fractions of what are whole numbers; libcurl wants them asked as such since 7.55
    info.CURLINFO_CONTENT_LENGTH_DOWNLOAD, info.CURLINFO_CONTENT_LENGTH_UPLOAD, info.CURLINFO_SIZE_DOWNLOAD,
    info.CURLINFO_SIZE_UPLOAD, info.CURLINFO_SPEED_DOWNLOAD, info.CURLINFO_SPEED_UPLOAD,
})  # fmt: skip
_KIND = 0xF00000  # CURLINFO_TYPEMASK
_WHOLE = 0x600000
_PROTOCOLS = {  # pycurl does not tell it
    "http": CURLPROTO_HTTP, "https": CURLPROTO_HTTPS, "ws": CURLPROTO_WS, "wss": CURLPROTO_WSS,
}  # fmt: skip


def curl_getinfo(handle: CurlHandle, option: int | None = None) -> Any:
    """Tell how the last transfer of a handle was.

    Args:
        handle: from `curl_init`.
        option: a CURLINFO_ constant; without it, all that PHP's array has.

    Returns:
        One value, False where there is none; or a dictionary with PHP's keys, and `request_header` where
        CURLINFO_HEADER_OUT was set.

    Raises:
        WrongUse: the handle is just at work, as in a callback; then pycurl tells the status code alone.

    >>> from labkit.phpcurl import CURLINFO_RESPONSE_CODE, curl_init
    >>> curl_getinfo(curl_init(), CURLINFO_RESPONSE_CODE)
    0
    """
    check_handle("curl_getinfo", handle)
    if option is not None:
        return _asked(handle, php_int(option))
    last = "effective_method"
    told = {key: _asked(handle, number) for key, number in KEYS.items() if key != last}
    told["content_type"] = None if told["content_type"] is False else told["content_type"]
    for key in ("url", "redirect_url", "scheme"):
        told[key] = told[key] or ""
    if handle.sent_head:
        told["request_header"] = php_text(handle.sent_head)
    return {**told, last: _asked(handle, KEYS[last])}


def remember(handle: CurlHandle) -> None:
    """Keep what can be asked, before the connections are closed and libcurl forgets it."""
    if not handle.remembered:
        handle.remembered = {number: _from_libcurl(handle, number) for number in _NUMBERS}


def _asked(handle: CurlHandle, number: int) -> Any:
    if number == info.CURLINFO_HEADER_OUT:
        return php_text(handle.sent_head) or False
    if number == info.CURLINFO_PRIVATE:
        return handle.told.private
    if handle.busy:
        if number == info.CURLINFO_RESPONSE_CODE:
            return handle.status
        raise WrongUse("while a handle is at work, pycurl tells CURLINFO_RESPONSE_CODE alone; ask after curl_exec")
    if number not in _NUMBERS:
        return False
    return handle.remembered[number] if number in handle.remembered else _from_libcurl(handle, number)


def _from_libcurl(handle: CurlHandle, number: int) -> Any:
    if number == info.CURLINFO_PROTOCOL:
        scheme = _from_libcurl(handle, info.CURLINFO_SCHEME) or ""
        return _PROTOCOLS.get(scheme.lower(), 0)
    if number in _DEPRECATED:
        return float(handle.curl.getinfo_raw(number & ~_KIND | _WHOLE))
    try:
        value = handle.curl.getinfo_raw(number)
    except (ValueError, libcurl().error):  # nothing that it knows
        return False
    if number == info.CURLINFO_CERTINFO:
        return [dict(each) for each in value]
    match number & _KIND:
        case 0x100000:  # a text
            value = False if value is None else php_text(value)
        case 0x400000:  # a list
            value = [php_text(each) for each in value or ()]
    return value
